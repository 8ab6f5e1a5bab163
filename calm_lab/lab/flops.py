"""What a model costs: parameters, and FLOPs per token in training and in generation, part by part.

The paper's case for CALM is one of cost: fewer steps, each a little dearer (paper sec. 7.2, Table 1, Fig 4). Every
multiply-add of a matrix product counts as two FLOPs, a backward pass as two forward passes, and norms, activations and
lookups as nothing. Two conventions are kept apart:

* ``exact`` follows this code: the head computes once what depends on the hidden state alone, noise and frozen inputs
  need no gradient, and the distances of the energy loss are counted.
* ``paper`` counts ``6 d^2`` weights a block and nothing else of the energy head, whole for each of the N samples. The
  paper does not print its formula; this one gives Table 1 within 2% for all rows but CALM-XL's
  (``calm_lab.lab.table1``).

Notebook 11 and the app's tab "What K buys" are drawn from here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, get_args

from calm_lab.errors import InputError, choose_from
from calm_lab.lab.cost import Convention, Flops, Parts
from calm_lab.lab.inventory import Layer, Part, autoencoder_layers, calm_layers, check_pair, transformer_layers
from calm_lab.model.config import AutoencoderConfig, CalmConfig, HeadConfig, TransformerConfig

if TYPE_CHECKING:
    from calm_lab.model.autoencoder import Autoencoder
    from calm_lab.model.calm import CALM
    from calm_lab.model.transformer import TokenTransformer

AttentionCount = Literal["full", "causal"]
Solver = Literal["midpoint", "euler"]

PAPER_CONTEXT = 2048  # positions: tokens of the baseline, chunks of CALM (paper sec. 7.1)
PAPER_TOKENS = 250_000 * 2_000_000  # tokens a language model is trained on
PAPER_AE_TOKENS = 30_000 * 512 * 1024  # tokens the autoencoder is trained on
SAMPLER_STEPS = {"flow": 10, "diffusion": 100}  # the defaults of the heads' samplers
BACKWARD = 2  # a backward pass in forward passes: one product for the weights, one for the input


def flops(
    config: CalmConfig | TransformerConfig | AutoencoderConfig | CALM | TokenTransformer | Autoencoder,
    autoencoder: AutoencoderConfig | None = None,
    *,
    convention: Convention = "exact",
    attention: AttentionCount = "full",
    context: int = PAPER_CONTEXT,
    samples: int | None = None,
    pool: int = 1,
    steps: int | None = None,
    solver: Solver = "midpoint",
    tokens: int = PAPER_TOKENS,
    ae_tokens: int | None = None,
    count_encoder: bool = False,
) -> Flops:
    """Parameters and FLOPs of a model (paper sec. 7.2, Table 1).

    Args:
        config: a CALM's, a token Transformer's or an autoencoder's config, or a loaded model of these kinds.
        autoencoder: the CALM's autoencoder. Without one: a loaded model's own, or for a bare config the paper's (width
            512, inner 1280, 2 + 2 layers) at this V, K and l.
        convention: how to count the head, ``exact`` or ``paper``.
        attention: ``full`` lets every position look at the whole context, as the paper counts; ``causal`` takes the
            mean over positions 1 to ``context``.
        context: positions in a row: chunks of a CALM, tokens of the baseline.
        samples: N, draws of the head a position in training; by default the head's ``num_samples``.
        pool: draws of CALM's head a step in generation, each decoded: 1 is enough at T = 1, Algorithm 2 takes N.
        steps: steps of the flow or diffusion sampler; by default 10 and 100.
        solver: ``midpoint`` (two network calls a step) or ``euler`` (one) for the flow head.
        tokens: tokens that the language model is trained on.
        ae_tokens: tokens that the autoencoder is trained on; by default the paper's share of ``tokens``, 3.1%; 0 for
            an autoencoder that is already there.
        count_encoder: count an encoder pass a generated chunk as well. Generation needs none: discrete input reads
            tokens, continuous input the drawn vector itself; the paper's caption can be read as counting it.

    Returns:
        The counts.

    Raises:
        InputError: for an unknown word, a count below 1, or an autoencoder that does not fit.
    """
    _check_words(convention, attention, solver)
    counts = {"context": context, "pool": pool, "tokens": tokens, "samples": samples, "steps": steps}
    for name, value in counts.items():
        if value is not None and not value >= 1:
            raise InputError(f"{name} must be at least 1, not {value}")
    if ae_tokens is not None and ae_tokens < 0:
        raise InputError(f"ae_tokens must not be negative, not {ae_tokens}")
    if autoencoder is None:
        autoencoder = getattr(getattr(config, "autoencoder", None), "config", None)
    sizes: Any = getattr(config, "config", config)
    if isinstance(sizes, AutoencoderConfig):
        return _autoencoder_flops(sizes, convention, tokens)
    if isinstance(sizes, TransformerConfig):
        return _transformer_flops(sizes, convention, attention, context, tokens)
    if not isinstance(sizes, CalmConfig):
        raise InputError(
            f"flops reads the config of a CALM, a Transformer or an autoencoder, not {type(sizes).__name__}"
        )
    return _calm_flops(
        sizes,
        autoencoder or paper_autoencoder(sizes),
        convention=convention,
        attention=attention,
        context=context,
        samples=sizes.head.num_samples if samples is None else samples,
        pool=pool,
        calls=network_calls(sizes.head, steps, solver),
        tokens=tokens,
        ae_tokens=tokens * PAPER_AE_TOKENS / PAPER_TOKENS if ae_tokens is None else ae_tokens,
        count_encoder=count_encoder,
    )


def paper_autoencoder(config: CalmConfig) -> AutoencoderConfig:
    """The paper's one autoencoder (sec. 7.1) at the V, K and l of ``config``."""
    return AutoencoderConfig(config.vocab_size, config.chunk_size, config.latent_size, 512, 1280)


