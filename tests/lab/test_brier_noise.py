"""The noise of BrierLM: bounds that hold for every calibrated model, the paper's gap, scores read from cards."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from calm_lab.errors import InputError
from calm_lab.lab.brier_noise import PAPER_BRIER, PLACES, Z_95, noise, paper_gap, scaled, scored
from calm_lab.lab.brier_study import convergence, known_language
from calm_lab.text.markov import MarkovLanguage
from calm_lab.toolkit.brier import brier_lm


def exact_error(language: MarkovLanguage, positions: int) -> float:
    """The standard error of the language judged by itself, by listing all triples of chunks of four."""
    chunks = language.chunks(4)
    same = torch.stack(
        [(chunks[:, None, :n] == chunks[None, :, :n]).all(-1).double() for n in range(1, 5)]
    )  # (4, X, X)
    terms = (same[:, :, None, :] + same[:, None, :, :] - same[:, :, :, None]).flatten(
        1
    )  # (4, X^3): first, second, truth
    mean = torch.zeros(4, dtype=torch.float64)
    second = torch.zeros(4, 4, dtype=torch.float64)
    for state, weight in enumerate(language.stationary.tolist()):
        law = language.chunk_probabilities(state + language.offset, 4)  # (X,)
        triple = (law[:, None, None] * law[None, :, None] * law).flatten()
        mean += weight * terms @ triple
        second += weight * (terms * triple) @ terms.T
    slope = brier_lm(mean) / (4 * mean)
    return math.sqrt(float(slope @ (second - mean.outer(mean)) @ slope) / positions)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 3), st.integers(0, 10_000), st.sampled_from([0.1, 0.5, 2.0]))
def test_the_bounds_hold_for_every_language_judged_by_itself(states: int, seed: int, concentration: float) -> None:
    language = MarkovLanguage.random(states, seed, concentration)
    bounds = noise(language.brier_ceiling().values.tolist(), 100)
    error = exact_error(language, 100)
    assert bounds.low - 1e-9 <= error <= bounds.high + 1e-9
    assert bounds.brier_lm == pytest.approx(language.brier_ceiling().brier_lm)


def test_a_model_that_is_sure_or_spread_thin_touches_the_lower_bound() -> None:
    """Each chunk is certain with chance B and otherwise never comes twice: the estimates are nested coins."""
    four = (0.5, 0.3, 0.2, 0.1)
    covariance = torch.tensor([[four[max(n, m)] - four[n] * four[m] for m in range(4)] for n in range(4)])
    slope = torch.tensor([brier_lm(four) / (4 * value) for value in four])
    assert noise(four, 400).low == pytest.approx(math.sqrt(float(slope @ covariance @ slope) / 400), rel=1e-6)


@pytest.mark.parametrize("name", ["predictable", "prose"])
def test_a_measured_error_lies_between_the_bounds(name: str) -> None:
    """Within 10%: 20,000 positions meet some 300 hits of Brier-4, so the measured error is itself known to about 6%.

    The bounds are a factor 1.7 apart and the truth lies well inside: with fresh seeds fewer than 1 run in 1,000 fails.
    """
    language = known_language(name)
    (point,) = convergence(language, language, 20_000, 1, places=[20_000])
    bounds = noise(language.brier_ceiling().values.tolist(), 20_000)
    assert 0.9 * bounds.low < point.brier_lm_error < 1.1 * bounds.high


def test_the_papers_gap() -> None:
    gap = paper_gap(10_000)
    assert gap.size == pytest.approx(0.33)
    assert gap.noise.brier_lm == pytest.approx(5.72)
    assert gap.noise.low < gap.noise.high < 2 * gap.noise.low
    assert gap.verdict == "inside"
    for enough, bound in ((gap.enough_low, "low"), (gap.enough_high, "high")):
        assert (
            Z_95 * getattr(paper_gap(enough).noise, bound)
            <= gap.size
            < Z_95 * getattr(paper_gap(enough - 1).noise, bound)
        )
    assert paper_gap(gap.enough_low - 1).verdict == "inside"
    assert paper_gap(gap.enough_low + 1).verdict == paper_gap(gap.enough_high - 1).verdict == "unclear"
    assert paper_gap(gap.enough_high + 1).verdict == "outside"


def test_errors_fall_with_the_root_of_the_positions() -> None:
    one, four = noise(PAPER_BRIER, 500), noise(PAPER_BRIER, 2000)
    assert (one.low, one.high) == pytest.approx((2 * four.low, 2 * four.high))
    assert list(PLACES) == sorted(set(PLACES))
    assert (PLACES[0], PLACES[-1]) == (100, 1_000_000)


def test_the_papers_proportions() -> None:
    assert brier_lm(PAPER_BRIER) == pytest.approx(4.70, abs=0.01)
    four = scaled(5.72)
    assert brier_lm(four) == pytest.approx(5.72)
    assert {round(a / b, 9) for a, b in zip(four, PAPER_BRIER, strict=True)} == {round(four[0] / PAPER_BRIER[0], 9)}


@pytest.mark.parametrize(
    ("brier", "positions"),
    [((0.1, 0.2, 0.1, 0.1), 10), ((0.4, 0.3, 0.2, 0.0), 10), ((1.1, 0.3, 0.2, 0.1), 10), ((0.5, 0.4), 10),
     ((0.4, 0.3, 0.2, math.nan), 10), (PAPER_BRIER, 0)],
)  # fmt: skip
def test_what_has_no_bound_is_refused(brier: tuple[float, ...], positions: int) -> None:
    with pytest.raises(InputError):
        noise(brier, positions)


CARD = {
    "data": {"corpus": "storyland"},
    "tokens": 1000,
    "metrics": {
        "test": {
            "brier_lm": 15.5,
            "brier_lm_standard_error": 0.3,
            "brier": [0.35, 0.17, 0.12, 0.08],
            "positions": 8073,
        },
        "ceiling": {"brier_lm": 59.6},
    },
}


def test_a_score_is_read_from_a_card() -> None:
    row = scored("calm-small", "calm", {"chunk_size": 4}, CARD)
    assert (row.brier_lm, row.error, row.ceiling, row.positions, row.tokens) == (15.5, 0.3, 59.6, 8073, 1000)
    assert (row.chunk_size, row.corpus, row.brier) == (4, "storyland", (0.35, 0.17, 0.12, 0.08))
    assert row.share == pytest.approx(15.5 / 59.6)


def test_a_transformer_is_read_where_a_calm_is_scored() -> None:
    card = {**CARD, "metrics": {**CARD["metrics"], "test_every_4": {"brier_lm": 20.0}}}  # type: ignore[dict-item]
    row = scored("token", "transformer", {}, card)
    assert (row.brier_lm, row.chunk_size, row.error, row.brier) == (20.0, 1, None, ())


@pytest.mark.parametrize(
    "card",
    [{}, {"metrics": 3}, {"metrics": {"test": []}}, {"metrics": {"test": {"brier_lm": "high", "brier": ["a"]}}},
     {"metrics": {"test": {"brier_lm": math.nan}}, "data": 7, "tokens": True}],
)  # fmt: skip
def test_a_damaged_card_is_a_row_without_a_score(card: dict[str, object]) -> None:
    row = scored("broken", "calm", {"chunk_size": "four"}, card)
    assert (row.brier_lm, row.share, row.tokens, row.brier, row.chunk_size) == (None, None, None, (), 1)
