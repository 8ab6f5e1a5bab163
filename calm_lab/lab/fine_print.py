"""What the paper's Table 1 leaves out: the vocabulary's share, the price of low temperature, and the true frontier.

Close to half of CALM-M's inference is the decoder's product with the vocabulary. Every row of the table draws one
sample a step, while below temperature 1 each step draws a pool and decodes all of it. And a fair comparison is with a
Transformer of equal FLOPs, which the table does not hold: the line through its three Transformers stands in for it.

Notebook 11, app tab "What K buys".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from calm_lab.lab.cost import Convention
from calm_lab.lab.table1 import PAPER_ROWS, PAPER_TABLE_1, paper_model

CALMS = ("CALM-M", "CALM-L", "CALM-XL")


@dataclass(frozen=True)
class DecoderShare:
    """How much of generating a token is the way back from vector, or hidden state, to words.

    Attributes:
        model: its name in Table 1.
        vocabulary: FLOPs a token of the product with the vocabulary.
        decoder: FLOPs a token of CALM's whole decoder, that product included; of the baseline, the product alone.
        total: FLOPs a token.
    """

    model: str
    vocabulary: float
    decoder: float
    total: float

    @property
    def vocabulary_share(self) -> float:
        """Share of the vocabulary product in the total."""
        return self.vocabulary / self.total

    @property
    def decoder_share(self) -> float:
        """Share of the whole decoder in the total."""
        return self.decoder / self.total


def decoder_share(convention: Convention = "exact") -> list[DecoderShare]:
    """The vocabulary's share of inference, model by model: CALM keeps that product, only narrower (512 for d)."""
    costs = [(row.model, paper_model(row.model, convention)) for row in PAPER_TABLE_1]
    return [
        DecoderShare(name, cost.inference.output, cost.inference.decoder + cost.inference.output, cost.per_token)
        for name, cost in costs
    ]


@dataclass(frozen=True)
class LowTemperatureCost:
    """What one token costs where each step draws a pool (paper Algorithm 2).

    Attributes:
        model: its name in Table 1.
        pool: draws a step.
        per_token: FLOPs a token.
        over_one_draw: that over the same model's cost at one draw, which is what Table 1 prints.
        over_transformer: that over the cost of Transformer-S.
    """

    model: str
    pool: int
    per_token: float
    over_one_draw: float
    over_transformer: float


def low_temperature_cost(pool: int = 200, convention: Convention = "exact") -> list[LowTemperatureCost]:
    """FLOPs a token of the CALMs of Table 1 below temperature 1, by batch sampling with ``pool`` draws a step.

    The draws of a step are independent, so this counts work and not waiting time. The official code draws 200.
    """
    baseline = paper_model("Transformer-S", convention).per_token
    rows = []
    for name in CALMS:
        one, many = (paper_model(name, convention, pool=draws).per_token for draws in (1, pool))
        rows.append(LowTemperatureCost(name, pool, many, many / one, many / baseline))
    return rows


@dataclass(frozen=True)
class FrontierGap:
    """One CALM against the line through the three Transformers, at equal FLOPs (from Table 1's own numbers).

    Attributes:
        model: its name in Table 1.
        at: which FLOPs are equal, ``training`` or ``inference``.
        linear: BrierLM of the line, FLOPs on a linear axis.
        log: the same on a logarithmic axis.
        brier_lm: the CALM's own.
        extrapolated: whether the CALM lies outside the Transformers' range.
    """

    model: str
    at: Literal["training", "inference"]
    linear: float
    log: float
    brier_lm: float
    extrapolated: bool


def interpolate(x: float, points: Sequence[tuple[float, float]]) -> float:
    """The piecewise linear curve through ``points`` (x ascending) at ``x``; its end segments go on beyond them."""
    segments = list(itertools.pairwise(points))
    (x0, y0), (x1, y1) = next((s for s in segments if x <= s[1][0]), segments[-1])
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def frontier() -> list[FrontierGap]:
    """Each CALM's distance from the Transformer frontier, by training and by inference FLOPs."""
    rows = []
    for name in CALMS:
        calm = PAPER_ROWS[name]
        for at in ("training", "inference"):
            line = [(getattr(row, at), row.brier_lm) for row in PAPER_TABLE_1[:3]]
            x = getattr(calm, at)
            logged = interpolate(math.log(x), [(math.log(a), b) for a, b in line])
            outside = not line[0][0] <= x <= line[-1][0]
            rows.append(FrontierGap(name, at, interpolate(x, line), logged, calm.brier_lm, outside))
    return rows
