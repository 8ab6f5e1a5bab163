"""Exchange one token of a chunk, and see which coordinates of its vector move.

What: the chunk's posterior before and after, the movement of every coordinate in units of the posterior's own sigma,
what the new vector says, and how far that is against the distance between two chunks of the text.
Why: a vector is no list of K tokens: one token moves coordinates all over it. Other chunks do not move at all, for each
is encoded alone (paper sec. 2.1).

App tab: Tokens and vectors. Notebook: 02.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.lab.vectors import text_ids
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Edit:
    """One exchange.

    Attributes:
        chunk: number of the chunk, from 0.
        place: number of the token in it, from 0.
        before: ids of the chunk as it was, K of them.
        after: ids with the new token.
        decoded: ids that the new vector decodes to.
        mean: the posterior mean before, shape (l,).
        std: its standard deviation before, shape (l,).
        moved: how far each mean moved, shape (l,).
        apart: root mean square distance between the means of two different chunks of the text; None for one chunk.
    """

    chunk: int
    place: int
    before: list[int]
    after: list[int]
    decoded: list[int]
    mean: Tensor
    std: Tensor
    moved: Tensor
    apart: float | None

    @property
    def in_sigmas(self) -> Tensor:
        """The movement in units of the posterior's sigma, shape (l,)."""
        return self.moved / self.std

    @property
    def distance(self) -> float:
        """Length of the movement."""
        return float(self.moved.norm())


@torch.no_grad()
def exchange(model: Autoencoder, text: str, chunk: int, place: int, token: int, max_tokens: int | None = None) -> Edit:
    """Put ``token`` in the place of one token of a text.

    Args:
        model: an autoencoder with a tokenizer.
        text: at least one character.
        chunk: number of the chunk, from 0.
        place: number of the token in the chunk, from 0.
        token: the new id.
        max_tokens: refuse longer texts.

    Raises:
        InputError: for a chunk, a place or an id that is not there, or a text that cannot be encoded.
    """
    ids = text_ids(model, text, max_tokens)
    chunks = model.chunked(ids)[0]  # (S, K)
    if not (0 <= chunk < chunks.shape[0] and 0 <= place < chunks.shape[1]):
        raise InputError(f"there is no token {place + 1} in chunk {chunk + 1}: the text has {chunks.shape[0]} chunks")
    if not 0 <= token < model.config.vocab_size:
        raise InputError(f"there is no token with id {token}: ids run from 0 to {model.config.vocab_size - 1}")
    new = chunks[chunk].clone()
    new[place] = token
    old_mean, posterior = model.encode(ids).mean[0], model.encode(new[None])
    mean, std = old_mean[chunk], model.encode(chunks[chunk][None]).std[0, 0]
    return Edit(
        chunk=chunk,
        place=place,
        before=chunks[chunk].tolist(),
        after=new.tolist(),
        decoded=model.decode(posterior.mean)[0, 0].tolist(),
        mean=mean.cpu(),
        std=std.cpu(),
        moved=(posterior.mean[0, 0] - mean).cpu(),
        apart=_apart(old_mean),
    )


def _apart(means: Tensor) -> float | None:
    """Root mean square distance between two different rows of (S, l)."""
    count = means.shape[0]
    if count < 2:
        return None
    squares = torch.cdist(means.double(), means.double()).square()
    return math.sqrt(float(squares.sum()) / (count * (count - 1)))


@torch.no_grad()
def alike(model: Autoencoder, token: int, count: int = 6) -> list[int]:
    """The other ordinary tokens whose embeddings lie nearest to that of ``token`` by angle, nearest first."""
    rows = model.encoder.embed.weight.float()
    nearness = F.cosine_similarity(rows, rows[token][None], dim=-1)
    config = model.config
    nearness[[token, config.pad_id, config.bos_id, config.eos_id, config.mask_id]] = -math.inf
    return [int(index) for index in nearness.topk(min(count, len(nearness))).indices]


def one_token(tokenizer: Tokenizer, said: str) -> int:
    """The id of a text that is exactly one token.

    Raises:
        InputError: if it is none, or several; the message shows how it is cut.
    """
    ids = tokenizer.encode(said)
    if len(ids) != 1:
        cut = " | ".join(tokenizer.pieces(ids[:6])) or "nothing"
        raise InputError(f"this must be one token, and is {len(ids)} here: {cut}; a word often begins with a space")
    return ids[0]
