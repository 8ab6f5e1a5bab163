"""Energy scores that are known exactly: the yardstick for what ``calm_lab.energy_score`` estimates (paper sec. 3.2).

Laws over finitely many points need no sampling: with the matrix D of distances^alpha between the points, a law q of the
truth gives a model's law p the expected score ``S(p, q) = p' D p - 2 p' D q``. The same laws give the exact variance of
the Monte Carlo score with N samples and M targets: that of a U-statistic of pairs, that of a mean over N M pairs, and
their covariance. (Round Gaussians on a plane are known exactly in ``calm_lab.lab.energy_plane``.)

Notebook: 05.
"""

from __future__ import annotations

import torch
from torch import Tensor

from calm_lab.errors import InputError


def distance_matrix(points: Tensor, alpha: float = 1.0) -> Tensor:
    """Distances^alpha between points (X, l), from direct differences: float64 (X, X).

    Raises:
        InputError: for another shape or alpha not above 0.
    """
    if points.ndim != 2 or not alpha > 0:
        raise InputError(f"points of shape {tuple(points.shape)} and alpha {alpha}: give (X, l) and an alpha above 0")
    places = points.to(torch.float64)
    return (places.unsqueeze(0) - places.unsqueeze(1)).norm(dim=-1) ** alpha


def expected_score(model: Tensor, truth: Tensor, distances: Tensor) -> Tensor:
    """Mean energy score of laws p against laws q on the same points: ``p' D p - 2 p' D q``.

    Args:
        model: p, shape (..., X).
        truth: q, shape (..., X).
        distances: D, shape (X, X).

    Returns:
        float64 (...).
    """
    p, q = model.to(torch.float64), truth.to(torch.float64)
    return torch.einsum("...x,xy,...y->...", p, distances, p - 2 * q)


def score_variance(model: Tensor, truth: Tensor, distances: Tensor, samples: int, targets: int) -> float:
    """Variance of one Monte Carlo score with N samples of p and M targets of q.

    Args:
        model: p, shape (X,).
        truth: q, shape (X,).
        distances: D, shape (X, X).
        samples: N, at least 2.
        targets: M, at least 1.

    Raises:
        InputError: for fewer samples or targets.
    """
    if samples < 2 or targets < 1:
        raise InputError(f"the score needs N >= 2 samples and M >= 1 targets, not {samples} and {targets}")
    p, q, n, m = model.to(torch.float64), truth.to(torch.float64), samples, targets
    to_model, to_truth, to_sample = distances @ p, distances @ q, p @ distances  # mean distance from each point
    diversity, fidelity = p @ to_model, p @ to_truth
    squares = distances.square()
    one = p @ (to_model - diversity).square()  # what a single sample explains
    pair = p @ squares @ p - diversity**2
    var_diversity = (4 * (n - 2) * one + 2 * pair) / (n * (n - 1))
    sample_part, target_part = p @ (to_truth - fidelity).square(), q @ (to_sample - fidelity).square()
    var_fidelity = ((m - 1) * sample_part + (n - 1) * target_part + p @ squares @ q - fidelity**2) / (n * m)
    covariance = 2 / n * (p @ ((to_model - diversity) * (to_truth - fidelity)))
    return float(var_diversity + 4 * var_fidelity - 4 * covariance)
