"""A text that falls apart: what the decoder says of it at one sigma after another, always with the same noise.

What: for every token the sigmas at which something else comes back than before. The noise is that of
``calm_lab.lab.vectors``: a chunk's vector moves along a straight line while sigma grows, so a token may also come back.
Why: a token's answers at 41 sigmas are a handful of changes, small enough to travel whole to a page that then turns its
dial without asking again.

App tab: Noise dial. Paper: sec. 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from calm_lab.lab.pieces import roles, spread
from calm_lab.lab.vectors import Spread, chunk_noise, decode_with_confidence, text_ids
from calm_lab.model.autoencoder import Autoencoder

STEPS = tuple(step / 20 for step in range(41))  # 0 to 2


@dataclass(frozen=True)
class Answer:
    """What comes back for a token from one sigma on, until its next answer.

    Attributes:
        start: number of the sigma.
        text: what to show.
        role: end, pad, begin or mask for a special token, None for an ordinary one.
        spread: the characters it shares with neighbours, as ``calm_lab.lab.pieces.spread`` gives them.
        wrong: whether it is another token than the one that was given.
    """

    start: int
    text: str
    role: str | None
    spread: Spread
    wrong: bool


@dataclass(frozen=True)
class Falling:
    """A text at every sigma.

    Attributes:
        sigmas: the sigmas.
        chunk_size: K.
        answers: for each token of the text, then the end token, its answers; the first starts at 0.
        mean_sigma: mean of the sigma that the encoder learned, over the text's chunks and coordinates.
    """

    sigmas: tuple[float, ...]
    chunk_size: int
    answers: list[list[Answer]]
    mean_sigma: float

    def correct(self, place: int) -> int:
        """How many tokens have come back right at sigma number ``place``."""
        shown = ([one for one in answers if one.start <= place][-1] for answers in self.answers)
        return sum(not answer.wrong for answer in shown)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, an answer as ``[start, text, role, spread, wrong]``."""
        return {
            "sigmas": list(self.sigmas),
            "chunk_size": self.chunk_size,
            "mean_sigma": self.mean_sigma,
            "answers": [
                [[one.start, one.text, one.role, one.spread, one.wrong] for one in answers] for answers in self.answers
            ],
        }


@torch.no_grad()
def fall(
    model: Autoencoder, text: str, seed: int = 0, sigmas: Sequence[float] = STEPS, max_tokens: int | None = None
) -> Falling:
    """Decode a text at every sigma.

    Args:
        model: an autoencoder with a tokenizer.
        text: at least one character.
        seed: of the noise; the same seed gives what ``calm_lab.lab.vectors.read_text`` shows at that sigma.
        sigmas: standard deviations of the noise.
        max_tokens: refuse longer texts.

    Raises:
        InputError: for an empty or too long text, or a model without a tokenizer.
    """
    ids = text_ids(model, text, max_tokens)
    tokenizer = model.tokenizer
    assert tokenizer is not None  # text_ids has refused a model without one
    posterior = model.encode(ids)
    mean = posterior.mean[0]  # (S, l)
    noise = chunk_noise(seed, *mean.shape).to(mean)
    given = ids[0].tolist()
    shown = len(given) - given.count(model.config.pad_id)
    answers: list[list[Answer]] = [[] for _ in range(shown)]
    for start, sigma in enumerate(sigmas):
        back = decode_with_confidence(model, mean + sigma * noise)[0].flatten().tolist()
        told = zip(tokenizer.pieces(back), roles(tokenizer, back), spread(tokenizer, back), strict=True)
        for place, (text_back, role, shared) in zip(range(shown), told, strict=False):
            now = Answer(start, text_back, role, shared, back[place] != given[place])
            if not answers[place] or replace(answers[place][-1], start=start) != now:
                answers[place].append(now)
    return Falling(tuple(sigmas), model.config.chunk_size, answers, float(posterior.std.mean()))
