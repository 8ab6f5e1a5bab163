"""The best that any model can do on storyland: exact BrierLM ceiling and entropy per token.

What: `ceiling` averages the exact collision probability of `TokenLaw.collision` over the positions of some stories.
Why: BrierLM of a model means little alone. Beside the ceiling it says how much of what can be known is known.
Where: the paper's BrierLM, 100 times the geometric mean of Brier-1 to Brier-4 at the chunk boundaries; a strictly
proper score is greatest for the true law, where the expected Brier-n is ``sum_x P(x_1..n | prefix)**2``.

The average over positions drawn from the language is an estimate; at each position the value is exact. Standard errors
leave out one story at a time (jackknife), because positions of one story belong together.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from calm_lab.errors import InputError
from calm_lab.text.storyland.law import Encoder, TokenLaw
from calm_lab.text.storyland.machine import Machine

N_GRAM = 4


@dataclass(frozen=True)
class Ceiling:
    """The best expected scores over some positions.

    Attributes:
        brier: Brier-1 to Brier-4, fractions.
        brier_lm: 100 times their geometric mean.
        entropy_bits_per_token: Mean entropy of the next token, over all tokens and the end token, in bits.
        positions: How many positions the Brier numbers are averaged over.
        stories: How many stories these come from.
        standard_errors: Of ``brier_1`` .. ``brier_4``, ``brier_lm`` and ``entropy_bits_per_token``; nan for one story.
    """

    brier: tuple[float, ...]
    brier_lm: float
    entropy_bits_per_token: float
    positions: int
    stories: int
    standard_errors: dict[str, float]


@dataclass
class _Sums:
    """Sums over positions (Brier) and over tokens (entropy)."""

    brier: list[float]
    positions: int
    entropy: float
    tokens: int

    def without(self, other: _Sums) -> _Sums:
        return _Sums(
            [a - b for a, b in zip(self.brier, other.brier, strict=True)],
            self.positions - other.positions,
            self.entropy - other.entropy,
            self.tokens - other.tokens,
        )

    def brier_means(self) -> list[float]:
        return [total / self.positions if self.positions else math.nan for total in self.brier]

    def brier_lm(self) -> float:
        return 100.0 * math.prod(self.brier_means()) ** (1 / N_GRAM)

    def entropy_mean(self) -> float:
        return self.entropy / self.tokens


def _measure(law: TokenLaw, text: str, chunk_size: int, first: int, min_context: int) -> _Sums:
    sums = _Sums([0.0] * N_GRAM, 0, 0.0, 0)
    state = law.start()
    for position, token in enumerate([*law.tokenizer.encode(text), law.eos_id]):
        sums.entropy += law.entropy(state)
        sums.tokens += 1
        if position % chunk_size == first % chunk_size and position >= max(first, min_context):
            for i, agree in enumerate(law.collision(state, N_GRAM)):
                sums.brier[i] += agree
            sums.positions += 1
        state = law.advance(state, token)
    return sums


def _jackknife(parts: list[_Sums], total: _Sums, statistic: Callable[[_Sums], float]) -> float:
    count = len(parts)
    if count < 2:
        return math.nan
    values = [statistic(total.without(part)) for part in parts]
    mean = sum(values) / count
    return math.sqrt((count - 1) / count * sum((value - mean) ** 2 for value in values))


def ceiling(
    tokenizer: Encoder,
    stories: Iterable[str],
    chunk_size: int = 4,
    offsets: Iterable[int] | None = None,
    *,
    eos_id: int = 2,
    pad_id: int = 0,
    min_context: int = 0,
    machine: Machine | None = None,
) -> Ceiling:
    """Measure the ceiling over some stories.

    Args:
        tokenizer: Has ``encode(text) -> list[int]``, byte-level BPE.
        stories: Texts of the language, best of the split a model is judged on.
        chunk_size: K. Positions p of the token stream with ``p % K == r % K`` and ``p >= r`` count: those where a chunk
            begins when the begin chunk took r tokens. 1 counts all positions.
        offsets: r of each story, repeated if there are fewer; 0 for every story if left out.
        eos_id: Id of the end token, which follows the last token and is itself predicted.
        pad_id: Id of the pads behind it, which fill an n-gram that reaches over the end.
        min_context: Leave out positions with fewer tokens before them.
        machine: Another language on the same machinery; storyland if left out.

    Returns:
        The ceiling with its standard errors.

    Raises:
        InputError: If there is no story, K is less than 1, or a text is not of the language.
    """
    if chunk_size < 1:
        raise InputError(f"chunk_size must be at least 1, got {chunk_size}: use the K of the model")
    firsts = itertools.cycle(list(offsets) if offsets is not None else [0])
    law = TokenLaw(tokenizer, eos_id, pad_id, machine)
    parts = [_measure(law, text, chunk_size, first, min_context) for text, first in zip(stories, firsts, strict=False)]
    if not parts or not any(part.positions for part in parts):
        raise InputError("no position to measure: give at least one story, with more tokens than min_context")
    total = _Sums(
        [sum(part.brier[i] for part in parts) for i in range(N_GRAM)],
        sum(part.positions for part in parts),
        sum(part.entropy for part in parts),
        sum(part.tokens for part in parts),
    )
    errors = {
        f"brier_{i + 1}": _jackknife(parts, total, lambda sums, i=i: sums.brier_means()[i])  # type: ignore[misc]
        for i in range(N_GRAM)
    }
    errors["brier_lm"] = _jackknife(parts, total, _Sums.brier_lm)
    errors["entropy_bits_per_token"] = _jackknife(parts, total, _Sums.entropy_mean)
    return Ceiling(
        tuple(total.brier_means()), total.brier_lm(), total.entropy_mean(), total.positions, len(parts), errors
    )
