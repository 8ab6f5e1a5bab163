"""Exact temperature sampling (Algorithm 1): its law, its price and its budget.

Two proofs stand beside each other. Without chance: a trial enumerated by brute force has the law and price of the
paper, and the lockstep machines do draw for draw what a plainly written machine does. With chance: the accepted
samples follow P^(1/T)/Z and not the law at a temperature 0.05 away. Seeds are fixed; with a fresh seed a case of the
law test would fail by chance once in about 1,000 runs (chi-square p > 0.001), a comparison of means (4.5 standard
errors) once in 100,000.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from calm_lab.errors import CallBudgetExceeded, InputError
from calm_lab.text.markov import MarkovLanguage
from calm_lab.toolkit import lockstep
from calm_lab.toolkit.exact import sample_at_temperature
from calm_lab.toolkit.exact_batch import sample_batch_at_temperature
from calm_lab.toolkit.exact_many import draws_from, sample_many
from calm_lab.toolkit.laws import acceptance_rate, expected_calls, tempered
from calm_lab.toolkit.temperature import split_exponent
from tests.toolkit import sampler_table
from tests.toolkit.sampler_table import LAWS, TEMPERATURES, THREE, Row, main, measure, p_value

# Accepted samples of the everyday run: enough to tell T from T +- 0.05, few enough for seconds.
EVERYDAY = {
    "three": dict(zip(TEMPERATURES, [8_000, 40_000, 50_000, 50_000, 100_000, 200_000], strict=True)),
    "zipf": dict(zip(TEMPERATURES, [2_500, 15_000, 30_000, 50_000, 60_000, 60_000], strict=True)),
}


def stream(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# --- the theory


def enumerated(law: list[float], temperature: float, depth: int) -> tuple[list[float], float]:
    """One trial of Algorithm 1, every outcome of its draws: P(accept x), and mean calls a trial up to ``depth``."""
    n, a = split_exponent(temperature)
    accept = [0.0] * len(law)
    calls = 0.0
    for draws in itertools.product(range(len(law)), repeat=n):
        mass = math.prod(law[x] for x in draws)
        calls += n * mass
        if len(set(draws)) > 1:
            continue
        x = draws[0]
        if a == 0:
            accept[x] += mass
            continue
        going = mass  # probability of being in stage 2 before step i
        for i in range(1, depth):
            calls += going
            accept[x] += going * law[x]
            going *= (1 - law[x]) * (1 - a / i)
    return accept, calls


@pytest.mark.parametrize("temperature", [0.22, 0.25, 0.3, 1 / 3, 0.4, 0.5, 0.7, 0.9, 1.0])
def test_a_trial_has_the_law_and_price_of_the_paper(temperature: float) -> None:
    accept, calls = enumerated(THREE.tolist(), temperature, depth=400)
    z = sum(accept)
    assert accept == pytest.approx((THREE ** (1 / temperature)).tolist(), rel=1e-9)
    assert z == pytest.approx(acceptance_rate(THREE, temperature), rel=1e-9)
    assert [share / z for share in accept] == pytest.approx(tempered(THREE, temperature).tolist(), rel=1e-9)
    assert calls / z == pytest.approx(expected_calls(THREE, temperature), rel=1e-9)


def test_prices_known_from_elsewhere() -> None:
    for temperature, calls in [(0.8, 4.187), (0.5, 5.263), (0.4, 10.69), (0.3, 26.91)]:
        assert expected_calls(THREE, temperature) == pytest.approx(calls, abs=0.005)
    tail = 1 / torch.arange(1, 1_000_001, dtype=torch.float64)
    assert expected_calls(tail / tail.sum(), 0.7) == pytest.approx(23_000, rel=0.01)
    assert expected_calls(torch.full((1000,), 1e-3), 1.0) == pytest.approx(1.0)
    assert expected_calls(torch.tensor([1.0, 0.0]), 0.4) == pytest.approx(3.0)  # two draws and one to be sure
    assert expected_calls(torch.full((1000,), 1e-3), 0.002) == math.inf


WEIGHTS = st.lists(st.floats(0.01, 1), min_size=1, max_size=8)


@given(WEIGHTS, st.floats(0.05, 0.999))
def test_the_price_keeps_the_bounds_of_the_corollary(weights: list[float], temperature: float) -> None:
    law = torch.tensor(weights, dtype=torch.float64)
    law = law / law.sum()
    n, _ = split_exponent(temperature)
    z = acceptance_rate(law, temperature)
    stage2 = 1.0 if temperature <= 0.5 else len(weights) ** (2 - 1 / temperature)
    price = expected_calls(law, temperature)
    assert n / z * (1 - 1e-9) <= price <= (n + stage2) / z * (1 + 1e-9)
    assert float(tempered(law, temperature).sum()) == pytest.approx(1)
    assert bool((tempered(law, temperature).argmax() == law.argmax()).all())


# --- one context


def counted(law: Tensor, seed: int) -> tuple[Callable[[], int], list[int]]:
    """A black box and its tally."""
    random = np.random.default_rng(seed)
    queue: Iterator[int] = iter(())
    tally = [0]

    def draw() -> int:
        nonlocal queue
        tally[0] += 1
        value = next(queue, None)
        if value is None:
            queue = iter(random.choice(len(law), size=4096, p=law.numpy()).tolist())
            value = next(queue)
        return value

    return draw, tally


@pytest.mark.parametrize("temperature", [0.3, 0.4, 0.5, 0.9])
def test_the_scalar_sampler(temperature: float) -> None:
    """3,000 samples: the law (p > 0.001), the price (4.5 standard errors), and every call counted."""
    draw, tally = counted(THREE, 1)
    coins = stream(1)
    samples = [sample_at_temperature(draw, temperature, coins) for _ in range(3000)]
    assert sum(sample.calls for sample in samples) == tally[0]
    observed = torch.bincount(torch.tensor([sample.value for sample in samples]), minlength=3)
    assert p_value(observed, tempered(THREE, temperature)) > 0.001
    calls = torch.tensor([float(sample.calls) for sample in samples])
    assert abs(float(calls.mean()) - expected_calls(THREE, temperature)) < 4.5 * float(calls.std()) / 3000**0.5
    trials = sum(sample.trials for sample in samples)
    z = acceptance_rate(THREE, temperature)
    assert abs(3000 / trials - z) < 4.5 * (z * (1 - z) / trials) ** 0.5
    assert all(1 <= sample.stage1_accepts <= sample.trials for sample in samples)
    assert all(sample.accepted and sample.acceptance_rate == 1 / sample.trials for sample in samples)


def test_plain_sampling_needs_one_call() -> None:
    draw, tally = counted(THREE, 2)
    sample = sample_at_temperature(draw, 1.0, max_calls=1)
    assert (sample.calls, sample.trials, sample.stage1_accepts, tally[0]) == (1, 1, 1, 1)


def test_the_generator_feeds_only_the_coins() -> None:
    before = stream(3).get_state()
    coins = stream(3)
    draw, _ = counted(THREE, 3)
    sample_at_temperature(draw, 0.25, coins)
    assert torch.equal(coins.get_state(), before)  # whole 1/T: no coin
    runs = [[sample_at_temperature(counted(THREE, 4)[0], 0.7, stream(seed)) for seed in range(20)] for _ in range(2)]
    assert runs[0] == runs[1]
    assert len({sample.calls for sample in runs[0]}) > 1  # same draws, other coins


def test_any_hashable_sample_will_do() -> None:
    chunks = itertools.cycle([(5, 6, 7, 8), (5, 6, 7, 8), (1, 2, 3, 4)])
    assert sample_at_temperature(lambda: next(chunks), 0.5).value == (5, 6, 7, 8)
    with pytest.raises(InputError, match=r"gave a Tensor: return a hashable value"):
        sample_at_temperature(lambda: torch.tensor([1]), 0.5)
    with pytest.raises(InputError, match="gave a list"):
        sample_at_temperature(lambda: [1], 0.5)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("budget", [1, 2, 3, 10])
def test_a_spent_budget_carries_its_counts(budget: int) -> None:
    numbers = itertools.count()  # no two draws agree
    with pytest.raises(CallBudgetExceeded, match="raise max_calls or use batch sampling") as caught:
        sample_at_temperature(lambda: next(numbers), 1 / 3, max_calls=budget)
    assert caught.value.calls == budget == next(numbers)
    assert caught.value.trials == -(-budget // 3)
    assert caught.value.stage1_accepts == 0


def test_a_budget_can_end_inside_stage_2() -> None:
    draws = iter([7, 7, 1, 2, 3])
    with (
        mock.patch("calm_lab.toolkit.exact.uniforms", return_value=torch.tensor(0.99)),
        pytest.raises(CallBudgetExceeded) as caught,
    ):
        sample_at_temperature(lambda: next(draws), 0.4, max_calls=5)
    assert (caught.value.calls, caught.value.trials, caught.value.stage1_accepts) == (5, 1, 1)


@pytest.mark.parametrize("budget", [0, -1, 2.5])
def test_bad_budgets(budget: float) -> None:
    with pytest.raises(InputError, match="max_calls"):
        sample_at_temperature(lambda: 0, 0.5, max_calls=budget)  # type: ignore[arg-type]


# --- many contexts: draw for draw


@dataclass
class Outcome:
    value: int = -1
    accepted: bool = False
    calls: int = 0
    trials: int = 0
    stage1_accepts: int = 0
    read: int = 0


def machine(draws: Iterator[int], n: int, a: float, coin: float, budget: float) -> Outcome:
    """Algorithm 1 as the lockstep reads it: a failed stage 1 is charged n calls but read to its first disagreement."""
    out = Outcome()

    def read() -> int:
        out.read += 1
        return next(draws)

    while True:
        left = budget - out.calls
        if left < n:
            out.trials += left > 0
            out.calls = int(budget)
            return out
        out.trials += 1
        out.calls += n
        candidate = read()
        if not all(read() == candidate for _ in range(n - 1)):
            continue
        out.stage1_accepts += 1
        i = 1
        while a > 0:
            if out.calls == budget:
                return out
            out.calls += 1
            if read() == candidate:
                break
            if coin < a / i:
                i = 0
                break
            i += 1
        if i > 0:
            out.value, out.accepted = candidate, True
            return out


class Script:
    """Endless draws for each context, fixed beforehand and handed out in order."""

    def __init__(self, contexts: int, letters: int, seed: int):
        self.table = np.random.default_rng(seed).integers(0, letters, size=(contexts, 6000))
        self.place = [0] * contexts
        self.largest = 0

    def __call__(self, contexts: Tensor, generator: torch.Generator | None) -> Tensor:
        self.largest = max(self.largest, contexts.numel())
        ids = []
        for context in contexts.tolist():
            ids.append(self.table[context, self.place[context]])
            self.place[context] += 1
        return torch.tensor(np.array(ids, dtype=np.int64)).unsqueeze(1).repeat(1, 2)  # chunks of two equal tokens


@given(
    contexts=st.integers(0, 6),
    letters=st.integers(1, 3),
    temperature=st.sampled_from([1.0, 0.9, 0.7, 0.5, 0.45, 0.4, 1 / 3, 0.3, 0.25, 0.22]),
    coin=st.sampled_from([0.0, 0.03, 0.2, 0.45, 0.9]),
    budget=st.one_of(st.none(), st.integers(1, 60)),
    overdraw=st.sampled_from([0.0, 0.5, 3.0]),
    blocks=st.tuples(st.integers(1, 5), st.integers(5, 80)),
    max_rows=st.integers(1, 50),
    lanes=st.integers(1, 8),
    window=st.sampled_from([1, 2, 32]),
    seed=st.integers(0, 10_000),
)
def test_the_lockstep_machines_read_draw_for_draw(
    contexts: int,
    letters: int,
    temperature: float,
    coin: float,
    budget: int | None,
    overdraw: float,
    blocks: tuple[int, int],
    max_rows: int,
    lanes: int,
    window: int,
    seed: int,
) -> None:
    """Scripted draws and one constant coin leave nothing to chance: every count agrees with the plain machine."""
    n, a = split_exponent(temperature)
    script = Script(contexts, letters, seed)

    def constant(shape: tuple[int, ...], device: torch.device, _: torch.Generator | None) -> Tensor:
        return torch.full(shape, coin, dtype=torch.float64, device=device)

    with mock.patch.object(lockstep, "uniforms", constant), mock.patch.object(lockstep, "STAGE2_WINDOW", window):
        ours = sample_batch_at_temperature(
            script,
            contexts,
            temperature,
            max_calls=budget,
            on_budget="keep",
            overdraw=overdraw,
            min_block=blocks[0],
            max_block=blocks[1],
            max_rows=max_rows,
            lanes=lanes,
        )
    assert ours.values.shape == (contexts, 2)
    assert script.largest <= max_rows
    assert ours.physical.tolist() == script.place
    for context in range(contexts):
        theirs = machine(iter(script.table[context].tolist()), n, a, coin, math.inf if budget is None else budget)
        assert ours.values[context].tolist() == [theirs.value] * 2
        assert bool(ours.accepted[context]) == theirs.accepted
        assert int(ours.calls[context]) == theirs.calls
        assert int(ours.trials[context]) == theirs.trials
        assert int(ours.stage1_accepts[context]) == theirs.stage1_accepts
        if theirs.accepted:
            assert theirs.read <= script.place[context]
            if blocks[0] == 1:  # the promise on waste
                assert script.place[context] <= theirs.read + overdraw * theirs.read
        if budget is not None:
            assert theirs.calls <= budget


# --- many contexts: in law

LANGUAGE = MarkovLanguage.random(4, seed=3, concentration=1.0)


def continue_language(contexts: Tensor, generator: torch.Generator | None) -> Tensor:
    """Chunks of two tokens behind the last token that the context number stands for."""
    return LANGUAGE.continue_from(contexts % LANGUAGE.states + LANGUAGE.offset, 2, generator)


def test_each_context_has_its_own_law() -> None:
    """8,000 samples for each of four contexts, in one batch: chunk laws at T = 0.4 (p > 0.001) and prices."""
    count = 4 * 8000
    samples = sample_batch_at_temperature(continue_language, count, 0.4, stream(5), max_rows=1 << 20, lanes=count)
    chunks = LANGUAGE.chunks(2)
    for letter in range(4):
        law = LANGUAGE.chunk_probabilities(letter + LANGUAGE.offset, 2)
        values = samples.values[letter::4]
        observed = (values.unsqueeze(1) == chunks).all(-1).sum(0)
        assert int(observed.sum()) == 8000
        assert p_value(observed, tempered(law, 0.4)) > 0.001
        assert p_value(observed, tempered(law, 0.5)) < 0.001
        calls = samples.calls[letter::4].double()
        assert abs(float(calls.mean()) - expected_calls(law, 0.4)) < 4.5 * float(calls.std()) / 8000**0.5


def test_physical_draws_stay_near_the_calls() -> None:
    samples = sample_batch_at_temperature(continue_language, 64, 0.4, stream(6))
    assert int(samples.physical.sum()) <= 1.5 * int(samples.calls.sum())
    assert bool((samples.physical <= 1.5 * samples.calls).all())
    thrifty = sample_batch_at_temperature(continue_language, 64, 0.4, stream(6), overdraw=0)
    assert bool((thrifty.physical <= thrifty.calls).all())


def test_rates_tell_the_stages_apart() -> None:
    samples = sample_many(THREE, 0.4, 20_000, stream(7))
    assert samples.stage1_rate * samples.stage2_rate == pytest.approx(samples.acceptance_rate)
    assert samples.acceptance_rate == pytest.approx(acceptance_rate(THREE, 0.4), rel=0.03)
    assert samples.stage1_rate == pytest.approx(float(THREE.square().sum()), rel=0.03)
    nothing = sample_many(THREE, 0.4, 0)
    assert math.isnan(nothing.acceptance_rate)


def test_the_choice_when_a_budget_is_spent() -> None:
    """Contexts 0 and 2 always agree, context 1 never does."""
    numbers = itertools.count(10)

    def draw_block(contexts: Tensor, _: torch.Generator | None) -> Tensor:
        return torch.tensor([[next(numbers) if context == 1 else 5] for context in contexts.tolist()])

    with pytest.raises(CallBudgetExceeded, match="within 7 calls") as caught:
        sample_batch_at_temperature(draw_block, 3, 0.5, max_calls=7)
    assert (caught.value.calls, caught.value.trials, caught.value.stage1_accepts) == (7, 4, 0)
    kept = sample_batch_at_temperature(draw_block, 3, 0.5, max_calls=7, on_budget="keep")
    assert kept.values.tolist() == [[5], [-1], [5]]
    assert kept.accepted.tolist() == [True, False, True]
    assert kept.calls.tolist() == [2, 7, 2]
    assert kept.trials.tolist() == [1, 4, 1]


def test_contexts_may_be_named() -> None:
    asked = []

    def draw_block(contexts: Tensor, _: torch.Generator | None) -> Tensor:
        asked.extend(contexts.tolist())
        return contexts.unsqueeze(1)

    samples = sample_batch_at_temperature(draw_block, torch.tensor([9, 4]), 0.5)
    assert samples.values.tolist() == [[9], [4]]
    assert set(asked) == {4, 9}


def test_bad_input_is_refused_in_words() -> None:
    box = draws_from(THREE)
    for arguments, words in [
        ({"on_budget": "hope"}, "choose raise or keep"),
        ({"overdraw": -1}, "overdraw"),
        ({"max_block": 0}, "at least 1"),
        ({"max_calls": 0}, "max_calls"),
    ]:
        with pytest.raises(InputError, match=words):
            sample_batch_at_temperature(box, 3, 0.5, **arguments)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="can only reject"):
        sample_batch_at_temperature(box, 3, 1.2)
    with pytest.raises(InputError, match="cannot be sampled"):
        sample_batch_at_temperature(box, -1, 0.5)
    with pytest.raises(InputError, match=r"shape \(B,\)"):
        sample_batch_at_temperature(box, torch.zeros(2, 2, dtype=torch.int64), 0.5)
    with pytest.raises(InputError, match="return token ids of shape"):
        sample_batch_at_temperature(lambda contexts, _: contexts, 3, 0.5)
    widths = itertools.count(1)
    with pytest.raises(InputError, match="chunks of 1 and then of 2"):
        sample_batch_at_temperature(
            lambda rows, _: torch.arange(rows.numel()).unsqueeze(1).repeat(1, next(widths)), 1, 0.5
        )
    with pytest.raises(InputError, match="must not be negative"):
        sample_many(THREE, 0.5, -1)


# --- the law, by many samples


def check(row: Row) -> None:
    """p > 0.001 at T and p < 0.001 at T +- 0.05; mean calls within 4.5 standard errors of Theorem 2, each below 3%."""
    assert row.p > 0.001
    assert row.p_below < 0.001
    assert row.p_above < 0.001
    assert abs(row.calls - row.theory) < 4.5 * row.calls_error
    assert row.calls_error < 0.03 * row.theory


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("name", list(LAWS))
def test_accepted_samples_have_the_law_at_that_temperature(name: str, temperature: float) -> None:
    row = measure(name, temperature, EVERYDAY[name][temperature], seed=11)
    assert row.count == EVERYDAY[name][temperature]
    check(row)


@pytest.mark.slow
@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("name", list(LAWS))
def test_a_million_accepted_samples(name: str, temperature: float) -> None:
    """The same at 10^6 samples, where calls agree with Theorem 2 within 1%.

    The Zipf law at T = 0.15 costs 20,000 calls a sample: 50,000 samples here, calls within 2%. All 10^6 of them are
    drawn by ``python -m tests.toolkit.sampler_table``.
    """
    costly = expected_calls(LAWS[name], temperature) > 5000
    row = measure(name, temperature, 50_000 if costly else 1_000_000, seed=12)
    check(row)
    assert abs(row.ratio - 1) < (0.02 if costly else 0.01)


def test_the_table_prints(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--count", "500", "--laws", "three", "--temperatures", "0.4", "0.7"])
    head, rule, *rows = (line.split(" | ") for line in capsys.readouterr().out.splitlines())
    assert [row[1].strip() for row in rows] == ["0.4", "0.7"]
    assert {tuple(map(len, row)) for row in (rule, *rows)} == {tuple(map(len, head))}


def test_a_row_can_fail() -> None:
    """Samples at another temperature, and calls of another price, are seen."""
    right = measure("three", 0.4, 50_000, seed=1)
    with mock.patch.object(sampler_table, "sample_many", lambda law, _, *rest: sample_many(law, 0.5, *rest)):
        wrong = measure("three", 0.4, 50_000, seed=1)
    check(right)
    assert wrong.p < 0.001
    assert abs(wrong.calls - wrong.theory) > 4.5 * wrong.calls_error


def test_parts_do_not_change_a_row() -> None:
    with mock.patch.object(sampler_table, "CALLS_AT_ONCE", 1000):
        row = measure("three", 0.5, 1000, seed=2)
    again = measure("three", 0.5, 1000, seed=2)
    assert row.count == again.count == 1000
    for one in (row, again):
        check(replace(one, p_below=0.0, p_above=0.0))  # 1,000 samples do not tell neighbours apart


@settings(max_examples=30)
@given(st.integers(0, 20), st.sampled_from([*TEMPERATURES[2:], 1.0]), st.sampled_from([1, 7, 64]), st.integers(0, 99))
def test_many_samples_of_any_number(count: int, temperature: float, lanes: int, seed: int) -> None:
    samples, again = (sample_many(THREE, temperature, count, stream(seed), lanes=lanes) for _ in range(2))
    assert samples.values.shape == (count, 1)
    assert samples.values.dtype == torch.int64
    for name in ("accepted", "calls", "trials", "stage1_accepts", "physical", "values"):
        assert torch.equal(getattr(samples, name), getattr(again, name))
    assert bool(samples.accepted.all())
    assert bool(((samples.values >= 0) & (samples.values < 3)).all())
    n, a = split_exponent(temperature)
    assert bool((samples.calls >= n * samples.trials).all())
    if a == 0:
        assert torch.equal(samples.calls, n * samples.trials)
        assert bool((samples.stage1_accepts == 1).all())
