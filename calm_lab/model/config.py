"""What a model is: frozen dataclasses that refuse values out of their domain, and their way to and from JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from calm_lab.errors import CheckpointError, InputError, choose_from
from calm_lab.model.checks import check_fraction, check_ids, check_number, check_positive, check_rope_scaling, shown

HeadKind = Literal["energy", "flow", "diffusion"]
InputKind = Literal["discrete", "continuous", "both"]
LARGEST_SAMPLES = 100_000  # of N and M in the loss: more could only be a damaged number


@dataclass(frozen=True)
class AutoencoderConfig:
    """The context-free autoencoder that packs K tokens into one vector (paper sec. 2).

    Attributes:
        vocab_size: V, entries of the tokenizer.
        chunk_size: K, tokens in a chunk.
        latent_size: l, coordinates of the vector.
        hidden_size: width of the residual stream.
        intermediate_size: inner width of each SwiGLU.
        num_encoder_layers: residual SwiGLU layers; half run on tokens before the squeeze, half on the chunk after it.
        num_decoder_layers: the same, mirrored around the expansion.
        rms_norm_eps: added to the mean square in every RMSNorm.
        mlp_bias: whether the SwiGLU layers carry biases (only some official checkpoints do).
        tied: whether the output matrix is the embedding (paper sec. 2.1).
        kl_weight: beta of ``L = L_ae + beta L_KL``; 0 leaves the KL term out.
        kl_clip: lambda of the clipped KL, nats per coordinate; 0 is the plain KL.
        drop_token: share of input tokens replaced while training (DropToken).
        drop_latent: share of latent coordinates zeroed while training (DropLatent).
        mask_id: the id that DropToken writes. The official code writes 0, which is a real token there.
        pad_id: padding; its reconstruction is trained as any token's, and never counted as accuracy.
        bos_id: fills the begin chunk.
        eos_id: ends a document.
        pad_after_end: whether decoding writes padding after an end token inside a chunk, so that equal texts are equal
            ids. The official code keeps what stands there.
    """

    vocab_size: int = 2048
    chunk_size: int = 4
    latent_size: int = 64
    hidden_size: int = 192
    intermediate_size: int = 512
    num_encoder_layers: int = 2
    num_decoder_layers: int = 2
    rms_norm_eps: float = 1e-6
    mlp_bias: bool = False
    tied: bool = True
    kl_weight: float = 1e-3
    kl_clip: float = 0.5
    drop_token: float = 0.15
    drop_latent: float = 0.15
    mask_id: int = 3
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2
    pad_after_end: bool = True

    def __post_init__(self) -> None:
        check_positive(self, "vocab_size", "chunk_size", "latent_size", "hidden_size", "intermediate_size")
        if self.num_encoder_layers < 0 or self.num_decoder_layers < 0:
            raise InputError("num_encoder_layers and num_decoder_layers must not be negative")
        check_fraction(self, "drop_token", "drop_latent")
        check_number(self, "kl_weight", "kl_clip")
        check_number(self, "rms_norm_eps", zero=False)
        check_ids(self, "mask_id", "pad_id", "bos_id", "eos_id")


@dataclass(frozen=True)
class BackboneConfig:
    """A LLaMA-style causal Transformer: RMSNorm, rotary positions, SwiGLU, grouped key/value heads.

    Attributes:
        hidden_size: d, width of the residual stream.
        intermediate_size: inner width of each SwiGLU.
        num_layers: blocks of attention and SwiGLU.
        num_heads: query heads.
        num_kv_heads: key/value heads; ``None`` means as many as query heads.
        rope_theta: base of the rotary frequencies.
        rope_scaling: the Llama-3 frequency rule of some official checkpoints, as their config.json writes it.
        rms_norm_eps: added to the mean square in every RMSNorm.
        attention_bias: whether the attention projections carry biases.
        mlp_bias: whether the SwiGLU layers carry biases.
    """

    hidden_size: int = 192
    intermediate_size: int = 512
    num_layers: int = 4
    num_heads: int = 3
    num_kv_heads: int | None = None
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
    rms_norm_eps: float = 1e-6
    attention_bias: bool = False
    mlp_bias: bool = False

    def __post_init__(self) -> None:
        check_positive(self, "hidden_size", "intermediate_size", "num_layers", "num_heads", "kv_heads")
        if self.hidden_size % self.num_heads or (self.hidden_size // self.num_heads) % 2:
            raise InputError(f"hidden_size {self.hidden_size} must be an even multiple of num_heads {self.num_heads}")
        if self.num_heads % self.kv_heads:
            raise InputError(f"num_heads {self.num_heads} must be a multiple of num_kv_heads {self.kv_heads}")
        check_number(self, "rope_theta", "rms_norm_eps", zero=False)
        check_rope_scaling(self.rope_scaling)

    @property
    def kv_heads(self) -> int:
        """Key/value heads, resolved."""
        return self.num_heads if self.num_kv_heads is None else self.num_kv_heads

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_heads


@dataclass(frozen=True)
class HeadConfig:
    """The small network that turns a hidden state and noise into the next vector (paper sec. 3.1, 3.2).

    Attributes:
        kind: ``energy`` (one step), ``flow`` or ``diffusion`` (many steps).
        num_blocks: residual blocks.
        noise_size: s, size of the energy head's uniform noise.
        num_samples: N, samples per position in the energy loss; how often flow and diffusion repeat a position.
        num_targets: M, draws from the posterior per position in the energy loss.
        alpha: exponent of the distance in the energy score, in (0, 2].
        diversity: weight of the energy loss's diversity term, in (0, 1]; below 1 draws are sharper than the truth.
        init_std: standard deviation of the head's last layer at the start; the official code starts it at 0.
        whole_time_steps: cut the flow head's time to whole thousandths before it is embedded, as the official code
            does.
    """

    kind: HeadKind = "energy"
    num_blocks: int = 2
    noise_size: int = 32
    num_samples: int = 8
    num_targets: int = 100
    alpha: float = 1.0
    diversity: float = 1.0
    init_std: float = 0.1
    whole_time_steps: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("energy", "flow", "diffusion"):
            raise InputError(choose_from(str(self.kind), ("energy", "flow", "diffusion"), "head"))
        check_positive(self, "num_blocks", "noise_size", "num_samples", "num_targets")
        if max(self.num_samples, self.num_targets) > LARGEST_SAMPLES:
            raise InputError(f"num_samples and num_targets must not pass {LARGEST_SAMPLES:,}")
        if not 0 < self.alpha <= 2:
            raise InputError(f"alpha must lie in (0, 2], not {self.alpha}")
        if not 0 < self.diversity <= 1:
            raise InputError(f"diversity must lie in (0, 1], not {self.diversity}")
        check_number(self, "init_std")


@dataclass(frozen=True)
class CalmConfig:
    """A CALM: chunks in, a backbone over positions, a head that draws the next vector (paper sec. 3).

    Attributes:
        vocab_size: V, as the autoencoder's.
        chunk_size: K, as the autoencoder's.
        latent_size: l, as the autoencoder's.
        backbone: the Transformer.
        head: the generative head.
        input: what a position reads: the previous chunk's K tokens (``discrete``), its vector (``continuous``), or the
            sum of both.
        pad_id: padding; chunks of nothing but padding are never targets.
        bos_id: fills the begin chunk.
        eos_id: ends a document.
    """

    vocab_size: int = 2048
    chunk_size: int = 4
    latent_size: int = 64
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    head: HeadConfig = field(default_factory=HeadConfig)
    input: InputKind = "discrete"
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2

    def __post_init__(self) -> None:
        check_positive(self, "vocab_size", "chunk_size", "latent_size")
        check_ids(self, "pad_id", "bos_id", "eos_id")
        if self.input not in ("discrete", "continuous", "both"):
            raise InputError(choose_from(str(self.input), ("discrete", "continuous", "both"), "input"))


@dataclass(frozen=True)
class TransformerConfig:
    """The token-level baseline on the same backbone (paper sec. 7.1, Transformer-S to -L).

    Attributes:
        vocab_size: V.
        backbone: the Transformer.
        tied: whether the output matrix is the embedding.
        pad_id: padding; never a target.
        bos_id: begins a document.
        eos_id: ends a document.
    """

    vocab_size: int = 2048
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    tied: bool = False
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2

    def __post_init__(self) -> None:
        check_positive(self, "vocab_size")
        check_ids(self, "pad_id", "bos_id", "eos_id")


Config = TypeVar("Config", AutoencoderConfig, BackboneConfig, HeadConfig, CalmConfig, TransformerConfig)
_NESTED = {"backbone": BackboneConfig, "head": HeadConfig}


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain data, ready for config.json."""
    return dataclasses.asdict(config)


