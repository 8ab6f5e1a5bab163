"""A known law at a temperature: what the exact sampler and the batch sampler return, and what it costs them.

What: a law P of a few outcomes, its tempered law P_T, and thousands of draws of both samplers, run on P as on a black
box. Why: a CALM hides its probabilities, so whether its samplers do what they say must be seen where P is known.
Where: paper sec. 5, Algorithms 1 and 2, Theorems 2 and 3. All sampling and all theory is ``calm_lab.toolkit``'s.

App tab: Temperature. Notebook: 08.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.toolkit.exact_many import draws_from, sample_many
from calm_lab.toolkit.laws import acceptance_rate, batch_bias, check_probabilities, expected_calls, tempered
from calm_lab.toolkit.temperature import choose_from_pool, split_exponent

MAX_OUTCOMES = 16
CALLS = 2_000_000  # draws that one measurement may cost
FEWEST = 50  # samples below which nothing is measured: an average of fewer says little
PRESETS: dict[str, tuple[float, ...]] = {
    "three": (0.5, 0.3, 0.2),
    "zipf": tuple(1 / (k * sum(1 / j for j in range(1, 17))) for k in range(1, 17)),
    "even": (0.16, 0.14, 0.13, 0.13, 0.12, 0.11, 0.11, 0.10),
}
MEASURED_AT = (0.15, 0.2, 0.25, 0.3, 1 / 3, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
POOLS = (2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class Measured:
    """A measured mean with its standard error, and what theory says.

    Attributes:
        value: nan where nothing was measured.
        error: standard error.
        theory: the expectation.
    """

    value: float
    error: float
    theory: float


@dataclass(frozen=True)
class ExactRun:
    """Algorithm 1 run many times on one law.

    Attributes:
        temperature: T.
        n: draws in stage 1.
        has_stage2: whether 1/T is no whole number.
        samples: accepted samples; 0 where the price was too high to measure.
        trials: trials they took.
        shares: part of the samples that is each outcome; empty without samples.
        stage1: trials whose n draws agreed / trials.
        stage2: accepted trials / trials past stage 1.
        accepted: accepted trials / trials; its expectation is Z_T.
        calls: draws a sample (Theorem 2).
    """

    temperature: float
    n: int
    has_stage2: bool
    samples: int
    trials: int
    shares: list[float]
    stage1: Measured
    stage2: Measured
    accepted: Measured
    calls: Measured


@dataclass(frozen=True)
class BatchRun:
    """Algorithm 2 run on many pools.

    Attributes:
        n: 1/T.
        pool: N, draws in a pool.
        samples: pools.
        shares: part of the choices that is each outcome.
        law: the law that theory gives for this pool.
        law_errors: its standard errors, 0 where summed exactly.
        reached: pools that held some outcome n times / pools.
    """

    n: int
    pool: int
    samples: int
    shares: list[float]
    law: list[float]
    law_errors: list[float]
    reached: Measured


@dataclass(frozen=True)
class Shortfall:
    """How far the batch sampler stays behind P_T with one size of pool.

    With A the outcomes that the temperature makes more likely, the shortfall is P_T(A) less the sampler's chance of A.
    At N = 1 it is the total variation distance of P and P_T; it tends to 0 as N grows (Theorem 3).

    Attributes:
        pool: N.
        shortfall: measured, and from the sampler's law.
        theory_error: standard error of the law where that was simulated.
        reached: chance that some outcome comes n times.
    """

    pool: int
    shortfall: Measured
    theory_error: float
    reached: float


def check_law(weights: list[float] | tuple[float, ...]) -> Tensor:
    """Weights of 2 to 16 outcomes as a law that sums to 1.

    Raises:
        InputError: for another count, a weight that is negative or no number, or all weights 0.
    """
    if not 2 <= len(weights) <= MAX_OUTCOMES:
        raise InputError(f"a law of {len(weights)} outcomes cannot be shown: give 2 to {MAX_OUTCOMES} weights")
    law = torch.tensor([float(weight) for weight in weights], dtype=torch.float64)
    if not bool(torch.isfinite(law).all()) or bool((law < 0).any()) or not float(law.sum()) > 0:
        raise InputError("weights must be finite, not negative, and not all 0")
    return check_probabilities(law / law.sum())


def run_exact(law: Tensor, temperature: float, samples: int, stream: torch.Generator | None = None) -> ExactRun:
    """Draw many samples by Algorithm 1 and count.

    Args:
        law: P, shape (X,).
        temperature: T in (0, 1].
        samples: how many are wanted; fewer are drawn where they would cost more than ``CALLS`` draws, none where
            fewer than ``FEWEST`` could be paid.
        stream: of all randomness.

    Raises:
        InputError: for a bad law or temperature.
    """
    n, a = split_exponent(temperature)
    price, z = expected_calls(law, temperature), acceptance_rate(law, temperature)
    agree = acceptance_rate(law, 1 / n)
    count = min(samples, int(CALLS / price)) if math.isfinite(price) else 0
    theory = (agree, z / agree if agree else math.nan, z, price)
    if count < min(FEWEST, samples):
        stage1, stage2, accepted, calls = (Measured(math.nan, math.nan, value) for value in theory)
        return ExactRun(temperature, n, a > 0, 0, 0, [], stage1, stage2, accepted, calls)
    run = sample_many(law, temperature, count, stream)
    trials, passed = int(run.trials.sum()), int(run.stage1_accepts.sum())
    spent = run.calls.double()
    shares = torch.bincount(run.values[:, 0], minlength=law.numel()).double() / count
    return ExactRun(
        temperature,
        n,
        a > 0,
        count,
        trials,
        shares.tolist(),
        _share(passed, trials, theory[0]),
        _share(count, passed, theory[1]),
        _share(count, trials, theory[2]),
        Measured(float(spent.mean()), float(spent.std()) / math.sqrt(count), price),
    )


def run_batch(law: Tensor, n: int, pool: int, samples: int, stream: torch.Generator | None = None) -> BatchRun:
    """Choose one outcome from each of many pools by Algorithm 2 at T = 1/n, and count.

    Raises:
        InputError: for a bad law, n < 1 or an empty pool.
    """
    theory = batch_bias(law, n, pool, generator=stream)
    values, reached = _choices(law, n, pool, samples, stream)
    shares = torch.bincount(values, minlength=law.numel()).double() / samples
    return BatchRun(
        n,
        pool,
        samples,
        shares.tolist(),
        theory.probabilities.tolist(),
        theory.standard_errors.tolist(),
        _share(reached, samples, theory.n_reached),
    )


def price_curve(law: Tensor, temperatures: list[float]) -> list[tuple[float, float, float, float]]:
    """Theory at each temperature: (T, calls a sample by Theorem 2, Z_T, chance that stage 1 agrees)."""
    return [
        (t, expected_calls(law, t), acceptance_rate(law, t), acceptance_rate(law, 1 / split_exponent(t)[0]))
        for t in temperatures
    ]


def measure_prices(law: Tensor, samples: int, seed: int) -> list[ExactRun]:
    """``run_exact`` at a dozen temperatures; those too dear to measure have no samples."""
    return [run_exact(law, t, samples, generator(seed + i)) for i, t in enumerate(MEASURED_AT)]


def shortfall_curve(law: Tensor, n: int, samples: int, seed: int) -> list[Shortfall]:
    """The shortfall of the batch sampler at T = 1/n for growing pools, in theory and measured."""
    goal = tempered(law, 1 / n)
    more = goal > law
    points = []
    for i, pool in enumerate(POOLS):
        stream = generator(seed + 100 + i)
        theory = batch_bias(law, n, pool, generator=stream)
        values, _ = _choices(law, n, pool, samples, stream)
        hit = _share(int(more[values].sum()), samples, float(theory.probabilities[more].sum()))
        aim = float(goal[more].sum())
        # the errors of a simulated law add up to at most this
        slack = float(theory.standard_errors[more].sum())
        points.append(Shortfall(pool, Measured(aim - hit.value, hit.error, aim - hit.theory), slack, theory.n_reached))
    return points


def _choices(law: Tensor, n: int, pool: int, samples: int, stream: torch.Generator | None) -> tuple[Tensor, int]:
    """The chosen outcomes (samples,), and how many pools held some outcome n times."""
    rows = torch.arange(samples * pool)
    pools = draws_from(law)(rows, stream).view(samples, pool, 1)
    ids, _, weights = choose_from_pool(pools, n, stream)
    return ids[:, 0], int((weights.n_used == n).sum())


def _share(part: int, whole: int, theory: float) -> Measured:
    if not whole:
        return Measured(math.nan, math.nan, theory)
    share = part / whole
    return Measured(share, math.sqrt(share * (1 - share) / whole), theory)
