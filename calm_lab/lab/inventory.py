"""Every layer of both model families as a line of one list: what it stores, what it multiplies, how often it runs.

Parameters and FLOPs are two sums over the same list, so they cannot drift apart: the tests hold the parameters against
the modules themselves and the products against torch's own FLOP counter (paper sec. 2.1, 3.2, 4.1 for the shapes).

A product counts once per multiply-add here; ``calm_lab.lab.flops`` turns that into FLOPs. Norms, activations and
embedding lookups are stored but multiply no matrix, so they count as parameters only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from calm_lab.errors import InputError
from calm_lab.model.config import AutoencoderConfig, BackboneConfig, CalmConfig, HeadConfig, TransformerConfig
from calm_lab.model.heads.denoiser import TIME_FEATURES

Part = Literal["embedding", "input", "backbone", "head", "output", "encoder", "decoder"]
# How often a layer runs: once a token, once a position (a chunk in CALM, a token in the baseline), once a draw of the
# head, or once a network call (a draw of the flow and diffusion heads takes several).
Rate = Literal["token", "position", "draw", "call"]


@dataclass(frozen=True)
class Layer:
    """One line of the list.

    Attributes:
        part: the part of the model it belongs to.
        parameters: numbers it stores.
        macs: multiply-adds of one run.
        rate: how often it runs.
        input_grad: whether training needs the gradient of its input (not for noise, time and frozen latents).
    """

    part: Part
    parameters: int
    macs: int = 0
    rate: Rate = "position"
    input_grad: bool = True


def linear(
    part: Part, fan_in: int, fan_out: int, *, bias: bool = False, rate: Rate = "position", input_grad: bool = True
) -> Layer:
    """A linear layer from ``fan_in`` to ``fan_out``."""
    return Layer(part, fan_in * fan_out + bias * fan_out, fan_in * fan_out, rate, input_grad)


def swiglu(part: Part, size: int, inner: int, *, bias: bool = False, rate: Rate = "position") -> list[Layer]:
    """The gated feed-forward: gate, up and down."""
    wide = linear(part, size, inner, bias=bias, rate=rate)
    return [wide, wide, linear(part, inner, size, bias=bias, rate=rate)]


def autoencoder_layers(config: AutoencoderConfig) -> list[Layer]:
    """Encoder and decoder (paper sec. 2.1). The vocabulary matrix that both share is the part ``output``."""
    width, size = config.hidden_size, config.latent_size

    def residual(part: Part, count: int, rate: Rate) -> list[Layer]:
        mlp = swiglu(part, width, config.intermediate_size, bias=config.mlp_bias, rate=rate)
        return [Layer(part, width), *mlp] * count

    before, after = config.num_encoder_layers // 2, config.num_decoder_layers // 2
    return [
        Layer("encoder", 0 if config.tied else config.vocab_size * width),  # an embedding of its own
        *residual("encoder", before, "token"),
        linear("encoder", config.chunk_size * width, width, bias=True),
        *residual("encoder", config.num_encoder_layers - before, "position"),
        Layer("encoder", width),
        linear("encoder", width, 2 * size, bias=True),
        linear("decoder", size, width, bias=True),
        *residual("decoder", after, "position"),
        linear("decoder", width, config.chunk_size * width, bias=True),
        *residual("decoder", config.num_decoder_layers - after, "token"),
        Layer("decoder", width),
        linear("output", width, config.vocab_size, rate="token"),
    ]


def backbone_layers(config: BackboneConfig) -> list[Layer]:
    """The Transformer's linear layers and norms (paper sec. 7.1); attention's own products depend on the context."""
    width, keys = config.hidden_size, config.kv_heads * config.head_size
    bias = config.attention_bias
    block = [
        Layer("backbone", 2 * width),
        linear("backbone", width, width, bias=bias),
        linear("backbone", width, keys, bias=bias),
        linear("backbone", width, keys, bias=bias),
        linear("backbone", width, width, bias=bias),
        *swiglu("backbone", width, config.intermediate_size, bias=config.mlp_bias),
    ]
    return [*block * config.num_layers, Layer("backbone", width)]


def energy_head_layers(config: HeadConfig, width: int, latent: int) -> list[Layer]:
    """The energy head (paper sec. 3.2): what reads the hidden state alone runs once, the rest once a draw."""
    block = [
        Layer("head", 2 * width),
        linear("head", width, width, bias=True),  # the hidden state's half of the first linear, with its bias
        linear("head", width, width, rate="draw"),  # the noise path's half
        linear("head", width, width, bias=True, rate="draw"),
        linear("head", width, 2 * width, bias=True, rate="draw"),
        linear("head", width, width, bias=True, rate="draw"),
    ]
    return [
        linear("head", config.noise_size, width, bias=True, rate="draw", input_grad=False),
        linear("head", width, width, bias=True),
        Layer("head", 4 * width),  # the norms of noise and hidden state
        *block * config.num_blocks,
        Layer("head", 2 * width),
        linear("head", width, width, bias=True, rate="draw"),
        linear("head", width, latent, bias=True, rate="draw"),
    ]


def denoiser_layers(config: HeadConfig, width: int, latent: int) -> list[Layer]:
    """The network of the flow and diffusion heads (paper sec. 7), whole at every call."""
    out = 2 * latent if config.kind == "diffusion" else latent
    square = linear("head", width, width, bias=True, rate="call")
    block = [Layer("head", 2 * width), square, square, linear("head", width, 3 * width, bias=True, rate="call")]
    return [
        linear("head", TIME_FEATURES, width, bias=True, rate="call", input_grad=False),
        square,
        square,  # of the hidden state
        linear("head", latent, width, bias=True, rate="call", input_grad=False),
        *block * config.num_blocks,
        linear("head", width, 2 * width, bias=True, rate="call"),
        linear("head", width, out, bias=True, rate="call"),
    ]


def head_layers(config: HeadConfig, width: int, latent: int) -> list[Layer]:
    """The head that ``config.kind`` names, from width d to latent size l."""
    build = energy_head_layers if config.kind == "energy" else denoiser_layers
    return build(config, width, latent)


def compression_layers(fan_in: int, width: int, *, input_grad: bool) -> list[Layer]:
    """The two-layer MLP with LayerNorm that makes one position of one chunk (paper sec. 3.3)."""
    return [
        linear("input", fan_in, 2 * width, bias=True, input_grad=input_grad),
        linear("input", 2 * width, width, bias=True),
        Layer("input", 2 * width),
    ]


def calm_layers(config: CalmConfig) -> list[Layer]:
    """A CALM without its frozen autoencoder."""
    width = config.backbone.hidden_size
    layers: list[Layer] = []
    if config.input != "continuous":
        layers.append(Layer("embedding", config.vocab_size * width))
        layers += compression_layers(config.chunk_size * width, width, input_grad=True)
    if config.input != "discrete":
        layers += compression_layers(config.latent_size, width, input_grad=False)
    return [*layers, *backbone_layers(config.backbone), *head_layers(config.head, width, config.latent_size)]


def transformer_layers(config: TransformerConfig) -> list[Layer]:
    """The token-level baseline; a tied output matrix stores nothing but multiplies all the same."""
    width = config.backbone.hidden_size
    output = linear("output", width, config.vocab_size)
    return [
        Layer("embedding", config.vocab_size * width),
        *backbone_layers(config.backbone),
        Layer("output", 0, output.macs) if config.tied else output,
    ]


def check_pair(config: CalmConfig, autoencoder: AutoencoderConfig) -> None:
    """Refuse an autoencoder that does not fit the language model.

    Raises:
        InputError: if V, K or l differ.
    """
    for name in ("vocab_size", "chunk_size", "latent_size"):
        mine, theirs = getattr(config, name), getattr(autoencoder, name)
        if mine != theirs:
            raise InputError(f"the model has {name} {mine}, its autoencoder {theirs}: they must be equal")
