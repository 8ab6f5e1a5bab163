"""The price estimate: right by brute force where the pool can show it, and a true lower bound where it cannot.

Statistical tests have fixed seeds; what a fresh seed would do is said in each docstring.
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.toolkit.exact_many import draws_from
from calm_lab.toolkit.laws import expected_calls
from calm_lab.toolkit.price import CallEstimate, estimate_calls
from calm_lab.toolkit.temperature import split_exponent

THREE = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
ZIPF = 1 / torch.arange(1, 17, dtype=torch.float64)
ZIPF = ZIPF / ZIPF.sum()
TAIL = 1 / torch.arange(1, 1_000_001, dtype=torch.float64)
TAIL = TAIL / TAIL.sum()


def estimates(law: Tensor, temperature: float, pool: int, repetitions: int) -> list[CallEstimate]:
    draw, stream = draws_from(law), torch.Generator().manual_seed(0)
    return [estimate_calls(draw(torch.arange(pool), stream), temperature) for _ in range(repetitions)]


def averaged_over_orders(pool: list[int], temperature: float) -> float:
    """A trial on every order of the pool, coins averaged; what is undecided at the end counts as a success."""
    n, a = split_exponent(temperature)
    calls = success = 0.0
    for order in itertools.permutations(pool):
        calls += n
        if len(set(order[:n])) > 1:
            continue
        going = 1.0
        if a > 0:
            for i, draw in enumerate(order[n:], start=1):
                calls += going
                if draw == order[0]:
                    success += going
                    going = 0.0
                going *= 1 - a / i
        success += going
    return calls / success


@pytest.mark.parametrize("temperature", [0.3, 1 / 3, 0.4, 0.5, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("pool", [[0, 0, 0, 1, 1, 2], [0, 0, 0, 0, 0], [2, 2, 1, 2, 0, 2, 1]])
def test_the_estimate_is_a_trial_averaged_over_all_orders(pool: list[int], temperature: float) -> None:
    ours = estimate_calls(torch.tensor(pool).unsqueeze(1), temperature)
    assert ours.calls == pytest.approx(averaged_over_orders(pool, temperature), rel=1e-9)


@pytest.mark.parametrize(
    ("law", "pool", "temperature"),
    [(THREE, 300, 0.3), (THREE, 300, 0.5), (THREE, 300, 0.7), (ZIPF, 600, 0.4), (ZIPF, 600, 0.9)],
)
def test_the_interval_covers_the_price(law: Tensor, pool: int, temperature: float) -> None:
    """60 pools: at least 49 of the intervals hold the truth. Where 92% do, one fresh run in 400 would fail."""
    price = expected_calls(law, temperature)
    found = estimates(law, temperature, pool, 60)
    assert sum(estimate.low <= price <= estimate.high for estimate in found) >= 49
    middle = sorted(estimate.calls for estimate in found)[30]
    assert middle == pytest.approx(price, rel=0.1)
    assert not any(estimate.lower_bound for estimate in found)


@pytest.mark.parametrize("temperature", [0.7, 0.9])
def test_a_heavy_tail_gives_a_lower_bound_in_words(temperature: float) -> None:
    """A pool of 500 of a million chunks: the true price is far above what it shows, and it says so."""
    price = expected_calls(TAIL, temperature)
    for estimate in estimates(TAIL, temperature, 500, 10):
        assert estimate.lower_bound
        assert estimate.low <= estimate.calls < price
        assert str(estimate).startswith("at least about")


def test_without_repeats_there_is_only_a_bound() -> None:
    pool = torch.arange(200).unsqueeze(1)
    estimate = estimate_calls(pool, 0.5)
    assert (estimate.calls, estimate.high, estimate.repeats, estimate.lower_bound) == (math.inf, math.inf, 0, True)
    assert str(estimate).startswith("at least 85.1 calls")
    # Its meaning: the largest p with a 5% chance to come fewer than twice in 200 draws, and a price of 2 / p at least.
    p = 2 / estimate.low
    assert (1 - p) ** 200 + 200 * p * (1 - p) ** 199 == pytest.approx(0.05, rel=1e-6)
    assert estimate_calls(pool, 0.4).low > estimate.low


@pytest.mark.parametrize(("temperature", "n"), [(0.5, 2), (1 / 3, 3)])
def test_the_bound_without_repeats_is_wrong_in_one_pool_of_twenty_at_worst(temperature: float, n: int) -> None:
    """At worst: one chunk as likely as the bound supposes it to be at most, all others different.

    Four standard errors of 2,000 pools: one false alarm in 16,000 under a fresh seed. A bound of twice that likelihood
    would leave 0.1% of pools, one of half of it a third, without a repeat.
    """
    size, pools, stream = 45, 2_000, torch.Generator().manual_seed(0)
    bound = estimate_calls(torch.arange(size).unsqueeze(1), temperature).low
    likely = (n / bound) ** (1 / (n - 1))
    others = torch.arange(1, size + 1)
    draws = [torch.where(torch.rand(size, generator=stream) < likely, 0, others) for _ in range(pools)]
    alone = sum(estimate_calls(pool.unsqueeze(1), temperature).repeats == 0 for pool in draws)
    assert abs(alone / pools - 0.05) < 4 * math.sqrt(0.05 * 0.95 / pools)


def test_plain_sampling_costs_one_call() -> None:
    estimate = estimate_calls(torch.tensor([[3]]), 1.0)
    assert estimate.calls == 1
    assert str(estimate_calls(torch.arange(50).unsqueeze(1), 1.0)) == "about 1 calls a sample (95%: 1 to 1)"


def test_bad_input_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="draw 3 at least"):
        estimate_calls(torch.zeros(2, 1, dtype=torch.int64), 0.4)
    with pytest.raises(InputError, match="draw 2 at least"):
        estimate_calls(torch.zeros(0, 1, dtype=torch.int64), 0.5)
    with pytest.raises(InputError, match="whole-number"):
        estimate_calls(torch.zeros(5, 1), 0.5)
    with pytest.raises(InputError, match="can only reject"):
        estimate_calls(torch.zeros(5, 1, dtype=torch.int64), 1.5)


@given(st.lists(st.integers(0, 5), min_size=8, max_size=60), st.sampled_from([0.15, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0]))
def test_an_estimate_is_always_in_order(pool: list[int], temperature: float) -> None:
    estimate = estimate_calls(torch.tensor(pool).unsqueeze(1), temperature)
    n, _ = split_exponent(temperature)
    assert n - 1e-9 <= estimate.low <= estimate.calls <= estimate.high
    assert estimate.pool == len(pool)
    assert estimate.repeats == sum(pool.count(x) >= n for x in set(pool))
    assert math.isinf(estimate.calls) == (estimate.repeats == 0)
    assert "nan" not in str(estimate)
