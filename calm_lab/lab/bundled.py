"""The bundled models: one recipe each, one command to make it again, one card that says what it reaches.

``calm-lab models --make NAME`` trains NAME by its recipe, measures what would ship, and writes the model folder. A CALM
names its bundled autoencoder instead of holding a copy. Weights ship in half precision; the numbers on a card are those
of the half-precision weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from calm_lab.errors import InputError, choose_from
from calm_lab.lab.report import report_autoencoder, report_calm, report_transformer
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.config import HeadKind
from calm_lab.training import AutoencoderRecipe, CalmRecipe, TransformerRecipe
from calm_lab.training.train import train_autoencoder, train_calm, train_transformer

STORAGE = "float16"


@dataclass(frozen=True)
class Bundled:
    """One bundled model.

    Attributes:
        title: what it is, in a line.
        recipe: how it is trained.
    """

    title: str
    recipe: AutoencoderRecipe | CalmRecipe | TransformerRecipe


_NO_DROPS = {"drop_token": 0.0, "drop_latent": 0.0}


def _small_autoencoder(title: str, chunk_size: int = 4, changes: dict[str, float] | None = None) -> Bundled:
    """An autoencoder of width 128 that shares the main one's tokenizer and text."""
    recipe = AutoencoderRecipe(
        corpus="andersen+storyland",
        documents=1500,
        tokenizer=checkpoint.DEFAULT_AUTOENCODER,
        chunk_size=chunk_size,
        positions=128 // chunk_size,
        steps=800,
        hidden_size=128,
        evaluate_every=250,
        save_every=250,
    )
    return Bundled(title, replace(recipe, **(changes or {})))  # type: ignore[arg-type]


def _small_calm(title: str, autoencoder: str, chunk_size: int = 4, head: HeadKind = "energy") -> Bundled:
    """A CALM of width 128 on storyland: the same text, in the same number of steps, for every K and head."""
    recipe = CalmRecipe(
        autoencoder=autoencoder,
        head=head,
        documents=18_000,
        steps=600,
        positions=512 // chunk_size,
        samples=4,
        targets=16,
        hidden_size=128,
        evaluate_every=250,
        save_every=250,
    )
    return Bundled(title, recipe)


MODELS = {
    "autoencoder-k4": Bundled(
        "The autoencoder under the bundled K = 4 models of Andersen's tales and of storyland",
        AutoencoderRecipe(
            corpus="andersen+storyland",
            documents=1500,
            optimizer="adamw",
            lr=2e-3,
            steps=2000,
            positions=32,
            evaluate_every=500,
            save_every=250,
        ),
    ),
    "autoencoder-k1": _small_autoencoder("One token to one vector", 1),
    "autoencoder-k2": _small_autoencoder("Two tokens to one vector", 2),
    "autoencoder-k8": _small_autoencoder("Eight tokens to one vector", 8),
    "autoencoder-k4-none": _small_autoencoder(
        "Table 2: reconstruction alone, no regulariser", changes={"kl_weight": 0.0, **_NO_DROPS}
    ),
    "autoencoder-k4-kl": _small_autoencoder("Table 2: plain KL, no floor", changes={"kl_clip": 0.0, **_NO_DROPS}),
    "autoencoder-k4-clip": _small_autoencoder("Table 2: KL clip", changes=_NO_DROPS),
    "autoencoder-k4-clip-token": _small_autoencoder("Table 2: KL clip and DropToken", changes={"drop_latent": 0.0}),
    "autoencoder-k4-clip-latent": _small_autoencoder("Table 2: KL clip and DropLatent", changes={"drop_token": 0.0}),
    "autoencoder-k4-all": _small_autoencoder("Table 2: KL clip, DropToken and DropLatent, the paper's recipe"),
    "calm-storyland-k4": Bundled(
        "A CALM that writes storyland, a language whose every probability is known",
        CalmRecipe(
            corpus="storyland",
            documents=100_000,
            steps=8000,
            warmup=300,
            samples=4,
            targets=16,
            evaluate_every=1000,
            save_every=250,
        ),
    ),
    "calm-storyland-k1": _small_calm(
        "One token a step: a CALM with the head but without the gain", "autoencoder-k1", 1
    ),
    "calm-storyland-k2": _small_calm("Two tokens a step", "autoencoder-k2", 2),
    "calm-storyland-k4-small": _small_calm("Four tokens a step, as small as the other K", "autoencoder-k4"),
    "calm-storyland-k8": _small_calm("Eight tokens a step", "autoencoder-k8", 8),
    "calm-storyland-k4-flow": _small_calm("The flow head on the small backbone", "autoencoder-k4", head="flow"),
    "calm-storyland-k4-diffusion": _small_calm(
        "The diffusion head on the small backbone", "autoencoder-k4", head="diffusion"
    ),
    "calm-andersen-k4": Bundled(
        "A small CALM on Andersen's fairy tales: real prose, which at this size it does not master",
        CalmRecipe(
            corpus="andersen", steps=1500, hidden_size=128, layers=3, blocks=1, samples=4, targets=16, save_every=250
        ),
    ),
    "autoencoder-littleland": Bundled(
        "An autoencoder that has read nothing but littleland, one small language",
        AutoencoderRecipe(
            corpus="littleland",
            documents=3000,
            vocab_size=640,
            random_tokens=0.0,
            steps=500,
            rows=32,
            hidden_size=128,
            evaluate_every=250,
            save_every=250,
        ),
    ),
    "calm-littleland-k4": Bundled(
        "A small CALM that nearly masters a small language: here a temperature shows in whole sentences",
        CalmRecipe(
            corpus="littleland",
            autoencoder="autoencoder-littleland",
            steps=2000,
            samples=8,
            targets=16,
            hidden_size=128,
            evaluate_every=250,
            save_every=250,
        ),
    ),
    "transformer-littleland": Bundled(
        "The token Transformer of the size of calm-littleland-k4's backbone",
        TransformerRecipe(
            corpus="littleland",
            tokenizer="autoencoder-littleland",
            steps=600,
            hidden_size=128,
            evaluate_every=200,
            save_every=200,
        ),
    ),
    "transformer-storyland": Bundled(
        "The token Transformer of the size of calm-storyland-k4's backbone",
        TransformerRecipe(documents=25_000, steps=800, evaluate_every=200, save_every=200),
    ),
    "transformer-andersen": Bundled(
        "The token Transformer of the size of calm-andersen-k4's backbone",
        TransformerRecipe(corpus="andersen", steps=1000, hidden_size=128, layers=3, save_every=250),
    ),
}


