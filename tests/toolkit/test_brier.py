"""Brier-n and BrierLM: equal to the official numbers, unbiased, with honest standard errors, and never fooled by signs.

Statistical tests have fixed seeds. With a fresh seed each compares at 4.5 standard errors or in bands as wide, so that
one in about 10,000 runs would fail by chance, unless a docstring says otherwise.
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
from calm_lab.text.markov import MarkovLanguage
from calm_lab.toolkit.brier import BrierEstimate, brier_lm, brier_n, brier_terms
from tests.model.golden import arrays, needs_golden

TRUTH = MarkovLanguage.random(4, seed=5, concentration=0.4)
MODEL = MarkovLanguage.random(4, seed=6, concentration=1.0)


def by_hand(first: Tensor, second: Tensor, target: Tensor) -> list[float]:
    """The definition, one position and one n at a time."""
    n_max = target.shape[-1]
    rows = list(zip(*(ids.reshape(-1, n_max).tolist() for ids in (first, second, target)), strict=True))
    return [
        sum((a[:n] == y[:n]) + (b[:n] == y[:n]) - (a[:n] == b[:n]) for a, b, y in rows) / len(rows)
        for n in range(1, n_max + 1)
    ]


def draw_terms(model: MarkovLanguage, rows: int, chunks: int, seed: int) -> Tensor:
    """Terms of a model at the chunk-aligned positions of fresh texts of the truth: (rows, chunks, 4)."""
    stream = torch.Generator().manual_seed(seed)
    text = TRUTH.sample(rows, 4 * (chunks + 1), stream)
    target = text.view(rows, chunks + 1, 4)[:, 1:]
    last = text[:, 3:-4:4].flatten()
    first, second = (model.continue_from(last, 4, stream).view(rows, chunks, 4) for _ in range(2))
    return brier_terms(first, second, target).score


# --- equal


@needs_golden
def test_equals_the_official_evaluation() -> None:
    golden = arrays("energy_k4")
    first, second, target = (golden[name].view(2, 7, 4) for name in ("brier_pred1", "brier_pred2", "brier_targets"))
    ours = brier_n(first, second, target)
    assert torch.equal(ours, golden["brier_values"])
    assert golden["brier_values"].unique().numel() > 1  # or the comparison would say little


@given(st.data(), st.integers(1, 5), st.lists(st.integers(1, 3), max_size=3))
def test_brier_n_is_its_definition(data: st.DataObject, n: int, leading: list[int]) -> None:
    dtype = data.draw(st.sampled_from([torch.int64, torch.int32, torch.uint8]))
    seed = data.draw(st.integers(0, 10_000))
    stream = torch.Generator().manual_seed(seed)
    first, second, target = (torch.randint(0, 2, (*leading, n), generator=stream).to(dtype) for _ in range(3))
    ours = brier_n(first, second, target)
    assert ours.shape == (n,)
    assert ours.dtype == torch.float32
    assert ours.tolist() == pytest.approx(by_hand(first, second, target), abs=1e-6)
    terms = brier_terms(first, second, target)
    assert terms.accuracy.shape == terms.collision.shape == terms.score.shape == target.shape
    assert set(terms.accuracy.unique().tolist()) <= {0.0, 0.5, 1.0}
    assert set(terms.collision.unique().tolist()) <= {0.0, 1.0}
    assert brier_n(second, first, target).tolist() == ours.tolist()


# --- the sign trap


def test_an_untrained_model_has_no_brier_lm() -> None:
    """Four negatives have a positive product: the official formula gives 97.6 of 100 here."""
    untrained = torch.tensor([-0.91, -1.0, -1.0, -1.0])
    assert float(untrained.prod().clamp(min=0) ** 0.25) > 0.97
    assert math.isnan(brier_lm(untrained))


@pytest.mark.parametrize("signs", list(itertools.product([-1, 0, 1], repeat=4)))
def test_brier_lm_is_a_number_only_where_all_four_are_positive(signs: tuple[int, ...]) -> None:
    score = brier_lm([0.5 * sign for sign in signs])
    assert math.isnan(score) == (min(signs) <= 0)


def test_brier_lm_of_known_cases() -> None:
    assert brier_lm(torch.ones(4)) == pytest.approx(100)
    assert brier_lm([7.0**-n for n in range(1, 5)]) == pytest.approx(100 * 7**-2.5)  # uniform over 7 tokens
    assert brier_lm([0.2181, 0.0688, 0.0259, 0.0125]) == pytest.approx(4.695, abs=5e-4)  # a row of the paper's Table 5
    assert math.isnan(brier_lm([0.5, 0.4, 0.3, math.nan]))


def test_a_deterministic_model_scores_twice_its_accuracy_less_one() -> None:
    target = torch.tensor([[1, 1], [1, 2], [2, 2], [1, 1]])
    always = torch.ones_like(target)
    assert brier_n(always, always, target).tolist() == [2 * 0.75 - 1, 2 * 0.5 - 1]


# --- right


def test_terms_are_unbiased() -> None:
    """200,000 positions of a model that is not the truth, each n within 4.5 standard errors of the exact mean."""
    exact = TRUTH.expected_brier(MODEL).values
    estimate = BrierEstimate.from_terms(draw_terms(MODEL, 4000, 50, seed=1))
    deviation = (estimate.values - exact) / estimate.standard_errors
    assert bool((deviation.abs() < 4.5).all()), deviation
    assert bool((estimate.standard_errors < 0.005).all())  # else the line above would accept anything


def test_the_true_model_reaches_the_ceiling_and_another_does_not() -> None:
    """At 4.5 standard errors."""
    ceiling = TRUTH.brier_ceiling()
    true = BrierEstimate.from_terms(draw_terms(TRUTH, 2000, 50, seed=2))
    other = BrierEstimate.from_terms(draw_terms(MODEL, 2000, 50, seed=2))
    assert abs(true.brier_lm - ceiling.brier_lm) < 4.5 * true.brier_lm_error
    assert true.brier_lm_error < 0.01 * ceiling.brier_lm
    assert math.isnan(other.brier_lm) or other.brier_lm < ceiling.brier_lm - 4.5 * other.brier_lm_error


def test_standard_errors_are_calibrated() -> None:
    """500 repetitions of 100 rows: squared deviations in units of the error average 1 (a chance spread of 0.063)."""
    exact = TRUTH.brier_ceiling()
    squares, score_squares = [], []
    for terms in draw_terms(TRUTH, 500 * 100, 6, seed=3).view(500, 100, 6, 4):
        estimate = BrierEstimate.from_terms(terms)
        squares.append(((estimate.values - exact.values) / estimate.standard_errors).square())
        score_squares.append(((estimate.brier_lm - exact.brier_lm) / estimate.brier_lm_error) ** 2)
    for mean in [*torch.stack(squares).mean(0).tolist(), sum(score_squares) / len(score_squares)]:
        assert 0.75 < mean < 1.3


def test_rows_whose_positions_depend_need_clusters() -> None:
    """Copies of one position in a row tell nothing new: the clustered error sees it, the naive one does not."""
    base = draw_terms(MODEL, 3000, 1, seed=4)
    copied = base.repeat(1, 25, 1)  # (3000, 25, 4)
    clustered = BrierEstimate.from_terms(copied)
    naive = BrierEstimate.from_terms(copied.reshape(-1, 4))
    honest = BrierEstimate.from_terms(base)
    assert torch.allclose(clustered.standard_errors, honest.standard_errors, rtol=1e-9)
    assert torch.allclose(naive.standard_errors * 5, clustered.standard_errors, rtol=1e-2)
    documents = torch.arange(3000).repeat_interleave(25) + 7  # any names will do
    by_name = BrierEstimate.from_terms(copied.reshape(-1, 4), clusters=documents)
    assert torch.allclose(by_name.covariance, clustered.covariance)
    assert (by_name.positions, by_name.clusters) == (75_000, 3000)


def test_terms_that_are_not_valid_do_not_count() -> None:
    terms = draw_terms(MODEL, 40, 5, seed=8)
    valid = torch.ones_like(terms, dtype=torch.bool)
    valid[:, -1, 2:] = False  # 3-grams and 4-grams that would run over the end of the row
    spoiled = torch.where(valid, terms, math.nan)
    estimate = BrierEstimate.from_terms(spoiled, valid=valid)
    assert torch.allclose(estimate.values[:2], terms.double().mean((0, 1))[:2])
    assert torch.allclose(estimate.values[2:], terms[:, :-1].double().mean((0, 1))[2:])
    shorter = BrierEstimate.from_terms(terms[:, :-1])
    assert torch.allclose(estimate.standard_errors[2:], shorter.standard_errors[2:])
    assert estimate.positions == 200


# --- what cannot be said


def test_reasons() -> None:
    ones = torch.ones(6, 4)
    sure = BrierEstimate.from_terms(ones)
    assert (sure.brier_lm, sure.brier_lm_error, sure.reason) == (pytest.approx(100), 0.0, None)
    below = ones.clone()
    below[:, 2] = -1
    estimate = BrierEstimate.from_terms(below)
    assert math.isnan(estimate.brier_lm)
    assert math.isnan(estimate.brier_lm_error)
    assert "Brier-3 is -1" in (estimate.reason or "")
    short = BrierEstimate.from_terms(ones[:, :2])
    assert math.isnan(short.brier_lm)
    assert "only 2" in (short.reason or "")
    lonely = BrierEstimate.from_terms(ones[:1])
    assert lonely.brier_lm == pytest.approx(100)
    assert math.isnan(lonely.brier_lm_error)
    assert bool(lonely.standard_errors.isnan().all())


def test_bad_input_is_refused_in_words() -> None:
    ids = torch.zeros(2, 4, dtype=torch.int64)
    with pytest.raises(InputError, match="make them equal"):
        brier_n(ids, ids, ids[:, :3])
    with pytest.raises(InputError, match="nothing to score"):
        brier_n(ids[:0], ids[:0], ids[:0])
    with pytest.raises(InputError, match="nothing to score"):
        brier_terms(ids[0, 0], ids[0, 0], ids[0, 0])
    with pytest.raises(InputError, match="whole numbers"):
        brier_n(ids.float(), ids, ids)
    with pytest.raises(InputError, match="four fractions"):
        brier_lm(torch.ones(3))
    with pytest.raises(InputError, match="no position"):
        BrierEstimate.from_terms(torch.zeros(0, 4))
    with pytest.raises(InputError, match="no position"):
        BrierEstimate.from_terms(torch.zeros(4))
    with pytest.raises(InputError, match="one for each position"):
        BrierEstimate.from_terms(torch.zeros(5, 4), clusters=torch.zeros(4))
    with pytest.raises(InputError, match="Brier-2 has no valid"):
        BrierEstimate.from_terms(torch.zeros(5, 2), valid=torch.tensor([[True, False]] * 5))
    with pytest.raises(InputError, match="make them equal"):
        BrierEstimate.from_terms(torch.zeros(5, 2), valid=torch.ones(5, 1, dtype=torch.bool))


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.integers(0, 1000))
def test_estimates_never_invent_a_number(rows: int, chunks: int, n: int, seed: int) -> None:
    stream = torch.Generator().manual_seed(seed)
    first, second, target = (torch.randint(0, 2, (rows, chunks, n), generator=stream) for _ in range(3))
    estimate = BrierEstimate.from_terms(brier_terms(first, second, target).score)
    assert estimate.values.shape == estimate.standard_errors.shape == (n,)
    assert estimate.covariance.shape == (n, n)
    assert bool(((estimate.values >= -1) & (estimate.values <= 1)).all())
    assert (rows < 2) == bool(estimate.standard_errors.isnan().any())
    positive = n >= 4 and bool((estimate.values[:4] > 0).all())
    assert math.isnan(estimate.brier_lm) == (not positive)
    assert (estimate.reason is None) == positive
    assert math.isnan(estimate.brier_lm_error) == (not positive or rows < 2)
