"""Both samplers on known laws: what they return, what it costs, and what theory says of it."""

from __future__ import annotations

import math

import pytest
import torch

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.lab import tempering
from calm_lab.lab.tempering import Measured
from calm_lab.toolkit.laws import tempered

THREE = tempering.check_law(tempering.PRESETS["three"])
SIGMAS = 4.5


def near(found: Measured, sigmas: float = SIGMAS) -> bool:
    return abs(found.value - found.theory) <= sigmas * found.error + 1e-12


def test_presets_are_laws() -> None:
    for weights in tempering.PRESETS.values():
        assert float(tempering.check_law(weights).sum()) == pytest.approx(1)
    assert tempering.PRESETS["zipf"][0] == pytest.approx(2 * tempering.PRESETS["zipf"][1])


@pytest.mark.parametrize("temperature", [0.3, 0.4, 0.5, 1.0])
def test_the_exact_sampler_on_a_law_counted_by_hand(temperature: float) -> None:
    """28 numbers within 4.5 standard errors: a false alarm in about 5,000 seeds; the seed is fixed."""
    run = tempering.run_exact(THREE, temperature, 4000, generator(1))
    n = math.floor(1 / temperature)
    z = sum(p ** (1 / temperature) for p in (0.5, 0.3, 0.2))
    assert (run.samples, run.n, run.has_stage2) == (4000, n, 1 / temperature != n)
    assert run.stage1.theory == pytest.approx(sum(p**n for p in (0.5, 0.3, 0.2)))
    assert run.accepted.theory == pytest.approx(z)
    assert run.stage1.theory * run.stage2.theory == pytest.approx(z)
    assert run.stage1.value * run.stage2.value == pytest.approx(run.accepted.value)
    assert all(map(near, (run.stage1, run.stage2, run.accepted, run.calls)))
    for share, p in zip(run.shares, tempered(THREE, temperature).tolist(), strict=True):
        assert abs(share - p) <= SIGMAS * math.sqrt(p * (1 - p) / 4000)


def test_what_is_too_dear_is_not_measured_but_its_price_is_told() -> None:
    even = tempering.check_law([1.0] * 16)
    run = tempering.run_exact(even, 0.1, 4000, generator(1))
    assert (run.samples, run.trials, run.shares) == (0, 0, [])
    assert run.calls.theory == pytest.approx(10 * 16.0**9)
    assert math.isnan(run.calls.value)
    dear = tempering.run_exact(even, 0.25, 4000, generator(1))  # 16,384 calls a sample
    assert 50 <= dear.samples == tempering.CALLS // (4 * 16**3) < 4000
    assert near(dear.calls)


@pytest.mark.parametrize(("n", "pool"), [(1, 1), (2, 4), (3, 16)])
def test_the_batch_sampler_has_the_law_that_theory_gives(n: int, pool: int) -> None:
    """Four numbers in three cases within 4.5 standard errors: a false alarm in about 12,000 seeds; fixed seed."""
    run = tempering.run_batch(THREE, n, pool, 4000, generator(2))
    assert near(run.reached)
    assert run.law_errors == [0.0] * 3
    for share, p in zip(run.shares, run.law, strict=True):
        assert abs(share - p) <= SIGMAS * math.sqrt(p * (1 - p) / 4000)


def test_two_draws_at_one_half_by_hand() -> None:
    """A pool of two agrees on x with P(x)^2, else gives one of the two: so P(x)^2 + P(x) (1 - P(x)) = P(x)."""
    run = tempering.run_batch(THREE, 2, 2, 100, generator(0))
    assert run.law == pytest.approx([0.5, 0.3, 0.2])
    assert run.reached.theory == pytest.approx(0.38)


def test_the_shortfall_shrinks_from_the_distance_of_both_laws_to_nothing() -> None:
    """Eight dots within 4.5 standard errors of their line: a false alarm in about 18,000 seeds; the seed is fixed."""
    points = tempering.shortfall_curve(THREE, 2, 2000, seed=7)
    assert [point.pool for point in points] == list(tempering.POOLS)
    distance = 0.5 * float((tempered(THREE, 0.5) - THREE).abs().sum())
    assert points[0].shortfall.theory == pytest.approx(distance)  # two draws at 1/2 have the law P
    theory = [point.shortfall.theory for point in points]
    assert theory == sorted(theory, reverse=True)
    assert 0 < theory[-1] < 0.01
    for point in points:
        slack = SIGMAS * (point.shortfall.error + point.theory_error)
        assert abs(point.shortfall.value - point.shortfall.theory) <= slack
    assert points[-1].reached == pytest.approx(1)


def test_at_temperature_one_nothing_falls_short() -> None:
    assert {point.shortfall.theory for point in tempering.shortfall_curve(THREE, 1, 100, seed=7)} == {0.0}


def test_prices_follow_theorem_2_and_are_measured_beside_it() -> None:
    """39 numbers within 4.5 standard errors: a false alarm in about 3,700 seeds; the seed is fixed."""
    runs = tempering.measure_prices(THREE, 300, seed=7)
    assert [run.temperature for run in runs] == list(tempering.MEASURED_AT)
    curve = tempering.price_curve(THREE, [run.temperature for run in runs])
    for run, (t, calls, z, stage1) in zip(runs, curve, strict=True):
        assert (t, calls, z, stage1) == (run.temperature, run.calls.theory, run.accepted.theory, run.stage1.theory)
        assert near(run.calls)
        assert near(run.accepted)
        assert near(run.stage1)
    again = tempering.measure_prices(THREE, 300, seed=7)
    assert runs == again


@pytest.mark.parametrize("weights", [[], [1.0], [1.0] * 17, [0.0, 0.0], [1.0, -0.1], [1.0, math.nan], [math.inf, 1.0]])
def test_what_is_no_law_is_refused(weights: list[float]) -> None:
    with pytest.raises(InputError):
        tempering.check_law(weights)
    assert torch.allclose(tempering.check_law([2, 6]), torch.tensor([0.25, 0.75], dtype=torch.float64))
