"""The two products with the vocabulary, in bounded memory: cross-entropy and argmax.

For a large vocabulary the logits are by far the largest tensor of a step (128,257 words x 4,096 tokens are 2 GB in
float32). Neither the loss nor the arg-max needs them all at once, so both walk over blocks of rows and keep one block.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from calm_lab.device import autocast_dtype

BLOCK_ELEMENTS = 1 << 24  # logits held at a time, 64 MiB in float32


def _rows(vocab_size: int) -> int:
    return max(1, BLOCK_ELEMENTS // vocab_size)


def argmax_tokens(hidden: Tensor, weight: Tensor) -> Tensor:
    """The id of the largest logit of each hidden state.

    Args:
        hidden: shape (..., h).
        weight: output matrix, shape (V, h).

    Returns:
        Ids, shape (...).
    """
    flat = hidden.reshape(-1, hidden.shape[-1])
    rows = _rows(weight.shape[0])
    if flat.shape[0] <= rows:
        return F.linear(flat, weight).argmax(-1).reshape(hidden.shape[:-1])
    return torch.cat([F.linear(part, weight).argmax(-1) for part in flat.split(rows)]).reshape(hidden.shape[:-1])


def token_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats over tokens.

    Args:
        hidden: shape (..., h).
        weight: output matrix, shape (V, h).
        targets: ids, shape (...).

    Returns:
        Scalar; differentiable in ``hidden`` and ``weight``.
    """
    flat, ids = hidden.reshape(-1, hidden.shape[-1]), targets.reshape(-1)
    rows = _rows(weight.shape[0])
    if flat.shape[0] <= rows:
        return F.cross_entropy(F.linear(flat, weight).float(), ids)
    if torch.is_grad_enabled() and (flat.requires_grad or weight.requires_grad):
        total: Tensor = _BlockwiseCrossEntropy.apply(flat, weight, ids)
        return total
    parts = zip(flat.split(rows), ids.split(rows), strict=True)
    sums = [F.cross_entropy(F.linear(h, weight).float(), i, reduction="sum") for h, i in parts]
    return torch.stack(sums).sum() / ids.shape[0]


class _BlockwiseCrossEntropy(torch.autograd.Function):
    """Cross-entropy whose gradients are made block by block while the logits of the block are at hand."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        compute = autocast_dtype(hidden.device)
        matrix = weight if compute is None else weight.to(compute)
        count = hidden.shape[0]
        grad_hidden = torch.empty_like(hidden)
        grad_weight = torch.zeros_like(weight, dtype=torch.float32)
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        rows = _rows(weight.shape[0])
        for start in range(0, count, rows):
            part = hidden[start : start + rows].to(matrix.dtype)  # (R, h)
            ids = targets[start : start + rows]
            log_p = torch.log_softmax((part @ matrix.T).float(), dim=-1)  # (R, V)
            total -= log_p.gather(1, ids[:, None]).sum()
            grad = log_p.exp_()  # d loss / d logits, before the mean
            grad.scatter_add_(1, ids[:, None], torch.full_like(ids, -1, dtype=grad.dtype)[:, None])
            grad = (grad / count).to(matrix.dtype)
            grad_hidden[start : start + rows] = grad @ matrix
            grad_weight += grad.T @ part
        ctx.save_for_backward(grad_hidden, grad_weight.to(weight.dtype))
        return total / count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        grad_hidden, grad_weight = ctx.saved_tensors
        return grad_hidden * grads[0], grad_weight * grads[0], None
