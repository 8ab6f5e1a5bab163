"""What each of the three trainings minimises, as modules whose forward is the loss.

A module, because whoever wraps the model for several devices (accelerate, DDP, FSDP) or compiles it wraps a forward.
What must be counted is counted beforehand, on the host, by ``share``; a forward on a GPU never waits.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from calm_lab.model.autoencoder import Autoencoder, DropNoise
from calm_lab.model.calm import CALM
from calm_lab.model.transformer import TokenTransformer
from calm_lab.toolkit.loss import calm_loss, target_chunks
from calm_lab.toolkit.share import Share, share_rows
from calm_lab.training.posteriors import PosteriorTable

Logs = dict[str, Tensor]


class Objective(nn.Module):
    """A loss of a micro-batch of which the host has told its share."""

    def share(self, ids: Tensor, rank: int = 0, world: int = 1) -> Share:
        """One process's part of the rows (B, T) of all processes, on the host."""
        raise NotImplementedError

    def forward(self, ids: Tensor, share: Share, generator: torch.Generator) -> tuple[Tensor, Logs]:
        """Ids (B, T) of this process's rows -> loss and what to log."""
        raise NotImplementedError


class AutoencoderObjective(Objective):
    """Reconstruction plus weighted KL (paper sec. 2.2), on text in which a few tokens are any of the vocabulary."""

    def __init__(self, model: Autoencoder, random_tokens: float = 0.0):
        super().__init__()
        self.model = model
        self.random_tokens = random_tokens

    def share(self, ids: Tensor, rank: int = 0, world: int = 1) -> Share:
        """This process's part of rows (B, T) on the host: every chunk of its rows counts."""
        self.model.chunked(ids)  # sees ids that do not belong here
        return Share(rank=rank, world=world)

    def forward(self, ids: Tensor, share: Share, generator: torch.Generator) -> tuple[Tensor, Logs]:
        """Ids (B, T) -> loss and what to log."""
        shape = (ids.shape[0] * share.world, ids.shape[1])  # the draws of all processes
        if self.random_tokens:
            anything = torch.randint(
                self.model.config.vocab_size, shape, generator=generator, device=ids.device, dtype=ids.dtype
            )
            replaced = torch.rand(shape, generator=generator, device=ids.device) < self.random_tokens
            ids = torch.where(share.rows(replaced), share.rows(anything), ids)
        noise = None
        if share.world > 1:
            everyone = self.model.draw_noise(
                ids.new_empty(shape).unflatten(-1, (-1, self.model.config.chunk_size)), generator
            )
            noise = DropNoise(**{f.name: share.rows(getattr(everyone, f.name)) for f in dataclasses.fields(everyone)})
        loss = self.model.loss(ids, noise, generator)
        return loss.total, {"reconstruction": loss.reconstruction.detach(), "kl": loss.kl.detach()}


class CalmObjective(Objective):
    """The head's loss on the next vector (paper sec. 3.2), with posteriors from a table where there is one."""

    def __init__(self, model: CALM, posteriors: PosteriorTable | None = None):
        super().__init__()
        self.model = model
        self.posteriors = posteriors

    def share(self, ids: Tensor, rank: int = 0, world: int = 1) -> Share:
        """This process's part of rows (B, T) on the host: the positions before a target chunk."""
        targets = target_chunks(self.model.autoencoder.chunked(ids), self.model.config)  # (B, S)
        return share_rows(targets[:, 1:], targets.shape[1], rank, world)

    def forward(self, ids: Tensor, share: Share, generator: torch.Generator) -> tuple[Tensor, Logs]:
        """Ids (B, T) -> loss and what to log."""
        posterior = self.posteriors(ids) if self.posteriors else None
        loss = calm_loss(self.model, ids, generator=generator, posterior=posterior, share=share)
        terms = {"diversity": loss.diversity, "fidelity": loss.fidelity}
        logs = {name: share.weight * value for name, value in terms.items() if value is not None}
        return share.weight * loss.total, logs


class TransformerObjective(Objective):
    """Cross-entropy of the next token."""

    def __init__(self, model: TokenTransformer):
        super().__init__()
        self.model = model

    def share(self, ids: Tensor, rank: int = 0, world: int = 1) -> Share:
        """This process's part of rows (B, T) on the host: the positions before a token that is not padding."""
        scored = ids[:, 1:] != self.model.config.pad_id
        if bool(scored.all()):
            return Share(rank=rank, world=world)
        return share_rows(scored, scored.shape[1], rank, world)

    def forward(self, ids: Tensor, share: Share, generator: torch.Generator) -> tuple[Tensor, Logs]:
        """Ids (B, T) -> loss and what to log; nothing here is random."""
        return share.weight * self.model.next_token_loss(ids, share.positions), {}
