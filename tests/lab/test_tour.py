"""The numbers of the tour against slow or independent ways to the same."""

from __future__ import annotations

import math

import pytest
import torch

from calm_lab.errors import InputError
from calm_lab.lab import tour
from calm_lab.lab.brier_noise import scored
from calm_lab.lab.brier_study import draws, exact, known_language, turned
from calm_lab.lab.calculator import PAPER_SIZES, calculate
from calm_lab.lab.table1 import paper_model
from calm_lab.toolkit.temperature import temperature_weights
from tests.app.small_models import calm


def test_a_token_carries_its_logarithm_and_pays_for_every_entry() -> None:
    small, large = tour.carried(32_000), tour.carried(64_000)
    assert large.bits - small.bits == pytest.approx(1)
    assert large.softmax == 2 * small.softmax
    assert large.rest == small.rest
    assert small.doubled == pytest.approx((large.softmax + large.rest) / (small.softmax + small.rest) - 1)
    assert small.share == pytest.approx(small.doubled)  # one more softmax, nothing else


def test_the_papers_vocabulary_gives_the_papers_transformer() -> None:
    whole = paper_model("Transformer-S")
    found = tour.carried(int(whole.parameters.output // 768))
    assert found.softmax + found.rest == pytest.approx(whole.per_token)


def test_two_draws_are_judged_letter_by_letter() -> None:
    found = tour.judge(300, seed=5)
    assert len(found.rows) == tour.SHOWN
    for truth, first, second, scores in found.rows:
        for n, score in enumerate(scores, 1):
            assert score == (first[:n] == truth[:n]) + (second[:n] == truth[:n]) - (first[:n] == second[:n])
    language = known_language()
    ids = draws(language, turned(language, tour.DIAL), 300, 5)[2]
    assert found.rows[0][0] == "".join(tour.LETTERS[int(id) - language.offset] for id in ids[0])
    assert found.exact == exact(language, tour.DIAL)
    assert found.exact.brier_lm < found.ceiling.brier_lm


def test_the_estimate_settles_on_the_exact_score() -> None:
    """Fixed seed; an unlucky one would fail this once in 15,000."""
    last = tour.judge(30_000, seed=3).points[-1]
    assert abs(last.brier_lm - exact(known_language(), tour.DIAL).brier_lm) < 4 * last.brier_lm_error


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_a_pool_is_weighed_by_its_groups(n: int) -> None:
    found = tour.cool(n, seed=2)
    assert sum(found.counts) == tour.POOL
    assert found.groups == [math.comb(count, n) for count in found.counts]
    assert found.chosen == pytest.approx([group / sum(found.groups) for group in found.groups])
    powers = [p**n for p in tour.LAW.values()]
    assert found.goal == pytest.approx([power / sum(powers) for power in powers])
    assert found.counts == tour.cool(1, seed=2).counts  # turning n keeps the pool


def test_a_pool_agrees_with_the_toolkit() -> None:
    found = tour.cool(3, seed=9)
    rows = torch.tensor([[i] for i, count in enumerate(found.counts) for _ in range(count)])
    candidates, weights, used = temperature_weights(rows, 3)
    assert used == found.used
    assert [found.chosen[int(i)] for i in candidates[:, 0]] == pytest.approx(weights.tolist())


def test_a_pool_too_small_for_n_falls_back() -> None:
    found = tour.cool(6, seed=1, pool=3)
    assert found.used == max(found.counts) < found.n


def test_a_sentence_is_written_by_the_seed() -> None:
    pools = tour.write(calm(), "Once upon a time", 2, seed=4)
    assert 1 <= len(pools) <= tour.CHUNKS
    assert [pool.text for pool in pools] == [pool.text for pool in tour.write(calm(), "Once upon a time", 2, seed=4)]
    assert all(pool.seen == tour.DRAWS for pool in pools)
    assert all(sum(one.chosen for one in pool.candidates) == 1 for pool in pools)


def test_prices_are_those_of_the_calculator() -> None:
    plain, *found = tour.prices()
    answer = calculate(PAPER_SIZES["CALM-M"])
    assert plain.token == answer.transformer.per_token
    assert {one.chunk_size: one.token for one in found} == {
        k: cost.per_token for k, cost in answer.by_chunk_size.items() if k in tour.CHUNK_SIZES
    }
    assert all(one.step == pytest.approx(one.chunk_size * one.token) for one in found)
    assert all(one.pooled > one.token for one in found)


def test_only_models_of_known_text_are_compared_best_first() -> None:
    def card(score: float | None, ceiling: float | None) -> dict[str, object]:
        metrics: dict[str, object] = {"test": {"brier_lm": score, "brier": [0.1] * 4}}
        return {"metrics": metrics | ({"ceiling": {"brier_lm": ceiling}} if ceiling else {})}

    rows = [
        scored(name, "calm", {"chunk_size": 4}, card(score, ceiling))
        for name, score, ceiling in (("low", 3.0, 9.0), ("none", None, 9.0), ("prose", 5.0, None), ("high", 8.0, 9.0))
    ]
    assert [row.name for row in tour.ours(rows)] == ["high", "low", "none"]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: tour.carried(1), "at least 2 entries"),
        (lambda: tour.cool(0, 1), "at least 1"),
        (lambda: tour.cool(2, 1, pool=0), "at least 1"),
        (lambda: tour.judge(1, 1), "at least 2"),
        (lambda: tour.write(calm(), "a", 0, 1), "at least 1"),
    ],
)
def test_what_makes_no_experiment_is_refused(call: object, told: str) -> None:
    with pytest.raises(InputError, match=told):
        call()  # type: ignore[operator]
