"""CALM itself: chunks in, a Transformer over chunks, a head that draws the next vector (paper sec. 3).

``p(Z) = prod_i p(z_i | z_<i)``: position i has read chunks 0..i and its hidden state conditions the head's draw of
vector i + 1. The frozen autoencoder stands at both ends: its posterior gives the training targets, its decoder turns a
drawn vector back into K tokens, which (in the default, discrete form, sec. 3.3) are what the next position reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from calm_lab.errors import InputError
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.backbone import Backbone
from calm_lab.model.config import CalmConfig
from calm_lab.model.heads import build_head
from calm_lab.model.layers import init_linear

if TYPE_CHECKING:
    from calm_lab.text.tokenizer import Tokenizer

LAYER_NORM_EPS = 1e-6


class Compression(nn.Module):
    """A two-layer MLP that makes one backbone position of one chunk (paper sec. 3.3)."""

    def __init__(self, in_size: int, width: int):
        super().__init__()
        self.inner = nn.Linear(in_size, 2 * width)
        self.out = nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        init_linear(self)

    def forward(self, x: Tensor) -> Tensor:
        """(..., in_size) -> (..., d)."""
        return self.norm(self.out(nn.functional.silu(self.inner(x))))


class CALM(nn.Module):
    """A continuous autoregressive language model over a frozen autoencoder.

    Attributes:
        config: its sizes.
        autoencoder: frozen, always in evaluation mode, and left out of ``trainable()``.
        head: energy, flow or diffusion.
        tokenizer: the autoencoder's.
        name: what it was loaded as.
    """

    def __init__(self, config: CalmConfig, autoencoder: Autoencoder):
        super().__init__()
        for name in ("vocab_size", "chunk_size", "latent_size"):
            mine, theirs = getattr(config, name), getattr(autoencoder.config, name)
            if mine != theirs:
                raise InputError(f"the model has {name} {mine}, its autoencoder {theirs}: they must be equal")
        self.config = config
        width = config.backbone.hidden_size
        self.autoencoder = autoencoder.requires_grad_(False)
        if config.input != "continuous":
            self.embed = nn.Embedding(config.vocab_size, width)
            nn.init.normal_(self.embed.weight, std=0.02)
            self.compress_tokens = Compression(config.chunk_size * width, width)
        if config.input != "discrete":
            self.compress_latent = Compression(config.latent_size, width)
        self.backbone = Backbone(config.backbone)
        self.head = build_head(config.head, width, config.latent_size)
        self.name = ""
        self.train()

    @property
    def tokenizer(self) -> Tokenizer | None:
        """The tokenizer of the autoencoder underneath."""
        return self.autoencoder.tokenizer

    def train(self, mode: bool = True) -> CALM:
        """Set training mode, but for the autoencoder, which stays as it will be used."""
        super().train(mode)
        self.autoencoder.eval()
        return self

    def trainable(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name: all but the autoencoder's."""
        return {name: p for name, p in self.named_parameters() if not name.startswith("autoencoder.")}

    def chunk_embeddings(self, ids: Tensor, latents: Tensor | None = None) -> Tensor:
        """What the backbone reads of each chunk.

        Args:
            ids: token ids, shape (B, T).
            latents: vectors of the same chunks, shape (B, S, l), for continuous input; by default the posterior mean.

        Returns:
            Embedded positions, shape (B, S, d).
        """
        x: Tensor | None = None
        chunks = self.autoencoder.chunked(ids)  # (B, S, K)
        if self.config.input != "continuous":
            x = self.compress_tokens(self.embed(chunks).flatten(-2))  # (B, S, d)
        if self.config.input != "discrete":
            if latents is None:
                with torch.no_grad():
                    latents = self.autoencoder.encode(ids).mean
            y = self.compress_latent(latents)
            x = y if x is None else x + y
        assert x is not None
        return x

    def hidden_states(self, ids: Tensor, latents: Tensor | None = None) -> Tensor:
        """Run the backbone over whole chunks.

        Args:
            ids: token ids, shape (B, T), T a multiple of K.
            latents: see ``chunk_embeddings``.

        Returns:
            Hidden states after the final norm, shape (B, S, d): position i has seen chunks 0..i, predicts chunk i + 1.
        """
        return self.backbone(self.chunk_embeddings(ids, latents))
