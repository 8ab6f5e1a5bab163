"""The configurations of the grid: scales, the base recipes of a scale, and what a configuration costs in FLOPs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from functools import lru_cache

from calm_lab.errors import InputError, choose_from
from calm_lab.lab.cost import Flops
from calm_lab.lab.flops import flops
from calm_lab.model.config import AutoencoderConfig
from calm_lab.model.presets import preset
from calm_lab.training.configs import autoencoder_config, backbone_config, calm_config
from calm_lab.training.corpus import find_tokenizer
from calm_lab.training.recipes import AutoencoderRecipe, CalmRecipe, TransformerRecipe


@dataclass(frozen=True)
class Scale:
    """How large the runs of a scale are.

    Attributes:
        name: nano, lab or S.
        preset: sizes, see ``calm_lab.model.presets``.
        corpus: what is read.
        documents: training documents read; None for all.
        autoencoder_documents: those that an autoencoder reads.
        steps: steps of a language model.
        autoencoder_steps: steps of an autoencoder.
        rows: rows in a batch of a language model.
        tokens: tokens in a row.
        widths: the base width of a CALM, and a larger one.
        baselines: widths of the token Transformers.
        samples: N.
        targets: M.
        tokenizer: which tokenizer all models of the scale share; None where the user has to name one.
        about: what a run is, in words.
    """

    name: str
    preset: str
    corpus: str
    documents: int | None
    autoencoder_documents: int | None
    steps: int
    autoencoder_steps: int
    rows: int
    tokens: int
    widths: tuple[int, int]
    baselines: tuple[int, int, int]
    samples: int = 8
    targets: int = 100
    tokenizer: str | None = "default"
    about: str = "seconds on a CPU, for tests"


SCALES = {
    scale.name: scale
    for scale in (
        Scale(
            name="nano",
            about="minutes on two CPU cores, a language of little stories",
            preset="nano",
            corpus="storyland",
            documents=12_000,
            autoencoder_documents=8000,
            steps=400,
            autoencoder_steps=400,
            rows=8,
            tokens=512,
            widths=(128, 192),
            baselines=(64, 128, 192),
            samples=4,
            targets=16,
        ),
        Scale(
            name="lab",
            about="one GPU, a language of little stories",
            preset="lab",
            corpus="storyland",
            documents=1_000_000,
            autoencoder_documents=100_000,
            steps=20_000,
            autoencoder_steps=10_000,
            rows=32,
            tokens=1024,
            widths=(512, 768),
            baselines=(256, 512, 768),
        ),
        Scale(
            name="S",
            about="many GPUs, a fifth of the paper's steps",
            preset="S",
            corpus="pile",
            documents=None,
            autoencoder_documents=None,
            steps=50_000,
            autoencoder_steps=30_000,
            rows=1024,
            tokens=2048,
            widths=(768, 1024),
            baselines=(512, 768, 1024),
            tokenizer=None,
        ),
    )
}
BASE_CHUNK = 4
BUNDLED_VOCAB = 2048
"""V of the bundled tokenizer, known without reading it: the grid can be listed where the models are not."""


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
    """The base autoencoder of a scale: the paper's regularisers, the tokenizer that all models of the scale share."""
    recipe = AutoencoderRecipe(
        corpus=scale.corpus,
        documents=scale.autoencoder_documents,
        preset=scale.preset,
        tokenizer=scale.tokenizer,
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
    """A token Transformer on the same text, in the same batches, with the same tokenizer."""
    steps = steps or scale.steps
    return TransformerRecipe(
        corpus=scale.corpus,
        documents=scale.documents,
        preset=scale.preset,
        tokenizer=scale.tokenizer or "",
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
    if isinstance(recipe, TransformerRecipe):
        sizes = preset(recipe.preset, vocab_size=_vocab_size(recipe.tokenizer))
        config = dataclasses.replace(sizes.transformer(), backbone=backbone_config(recipe))
        return flops(config, context=recipe.positions, attention="causal", tokens=tokens)
    inner = autoencoder_sizes(cell.autoencoder)
    read = cell.autoencoder.steps * cell.autoencoder.rows * cell.autoencoder.positions * inner.chunk_size
    return flops(
        calm_config(recipe, inner), inner, context=recipe.positions, attention="causal", tokens=tokens, ae_tokens=read
    )


def autoencoder_sizes(recipe: AutoencoderRecipe) -> AutoencoderConfig:
    """The sizes of an autoencoder that is yet to be trained."""
    base = preset(recipe.preset, recipe.chunk_size, _vocab_size(recipe.tokenizer)).autoencoder
    return autoencoder_config(recipe, base)


@lru_cache
def _vocab_size(tokenizer: str | None) -> int | None:
    """V of a tokenizer; None, for the preset's, where none has been named yet."""
    if tokenizer == "default":
        return BUNDLED_VOCAB
    return find_tokenizer(tokenizer).vocab_size if tokenizer else None


def equal_training(scale: Scale, cell: Cell, width: int) -> TransformerRecipe:
    """A Transformer of ``width`` trained for as many FLOPs as ``cell``, to the nearest step."""
    one = Cell("", transformer(scale, width), cell.autoencoder)
    return transformer(scale, width, round(scale.steps * cost(cell).training_total / cost(one).training_total))


def equal_inference(scale: Scale, cell: Cell) -> int:
    """The width (a multiple of 16) of the Transformer whose FLOPs a token come nearest to those of ``cell``."""
    goal = cost(cell).per_token
    widths = range(16, 2 * scale.widths[1], 16)
    return min(widths, key=lambda w: abs(cost(Cell("", transformer(scale, w), cell.autoencoder)).per_token / goal - 1))


def find_scale(name: str, tokenizer: str | None = None) -> Scale:
    """The scale called ``name``; if one is given, with another tokenizer: a tokenizer.json, a model's folder or name.

    Raises:
        InputError: for an unknown name.
        CalmLabError: if the tokenizer cannot be read.
    """
    if name not in SCALES:
        raise InputError(choose_from(name, SCALES, "scale"))
    scale = SCALES[name]
    if tokenizer is None:
        return scale
    _vocab_size(tokenizer)
    return replace(scale, tokenizer=tokenizer)


def check_runnable(scale: Scale) -> None:
    """Refuse to run a scale whose models would not share a tokenizer: scores over different tokens do not compare.

    Raises:
        InputError: if none has been named.
    """
    if scale.tokenizer is None:
        raise InputError(
            f"scale {scale.name} needs --tokenizer FILE, one tokenizer.json for all its models (the paper: Llama 3's)"
        )
