"""How much of a difference in BrierLM is noise, and the scores on the models' cards side by side.

The paper gives no error bars. They can be bounded without its data. Call a model *calibrated* if it draws as the
language does: then accuracy, collision and Brier-n are one number ``B_n``. At one position the estimate
``X_n = 1{x1 = y} + 1{x2 = y} - 1{x1 = x2}`` is 1, 0 or -1, and for n <= m

    ``Cov(X_n, X_m) = 3 B_m - 2 u - B_n B_m``,   ``u = P(x1 = x2 to m tokens, and = y to n tokens)``,

with u between 0 and ``B_m``. The delta method turns that into bounds on the standard error of BrierLM over R
independent positions, with ``S = 7/B_1 + 5/B_2 + 3/B_3 + 1/B_4``:

    ``BrierLM / 4 * sqrt((S - 16) / R)  <=  error  <=  BrierLM / 4 * sqrt((3 S - 16) / R)``.

Positions of one document depend on each other, which makes an error larger; a model with probabilities, as the paper's
baseline, has a smaller one. The paper prints Brier-1..4 for one model only (Table 5); CALM-M's are taken in the same
proportions.

App tab: BrierLM. Notebook: 07.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calm_lab.errors import InputError
from calm_lab.lab.table1 import PAPER_ROWS
from calm_lab.toolkit.brier import ORDERS, brier_lm

Z_95 = 1.959963984540054  # two-sided 95% of the normal law
PAPER_BRIER = (0.2181, 0.0688, 0.0259, 0.0125)  # paper Table 5, discrete input: Brier-1..4
PAPER_GAP = ("CALM-M", "Transformer-S")
PLACES = tuple(round(10 ** (step / 4)) for step in range(8, 25))  # 100 to a million
COMPARABLE = ("test_every_4", "test")  # a Transformer where a CALM is scored, if its card has that


@dataclass(frozen=True)
class Noise:
    """Bounds of the standard error of a BrierLM.

    Attributes:
        brier_lm: the score.
        low: the error can't be smaller.
        high: nor larger, for a calibrated model at independent positions.
        positions: how many were scored.
    """

    brier_lm: float
    low: float
    high: float
    positions: int


def noise(brier: Sequence[float], positions: int) -> Noise:
    """Bounds of BrierLM's standard error for a calibrated model, one pair of draws a position.

    Args:
        brier: Brier-1..4, fractions above 0.
        positions: R, at least 1, independent.

    Returns:
        The bounds.

    Raises:
        InputError: if there are not four fractions in (0, 1], falling with n, or no position.
    """
    four = tuple(float(value) for value in brier)
    falling = all(a >= b > 0 for a, b in itertools.pairwise(four))
    if len(four) != ORDERS or not falling or four[0] > 1:
        raise InputError("the noise of BrierLM is bounded for four fractions in (0, 1] that fall with n")
    if positions < 1:
        raise InputError(f"{positions} positions score nothing: choose at least 1")
    score = brier_lm(four)
    weight = sum((2 * (ORDERS - n) - 1) / value for n, value in enumerate(four))  # S: 7, 5, 3, 1
    low, high = (score / 4 * math.sqrt((times * weight - 16) / positions) for times in (1, 3))
    return Noise(score, low, high, positions)


def scaled(brier_score: float, shape: Sequence[float] = PAPER_BRIER) -> tuple[float, ...]:
    """Brier-1..4 in the proportions of ``shape`` that make a BrierLM of ``brier_score``."""
    factor = brier_score / brier_lm(shape)
    return tuple(factor * value for value in shape)


@dataclass(frozen=True)
class Gap:
    """The paper's gap beside the noise of one evaluation.

    Attributes:
        size: BrierLM of the Transformer minus that of the CALM.
        noise: of the CALM's score alone.
        enough_low: positions from which on the gap passes 1.96 errors, the error at its lower bound.
        enough_high: the same at its upper bound.
    """

    size: float
    noise: Noise
    enough_low: int
    enough_high: int

    @property
    def verdict(self) -> str:
        """inside, unclear or outside: where the gap lies against the 95% interval of CALM-M alone."""
        if self.size <= Z_95 * self.noise.low:
            return "inside"
        return "outside" if self.size > Z_95 * self.noise.high else "unclear"


def paper_gap(positions: int) -> Gap:
    """The 0.33 between CALM-M and Transformer-S beside the error of a CALM-M judged at ``positions`` positions."""
    calm, transformer = (PAPER_ROWS[name].brier_lm for name in PAPER_GAP)
    size, four = transformer - calm, scaled(calm)
    one = noise(four, 1)
    enough = [math.ceil((Z_95 * error / size) ** 2) for error in (one.low, one.high)]
    return Gap(size, noise(four, positions), *enough)


@dataclass(frozen=True)
class Scored:
    """The score on a model's card.

    Attributes:
        name: of the model.
        kind: calm or transformer.
        chunk_size: K; 1 for a Transformer.
        corpus: what it was trained and judged on.
        tokens: of training.
        brier_lm: None where it is undefined, or the card has none.
        error: its standard error.
        ceiling: BrierLM of the language itself, where that is known.
        brier: Brier-1..4, or nothing.
        positions: scored.
        reason: why there is no BrierLM.
    """

    name: str
    kind: str
    chunk_size: int
    corpus: str
    tokens: int | None
    brier_lm: float | None
    error: float | None
    ceiling: float | None
    brier: tuple[float, ...]
    positions: int | None
    reason: str | None

    @property
    def share(self) -> float | None:
        """BrierLM as a share of the ceiling."""
        return self.brier_lm / self.ceiling if self.brier_lm is not None and self.ceiling else None


def scored(name: str, kind: str, config: Mapping[str, Any], card: Mapping[str, Any]) -> Scored:
    """Read a language model's score from its card; whatever the card lacks or holds damaged is None."""
    metrics = _mapping(card.get("metrics"))
    found = next((test for key in COMPARABLE if (test := _mapping(metrics.get(key)))), {})
    brier = found.get("brier")
    four = brier if isinstance(brier, list) and all(_number(value) is not None for value in brier) else []
    size = config.get("chunk_size") if kind == "calm" else 1
    reason = found.get("reason")
    return Scored(
        name=name,
        kind=kind,
        chunk_size=size if isinstance(size, int) else 1,
        corpus=str(_mapping(card.get("data")).get("corpus") or ""),
        tokens=_whole(card.get("tokens")),
        brier_lm=_number(found.get("brier_lm")),
        error=_number(found.get("brier_lm_standard_error")),
        ceiling=_number(_mapping(metrics.get("ceiling")).get("brier_lm")),
        brier=tuple(float(value) for value in four),
        positions=_whole(found.get("positions")),
        reason=reason if isinstance(reason, str) else None,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good else None  # type: ignore[arg-type]


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
