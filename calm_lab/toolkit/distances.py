"""Mean distances between points, position by position, in bounded memory: what the energy score is made of.

The straightforward computation makes a tensor (N, M, ..., l) of differences and keeps it for the backward pass. Here
one block of positions after another fits the processor's cache. The mean of a position depends on its own points alone,
so its gradient is made while its distances are at hand, and the backward pass has nothing to do but to scale it.

The gradient of ``|x - y|^alpha`` in x is ``pull * (x - y)`` with ``pull = alpha |x - y|^(alpha - 2)``. Where two points
meet it is set to zero, so that every alpha has finite gradients (the official code gives NaN below 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SMALL = 16  # latent sizes up to this one take direct differences throughout
CACHED = 1 << 20  # coordinates of a block on a CPU: 4 MiB in float32
LAUNCHED = 1 << 26  # and on other devices, where a few large products are faster than many small ones

Slopes = tuple[Tensor | None, ...]
Kernel = Callable[..., tuple[Tensor, Slopes]]


def mean_among(x: Tensor, alpha: float) -> Tensor:
    """Mean of |x_n - x_k|^alpha over all pairs n < k: (N, ..., l) -> (...)."""
    return _mean(_among, alpha, x)


def mean_across(x: Tensor, y: Tensor, alpha: float) -> Tensor:
    """Mean of |x_n - y_m|^alpha over all N M pairs: (N, ..., l), (M, ..., l) -> (...)."""
    return _mean(_across_by_product if x.shape[-1] > SMALL else _across, alpha, x, y)


def _mean(kernel: Kernel, alpha: float, *points: Tensor) -> Tensor:
    shape = points[0].shape[1:-1]
    rows = [p.reshape(p.shape[0], math.prod(shape), p.shape[-1]) for p in points]  # (N, R, l)
    mean: Tensor = _BlockwiseMean.apply(kernel, alpha, *rows)
    return mean.view(shape)


class _BlockwiseMean(torch.autograd.Function):
    """A mean for each position, (R,), with the gradients that the kernel makes along the way."""

    @staticmethod
    def forward(ctx: Any, kernel: Kernel, alpha: float, *points: Tensor) -> Tensor:
        wanted = ctx.needs_input_grad[2:]
        mean = points[0].new_empty(points[0].shape[1])
        slopes = [torch.empty_like(p) if want else None for p, want in zip(points, wanted, strict=True)]
        most = CACHED if mean.device.type == "cpu" else LAUNCHED
        size = max(1, most // sum(p.shape[0] * p.shape[-1] for p in points))
        for start in range(0, mean.shape[0], size):
            block = slice(start, start + size)
            mean[block], made = kernel(alpha, wanted, *(p[:, block] for p in points))
            for slope, part in zip(slopes, made, strict=True):
                if slope is not None and part is not None:
                    slope[:, block] = part
        ctx.save_for_backward(*slopes)
        return mean

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        scale = grads[0][:, None]
        return None, None, *(None if slope is None else slope * scale for slope in ctx.saved_tensors)


def _power(squared: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """From squared distances ``distance^alpha`` and the pull ``alpha distance^(alpha - 2)``, which is 0 at 0."""
    power = squared ** (alpha / 2)
    return power, (alpha * power / squared).masked_fill_(squared < torch.finfo(squared.dtype).tiny, 0.0)


def _among(alpha: float, wanted: tuple[bool, ...], x: Tensor) -> tuple[Tensor, Slopes]:
    """By direct differences, since samples that nearly agree would lose their digits in a product."""
    n = x.shape[0]
    total, slope = x.new_zeros(x.shape[1]), torch.zeros_like(x)
    for shift in range(1, n):  # every pair (i, i + shift) once
        gap = x[shift:] - x[:-shift]
        power, pull = _power(gap.square().sum(-1), alpha)
        total += power.sum(0)
        if wanted[0]:
            gap *= pull[..., None]
            slope[shift:] += gap
            slope[:-shift] -= gap
    pairs = n * (n - 1) / 2
    return total / pairs, (slope.div_(pairs),)


def _across(alpha: float, wanted: tuple[bool, ...], x: Tensor, y: Tensor) -> tuple[Tensor, Slopes]:
    """By direct differences: in few dimensions points come near to their targets, and a product saves nothing."""
    total, slope_x, slope_y = x.new_zeros(x.shape[1]), torch.empty_like(x), torch.zeros_like(y)
    for sample, slope in zip(x, slope_x, strict=True):
        gap = sample - y  # (M, B, l)
        power, pull = _power(gap.square().sum(-1), alpha)
        total += power.sum(0)
        if any(wanted):
            gap *= pull[..., None]
            slope.copy_(gap.sum(0))
            slope_y -= gap
    pairs = x.shape[0] * y.shape[0]
    return total / pairs, (slope_x.div_(pairs), slope_y.div_(pairs))


def _across_by_product(alpha: float, wanted: tuple[bool, ...], x: Tensor, y: Tensor) -> tuple[Tensor, Slopes]:
    """By ``|x|^2 + |y|^2 - 2 x y``, N M l multiply-adds in one matrix product a position."""
    pairs = x.shape[0] * y.shape[0]
    x, y = x.transpose(0, 1), y.transpose(0, 1)  # (B, N, l), (B, M, l)
    center = y.mean(1, keepdim=True)  # smaller numbers, fewer digits lost
    x, y = x - center, y - center
    lengths = x.square().sum(-1)[..., None] + y.square().sum(-1)[:, None]
    power, pull = _power(torch.baddbmm(lengths, x, y.mT, alpha=-2).clamp_(min=0), alpha)  # (B, N, M)
    pull /= pairs
    slope_x = torch.baddbmm(x * pull.sum(2)[..., None], pull, y, alpha=-1).transpose(0, 1) if wanted[0] else None
    slope_y = torch.baddbmm(y * pull.sum(1)[..., None], pull.mT, x, alpha=-1).transpose(0, 1) if wanted[1] else None
    return power.mean((1, 2)), (slope_x, slope_y)
