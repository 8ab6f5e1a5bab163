"""Exact energy scores against slow, obvious sums, and against the Monte Carlo score that they are the mean of."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.lab.known_energy import distance_matrix, expected_score, score_variance
from calm_lab.toolkit.energy import energy_score

POINTS = torch.tensor([[0.0, 0.0], [1.0, 0.5], [-0.5, 2.0]], dtype=torch.float64)
P = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
Q = torch.tensor([0.2, 0.2, 0.6], dtype=torch.float64)


def every_outcome(samples: int, targets: int, alpha: float) -> tuple[Tensor, Tensor]:
    """Probability and Monte Carlo score of every possible set of draws: a slow, exact reference."""
    rows = list(product(range(3), repeat=samples + targets))
    chosen = torch.tensor(rows)  # (R, N + M)
    mass = P[chosen[:, :samples]].prod(1) * Q[chosen[:, samples:]].prod(1)
    points = POINTS[chosen].movedim(0, 1)  # (N + M, R, 2)
    return mass, energy_score(points[:samples], points[samples:], alpha).score


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(("samples", "targets"), [(2, 1), (2, 3), (3, 2), (4, 1)])
def test_mean_and_variance_are_those_of_all_outcomes(samples: int, targets: int, alpha: float) -> None:
    mass, scores = every_outcome(samples, targets, alpha)
    distances = distance_matrix(POINTS, alpha)
    mean = mass @ scores
    assert float(expected_score(P, Q, distances)) == pytest.approx(float(mean), abs=1e-9)
    variance = float(mass @ (scores - mean).square())
    assert score_variance(P, Q, distances, samples, targets) == pytest.approx(variance, abs=1e-9)


def test_many_laws_at_once() -> None:
    laws = torch.stack([P, Q])
    found = expected_score(laws, Q, distance_matrix(POINTS))
    assert found.tolist() == pytest.approx([float(expected_score(p, Q, distance_matrix(POINTS))) for p in (P, Q)])


def test_bad_arguments_are_answered() -> None:
    with pytest.raises(InputError, match=r"\(3,\)"):
        distance_matrix(torch.zeros(3))
    with pytest.raises(InputError, match="alpha 0"):
        distance_matrix(POINTS, 0)
    with pytest.raises(InputError, match="N >= 2"):
        score_variance(P, Q, distance_matrix(POINTS), 1, 1)
