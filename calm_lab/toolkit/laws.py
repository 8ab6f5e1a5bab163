"""Laws of known chunks, and what each temperature sampler makes of them (paper sec. 5, Theorems 2 and 3).

Everything here takes the probabilities P themselves, which a CALM cannot give: it is the yardstick for lessons and
tests. ``tempered`` is the law both samplers aim at, ``expected_calls`` what the exact one costs, ``acceptance_rate``
how many of its trials succeed, and ``batch_bias`` the law that batch sampling really has with a pool of N draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.toolkit.drawing import inverse_cdf, uniforms
from calm_lab.toolkit.temperature import split_exponent, weights_from_counts

SUM_TOLERANCE = 1e-4  # float32 probabilities over a large vocabulary add up to 1 no better than this


def check_probabilities(probabilities: Tensor) -> Tensor:
    """A law as float64 that sums to 1.

    Args:
        probabilities: numbers >= 0 that sum to 1 within 1e-4, shape (X,).

    Returns:
        float64 (X,), divided by its sum.

    Raises:
        InputError: for another shape, a negative or non-finite entry, or another sum.
    """
    law = torch.as_tensor(probabilities, dtype=torch.float64).detach()
    if law.ndim != 1 or law.numel() == 0:
        raise InputError(f"probabilities have shape {tuple(law.shape)}: give one law of shape (X,) with X >= 1")
    if not bool(torch.isfinite(law).all()) or bool((law < 0).any()):
        raise InputError("probabilities must be finite and not negative")
    total = float(law.sum())
    if abs(total - 1) > SUM_TOLERANCE:
        raise InputError(f"probabilities sum to {total:.6g}: divide them by their sum")
    return law / total


def _log_power_sum(law: Tensor, exponent: float) -> float:
    """Logarithm of the sum over P(x) > 0 of P(x)^exponent; logs keep tiny powers from vanishing."""
    return float(torch.logsumexp(exponent * law[law > 0].log(), 0))


def tempered(probabilities: Tensor, temperature: float) -> Tensor:
    """The law at a temperature: ``P_T(x) = P(x)^(1/T) / Z_T``.

    Args:
        probabilities: P, shape (X,).
        temperature: T in (0, 1].

    Returns:
        float64 (X,).

    Raises:
        InputError: for a bad law or temperature.
    """
    law = check_probabilities(probabilities)
    n, a = split_exponent(temperature)
    return torch.softmax((n + a) * law.log(), 0)


def acceptance_rate(probabilities: Tensor, temperature: float) -> float:
    """Z_T, the share of Algorithm 1's trials that are accepted: ``Z_T = sum_x P(x)^(1/T)``.

    Args:
        probabilities: P, shape (X,).
        temperature: T in (0, 1].

    Returns:
        Z_T in [0, 1]; 0 where it is too small for a float.

    Raises:
        InputError: for a bad law or temperature.
    """
    n, a = split_exponent(temperature)
    return math.exp(min(_log_power_sum(check_probabilities(probabilities), n + a), 0.0))


def expected_calls(probabilities: Tensor, temperature: float) -> float:
    """Mean draws Algorithm 1 uses for one sample (Theorem 2).

    ``E[calls] = (n + 1{a > 0} sum_x P(x)^(1/T - 1)) / Z_T`` with 1/T = n + a. Every trial is charged its n draws of
    stage 1, also where the second already differs from the first.

    Args:
        probabilities: P, shape (X,).
        temperature: T in (0, 1].

    Returns:
        The mean number of calls, at least 1; infinite where it does not fit a float.

    Raises:
        InputError: for a bad law or temperature.
    """
    law = check_probabilities(probabilities)
    n, a = split_exponent(temperature)
    stage2 = math.exp(_log_power_sum(law, n + a - 1)) if a > 0 else 0.0
    try:
        return max((n + stage2) * math.exp(-_log_power_sum(law, n + a)), 1.0)
    except OverflowError:
        return math.inf


@dataclass(frozen=True, eq=False)
class BatchLaw:
    """The law of Algorithm 2 for a known P, a given n and a pool of N draws.

    Attributes:
        probabilities: float64 (X,); P_alg(x; N).
        standard_errors: float64 (X,); of the simulation, 0 where the law was summed exactly.
        n_reached: probability that the pool holds some chunk n times, so that no fall-back was needed.
        exact: whether every pool was enumerated.
    """

    probabilities: Tensor
    standard_errors: Tensor
    n_reached: float
    exact: bool


def batch_bias(
    probabilities: Tensor,
    n: int,
    pool: int,
    *,
    generator: torch.Generator | None = None,
    simulations: int = 20_000,
    enumerate_up_to: int = 200_000,
) -> BatchLaw:
    """The law of Algorithm 2 with a pool of N draws, to be held against ``tempered(P, 1/n)`` (Theorem 3).

    All tables of counts are enumerated where there are few of them; else pools are drawn, and the choice inside each
    pool is averaged, not drawn, which keeps the noise small.

    Args:
        probabilities: P, shape (X,).
        n: 1/T, at least 1.
        pool: N >= 1 draws.
        generator: stream of the simulated pools. None: torch's default stream.
        simulations: pools to draw where enumeration is too long, at least 2.
        enumerate_up_to: the most tables of counts to enumerate.

    Returns:
        The law, its standard errors, and how often n was reached.

    Raises:
        InputError: for a bad law, n < 1, an empty pool or fewer than 2 simulations.
    """
    law = check_probabilities(probabilities)
    if pool < 1:
        raise InputError(f"a pool of {pool} draws holds nothing: use at least 1")
    if simulations < 2:
        raise InputError(f"{simulations} simulated pools give no standard error: use at least 2")
    support = law > 0
    inside = law[support]
    outcome = torch.zeros_like(law)
    error = torch.zeros_like(law)
    tables = math.comb(pool + inside.numel() - 1, inside.numel() - 1)
    if tables <= enumerate_up_to:
        counts = _all_counts(pool, inside.numel(), law.device)  # (tables, X)
        seen = counts.to(torch.float64)
        log_mass = math.lgamma(pool + 1) + (seen * inside.log() - torch.lgamma(seen + 1)).sum(-1)
        mass = log_mass.exp()  # (tables,)
        chosen, n_used = weights_from_counts(counts, n)
        outcome[support] = mass @ chosen / mass.sum()  # the sum is 1 up to rounding
        return BatchLaw(outcome, error, float(mass[n_used == n].sum().clamp(max=1)), True)
    total, squares = torch.zeros_like(inside), torch.zeros_like(inside)
    reached = 0
    cumulative = inside.cumsum(0)
    block = max(1, 4_000_000 // (pool + inside.numel()))  # bounds memory
    for start in range(0, simulations, block):
        rows = min(block, simulations - start)
        draws = inverse_cdf(cumulative, uniforms((rows, pool), law.device, generator))
        counts = torch.zeros(rows, inside.numel(), dtype=torch.int64, device=law.device)
        counts.scatter_add_(1, draws, torch.ones_like(draws))
        chosen, n_used = weights_from_counts(counts, n)
        total += chosen.sum(0)
        squares += chosen.square().sum(0)
        reached += int((n_used == n).sum())
    mean = total / simulations
    variance = (squares / simulations - mean.square()).clamp(min=0) * simulations / (simulations - 1)
    outcome[support] = mean
    error[support] = (variance / simulations).sqrt()
    return BatchLaw(outcome, error, reached / simulations, False)


def _all_counts(total: int, parts: int, device: torch.device) -> Tensor:
    """Every way to write ``total`` as an ordered sum of ``parts`` whole numbers >= 0: int64 (tables, parts)."""
    rows = torch.zeros(1, 0, dtype=torch.int64, device=device)
    left = torch.full((1,), total, dtype=torch.int64, device=device)
    for _ in range(parts - 1):
        index = torch.arange(left.numel(), device=device).repeat_interleave(left + 1)
        offset = (left + 1).cumsum(0) - (left + 1)
        value = torch.arange(index.numel(), device=device) - offset[index]  # 0..left for each row
        rows = torch.cat([rows[index], value.unsqueeze(1)], dim=1)
        left = left[index] - value
    return torch.cat([rows, left.unsqueeze(1)], dim=1)
