"""The baseline's softmax temperature: its law, its generation with and without a cache, and its refusals.

The one statistical test has a fixed seed; with a fresh one it would fail by chance once in 1,000 runs.
"""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from calm_lab.errors import InputError
from calm_lab.model.transformer import TokenTransformer
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.toolkit.laws import tempered
from calm_lab.toolkit.softmax import check_softmax_temperature, generate_tokens, log_law, write_tokens
from tests.model import small


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def writing_model() -> TokenTransformer:
    tokenizer = Tokenizer.train(["the old sea and the cold sea"], 270)
    model = small.transformer(vocab_size=tokenizer.vocab_size)
    model.tokenizer = tokenizer
    return model


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8), st.floats(0.05, 1.0))
def test_the_law_is_the_one_calms_samplers_aim_at(weights: list[float], temperature: float) -> None:
    law = torch.tensor(weights) / sum(weights)
    assert torch.allclose(log_law(law.log(), temperature).exp().double(), tempered(law, temperature), atol=1e-5)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=6), st.floats(1e-30, 1e30))
def test_any_temperature_gives_a_law(logits: list[float], temperature: float) -> None:
    law = log_law(torch.tensor(logits), temperature).exp()
    assert float(law.sum()) == pytest.approx(1, abs=1e-5)
    assert not bool(law.isnan().any())


@settings(max_examples=25)
@given(st.integers(0, 3), st.integers(1, 5), st.integers(0, 8), st.sampled_from([0.1, 1.0, 3.0]), st.integers(0, 99))
def test_what_comes_back(batch: int, length: int, room: int, temperature: float, seed: int) -> None:
    model = small.transformer()
    ids = torch.randint(4, 23, (batch, length), generator=stream(seed))
    options = {"max_length": length + room, "temperature": temperature}
    written = generate_tokens(model, ids, generator=stream(seed), **options)
    assert written.dtype == torch.int64
    assert torch.equal(written, generate_tokens(model, ids, generator=stream(seed), **options))
    assert length <= written.shape[1] <= length + room
    assert torch.equal(written[:, :length], ids)
    end = written[:, length:] == model.config.eos_id
    over = end.cumsum(-1) - end.int() > 0
    assert bool((written[:, length:][over] == model.config.pad_id).all())
    if written.shape[1] < length + room:  # stopped early: every row had ended
        assert bool(end.any(-1).all())


def test_a_cold_model_says_the_likeliest() -> None:
    """Near T = 0 generation is greedy, step by step without a cache."""
    model = small.transformer()
    ids = torch.tensor([[1, 7, 9]])
    written = generate_tokens(model, ids, 12, temperature=1e-6, generator=stream())
    for _ in range(9):
        ids = torch.cat([ids, model.logits(ids)[:, -1].argmax(-1, keepdim=True)], 1)
        if int(ids[0, -1]) == model.config.eos_id:
            break
    assert torch.equal(written, ids)


@pytest.mark.parametrize("temperature", [0.5, 1.5])
def test_draws_follow_the_law(temperature: float) -> None:
    """20,000 next tokens and the tokens after them: chi-square p > 0.001 at T, < 0.001 at another T."""
    model = small.transformer(vocab_size=6)
    prompt = torch.tensor([[1, 4, 5]])
    written = generate_tokens(model, prompt.expand(20_000, -1), 4, temperature=temperature, generator=stream(1))
    observed = torch.bincount(written[:, 3], minlength=6)

    def p(t: float) -> float:
        law = torch.softmax(model.logits(prompt)[0, -1].detach().double() / t, -1)
        return float(stats.chisquare(observed.numpy(), (law / law.sum() * 20_000).numpy()).pvalue)

    assert p(temperature) > 0.001
    assert p(1.0) < 0.001


def test_text_is_that_of_the_ids() -> None:
    model = writing_model()
    assert model.tokenizer is not None
    start = torch.tensor([[model.config.bos_id, *model.tokenizer.encode("the old")]])
    ids = generate_tokens(model, start, start.shape[1] + 20, temperature=0.8, generator=stream(3))
    text = model.tokenizer.decode(ids[0, start.shape[1] :].tolist())
    assert "".join(write_tokens(model, "the old", 0.8, 20, seed=3)) == text
    assert len({"".join(write_tokens(model, "the old", 0.8, 20, seed=seed)) for seed in range(4)}) > 1


@pytest.mark.parametrize("temperature", [0, -1, math.nan, math.inf, "warm", None, True])
def test_impossible_temperatures(temperature: object) -> None:
    with pytest.raises(InputError, match="above 0"):
        check_softmax_temperature(temperature)  # type: ignore[arg-type]


def test_refusals() -> None:
    model = small.transformer()
    for ids in (torch.zeros(1, 0, dtype=torch.int64), torch.zeros(1, 9, dtype=torch.int64), torch.zeros(3)):
        with pytest.raises(InputError, match="prompts must have shape"):
            generate_tokens(model, ids, 8)
    with pytest.raises(InputError, match="no tokenizer"):
        write_tokens(model, "")
    for count in (0, 2.5, True):
        with pytest.raises(InputError, match="max_tokens"):
            write_tokens(writing_model(), "", max_tokens=count)  # type: ignore[arg-type]
