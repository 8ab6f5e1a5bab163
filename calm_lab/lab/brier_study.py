"""BrierLM on a language whose every probability is known: how fast the estimate settles, and what it settles on.

A small Markov language (``calm_lab.text.markov``) writes the text, and a second chain, made from it by one dial, plays
the model. The exact Brier-1..4 of both are known, so the estimate from samples can be watched as it closes in on the
right number, its error bar beside it (paper sec. 4). The dial shows what *strictly proper* means: turned either way,
towards blur or towards certainty, the exact score falls.

``sign_trap`` is the caution: a model that always says the same, and is mostly wrong, has four negative Brier-n. Their
product is positive, and the formula of the released code makes a high score of it.

App tab: BrierLM. Notebook: 07.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.device import generator
from calm_lab.errors import InputError, choose_from
from calm_lab.text.markov import MarkovLanguage
from calm_lab.toolkit.brier import ORDERS, BrierEstimate, brier_lm, brier_terms

LETTERS, LANGUAGE_SEED = 12, 7
LANGUAGES = {"predictable": 0.05, "prose": 0.2, "surprising": 0.5}
"""Known languages by name: concentration of their rows. The ceiling of ``prose`` lies near the paper's scores."""
SURE = 1e-6  # left to the other letters by a law that is all but certain: a chain needs one stationary law
POINTS_A_DECADE = 8
FIRST_POINT = 30
RELEASED_UNTRAINED, RELEASED_SCORE = (-0.91, -1.0, -1.0, -1.0), 97.6
"""An untrained model under the released code, measured: its Brier-1..4, rounded, and the score that it is given."""


@functools.cache
def known_language(name: str = "prose") -> MarkovLanguage:
    """A language of 12 letters whose every probability is known.

    Raises:
        InputError: for a name that is not in ``LANGUAGES``.
    """
    if name not in LANGUAGES:
        raise InputError(choose_from(name, LANGUAGES, "language"))
    return MarkovLanguage.random(LETTERS, LANGUAGE_SEED, LANGUAGES[name])


def turned(language: MarkovLanguage, dial: float) -> MarkovLanguage:
    """The language's own law, made worse.

    Args:
        language: the truth.
        dial: 0 keeps the law. Up to 1 mixes it with an even one, ``(1 - dial) P + dial / A``. Down to -1 sharpens it,
            ``P^(1 / (1 + dial))``, until only each letter's favourite successor is left.

    Returns:
        The model.

    Raises:
        InputError: if the dial lies outside [-1, 1].
    """
    if not -1 <= dial <= 1:
        raise InputError(f"the dial must lie between -1 and 1, not {dial}")
    if dial >= 0:
        return MarkovLanguage((1 - dial) * language.transition + dial / language.states, offset=language.offset)
    if 1 + dial < 1e-9:
        return always(language, language.transition.argmax(1))
    sharp = (language.transition.log() / (1 + dial)).softmax(1)
    return MarkovLanguage((1 - SURE) * sharp + SURE / language.states, offset=language.offset)


def always(language: MarkovLanguage, successor: Tensor) -> MarkovLanguage:
    """A model that says one letter behind each: ``successor``, letters (A,), counted from 0."""
    rows = torch.full_like(language.transition, SURE / language.states)
    rows[torch.arange(language.states), successor] += 1 - SURE
    return MarkovLanguage(rows, offset=language.offset)


@dataclass(frozen=True)
class Point:
    """The estimate after the first ``positions`` positions.

    Attributes:
        positions: how many were scored.
        values: Brier-1..4.
        errors: their standard errors.
        brier_lm: nan where a Brier-n is not above 0.
        brier_lm_error: its standard error; nan where it is undefined.
    """

    positions: int
    values: tuple[float, ...]
    errors: tuple[float, ...]
    brier_lm: float
    brier_lm_error: float


