"""Batch temperature sampling straight from latent vectors, decoding no more of a pool than the choice needs.

Algorithm 2 at T = 1/n with n >= 2 looks for chunks that came at least twice. A draw whose first k tokens no other draw
of its pool shares cannot repeat, so it is dropped there and its later tokens are never decoded. Where nothing repeats,
every draw has the same weight: one is picked and only that one is decoded to its end. The law of the choice is exactly
that of decoding everything (tests/toolkit/test_pool.py).

How many draws are left is a question to the device. A GPU would have to be waited for at every token, so there the
whole pool is decoded and compared in tensors of fixed shape: ``choose_on_device``, the same law again.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.vocabulary import argmax_tokens
from calm_lab.toolkit.drawing import inverse_cdf, uniforms
from calm_lab.toolkit.temperature import group_chunks, weights_from_counts


@dataclass(frozen=True)
class PoolChoice:
    """One chosen chunk for each of B pools.

    Attributes:
        ids: the chosen chunks, shape (B, K).
        index: the place of a draw of that chunk in its pool, shape (B,).
        n_used: repeats the choice asked for in the end, shape (B,).
        decoded: tokens decoded, where decoding everything takes B N K; at most K more a pool, where nothing repeats.
    """

    ids: Tensor
    index: Tensor
    n_used: Tensor
    decoded: int


@torch.no_grad()
def choose_by_repeats(
    model: Autoencoder, latents: Tensor, n: int, generator: torch.Generator | None = None
) -> PoolChoice:
    """Choose one chunk of each pool by Algorithm 2.

    Args:
        model: the autoencoder that decodes.
        latents: drawn vectors, shape (B, N, l).
        n: 1/T, at least 1.
        generator: the stream of the choice.

    Returns:
        The choice.
    """
    batch, size, _ = latents.shape
    flat = latents.flatten(0, 1)  # (B N, l)
    pick = uniforms((batch,), latents.device, generator)  # one uniform a pool decides, whichever way it goes
    lone = (pick * size).long().clamp(max=size - 1)  # the draw that is taken where nothing repeats
    if n == 1:
        chosen = flat[torch.arange(batch, device=flat.device) * size + lone]
        return PoolChoice(
            model.decode(chosen, after_end="pad"), lone, torch.ones_like(lone), batch * model.config.chunk_size
        )
    partial = _PartialDecoder(model, flat)
    rows = torch.arange(batch * size, device=flat.device)
    for position in range(model.config.chunk_size):
        partial.extend(rows, position)
        rows = rows[_shared(partial.ids[rows, : position + 1], rows // size)]
        if not rows.numel():
            break
    ids = torch.empty(batch, model.config.chunk_size, dtype=torch.long, device=flat.device)
    index, n_used = lone.clone(), torch.ones_like(lone)
    owners = rows // size
    repeated = torch.zeros(batch, dtype=torch.bool, device=flat.device)
    repeated[owners] = True
    if rows.numel():
        _, first, counts = group_chunks(partial.ids[rows], owners)
        table = torch.zeros(batch, size, dtype=torch.int64, device=flat.device)
        table[owners[first], rows[first] % size] = counts
        probabilities, used = weights_from_counts(table[repeated], n)
        place = inverse_cdf(probabilities.cumsum(-1), pick[repeated, None])[:, 0]
        index[repeated], n_used[repeated] = place, used
        ids[repeated] = partial.ids[torch.arange(batch, device=flat.device)[repeated] * size + place]
    alone = (~repeated).nonzero()[:, 0]
    if alone.numel():
        ids[alone] = model.decode(flat[alone * size + lone[alone]], after_end="pad")
    return PoolChoice(ids, index, n_used, partial.decoded + alone.numel() * model.config.chunk_size)


@torch.no_grad()
def choose_on_device(
    model: Autoencoder, latents: Tensor, n: int, generator: torch.Generator | None = None
) -> PoolChoice:
    """Choose one chunk of each pool by Algorithm 2 without waiting for any value; see ``choose_by_repeats``."""
    batch, size, _ = latents.shape
    pick = uniforms((batch,), latents.device, generator)
    pool = model.decode(latents, after_end="pad")  # (B, N, K)
    same = torch.ones(batch, size, size, dtype=torch.bool, device=latents.device)
    for column in pool.unbind(-1):
        same &= column[:, :, None] == column[:, None, :]
    place = torch.arange(size, device=latents.device)
    first = same.to(torch.uint8).argmax(-1) == place  # the first of its kind stands for all
    counts = same.sum(-1).masked_fill(~first, 0)  # (B, N)
    probabilities, used = weights_from_counts(counts, min(n, size))  # no more than that can repeat
    index = inverse_cdf(probabilities.cumsum(-1), pick[:, None])  # (B, 1)
    ids = pool.gather(1, index[..., None].expand(-1, -1, pool.shape[-1]))[:, 0]
    return PoolChoice(ids, index[:, 0], used, batch * size * model.config.chunk_size)


def _shared(prefixes: Tensor, owners: Tensor) -> Tensor:
    """Which rows share their prefix (R, k) with another row of the same owner: bool (R,)."""
    labels, _, counts = group_chunks(prefixes, owners)
    return counts[labels] > 1


class _PartialDecoder:
    """Decode chosen rows token by token; what follows an end token is padding and costs nothing."""

    def __init__(self, model: Autoencoder, latents: Tensor):
        decoder = model.decoder
        x = decoder.from_latent(latents)  # (R, h)
        for layer in decoder.chunk_layers:
            x = layer(x)
        self.model, self.x = model, x
        self.ids = latents.new_full((latents.shape[0], model.config.chunk_size), model.config.pad_id, dtype=torch.long)
        self.ended = torch.zeros(latents.shape[0], dtype=torch.bool, device=latents.device)
        self.decoded = 0

    def extend(self, rows: Tensor, position: int) -> None:
        """Decode token ``position`` of ``rows``."""
        rows = rows[~self.ended[rows]]
        decoder, width = self.model.decoder, self.x.shape[-1]
        part = slice(position * width, (position + 1) * width)
        x = torch.nn.functional.linear(self.x[rows], decoder.expand.weight[part], decoder.expand.bias[part])
        for layer in decoder.token_layers:
            x = layer(x)
        ids = argmax_tokens(decoder.norm(x), self.model.output_weight)
        self.ids[rows, position] = ids
        self.ended[rows] = ids == self.model.config.eos_id
        self.decoded += rows.numel()
