"""K tokens to one vector, and back (paper sec. 2).

Each chunk stands alone: the encoder reads its K tokens and nothing else, and answers with a Gaussian
``q(z | x) = N(mean, diag(std^2))`` over the latent vector; the decoder turns any vector into K distributions over the
vocabulary. Three things make the latent space smooth enough for a language model to aim at: the KL term with a floor a
coordinate (KL clip, sec. 2.2), DropToken and DropLatent.

Notebook 02 builds it part by part; notebook 03 shows what each regulariser does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from calm_lab.errors import InputError
from calm_lab.model.config import AutoencoderConfig
from calm_lab.model.layers import ResidualMLP, RMSNorm, init_linear
from calm_lab.model.vocabulary import argmax_tokens, token_cross_entropy

if TYPE_CHECKING:
    from calm_lab.text.tokenizer import Tokenizer

AfterEnd = Literal["pad", "keep"]


@dataclass(frozen=True)
class Posterior:
    """The encoder's Gaussian over the latent vector of each chunk.

    Attributes:
        mean: shape (B, S, l).
        log_std: natural logarithm of the standard deviation, shape (B, S, l).
    """

    mean: Tensor
    log_std: Tensor

    @property
    def std(self) -> Tensor:
        """Standard deviation, shape (B, S, l)."""
        return self.log_std.exp()

    def sample(
        self, count: int | None = None, noise: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw latent vectors.

        Args:
            count: how many draws a chunk; ``None`` for one without a leading axis.
            noise: standard normal draws to use, shape (B, S, l) or (count, B, S, l).
            generator: the random stream otherwise.

        Returns:
            Latents, shape (B, S, l) or (count, B, S, l).
        """
        if noise is None:
            shape = self.mean.shape if count is None else (count, *self.mean.shape)
            noise = torch.randn(shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype)
        return self.mean + noise * self.std

    def kl(self) -> Tensor:
        """KL divergence from the posterior to N(0, I) in nats a coordinate, shape (B, S, l) (paper sec. 2.2)."""
        return 0.5 * (self.mean.square() + (2 * self.log_std).exp() - 1 - 2 * self.log_std)


@dataclass(frozen=True)
class DropNoise:
    """The draws of one training forward, for whoever wants to fix them.

    Attributes:
        drop_tokens: true where DropToken hides an input token, shape (B, S, K).
        latent: standard normal draws, shape (B, S, l).
        keep_latent: true where DropLatent keeps a coordinate, shape (B, S, l).
    """

    drop_tokens: Tensor
    latent: Tensor
    keep_latent: Tensor


@dataclass(frozen=True)
class AutoencoderLoss:
    """``total = reconstruction + kl_weight * kl``, all scalars (paper sec. 2.2).

    Attributes:
        total: what training minimises.
        reconstruction: cross-entropy of a chunk, nats (K times the mean over tokens).
        kl: clipped KL of a chunk, nats: sum over coordinates of max(kl_clip, KL_i), mean over chunks.
    """

    total: Tensor
    reconstruction: Tensor
    kl: Tensor


class Encoder(nn.Module):
    """Token ids of a chunk to the mean and log standard deviation of its latent vector."""

    def __init__(self, config: AutoencoderConfig):
        super().__init__()
        half = config.num_encoder_layers // 2
        width = config.hidden_size
        self.embed = nn.Embedding(config.vocab_size, width)
        self.token_layers = nn.ModuleList(_layer(config) for _ in range(half))
        self.squeeze = nn.Linear(config.chunk_size * width, width)
        self.chunk_layers = nn.ModuleList(_layer(config) for _ in range(config.num_encoder_layers - half))
        self.norm = RMSNorm(width, config.rms_norm_eps)
        self.to_latent = nn.Linear(width, 2 * config.latent_size)

    def forward(self, chunks: Tensor) -> Posterior:
        """(..., K) ids -> posterior of shape (..., l)."""
        x = self.embed(chunks)  # (..., K, h)
        for layer in self.token_layers:
            x = layer(x)
        x = self.squeeze(x.flatten(-2))  # (..., h)
        for layer in self.chunk_layers:
            x = layer(x)
        mean, log_std = self.to_latent(self.norm(x)).chunk(2, dim=-1)  # (..., l) each
        return Posterior(mean, log_std)