def from_dict(kind: type[Config], data: object, source: str = "config") -> Config:
    """The config that ``data`` describes.

    Args:
        kind: the dataclass to build.
        data: what ``to_dict`` wrote, possibly damaged since.
        source: where it came from, for the message.

    Raises:
        CheckpointError: if ``data`` is no mapping, has an unknown field, or a value out of its domain.
    """
    if not isinstance(data, dict):
        raise CheckpointError(f"{source}: expected a JSON object, found {type(data).__name__}")
    known = {f.name: f for f in dataclasses.fields(kind)}
    unknown = sorted(set(map(str, data)) - set(known))
    if unknown:
        raise CheckpointError(f"{source}: unknown field {shown(unknown[0])} for {kind.__name__}")
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name in _NESTED:
            values[name] = from_dict(_NESTED[name], value, f"{source}.{name}")
            continue
        default = known[name].default
        if isinstance(default, bool | int | float | str) and not _same_kind(value, default):
            raise CheckpointError(f"{source}: {name} must be {type(default).__name__}, not {shown(value)}")
        values[name] = value
    try:
        return kind(**values)
    except (TypeError, ValueError, OverflowError) as error:  # OverflowError: a whole number too large for a float
        raise CheckpointError(f"{source}: {error}") from error


def _same_kind(value: object, default: bool | int | float | str) -> bool:
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, type(default)) and not isinstance(value, bool)
