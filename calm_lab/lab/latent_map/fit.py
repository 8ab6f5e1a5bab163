"""Two pictures of the same vectors, and how far each can be trusted.

What: ``plane`` fits PCA, ``umap_layout`` UMAP; ``trustworthiness`` says what share of the neighbours in a picture are
neighbours in l dimensions too, and a picture with its rows shuffled shows what that number is worth.
Why: the eye believes any picture. Distances of the picture are therefore never used for an answer: ``nearest`` finds
neighbours among the vectors themselves.
Where: McInnes, Healy and Melville 2018 (UMAP); Venna and Kaski 2001 (trustworthiness).

UMAP is imported when it is first called: its compiler takes a minute. Neighbours are exact, so that the same seed gives
the same layout on one machine; on another, rounding may turn it.

App tab: Latent map. Notebook: 04.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from calm_lab.device import generator
from calm_lab.errors import InputError

BLOCK = 512
N_NEIGHBORS = 15
MIN_DIST = 0.1
EPOCHS = 200
TRUST_K = 15
TRUST_ROWS = 2_000
MIN_POINTS = 20

Progress = Callable[[str, int, int], None]
"""Called with a stage (``neighbours``, ``compiler``, ``layout``), how much of it is done, and of how much."""


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane through the vectors along which they vary most (PCA).

    Attributes:
        origin: mean of the vectors, shape (l,).
        axes: two orthonormal directions, shape (2, l).
        share: share of the variance along each, two numbers.
    """

    origin: Tensor
    axes: Tensor
    share: tuple[float, float]

    def project(self, z: Tensor) -> Tensor:
        """Vectors (..., l) -> their places in the plane (..., 2)."""
        return (z - self.origin) @ self.axes.T

    def lift(self, places: Tensor) -> Tensor:
        """Places in the plane (..., 2) -> the vectors that lie there (..., l)."""
        return self.origin + places @ self.axes


def plane(vectors: Tensor) -> Plane:
    """Fit PCA to vectors (R, l), l >= 2; the largest number of each direction is positive, so no sign is left open."""
    _check(vectors)
    origin = vectors.double().mean(0)  # (l,)
    centred = vectors.double() - origin
    values, directions = torch.linalg.eigh(centred.T @ centred / len(vectors))  # ascending
    axes = directions[:, [-1, -2]].T  # (2, l)
    signs = axes.gather(1, axes.abs().argmax(1, keepdim=True)).sign()
    share = values[[-1, -2]] / values.sum().clamp(min=1e-30)
    return Plane(origin.float(), (axes * signs).float(), (float(share[0]), float(share[1])))


