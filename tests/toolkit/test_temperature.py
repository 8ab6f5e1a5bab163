"""Batch sampling (Algorithm 2): equal to the official weights, right by brute force, and its bias as a function of N.

Statistical tests have fixed seeds; with a fresh seed each would fail by chance about once in 1,000 runs (chi-square
p > 0.001) or less (4.5 standard errors).
"""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from scipy import stats
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.toolkit.laws import batch_bias, tempered
from calm_lab.toolkit.temperature import (
    check_temperature,
    choose_from_pool,
    count_chunks,
    inverse_cdf,
    reciprocal,
    split_exponent,
    temperature_weights,
    temperature_weights_batch,
    uniforms,
    weights_from_counts,
)
from tests.model.golden import GOLDEN, needs_golden

THREE = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)

POOLS = st.integers(1, 3).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 2), min_size=k, max_size=k), min_size=1, max_size=12)
)


def by_hand(pool: list[tuple[int, ...]], n: int) -> tuple[dict[tuple[int, ...], Fraction], int]:
    """Algorithm 2 in fractions: the law of the choice and the n in effect."""
    counts = Counter(pool)
    for m in range(n, 0, -1):
        weights = {chunk: math.comb(count, m) for chunk, count in counts.items() if count >= m}
        if weights:
            total = sum(weights.values())
            return {chunk: Fraction(weight, total) for chunk, weight in weights.items()}, m
    raise AssertionError("an empty pool")


# --- the dial


def test_the_exponent_of_a_whole_number_has_no_rest() -> None:
    for n in range(1, 2000):
        assert split_exponent(1 / n) == (n, 0.0)
    whole, rest = split_exponent(0.4)
    assert (whole, rest) == (2, pytest.approx(0.5))
    whole, rest = split_exponent(0.9)
    assert (whole, rest) == (1, pytest.approx(1 / 9))


@given(st.floats(1e-6, 1.0, exclude_min=True))
def test_the_exponent_adds_up(temperature: float) -> None:
    n, a = split_exponent(temperature)
    assert n >= 1
    assert 0 <= a < 1
    assert n + a == pytest.approx(1 / temperature, rel=1e-8)


@pytest.mark.parametrize(
    ("temperature", "n"),
    [(1, 1), (0.5, 2), (1 / 3, 3), (0.3333, 3), (0.33, 3), (0.25, 4), (0.167, 6), (0.1429, 7), (0.11, 9), (0.1, 10)],
)
def test_people_write_a_third_as_they_like(temperature: float, n: int) -> None:
    assert reciprocal(temperature) == n


def test_other_temperatures_name_their_neighbours() -> None:
    with pytest.raises(InputError, match=r"0\.4 is not 1/n: .* 1/2 = 0\.5 or 1/3 = 0\.3333"):
        reciprocal(0.4)
    with pytest.raises(InputError, match=r"1/1 = 1 or 1/2 = 0\.5"):
        reciprocal(0.98)


@pytest.mark.parametrize("function", [reciprocal, check_temperature, split_exponent])
@pytest.mark.parametrize(
    ("temperature", "words"),
    [
        (1.0001, "can only reject"),
        (math.inf, "can only reject"),
        (0, "not above 0"),
        (-0.5, "not above 0"),
        (math.nan, "not above 0"),
        ("warm", "not a number"),
        (None, "not a number"),
    ],
)
def test_impossible_temperatures(function, temperature, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=words):
        function(temperature)


# --- the weights


@needs_golden
@pytest.mark.parametrize("name", ["zipf", "distinct", "pairs"])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_equals_the_official_choice(name: str, n: int) -> None:
    """Exactly the recorded probabilities; and the official draws follow ours (chi-square as the record says)."""
    golden = load_file(GOLDEN / "temperature_sampling.safetensors")
    record = json.loads((GOLDEN / "temperature_sampling.json").read_text())[f"{name}_n{n}"]
    chunks, counts = count_chunks(golden[f"{name}_pool"])
    assert torch.equal(chunks, golden[f"{name}_unique"])
    assert torch.equal(counts.double(), golden[f"{name}_counts"].double())
    candidates, probabilities, n_used = temperature_weights(golden[f"{name}_pool"], n)
    assert n_used == record["n_used"]
    wanted = golden[f"{name}_n{n}_prob"]
    assert torch.equal(candidates, chunks[wanted > 0])
    assert torch.equal(probabilities, wanted[wanted > 0])
    observed = golden[f"{name}_n{n}_hist"].double()[wanted > 0]
    expected = probabilities * record["draws"]
    assert float(((observed - expected).square() / expected).sum()) == pytest.approx(record["chi2"], abs=0.006)
    assert float(observed.sum()) == record["draws"]


def test_the_papers_example() -> None:
    pool = torch.tensor([["ABCDEFG".index(letter)] for letter in "ACADBEAFBG"])
    candidates, probabilities, n_used = temperature_weights(pool, 2)
    assert candidates.tolist() == [[0], [1]]
    assert probabilities.tolist() == [0.75, 0.25]
    assert n_used == 2


