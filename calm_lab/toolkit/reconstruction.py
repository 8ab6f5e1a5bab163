"""How much of the text survives the vector: token accuracy of an autoencoder, clean and under noise.

Paper sec. 7.2: over 99.9% of tokens come back although the posterior adds noise of sigma 0.3. Padding and begin ids,
which any decoder gets right, are not counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.autoencoder import Autoencoder


@dataclass(frozen=True)
class TokenAccuracy:
    """A share of tokens with its binomial standard error.

    Attributes:
        correct: tokens that came back.
        total: tokens counted.
    """

    correct: int
    total: int

    @property
    def value(self) -> float:
        """The share, in [0, 1]."""
        return self.correct / self.total

    @property
    def standard_error(self) -> float:
        """Binomial standard error of the share."""
        return math.sqrt(self.value * (1 - self.value) / self.total)


@torch.no_grad()
def token_accuracy(
    model: Autoencoder,
    ids: Tensor,
    sigma: float | None = 0.0,
    generator: torch.Generator | None = None,
    block: int = 4096,
) -> TokenAccuracy:
    """The share of tokens that encoding, noise and decoding leave as they were.

    Args:
        model: the autoencoder.
        ids: token ids, shape (B, T).
        sigma: standard deviation of Gaussian noise added to the posterior mean; ``None`` samples the posterior itself.
        generator: the random stream of the noise.
        block: chunks at a time.

    Raises:
        InputError: if sigma is negative or there is nothing to count.
    """
    if sigma is not None and sigma < 0:
        raise InputError(f"sigma must not be negative, not {sigma}")
    config = model.config
    correct = torch.zeros((), dtype=torch.long, device=ids.device)
    total = torch.zeros_like(correct)
    for chunks in model.chunked(ids).flatten(0, -2).split(block):  # (R, K)
        posterior = model.encode(chunks.reshape(1, -1))
        if sigma is None:
            z = posterior.sample(generator=generator)
        else:
            noise = torch.randn(posterior.mean.shape, generator=generator, device=ids.device) if sigma else 0.0
            z = posterior.mean + sigma * noise
        counted = (chunks != config.pad_id) & (chunks != config.bos_id)
        correct += ((model.decode(z)[0] == chunks) & counted).sum()
        total += counted.sum()
    if not int(total):
        raise InputError("no token to count: the ids hold nothing but padding and begin ids")
    return TokenAccuracy(int(correct), int(total))


def token_accuracies(model: Autoencoder, ids: Tensor, generator: torch.Generator) -> dict[str, TokenAccuracy]:
    """The three shares that every report gives: ``clean``, ``sigma_0.3`` and ``posterior``, of ids (B, T)."""
    sigmas = {"clean": 0.0, "sigma_0.3": 0.3, "posterior": None}
    return {name: token_accuracy(model, ids, sigma, generator) for name, sigma in sigmas.items()}
