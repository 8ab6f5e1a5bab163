"""Which positions of a batch a process scores, and the part of everyone's noise that belongs to them.

Processes that train together part the rows of a batch among them. Each makes the draws of the whole batch from the same
stream and keeps its own rows', so that the noise of a position does not depend on how many processes there are, and a
weight for each process's mean makes the mean over processes that of the whole batch.

All of it is known on the host before a batch moves to the device: counting there would make a GPU wait.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Share(NamedTuple):
    """One process's part of a batch.

    Attributes:
        positions: its scored positions, counted through its rows, shape (r,); None where all positions are scored.
        places: their numbers among the positions that all processes score, shape (r,); None where it is alone.
        total: R, the positions that all processes score.
        rank: its number; it has rows rank, rank + world, rank + 2 world, ...
        world: how many processes there are.
    """

    positions: Tensor | None = None
    places: Tensor | None = None
    total: int = 0
    rank: int = 0
    world: int = 1

    @property
    def weight(self) -> float:
        """What this process's mean must be multiplied by, so that the mean over processes is that of the batch."""
        return 1.0 if self.positions is None else self.positions.numel() * self.world / self.total

    def rows(self, everyone: Tensor) -> Tensor:
        """This process's rows of a tensor with those of all processes."""
        return everyone[self.rank :: self.world]


def share_rows(scored: Tensor, length: int, rank: int = 0, world: int = 1) -> Share:
    """The share of one process in a batch.

    Args:
        scored: true for positions that count, for the rows of all processes, shape (B, P).
        length: positions a row as ``positions`` is to count them, at least P.
        rank: number of the process.
        world: how many there are.
    """
    row, column = scored.nonzero(as_tuple=True)  # (R,) each
    if world == 1:
        return Share(row * length + column, None, row.numel())
    places = (row % world == rank).nonzero()[:, 0]  # (r,)
    return Share(row[places] // world * length + column[places], places, row.numel(), rank, world)


def moved(share: Share, device: torch.device) -> Share:
    """The same on a device; from pinned memory the copy does not wait."""
    positions, places = (
        None if part is None else part.to(device, non_blocking=True) for part in (share.positions, share.places)
    )
    return share._replace(positions=positions, places=places)
