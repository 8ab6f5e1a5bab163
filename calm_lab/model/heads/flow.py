"""The flow-matching head: learn the velocity of a straight path from noise to the latent, then follow it.

On the path ``x_t = (1 - t) x_0 + t z`` with x_0 ~ N(0, I) the velocity is ``z - x_0``; the network learns its
conditional mean, and sampling integrates it from t = 0 to 1 (paper sec. 7, Figs 8 and 9; the method is Lipman et al.,
2210.02747). Euler calls the network once a step, midpoint twice.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from calm_lab.errors import InputError, choose_from
from calm_lab.model.heads.denoiser import DenoisingHead

Solver = Literal["midpoint", "euler"]


class FlowHead(DenoisingHead):
    """Latent vectors by integrating a learned velocity field."""

    def velocity(self, x: Tensor, time: Tensor, hidden: Tensor) -> Tensor:
        """The learned velocity at noised latents (R, l), times in [0, 1] (R,), hidden states (R, d): (R, l)."""
        thousandths = time * 1000
        return self.net(x, thousandths.floor() if self.config.whole_time_steps else thousandths, hidden)

    def loss(
        self,
        targets: Tensor,
        hidden: Tensor,
        time: Tensor | None = None,
        start: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Squared error of the velocity, mean over coordinates.

        Args:
            targets: clean latents, shape (R, l).
            hidden: hidden states, shape (R, d).
            time: times in [0, 1), shape (R,); uniform draws by default.
            start: standard normal starts of the paths, shape (R, l); fresh draws by default.
            generator: the random stream of fresh draws.

        Returns:
            Loss of each row, shape (R,).
        """
        if time is None:
            time = torch.rand(targets.shape[0], generator=generator, device=targets.device)
        if start is None:
            start = torch.randn(targets.shape, generator=generator, device=targets.device)
        t = time[:, None]
        velocity = self.velocity((1 - t) * start + t * targets, time, hidden)
        return (velocity - (targets - start)).square().mean(-1)

    def sample(
        self,
        hidden: Tensor,
        noise: Tensor | None = None,
        generator: torch.Generator | None = None,
        num_samples: int | None = None,
        *,
        steps: int = 10,
        solver: Solver = "midpoint",
    ) -> Tensor:
        """Draw the next latent vector.

        Args:
            hidden: backbone states, shape (..., d).
            noise: standard normal starts, shape (..., l) or (N, ..., l); fresh ones by default.
            generator: the random stream of fresh draws.
            num_samples: N fresh draws a state; ``None`` for one without a leading axis.
            steps: steps from t = 0 to 1.
            solver: ``midpoint`` (two network calls a step) or ``euler`` (one).

        Returns:
            Latents, shape (..., l) or (N, ..., l).

        Raises:
            InputError: for an unknown solver, fewer than one step, or noise of another size than l.
        """
        if solver not in ("midpoint", "euler"):
            raise InputError(choose_from(str(solver), ("midpoint", "euler"), "solver"))
        if steps < 1:
            raise InputError(f"steps must be at least 1, not {steps}")
        if noise is None:
            noise = self.draw_noise(hidden, num_samples, generator)
        x, h = self.rows(hidden, noise)
        for step in range(steps):
            time = x.new_full((x.shape[0],), step / steps)
            velocity = self.velocity(x, time, h)
            if solver == "midpoint":
                half = x.new_full((x.shape[0],), (step + 0.5) / steps)
                velocity = self.velocity(x + velocity * (0.5 / steps), half, h)
            x = x + velocity / steps
        return x.reshape(noise.shape)
