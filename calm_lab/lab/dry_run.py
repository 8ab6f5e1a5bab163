"""A training that is planned and not run: the model on the meta device, where shapes cost no memory.

The model is built as the training would build it, one forward and one backward pass go through it in shapes alone, and
every trained parameter must come out with a gradient of its own shape. The plan then says what the run would take:
tokens, FLOPs, memory by purpose, device hours at a stated share of a stated peak.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch

from calm_lab.errors import InputError
from calm_lab.lab.flops import PAPER_TOKENS, flops
from calm_lab.lab.resources import FULL, Memory, Precision, gpu_hours, memory
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.config import AutoencoderConfig, CalmConfig, TransformerConfig, from_dict
from calm_lab.model.presets import preset
from calm_lab.model.stored import read_json
from calm_lab.model.transformer import TokenTransformer
from calm_lab.toolkit.loss import calm_loss
from calm_lab.toolkit.share import Share
from calm_lab.training.configs import backbone_config, calm_config
from calm_lab.training.optimizer import OUTER
from calm_lab.training.recipes import CalmRecipe, Recipe, TransformerRecipe

# Dense bfloat16 peaks of two devices, as their makers' data sheets give them.
PEAKS = {"A100": 312e12, "H100": 989e12}
UTILISATION = 0.4


@dataclass(frozen=True)
class DryRun:
    """What a training would take.

    Attributes:
        kind: ``calm`` or ``transformer``.
        config: of the model.
        autoencoder: of a CALM's autoencoder.
        parameters: trained, by the built model.
        frozen: of the autoencoder.
        tokens: that the run reads.
        positions: positions a row.
        rows: rows on a device at a time.
        training: FLOPs of the run, without the autoencoder's own training.
        paper: FLOPs of the paper's schedule, the autoencoder's own training included.
        memory: bytes of a step on a device that holds everything.
        hours: device hours of the run at ``UTILISATION`` of each peak.
        paper_hours: the same of the paper's schedule.
    """

    kind: str
    config: CalmConfig | TransformerConfig
    autoencoder: AutoencoderConfig | None
    parameters: int
    frozen: int
    tokens: int
    positions: int
    rows: int
    training: float
    paper: float
    memory: Memory
    hours: dict[str, float]
    paper_hours: dict[str, float]


def dry_run(recipe: Recipe) -> DryRun:
    """Build the model of a recipe in shapes alone, check it, and count.

    Raises:
        InputError: for an autoencoder's recipe: only what stands on it is large.
    """
    config, autoencoder = planned_configs(recipe)
    model, loss = _built(config, autoencoder, recipe)
    trained = _checked(model, loss)
    rows = recipe.rows // recipe.accumulate
    size = config.chunk_size if isinstance(config, CalmConfig) else 1
    tokens = recipe.steps * recipe.rows * recipe.positions * size
    counts = flops(config, autoencoder, context=recipe.positions, tokens=tokens, ae_tokens=0)
    paper = flops(config, autoencoder)
    if sum(p.numel() for p in trained.values()) != counts.trained_parameters:
        raise AssertionError("the built model and the count of its parameters differ")
    precision: Precision = "float32" if recipe.precision == "float32" else "bfloat16"
    estimate = memory(
        config,
        autoencoder,
        batch=rows,
        positions=recipe.positions,
        precision=precision,
        checkpointing=recipe.gradient_checkpointing,
    )
    return DryRun(
        kind=recipe.kind,
        config=config,
        autoencoder=autoencoder,
        parameters=counts.trained_parameters,
        frozen=counts.autoencoder_parameters if autoencoder else 0,
        tokens=tokens,
        positions=recipe.positions,
        rows=rows,
        training=counts.training_total,
        paper=paper.training_total,
        memory=dataclasses.replace(estimate, optimizer=optimizer_bytes(trained, recipe.optimizer)),
        hours={name: counts.training_total / (UTILISATION * peak) / 3600 for name, peak in PEAKS.items()},
        paper_hours={
            name: gpu_hours(config, PAPER_TOKENS, UTILISATION * peak, autoencoder) for name, peak in PEAKS.items()
        },
    )


def planned_configs(recipe: Recipe) -> tuple[CalmConfig | TransformerConfig, AutoencoderConfig | None]:
    """The configs of a recipe, without loading a weight.

    The default autoencoder is a small one with a small vocabulary. A preset of another vocabulary is planned over the
    autoencoder of its own preset, which has to be trained first.
    """
    sizes = preset(recipe.preset)
    if isinstance(recipe, TransformerRecipe):
        vocab = sizes.autoencoder.vocab_size
        return TransformerConfig(vocab, backbone_config(recipe)), None
    if not isinstance(recipe, CalmRecipe):
        raise InputError("a dry run plans a calm or a transformer; an autoencoder is a small part of either's cost")
    folder = checkpoint.resolve(recipe.autoencoder)
    data = read_json(folder / "config.json")
    stored = from_dict(AutoencoderConfig, data.get("config"), str(folder / "config.json"))
    if recipe.autoencoder == "default" and stored.vocab_size != sizes.autoencoder.vocab_size:
        stored = sizes.autoencoder
    return calm_config(recipe, stored), stored


def _built(
    config: CalmConfig | TransformerConfig, autoencoder: AutoencoderConfig | None, recipe: Recipe
) -> tuple[CALM | TokenTransformer, torch.Tensor]:
    """The model and the loss of one row, on the meta device."""
    with torch.device("meta"):
        if isinstance(config, TransformerConfig):
            baseline = TokenTransformer(config)
            return baseline, baseline.next_token_loss(torch.zeros(1, recipe.positions, dtype=torch.long))
        assert autoencoder is not None
        model = CALM(config, Autoencoder(autoencoder))
        ids = torch.zeros(1, recipe.positions * config.chunk_size, dtype=torch.long)
        scored = torch.zeros(recipe.positions - 1, dtype=torch.long)
        return model, calm_loss(model, ids, share=Share(scored, None, recipe.positions - 1)).total


def _checked(model: CALM | TokenTransformer, loss: torch.Tensor) -> dict[str, torch.nn.Parameter]:
    """The trained parameters, once each has got a gradient of its shape."""
    loss.backward()
    trained = model.trainable()
    for name, parameter in trained.items():
        if parameter.grad is None or parameter.grad.shape != parameter.shape:
            raise AssertionError(f"{name} has no gradient of its shape {tuple(parameter.shape)}")
    return trained


def optimizer_bytes(trained: dict[str, torch.nn.Parameter], optimizer: str) -> float:
    """What the optimizer keeps: two numbers a parameter in AdamW, one where Muon moves a hidden matrix."""
    hidden = sum(p.numel() for name, p in trained.items() if p.dim() == 2 and not name.endswith(OUTER))
    return FULL * (2 * sum(p.numel() for p in trained.values()) - (hidden if optimizer == "muon" else 0))
