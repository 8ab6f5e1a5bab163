"""A latent map: chunks, their posteriors, two pictures; and the folder that a bundled one lies in.

A folder holds ids, counts, what the decoder says, groups and the UMAP layout (``map.safetensors``) and a card. Vectors
are not stored: the encoder is deterministic, and quick enough to give them again whenever a map is opened. The card
names the weights by their hash, so that a map never shows another model's vectors.

``calm-lab models --map NAME`` makes a bundled map again.

App tab: Latent map. Notebook: 04.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from calm_lab.errors import CheckpointError, InputError, choose_from
from calm_lab.lab.latent_map.chunks import UniqueChunks, chunk_texts, tokenizer_of, unique_chunks
from calm_lab.lab.latent_map.cluster import CLUSTERS, k_means
from calm_lab.lab.latent_map.fit import MIN_POINTS, Plane, Trust, plane, shuffled, trustworthiness
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.stored import read_json, read_tensors, write_tensors
from calm_lab.text.tables import one_line

MAPS = Path(__file__).resolve().parents[2] / "assets" / "maps"
ROWS = 2048  # chunks encoded at once
FORMAT = "calm_lab-map-1"
PictureName = Literal["umap", "pca"]


@dataclass(frozen=True, eq=False)
class LatentMap:
    """Different chunks of a text as points of the latent space. Everything lies on the CPU.

    Attributes:
        name: what it is a map of.
        ids: the chunks, shape (R, K).
        counts: how often each came, shape (R,).
        said: what the decoder makes of each posterior mean, shape (R, K).
        texts: the same as text.
        mean: posterior means, shape (R, l): these are the points.
        std: posterior standard deviations, shape (R, l).
        group: k-means groups in l dimensions, shape (R,).
        plane: PCA of the means.
        pictures: places of the points by name, each (R, 2): ``pca``, and ``umap`` where it was computed.
        trust: trustworthiness by name, and that of a shuffled picture under ``shuffled``.
        seen: chunks read, repeats included.
        different: different chunks read; R of them, the most frequent, are on the map.
        settings: of the UMAP layout: n_neighbors, min_dist, seed.
    """

    name: str
    ids: Tensor
    counts: Tensor
    said: Tensor
    texts: list[str]
    mean: Tensor
    std: Tensor
    group: Tensor
    plane: Plane
    pictures: dict[str, Tensor]
    trust: dict[str, Trust]
    seen: int
    different: int
    settings: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def came_back(self) -> Tensor:
        """True where the decoder says what the encoder read, shape (R,)."""
        return (self.said == self.ids).all(1)

    def picture(self, name: str) -> Tensor:
        """Places of the points in one picture, (R, 2); InputError if it has no such picture."""
        if name not in self.pictures:
            raise InputError(choose_from(str(name), self.pictures, "picture"))
        return self.pictures[name]

    def with_umap(self, layout: Tensor, settings: dict[str, Any]) -> LatentMap:
        """The same map with another UMAP layout (R, 2), its trustworthiness measured anew."""
        trust = {"umap": trustworthiness(self.mean, layout), "pca": self.trust["pca"]}
        trust["shuffled"] = trustworthiness(self.mean, shuffled(layout))
        return dataclasses.replace(
            self, pictures={"umap": layout, "pca": self.pictures["pca"]}, trust=trust, settings=settings
        )


@torch.no_grad()
def encode_chunks(model: Autoencoder, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Posterior means and standard deviations of chunks (R, K): (R, l) each, on the CPU."""
    device = model.output_weight.device
    found = [model.encode(part.reshape(1, -1).to(device)) for part in ids.split(ROWS)]
    return torch.cat([p.mean[0] for p in found]).float().cpu(), torch.cat([p.std[0] for p in found]).float().cpu()


@torch.no_grad()
def decode_vectors(model: Autoencoder, z: Tensor) -> Tensor:
    """What the decoder says to vectors (R, l): ids (R, K), on the CPU."""
    return torch.cat([model.decode(part.to(model.output_weight)) for part in z.split(ROWS)]).cpu()


def map_chunks(model: Autoencoder, chunks: UniqueChunks, name: str, seed: int = 0) -> LatentMap:
    """A map of chunks with its PCA picture; ``with_umap`` adds the other.

    Args:
        model: the autoencoder.
        chunks: what to show, at least 20 different ones.
        name: what it is a map of.
        seed: of the k-means groups.

    Raises:
        InputError: for too few chunks, or a model without a tokenizer.
    """
    if len(chunks.ids) < MIN_POINTS:
        raise InputError(
            f"the text has {len(chunks.ids)} different chunks: a map needs at least {MIN_POINTS}, give a longer text"
        )
    mean, std = encode_chunks(model, chunks.ids)
    said = decode_vectors(model, mean)
    groups = k_means(mean, min(CLUSTERS, len(mean)), seed)
    return _assemble(model, name, chunks, said, mean, std, groups)


def _assemble(
    model: Autoencoder, name: str, chunks: UniqueChunks, said: Tensor, mean: Tensor, std: Tensor, groups: Tensor
) -> LatentMap:
    flat = plane(mean)
    places = flat.project(mean)
    # of a handful of points no neighbour can be far away, so the number would say nothing
    able = len(mean) > 2 * 15
    trust = {"pca": trustworthiness(mean, places), "shuffled": trustworthiness(mean, shuffled(places))} if able else {}
    return LatentMap(
        name=name,
        ids=chunks.ids,
        counts=chunks.counts,
        said=said,
        texts=chunk_texts(said, tokenizer_of(model)),
        mean=mean,
        std=std,
        group=groups,
        plane=flat,
        pictures={"pca": places},
        trust=trust,
        seen=chunks.seen,
        different=chunks.different,
    )


