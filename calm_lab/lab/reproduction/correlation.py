"""BrierLM against cross-entropy on the Transformer's checkpoints (paper Fig 3: Pearson -0.966, Spearman -0.991).

Only a model with probabilities has a cross-entropy, so the Transformers of the grid are asked, at every evaluation on
their way. Checkpoints of one run resemble each other; the intervals therefore resample whole runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calm_lab.lab.reproduction.grid import Study
from calm_lab.lab.reproduction.results import Store
from calm_lab.training.recipes import TransformerRecipe

RESAMPLES = 2000
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Coefficient:
    """A correlation with its 95% bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Correlation:
    """How BrierLM and cross-entropy go together.

    Attributes:
        points: cross-entropy and BrierLM of every checkpoint, shape (P, 2).
        runs: how many runs they come from.
        pearson: linear correlation.
        spearman: correlation of ranks.
    """

    points: Points
    runs: int
    pearson: Coefficient
    spearman: Coefficient


def pearson(points: Points) -> float:
    """Pearson's correlation of the two columns of points (P, 2)."""
    return float(np.asarray(np.corrcoef(points.T))[0, 1])


def spearman(points: Points) -> float:
    """Spearman's: Pearson's of the ranks, equal values sharing the mean of theirs."""
    return pearson(np.stack([_ranks(column) for column in points.T], 1))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = np.cumsum(count) - (count - 1) / 2
    return ranks[place]


def checkpoints(study: Study, store: Store) -> list[Points]:
    """The points (P, 2) of each Transformer run of ``study`` that has ended; checkpoints without a BrierLM drop out."""
    found: list[Points] = []
    for cell in study.cells:
        for seed in range(study.seeds if isinstance(cell.recipe, TransformerRecipe) else 0):
            data = store.read(cell, seed)
            pairs = [(e["cross_entropy"], e["brier_lm"]) for e in (data["evaluations"] if data else [])]
            kept = [pair for pair in pairs if None not in pair]
            if kept:
                found.append(np.array(kept))
    return found


def correlate(runs: list[Points], seed: int = 0) -> Correlation | None:
    """Correlate the checkpoints of several runs; None with fewer than two runs."""
    if len(runs) < 2:
        return None
    generator = np.random.default_rng(seed)
    picks = [generator.integers(len(runs), size=len(runs)) for _ in range(RESAMPLES)]
    points = np.concatenate(runs)

    def interval(statistic: Callable[[Points], float]) -> Coefficient:
        values = [statistic(np.concatenate([runs[i] for i in pick])) for pick in picks]
        low, high = np.quantile(values, (0.025, 0.975))
        return Coefficient(statistic(points), float(low), float(high))

    return Correlation(points, len(runs), interval(pearson), interval(spearman))
