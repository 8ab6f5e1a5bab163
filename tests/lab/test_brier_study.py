"""BrierLM on known languages: the exact scores, the estimate that closes in on them, its error bar, the sign trap."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from calm_lab.errors import InputError
from calm_lab.lab.brier_study import (
    LANGUAGES,
    RELEASED_SCORE,
    always,
    convergence,
    dial_curve,
    exact,
    known_language,
    log_places,
    released_score,
    sign_trap,
    turned,
)

every_language = pytest.mark.parametrize("name", LANGUAGES)


@every_language
def test_the_dial_at_zero_is_the_language(name: str) -> None:
    language = known_language(name)
    assert torch.allclose(turned(language, 0).transition, language.transition, atol=1e-12, rtol=0)
    assert exact(language, 0).brier_lm == pytest.approx(language.brier_ceiling().brier_lm)


@every_language
def test_turning_the_dial_either_way_only_loses(name: str) -> None:
    """Strictly proper: every exact Brier-n is highest at the truth, and falls on the way to either end."""
    curve = dial_curve(known_language(name))
    middle = len(curve) // 2
    assert curve[middle].dial == 0
    for n in range(4):
        values = [turn.values[n] for turn in curve]
        assert values[: middle + 1] == sorted(values[: middle + 1])
        assert values[middle:] == sorted(values[middle:], reverse=True)
        assert len(set(values)) == len(values)


def test_the_ends_of_the_dial() -> None:
    """An even law has Brier-n of A^-n; certainty has 2 accuracy - 1, up to the millionth it leaves to others."""
    language = known_language()
    for n, value in enumerate(exact(language, 1).values, 1):
        assert value == pytest.approx(language.states**-n)
    right = language.stationary @ language.transition.max(1).values
    assert exact(language, -1).values[0] == pytest.approx(2 * float(right) - 1, abs=1e-5)
    assert turned(language, -1).transition.argmax(1).tolist() == language.transition.argmax(1).tolist()
    nearly = turned(language, -0.999).transition
    assert torch.allclose(nearly, turned(language, -1).transition, atol=1e-3)


@pytest.mark.parametrize("dial", [-1.01, 1.01, math.nan])
def test_the_dial_has_ends(dial: float) -> None:
    with pytest.raises(InputError, match="dial"):
        turned(known_language(), dial)
    with pytest.raises(InputError, match="unknown language"):
        known_language("klingon")


def test_the_estimate_closes_in_on_the_exact_line() -> None:
    """All four Brier-n within 4.5 standard errors at every place.

    About 10 independent looks at 4 numbers: with a fresh seed one run in some 3,000 would fail by chance.
    """
    language = known_language("predictable")
    truth = exact(language, 0.2).values
    points = convergence(language, turned(language, 0.2), 20_000, seed=3, places=[200, 2000, 20_000])
    for point in points:
        for value, error, wanted in zip(point.values, point.errors, truth, strict=True):
            assert abs(value - wanted) < 4.5 * error
    assert points[-1].brier_lm_error < points[0].brier_lm_error / 5  # ten times as many positions twice, so about 10


def test_the_error_bar_covers_as_often_as_it_says() -> None:
    """The 95% interval of BrierLM holds the exact number in 95% of studies of 1,000 positions.

    Out of 300 studies, coverage below 91% or above 98.7% is 3 standard errors away: with fresh seeds 1 run in 400
    would fail by chance.
    """
    language = known_language("predictable")
    model, wanted = turned(language, 0.2), exact(language, 0.2).brier_lm
    covered = 0
    for seed in range(300):
        (point,) = convergence(language, model, 1000, seed, places=[1000])
        covered += abs(point.brier_lm - wanted) < 1.96 * point.brier_lm_error
    assert 0.91 <= covered / 300 <= 0.987


def test_a_longer_study_begins_as_the_shorter_one() -> None:
    language = known_language()
    model = turned(language, -0.1)
    short = convergence(language, model, 100, 5, places=[50, 100])
    assert convergence(language, model, 5000, 5, places=[50, 100, 5000])[:2] == short
    assert convergence(language, model, 100, 6, places=[50, 100]) != short


def test_places_are_even_on_a_log_axis() -> None:
    places = log_places(10_000)
    assert (places[0], places[-1]) == (30, 10_000)
    ratios = [b / a for a, b in itertools.pairwise(places)]
    assert max(ratios) / min(ratios) < 1.1
    assert log_places(2) == [2]


@pytest.mark.parametrize(("positions", "places"), [(1, None), (0, None), (10, [1]), (10, [11])])
def test_too_few_positions_are_refused(positions: int, places: list[int] | None) -> None:
    language = known_language()
    with pytest.raises(InputError):
        convergence(language, language, positions, 1, places)


@every_language
def test_the_sign_trap(name: str) -> None:
    """A model that is never right gets nearly full marks by the released formula, and none by ours."""
    language = known_language(name)
    traps = {trap.name: trap for trap in sign_trap(language, 0.2)}
    assert traps["never"].released > 99.9
    assert max(traps["never"].values) < 0
    assert [math.isnan(traps[name].ours) for name in ("never", "untrained", "favourite")] == [True] * 3
    for name in ("language", "turned"):  # where all four are positive, the two formulas agree
        assert traps[name].released == pytest.approx(traps[name].ours)
    assert traps["language"].ours > traps["turned"].ours


def test_four_negatives_and_two() -> None:
    surprising = {trap.name: trap for trap in sign_trap(known_language("surprising"), 0)}
    assert max(surprising["favourite"].values) < 0
    assert surprising["favourite"].released > 70
    assert released_score([0.5, -0.5, -0.5, 0.5]) == pytest.approx(50)
    assert released_score([0.5, 0.5, 0.5, -0.1]) == 0


def test_what_the_released_code_gave_fits_its_rounded_brier() -> None:
    """-0.91 stands for anything from -0.915 to -0.905."""
    bounds = [released_score([first, -1, -1, -1]) for first in (-0.905, -0.915)]
    assert bounds[0] < RELEASED_SCORE < bounds[1]


def test_always_says_one_letter() -> None:
    language = known_language()
    model = always(language, torch.zeros(language.states, dtype=torch.int64))
    assert model.transition[:, 0].min() > 0.99999