class Decoder(nn.Module):
    """A latent vector to K hidden states, each one product away from logits over the vocabulary."""

    def __init__(self, config: AutoencoderConfig):
        super().__init__()
        half = config.num_decoder_layers // 2
        width = config.hidden_size
        self.chunk_size = config.chunk_size
        self.from_latent = nn.Linear(config.latent_size, width)
        self.chunk_layers = nn.ModuleList(_layer(config) for _ in range(half))
        self.expand = nn.Linear(width, config.chunk_size * width)
        self.token_layers = nn.ModuleList(_layer(config) for _ in range(config.num_decoder_layers - half))
        self.norm = RMSNorm(width, config.rms_norm_eps)
        if not config.tied:
            self.output = nn.Linear(width, config.vocab_size, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        """(..., l) -> (..., K, h)."""
        x = self.from_latent(z)  # (..., h)
        for layer in self.chunk_layers:
            x = layer(x)
        x = self.expand(x).unflatten(-1, (self.chunk_size, -1))  # (..., K, h)
        for layer in self.token_layers:
            x = layer(x)
        return self.norm(x)


def _layer(config: AutoencoderConfig) -> ResidualMLP:
    return ResidualMLP(config.hidden_size, config.intermediate_size, config.rms_norm_eps, config.mlp_bias)


class Autoencoder(nn.Module):
    """The context-free variational autoencoder of CALM (paper sec. 2).

    Attributes:
        config: its sizes and regularisers.
        tokenizer: the tokenizer whose ids it reads, where one is known.
        name: what it was loaded as.
    """

    def __init__(self, config: AutoencoderConfig):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.tokenizer: Tokenizer | None = None
        self.name = ""
        init_linear(self)

    @property
    def output_weight(self) -> Tensor:
        """The output matrix, shape (V, h): the embedding itself unless ``config.tied`` is off."""
        return self.encoder.embed.weight if self.config.tied else self.decoder.output.weight

    def chunked(self, ids: Tensor) -> Tensor:
        """Cut ids (B, T) into chunks (B, S, K).

        Raises:
            InputError: if T is no multiple of K, the ids are no integers, or one lies outside the vocabulary (seen only
                on a CPU, where looking does not make a GPU wait).
        """
        size, vocab = self.config.chunk_size, self.config.vocab_size
        if ids.dim() < 1 or ids.dtype not in (torch.int64, torch.int32):
            raise InputError(f"ids must be whole numbers of shape (B, T), not {ids.dtype} of shape {tuple(ids.shape)}")
        if ids.shape[-1] % size:
            raise InputError(f"{ids.shape[-1]} tokens are no multiple of the chunk size {size}: pad or cut them")
        seen = ids.device.type == "cpu" and type(ids) is Tensor and not torch.compiler.is_compiling()
        if seen and ids.numel() and not (int(ids.min()) >= 0 and int(ids.max()) < vocab):
            raise InputError(f"an id lies outside this model's vocabulary of {vocab} entries: use its own tokenizer")
        return ids.unflatten(-1, (-1, size)) if ids.shape[-1] else ids.reshape(*ids.shape[:-1], 0, size)

    def encode(self, ids: Tensor) -> Posterior:
        """The posterior of every chunk.

        Args:
            ids: token ids, shape (B, T) with T a multiple of K.

        Returns:
            Posterior of shape (B, S, l), S = T / K.
        """
        return self.encoder(self.chunked(ids))

    def decode_logits(self, z: Tensor) -> Tensor:
        """Logits of the K tokens behind each vector: (..., l) -> (..., K, V)."""
        self._check_latent(z)
        return F.linear(self.decoder(z), self.output_weight)

    def decode(self, z: Tensor, after_end: AfterEnd | None = None) -> Tensor:
        """The most probable K tokens behind each vector: (..., l) -> ids (..., K).

        What follows an end token inside a chunk says nothing. ``pad`` sets it to padding, so that equal texts are equal
        ids; ``keep`` leaves it. By default ``config.pad_after_end`` decides: ours pad, official checkpoints keep.
        """
        self._check_latent(z)
        ids = argmax_tokens(self.decoder(z), self.output_weight)  # (..., K)
        keep = after_end == "keep" or (after_end is None and not self.config.pad_after_end)
        return ids if keep else pad_after_end(ids, self.config.eos_id, self.config.pad_id)

    def loss(
        self, ids: Tensor, noise: DropNoise | None = None, generator: torch.Generator | None = None
    ) -> AutoencoderLoss:
        """The training loss, with DropToken, a posterior draw and DropLatent (paper sec. 2.2, 2.3).

        Args:
            ids: token ids, shape (B, T).
            noise: the draws to use; by default fresh ones.
            generator: the random stream of fresh draws.

        Returns:
            The loss and its two terms.
        """
        config = self.config
        chunks = self.chunked(ids)  # (B, S, K)
        noise = noise or self.draw_noise(chunks, generator)
        posterior = self.encoder(chunks.masked_fill(noise.drop_tokens, config.mask_id))
        z = posterior.sample(noise=noise.latent)  # (B, S, l)
        z = z * noise.keep_latent / (1 - config.drop_latent)
        nats = token_cross_entropy(self.decoder(z), self.output_weight, chunks)  # ()
        kl = posterior.kl().clamp(min=config.kl_clip).sum(-1).mean()
        reconstruction = nats * config.chunk_size
        total = reconstruction + config.kl_weight * kl if config.kl_weight else reconstruction
        return AutoencoderLoss(total, reconstruction, kl)

    def draw_noise(self, chunks: Tensor, generator: torch.Generator | None = None) -> DropNoise:
        """Fresh draws for one training forward on chunks (B, S, K)."""
        config = self.config
        latent_shape = (*chunks.shape[:-1], config.latent_size)
        device = chunks.device
        return DropNoise(
            drop_tokens=torch.rand(chunks.shape, generator=generator, device=device) <= config.drop_token
            if config.drop_token
            else torch.zeros_like(chunks, dtype=torch.bool),
            latent=torch.randn(latent_shape, generator=generator, device=device),
            keep_latent=torch.rand(latent_shape, generator=generator, device=device) >= config.drop_latent,
        )

    def bits(self, posterior: Posterior) -> Tensor:
        """Bits that the posterior tells about each chunk, KL to N(0, I): (B, S)."""
        return posterior.kl().sum(-1) / math.log(2)

    def _check_latent(self, z: Tensor) -> None:
        if z.shape[-1:] != (self.config.latent_size,):
            raise InputError(
                f"latent vectors must have {self.config.latent_size} coordinates, not shape {tuple(z.shape)}"
            )


def pad_after_end(ids: Tensor, eos_id: int, pad_id: int) -> Tensor:
    """Chunks (..., K) with every token after the first end token replaced by padding."""
    ended = (ids == eos_id).cumsum(-1) - (ids == eos_id).int() > 0
    return ids.masked_fill(ended, pad_id)