def network_calls(head: HeadConfig, steps: int | None = None, solver: Solver = "midpoint") -> int:
    """Network calls for one draw: 1 for the energy head, ``steps`` or twice as many for the others (paper Fig 9)."""
    if head.kind == "energy":
        return 1
    return (steps or SAMPLER_STEPS[head.kind]) * (2 if head.kind == "flow" and solver == "midpoint" else 1)


def _calm_flops(
    config: CalmConfig,
    autoencoder: AutoencoderConfig,
    *,
    convention: Convention,
    attention: AttentionCount,
    context: int,
    samples: int,
    pool: int,
    calls: int,
    tokens: int,
    ae_tokens: float,
    count_encoder: bool,
) -> Flops:
    check_pair(config, autoencoder)
    size = config.chunk_size
    layers, frozen = calm_layers(config), autoencoder_layers(autoencoder)
    parameters = _parameters([*layers, *frozen])
    if convention == "paper":
        layers = _paper_head(layers, config)
    scores = _attention(config, context, attention)
    runs = {"position": 1, "draw": samples, "call": samples}
    training = _training(layers, runs, convention) | {
        "attention": (1 + BACKWARD) * scores,
        "encoder": _forward(frozen, {"token": size, "position": 1}).get("encoder", 0),
        "loss": _loss(config, samples) if convention == "exact" else 0.0,
    }
    decoded = _forward(frozen, {"token": size * pool, "position": pool})
    encoded = _forward(frozen, {"token": size, "position": 1})
    inference = _forward(layers, {"position": 1, "draw": pool, "call": pool * calls}) | {
        "attention": scores,
        "decoder": decoded["decoder"],
        "output": decoded["output"],
        "encoder": encoded["encoder"] if count_encoder else 0.0,
    }
    once = (1 + BACKWARD) * sum(encoded.values()) / size * ae_tokens  # the autoencoder's own training
    return Flops(
        *("calm", convention, parameters),
        dataclasses.replace(_per_token(training, size), autoencoder_training=once / tokens),
        _per_token(inference, size),
        *(size, context, samples, pool, calls, tokens),
    )


