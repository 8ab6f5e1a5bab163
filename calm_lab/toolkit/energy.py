"""The energy score: a loss that needs only samples (paper sec. 3.2, eqs. for S(P, y) and its Monte Carlo loss).

``S(P, y) = E|x' - x''|^alpha - 2 E|x - y|^alpha`` rewards samples that lie near the target (fidelity) and apart from
each other (diversity). It is strictly proper for 0 < alpha < 2: its expectation is greatest only where the law of the
samples is the law of the targets. At alpha = 2 it sees nothing but the mean.

The straightforward computation makes a tensor (N, M, ..., l) of differences. Here distances to the targets come from
matrix products, position by position, in float32 whatever the autocast; distances between samples come from direct
differences over the N (N - 1) / 2 pairs, since samples that nearly agree would lose their digits in a product. In few
dimensions points do come that near to their targets, and a product saves nothing there, so none is used. The
gradient of a distance of zero is zero, so every alpha has finite gradients (the official code gives NaN below 1).

App tab: Energy score. Notebook: 05.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.device import full_precision
from calm_lab.errors import InputError

SMALL = 16  # latent sizes up to this one take direct differences throughout


@dataclass(frozen=True)
class EnergyScore:
    """The score and its two terms, each of shape (...): ``score = diversity - 2 * fidelity``, higher is better.

    Attributes:
        score: the energy score of each position.
        diversity: mean distance^alpha between two samples.
        fidelity: mean distance^alpha between a sample and a target (smaller is closer).
    """

    score: Tensor
    diversity: Tensor
    fidelity: Tensor


def energy_score(samples: Tensor, targets: Tensor, alpha: float = 1.0) -> EnergyScore:
    """The unbiased Monte Carlo energy score of model samples against target samples.

    Args:
        samples: draws of the model, shape (N, ..., l) with N >= 2.
        targets: draws of the truth, shape (M, ..., l) with M >= 1.
        alpha: exponent of the distance, in (0, 2].

    Returns:
        Score, diversity and fidelity, each of shape (...).

    Raises:
        InputError: for N < 2, M < 1, alpha outside (0, 2], or shapes that do not fit.
    """
    _check(samples, targets, alpha)
    with full_precision(samples.device):
        x, y = (t if t.dtype == torch.float64 else t.float() for t in (samples, targets))
        diversity = _diversity(x, alpha)
        fidelity = _fidelity(x, y, alpha)
    return EnergyScore(diversity - 2 * fidelity, diversity, fidelity)


def _check(samples: Tensor, targets: Tensor, alpha: float) -> None:
    if samples.dim() < 2 or targets.dim() < 2 or samples.shape[1:] != targets.shape[1:]:
        raise InputError(
            "samples (N, ..., l) and targets (M, ..., l) must agree after their first axis, "
            f"not {tuple(samples.shape)} and {tuple(targets.shape)}"
        )
    if samples.shape[0] < 2:
        raise InputError(f"the diversity term needs at least 2 samples, not {samples.shape[0]}")
    if targets.shape[0] < 1:
        raise InputError("the fidelity term needs at least 1 target")
    if not 0 < alpha <= 2:
        raise InputError(f"alpha must lie in (0, 2], not {alpha}: beyond 2 the score is not proper")


def _diversity(x: Tensor, alpha: float) -> Tensor:
    """Mean of |x_n - x_k|^alpha over pairs: (N, ..., l) -> (...)."""
    n = x.shape[0]
    total = x.new_zeros(x.shape[1:-1])
    for shift in range(1, n):
        # every pair (i, i + shift) once; N - 1 tensors of at most N - 1 samples, never N x N
        total = total + _power((x[shift:] - x[:-shift]).square().sum(-1), alpha).sum(0)
    return total * (2 / (n * (n - 1)))


def _power(squared: Tensor, alpha: float) -> Tensor:
    """``squared ** (alpha / 2)`` whose gradient at 0 is 0."""
    if alpha == 2:
        return squared
    zero = squared == 0
    power = squared.masked_fill(zero, 1.0) ** (alpha / 2)  # the 1 keeps an infinite slope at 0 out of the gradient
    return power.masked_fill(zero, 0.0)


def _fidelity(x: Tensor, y: Tensor, alpha: float) -> Tensor:
    """Mean of |x_n - y_m|^alpha over all N M pairs: (N, ..., l), (M, ..., l) -> (...)."""
    rows_x = x.movedim(0, -2)  # (..., N, l)
    rows_y = y.movedim(0, -2)  # (..., M, l)
    center = rows_y.mean(-2, keepdim=True)  # smaller numbers, fewer digits lost in the product
    mode = "use_mm_for_euclid_dist" if x.shape[-1] > SMALL else "donot_use_mm_for_euclid_dist"
    distance = torch.cdist(rows_x - center, rows_y - center, compute_mode=mode)  # (..., N, M)
    return (distance if alpha == 1 else _power(distance.square(), alpha)).mean((-1, -2))