@given(POOLS, st.integers(1, 6))
def test_weights_by_hand(rows: list[list[int]], n: int) -> None:
    pool = torch.tensor(rows)
    candidates, probabilities, n_used = temperature_weights(pool, n)
    law, used = by_hand([tuple(row) for row in rows], n)
    assert n_used == used
    assert probabilities.dtype == torch.float64
    assert [tuple(row) for row in candidates.tolist()] == sorted(law)
    assert probabilities.tolist() == pytest.approx([float(law[chunk]) for chunk in sorted(law)], rel=1e-14)


@given(st.integers(0, 4), st.integers(1, 9), st.integers(1, 3), st.integers(1, 5), st.integers(0, 1000))
def test_a_batch_of_pools_is_pool_by_pool(batch: int, size: int, width: int, n: int, seed: int) -> None:
    pools = torch.randint(0, 2, (batch, size, width), generator=torch.Generator().manual_seed(seed))
    weights = temperature_weights_batch(pools, n)
    assert weights.probabilities.shape == weights.counts.shape == (batch, size)
    assert weights.n_used.shape == (batch,)
    for pool, probabilities, counts, n_used in zip(
        pools, weights.probabilities, weights.counts, weights.n_used, strict=True
    ):
        candidates, single, used = temperature_weights(pool, n)
        assert int(n_used) == used
        chosen = probabilities > 0
        order = sorted(range(int(chosen.sum())), key=pool[chosen].tolist().__getitem__)
        assert torch.equal(pool[chosen][order], candidates)
        assert torch.equal(probabilities[chosen][order], single)
        assert sorted(counts[counts > 0].tolist()) == sorted(count_chunks(pool)[1].tolist())


def test_large_ids_do_not_collide() -> None:
    big = 2**31 - 1
    pool = torch.tensor([[big, 0, big, 1], [big, 0, big, 2], [0, big, big, 1], [big, 0, big, 1]])
    chunks, counts = count_chunks(pool)
    assert chunks.tolist() == [[0, big, big, 1], [big, 0, big, 1], [big, 0, big, 2]]
    assert counts.tolist() == [1, 2, 1]


def test_large_n_does_not_overflow() -> None:
    counts = torch.tensor([6000, 5000, 10])
    probabilities, n_used = weights_from_counts(counts, 300)
    exact = math.comb(5000, 300) / (math.comb(6000, 300) + math.comb(5000, 300))
    assert int(n_used) == 300
    assert probabilities.tolist() == pytest.approx([1 - exact, exact, 0], rel=1e-10)
    assert exact > 0


def test_choices_follow_the_weights() -> None:
    """20,000 choices from one pool, chi-square p > 0.001, and never a chunk of weight 0."""
    pool = torch.tensor([[1], [2], [2], [3], [3], [3], [9]])
    ids, index, weights = choose_from_pool(
        pool.expand(20_000, -1, -1).contiguous(), 2, torch.Generator().manual_seed(0)
    )
    assert torch.equal(ids, pool[index])
    observed = torch.bincount(ids.squeeze(1), minlength=10)
    assert observed[[1, 9]].sum() == 0
    assert stats.chisquare(observed[[2, 3]].numpy(), [5000, 15000]).pvalue > 0.001
    assert weights.probabilities[0].tolist() == [0, 0.25, 0, 0.75, 0, 0, 0]


def test_a_choice_is_determined_by_its_seed() -> None:
    pools = torch.randint(0, 4, (32, 20, 2), generator=torch.Generator().manual_seed(1))
    first, again, other = (choose_from_pool(pools, 2, torch.Generator().manual_seed(seed))[1] for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(0, 1000))
def test_the_inverse_cdf_never_takes_a_weight_of_zero(weights: list[int], seed: int) -> None:
    if not sum(weights):
        weights = [*weights, 1]
    table = torch.tensor(weights, dtype=torch.float64) / 7  # sums that are not 1
    extremes = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)
    uniform = torch.cat([extremes, uniforms((50,), extremes.device, torch.Generator().manual_seed(seed))])
    index = inverse_cdf(table.cumsum(0), uniform)
    assert bool((table[index] > 0).all())
    assert int(index[0]) == next(i for i, weight in enumerate(weights) if weight)
    assert int(index[1]) == max(i for i, weight in enumerate(weights) if weight)


def test_bad_pools_are_refused_in_words() -> None:
    good = torch.zeros(3, 2, dtype=torch.int64)
    for pool, words in [
        (good[:0], "empty"),
        (good[:, :0], "empty"),
        (good[0], r"must be \(N, K\)"),
        (good.float(), "whole-number"),
        (good - 1, "negative"),
    ]:
        with pytest.raises(InputError, match=words):
            temperature_weights(pool, 2)
    with pytest.raises(InputError, match=r"must be \(B, N, K\)"):
        temperature_weights_batch(good, 2)
    with pytest.raises(InputError, match="empty"):
        temperature_weights_batch(torch.zeros(2, 0, 1, dtype=torch.int64), 2)
    with pytest.raises(InputError, match="below 1"):
        temperature_weights(good, 0)
    with pytest.raises(InputError, match="not a whole number"):
        temperature_weights(good, 1.5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="holds no sample"):
        weights_from_counts(torch.tensor([[0, 1], [0, 0]]), 1)


