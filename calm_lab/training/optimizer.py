"""Which parameter is moved by what, and a learning rate that is a function of the step.

The paper trains with AdamW (.9, .95), decay 0.1, clipping at 1 and a constant rate (sec. 7.1); at laboratory scale a
linear fall to zero ends lower in the same time (docs/recipe.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import torch
from torch import nn

from calm_lab.training.muon import Muon

OptimizerKind = Literal["adamw", "muon"]
OUTER = ("embed.weight", "output.weight", "final_out.weight")
"""Ends of the names of matrices that AdamW moves, embeddings and what writes tokens or vectors; Muon moves the rest."""


def build_optimizer(parameters: Iterable[nn.Parameter], lr: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over ``parameters``; only those with two axes or more decay."""
    trained = [p for p in parameters if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=lr, betas=(0.9, 0.95), eps=1e-8, fused=True)


def build_optimizers(
    named: Mapping[str, nn.Parameter], kind: OptimizerKind, lr: float, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """The optimizers of a training, which take the same learning rate.

    Args:
        named: the parameters to train, by name.
        kind: ``adamw`` for all, or ``muon`` for hidden matrices and AdamW for the rest.
        lr: the peak rate.
        weight_decay: decoupled decay of parameters with two axes or more.

    Returns:
        One optimizer, or Muon and AdamW.
    """
    if kind == "adamw":
        return [build_optimizer(named.values(), lr, weight_decay)]
    hidden = [p for name, p in named.items() if p.requires_grad and p.dim() == 2 and not name.endswith(OUTER)]
    known = {id(p) for p in hidden}
    rest = [p for p in named.values() if id(p) not in known]
    return [Muon(hidden, lr, weight_decay=weight_decay), build_optimizer(rest, lr, weight_decay)]


def learning_rate(step: int, peak: float, warmup: int, steps: int) -> float:
    """The rate of step ``step`` (from 0): linear to ``peak`` over ``warmup`` steps, then linear to 0 at ``steps``."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * max(0.0, steps - step) / max(1, steps - warmup)


class Average:
    """An exponential running average of parameters, and a way to stand in for them.

    Attributes:
        decay: weight of the past; the first steps use less, so that the start is forgotten quickly.
        values: the averages, by name.
    """

    def __init__(self, parameters: dict[str, nn.Parameter], decay: float):
        self.decay = decay
        self.parameters = parameters
        self.values = {name: p.detach().clone() for name, p in parameters.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move every average towards its parameter, after step ``step`` (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.values.values()), [p.detach() for p in self.parameters.values()], 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange averages and parameters; a second call puts them back."""
        for name, p in self.parameters.items():
            held = p.detach().clone()
            p.copy_(self.values[name])
            self.values[name].copy_(held)