def make(name: str, out: Path | None = None, runs: Path = Path("runs"), resume: bool = False) -> Path:
    """Train the bundled model ``name`` and write its folder.

    Args:
        name: a key of ``MODELS``.
        out: the model folder to write; by default its place among the bundled models.
        runs: where the training run is kept.
        resume: go on with an interrupted run.

    Returns:
        The folder written.

    Raises:
        InputError: for an unknown name.
    """
    if name not in MODELS:
        raise InputError(choose_from(name, MODELS, "bundled model"))
    recipe = replace(MODELS[name].recipe, out=runs / name, resume=resume)
    if isinstance(recipe, AutoencoderRecipe):
        trained = train_autoencoder(recipe)
    elif isinstance(recipe, CalmRecipe):
        trained = train_calm(recipe)
    else:
        trained = train_transformer(recipe)
    return publish(trained, name, out or checkpoint.ASSETS / name)


def publish(trained: Path, name: str, out: Path) -> Path:
    """Write the model of a finished run as it will ship, measure that, and write the card beside it.

    Args:
        trained: checkpoint folder of the run.
        name: the bundled name.
        out: the folder to write.
    """
    card = checkpoint.read_card(trained)
    card = {"name": name, "title": MODELS[name].title, "command": f"calm-lab models --make {name}", **card}
    card["training_metrics"] = card.pop("metrics", {})
    model = checkpoint.load(trained)
    recipe = MODELS[name].recipe
    autoencoder = recipe.autoencoder if isinstance(recipe, CalmRecipe) else None
    if autoencoder == "default":
        autoencoder = checkpoint.DEFAULT_AUTOENCODER
    checkpoint.save(model, out, card, dtype=STORAGE, autoencoder=autoencoder)
    card["metrics"] = measure(checkpoint.load(out), recipe.corpus)
    card["storage"] = STORAGE
    checkpoint.write_json(out / "card.json", card)
    return out


def measure(model: checkpoint.Model, corpus: str) -> dict[str, Any]:
    """The card's metrics of a loaded model."""
    if isinstance(model, Autoencoder):
        return report_autoencoder(model, corpus)
    return report_calm(model, corpus) if isinstance(model, CALM) else report_transformer(model, corpus)
