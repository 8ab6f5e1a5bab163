"""A small network learns a law of two modes from the energy score alone (paper sec. 3.2, 3.3).

What: noise of two numbers, fresh at every step, becomes a point on the plane, as the generative head makes a vector;
the loss is minus the energy score of N such points against M targets. Why: at alpha = 1 the score is strictly proper,
so both modes and their shares are found; at alpha = 2 its expectation is ``-2 |mean - mean'|^2`` and a constant, so
only the mean is right.

App tab: Energy score. Notebook: 05.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.lab.energy_plane import mean_power
from calm_lab.toolkit.energy import energy_score

SHARES = (0.6, 0.4)
CENTRES = ((-1.0, 1.0), (1.4, -0.4))
SPREAD = 0.2
NEAR = 3.0  # a point this many standard deviations from a centre, or nearer, belongs to that mode
NOISE = 2
NOISE_WIDTH = math.sqrt(12)  # uniform noise of variance 1
SHOWN = 256
POSITIONS = 32  # independent groups of N samples in a step, as a batch of positions in a text
STEPS = 400
LEARNING_RATE = 1e-2


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The network after some steps, seen on noise that stays the same during a run.

    Attributes:
        step: steps taken.
        points: what it draws, (256, 2).
        score: energy score of these points; the fidelity is exact for the target's law.
        off: distance of their mean from the target's.
        shares: part of the points in each mode; the rest lies between or beyond.
        spread: root mean squared distance of the points from their mean.
        seconds: since the start.
    """

    step: int
    points: Tensor
    score: float
    off: float
    shares: tuple[float, float]
    spread: float
    seconds: float


def target_points(count: int, stream: torch.Generator | None = None) -> Tensor:
    """Draws of the two-mode target, (count, 2)."""
    first = torch.rand(count, generator=stream) < SHARES[0]
    centres = torch.tensor(CENTRES)
    centre = torch.where(first.unsqueeze(1), centres[0], centres[1])  # (count, 2)
    return centre + SPREAD * torch.randn(count, 2, generator=stream)


def target_mean() -> tuple[float, float]:
    """The mean of the target's law."""
    x, y = (sum(share * centre[axis] for share, centre in zip(SHARES, CENTRES, strict=True)) for axis in (0, 1))
    return x, y


def target_spread() -> float:
    """Root mean squared distance of the target's points from their mean."""
    gap = (torch.tensor(CENTRES[0]) - torch.tensor(CENTRES[1])).norm()
    return float((2 * SPREAD**2 + SHARES[0] * SHARES[1] * gap**2).sqrt())


def best_score(alpha: float) -> float:
    """The expected score of the target's own law, which no other law exceeds."""
    gap = float((torch.tensor(CENTRES[0]) - torch.tensor(CENTRES[1])).norm())
    same, other = mean_power(np.array([0.0, gap]), 2 * SPREAD**2, alpha)
    return -float((SHARES[0] ** 2 + SHARES[1] ** 2) * same + 2 * SHARES[0] * SHARES[1] * other)


def noise_to_point() -> nn.Sequential:
    """The network: noise (..., 2) to a point (..., 2)."""
    return nn.Sequential(nn.Linear(NOISE, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


def train_two_modes(
    alpha: float = 1.0,
    num_samples: int = 8,
    num_targets: int = 32,
    seed: int = 7,
    steps: int = STEPS,
    snapshots: int = 30,
) -> Iterator[Snapshot]:
    """Fit the network to the two-mode target by the energy score, and look at it now and then.

    Args:
        alpha: exponent of the score, in (0, 2].
        num_samples: N, at least 2.
        num_targets: M, at least 1.
        seed: of weights, noise and targets.
        steps: of AdamW.
        snapshots: looks after the first, evenly spaced.

    Yields:
        A snapshot before the first step and after every further share of the steps.

    Raises:
        InputError: for alpha, N or M out of range, or fewer than one step or look.
    """
    if steps < 1 or not 1 <= snapshots <= steps:
        raise InputError(f"{steps} steps and {snapshots} looks: choose at least 1 step and at most a look a step")
    stream = generator(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = noise_to_point()
    held = _noise(SHOWN, stream=stream)
    looks = {round(steps * i / snapshots) for i in range(1, snapshots + 1)}
    yield _look(model, held, alpha, 0, 0.0)
    start = time.perf_counter()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=LEARNING_RATE / 20)
    for step in range(1, steps + 1):
        noise = _noise(num_samples, POSITIONS, stream=stream)  # (N, B, 2)
        targets = target_points(num_targets * POSITIONS, stream).view(num_targets, POSITIONS, 2)
        with torch.enable_grad():
            loss = -energy_score(model(noise), targets, alpha).score.mean()
            optimizer.zero_grad()
            loss.backward()
        optimizer.step()
        schedule.step()
        if step in looks:
            yield _look(model, held, alpha, step, time.perf_counter() - start)


def _noise(*shape: int, stream: torch.Generator) -> Tensor:
    return NOISE_WIDTH * (torch.rand(*shape, NOISE, generator=stream) - 0.5)


@torch.no_grad()
def _look(model: nn.Module, noise: Tensor, alpha: float, step: int, seconds: float) -> Snapshot:
    points = model(noise)  # (256, 2)
    distances = torch.cdist(points, torch.tensor(CENTRES))  # (256, 2)
    fidelity = mean_power(distances.double().numpy(), SPREAD**2, alpha).mean(0) @ np.array(SHARES)
    diversity = float(energy_score(points, points[:1], alpha).diversity)
    first, second = (distances <= NEAR * SPREAD).float().mean(0).tolist()
    mean = points.mean(0)
    return Snapshot(
        step,
        points,
        diversity - 2 * float(fidelity),
        float((mean - torch.tensor(target_mean())).norm()),
        (first, second),
        float((points - mean).square().sum(1).mean().sqrt()),
        seconds,
    )
