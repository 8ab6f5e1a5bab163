"""Markov languages: every number against brute force, and the writer against its own law."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from calm_lab.errors import InputError
from calm_lab.text.markov import FIRST_ID, MarkovLanguage

SMALL = MarkovLanguage(torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.5, 0.0, 0.5]]), torch.tensor([0.2, 0.3, 0.5]))


def languages() -> st.SearchStrategy[MarkovLanguage]:
    return st.builds(MarkovLanguage.random, st.integers(1, 5), st.integers(0, 10_000), st.sampled_from([0.1, 0.5, 3.0]))


def path_probability(language: MarkovLanguage, first: float, letters: tuple[int, ...]) -> float:
    return first * math.prod(float(language.transition[a, b]) for a, b in itertools.pairwise(letters))


@given(languages(), st.integers(1, 3))
def test_chunk_laws_by_brute_force(language: MarkovLanguage, size: int) -> None:
    paths = list(itertools.product(range(language.states), repeat=size))
    assert language.chunks(size).tolist() == [[letter + language.offset for letter in path] for path in paths]
    for state in [None, *range(language.states)]:
        start = language.initial if state is None else language.transition[state]
        law = language.chunk_probabilities(None if state is None else state + language.offset, size)
        assert law.dtype == torch.float64
        assert float(law.sum()) == pytest.approx(1, abs=1e-12)
        expected = [path_probability(language, float(start[path[0]]), path) for path in paths]
        assert law.tolist() == pytest.approx(expected, rel=1e-12, abs=1e-300)


@given(languages())
def test_the_stationary_law_stays(language: MarkovLanguage) -> None:
    assert torch.allclose(language.stationary @ language.transition, language.stationary, atol=1e-10)
    assert float(language.stationary.sum()) == pytest.approx(1)
    assert bool((language.stationary >= 0).all())
    assert torch.equal(language.initial, language.stationary)
    assert language.vocab_size == FIRST_ID + language.states


@given(languages(), languages(), st.integers(1, 4))
def test_ceilings_by_brute_force(language: MarkovLanguage, other: MarkovLanguage, n_max: int) -> None:
    """Brier-n is 2 sum Q P - sum P^2 over all n-grams, averaged over the last token; the truth scores best."""
    ceiling = language.brier_ceiling(n_max)
    for n in range(1, n_max + 1):
        laws = [language.chunk_probabilities(letter + language.offset, n) for letter in range(language.states)]
        exact = sum(
            float(share) * float(law.square().sum()) for share, law in zip(language.stationary, laws, strict=True)
        )
        assert float(ceiling.values[n - 1]) == pytest.approx(exact)
    if other.states == language.states:
        scored = language.expected_brier(other, n_max)
        assert bool((scored.values <= ceiling.values + 1e-12).all())
        model = [other.chunk_probabilities(letter + other.offset, n_max) for letter in range(other.states)]
        exact = sum(
            float(share) * float((2 * law * guess - guess.square()).sum())
            for share, law, guess in zip(language.stationary, laws, model, strict=True)
        )
        assert float(scored.values[-1]) == pytest.approx(exact, abs=1e-12)
    geometric = 100 * math.prod(ceiling.values.tolist()) ** 0.25
    assert ceiling.brier_lm == pytest.approx(geometric) if n_max == 4 else math.isnan(ceiling.brier_lm)


@given(languages())
def test_entropy_is_what_one_more_token_adds(language: MarkovLanguage) -> None:
    def block(size: int) -> float:
        law = language.chunk_probabilities(None, size)
        return float(-torch.special.xlogy(law, law).sum()) / math.log(2)

    assert language.entropy_bits() == pytest.approx(block(3) - block(2), abs=1e-9)


def test_languages_whose_numbers_are_plain() -> None:
    uniform = MarkovLanguage(torch.full((5, 5), 0.2))
    assert uniform.brier_ceiling().brier_lm == pytest.approx(100 * 5**-2.5)
    assert uniform.entropy_bits() == pytest.approx(math.log2(5))
    cycle = MarkovLanguage(torch.eye(4).roll(1, 1))
    assert cycle.brier_ceiling().brier_lm == pytest.approx(100)
    assert cycle.entropy_bits() == 0
    text = cycle.sample(3, 12, torch.Generator().manual_seed(0))
    assert bool(((text[:, 1:] - text[:, :-1]) % 4 == 1).all())
    wrong = MarkovLanguage(torch.eye(4).roll(2, 1) * 0.9 + 0.025)
    assert math.isnan(cycle.expected_brier(wrong).brier_lm)


def test_probabilities_of_whole_texts() -> None:
    texts = SMALL.chunks(3)
    assert torch.allclose(SMALL.log_probability(texts).exp(), SMALL.chunk_probabilities(None, 3))
    assert float(SMALL.log_probability(torch.tensor([6, 5]))) == -math.inf
    assert SMALL.log_probability(texts.view(3, 9, 3)).shape == (3, 9)


def test_texts_follow_their_law() -> None:
    """20,000 texts of 3 tokens, and 20,000 continuations of each token: chi-square p > 0.001 each (4 tests)."""
    stream = torch.Generator().manual_seed(1)

    def check(ids: torch.Tensor, law: torch.Tensor) -> None:
        observed = (ids.unsqueeze(1) == SMALL.chunks(ids.shape[1])).all(-1).sum(0)
        assert int(observed.sum()) == 20_000
        assert int(observed[law == 0].sum()) == 0
        assert stats.chisquare(observed[law > 0].numpy(), law[law > 0].numpy() * 20_000).pvalue > 0.001

    check(SMALL.sample(20_000, 3, stream), SMALL.chunk_probabilities(None, 3))
    for token in range(FIRST_ID, FIRST_ID + 3):
        check(SMALL.continue_from(torch.full((20_000,), token), 2, stream), SMALL.chunk_probabilities(token, 2))


@given(languages(), st.integers(0, 4), st.integers(0, 9), st.integers(0, 99))
def test_shapes_and_seeds(language: MarkovLanguage, batch: int, length: int, seed: int) -> None:
    ids, again = (language.sample(batch, length, torch.Generator().manual_seed(seed)) for _ in range(2))
    assert ids.shape == (batch, length)
    assert ids.dtype == torch.int64
    assert torch.equal(ids, again)
    assert bool(((ids >= FIRST_ID) & (ids < language.vocab_size)).all())
    if batch and length:
        more = language.continue_from(ids[:, -1], 3, torch.Generator().manual_seed(seed))
        assert more.shape == (batch, 3)
        assert bool(language.log_probability(torch.cat([ids, more], 1)).isfinite().all())


def test_random_languages_differ_by_seed_and_are_mixed() -> None:
    one, same, other = (MarkovLanguage.random(6, seed) for seed in (1, 1, 2))
    assert torch.equal(one.transition, same.transition)
    assert not torch.equal(one.transition, other.transition)
    sharp = MarkovLanguage.random(6, 1, concentration=0.01)
    assert bool((sharp.transition > 0).all())
    assert sharp.entropy_bits() < one.entropy_bits()
    assert MarkovLanguage.random(3, 0, offset=10).sample(1, 50).min() >= 10


def test_bad_input_is_refused_in_words() -> None:
    half = torch.full((2, 2), 0.5)
    for make, words in [
        (lambda: MarkovLanguage(torch.tensor([[0.5, 0.4], [0.5, 0.5]])), "summing to 1"),
        (lambda: MarkovLanguage(torch.tensor([[1.5, -0.5], [0.5, 0.5]])), "not negative"),
        (lambda: MarkovLanguage(torch.tensor([[math.nan, 1.0], [0.5, 0.5]])), "must hold laws"),
        (lambda: MarkovLanguage(torch.full((2, 4), 0.25)), "one row and column"),
        (lambda: MarkovLanguage(torch.ones(1)), "2 axes"),
        (lambda: MarkovLanguage(torch.eye(2)), "several stationary laws"),
        (lambda: MarkovLanguage(half, torch.ones(1)), "make them equal"),
        (lambda: MarkovLanguage(half, offset=-1), "negative ids"),
        (lambda: MarkovLanguage.random(0, 1), "above 0"),
        (lambda: MarkovLanguage.random(3, 1, concentration=0.0), "above 0"),
        (lambda: SMALL.sample(-1, 3), "must not be negative"),
        (lambda: SMALL.continue_from(torch.tensor([3]), 2), "its ids are 4 to 6"),
        (lambda: SMALL.continue_from(torch.tensor(4), 2), r"give \(R,\)"),
        (lambda: SMALL.chunk_probabilities(7, 2), "its ids are 4 to 6"),
        (lambda: SMALL.chunk_probabilities(4, 0), "holds no token"),
        (lambda: SMALL.chunks(40), "too many to list"),
        (lambda: SMALL.log_probability(torch.zeros(2, 0)), "hold no text"),
        (lambda: SMALL.brier_ceiling(0), "scores nothing"),
        (lambda: SMALL.expected_brier(MarkovLanguage(half)), "same ids"),
    ]:
        with pytest.raises(InputError, match=words):
            make()
