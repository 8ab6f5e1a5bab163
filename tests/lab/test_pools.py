"""The table of a generation step: counts, groups of equal draws, chances, and what is left out."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from calm_lab.lab.examples import NOTHING, OTHER_PROMPTS, PROMPTS, prompts_for
from calm_lab.lab.pieces import roles
from calm_lab.lab.pools import pool_of
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.toolkit.generate import ChunkStep
from calm_lab.toolkit.temperature import weights_from_counts

TOKENIZER = Tokenizer.train(["Once upon a time there was a sea."] * 4, 300)


def step(counts: list[int], choice: int, n: int) -> ChunkStep:
    table = torch.tensor(counts)
    weights, used = weights_from_counts(table, n)
    candidates = torch.arange(4 * len(counts)).reshape(-1, 4) + 10
    candidates[0, 3] = TOKENIZER.eos_id
    return ChunkStep(
        index=5,
        ids=candidates[choice].tolist(),
        text=" a",
        candidates=candidates,
        counts=table,
        weights=weights,
        calls=sum(counts),
        n_used=int(used),
        trials=1,
        stage1_accepts=1,
        seconds=0.02,
        ended=choice == 0,
    )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_chances_are_in_proportion_to_groups(n: int) -> None:
    pool = pool_of(step([5, 3, 1, 1], 1, n), TOKENIZER, n)
    groups = [math.comb(count, n) for count in (5, 3, 1, 1)]
    assert [c.groups for c in pool.candidates] == groups
    assert [c.weight for c in pool.candidates] == pytest.approx([g / sum(groups) for g in groups])
    assert [c.chosen for c in pool.candidates] == [False, True, False, False]
    assert (pool.draws, pool.distinct, pool.eligible) == (10, 4, sum(g > 0 for g in groups))
    assert (pool.wanted, pool.used) == (n, n)


def test_falling_back_is_told() -> None:
    pool = pool_of(step([2, 2, 1], 0, 4), TOKENIZER, 4)
    assert (pool.wanted, pool.used, pool.eligible) == (4, 2, 2)
    assert pool.ended
    assert pool.candidates[0].roles == [None, None, None, "end"]


def test_a_long_table_is_cut_but_keeps_the_chosen() -> None:
    pool = pool_of(step([3] + [1] * 30, 25, 1), TOKENIZER, 1, top=6)
    assert len(pool.candidates) == 6
    assert pool.candidates[-1].chosen
    assert pool.distinct == 31
    assert pool.to_dict()["candidates"][-1]["count"] == 1


def test_the_histogram_counts_chunks_by_how_often_they_came() -> None:
    pool = pool_of(step([5, 3, 1, 1], 1, 2), TOKENIZER, 2)
    assert pool.histogram == [(1, 2), (3, 1), (5, 1)]
    assert sum(times * chunks for times, chunks in pool.histogram) == pool.seen == pool.draws
    assert (pool.exact, pool.trials, pool.agreed, pool.accepted) == (False, 1, 1, 1)


def test_an_exact_step_tells_its_trials() -> None:
    plain = step([5, 3, 1, 1], 0, 1)
    exact = dataclasses.replace(plain, n_used=0, trials=7, stage1_accepts=2, calls=9)
    pool = pool_of(exact, TOKENIZER, 2)
    assert (pool.exact, pool.trials, pool.agreed, pool.accepted, pool.draws, pool.seen) == (True, 7, 2, 1, 9, 10)
    spent = pool_of(dataclasses.replace(exact, n_used=2, fell_back=True), TOKENIZER, 2)
    assert (spent.exact, spent.accepted, spent.used) == (True, 0, 2)
    assert spent.to_dict()["histogram"] == [[1, 2], [3, 1], [5, 1]]


def test_a_character_spread_over_tokens_is_shown_and_not_its_bytes() -> None:
    ids = TOKENIZER.encode("é")  # two bytes that the small vocabulary has no token for
    assert len(ids) == 2
    one = dataclasses.replace(
        step([2], 0, 1), candidates=torch.tensor([[*TOKENIZER.encode("a"), *ids, TOKENIZER.eos_id]])
    )
    (candidate,) = pool_of(one, TOKENIZER, 1).candidates
    assert candidate.spread == [None, [["é", 1, 2]], [["é", 2, 2]], None]
    assert pool_of(one, TOKENIZER, 1).to_dict()["candidates"][0]["spread"] == candidate.spread


def test_special_tokens_have_roles() -> None:
    ids = [TOKENIZER.pad_id, TOKENIZER.bos_id, TOKENIZER.eos_id, TOKENIZER.mask_id, 50]
    assert roles(TOKENIZER, [i for i in ids if i is not None]) == ["pad", "begin", "end", "mask", None]


def test_prompts_suit_the_corpus() -> None:
    assert prompts_for("storyland 1.0") == PROMPTS["storyland"]
    assert prompts_for("calm-andersen-k4") == PROMPTS["andersen"]
    assert prompts_for("my-notes.txt") == OTHER_PROMPTS
    assert all(NOTHING in offered and len(offered) == 3 for offered in (*PROMPTS.values(), OTHER_PROMPTS))
