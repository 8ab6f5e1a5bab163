"""Plain formulations of the costly parts, of our own, in the straightforward style that calm_lab is measured against.

They do what a first implementation does: the energy loss on one tensor of all differences (N, M, R, l), the head run N
times on repeated hidden states, all logits of the vocabulary at once, a pool decoded to its last token and counted in
Python, BrierLM with one pass a start position. They use the weights and the backbone of our models, so that a ratio
says what the formulation costs and nothing else. ``tests/benchmarks/test_reference.py`` holds them against recorded
data.
"""

from __future__ import annotations

import math
from collections import Counter

import torch
import torch.nn.functional as F
from torch import Tensor

from calm_lab.model.autoencoder import Autoencoder, DropNoise, Posterior
from calm_lab.model.backbone import KVCache
from calm_lab.model.calm import CALM
from calm_lab.model.heads import EnergyHead
from calm_lab.toolkit.loss import LossNoise


def energy_loss(samples: Tensor, targets: Tensor) -> Tensor:
    """Minus the energy score at alpha = 1, a position: (N, R, l), (M, R, l) -> (R,)."""
    n = samples.shape[0]
    among = torch.linalg.norm(samples[:, None] - samples[None], dim=-1)  # (N, N, R), zeros on its diagonal
    across = torch.linalg.norm(samples[:, None] - targets[None], dim=-1)  # (N, M, R) from (N, M, R, l)
    return 2 * across.mean((0, 1)) - among.sum((0, 1)) / (n * (n - 1))


def head_samples(head: EnergyHead, hidden: Tensor, noise: Tensor) -> Tensor:
    """N draws a hidden state, each from a whole pass of the head: (R, d), (N, R, s) -> (N, R, l)."""
    repeated = hidden.repeat(noise.shape[0], 1, 1)  # (N, R, d)
    y = head.hidden_norm(head.embed_hidden(repeated))
    x = head.noise_norm(head.embed_noise(noise))
    for block in head.blocks:
        h = block.mix(torch.cat([block.norm(x), y], dim=-1))
        gate, up = block.gate_up(F.silu(block.inner(F.silu(h)))).chunk(2, dim=-1)
        x = x + block.down(F.silu(gate) * up)
    return head.final_out(F.silu(head.final_inner(head.final_norm(x))))