def convergence(
    language: MarkovLanguage, model: MarkovLanguage, positions: int, seed: int, places: Sequence[int] | None = None
) -> list[Point]:
    """Estimate Brier-1..4 of ``model`` from two draws at each of more and more positions.

    Positions are independent: each has a last letter from the stationary law, a true continuation, and two of the
    model. A longer study begins with the same positions as a shorter one of the same seed.

    Args:
        language: writes the truth.
        model: is judged.
        positions: how many positions in all, at least 2.
        seed: of all draws.
        places: after how many positions to look; by default 8 a decade from 30 on, and the last.

    Returns:
        A point for each place.

    Raises:
        InputError: if ``positions`` is below 2 or a place lies outside [2, positions].
    """
    if positions < 2:
        raise InputError(f"{positions} positions have no error bar: choose at least 2")
    if places is None:
        places = log_places(positions)
    if not all(2 <= place <= positions for place in places):
        raise InputError(f"places must lie between 2 and {positions:,}")
    score = brier_terms(*draws(language, model, positions, seed)).score  # (P, 4)
    return [_point(BrierEstimate.from_terms(score[:place])) for place in places]


def draws(language: MarkovLanguage, model: MarkovLanguage, positions: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """What ``convergence`` judges: two draws of the model and the true continuation at every position.

    Returns:
        Ids (P, 4) each: first draw, second draw, truth.
    """
    last, target = _truth(language, positions, seed)
    first, second = (model.continue_from(last, ORDERS, generator(4 * seed + draw)) for draw in (2, 3))
    return first, second, target


@functools.lru_cache(maxsize=4)  # the dial changes the model and not the text
def _truth(language: MarkovLanguage, positions: int, seed: int) -> tuple[Tensor, Tensor]:
    """Last letters (P,) and their true continuations (P, 4); a stream for each draw, so that prefixes agree."""
    last = language.sample(positions, 1, generator(4 * seed))[:, 0]
    return last, language.continue_from(last, ORDERS, generator(4 * seed + 1))


def _point(found: BrierEstimate) -> Point:
    values, errors = found.values.tolist(), found.standard_errors.tolist()
    return Point(found.positions, tuple(values), tuple(errors), found.brier_lm, found.brier_lm_error)


def log_places(positions: int) -> list[int]:
    """Evenly spaced on a logarithmic axis, from 30 (or fewer) to ``positions``."""
    first = min(FIRST_POINT, positions)
    steps = max(1, round(POINTS_A_DECADE * math.log10(positions / first)))
    return sorted({round(first * (positions / first) ** (step / steps)) for step in range(steps + 1)})


@dataclass(frozen=True)
class Turn:
    """One place of the dial: the model's exact scores.

    Attributes:
        dial: from -1 to 1.
        values: exact Brier-1..4.
        brier_lm: nan where one of them is not above 0.
    """

    dial: float
    values: tuple[float, ...]
    brier_lm: float


def dial_curve(language: MarkovLanguage, steps: int = 40) -> list[Turn]:
    """The exact scores at ``steps + 1`` even places of the dial; ``steps`` even, so that 0 is among them."""
    return [exact(language, 2 * step / steps - 1) for step in range(steps + 1)]


def exact(language: MarkovLanguage, dial: float) -> Turn:
    """The exact scores at one place of the dial."""
    found = language.expected_brier(turned(language, dial))
    return Turn(dial, tuple(found.values.tolist()), found.brier_lm)


def released_score(brier: Sequence[float]) -> float:
    """100 times what the released evaluation computes: ``max(B1 B2 B3 B4, 0) ** 0.25``, whatever the signs."""
    return 100 * max(math.prod(brier[:ORDERS]), 0.0) ** 0.25


@dataclass(frozen=True)
class Trap:
    """One model, scored twice.

    Attributes:
        name: language, turned, favourite, never or untrained.
        values: Brier-1..4.
        released: the score by the released formula.
        ours: BrierLM; nan where a Brier-n is not above 0.
    """

    name: str
    values: tuple[float, ...]
    released: float
    ours: float


def sign_trap(language: MarkovLanguage, dial: float) -> list[Trap]:
    """The language itself, the model of the dial, and three that always say the same.

    ``favourite`` says each letter's likeliest successor, ``never`` the least likely one; both are exact. ``untrained``
    is an untrained model of the released code, as that code scores it.
    """
    rows = language.transition
    exactly = {
        "language": language,
        "turned": turned(language, dial),
        "favourite": always(language, rows.argmax(1)),
        "never": always(language, rows.argmin(1)),
    }
    scores = {name: tuple(language.expected_brier(model).values.tolist()) for name, model in exactly.items()}
    traps = [Trap(name, values, released_score(values), brier_lm(values)) for name, values in scores.items()]
    return [*traps, Trap("untrained", RELEASED_UNTRAINED, RELEASED_SCORE, brier_lm(RELEASED_UNTRAINED))]