def nearest(queries: Tensor, vectors: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest of some vectors, by Euclidean distance in l dimensions.

    Args:
        queries: shape (Q, l).
        vectors: shape (R, l).
        k: how many; fewer come back where there are fewer vectors.

    Returns:
        Places among the vectors (Q, k) and distances (Q, k), nearest first.
    """
    k = min(k, len(vectors))
    places, distances = [], []
    for part in queries.split(BLOCK):
        # a single query is measured without the matrix product, which would blur a distance of 0
        mode = "use_mm_for_euclid_dist" if len(part) > 16 else "donot_use_mm_for_euclid_dist"
        found = torch.cdist(part, vectors, compute_mode=mode).topk(k, largest=False)  # (<= BLOCK, k) each
        places.append(found.indices)
        distances.append(found.values)
    return torch.cat(places), torch.cat(distances)


def neighbour_graph(vectors: Tensor, k: int, progress: Progress | None = None) -> tuple[Tensor, Tensor]:
    """Every vector's k nearest, itself first: places (R, k) and distances (R, k)."""
    rows = len(vectors)
    places, distances = torch.empty(rows, k, dtype=torch.int64), torch.empty(rows, k)
    for start in range(0, rows, BLOCK):
        own = torch.arange(start, min(start + BLOCK, rows))
        table = torch.cdist(vectors[own], vectors)  # (<= BLOCK, R)
        table[torch.arange(len(own)), own] = -1.0
        found = table.topk(k, largest=False)
        places[own], distances[own] = found.indices, found.values.clamp(min=0)
        if progress is not None:
            progress("neighbours", int(own[-1]) + 1, rows)
    return places, distances


def umap_layout(
    vectors: Tensor,
    n_neighbors: int = N_NEIGHBORS,
    min_dist: float = MIN_DIST,
    seed: int = 0,
    epochs: int = EPOCHS,
    progress: Progress | None = None,
) -> Tensor:
    """Lay vectors out in the plane by UMAP.

    Args:
        vectors: shape (R, l), R >= 20.
        n_neighbors: neighbours that each point holds on to; few show detail, many the whole. In [2, R).
        min_dist: how close two points may come in the picture, in [0, 1].
        seed: of the layout.
        epochs: rounds of the optimisation.
        progress: told how far it is.

    Returns:
        Places, shape (R, 2), float32.

    Raises:
        InputError: for too few vectors or a setting out of its domain.
    """
    check_settings(len(vectors), n_neighbors, min_dist)
    _check(vectors)
    indices, distances = neighbour_graph(vectors, n_neighbors, progress)
    if progress is not None:
        progress("compiler", 0, 1)
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # a seeded layout runs on one thread anyway
    import umap

    options = {} if progress is None else {"file": _Bar(progress, epochs), "mininterval": 0.2, "bar_format": "{n_fmt} "}
    fitted = umap.UMAP(
        n_neighbors=n_neighbors,
        min_dist=min_dist,
        n_epochs=epochs,
        random_state=seed,
        n_jobs=1,
        precomputed_knn=(indices.numpy(), distances.numpy().astype(np.float32), None),
        verbose=False,
        tqdm_kwds={"disable": progress is None, **options},
    )
    with warnings.catch_warnings():  # that new points cannot be added: ``place`` does that
        warnings.filterwarnings("ignore", message="precomputed_knn")
        return torch.from_numpy(np.ascontiguousarray(fitted.fit_transform(vectors.numpy()), dtype=np.float32))


def check_settings(rows: int, n_neighbors: object, min_dist: object) -> None:
    """Refuse settings that UMAP cannot take, with the reason."""
    if rows < MIN_POINTS:
        raise InputError(f"a map needs at least {MIN_POINTS} different chunks, not {rows}: give a longer text")
    most = min(200, rows - 1)
    if isinstance(n_neighbors, bool) or not isinstance(n_neighbors, int) or not 2 <= n_neighbors <= most:
        raise InputError(f"n_neighbors must be a whole number from 2 to {most}, not {n_neighbors!r}")
    if isinstance(min_dist, bool) or not isinstance(min_dist, int | float) or not 0 <= min_dist <= 1:
        raise InputError(f"min_dist must be a number from 0 to 1, not {min_dist!r}")


class _Bar:
    """What UMAP's progress bar writes to: the epochs done, as numbers."""

    def __init__(self, progress: Progress, total: int):
        self._progress, self._total = progress, total

    def write(self, text: str) -> int:
        """Hand on the number in ``text``."""
        digits = "".join(character for character in text if character.isdigit())
        if digits:
            self._progress("layout", min(int(digits), self._total), self._total)
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


@dataclass(frozen=True)
class Trust:
    """How far the neighbours of a picture are neighbours of the vectors.

    Attributes:
        value: trustworthiness, 1 where all are, about 0.5 for a picture that knows nothing.
        standard_error: of the mean over the points looked at.
        k: neighbours a point.
        rows: points looked at, drawn with a fixed seed; each is compared with all others.
    """

    value: float
    standard_error: float
    k: int
    rows: int


def trustworthiness(vectors: Tensor, places: Tensor, k: int = TRUST_K, rows: int = TRUST_ROWS, seed: int = 0) -> Trust:
    """Trustworthiness of a picture: neighbours that it invents are counted by how far away they truly are.

    ``1 - 2 / (k (2R - 3k - 1)) * mean_i sum_j max(0, rank(i, j) - k)``, j running over the k neighbours of i in the
    picture, the rank being that of j among all vectors by distance from i. The mean runs over random points.

    Args:
        vectors: shape (R, l).
        places: their places in the picture, shape (R, 2).
        k: neighbours a point, below R / 2.
        rows: points to look at; all of them where there are fewer.
        seed: which points.

    Raises:
        InputError: for shapes that do not agree, or a k too large.
    """
    count = len(vectors)
    if places.shape != (count, 2):
        raise InputError(f"{count} vectors need places of shape ({count}, 2), not {tuple(places.shape)}")
    if not 1 <= k < count / 2:
        raise InputError(f"k must be at least 1 and below half of the {count} points, not {k}")
    looked = torch.randperm(count, generator=generator(seed))[:rows]
    scores = []
    for part in looked.split(64):
        own = torch.arange(len(part))
        picture, truth = torch.cdist(places[part], places), torch.cdist(vectors[part], vectors)  # (<= 64, R)
        picture[own, part], truth[own, part] = torch.inf, -1.0
        near = truth.gather(1, picture.topk(k, largest=False).indices)  # (<= 64, k)
        rank = torch.stack([(truth < near[:, j : j + 1]).sum(1) for j in range(k)], 1)  # the point itself counts as 1
        scores.append((rank - k).clamp(min=0).sum(1).double())
    penalties = torch.cat(scores) * 2 / (k * (2 * count - 3 * k - 1))
    error = float(penalties.std() / len(penalties) ** 0.5) if len(penalties) > 1 else 0.0
    return Trust(1 - float(penalties.mean()), error, k, len(penalties))


def shuffled(places: Tensor, seed: int = 0) -> Tensor:
    """The same places given to other points: a picture that looks as good and knows nothing."""
    return places[torch.randperm(len(places), generator=generator(seed))]


def _check(vectors: Tensor) -> None:
    if vectors.dim() != 2 or vectors.shape[1] < 2 or not len(vectors):
        raise InputError(f"a map needs vectors of shape (R, l), l at least 2, not {tuple(vectors.shape)}")
