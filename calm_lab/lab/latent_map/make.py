"""The bundled maps: what each shows, and the one command that makes it again.

``calm-lab models --map autoencoder-k4`` cuts the corpora the autoencoder was trained on into chunks, keeps the most
frequent different ones, lays them out by UMAP, and measures how far the pictures can be trusted.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calm_lab.errors import InputError, choose_from
from calm_lab.lab.latent_map.chunks import unique_chunks
from calm_lab.lab.latent_map.fit import EPOCHS, MIN_DIST, N_NEIGHBORS, Progress, umap_layout
from calm_lab.lab.latent_map.store import MAPS, map_chunks, save_map, weights_hash
from calm_lab.loading import load_autoencoder
from calm_lab.model.checkpoint import resolve
from calm_lab.text.corpora import load_corpus
from calm_lab.version import __version__


@dataclass(frozen=True)
class MapRecipe:
    """How a bundled map is made.

    Attributes:
        title: what it shows, in a line.
        corpus: whose training split is cut into chunks, from the first token of each document on.
        documents: of each part of the corpus, at most.
        chunks: different chunks to keep, the most frequent.
        n_neighbors: of UMAP.
        min_dist: of UMAP.
        epochs: of UMAP.
        seed: of every draw.
    """

    title: str
    corpus: str
    documents: int
    chunks: int
    n_neighbors: int = N_NEIGHBORS
    min_dist: float = MIN_DIST
    epochs: int = EPOCHS
    seed: int = 0


RECIPES = {
    "autoencoder-k4": MapRecipe(
        "The most frequent chunks of Andersen's tales and of 1,500 stories from storyland",
        corpus="andersen+storyland",
        documents=1500,
        chunks=24_000,
    )
}


def make_map(name: str, out: Path | None = None, progress: Progress | None = None) -> Path:
    """Make the map of a bundled autoencoder again, and write it with its card.

    Args:
        name: a key of ``RECIPES``.
        out: the folder to write; by default its place among the bundled maps.
        progress: told how far UMAP is.

    Returns:
        The folder written.

    Raises:
        InputError: for an unknown name.
        CorpusError: if the corpus cannot be read.
    """
    if name not in RECIPES:
        raise InputError(choose_from(name, RECIPES, "bundled map"))
    recipe, model, begun = RECIPES[name], load_autoencoder(name), time.process_time()
    texts = [row["text"] for row in load_corpus(recipe.corpus, "train", count=recipe.documents)]
    found = map_chunks(model, unique_chunks(texts, model, recipe.chunks, recipe.seed), recipe.corpus, recipe.seed)
    settings = {key: getattr(recipe, key) for key in ("n_neighbors", "min_dist", "epochs", "seed")}
    found = found.with_umap(umap_layout(found.mean, **settings, progress=progress), settings)
    card: dict[str, Any] = {
        "name": name,
        "title": recipe.title,
        "command": f"calm-lab models --map {name}",
        "recipe": dataclasses.asdict(recipe),
        "corpus": {
            "name": recipe.corpus,
            "documents": len(texts),
            "sha256": hashlib.sha256("\x00".join(texts).encode()).hexdigest(),
            "chunks": found.seen,
            "different": found.different,
            "on_the_map": len(found),
        },
        "autoencoder": {"name": name, "sha256": weights_hash(resolve(name))},
        "umap": settings,
        "trust": {which: dataclasses.asdict(trust) for which, trust in found.trust.items()},
        "pca_variance": list(found.plane.share),
        "chunks_that_come_back": int(found.came_back.sum()),
        "processor_seconds": round(time.process_time() - begun, 1),
        "machine": {
            "name": platform.machine(),
            "python": platform.python_version(),
            "umap": importlib.metadata.version("umap-learn"),
            "numba": importlib.metadata.version("numba"),
            "torch": importlib.metadata.version("torch"),
            "calm_lab": __version__,
        },
    }
    return save_map(found, out or MAPS / name, card)
