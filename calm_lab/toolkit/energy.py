"""The energy score: a loss that needs only samples (paper sec. 3.2, eqs. for S(P, y) and its Monte Carlo loss).

``S(P, y) = E|x' - x''|^alpha - 2 E|x - y|^alpha`` rewards samples that lie near the target (fidelity) and apart from
each other (diversity). It is strictly proper for 0 < alpha < 2: its expectation is greatest only where the law of the
samples is the law of the targets. At alpha = 2 it sees nothing but the mean.

The distances come from ``calm_lab.toolkit.distances``, which makes them and their gradients block by block, in float32
whatever the autocast, and never holds the tensor (N, M, ..., l) of all differences.

App tab: Energy score. Notebook: 05.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.device import full_precision
from calm_lab.errors import InputError
from calm_lab.toolkit.distances import mean_across, mean_among


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
        diversity = mean_among(x, alpha)
        fidelity = mean_across(x, y, alpha)
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
