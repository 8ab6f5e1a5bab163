"""Which draws of a CALM the language allows: on storyland every continuation is known, so a draw is right or wrong.

BrierLM asks whether a draw is the one continuation that was written; at a position with many right ones even the
perfect model seldom hits it. Here a drawn chunk counts as far as the exact law follows it. What remains is error: a
vector that fell between the right ones and decodes to none of them.

App tab: BrierLM. Notebook: 06.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.model.calm import CALM
from calm_lab.text.chunks import prompt_chunks
from calm_lab.text.storyland.law import LawState, TokenLaw
from calm_lab.text.storyland.machine import Machine


@dataclass(frozen=True)
class Allowed:
    """How far the exact law follows single draws.

    Attributes:
        shares: share of draws whose first j tokens are allowed, j = 1..K; falling.
        standard_errors: of each share, over stories.
        draws: chunks drawn.
        stories: stories whose positions were used.
    """

    shares: tuple[float, ...]
    standard_errors: tuple[float, ...]
    draws: int
    stories: int

    def to_dict(self) -> dict[str, object]:
        """Plain data for a card."""
        return {name: getattr(self, name) for name in ("shares", "standard_errors", "draws", "stories")}


@torch.no_grad()
def allowed_draws(
    model: CALM, stories: Iterable[str], draws: int = 20, seed: int = 0, machine: Machine | None = None
) -> Allowed:
    """Draw chunks after every chunk of some stories and follow each by the exact law.

    Args:
        model: a CALM with a tokenizer.
        stories: texts of the language, best of a split that the model has not seen; one by one they begin at 0..K-1
            tokens in the begin chunk, so that all alignments are there.
        draws: chunks drawn a position, at least 1.
        seed: of the draws.
        machine: of the language; storyland's if left out.

    Returns:
        The shares, with errors over stories.

    Raises:
        InputError: for no story, no draw, a model without a tokenizer, or a text that is not of the language.
    """
    if model.tokenizer is None or draws < 1:
        raise InputError("allowed draws need a model with a tokenizer, and at least one draw a position")
    size, config = model.config.chunk_size, model.config
    law = TokenLaw(model.tokenizer, config.eos_id, config.pad_id, machine)
    stream = generator(seed, next(model.parameters()).device)
    counts = []  # of each story: draws right through 0..K tokens
    for index, story in enumerate(stories):
        ids = model.tokenizer.encode(story)
        first = index % size
        read = ids[: len(ids) - (len(ids) - first) % size]
        chunks = torch.from_numpy(prompt_chunks(read, size, bos_id=config.bos_id)).reshape(1, -1)
        hidden = model.hidden_states(chunks.to(stream.device))[0]  # (S, d)
        latents = model.head.sample(hidden.repeat(draws, 1), generator=stream)  # (draws * S, l)
        drawn = model.autoencoder.decode(latents, after_end="pad").unflatten(0, (draws, -1)).cpu()  # (draws, S, K)
        right = [0] * (size + 1)
        state = law.advance_ids(law.start(), read[:first])
        for place in range(len(hidden)):
            known: dict[tuple[int, ...], LawState | None] = {(): state}
            for chunk in drawn[:, place].tolist():
                right[_followed(law, known, tuple(chunk))] += 1
            state = law.advance_ids(state, read[first + place * size : first + (place + 1) * size])
        counts.append([sum(right[j:]) for j in range(size + 1)])
    if not counts:
        raise InputError("no story to draw after: give at least one")
    return _shares(counts)


def _followed(law: TokenLaw, known: dict[tuple[int, ...], LawState | None], chunk: tuple[int, ...]) -> int:
    """How many tokens of ``chunk`` the law allows; ``known`` remembers every beginning that was tried."""
    for length in range(1, len(chunk) + 1):
        begun = chunk[:length]
        if begun not in known:
            before = known[begun[:-1]]
            assert before is not None
            try:
                known[begun] = law.advance(before, begun[-1])
            except InputError:
                known[begun] = None
        if known[begun] is None:
            return length - 1
    return len(chunk)


def _shares(counts: list[list[int]]) -> Allowed:
    """Ratios of sums over stories, with the linearised error of a ratio."""
    total = sum(story[0] for story in counts)
    shares, errors = [], []
    for j in range(1, len(counts[0])):
        share = sum(story[j] for story in counts) / total
        spread = sum((story[j] - share * story[0]) ** 2 for story in counts)
        many = len(counts)
        errors.append(math.sqrt(spread * many / (many - 1)) / total if many > 1 else math.nan)
        shares.append(share)
    return Allowed(tuple(shares), tuple(errors), total, len(counts))
