"""Muon: momentum whose direction is made orthogonal, matrix by matrix (Jordan et al., 2024; not in the paper).

A gradient of a weight matrix has few large singular values; an orthogonal step moves all directions equally far. With a
CALM's energy loss that is worth more than twice the steps of AdamW at equal seconds (docs/recipe.md). torch has a Muon
of its own, but it iterates in bfloat16, which costs seconds a step on a CPU without such instructions, and one
matrix at a time. This one keeps the gradient's own precision on a CPU and handles matrices of one shape together.

Only hidden matrices belong here; embeddings, output layers, norms and biases stay with AdamW (``build_optimizers``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic, chosen by its author for its slope at zero
ITERATIONS = 5
MATCH_ADAMW = (
    0.2  # root mean square of a typical AdamW step, so that both take the same learning rate (Liu et al., 2025)
)


def orthogonalize(matrices: Tensor, iterations: int = ITERATIONS) -> Tensor:
    """Bring all singular values of each matrix near 1 by Newton-Schulz iterations.

    Args:
        matrices: a batch of matrices, shape (P, a, b).
        iterations: steps of the iteration; five bring most of them to between 0.68 and 1.2. Those below a few percent
            of the Frobenius norm stay lower; in wide matrices there are many.

    Returns:
        Matrices with the same singular vectors, shape (P, a, b); a matrix of zeros stays one.
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices  # (P, small, large)
    if x.device.type == "cuda":
        x = x.bfloat16()
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(iterations):
        gram = x @ x.mT  # (P, small, small)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)


class Muon(torch.optim.Optimizer):
    """Muon for weight matrices, with decoupled weight decay and Nesterov momentum.

    Args:
        parameters: weight matrices, shape (a, b) each.
        lr: the learning rate that AdamW would take.
        momentum: weight of the past.
        weight_decay: decoupled decay, times ``lr``.

    Raises:
        ValueError: if a parameter is not a matrix.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(f"Muon takes matrices, not a parameter of shape {tuple(p.shape)}")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take one step, from the gradients as they are."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            shapes: defaultdict[tuple[int, ...], list[nn.Parameter]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    shapes[tuple(p.shape)].append(p)
            for (rows, columns), parameters in shapes.items():
                self._step_shape(group, parameters, MATCH_ADAMW * max(rows, columns) ** 0.5)
        return loss

    def _step_shape(self, group: dict[str, Any], parameters: list[nn.Parameter], scale: float) -> None:
        """Move parameters of one shape by ``lr * scale`` times their orthogonal directions."""
        moved: list[Tensor] = [p.data for p in parameters]
        grads = [p.grad for p in parameters if p.grad is not None]
        for p in parameters:
            if not self.state[p]:
                self.state[p]["momentum"] = torch.zeros_like(p)
        buffers = [self.state[p]["momentum"] for p in parameters]
        torch._foreach_lerp_(buffers, grads, 1 - group["momentum"])
        ahead = torch._foreach_lerp(grads, buffers, group["momentum"])  # Nesterov: the gradient, moved to the average
        updates = orthogonalize(torch.stack(list(ahead)))
        torch._foreach_mul_(moved, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(moved, list(updates.unbind()), alpha=-group["lr"] * scale)
