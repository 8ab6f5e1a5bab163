"""Costs: parameters against the modules themselves, FLOPs against torch's own counter, Table 1 against the paper."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from calm_lab.errors import InputError
from calm_lab.lab.cost import Flops, Parts
from calm_lab.lab.flops import flops, network_calls
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.backbone import Backbone
from calm_lab.model.calm import CALM
from calm_lab.model.config import AutoencoderConfig, BackboneConfig, CalmConfig, HeadConfig, TransformerConfig
from calm_lab.model.presets import PRESETS, preset
from calm_lab.model.transformer import TokenTransformer
from calm_lab.toolkit.decoding import Tape

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
KINDS = ("energy", "flow", "diffusion")
INPUTS = ("discrete", "continuous", "both")
B, S, N = 2, 6, 3  # rows, positions, draws of the products that are counted below


def stored(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def counted(run: Callable[[], object]) -> int:
    """Matrix-product FLOPs of ``run`` by torch's counter, attention over the whole context."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())


def tiny_calm(kind: str = "energy", read: str = "discrete", chunk_size: int = 4) -> CALM:
    sizes = preset("tiny", chunk_size)
    return CALM(sizes.calm(kind, read), Autoencoder(sizes.autoencoder))  # type: ignore[arg-type]


# Parameters


@pytest.mark.parametrize("name", PRESETS)
def test_parameters_of_every_preset_are_those_of_the_modules(name: str) -> None:
    sizes = preset(name)
    with torch.device("meta"):
        for kind in KINDS:
            for read in INPUTS if name == "tiny" else ("discrete",):
                model = CALM(sizes.calm(kind, read), Autoencoder(sizes.autoencoder))  # type: ignore[arg-type]
                cost = flops(model)
                assert cost.total_parameters == stored(model)
                assert cost.trained_parameters == sum(p.numel() for p in model.trainable().values())
                assert cost.autoencoder_parameters == stored(model.autoencoder)
        assert flops(sizes.transformer()).total_parameters == stored(TokenTransformer(sizes.transformer()))
        assert flops(sizes.autoencoder).total_parameters == stored(Autoencoder(sizes.autoencoder))


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_parameters_of_any_config_are_those_of_the_modules(data: st.DataObject) -> None:
    """Grouped heads, biases, odd autoencoder depths, every K, head and input."""
    whole = lambda low, high: data.draw(st.integers(low, high))  # noqa: E731
    flag = lambda: data.draw(st.booleans())  # noqa: E731
    groups, per_group, half_size = whole(1, 3), whole(1, 3), whole(1, 4)
    heads = groups * per_group
    backbone = BackboneConfig(
        heads * 2 * half_size, whole(1, 40), whole(1, 3), heads, groups, attention_bias=flag(), mlp_bias=flag()
    )
    autoencoder = AutoencoderConfig(
        *(whole(2, 60), whole(1, 8), whole(1, 12), whole(1, 24), whole(1, 40), whole(0, 5), whole(0, 5)),
        mlp_bias=flag(),
        tied=flag(),
    )
    config = CalmConfig(
        autoencoder.vocab_size,
        autoencoder.chunk_size,
        autoencoder.latent_size,
        backbone,
        HeadConfig(data.draw(st.sampled_from(KINDS)), whole(1, 3), whole(1, 9)),
        data.draw(st.sampled_from(INPUTS)),
    )
    baseline = TransformerConfig(autoencoder.vocab_size, backbone, tied=flag())
    with torch.device("meta"):
        assert flops(config, autoencoder).total_parameters == stored(CALM(config, Autoencoder(autoencoder)))
        assert flops(baseline).total_parameters == stored(TokenTransformer(baseline))


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the recorded official checkpoints are not on this machine")
@pytest.mark.parametrize("folder", ["energy_k2", "diffusion_k4", "flow_k4"])
def test_parameters_are_those_of_an_official_checkpoint(folder: str) -> None:
    size = {}
    with safe_open(GOLDEN / folder / "model.safetensors", "pt") as file:
        for name in file.keys():  # noqa: SIM118 (no mapping)
            # the energy head and the autoencoder's vocabulary matrix may each be stored under two names
            if not name.endswith("lm_head_weight"):
                size[name.replace("mlp_generator.", "generative_head.")] = math.prod(file.get_slice(name).get_shape())
    official = json.loads((GOLDEN / folder / "config.json").read_text())
    inner = json.loads((GOLDEN / official["ae_path"] / "config.json").read_text())
    config = CalmConfig(
        *(official["vocab_size"], official["patch_size"], official["latent_size"]),
        BackboneConfig(
            *(official["hidden_size"], official["intermediate_size"], official["num_hidden_layers"]),
            *(official["num_attention_heads"], official["num_key_value_heads"]),
        ),
        HeadConfig(folder.split("_")[0], official["num_mlp_layers"], official["noise_size"]),  # type: ignore[arg-type]
    )
    autoencoder = AutoencoderConfig(
        *(inner["vocab_size"], inner["patch_size"], inner["latent_size"], inner["hidden_size"]),
        *(inner["intermediate_size"], inner["num_encoder_layers"], inner["num_decoder_layers"]),
    )
    assert flops(config, autoencoder).total_parameters == sum(size.values())


