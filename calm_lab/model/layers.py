"""The two parts that every network here shares: RMSNorm and the SwiGLU feed-forward.

Both are LLaMA's, which the paper takes for its autoencoder, its backbone and (inside) its head (paper sec. 2.1, 4.1).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """Scale a vector to unit root mean square, then by a learned gain.

    The statistics are taken in float32 whatever the input, since bfloat16 squares lose them.
    """

    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis: (..., size) -> (..., size)."""
        return F.rms_norm(x.float(), self.weight.shape, self.weight, self.eps).to(x.dtype)


class SwiGLU(nn.Module):
    """``down(silu(gate(x)) * up(x))``, the gated feed-forward of LLaMA."""

    def __init__(self, size: int, inner: int, bias: bool = False):
        super().__init__()
        self.gate = nn.Linear(size, inner, bias=bias)
        self.up = nn.Linear(size, inner, bias=bias)
        self.down = nn.Linear(inner, size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., size) -> (..., size)."""
        return self.down(F.silu(self.gate(x)) * self.up(x))


class ResidualMLP(nn.Module):
    """``x + SwiGLU(RMSNorm(x))``: the only layer of the autoencoder, which has no attention."""

    def __init__(self, size: int, inner: int, eps: float, bias: bool = False):
        super().__init__()
        self.norm = RMSNorm(size, eps)
        self.mlp = SwiGLU(size, inner, bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., size) -> (..., size)."""
        return x + self.mlp(self.norm(x))


def init_linear(module: nn.Module, std: float = 0.02) -> None:
    """Normal(0, ``std``) weights and zero biases in every linear layer and embedding under ``module``."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.normal_(part.weight, std=std)
        if isinstance(part, nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
