"""What a training run will need: memory on the device and hours of it, before anything is started.

The memory is an estimate read off this code: weights, gradients and AdamW's two moments in float32, the tensors that
autograd keeps for the backward pass, and the block of logits. The tests hold the kept tensors against what autograd
really keeps on a CPU, within a tenth. The allocator's slack and the temporaries of the backward pass come on top.

The paper's own runs took 8 GPUs and 5e11 tokens a model (paper sec. 7.1); ``plan`` says what that is in hours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from calm_lab.errors import InputError, choose_from
from calm_lab.lab.flops import PAPER_TOKENS, flops
from calm_lab.model.config import AutoencoderConfig, BackboneConfig, CalmConfig, TransformerConfig
from calm_lab.model.heads.denoiser import TIME_FEATURES
from calm_lab.model.presets import preset
from calm_lab.model.vocabulary import BLOCK_ELEMENTS

Precision = Literal["float32", "bfloat16"]
Optimizer = Literal["adamw", "sgd"]
STATE_BYTES = {"adamw": 8, "sgd": 0}  # an optimizer's own float32 numbers, bytes a parameter
FULL = 4  # bytes of a float32


@dataclass(frozen=True)
class Memory:
    """Bytes that one training step holds.

    Attributes:
        weights: float32 weights, the frozen autoencoder's included.
        gradients: float32 gradients of the trained weights.
        optimizer: the optimizer's state.
        casts: the half-precision copies of the weights under autocast.
        activations: what autograd keeps of backbone, head and loss.
        vocabulary: logits, or one block of them with the gradients made beside it.
    """

    weights: float
    gradients: float
    optimizer: float
    casts: float
    activations: float
    vocabulary: float

    @property
    def total(self) -> float:
        """All of it, bytes."""
        return sum(dataclasses.asdict(self).values())

    def to_dict(self) -> dict[str, float]:
        """Plain data with ``total``."""
        return dataclasses.asdict(self) | {"total": self.total}


def memory(
    config: CalmConfig | TransformerConfig,
    autoencoder: AutoencoderConfig | None = None,
    *,
    batch: int = 8,
    positions: int = 2048,
    precision: Precision = "bfloat16",
    optimizer: Optimizer = "adamw",
    checkpointing: bool = False,
) -> Memory:
    """Estimate the memory of one training step on one device.

    Args:
        config: the model to train.
        autoencoder: a CALM's autoencoder; by default the paper's at this V, K and l.
        batch: rows on the device.
        positions: positions a row: chunks of a CALM, tokens of the baseline.
        precision: of the matrix products; weights stay float32.
        optimizer: ``adamw`` or ``sgd``.
        checkpointing: whether the backbone recomputes its layers in the backward pass.

    Returns:
        Bytes by purpose.

    Raises:
        InputError: for an unknown word or a count below 1.
    """
    for what, word, known in (("precision", precision, Precision), ("optimizer", optimizer, Optimizer)):
        if word not in get_args(known):
            raise InputError(choose_from(str(word), get_args(known), what))
    if batch < 1 or positions < 1:
        raise InputError(f"batch and positions must be at least 1, not {batch} and {positions}")
    counts = flops(config, autoencoder)
    trained, rows = counts.trained_parameters, batch * positions
    tied = isinstance(config, TransformerConfig) and config.tied
    multiplied = trained - (0 if tied else counts.parameters.embedding)  # autocast keeps no copy of frozen weights
    kept = _backbone_bytes(config.backbone, _bytes(precision), checkpointing)
    vocabulary = 0.0
    if isinstance(config, CalmConfig):
        kept += _input_bytes(config, _bytes(precision)) + _head_bytes(config, _bytes(precision))
    else:
        vocabulary = _vocabulary_bytes(config.vocab_size, config.backbone.hidden_size, rows, _bytes(precision))
    return Memory(
        weights=FULL * counts.total_parameters,
        gradients=FULL * trained,
        optimizer=STATE_BYTES[optimizer] * trained,
        casts=0 if precision == "float32" else 2 * multiplied,
        activations=rows * kept,
        vocabulary=vocabulary,
    )


def _bytes(precision: Precision) -> int:
    return FULL if precision == "float32" else 2


def _backbone_bytes(config: BackboneConfig, size: int, checkpointing: bool) -> float:
    """Bytes a position: norms in float32, inputs of products (cast anew for each under autocast), keys, SwiGLU."""
    width = config.hidden_size
    inputs = 3 if size == FULL else 6  # float32 inputs are shared by the products that read them
    layer = 4 * width * FULL + ((inputs + 3) * width + 4 * config.intermediate_size) * size
    whole = width * FULL * config.num_layers + layer if checkpointing else layer * config.num_layers
    return whole + 2 * width * FULL


def _input_bytes(config: CalmConfig, size: int) -> float:
    """Bytes a position of the compression: its input, two hidden layers, its output and the norm."""
    width = config.backbone.hidden_size
    fan_in = {"discrete": config.chunk_size * width, "continuous": config.latent_size}
    used = [fan_in[name] for name in fan_in if config.input in (name, "both")]
    return sum((inner + 6 * width) * size for inner in used)


def _head_bytes(config: CalmConfig, size: int) -> float:
    """Bytes a position of the head's N draws and of its loss."""
    width, latent, head = config.backbone.hidden_size, config.latent_size, config.head
    draws = head.num_samples
    if head.kind == "energy":
        loss = FULL * 2 * draws * latent  # the gradients of both terms, made along the way (toolkit/distances.py)
        return draws * (10 * head.num_blocks + 5) * width * size + 3 * width * size + loss
    vectors = 18 if head.kind == "diffusion" else 2
    network = ((10 * head.num_blocks + 11) * width + TIME_FEATURES) * size
    return draws * (network + vectors * latent * FULL)