# --- the bias


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_law_of_a_small_pool_by_brute_force(n: int, size: int) -> None:
    """All 3^N pools, one by one."""
    law = torch.zeros(3, dtype=torch.float64)
    reached = 0.0
    for pool in itertools.product(range(3), repeat=size):
        mass = math.prod(float(THREE[x]) for x in pool)
        choice, used = by_hand([(x,) for x in pool], n)
        reached += mass * (used == n)
        for (x,), probability in choice.items():
            law[x] += mass * float(probability)
    ours = batch_bias(THREE, n, size)
    assert ours.exact
    assert torch.allclose(ours.probabilities, law, atol=1e-13)
    assert ours.n_reached == pytest.approx(reached)
    assert ours.standard_errors.tolist() == [0, 0, 0]


def test_a_growing_pool_moves_from_one_to_one_nth() -> None:
    """Theorem 3, exactly: the distance to the law at T = 1/3 falls to 0; N = 1 is plain sampling."""
    target = tempered(THREE, 1 / 3)
    laws = [batch_bias(THREE, 3, size).probabilities for size in (1, 5, 10, 20, 50, 200, 600)]
    assert torch.allclose(laws[0], THREE)
    assert bool(((torch.stack(laws).sum(1) - 1).abs() < 1e-9).all())
    distances = [float((law - target).abs().sum() / 2) for law in laws]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.004
    # Simulated in the notes on the paper, to about 0.003: mode at N = 5, 10, 20, 50, 200.
    mode = [float(law[0]) for law in laws]
    assert mode[1:6] == pytest.approx([0.612, 0.675, 0.715, 0.750, 0.772], abs=0.004)


def test_the_simulated_law_agrees_with_the_exact_one() -> None:
    """Within 4.5 standard errors, which are below 0.003."""
    exact = batch_bias(THREE, 3, 40)
    simulated = batch_bias(THREE, 3, 40, generator=torch.Generator().manual_seed(2), enumerate_up_to=10)
    assert exact.exact
    assert not simulated.exact
    assert bool((simulated.standard_errors > 0).all())
    assert bool((simulated.standard_errors < 0.003).all())
    assert bool(((simulated.probabilities - exact.probabilities).abs() < 4.5 * simulated.standard_errors).all())
    assert simulated.n_reached == pytest.approx(exact.n_reached, abs=0.01)


def test_draws_from_real_pools_have_the_predicted_law() -> None:
    """20,000 pools of 12 drawn, weighed and chosen from by the shipped functions: chi-square p > 0.001."""
    stream = torch.Generator().manual_seed(3)
    pools = inverse_cdf(THREE.cumsum(0), uniforms((20_000, 12), THREE.device, stream)).unsqueeze(-1)
    ids, _, _ = choose_from_pool(pools, 3, stream)
    observed = torch.bincount(ids.squeeze(1), minlength=3).numpy()
    assert stats.chisquare(observed, batch_bias(THREE, 3, 12).probabilities.numpy() * 20_000).pvalue > 0.001
    assert stats.chisquare(observed, tempered(THREE, 1 / 3).numpy() * 20_000).pvalue < 1e-6  # the bias is there


def test_a_law_with_impossible_outcomes() -> None:
    padded = torch.tensor([0.5, 0.0, 0.3, 0.2, 0.0])
    law = batch_bias(padded, 2, 6)
    assert torch.allclose(law.probabilities[[0, 2, 3]], batch_bias(THREE, 2, 6).probabilities, atol=1e-7)
    assert law.probabilities[[1, 4]].tolist() == [0, 0]
    sure = batch_bias(torch.tensor([1.0]), 2, 3)
    assert sure.probabilities.tolist() == [1.0]
    assert sure.n_reached == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("probabilities", "words"),
    [
        (torch.tensor([0.5, 0.4]), "sum to 0.9"),
        (torch.tensor([1.5, -0.5]), "not negative"),
        (torch.tensor([math.nan, 1.0]), "finite"),
        (torch.ones(1, 1), "one law"),
        (torch.zeros(0), "one law"),
    ],
)
def test_bad_laws(probabilities: Tensor, words: str) -> None:
    with pytest.raises(InputError, match=words):
        batch_bias(probabilities, 2, 5)


def test_bad_pools_of_a_law() -> None:
    with pytest.raises(InputError, match="holds nothing"):
        batch_bias(THREE, 2, 0)
    with pytest.raises(InputError, match="at least 2"):
        batch_bias(THREE, 2, 5, simulations=1)
