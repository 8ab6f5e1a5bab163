"""The configurations of the grid: scales, the base recipes of a scale, and what a configuration costs in FLOPs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace

from calm_lab.errors import InputError, choose_from
from calm_lab.lab.cost import Flops
from calm_lab.lab.flops import flops
from calm_lab.model.config import AutoencoderConfig
from calm_lab.model.presets import preset
from calm_lab.training.configs import autoencoder_config, backbone_config, calm_config
from calm_lab.training.recipes import AutoencoderRecipe, CalmRecipe, TransformerRecipe


@dataclass(frozen=True)
class Scale:
    """How large the runs of a scale are.

    Attributes:
        name: nano, lab or S.
        preset: sizes, see ``calm_lab.model.presets``.
        corpus: what is read.
        documents: training documents read; None for all.
        steps: steps of a language model.
        autoencoder_steps: steps of an autoencoder.
        rows: rows in a batch of a language model.
        tokens: tokens in a row.
        widths: the base width of a CALM, and a larger one.
        baselines: widths of the token Transformers.
        samples: N.
        targets: M.
    """

    name: str
    preset: str
    corpus: str
    documents: int | None
    steps: int
    autoencoder_steps: int
    rows: int
    tokens: int
    widths: tuple[int, int]
    baselines: tuple[int, int, int]
    samples: int = 8
    targets: int = 100


SCALES = {
    scale.name: scale
    for scale in (
        Scale("nano", "nano", "storyland", 12_000, 400, 400, 8, 512, (128, 192), (64, 128, 192), 4, 16),
        Scale("lab", "lab", "storyland", None, 20_000, 10_000, 32, 1024, (512, 768), (256, 512, 768)),
        Scale("S", "S", "pile", None, 50_000, 30_000, 1024, 2048, (768, 1024), (512, 768, 1024)),
    )
}
BASE_CHUNK = 4


@dataclass(frozen=True)
class Cell:
    """One configuration.

    Attributes:
        name: unique within its study.
        recipe: the language model's training.
        autoencoder: the training of the autoencoder underneath a CALM.
    """

    name: str
    recipe: CalmRecipe | TransformerRecipe
    autoencoder: AutoencoderRecipe


def autoencoder(scale: Scale, chunk_size: int = BASE_CHUNK, **changes: object) -> AutoencoderRecipe:
    """The base autoencoder of a scale: the paper's regularisers, the bundled tokenizer at nano scale."""
    recipe = AutoencoderRecipe(
        corpus=scale.corpus,
        documents=scale.documents and min(scale.documents, 8000),
        preset=scale.preset,
        tokenizer="default" if scale.name == "nano" else None,
        hidden_size=scale.widths[0] if scale.name == "nano" else None,
        steps=scale.autoencoder_steps,
        positions=128 // chunk_size,
        rows=16,
        chunk_size=chunk_size,
        random_tokens=0.0,
        evaluate_every=0,
        save_every=0,
    )
    return replace(recipe, **changes)  # type: ignore[arg-type]


def calm(scale: Scale, chunk_size: int = BASE_CHUNK, **changes: object) -> CalmRecipe:
    """The base CALM of a scale."""
    recipe = CalmRecipe(
        corpus=scale.corpus,
        documents=scale.documents,
        preset=scale.preset,
        hidden_size=scale.widths[0],
        steps=scale.steps,
        positions=scale.tokens // chunk_size,
        rows=scale.rows,
        warmup=max(1, scale.steps // 20),
        samples=scale.samples,
        targets=scale.targets,
        evaluate_every=max(1, scale.steps // 5),
        save_every=0,
    )
    return replace(recipe, **changes)  # type: ignore[arg-type]


def transformer(scale: Scale, width: int, steps: int | None = None) -> TransformerRecipe:
    """A token Transformer on the same text, in the same batches."""
    steps = steps or scale.steps
    return TransformerRecipe(
        corpus=scale.corpus,
        documents=scale.documents,
        preset=scale.preset,
        hidden_size=width,
        steps=steps,
        positions=scale.tokens,
        rows=scale.rows,
        warmup=max(1, steps // 20),
        evaluate_every=max(1, steps // 5),
        save_every=0,
    )


def tokens_of(cell: Cell) -> int:
    """Tokens that the language model of ``cell`` reads in its training."""
    size = cell.autoencoder.chunk_size if isinstance(cell.recipe, CalmRecipe) else 1
    return cell.recipe.steps * cell.recipe.rows * cell.recipe.positions * size


def cost(cell: Cell) -> Flops:
    """Parameters and FLOPs of ``cell``, its autoencoder's training and decoding counted (exact convention)."""
    recipe, tokens = cell.recipe, tokens_of(cell)
    sizes = preset(recipe.preset)
    if isinstance(recipe, TransformerRecipe):
        config = dataclasses.replace(sizes.transformer(), backbone=backbone_config(recipe))
        return flops(config, context=recipe.positions, attention="causal", tokens=tokens)
    inner = autoencoder_sizes(cell.autoencoder)
    read = cell.autoencoder.steps * cell.autoencoder.rows * cell.autoencoder.positions * inner.chunk_size
    return flops(
        calm_config(recipe, inner), inner, context=recipe.positions, attention="causal", tokens=tokens, ae_tokens=read
    )


def autoencoder_sizes(recipe: AutoencoderRecipe) -> AutoencoderConfig:
    """The sizes of an autoencoder that is yet to be trained, with the preset's vocabulary."""
    base = preset(recipe.preset, recipe.chunk_size).autoencoder
    return autoencoder_config(recipe, base)


def equal_training(scale: Scale, cell: Cell, width: int) -> TransformerRecipe:
    """A Transformer of ``width`` trained for as many FLOPs as ``cell``, to the nearest step."""
    one = Cell("", transformer(scale, width), cell.autoencoder)
    return transformer(scale, width, round(scale.steps * cost(cell).training_total / cost(one).training_total))


def equal_inference(scale: Scale, cell: Cell) -> int:
    """The width (a multiple of 16) of the Transformer whose FLOPs a token come nearest to those of ``cell``."""
    goal = cost(cell).per_token
    widths = range(16, 2 * scale.widths[1], 16)
    return min(widths, key=lambda w: abs(cost(Cell("", transformer(scale, w), cell.autoencoder)).per_token / goal - 1))


def find_scale(name: str) -> Scale:
    """The scale called ``name``; InputError for an unknown one."""
    if name not in SCALES:
        raise InputError(choose_from(name, SCALES, "scale"))
    return SCALES[name]