# FLOPs against torch's counter


@pytest.mark.parametrize("read", INPUTS)
@pytest.mark.parametrize("chunk_size", [1, 4])
def test_backbone_and_input_flops(read: str, chunk_size: int) -> None:
    model = tiny_calm(read=read, chunk_size=chunk_size)
    ids = torch.randint(4, 500, (B, S * chunk_size))
    latents = torch.randn(B, S, model.config.latent_size)
    parts = flops(model, context=S).inference
    expected = (parts.input + parts.backbone + parts.attention) * ids.numel()
    assert counted(lambda: model.hidden_states(ids, latents)) == expected


@pytest.mark.parametrize("pool", [1, 5])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("energy", {}), ("flow", {}), ("flow", {"steps": 3, "solver": "euler"}), ("diffusion", {"steps": 7})],
)
def test_head_flops(kind: str, options: dict[str, object], pool: int) -> None:
    model = tiny_calm(kind)
    hidden = torch.randn(B, S, model.config.backbone.hidden_size)
    expected = flops(model, pool=pool, **options).inference.head * B * S * 4  # type: ignore[arg-type]
    assert counted(lambda: model.head.sample(hidden, num_samples=pool, **options)) == expected  # type: ignore[call-arg]


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_autoencoder_flops(depth: int) -> None:
    config = dataclasses.replace(preset("tiny").autoencoder, num_encoder_layers=depth, num_decoder_layers=depth)
    autoencoder, tokens = Autoencoder(config), B * S * config.chunk_size
    ids = torch.randint(4, 500, (B, S * config.chunk_size))
    cost = flops(autoencoder)
    assert counted(lambda: autoencoder.encode(ids)) == cost.inference.encoder * tokens
    decode = cost.inference.decoder + cost.inference.output
    assert counted(lambda: autoencoder.decode(torch.randn(B, S, config.latent_size))) == decode * tokens
    assert counted(lambda: autoencoder.loss(ids).total.backward()) == cost.training.total * tokens


@pytest.mark.parametrize("tied", [False, True])
def test_transformer_flops(tied: bool) -> None:
    model = TokenTransformer(dataclasses.replace(preset("tiny").transformer(), tied=tied))
    ids = torch.randint(4, 500, (B, S + 1))  # S tokens are read, S predicted
    cost = flops(model, context=S)
    assert counted(lambda: model.logits(ids[:, :S])) == cost.inference.total * B * S
    assert counted(lambda: model.loss(ids).backward()) == cost.training.total * B * S


def test_grouped_heads_attend_with_all_query_heads() -> None:
    config = BackboneConfig(32, 40, 2, 4, 2)
    cost = flops(TransformerConfig(50, config), context=S)
    expected = (cost.inference.backbone + cost.inference.attention) * B * S
    assert counted(lambda: Backbone(config)(torch.randn(B, S, 32))) == expected


def test_a_cached_step_costs_one_position_at_the_end_of_the_context() -> None:
    config = preset("tiny").backbone
    backbone = Backbone(config).eval()
    cache = backbone.cache(B, S)
    backbone(torch.randn(B, S - 1, config.hidden_size), cache)
    step = counted(lambda: backbone(torch.randn(B, 1, config.hidden_size), cache))
    parts = flops(TransformerConfig(50, config), context=S).inference
    assert step == (parts.backbone + parts.attention) * B