def map_texts(
    model: Autoencoder,
    texts: Iterable[str],
    name: str = "your text",
    limit: int = 20_000,
    seed: int = 0,
    max_tokens: int | None = None,
) -> LatentMap:
    """A map of any texts: ``unique_chunks`` and ``map_chunks`` in one."""
    return map_chunks(model, unique_chunks(texts, model, limit, seed, max_tokens), name, seed)


def weights_hash(folder: Path) -> str:
    """SHA-256 of the weights in a model folder."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def save_map(found: LatentMap, folder: Path, card: dict[str, Any]) -> Path:
    """Write a map with its UMAP layout and its card into ``folder``, each file whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        "ids": found.ids.to(torch.int32),
        "said": found.said.to(torch.int32),
        "counts": found.counts.to(torch.int32),
        "group": found.group.to(torch.uint8),
        "umap": found.picture("umap").float(),
    }
    temporary = folder / f".map.{os.getpid()}.tmp"
    write_tensors(temporary, tensors)
    os.replace(temporary, folder / "map.safetensors")
    temporary.write_text(json.dumps({"format": FORMAT, **card}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    os.replace(temporary, folder / "card.json")
    return folder


def bundled_maps() -> dict[str, Path]:
    """Folders of the maps that come with the package, by the name of their autoencoder."""
    if not MAPS.is_dir():
        return {}
    return {path.name: path for path in sorted(MAPS.iterdir()) if (path / "card.json").is_file()}


def load_map(model: Autoencoder, folder: Path, model_folder: Path | None = None) -> LatentMap:
    """Read a map and encode its chunks.

    Args:
        model: the autoencoder it is a map of.
        folder: where it lies.
        model_folder: where the model lies: its weights are then held against the card.

    Raises:
        CheckpointError: if it is missing, damaged, or a map of other weights.
    """
    card = read_json(folder / "card.json")
    if card.get("format") != FORMAT:
        raise CheckpointError(f"{folder}: this is no map of ours; make it again: calm-lab models --map {folder.name}")
    made_of = card.get("autoencoder")
    known = made_of.get("sha256") if isinstance(made_of, dict) else None
    if model_folder is not None and known != weights_hash(model_folder):
        raise CheckpointError(
            f"{folder}: a map of other weights than those of {model_folder.name}; make it again: "
            f"calm-lab models --map {folder.name}"
        )
    tensors = read_tensors(folder / "map.safetensors")
    try:
        ids, said, counts, group, umap = (tensors[name] for name in ("ids", "said", "counts", "group", "umap"))
        corpus = card["corpus"]
        chunks = UniqueChunks(ids.long(), counts.long(), int(corpus["chunks"]), int(corpus["different"]))
        _check_stored(model, ids, said, counts, group, umap)
        trust = {name: _trust(values) for name, values in card["trust"].items()}
        name, settings = str(corpus["name"]), dict(card["umap"])
        json.dumps(settings, allow_nan=False)  # a number that is none could not be sent to the page
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise CheckpointError(
            f"{folder}: damaged ({one_line(error)}); make it again: calm-lab models --map {folder.name}"
        ) from error
    mean, std = encode_chunks(model, chunks.ids)
    flat = plane(mean)
    return LatentMap(
        name=name,
        ids=chunks.ids,
        counts=chunks.counts,
        said=said.long(),
        texts=chunk_texts(said, tokenizer_of(model)),
        mean=mean,
        std=std,
        group=group.long(),
        plane=flat,
        pictures={"umap": umap, "pca": flat.project(mean)},
        trust=trust,
        seen=chunks.seen,
        different=chunks.different,
        settings=settings,
    )


def _check_stored(model: Autoencoder, ids: Tensor, said: Tensor, counts: Tensor, group: Tensor, umap: Tensor) -> None:
    """ValueError unless the tensors of a map fit the model and each other."""
    rows, vocabulary = len(ids), model.config.vocab_size
    if rows < MIN_POINTS or not ids.shape == said.shape == (rows, model.config.chunk_size):
        raise ValueError("shape of the chunks")
    if umap.shape != (rows, 2) or not umap.is_floating_point() or not bool(umap.isfinite().all()):
        raise ValueError("layout")
    bounds = {"ids": (ids, 0, vocabulary), "said": (said, 0, vocabulary)}
    bounds |= {"counts": (counts, 1, 2**31), "group": (group, 0, CLUSTERS)}
    for name, (values, low, high) in bounds.items():
        if values.is_floating_point() or values.is_complex() or len(values) != rows:
            raise ValueError(name)
        whole = values.long()
        if whole.numel() and not low <= int(whole.min()) <= int(whole.max()) < high:
            raise ValueError(name)


def _trust(values: Any) -> Trust:
    """Trust as a card tells it; ValueError or TypeError for anything else."""
    made = Trust(**values)
    numbers = (made.value, made.standard_error, made.k, made.rows)
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in numbers):
        raise ValueError("trust")
    return made


def bundled_map(model: Autoencoder, name: str, model_folder: Path | None = None) -> LatentMap:
    """The map that comes with a bundled autoencoder.

    Raises:
        InputError: if there is none of that name.
        CheckpointError: if it is damaged, or of other weights.
    """
    folders = bundled_maps()
    if name not in folders:
        raise InputError(choose_from(name, folders, "bundled map"))
    return load_map(model, folders[name], model_folder)
