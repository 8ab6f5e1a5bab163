"""The calculator: the paper's sizes give Table 1's counts, the pool's price is a line, bad sizes are refused."""

from __future__ import annotations

import dataclasses

import pytest

from calm_lab.errors import InputError
from calm_lab.lab.calculator import CHUNK_SIZES, PAPER_SIZES, Sizes, calculate, cost, even_pool
from calm_lab.lab.flops import flops
from calm_lab.lab.table1 import paper_model


@pytest.mark.parametrize("name", PAPER_SIZES)
@pytest.mark.parametrize("convention", ["exact", "paper"])
def test_a_paper_size_gives_the_papers_count(name: str, convention: str) -> None:
    answer = calculate(PAPER_SIZES[name], convention)  # type: ignore[arg-type]
    known = paper_model(name, convention)  # type: ignore[arg-type]
    assert (answer.calm.training_total, answer.calm.per_token) == (known.training_total, known.per_token)
    assert answer.calm.total_parameters == known.total_parameters
    twin = paper_model(name.replace("CALM", "Transformer"), convention)  # type: ignore[arg-type]
    assert answer.transformer.per_token == twin.per_token
    assert answer.training == pytest.approx(known.training_total / twin.training_total - 1)


@pytest.mark.parametrize("sizes", [Sizes(), Sizes(2, 512, 8, 8192, 4, 1, 1024), Sizes(8, 2560, 16, 128_257, 8, 200)])
def test_the_even_pool_is_the_last_that_is_not_dearer(sizes: Sizes) -> None:
    goal = flops(sizes.transformer, context=sizes.context).per_token
    even = even_pool(sizes)
    assert even >= 1
    assert cost(dataclasses.replace(sizes, pool=even)).per_token <= goal
    assert cost(dataclasses.replace(sizes, pool=even + 1)).per_token > goal


def test_there_may_be_no_even_pool() -> None:
    """At K = 1 a CALM pays for all that the Transformer has, and for head and autoencoder on top."""
    sizes = Sizes(chunk_size=1, vocab_size=2048)
    assert even_pool(sizes) == 0
    assert calculate(sizes).inference > 0


def test_a_pool_costs_a_line() -> None:
    one, two, many = (cost(Sizes(pool=pool)).per_token for pool in (1, 2, 101))
    assert many == pytest.approx(one + 100 * (two - one))


def test_more_tokens_a_chunk_cost_less_a_token() -> None:
    answer = calculate(Sizes(chunk_size=3))
    assert list(answer.by_chunk_size) == sorted({*CHUNK_SIZES, 3})
    for spent in ("training_total", "per_token"):
        values = [getattr(found, spent) for found in answer.by_chunk_size.values()]
        assert values == sorted(values, reverse=True)
    assert answer.by_chunk_size[3] == answer.calm


def test_the_vocabulary_stays_whatever_k_is() -> None:
    """Its product runs once a token: K takes nothing off it, so its share grows."""
    outputs = {found.inference.output for found in calculate(Sizes()).by_chunk_size.values()}
    assert len({round(value) for value in outputs}) == 1
    shares = [found.inference.share("output") for found in calculate(Sizes()).by_chunk_size.values()]
    assert shares == sorted(shares)


@pytest.mark.parametrize(
    "change",
    [{"chunk_size": 0}, {"hidden_size": 100}, {"layers": 0}, {"vocab_size": 2.5}, {"samples": True}, {"pool": -1},
     {"context": 10**9}, {"pool": None}],
)  # fmt: skip
def test_bad_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(change))):
        Sizes(**change)  # type: ignore[arg-type]
