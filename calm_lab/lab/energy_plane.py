"""The energy score on a plane: two clouds of points, its two terms, and the way it pulls every sample.

What: a target and a model's cloud, both round Gaussians, so that the score of N samples against M targets has a picture
and an expectation in closed form. Why: diversity pushes samples apart, fidelity pulls them to the targets; the score is
greatest where the two laws agree, and at alpha = 2 it no longer sees the spread. Where: paper sec. 3.2.

With ``v`` the variance of a difference and ``d`` the distance of its mean from 0, in two dimensions,
``E|x|^alpha = (2 v)^(alpha/2) Gamma(1 + alpha/2) 1F1(-alpha/2; 1; -d^2 / 2 v)``: the only formula behind the curves.

App tab: Energy score. Notebook: 05.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.toolkit.energy import energy_score

MAX_SAMPLES, MAX_TARGETS = 64, 128
LIMIT = 3.0  # the plane reaches from -3 to 3
MAX_SPREAD = 1.5
CURVE_POINTS = 76
FAR = 40.0  # d^2 / 2 v from which the asymptotic series is exact to 1e-9


@dataclass(frozen=True)
class Plane:
    """What a visitor can set.

    Attributes:
        alpha: exponent of the distance, in (0, 2].
        num_samples: N, samples of the model.
        num_targets: M, samples of the target.
        cloud: centre of the model's cloud.
        spread: its standard deviation in each coordinate.
        target: centre of the target.
        target_spread: its standard deviation in each coordinate.
        seed: of the noise; sample i keeps its noise whatever the other settings.
    """

    alpha: float = 1.0
    num_samples: int = 16
    num_targets: int = 64
    cloud: tuple[float, float] = (-1.1, -0.6)
    spread: float = 0.3
    target: tuple[float, float] = (0.8, 0.5)
    target_spread: float = 0.6
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuse what no plane can show."""
        if not 2 <= self.num_samples <= MAX_SAMPLES:
            raise InputError(f"N = {self.num_samples} samples: choose 2 to {MAX_SAMPLES}")
        if not 1 <= self.num_targets <= MAX_TARGETS:
            raise InputError(f"M = {self.num_targets} targets: choose 1 to {MAX_TARGETS}")
        for spread in (self.spread, self.target_spread):
            if not 0 <= spread <= MAX_SPREAD:
                raise InputError(f"a spread of {spread:g} does not fit the plane: choose 0 to {MAX_SPREAD:g}")
        if not 0 < self.alpha <= 2:
            raise InputError(f"alpha must lie in (0, 2], not {self.alpha:g}: beyond 2 the score is not proper")


@dataclass(frozen=True, eq=False)
class PlaneReading:
    """The score of a plane and how it moves the samples.

    Attributes:
        samples: points of the model, (N, 2).
        targets: points of the target, (M, 2).
        diversity: mean distance^alpha between two samples.
        fidelity: mean distance^alpha between a sample and a target.
        score: diversity - 2 fidelity.
        apart: N times the gradient of the diversity at each sample, (N, 2).
        closer: N times the gradient of -2 fidelity at each sample, (N, 2).
        expected: the score's expectation over all draws.
        best: the expectation where the model's law is the target's: no law does better.
    """

    samples: Tensor
    targets: Tensor
    diversity: float
    fidelity: float
    score: float
    apart: Tensor
    closer: Tensor
    expected: float
    best: float

    def rows(self) -> list[dict[str, Any]]:
        """One row a point: kind, place, and for samples the two parts of the arrow."""
        moved = zip(self.samples.tolist(), self.apart.tolist(), self.closer.tolist(), strict=True)
        return [
            {"kind": "sample", "x": x, "y": y, "apart_x": a, "apart_y": b, "closer_x": c, "closer_y": d}
            for (x, y), (a, b), (c, d) in moved
        ] + [{"kind": "target", "x": x, "y": y} for x, y in self.targets.tolist()]


