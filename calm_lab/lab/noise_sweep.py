"""The noise dial: how much of a text comes back when Gaussian noise of size sigma is added to every vector.

What: token accuracy against sigma with 95% intervals; the KL of every coordinate, which shows coordinates that say
nothing (*collapsed*: their posterior is the prior's); and the histogram of the sigma that the encoder learned.
Why: the language model's aim is never exact, so a vector must survive being missed by a little. KL clip, DropToken and
DropLatent are there for that (paper sec. 2.2); these three pictures show what each of them does.

Tokens of one chunk fail together, so an interval that counts them as independent is too narrow. Here the variance is
taken from the spread between chunks; the Wilson interval is then built on the number of independent tokens that would
give the same variance, so that it also holds where every token came back.

App tab: Noise dial. Notebook: 03.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.text.storyland.sentences import wilson

SIGMAS = tuple(step / 10 for step in range(21))
COLLAPSED_NATS = 0.01  # a coordinate whose mean KL is below this says nothing
BINS = 52  # of the histogram of the learned sigma, each 0.025 wide; the last holds what lies above as well
BIN_WIDTH = 0.025


@dataclass(frozen=True)
class NoisePoint:
    """Token accuracy at one sigma.

    Attributes:
        sigma: standard deviation of the noise added to the mean.
        correct: tokens that came back.
        total: tokens counted; padding and begin ids, which any decoder gets right, are not.
        low: lower end of the 95% interval.
        high: upper end.
    """

    sigma: float
    correct: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share that came back, in [0, 1]."""
        return self.correct / self.total


@dataclass(frozen=True)
class Profile:
    """What the posterior of an autoencoder looks like on some text.

    Attributes:
        kl_bits: mean KL to the prior of each coordinate, bits, l of them.
        sigma_counts: how many (chunk, coordinate) pairs have a learned sigma in each of ``BINS`` bins.
        mean_sigma: mean of the learned sigma.
        size: root mean square of the posterior means, over chunks and coordinates. Without a KL nothing holds it near
            1, and the same sigma is then a smaller push.
        chunks: how many chunks were looked at.
    """

    kl_bits: tuple[float, ...]
    sigma_counts: tuple[int, ...]
    mean_sigma: float
    size: float
    chunks: int

    @property
    def collapsed(self) -> int:
        """Coordinates whose mean KL is below ``COLLAPSED_NATS``."""
        return sum(bits * math.log(2) < COLLAPSED_NATS for bits in self.kl_bits)


@torch.no_grad()
def noise_sweep(
    model: Autoencoder, ids: Tensor, sigmas: Sequence[float] = SIGMAS, draws: int = 1, seed: int = 0, block: int = 2048
) -> list[NoisePoint]:
    """Token accuracy at every sigma.

    All sigmas see the same noise, only larger, so that neighbouring points differ by the noise's size alone.

    Args:
        model: the autoencoder.
        ids: token ids, shape (B, T), T a multiple of K.
        sigmas: standard deviations, none negative.
        draws: how often noise is drawn for every chunk.
        seed: of the noise.
        block: chunks at a time.

    Returns:
        A point for each sigma.

    Raises:
        InputError: for a negative sigma, no draw, or ids that hold nothing but padding.
    """
    if draws < 1 or any(not 0 <= sigma < math.inf for sigma in sigmas):
        raise InputError(f"a noise sweep takes sigmas from 0 and at least 1 draw, not {list(sigmas)} and {draws}")
    config = model.config
    stream = generator(seed, ids.device)
    right: list[Tensor] = []
    counted: list[Tensor] = []
    for chunks in model.chunked(ids).flatten(0, -2).split(max(1, block // draws)):  # (R, K)
        mean = model.encode(chunks.reshape(1, -1)).mean[0]  # (R, l)
        noise = torch.randn((draws, *mean.shape), generator=stream, device=ids.device)
        real = (chunks != config.pad_id) & (chunks != config.bos_id)
        back = [((model.decode(mean + sigma * noise) == chunks) & real).sum(-1).flatten() for sigma in sigmas]
        right.append(torch.stack(back))  # (sigmas, draws R)
        counted.append(real.sum(-1).repeat(draws))
    correct, total = torch.cat(right, 1).double().cpu(), torch.cat(counted).double().cpu()
    if not float(total.sum()):
        raise InputError("no token to count: the ids hold nothing but padding and begin ids")
    return [
        NoisePoint(float(sigma), int(row.sum()), int(total.sum()), *chunk_interval(row, total))
        for sigma, row in zip(sigmas, correct, strict=True)
    ]


def chunk_interval(correct: Tensor, total: Tensor) -> tuple[float, float]:
    """The 95% interval of a share whose counts come in chunks: Wilson's, on as many tokens as carry news.

    Args:
        correct: tokens that came back, chunk by chunk, shape (R,).
        total: tokens counted, chunk by chunk, shape (R,); chunks without any are left out.

    Returns:
        Lower and upper end. Where every token came back, or none, the chunks are counted instead of the tokens: how
        far their tokens hang together cannot be seen then.
    """
    kept = total > 0
    correct, total = correct[kept].double(), total[kept].double()
    chunks, tokens = len(total), float(total.sum())
    share = float(correct.sum()) / tokens
    spread = float((correct - share * total).square().sum()) / tokens**2  # variance of the share, chunk by chunk
    plain = share * (1 - share) / tokens
    most = tokens / chunks
    effect = most if plain == 0 or chunks < 2 else min(max(spread / plain * chunks / (chunks - 1), 1.0), most)
    return wilson(share, tokens / effect)


@torch.no_grad()
def profile(model: Autoencoder, ids: Tensor, block: int = 4096) -> Profile:
    """KL of every coordinate and histogram of the learned sigma over the chunks of ids (B, T) that hold any text.

    Raises:
        InputError: if none does.
    """
    config = model.config
    chunks = model.chunked(ids).flatten(0, -2)  # (R, K)
    chunks = chunks[((chunks != config.pad_id) & (chunks != config.bos_id)).any(-1)]
    if not len(chunks):
        raise InputError("no chunk to look at: the ids hold nothing but padding and begin ids")
    nats = torch.zeros(config.latent_size, dtype=torch.float64)
    counts = torch.zeros(BINS, dtype=torch.int64)
    sigmas = squares = 0.0
    for part in chunks.split(block):
        posterior = model.encode(part.reshape(1, -1))
        nats += posterior.kl()[0].double().sum(0).cpu()
        std = posterior.std.flatten().cpu()
        counts += torch.bincount((std / BIN_WIDTH).long().clamp(0, BINS - 1), minlength=BINS)
        sigmas += float(std.double().sum())
        squares += float(posterior.mean.double().square().sum())
    mean = nats / len(chunks) / math.log(2)
    values = float(counts.sum())  # one a chunk and coordinate
    size = math.sqrt(squares / values)
    return Profile(tuple(mean.tolist()), tuple(counts.tolist()), sigmas / values, size, len(chunks))