def _vocabulary_bytes(vocab: int, width: int, rows: int, size: int) -> float:
    """The baseline's logits; beyond a block of them, that block and the weight gradient made beside it."""
    if rows * vocab <= BLOCK_ELEMENTS:
        return rows * (vocab * FULL + width * size)
    return BLOCK_ELEMENTS * (FULL + size) + 2 * vocab * width * FULL + rows * width * FULL


def gpu_hours(
    config: CalmConfig | TransformerConfig,
    tokens: float,
    flops_per_second: float,
    autoencoder: AutoencoderConfig | None = None,
    ae_tokens: int | None = None,
) -> float:
    """Device hours of a training run.

    Args:
        config: the model to train.
        tokens: training tokens.
        flops_per_second: what the device really reaches in training, not what its data sheet says.
        autoencoder: a CALM's autoencoder; by default the paper's.
        ae_tokens: tokens that the autoencoder is trained on first; by default the paper's share.

    Returns:
        Hours on one such device.

    Raises:
        InputError: if ``flops_per_second`` is not above 0, or ``tokens`` is below 1.
    """
    if not flops_per_second > 0:
        raise InputError(f"flops_per_second must be above 0, not {flops_per_second}")
    return flops(config, autoencoder, tokens=int(tokens), ae_tokens=ae_tokens).training_total / flops_per_second / 3600


@dataclass(frozen=True)
class PlanRow:
    """What training one preset takes.

    Attributes:
        preset: its name.
        trained_parameters: parameters that training the CALM changes.
        autoencoder_parameters: parameters of its frozen autoencoder.
        training: FLOPs of the run, the autoencoder's own training included.
        memory: bytes of one step on one device.
        hours: device hours.
    """

    preset: str
    trained_parameters: int
    autoencoder_parameters: int
    training: float
    memory: Memory
    hours: float


def plan(
    flops_per_second: float,
    presets: Sequence[str] = ("S", "M", "L", "XL"),
    *,
    tokens: int = PAPER_TOKENS,
    chunk_size: int = 4,
    batch: int = 8,
    positions: int = 2048,
    precision: Precision = "bfloat16",
) -> list[PlanRow]:
    """What training the CALM of each preset takes, for a dry run.

    Args:
        flops_per_second: what one device really reaches in training.
        presets: names of presets.
        tokens: training tokens of the language model; the autoencoder gets 3.1% of that, as in the paper.
        chunk_size: K.
        batch: rows on a device.
        positions: chunks a row.
        precision: of the matrix products.

    Raises:
        InputError: for an unknown preset or a number out of its domain.
    """
    rows = []
    for name in presets:
        sizes = preset(name, chunk_size)
        calm, autoencoder = sizes.calm(), sizes.autoencoder
        counts = flops(calm, autoencoder, context=positions, tokens=tokens)
        rows.append(
            PlanRow(
                name,
                counts.trained_parameters,
                counts.autoencoder_parameters,
                counts.training_total,
                memory(calm, autoencoder, batch=batch, positions=positions, precision=precision),
                gpu_hours(calm, tokens, flops_per_second, autoencoder),
            )
        )
    return rows