@pytest.mark.parametrize("read", INPUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_training_flops(kind: str, read: str) -> None:
    """One forward and backward pass, all but the distances of the loss, is what the count says to the last product."""
    model = tiny_calm(kind, read)
    ids = torch.randint(4, 500, (B, S * 4))

    def step() -> None:
        with torch.no_grad():
            latents = model.autoencoder.encode(ids).mean
        hidden = model.hidden_states(ids, latents).flatten(0, 1)
        if kind == "energy":
            model.head.sample(hidden, num_samples=N).sum().backward()
        else:
            model.head.loss(latents.flatten(0, 1).repeat(N, 1), hidden.repeat(N, 1)).sum().backward()  # type: ignore[union-attr]

    cost = flops(model, context=S, samples=N, ae_tokens=0).training
    assert counted(step) == (cost.total - cost.loss) * ids.numel()
    assert (cost.loss > 0) == (kind == "energy")


# Shape of the answer


def test_low_temperature_costs_its_pool_but_not_the_backbone() -> None:
    sizes = preset("M")
    one, many = (flops(sizes.calm(), sizes.autoencoder, pool=pool) for pool in (1, 200))
    assert many.inference.backbone == one.inference.backbone
    assert many.inference.output == 200 * one.inference.output
    assert one.inference.head < many.inference.head < 200 * one.inference.head  # the hidden state's share is shared
    whole = [flops(sizes.calm(), sizes.autoencoder, pool=pool, convention="paper").inference.head for pool in (1, 200)]
    assert whole[1] == 200 * whole[0]


def test_causal_attention_is_the_mean_over_the_context() -> None:
    config = preset("tiny").transformer()
    mean = sum(flops(config, context=length).inference.attention for length in range(1, 21)) / 20
    assert flops(config, context=20, attention="causal").inference.attention == pytest.approx(mean)


def test_network_calls() -> None:
    assert network_calls(HeadConfig("energy"), 50) == 1
    assert network_calls(HeadConfig("flow")) == 20
    assert network_calls(HeadConfig("flow"), 4, "euler") == 4
    assert network_calls(HeadConfig("diffusion")) == 100


def test_the_autoencoders_own_training_is_part_of_the_run() -> None:
    sizes = preset("tiny")
    alone = flops(sizes.autoencoder, tokens=3000).training_total
    with_it, without = (flops(sizes.calm(), sizes.autoencoder, tokens=1000, ae_tokens=n) for n in (3000, 0))
    assert with_it.training_total - without.training_total == pytest.approx(alone)


def test_generation_encodes_nothing_unless_asked_to_count_it() -> None:
    for read in INPUTS:
        assert flops(tiny_calm(read=read)).inference.encoder == 0
    assert flops(tiny_calm(), count_encoder=True).inference.encoder == flops(tiny_calm()).training.encoder


@pytest.mark.parametrize("read", INPUTS)
def test_a_step_of_generation(read: str) -> None:
    """Drawing a pool, decoding it and reading one chunk back in is what the count says, cache and all."""
    model = tiny_calm(read=read).eval()
    ids = torch.randint(4, 500, (1, (S - 1) * 4))
    with torch.no_grad():
        tape = Tape(model, ids, S)

        def step() -> None:
            latents, chunks = tape.draw(N)
            tape.append(chunks[:, 0], latents[:, 0])

        assert counted(step) == flops(model, context=S, pool=N).per_step


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(PRESETS),
    kind=st.sampled_from(KINDS),
    read=st.sampled_from(INPUTS),
    chunk_size=st.integers(1, 16),
    convention=st.sampled_from(("exact", "paper")),
    context=st.integers(1, 10_000),
    samples=st.integers(1, 64),
    pool=st.integers(1, 1000),
    tokens=st.integers(1, 10**13),
)
def test_every_cost_is_finite_adds_up_and_is_plain_data(
    name: str, kind: str, read: str, chunk_size: int, tokens: int, **options: object
) -> None:
    sizes = preset(name, chunk_size)
    cost = flops(sizes.calm(kind, read), sizes.autoencoder, tokens=tokens, **options)  # type: ignore[arg-type]
    assert math.isfinite(cost.training_total)
    assert cost.training_total > 0
    for parts in (cost.parameters, cost.training, cost.inference):
        values = dataclasses.asdict(parts).values()
        assert min(values) >= 0
        assert parts.total == sum(values)
        assert parts.share(*dataclasses.asdict(parts)) == pytest.approx(1)
    assert cost.per_step == pytest.approx(cost.per_token * chunk_size)
    plain = json.loads(json.dumps(cost.to_dict()))
    assert plain["inference"]["total"] == cost.per_token
    assert cost == flops(sizes.calm(kind, read), sizes.autoencoder, tokens=tokens, **options)  # type: ignore[arg-type]


def test_parts_of_nothing() -> None:
    assert Parts().total == 0
    assert Parts().share("head") == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"convention": "papr"}, "did you mean 'paper'"),
        ({"attention": "half"}, "unknown attention"),
        ({"solver": "heun"}, "unknown solver"),
        ({"pool": 0}, "pool must be at least 1"),
        ({"context": 0}, "context must be at least 1"),
        ({"samples": 0}, "samples must be at least 1"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"tokens": float("nan")}, "tokens must be at least 1"),
        ({"ae_tokens": -1}, "must not be negative"),
        ({"autoencoder": AutoencoderConfig(chunk_size=2)}, "must be equal"),
    ],
)
def test_refusals(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        flops(CalmConfig(), **options)  # type: ignore[arg-type]


def test_anything_else_is_refused() -> None:
    with pytest.raises(InputError, match="not str"):
        flops("M")  # type: ignore[arg-type]


def test_a_bare_config_takes_the_papers_autoencoder() -> None:
    sizes = preset("M")
    bare: Flops = flops(sizes.calm())
    assert bare == flops(sizes.calm(), sizes.autoencoder)
