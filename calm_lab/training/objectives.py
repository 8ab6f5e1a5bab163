"""What each of the three trainings minimises, as modules whose forward is the loss.

A module, because whoever wraps the model for several devices (accelerate, DDP, FSDP) or compiles it wraps a forward.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.transformer import TokenTransformer
from calm_lab.toolkit.loss import calm_loss, target_chunks
from calm_lab.training.posteriors import PosteriorTable

Logs = dict[str, Tensor]


class AutoencoderObjective(nn.Module):
    """Reconstruction plus weighted KL (paper sec. 2.2), on text in which a few tokens are any of the vocabulary."""

    def __init__(self, model: Autoencoder, random_tokens: float = 0.0):
        super().__init__()
        self.model = model
        self.random_tokens = random_tokens

    def forward(self, ids: Tensor, generator: torch.Generator) -> tuple[Tensor, Logs]:
        """Ids (B, T) -> loss and what to log."""
        if self.random_tokens:
            anything = torch.randint(
                self.model.config.vocab_size, ids.shape, generator=generator, device=ids.device, dtype=ids.dtype
            )
            ids = torch.where(
                torch.rand(ids.shape, generator=generator, device=ids.device) < self.random_tokens, anything, ids
            )
        loss = self.model.loss(ids, generator=generator)
        return loss.total, {"reconstruction": loss.reconstruction.detach(), "kl": loss.kl.detach()}


class CalmObjective(nn.Module):
    """The head's loss on the next vector (paper sec. 3.2), with posteriors from a table where there is one."""

    def __init__(self, model: CALM, posteriors: PosteriorTable | None = None):
        super().__init__()
        self.model = model
        self.posteriors = posteriors

    def forward(self, ids: Tensor, generator: torch.Generator) -> tuple[Tensor, Logs]:
        """Ids (B, T) -> loss and what to log."""
        scored = target_chunks(self.model.autoencoder.chunked(ids), self.model.config)
        posterior = self.posteriors(ids) if self.posteriors else None
        loss = calm_loss(self.model, ids, scored, generator=generator, posterior=posterior)
        terms = {"diversity": loss.diversity, "fidelity": loss.fidelity}
        return loss.total, {name: value for name, value in terms.items() if value is not None}


class TransformerObjective(nn.Module):
    """Cross-entropy of the next token."""

    def __init__(self, model: TokenTransformer):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, generator: torch.Generator) -> tuple[Tensor, Logs]:
        """Ids (B, T) -> loss and what to log; nothing here is random."""
        return self.model.loss(ids), {}
