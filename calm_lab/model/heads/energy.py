"""The energy head: a hidden state and uniform noise to one latent vector, in a single pass (paper sec. 3.2).

The noise path carries the residual stream; every block looks at the hidden state again. What depends on the hidden
state alone is computed once, however many noises are drawn for it: N samples cost N noise paths, not N heads.

The official code starts the last layer at zero, so all samples start equal and the diversity term has no gradient;
here it starts at ``HeadConfig.init_std``. docs/recipe.md shows what that changes; notebook 06 walks along the noise.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from calm_lab.errors import InputError
from calm_lab.model.config import HeadConfig
from calm_lab.model.layers import init_linear

LAYER_NORM_EPS = 1e-6


class MixBlock(nn.Module):
    """Mix the noise path with the hidden state, gate, and add: about 6 d^2 weights (paper sec. 3.2)."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.mix = nn.Linear(2 * width, width)  # columns 0..d-1 read the noise path, d..2d-1 the hidden state
        self.inner = nn.Linear(width, width)
        self.gate_up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(width, width)

    def condition(self, hidden: Tensor) -> Tensor:
        """The hidden state's share of the first layer: (..., d) -> (..., d)."""
        return F.linear(hidden, self.mix.weight[:, hidden.shape[-1] :], self.mix.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Noise path (N, ..., d) and condition (..., d) -> noise path (N, ..., d)."""
        y = F.linear(self.norm(x), self.mix.weight[:, : x.shape[-1]]) + condition
        gate, up = self.gate_up(F.silu(self.inner(F.silu(y)))).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class EnergyHead(nn.Module):
    """One-step generator of latent vectors, trained by the energy score.

    Attributes:
        config: kind, blocks, noise size and the loss's sample counts.
    """

    def __init__(self, config: HeadConfig, hidden_size: int, latent_size: int):
        super().__init__()
        self.config = config
        self.latent_size = latent_size
        self.embed_noise = nn.Linear(config.noise_size, hidden_size)
        self.embed_hidden = nn.Linear(hidden_size, hidden_size)
        self.noise_norm = nn.LayerNorm(hidden_size, eps=LAYER_NORM_EPS)
        self.hidden_norm = nn.LayerNorm(hidden_size, eps=LAYER_NORM_EPS)
        self.blocks = nn.ModuleList(MixBlock(hidden_size) for _ in range(config.num_blocks))
        self.final_norm = nn.LayerNorm(hidden_size, eps=LAYER_NORM_EPS)
        self.final_inner = nn.Linear(hidden_size, hidden_size)
        self.final_out = nn.Linear(hidden_size, latent_size)
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight)
                nn.init.zeros_(part.bias)
        init_linear(self.final_out, std=config.init_std)

    def draw_noise(
        self, hidden: Tensor, num_samples: int | None = None, generator: torch.Generator | None = None
    ) -> Tensor:
        """Uniform noise in [-0.5, 0.5) for hidden (..., d): (..., s), or (N, ..., s) where N is given."""
        shape = (*hidden.shape[:-1], self.config.noise_size)
        shape = shape if num_samples is None else (num_samples, *shape)
        return torch.rand(shape, generator=generator, device=hidden.device) - 0.5

    def sample(
        self,
        hidden: Tensor,
        noise: Tensor | None = None,
        generator: torch.Generator | None = None,
        num_samples: int | None = None,
    ) -> Tensor:
        """Draw the next latent vector.

        Args:
            hidden: backbone states, shape (..., d).
            noise: U[-0.5, 0.5] draws, shape (..., s), or (N, ..., s) for N samples a state; fresh ones by default.
            generator: the random stream of fresh draws.
            num_samples: N fresh draws a state; ``None`` for one without a leading axis.

        Returns:
            Latents, shape (..., l) or (N, ..., l).

        Raises:
            InputError: if the last axis of ``noise`` is not s.
        """
        if noise is None:
            noise = self.draw_noise(hidden, num_samples, generator)
        if noise.shape[-1] != self.config.noise_size:
            raise InputError(
                f"the head's noise has {self.config.noise_size} coordinates, not shape {tuple(noise.shape)}"
            )
        h = self.hidden_norm(self.embed_hidden(hidden))  # (..., d), once for all N
        x = self.noise_norm(self.embed_noise(noise))  # (N, ..., d)
        for block in self.blocks:
            assert isinstance(block, MixBlock)
            x = block(x, block.condition(h))
        return self.final_out(F.silu(self.final_inner(self.final_norm(x))))  # (N, ..., l)
