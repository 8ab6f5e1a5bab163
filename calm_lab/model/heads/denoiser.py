"""The network inside the flow and diffusion heads: an MLP steered by time and hidden state through adaptive LayerNorm.

It reads a noised latent, a time and a hidden state and answers with a velocity (flow) or with noise and variance
(diffusion). ``DenoisingHead`` is what the two heads share beside it. The shape follows the small denoising heads of
image models, as in the paper's comparison (sec. 7).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from calm_lab.errors import InputError
from calm_lab.model.config import HeadConfig
from calm_lab.model.layers import init_linear

TIME_FEATURES = 256
LAYER_NORM_EPS = 1e-6


def time_features(time: Tensor) -> Tensor:
    """Cosines and sines of time at 128 geometric frequencies: (R,) in thousandths -> (R, 256)."""
    half = TIME_FEATURES // 2
    steps = torch.arange(half, device=time.device, dtype=torch.float32)
    angle = time[:, None].float() * torch.exp(-math.log(10000.0) * steps / half)
    return torch.cat([angle.cos(), angle.sin()], dim=-1)


class AdaptiveBlock(nn.Module):
    """Residual MLP whose norm is shifted, scaled and gated by the condition."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.inner = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.modulation = nn.Linear(width, 3 * width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(R, d), (R, d) -> (R, d)."""
        shift, scale, gate = self.modulation(F.silu(condition)).chunk(3, dim=-1)
        h = self.norm(x) * (1 + scale) + shift
        return x + gate * self.out(F.silu(self.inner(h)))


class Denoiser(nn.Module):
    """(noised latent, time, hidden state) to ``out_size`` numbers."""

    def __init__(self, width: int, latent_size: int, out_size: int, num_blocks: int):
        super().__init__()
        self.time_inner = nn.Linear(TIME_FEATURES, width)
        self.time_out = nn.Linear(width, width)
        self.embed_hidden = nn.Linear(width, width)
        self.embed_latent = nn.Linear(latent_size, width)
        self.blocks = nn.ModuleList(AdaptiveBlock(width) for _ in range(num_blocks))
        self.final_modulation = nn.Linear(width, 2 * width)
        self.final_out = nn.Linear(width, out_size)
        init_linear(self)
        for block in self.blocks:  # every block starts as the identity, and the whole as zero velocity or noise
            assert isinstance(block, AdaptiveBlock)
            nn.init.zeros_(block.modulation.weight)
        nn.init.zeros_(self.final_modulation.weight)
        nn.init.zeros_(self.final_out.weight)

    def forward(self, x: Tensor, time: Tensor, hidden: Tensor) -> Tensor:
        """Noised latents (R, l), times in thousandths (R,), hidden states (R, d) -> (R, out_size)."""
        features = time_features(time).to(self.time_inner.weight.dtype)
        condition = self.time_out(F.silu(self.time_inner(features))) + self.embed_hidden(hidden)  # (R, d)
        h = self.embed_latent(x)
        for block in self.blocks:
            h = block(h, condition)
        shift, scale = self.final_modulation(F.silu(condition)).chunk(2, dim=-1)
        h = F.layer_norm(h, h.shape[-1:], eps=LAYER_NORM_EPS) * (1 + scale) + shift
        return self.final_out(h)


class DenoisingHead(nn.Module):
    """A head that leads Gaussian noise to a latent in many steps; how is the business of its subclasses.

    Attributes:
        config: kind, blocks and how often a position repeats in the loss.
        latent_size: l.
        net: the network, which answers with ``outputs`` numbers a coordinate.
    """

    outputs = 1

    def __init__(self, config: HeadConfig, hidden_size: int, latent_size: int):
        super().__init__()
        self.config = config
        self.latent_size = latent_size
        self.net = Denoiser(hidden_size, latent_size, self.outputs * latent_size, config.num_blocks)

    def draw_noise(
        self, hidden: Tensor, num_samples: int | None = None, generator: torch.Generator | None = None
    ) -> Tensor:
        """Standard normal starts for hidden (..., d): (..., l), or (N, ..., l) where N is given."""
        shape = (*hidden.shape[:-1], self.latent_size)
        shape = shape if num_samples is None else (num_samples, *shape)
        return torch.randn(shape, generator=generator, device=hidden.device)

    def rows(self, hidden: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The starts (R, l) of noise (..., l) or (N, ..., l), and the hidden state (R, d) that goes with each.

        Raises:
            InputError: for noise of another size than l.
        """
        if noise.shape[-1] != self.latent_size:
            raise InputError(f"the head's noise has {self.latent_size} coordinates, not shape {tuple(noise.shape)}")
        states = hidden.expand(*noise.shape[:-1], hidden.shape[-1]).reshape(-1, hidden.shape[-1])
        return noise.reshape(-1, self.latent_size), states
