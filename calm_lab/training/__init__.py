"""Floor 4: recipes, and the three trainings they describe.

>>> from calm_lab.training import AutoencoderRecipe, train_autoencoder          # doctest: +SKIP
>>> train_autoencoder(AutoencoderRecipe(corpus="andersen", preset="nano"))      # doctest: +SKIP
"""

from __future__ import annotations

from calm_lab.training.recipes import AutoencoderRecipe, CalmRecipe, Recipe, TransformerRecipe

__all__ = [
    "AutoencoderRecipe",
    "CalmRecipe",
    "Recipe",
    "TransformerRecipe",
    "train_autoencoder",
    "train_calm",
    "train_transformer",
]


def __getattr__(name: str) -> object:
    """Import the trainings when they are first asked for: recipes alone do not need torch."""
    if name in ("train_autoencoder", "train_calm", "train_transformer"):
        from calm_lab.training import train

        return getattr(train, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
