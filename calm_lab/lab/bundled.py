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


MODELS = {
    "autoencoder-k4": Bundled(
        "The autoencoder under all bundled K = 4 models: Andersen's tales and storyland",
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
    "calm-andersen-k4": Bundled(
        "A small CALM on Andersen's fairy tales: real prose, which at this size it does not master",
        CalmRecipe(
            corpus="andersen", steps=1500, hidden_size=128, layers=3, blocks=1, samples=4, targets=16, save_every=250
        ),
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
        return report_autoencoder(model)
    return report_calm(model, corpus) if isinstance(model, CALM) else report_transformer(model, corpus)
