"""The pool of one generation step as plain data: who was drawn how often, who could be chosen, who was.

Batch temperature sampling (paper sec. 5.2, Algorithm 2) draws N chunks and gives each the weight C(count, n): the
number of groups of n equal draws. The exact sampler (sec. 5.1, Algorithm 1) starts trial after trial until one is
accepted. This module puts either into a small table for a picture.

App tab: Generate. Notebook: 09.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from calm_lab.lab.pieces import roles, spread
from calm_lab.lab.vectors import Spread
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.toolkit.generate import ChunkStep


@dataclass(frozen=True)
class Candidate:
    """One distinct chunk of a pool.

    Attributes:
        text: what it says.
        tokens: what to show for each of its K tokens.
        roles: begin, end, pad or mask for special tokens, None for ordinary ones.
        spread: for each token the characters that it shares with its neighbours in the chunk, or None.
        count: how often it was drawn.
        groups: C(count, n): groups of n equal draws it forms, n being the repeats needed in the end.
        weight: its probability to be chosen; for an exact step, what the draws say of the law at that temperature.
        chosen: whether it was.
    """

    text: str
    tokens: list[str]
    roles: list[str | None]
    spread: list[Spread]
    count: int
    groups: int
    weight: float
    chosen: bool


@dataclass(frozen=True)
class Pool:
    """One step: its table, cut to the candidates worth showing, and what was left out.

    Attributes:
        index: number of the step, from 0.
        text: the text that the chosen chunk makes certain.
        ended: whether it holds the end token.
        candidates: most frequent first; the chosen one is always among them.
        draws: how many draws were charged.
        seen: draws in the table; the exact sampler draws in blocks, so there are a few more than it charges.
        distinct: how many different ones.
        eligible: how many came often enough.
        wanted: n = 1/T, repeats asked for.
        used: repeats that were enough, lower than ``wanted`` where no chunk came so often.
        milliseconds: wall-clock time of the step.
        exact: whether the exact sampler wrote it, also where its budget was spent and the batch rule chose.
        trials: trials started; 1 for the batch method.
        agreed: trials whose n draws agreed; for the batch method 1 if ``used`` is n, else 0.
        fell_back: whether the budget of the exact sampler was spent.
        histogram: pairs (times drawn, distinct chunks that came so often), rising.
    """

    index: int
    text: str
    ended: bool
    candidates: list[Candidate]
    draws: int
    seen: int
    distinct: int
    eligible: int
    wanted: int
    used: int
    milliseconds: float
    exact: bool
    trials: int
    agreed: int
    fell_back: bool
    histogram: list[tuple[int, int]]

    @property
    def accepted(self) -> int:
        """Trials that ended in a chunk: 1, or 0 where an exact step spent its budget or a batch step fell below n."""
        return int(not self.fell_back) if self.exact else self.agreed

    def to_dict(self) -> dict[str, Any]:
        """Plain data, weights rounded to 6 places."""
        return {
            "index": self.index,
            "text": self.text,
            "ended": self.ended,
            "draws": self.draws,
            "seen": self.seen,
            "distinct": self.distinct,
            "eligible": self.eligible,
            "wanted": self.wanted,
            "used": self.used,
            "ms": round(self.milliseconds, 1),
            "exact": self.exact,
            "trials": self.trials,
            "agreed": self.agreed,
            "accepted": self.accepted,
            "fell_back": self.fell_back,
            "histogram": [list(pair) for pair in self.histogram],
            "candidates": [
                {
                    "text": c.text,
                    "tokens": c.tokens,
                    "roles": c.roles,
                    "spread": c.spread,
                    "count": c.count,
                    "groups": c.groups,
                    "weight": round(c.weight, 6),
                    "chosen": c.chosen,
                }
                for c in self.candidates
            ],
        }


def pool_of(step: ChunkStep, tokenizer: Tokenizer, wanted: int, top: int = 10) -> Pool:
    """The table of a step.

    Args:
        step: what ``generate`` yielded.
        tokenizer: the model's.
        wanted: n = 1/T; for the exact method the whole number nearest to 1/T, which its trials do not need.
        top: candidates to keep; the chosen one is kept in any case.
    """
    counts, weights = step.counts.tolist(), step.weights.tolist()
    choice = step.choice
    shown = list(range(min(top, len(counts))))
    if choice is not None and choice not in shown:
        shown[-1] = choice
    rows = step.candidates[shown].tolist()
    used = max(1, step.n_used)
    candidates = [
        Candidate(
            text=tokenizer.decode(row),
            tokens=tokenizer.pieces(row),
            roles=roles(tokenizer, row),
            spread=spread(tokenizer, row),
            count=counts[place],
            groups=math.comb(counts[place], used),
            weight=weights[place],
            chosen=place == choice,
        )
        for place, row in zip(shown, rows, strict=True)
    ]
    return Pool(
        index=step.index,
        text=step.text,
        ended=step.ended,
        candidates=candidates,
        draws=step.calls,
        seen=sum(counts),
        distinct=len(counts),
        eligible=sum(weight > 0 for weight in weights),
        wanted=wanted,
        used=used,
        milliseconds=1000 * step.seconds,
        exact=step.n_used == 0 or step.fell_back,
        trials=step.trials,
        agreed=step.stage1_accepts,
        fell_back=step.fell_back,
        histogram=sorted(Counter(counts).items()),
    )