def calm_loss(
    model: CALM,
    ids: Tensor,
    scored: Tensor | None = None,
    noise: LossNoise | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The loss of a CALM with the energy head, mean over scored positions."""
    head, config = model.head, model.config
    assert isinstance(head, EnergyHead)
    chunks = ids.unflatten(-1, (-1, config.chunk_size))  # (B, S, K)
    scored = (chunks != config.pad_id).any(-1) if scored is None else scored
    mask = scored[:, 1:]
    with torch.no_grad():
        posterior = model.autoencoder.encode(ids)
    hidden = model.hidden_states(ids)[:, :-1][mask]  # (R, d)
    mean, log_std = posterior.mean[:, 1:][mask], posterior.log_std[:, 1:][mask]
    if noise is None:
        shape = (config.head.num_targets, *mean.shape)
        start = torch.rand(config.head.num_samples, len(hidden), config.head.noise_size, generator=generator) - 0.5
        noise = LossNoise(torch.randn(shape, generator=generator), start)
    assert noise.posterior is not None
    assert noise.head is not None
    targets = mean + noise.posterior * log_std.exp()  # (M, R, l)
    return energy_loss(head_samples(head, hidden, noise.head).float(), targets.float()).mean()


def autoencoder_loss(
    model: Autoencoder, ids: Tensor, noise: DropNoise | None = None, generator: torch.Generator | None = None
) -> Tensor:
    """The loss of an autoencoder, with all logits at once."""
    config = model.config
    chunks = ids.unflatten(-1, (-1, config.chunk_size))
    noise = noise or model.draw_noise(chunks, generator)
    posterior: Posterior = model.encoder(chunks.masked_fill(noise.drop_tokens, config.mask_id))
    z = (posterior.mean + noise.latent * posterior.std) * noise.keep_latent / (1 - config.drop_latent)
    logits = F.linear(model.decoder(z), model.output_weight)  # (B, S, K, V)
    reconstruction = F.cross_entropy(logits.flatten(0, -2).float(), ids.flatten()) * config.chunk_size
    return reconstruction + config.kl_weight * posterior.kl().clamp(min=config.kl_clip).sum(-1).mean()


def choose(pool: list[tuple[int, ...]], n: int, uniform: float) -> tuple[int, ...]:
    """Algorithm 2 on one pool of chunks, counted in Python."""
    counts = Counter(pool)
    for m in range(n, 0, -1):
        weights = {chunk: math.comb(count, m) for chunk, count in sorted(counts.items()) if count >= m}
        if weights:
            break
    place = uniform * sum(weights.values())
    chosen: tuple[int, ...] = ()
    for chosen, weight in weights.items():  # noqa: B007
        place -= weight
        if place < 0:
            break
    return chosen


@torch.no_grad()
def generate(
    model: CALM, ids: Tensor, steps: int, n: int, pool: int, generator: torch.Generator | None = None
) -> Tensor:
    """Continue rows (B, T) by ``steps`` chunks: full pools, full decoding, one choice after another."""
    head, decoder = model.head, model.autoencoder
    assert isinstance(head, EnergyHead)
    cache = model.backbone.cache(ids.shape[0], ids.shape[1] // model.config.chunk_size + steps)
    hidden = model.backbone(model.chunk_embeddings(ids), cache)[:, -1]  # (B, d)
    written = [ids]
    for _ in range(steps):
        noise = torch.rand(pool, len(ids), model.config.head.noise_size, generator=generator) - 0.5
        latents = head_samples(head, hidden, noise) if n > 1 else head_samples(head, hidden, noise[:1])  # (N, B, l)
        chunks = decoder.decode_logits(latents).argmax(-1)  # (N, B, K)
        picks = torch.rand(len(ids), generator=generator).tolist()
        rows = chunks.transpose(0, 1).tolist()
        chosen = [choose([tuple(chunk) for chunk in row], n, u) for row, u in zip(rows, picks, strict=True)]
        written.append(torch.tensor(chosen))
        hidden = model.backbone(model.chunk_embeddings(written[-1]), cache)[:, -1]
    return torch.cat(written, -1)


@torch.no_grad()
def brier_k2(model: CALM, ids: Tensor, noise: Tensor, tail_noise: Tensor) -> Tensor:
    """Brier-1..4 at every start of rows (B, T) for K = 2, one pass of the backbone after another.

    Args:
        model: a CALM with the energy head and K = 2.
        ids: token ids.
        noise: head noise of the first chunk, (2, B, S - 1, s).
        tail_noise: head noise of the second chunk, (2, B, S - 2, s).

    Returns:
        Scores, shape (B, S - 2, 4).
    """
    head, decoder = model.head, model.autoencoder
    assert isinstance(head, EnergyHead)
    chunks = ids.unflatten(-1, (-1, 2))  # (B, S, 2)
    batch, length = chunks.shape[:2]
    whole = model.backbone.cache(batch, length)
    hidden = model.backbone(model.chunk_embeddings(ids), whole)
    flat = head_samples(head, hidden[:, :-1].flatten(0, 1), noise.flatten(1, 2))
    first = decoder.decode_logits(flat).argmax(-1).unflatten(1, (batch, length - 1))  # (2, B, S - 1, 2)
    scores = []
    for start in range(length - 2):
        cache = KVCache(model.config.backbone, batch, start + 2, hidden)  # the prefix, copied for each start
        cache.keys[..., : start + 1, :] = whole.keys[..., : start + 1, :]
        cache.values[..., : start + 1, :] = whole.values[..., : start + 1, :]
        cache.length = start + 1
        state = model.backbone(model.chunk_embeddings(first[0, :, start]), cache)[:, -1]
        tail = decoder.decode_logits(head_samples(head, state, tail_noise[:, :, start])).argmax(-1)  # (2, B, 2)
        own = torch.cat([first[:, :, start], tail], -1)  # (2, B, 4)
        true = torch.cat([first[:, :, start], first[:, :, start + 1]], -1)
        target = torch.cat([chunks[:, start + 1], chunks[:, start + 2]], -1)
        right = sum((draw == target).float().cumprod(-1) for draw in true)
        scores.append(right - (own[0] == own[1]).float().cumprod(-1))
    return torch.stack(scores, 1)
