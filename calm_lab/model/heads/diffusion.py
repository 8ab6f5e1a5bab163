"""The diffusion head: denoise a latent vector in many small steps (paper sec. 7, Figs 8 and 9).

The cosine schedule and the learned variance are Nichol and Dhariwal's (2102.09672): the network answers with the noise
and with a number in [-1, 1] that places the log variance of a step between its two natural bounds. Training minimises
the squared error of the noise plus the variational bound, in bits, of the step's mean and variance.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.config import HeadConfig
from calm_lab.model.heads.denoiser import DenoisingHead

TRAIN_STEPS = 1000
BIN = 1.0 / 255.0  # half width of the bin in the likelihood of the last step
# Beyond what a latent's coordinate reaches, in the autoencoder's units. Its sigma is 1 where it says nothing, so that
# with the paper's regularisers hardly a mean passes 5; without a KL term many do, and need another limit.
CLEAN_LIMIT = 5.0


@dataclass(frozen=True, eq=False)
class Schedule:
    """A noise schedule, and the constants of its posterior q(x_{t-1} | x_t, x_0), each of shape (steps,), float64.

    Attributes:
        betas: variance added by each step.
        alphas_cumprod: share of the signal's variance left after each step.
        posterior_log_variance: log variance of the posterior; the first, which is 0, takes the second's value.
        posterior_mean_start: weight of x_0 in the posterior mean.
        posterior_mean_here: weight of x_t in the posterior mean.
        timesteps: the training step that each step stands for.
    """

    betas: Tensor
    alphas_cumprod: Tensor
    posterior_log_variance: Tensor
    posterior_mean_start: Tensor
    posterior_mean_here: Tensor
    timesteps: Tensor
    _moved: dict[torch.device, dict[str, Tensor]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    @functools.lru_cache(maxsize=16)
    def cosine(cls, steps: int = TRAIN_STEPS) -> Schedule:
        """The cosine schedule over ``TRAIN_STEPS`` training steps, or ``steps`` even ones, the last among them."""
        if not 1 <= steps <= TRAIN_STEPS:
            raise InputError(f"diffusion steps must lie between 1 and {TRAIN_STEPS}, not {steps}")
        # Constants, made on the host in float64 (also while a model is built on the meta device) and moved when used.
        with torch.device("cpu"):
            grid = torch.arange(TRAIN_STEPS + 1, dtype=torch.float64) / TRAIN_STEPS
            signal = ((grid + 0.008) / 1.008 * math.pi / 2).cos() ** 2
            kept = torch.cumprod(1 - (1 - signal[1:] / signal[:-1]).clamp(max=0.999), 0)
            last = TRAIN_STEPS - 1  # where there is nothing but noise: a single step has to start there
            places = [round(index * last / (steps - 1)) for index in range(steps)] if steps > 1 else [last]
            timesteps = torch.tensor(places)
            return cls._from_cumprod(kept[timesteps], timesteps)

    @classmethod
    def _from_cumprod(cls, kept: Tensor, timesteps: Tensor) -> Schedule:
        before = torch.cat([kept.new_ones(1), kept[:-1]])
        betas = 1 - kept / before
        variance = betas * (1 - before) / (1 - kept)
        floor = variance[1:2] if len(variance) > 1 else betas[:1]
        return cls(
            betas=betas,
            alphas_cumprod=kept,
            posterior_log_variance=torch.cat([floor, variance[1:]]).log(),
            posterior_mean_start=betas * before.sqrt() / (1 - kept),
            posterior_mean_here=(1 - before) * (1 - betas).sqrt() / (1 - kept),
            timesteps=timesteps,
        )

    def tables(self, device: torch.device) -> dict[str, Tensor]:
        """What a step looks up, float32 on ``device``; moved there once, so that no step waits for a copy."""
        if device not in self._moved:
            kept = self.alphas_cumprod
            exact = {
                "log_betas": self.betas.log(),
                "signal": kept.sqrt(),
                "noise": (1 - kept).sqrt(),
                "inverse_signal": kept.rsqrt(),
                "inverse_noise": (1 / kept - 1).sqrt(),
                "posterior_log_variance": self.posterior_log_variance,
                "posterior_mean_start": self.posterior_mean_start,
                "posterior_mean_here": self.posterior_mean_here,
            }
            moved = {name: table.float().to(device) for name, table in exact.items()}
            self._moved[device] = moved | {"timesteps": self.timesteps.to(device)}
        return self._moved[device]

    def at(self, name: str, step: Tensor) -> Tensor:
        """Entries of a table at steps (R,), as a float32 column (R, 1)."""
        return self.tables(step.device)[name][step][:, None]

    def diffuse(self, clean: Tensor, step: Tensor, noise: Tensor) -> Tensor:
        """A draw of q(x_t | x_0): clean (R, l), steps (R,), noise (R, l) -> (R, l)."""
        return self.at("signal", step) * clean + self.at("noise", step) * noise

    def posterior_mean(self, clean: Tensor, here: Tensor, step: Tensor) -> Tensor:
        """Mean of q(x_{t-1} | x_t, x_0): (R, l), (R, l), (R,) -> (R, l)."""
        return self.at("posterior_mean_start", step) * clean + self.at("posterior_mean_here", step) * here


@dataclass(frozen=True)
class DenoisingStep:
    """What the network says of one step: ``mean`` and ``log_variance`` of x_{t-1} and the clean latent it implies."""

    mean: Tensor
    log_variance: Tensor
    clean: Tensor


@dataclass(frozen=True)
class DiffusionLoss:
    """Loss of each row, shape (R,): ``total = mse + bound``, the bound in bits a coordinate."""

    total: Tensor
    mse: Tensor
    bound: Tensor


class DiffusionHead(DenoisingHead):
    """Latent vectors by learned denoising."""

    outputs = 2  # noise and variance

    def __init__(self, config: HeadConfig, hidden_size: int, latent_size: int):
        super().__init__(config, hidden_size, latent_size)
        self.schedule = Schedule.cosine()

    def loss(
        self,
        targets: Tensor,
        hidden: Tensor,
        step: Tensor | None = None,
        noise: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Loss of each row, shape (R,): see ``loss_terms``."""
        return self.loss_terms(targets, hidden, step, noise, generator).total

    def loss_terms(
        self,
        targets: Tensor,
        hidden: Tensor,
        step: Tensor | None = None,
        noise: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> DiffusionLoss:
        """Squared error of the noise, and the variational bound of the step with the mean held fixed.

        Args:
            targets: clean latents, shape (R, l).
            hidden: hidden states, shape (R, d).
            step: training steps 0..999, shape (R,); uniform draws by default.
            noise: standard normal draws, shape (R, l); fresh ones by default.
            generator: the random stream of fresh draws.
        """
        rows = targets.shape[0]
        if step is None:
            step = torch.randint(TRAIN_STEPS, (rows,), generator=generator, device=targets.device)
        if noise is None:
            noise = torch.randn(targets.shape, generator=generator, device=targets.device)
        schedule = self.schedule
        here = schedule.diffuse(targets, step, noise)
        guess, variance = self.net(here, step, hidden).float().chunk(2, dim=-1)
        mse = (noise - guess).square().mean(-1)
        # The bound trains only the variance: the mean is the squared error's business.
        model = self._step(schedule, here, step, guess.detach(), variance)
        mean = schedule.posterior_mean(targets, here, step)
        log_variance = schedule.at("posterior_log_variance", step)
        kl = gaussian_kl(mean, log_variance, model.mean, model.log_variance).mean(-1)
        nll = -binned_log_likelihood(targets, model.mean, 0.5 * model.log_variance).mean(-1)
        bound = torch.where(step == 0, nll, kl) / math.log(2)
        return DiffusionLoss(mse + bound, mse, bound)

    def denoise(
        self, schedule: Schedule, here: Tensor, step: Tensor, hidden: Tensor, limit: float | None = None
    ) -> DenoisingStep:
        """One reverse step of ``schedule`` from x_t (R, l) at steps (R,), given hidden states (R, d).

        Args:
            schedule: which steps there are.
            here: x_t.
            step: t.
            hidden: what the latent is conditioned on.
            limit: how large a coordinate of the clean latent may be that the step implies; None for any size.
        """
        timestep = schedule.tables(step.device)["timesteps"][step]
        guess, variance = self.net(here, timestep, hidden).float().chunk(2, dim=-1)
        return self._step(schedule, here, step, guess, variance, limit)

    @staticmethod
    def _step(
        schedule: Schedule, here: Tensor, step: Tensor, guess: Tensor, variance: Tensor, limit: float | None = None
    ) -> DenoisingStep:
        share = (variance + 1) / 2  # 0: the posterior's variance, 1: the schedule's
        low = schedule.at("posterior_log_variance", step)
        high = schedule.at("log_betas", step)
        clean = schedule.at("inverse_signal", step) * here - schedule.at("inverse_noise", step) * guess
        if limit is not None:
            clean = clean.clamp(-limit, limit)
        return DenoisingStep(
            mean=schedule.posterior_mean(clean, here, step),
            log_variance=share * high + (1 - share) * low,
            clean=clean,
        )

    def sample(
        self,
        hidden: Tensor,
        noise: Tensor | None = None,
        generator: torch.Generator | None = None,
        num_samples: int | None = None,
        *,
        steps: int = 100,
        temperature: float = 1.0,
        step_noise: Tensor | None = None,
        limit: float | None = CLEAN_LIMIT,
    ) -> Tensor:
        """Draw the next latent vector.

        Of 100 steps the first starts where the signal is 1/20,000 of the noise and multiplies an error of the
        network's answer by 316; there, one that has not been trained for long is thrown out of the latent space and
        never comes back. So each step's clean latent is held within ``limit``, as diffusion models of images do.

        Args:
            hidden: backbone states, shape (..., d).
            noise: standard normal starts, shape (..., l) or (N, ..., l); fresh ones by default.
            generator: the random stream of fresh draws.
            num_samples: N fresh draws a state; ``None`` for one without a leading axis.
            steps: reverse steps, evenly placed among the 1,000 of training.
            temperature: scales the noise added by each step (not the law of the latent: no exact temperature).
            step_noise: standard normal draws in the order of use, shape (steps, R, l) with R rows in all.
            limit: how large a coordinate of a step's clean latent may be; None for any size, as in the official code.

        Returns:
            Latents, shape (..., l) or (N, ..., l).

        Raises:
            InputError: for steps outside 1..1000, a negative temperature, a limit not above 0, or noise of another
                size.
        """
        if limit is not None and not limit > 0:
            raise InputError(f"the limit of a clean latent must be above 0, not {limit}")
        if temperature < 0:
            raise InputError(f"the noise temperature must not be negative, not {temperature}")
        schedule = Schedule.cosine(steps)
        if noise is None:
            noise = self.draw_noise(hidden, num_samples, generator)
        x, h = self.rows(hidden, noise)
        if step_noise is not None and step_noise.shape != (steps, *x.shape):
            raise InputError(f"step_noise must have shape {(steps, *x.shape)}, not {tuple(step_noise.shape)}")
        for index in range(steps):
            step = torch.full((x.shape[0],), steps - 1 - index, device=x.device)
            move = self.denoise(schedule, x, step, h, limit)
            x = move.mean
            if index < steps - 1:
                fresh = (
                    torch.randn(x.shape, generator=generator, device=x.device)
                    if step_noise is None
                    else step_noise[index]
                )
                x = x + (0.5 * move.log_variance).exp() * fresh * temperature
        return x.reshape(noise.shape)


def gaussian_kl(mean: Tensor, log_variance: Tensor, other_mean: Tensor, other_log_variance: Tensor) -> Tensor:
    """KL(N(mean, var) || N(other_mean, other_var)) in nats, elementwise."""
    gap = log_variance - other_log_variance
    return 0.5 * (gap.exp() - 1 - gap + (mean - other_mean).square() * (-other_log_variance).exp())


def binned_log_likelihood(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Log probability in nats of the bin [x - 1/255, x + 1/255] under N(mean, scale^2); bins at +-1 are open."""
    inverse = (-log_scale).exp()
    above = normal_cdf(inverse * (x - mean + BIN))
    below = normal_cdf(inverse * (x - mean - BIN))
    inside = (above - below).clamp(min=1e-12).log()
    left = above.clamp(min=1e-12).log()
    right = (1 - below).clamp(min=1e-12).log()
    return torch.where(x < -0.999, left, torch.where(x > 0.999, right, inside))


def normal_cdf(x: Tensor) -> Tensor:
    """The tanh approximation of the standard normal distribution function, elementwise."""
    return 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
