"""New points on a map, and what any point of the latent space says.

What: ``place`` gives a vector its spot in a picture; ``between`` gives a spot of a picture its vector; ``look_at``
decodes a vector and finds its neighbours in l dimensions.
Why: UMAP has no formula to put a new point in, and none to go back. Both ways take the mean of a few neighbours,
weighted by one over the squared distance (Shepard 1968), so that a point of the map lands on itself. PCA has a formula
for both.

App tab: Latent map. Notebook: 04.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.lab.latent_map.chunks import tokenizer_of
from calm_lab.lab.latent_map.fit import nearest
from calm_lab.lab.latent_map.store import LatentMap, decode_vectors, encode_chunks
from calm_lab.lab.pieces import roles
from calm_lab.lab.vectors import decode_with_confidence
from calm_lab.model.autoencoder import Autoencoder

NEIGHBOURS = 8
BLENDED = 4
MAX_PHRASE_TOKENS = 64


def shepard(distances: Tensor) -> Tensor:
    """Weights (..., k) of neighbours at some distances (..., k): one over the square, all on one at distance 0."""
    squared = distances.double().square()
    least = squared.amin(-1, keepdim=True)
    exact = (squared == 0).double()
    weights = torch.where(least > 0, least / squared.clamp(min=1e-300), exact)
    return (weights / weights.sum(-1, keepdim=True)).float()


def place(found: LatentMap, z: Tensor, picture: str) -> Tensor:
    """Spots in a picture for vectors (Q, l): (Q, 2); exact in ``pca``, among neighbours in l dimensions in ``umap``."""
    places = found.picture(picture)
    if picture == "pca":
        return found.plane.project(z)
    rows, distances = nearest(z, found.mean, NEIGHBOURS)  # (Q, k)
    return (shepard(distances)[..., None] * places[rows]).sum(1)


@dataclass(frozen=True, eq=False)
class Spot:
    """A spot of a picture and the vector taken for it.

    Attributes:
        z: the vector, shape (l,).
        rows: the chunks it was blended from, shape (k,); empty in ``pca``, where the plane itself gives the vector.
        weights: their shares, shape (k,).
    """

    z: Tensor
    rows: Tensor
    weights: Tensor


def between(found: LatentMap, x: float, y: float, picture: str) -> Spot:
    """The vector for a spot between points.

    In ``pca`` it is the vector of the plane there. In ``umap`` it is the mean of the nearest points of the picture,
    weighted by one over the squared distance in the picture.

    Raises:
        InputError: for a spot that is no pair of finite numbers.
    """
    if not all(isinstance(v, int | float) and math.isfinite(v) and abs(v) < 1e6 for v in (x, y)):
        raise InputError("a spot of the map is two finite numbers")
    spot = torch.tensor([[float(x), float(y)]])
    places = found.picture(picture)
    if picture == "pca":
        return Spot(found.plane.lift(spot)[0], torch.empty(0, dtype=torch.int64), torch.empty(0))
    rows, distances = nearest(spot, places, BLENDED)
    weights = shepard(distances)[0]
    return Spot(weights @ found.mean[rows[0]], rows[0], weights)


@dataclass(frozen=True, eq=False)
class Look:
    """What a vector says and what lies near it.

    Attributes:
        z: the vector, shape (l,).
        ids: the decoder's first choices, shape (K,).
        tokens: what to show for each.
        roles: begin, end, pad or mask for special tokens, None for ordinary ones.
        confidence: probability of each first choice, shape (K,).
        text: what it says.
        back: distance from the vector to encode(decode(vector)).
        rows: its nearest chunks in l dimensions, shape (k,).
        distances: how far they are, shape (k,).
        std: posterior standard deviations, shape (l,), where the vector is an encoder's answer.
        bits: KL to N(0, I) of each coordinate in bits, shape (l,), with ``std``.
    """

    z: Tensor
    ids: Tensor
    tokens: list[str]
    roles: list[str | None]
    confidence: Tensor
    text: str
    back: float
    rows: Tensor
    distances: Tensor
    std: Tensor | None = None
    bits: Tensor | None = None


def look_at(
    found: LatentMap, model: Autoencoder, z: Tensor, std: Tensor | None = None, besides: int | None = None
) -> Look:
    """Decode a vector (l,) and find its neighbours.

    Args:
        found: the map.
        model: its autoencoder.
        z: the vector.
        std: the posterior's standard deviations, where it has one.
        besides: a chunk that is not to count as its neighbour: itself.
    """
    tokenizer = tokenizer_of(model)
    ids, confidence = decode_with_confidence(model, z[None].to(model.output_weight))
    row = ids[0].tolist()
    rows, distances = (t[0] for t in nearest(z[None], found.mean, NEIGHBOURS + 1))
    kept = rows != (-1 if besides is None else besides)
    bits = None if std is None else 0.5 * (z.square() + std.square() - 1 - 2 * std.log()) / math.log(2)
    return Look(
        z=z,
        ids=ids[0].cpu(),
        tokens=tokenizer.pieces(row),
        roles=roles(tokenizer, row),
        confidence=confidence[0].float().cpu(),
        text=tokenizer.decode(row),
        back=float(returned(model, z[None], ids.cpu())[0]),
        rows=rows[kept][:NEIGHBOURS],
        distances=distances[kept][:NEIGHBOURS],
        std=std,
        bits=bits,
    )


def point(found: LatentMap, model: Autoencoder, row: int) -> Look:
    """Look at a chunk of the map; InputError if there is none of that number."""
    if isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < len(found):
        raise InputError(f"a point is a whole number from 0 to {len(found) - 1}, not {row!r}")
    return look_at(found, model, found.mean[row], found.std[row], row)


def returned(model: Autoencoder, z: Tensor, ids: Tensor | None = None) -> Tensor:
    """How far vectors (Q, l) are from encode(decode(vector)): (Q,). Zero would mean that the decoder lost nothing."""
    mean, _ = encode_chunks(model, decode_vectors(model, z) if ids is None else ids)
    return (mean - z).norm(dim=-1)


def phrase(found: LatentMap, model: Autoencoder, text: str) -> list[Look]:
    """The chunks of a short text, each looked at; a last chunk that is not whole gets the end token.

    Raises:
        InputError: for an empty or too long text.
    """
    tokenizer, config = tokenizer_of(model), model.config
    row = tokenizer.encode(text)
    if not row:
        raise InputError("there is no text to place: type at least one character")
    if len(row) > MAX_PHRASE_TOKENS:
        raise InputError(f"the phrase has {len(row):,} tokens: shorten it to at most {MAX_PHRASE_TOKENS}")
    if len(row) % config.chunk_size:
        row = [*row, config.eos_id]
        row += [config.pad_id] * (-len(row) % config.chunk_size)
    mean, std = encode_chunks(model, torch.tensor(row).reshape(-1, config.chunk_size))
    return [look_at(found, model, z, s) for z, s in zip(mean, std, strict=True)]
