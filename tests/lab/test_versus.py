"""What a text took: steps and draws as charged, FLOPs against a sum written out by hand, seconds as measured."""

from __future__ import annotations

import pytest

from calm_lab.lab.flops import flops
from calm_lab.lab.pools import pool_of
from calm_lab.lab.versus import Meter, timed_tokens
from calm_lab.toolkit.generate import encode_prompt, generate
from calm_lab.toolkit.softmax import write_tokens
from tests.app.small_models import calm, transformer

PROMPT = "Once upon a time"


def test_a_calms_text_adds_up() -> None:
    lm = calm()
    assert lm.tokenizer is not None
    meter = Meter(lm, PROMPT)
    assert meter.spent.tokens_per_second is meter.spent.flops_per_token is meter.spent.acceptance is None
    steps = list(generate(lm, PROMPT, 1 / 3, pool=30, max_tokens=24, seed=1))
    for step in steps:
        meter.chunk(pool_of(step, lm.tokenizer, 3))
    spent, size = meter.spent, lm.config.chunk_size
    read = encode_prompt(lm, PROMPT).shape[1] // size
    expected = sum(flops(lm, context=read + i, pool=30).inference.total * size for i in range(len(steps)))
    assert spent.flops == pytest.approx(expected)
    assert (spent.steps, spent.tokens, spent.calls) == (len(steps), size * len(steps), 30 * len(steps))
    assert spent.seconds == pytest.approx(sum(step.seconds for step in steps))
    assert spent.acceptance == sum(step.n_used == 3 for step in steps) / len(steps)
    assert spent.parameters == sum(p.numel() for p in lm.parameters())


def test_draws_are_paid_for_and_more_context_too() -> None:
    lm = calm()
    assert lm.tokenizer is not None

    def per_token(prompt: str, n: int) -> float:
        meter = Meter(lm, prompt)
        for step in generate(lm, prompt, 1 / n, pool=50, max_tokens=4, seed=1):
            meter.chunk(pool_of(step, lm.tokenizer, n))  # type: ignore[arg-type]
        return meter.spent.flops_per_token or 0

    assert per_token("Once", 2) > 10 * per_token("Once", 1)
    assert per_token("Once upon a time there was a little girl", 1) > per_token("Once", 1)


def test_an_exact_text_counts_its_trials() -> None:
    lm = calm()
    assert lm.tokenizer is not None
    meter = Meter(lm, PROMPT)
    steps = list(generate(lm, "", 1 / 8, "exact", max_tokens=16, seed=1, max_calls=16))
    pools = [pool_of(step, lm.tokenizer, 8) for step in steps]
    for pool in pools:
        meter.chunk(pool)
    assert all(pool.exact for pool in pools)
    assert meter.spent.trials == sum(step.trials for step in steps)
    assert meter.spent.accepted == sum(not step.fell_back for step in steps) < meter.spent.trials
    assert any(pool.fell_back and pool.accepted == 0 for pool in pools)


def test_the_transformers_tokens_are_its_text() -> None:
    model = transformer()
    pieces = list(timed_tokens(model, PROMPT, 1.0, 12, seed=2))
    written = list(write_tokens(model, PROMPT, 1.0, 12, seed=2))
    assert "".join(text for text, _ in pieces) == "".join(written)
    assert len(pieces) == len(written) - 1  # the last piece is what half a character held back
    assert all(seconds > 0 for _, seconds in pieces)
    meter = Meter(model, PROMPT)
    for _, seconds in pieces:
        meter.token(seconds)
    assert model.tokenizer is not None
    read = 1 + len(model.tokenizer.encode(PROMPT))
    expected = sum(flops(model, context=read + i).inference.total for i in range(len(pieces)))
    assert meter.spent.flops == pytest.approx(expected)
    assert meter.spent.tokens == meter.spent.steps == meter.spent.calls == len(pieces)


def test_one_token_is_one_piece() -> None:
    assert len(list(timed_tokens(transformer(), PROMPT, 1.0, 1, seed=2))) == 1
