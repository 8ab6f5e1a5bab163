"""One healthy model folder of each kind, ours and the authors': what tests of damage begin with."""

from __future__ import annotations

from pathlib import Path

from calm_lab.model import checkpoint
from tests.model import small
from tests.model.official_folder import Recipe, write


def make_folders(home: Path) -> dict[str, Path]:
    """The folders by their kind."""
    made = {
        "autoencoder": checkpoint.save(small.autoencoder(), home / "autoencoder", {"metrics": {"clean": 0.5}}),
        "calm": checkpoint.save(small.calm(), home / "calm", {}),
        "transformer": checkpoint.save(small.transformer(), home / "transformer"),
        "official": home / "official",
        "official-bin": home / "official-bin",
        "official-autoencoder": home / "official-autoencoder",
    }
    write(made["official"], Recipe(layers=1, blocks=1))
    write(made["official-bin"], Recipe(kind="flow", layers=1, blocks=1, file="pytorch_model.bin", shards=2))
    write(made["official-autoencoder"], Recipe(kind="autoencoder"))
    return made
