"""The training loss of a CALM, whatever its head: how well the drawn vectors match the posterior of the next chunk.

Energy head: minus the mean energy score of N samples against M draws of the posterior (paper sec. 3.2). Flow and
diffusion: their own denoising losses against one draw each, a position repeated N times (paper sec. 7).

Ours: where ``HeadConfig.diversity`` is below 1, the term that holds the samples apart counts less. The score is then no
longer proper, on purpose. Of answers equally far from each other, with probabilities p, the best law is
(p - c) / diversity where that is positive and 0 elsewhere: rare answers vanish. docs/recipe.md shows what that buys.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.autoencoder import Posterior
from calm_lab.model.calm import CALM
from calm_lab.model.config import CalmConfig
from calm_lab.model.heads import DiffusionHead, EnergyHead, FlowHead
from calm_lab.model.heads.diffusion import TRAIN_STEPS
from calm_lab.toolkit.energy import energy_score
from calm_lab.toolkit.share import Share, share_rows


@dataclass(frozen=True)
class LossNoise:
    """The draws of one loss, for whoever wants to fix them. R counts the scored positions.

    Attributes:
        posterior: standard normal draws for the targets, (M, R, l) for the energy head, else (N, R, l).
        head: what the head starts from: (N, R, s) uniform for energy, (N R, l) normal for flow and diffusion.
        time: times of flow (N R,) in [0, 1), or steps of diffusion (N R,).
    """

    posterior: Tensor | None = None
    head: Tensor | None = None
    time: Tensor | None = None


@dataclass(frozen=True)
class CalmLoss:
    """The loss and what is worth watching, all scalars.

    Attributes:
        total: what training minimises.
        positions: scored positions R.
        diversity: mean distance between samples (energy head only).
        fidelity: mean distance to the targets (energy head only).
    """

    total: Tensor
    positions: Tensor
    diversity: Tensor | None = None
    fidelity: Tensor | None = None


def target_chunks(chunks: Tensor, config: CalmConfig) -> Tensor:
    """Which chunks (B, S, K) are worth predicting: not padding, nor begin chunks, which nothing foretells: (B, S)."""
    return (chunks != config.pad_id).any(-1) & (chunks[..., 0] != config.bos_id)


def calm_loss(
    model: CALM,
    ids: Tensor,
    scored: Tensor | None = None,
    noise: LossNoise | None = None,
    generator: torch.Generator | None = None,
    posterior: Posterior | None = None,
    *,
    share: Share | None = None,
) -> CalmLoss:
    """Score the model's next vectors on a batch.

    Args:
        model: the CALM.
        ids: token ids, shape (B, T), T a multiple of K.
        scored: true for chunks that count as targets, shape (B, S); by default ``target_chunks``. The first chunk of a
            row is never a target: nothing has been read before it.
        noise: the draws to use; by default fresh ones.
        generator: the random stream of fresh draws.
        posterior: of every chunk, (B, S, l), where it is known already; by default the autoencoder is asked.
        share: the positions that predict a scored chunk, in place of ``scored``, and who else takes part. Known
            beforehand, they spare a GPU the wait for a count.

    Returns:
        The loss, averaged over scored positions.

    Raises:
        InputError: if no position is scored.
    """
    if posterior is None:
        with torch.no_grad():
            posterior = model.autoencoder.encode(ids)  # (B, S, l)
    if share is None:
        if scored is None:
            scored = target_chunks(model.autoencoder.chunked(ids), model.config)
        share = share_rows(scored[:, 1:], scored.shape[1])
    assert share.positions is not None
    if not share.positions.numel():
        raise InputError("no position is scored: every target chunk is padding or masked")
    latents = None
    if model.config.input != "discrete":
        shape = (posterior.mean.shape[0] * share.world, *posterior.mean.shape[1:])
        draws = torch.randn(shape, generator=generator, device=ids.device, dtype=posterior.mean.dtype)
        latents = posterior.sample(noise=share.rows(draws))
    hidden = model.hidden_states(ids, latents).flatten(0, 1)  # (B S, d)
    target = Posterior(*(part.flatten(0, 1)[share.positions + 1] for part in (posterior.mean, posterior.log_std)))
    if noise is None:
        noise = LossNoise() if share.places is None else _parted_noise(model, target, share, generator)
    return head_loss(model, hidden[share.positions], target, noise, generator)


def head_loss(
    model: CALM, rows: Tensor, target: Posterior, noise: LossNoise, generator: torch.Generator | None = None
) -> CalmLoss:
    """The head's loss of R hidden states (R, d) against the posteriors (R, l) of the chunks that follow them."""
    head, config = model.head, model.config.head
    count = torch.full((), rows.shape[0], device=rows.device)
    if isinstance(head, EnergyHead):
        samples = head.sample(rows, noise.head, generator, num_samples=config.num_samples)  # (N, R, l)
        targets = target.sample(config.num_targets, noise.posterior, generator)  # (M, R, l)
        score = energy_score(samples, targets, config.alpha)
        loss = (2 * score.fidelity - config.diversity * score.diversity).mean()
        return CalmLoss(loss, count, score.diversity.mean().detach(), score.fidelity.mean().detach())
    draws = target.sample(config.num_samples, noise.posterior, generator).flatten(0, 1)  # (N R, l)
    repeated = rows.repeat(config.num_samples, 1)  # (N R, d)
    assert isinstance(head, FlowHead | DiffusionHead)
    return CalmLoss(head.loss(draws, repeated, noise.time, noise.head, generator).mean(), count)


def _parted_noise(model: CALM, target: Posterior, share: Share, generator: torch.Generator | None) -> LossNoise:
    """The draws of all processes in the order in which one alone makes them, cut down to this one's positions."""
    head, config, like = model.head, model.config.head, target.mean
    everyone = like.new_empty(share.total, 0)

    def posterior(count: int) -> Tensor:
        shape = (count, share.total, like.shape[-1])
        return torch.randn(shape, generator=generator, device=like.device, dtype=like.dtype)[:, share.places]

    if isinstance(head, EnergyHead):
        start = head.draw_noise(everyone, config.num_samples, generator)[:, share.places]
        return LossNoise(posterior(config.num_targets), start)
    targets = posterior(config.num_samples)
    shape = (config.num_samples * share.total,)
    if isinstance(head, DiffusionHead):
        time = torch.randint(TRAIN_STEPS, shape, generator=generator, device=like.device)
    else:
        time = torch.rand(shape, generator=generator, device=like.device)
    start = head.draw_noise(everyone, config.num_samples, generator)[:, share.places]
    return LossNoise(
        targets, start.flatten(0, 1), time.unflatten(0, (config.num_samples, -1))[:, share.places].flatten()
    )
