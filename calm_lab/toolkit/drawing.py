"""From uniform numbers to draws: what every sampler of this floor does in the end."""

from __future__ import annotations

import torch
from torch import Tensor

from calm_lab.device import knows_float64


def uniforms(shape: tuple[int, ...], device: torch.device, generator: torch.Generator | None) -> Tensor:
    """Uniform [0, 1) draws in float64 (float32 on Apple's MPS, which has no more), made where the generator lives."""
    source = device if generator is None else generator.device
    dtype = torch.float64 if knows_float64(source) and knows_float64(device) else torch.float32
    return torch.rand(shape, dtype=dtype, device=source, generator=generator).to(device)


def inverse_cdf(cumulative: Tensor, uniform: Tensor) -> Tensor:
    """Turn uniforms into indices drawn by cumulative weights (which need not end at 1); weight 0 is never drawn.

    Args:
        cumulative: running sums of weights >= 0, shape (..., X).
        uniform: draws in [0, 1), shape (..., R), or any shape where ``cumulative`` is (X,).

    Returns:
        int64 indices of the shape of ``uniform``.
    """
    total = cumulative[..., -1:]
    # The first index whose running sum reaches the total: rounding must not lead beyond it to a weight of 0.
    last = (cumulative >= total).to(torch.uint8).argmax(-1, keepdim=True)  # (..., 1)
    found = torch.searchsorted(cumulative, uniform * total, right=True)
    return torch.minimum(found, last)