def plane_noise(seed: int) -> tuple[Tensor, Tensor]:
    """Standard normal noise for as many samples (64, 2) and targets (128, 2) as a plane may have, to 3 decimals.

    Three decimals, so that a page which is sent the numbers as text computes from the very same ones.
    """
    stream = generator(seed)
    return (
        torch.randn(MAX_SAMPLES, 2, generator=stream, dtype=torch.float64).round(decimals=3),
        torch.randn(MAX_TARGETS, 2, generator=stream, dtype=torch.float64).round(decimals=3),
    )


def read_plane(plane: Plane) -> PlaneReading:
    """Score the plane with ``calm_lab.energy_score`` and take its gradient at every sample."""
    noise, target_noise = plane_noise(plane.seed)
    samples = noise.new_tensor(plane.cloud) + plane.spread * noise[: plane.num_samples]  # (N, 2)
    targets = noise.new_tensor(plane.target) + plane.target_spread * target_noise[: plane.num_targets]  # (M, 2)
    samples.requires_grad_()
    with torch.enable_grad():
        result = energy_score(samples, targets, plane.alpha)
        (apart,) = torch.autograd.grad(result.diversity, samples, retain_graph=True)
        (closer,) = torch.autograd.grad(-2 * result.fidelity, samples)
    return PlaneReading(
        samples.detach(),
        targets,
        float(result.diversity.detach()),
        float(result.fidelity.detach()),
        float(result.score.detach()),
        plane.num_samples * apart,
        plane.num_samples * closer,
        expected_score(math.dist(plane.cloud, plane.target), plane.spread, plane.target_spread, plane.alpha),
        expected_score(0.0, plane.target_spread, plane.target_spread, plane.alpha),
    )


def expected_score(distance: float, spread: float, target_spread: float, alpha: float) -> float:
    """The energy score's expectation for two round Gaussians on the plane.

    Args:
        distance: between their centres.
        spread: standard deviation of the model's samples in each coordinate.
        target_spread: the same of the targets.
        alpha: exponent, in (0, 2].

    Returns:
        E|x' - x''|^alpha - 2 E|x - y|^alpha.
    """
    apart = mean_power(np.zeros(1), 2 * spread**2, alpha)
    across = mean_power(np.array([distance]), spread**2 + target_spread**2, alpha)
    return float(apart[0] - 2 * across[0])


def spread_curve(plane: Plane) -> list[tuple[float, float]]:
    """The expected score against the spread of the model's cloud, all else as it is: (spread, score) pairs."""
    distance = math.dist(plane.cloud, plane.target)
    spreads = [MAX_SPREAD * i / (CURVE_POINTS - 1) for i in range(CURVE_POINTS)]
    return [(spread, expected_score(distance, spread, plane.target_spread, plane.alpha)) for spread in spreads]


def mean_power(distances: NDArray[np.float64], variance: float, alpha: float) -> NDArray[np.float64]:
    """``E|x|^alpha`` for x on the plane, Gaussian around a mean that far from 0, with that variance a coordinate.

    Args:
        distances: of the means from 0, any shape.
        variance: of each coordinate, at least 0.
        alpha: exponent, in (0, 2].
    """
    if variance == 0:
        return distances**alpha
    z = distances**2 / (2 * variance)
    near, half = np.minimum(z, FAR), alpha / 2
    # 1F1(-a; 1; -z) = exp(-z) 1F1(1 + a; 1; z), whose terms are all positive
    term = np.exp(-near)
    total = term.copy()
    for k in range(160):
        term = term * near * (1 + half + k) / (k + 1) ** 2
        total += term
    close = (2 * variance) ** half * math.gamma(1 + half) * total
    far, step = np.ones_like(z), np.ones_like(z)
    for k in range(8):
        step = step * (k - half) ** 2 / ((k + 1) * np.maximum(z, FAR))
        far += step
    return np.where(z <= FAR, close, distances**alpha * far)