def _transformer_flops(
    config: TransformerConfig, convention: Convention, attention: AttentionCount, context: int, tokens: int
) -> Flops:
    layers, runs = transformer_layers(config), {"position": 1}
    scores = _attention(config, context, attention)
    return Flops(
        *("transformer", convention, _parameters(layers)),
        Parts(**_training(layers, runs, convention) | {"attention": (1 + BACKWARD) * scores}),
        Parts(**_forward(layers, runs) | {"attention": scores}),
        *(1, context, 1, 1, 1, tokens),
    )


def _autoencoder_flops(config: AutoencoderConfig, convention: Convention, tokens: int) -> Flops:
    layers, size = autoencoder_layers(config), config.chunk_size
    runs = {"token": size, "position": 1}
    return Flops(
        *("autoencoder", convention, _parameters(layers)),
        _per_token(_training(layers, runs, convention), size),
        _per_token(_forward(layers, runs), size),
        *(size, 1, 1, 1, 1, tokens),
    )


def _paper_head(layers: Iterable[Layer], config: CalmConfig) -> list[Layer]:
    """The same list with the head as the paper counts it: 6 d^2 a block, by analogy 5 d^2 for flow and diffusion."""
    squares = 6 if config.head.kind == "energy" else 5
    macs = squares * config.backbone.hidden_size**2 * config.head.num_blocks
    return [*(layer for layer in layers if layer.part != "head"), Layer("head", 0, macs, "call")]


def _parameters(layers: Iterable[Layer]) -> Parts:
    sums: dict[Part, int] = {}
    for layer in layers:
        sums[layer.part] = sums.get(layer.part, 0) + layer.parameters
    return Parts(**sums)


def _forward(layers: Iterable[Layer], runs: dict[str, int]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for layer in layers:
        sums[layer.part] = sums.get(layer.part, 0) + 2 * layer.macs * (runs[layer.rate] if layer.macs else 0)
    return sums


def _training(layers: Iterable[Layer], runs: dict[str, int], convention: Convention) -> dict[str, float]:
    """Forward and backward: three products a layer, two where the input needs no gradient (paper: always three)."""
    sums: dict[str, float] = {}
    for layer in layers:
        times = 1 + BACKWARD if layer.input_grad or convention == "paper" else BACKWARD
        sums[layer.part] = sums.get(layer.part, 0) + times * 2 * layer.macs * (runs[layer.rate] if layer.macs else 0)
    return sums


def _attention(config: CalmConfig | TransformerConfig, context: int, count: AttentionCount) -> float:
    """Forward FLOPs a position of scores and mixing: 4 d a key and layer."""
    keys = context if count == "full" else (context + 1) / 2
    return 4.0 * config.backbone.hidden_size * keys * config.backbone.num_layers


def _loss(config: CalmConfig, samples: int) -> float:
    """FLOPs a position of the energy loss (paper sec. 3.2): one multiply-add a coordinate and pair, each way.

    The targets need no gradient, so a distance costs the backward pass as much as the forward pass.
    """
    if config.head.kind != "energy":
        return 0.0
    pairs = samples * config.head.num_targets + samples * (samples - 1) / 2
    return 2 * 2.0 * config.latent_size * pairs


def _per_token(sums: dict[str, float], chunk_size: int) -> Parts:
    return Parts(**{part: value / chunk_size for part, value in sums.items()})


def _check_words(convention: str, attention: str, solver: str) -> None:
    for what, word, known in (
        ("convention", convention, Convention),
        ("attention", attention, AttentionCount),
        ("solver", solver, Solver),
    ):
        if word not in get_args(known):
            raise InputError(choose_from(str(word), get_args(known), what))
