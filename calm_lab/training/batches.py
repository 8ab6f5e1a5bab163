"""Batches on their way to the device: parted, counted and pinned on the host, and asked for one step ahead.

What a step trains on follows from (seed, step) alone, so a batch prepared early is the batch that was meant.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from calm_lab.toolkit.share import Share, moved
from calm_lab.training.rows import Rows

Part = tuple[Tensor, Share]
Sharing = Callable[[Tensor, int, int], Share]


class Batches:
    """The micro-batches of a process, step by step.

    Attributes:
        rows: the training data.
        count: rows a step, over all processes and micro-batches.
        parts: micro-batches a step.
        share: what the objective must know of a micro-batch beforehand.
        device: where the micro-batches go.
    """

    def __init__(
        self, rows: Rows, count: int, parts: int, share: Sharing, device: torch.device, rank: int = 0, world: int = 1
    ):
        self.rows, self.count, self.parts, self.share, self.device = rows, count, parts, share, device
        self.rank, self.world = rank, world
        self._ahead: tuple[int, list[Part]] | None = None

    def step(self, step: int) -> list[Part]:
        """Ids (B, T) and share of each micro-batch of a step (counted from 0), on the device."""
        ahead, self._ahead = self._ahead, None
        return ahead[1] if ahead is not None and ahead[0] == step else self._make(step)

    def prefetch(self, step: int) -> None:
        """Prepare a step while the device is busy; on a CPU there is nothing to gain, so nothing is done."""
        if self.device.type == "cuda":
            self._ahead = (step, self._make(step))

    def _make(self, step: int) -> list[Part]:
        made = []
        for everyone in self.rows.batch(step, self.count).chunk(self.parts):
            share = self.share(everyone, self.rank, self.world)
            ids = everyone[self.rank :: self.world]
            if self.device.type == "cuda":  # from pinned memory the copy runs beside the computation
                ids = ids.contiguous().pin_memory()
                share = share._replace(positions=_pinned(share.positions), places=_pinned(share.places))
            made.append((ids.to(self.device, non_blocking=True), moved(share, self.device)))
        return made


def _pinned(part: Tensor | None) -> Tensor | None:
    return None if part is None else part.pin_memory()
