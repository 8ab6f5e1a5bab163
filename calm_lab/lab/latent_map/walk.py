"""From one vector to another: along the line, or along the sphere.

What: vectors at even steps between two, what the decoder says to each, and where a token flips.
Why: a latent space made for a language model should have no holes. On a line the middle is shorter than its ends (two
random directions in l dimensions are nearly at right angles), so it leaves the shell where vectors live; on the sphere
only the direction turns and the length goes evenly from one to the other. ``encode(decode(z))`` says how far each step
is from what the encoder would have answered.

App tab: Latent map. Notebook: 04.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from calm_lab.errors import InputError, choose_from
from calm_lab.lab.latent_map.place import returned
from calm_lab.lab.latent_map.store import decode_vectors
from calm_lab.model.autoencoder import Autoencoder

Path = Literal["line", "sphere"]
PATHS: tuple[Path, ...] = ("line", "sphere")
STEPS = 25


@dataclass(frozen=True, eq=False)
class Walk:
    """A walk and what it says.

    Attributes:
        t: where each step is, 0 at the start and 1 at the end, shape (n,).
        z: the vectors, shape (n, l).
        ids: what the decoder says to each, shape (n, K).
        flips: true where a token differs from that of the step before, shape (n, K); never at the first step.
        back: distance from each vector to encode(decode(vector)), shape (n,).
    """

    t: Tensor
    z: Tensor
    ids: Tensor
    flips: Tensor
    back: Tensor

    @property
    def chunks(self) -> int:
        """How many stretches of equal text it passes."""
        return int(self.flips.any(1).sum()) + 1


def line(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Vectors (n, l) on the straight line, ``(1 - t) start + t end``."""
    return torch.lerp(start, end, t[:, None])


def sphere(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Vectors (n, l) whose direction turns evenly and whose length goes evenly from one end's to the other's.

    Two vectors of one direction are joined by their line; two of opposite directions have no shortest arc.

    Raises:
        InputError: for a vector of length 0, or opposite directions.
    """
    lengths = torch.stack([start.norm(), end.norm()]).double()
    if bool((lengths < 1e-12).any()):
        raise InputError("a vector of length 0 has no direction: walk the line instead")
    first, last = start.double() / lengths[0], end.double() / lengths[1]
    angle = torch.atan2((first - last).norm(), (first + last).norm()) * 2  # stable at 0 and at pi
    if float(angle) > torch.pi - 1e-4:
        raise InputError("these two vectors point in opposite directions: walk the line instead")
    if float(angle) < 1e-6:
        return line(start, end, t)
    t = t.double()[:, None]
    direction = (torch.sin((1 - t) * angle) * first + torch.sin(t * angle) * last) / torch.sin(angle)
    return (direction * ((1 - t) * lengths[0] + t * lengths[1])).to(start)


def walk(model: Autoencoder, start: Tensor, end: Tensor, path: str = "line", steps: int = STEPS) -> Walk:
    """Walk from one vector (l,) to another and decode at every step.

    Args:
        model: the autoencoder.
        start: where it begins.
        end: where it ends.
        path: ``line`` or ``sphere``.
        steps: vectors in all, ends included, from 2 to 200.

    Raises:
        InputError: for another path, a number of steps out of range, or vectors that have no such path.
    """
    if path not in PATHS:
        raise InputError(choose_from(str(path), PATHS, "path"))
    if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= 200:
        raise InputError(f"steps must be a whole number from 2 to 200, not {steps!r}")
    t = torch.linspace(0, 1, steps)
    z = (line if path == "line" else sphere)(start, end, t)
    return read_walk(model, t, z)


def read_walk(model: Autoencoder, t: Tensor, z: Tensor) -> Walk:
    """Decode vectors (n, l) one after another and mark where tokens flip."""
    ids = decode_vectors(model, z)
    flips = torch.zeros_like(ids, dtype=torch.bool)
    flips[1:] = ids[1:] != ids[:-1]
    return Walk(t, z, ids, flips, returned(model, z, ids))
