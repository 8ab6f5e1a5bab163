"""Draws of n-grams for BrierLM, for every chunk size K (paper sec. 4.2).

An n-gram is one atomic outcome, n = 1..4. With K >= 4 it lies within one chunk: two draws of the next chunk are enough.
With K < 4 it spans m = ceil(4 / K) chunks, and its two parts of the Brier score ask for different continuations:

- *accuracy* P(y): draws along the true text. Given y's first chunk the next hidden state is already there, so it costs
  no further pass: the draws of consecutive positions are strung together.
- *collision* sum P^2: two draws along the first draw's own text. All start positions go on at once, in one batched pass
  a chunk: each start's tail looks at the text up to its start and at itself (the official code loops over starts).

Both are unbiased for every n. Behind an end token is nothing but padding, which is certain: an n-gram that reaches over
the end of its document is compared so, in truth and draws alike, and never with the document that follows in the row.
The official code scores the same draws, but leaves out the last valid start of a row and knows no end: for its
checkpoints (``pad_after_end`` off) tokens after an end token stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.autoencoder import pad_after_end
from calm_lab.model.calm import CALM
from calm_lab.toolkit.brier import BrierTerms

ORDER = 4


@dataclass(frozen=True)
class NgramDraws:
    """Two draws of the next n tokens at each start, and the truth; ids of shape (B, R, m K) unless said otherwise.

    Attributes:
        first: first draw, along its own text.
        second: second draw, along the *first's* text: comparable with ``first`` only as far as the two agree.
        first_true: a draw along the true text.
        second_true: another one.
        target: the true tokens.
        starts: the position whose hidden state predicts the n-gram, shape (R,).
    """

    first: Tensor
    second: Tensor
    first_true: Tensor
    second_true: Tensor
    target: Tensor
    starts: Tensor

    def terms(self, order: int = ORDER) -> BrierTerms:
        """Accuracy and collision of Brier-1..order at each start, (B, R, order)."""
        right = _prefixes(self.first_true, self.target, order) + _prefixes(self.second_true, self.target, order)
        return BrierTerms(accuracy=right / 2, collision=_prefixes(self.first, self.second, order))


def _prefixes(a: Tensor, b: Tensor, order: int) -> Tensor:
    """Whether the first n tokens agree, n = 1..order: (..., m K) twice -> float32 (..., order)."""
    return (a == b)[..., :order].float().cumprod(-1)


def _over(text: Tensor, end: int, size: int) -> Tensor:
    """Where ``text`` (..., m K) has ended in an earlier chunk: bool, the same shape."""
    ended = (text == end).unflatten(-1, (-1, size)).any(-1)  # (..., m)
    before = ended.cumsum(-1) - ended.int() > 0
    return before.repeat_interleave(size, -1)


@torch.no_grad()
def draw_ngrams(
    model: CALM,
    ids: Tensor,
    generator: torch.Generator | None = None,
    *,
    order: int = ORDER,
    noise: Tensor | None = None,
    tail_noise: Tensor | None = None,
) -> NgramDraws:
    """Draw n-grams at every start of every row.

    Args:
        model: the CALM.
        ids: token ids, shape (B, T).
        generator: the random stream.
        order: the largest n.
        noise: head noise of the first chunk, shape (2, B, S - 1, s).
        tail_noise: head noise of the further chunks, shape (m - 1, 2, B, R, s).

    Raises:
        InputError: if the rows are too short for a single n-gram.
    """
    size = model.config.chunk_size
    chunks = model.autoencoder.chunked(ids)  # (B, S, K)
    batch, length = chunks.shape[:2]
    spans = -(-order // size)  # m
    starts = length - spans  # R
    if starts < 1:
        raise InputError(f"rows of {length} chunks are too short for {order}-grams of {size}-token chunks")
    cache = model.backbone.cache(batch, length + (spans - 1) * starts)
    hidden = model.backbone(model.chunk_embeddings(ids), cache)  # (B, S, d)
    drawn = model.head.sample(hidden[:, :-1], noise, generator, num_samples=2)
    pair = model.autoencoder.decode(drawn)  # (2, B, S - 1, K)
    place = torch.arange(starts, device=ids.device)
    truth = torch.cat([pair[:, :, span : span + starts] for span in range(spans)], -1)  # (2, B, R, m K)
    target = torch.cat([chunks[:, 1 + span : 1 + span + starts] for span in range(spans)], -1)  # (B, R, m K)
    own = [pair[:, :, :starts]]
    latent = drawn[0, :, :starts]
    reach = torch.arange(length, device=ids.device)[None, :] <= place[:, None]  # (R, S): the text up to the start
    for span in range(1, spans):
        mask = torch.cat([reach, torch.eye(starts, dtype=torch.bool, device=ids.device).repeat(1, span)], 1)
        x = model.chunk_embeddings(own[-1][0].flatten(-2), latent)  # (B, R, d)
        tail = model.backbone(x, cache, positions=place + span, mask=mask)
        fixed = None if tail_noise is None else tail_noise[span - 1]
        drawn = model.head.sample(tail, fixed, generator, num_samples=2)
        own.append(model.autoencoder.decode(drawn))
        latent = drawn[0]
    mine = torch.cat(own, -1)  # (2, B, R, m K)
    if model.autoencoder.config.pad_after_end:
        end, pad = model.config.eos_id, model.config.pad_id
        mine = mine.masked_fill(_over(mine[0], end, size), pad)
        truth = truth.masked_fill(_over(target, end, size), pad)
        target = pad_after_end(target, end, pad)
    return NgramDraws(mine[0], mine[1], truth[0], truth[1], target, place)
