"""Temperature without probabilities: what 1/T means to a sampler, and batch sampling (paper sec. 5.2, Algorithm 2).

A softmax model divides its logits by T. A model that only hands out samples has no logits, but it has repeats: n
independent draws are all equal to x with probability P(x)^n, which is the law at temperature T = 1/n before it is
normalised. Batch sampling looks for such agreements inside one pool of N draws: a chunk seen c times forms C(c, n)
groups of n equal draws, so it is chosen with that weight; where no chunk came n times, n drops by one. The law tends
to P^n / Z as N grows (Theorem 3) and is biased towards T = 1 for a small pool: ``batch_bias`` says by how much.

Every choice here is made from a table of counts, so one function, ``weights_from_counts``, holds the whole rule.
The exact sampler for any T in (0, 1] is ``calm_lab.toolkit.exact``.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.device import knows_float64
from calm_lab.errors import InputError
from calm_lab.toolkit.drawing import inverse_cdf, uniforms

INTEGER_TOLERANCE = 1e-9  # 1/(1/3) and its like are whole numbers up to rounding
HUMAN_TOLERANCE = 0.01  # 0.33 is meant as 1/3


def check_temperature(temperature: float) -> float:
    """Refuse a temperature that no sampler of repeats can serve.

    Args:
        temperature: T, to lie in (0, 1].

    Returns:
        The same number as a float.

    Raises:
        InputError: if T is not a number, not above 0, or above 1; the message says why T > 1 is out of reach.
    """
    try:
        value = float(temperature)
    except (TypeError, ValueError) as error:
        raise InputError(f"temperature {temperature!r} is not a number: choose one in (0, 1]") from error
    if not value > 0:
        raise InputError(f"temperature {value:g} is not above 0: choose one in (0, 1]; near 0 only the mode is left")
    if value > 1:
        raise InputError(
            f"temperature {value:g} is above 1: that law has more of the rare chunks than come when drawing, and a "
            "sampler that sees draws but no probabilities can only reject; choose one in (0, 1]"
        )
    return value


def split_exponent(temperature: float) -> tuple[int, float]:
    """Write 1/T = n + a with a whole number n and 0 <= a < 1 (paper sec. 5.1).

    Args:
        temperature: T in (0, 1].

    Returns:
        ``(n, a)``; a is exactly 0 where 1/T is whole up to rounding, as for T = 1/3.

    Raises:
        InputError: if T is outside (0, 1].
    """
    inverse = 1.0 / check_temperature(temperature)
    if not math.isfinite(inverse):
        raise InputError(f"temperature {temperature:g} is too small to invert: choose one in (0, 1]")
    nearest = round(inverse)
    if abs(inverse - nearest) <= INTEGER_TOLERANCE * inverse:
        return nearest, 0.0
    whole = math.floor(inverse)
    return whole, inverse - whole


def reciprocal(temperature: float) -> int:
    """The n of T = 1/n, as batch sampling needs it. People write a third as 0.33: within 1% is near enough.

    Args:
        temperature: T, 1/n up to 1%.

    Returns:
        n >= 1.

    Raises:
        InputError: if T is outside (0, 1] or not near any 1/n; the message names the neighbours.
    """
    value = check_temperature(temperature)
    n, _ = split_exponent(value)
    near = min((n, n + 1), key=lambda whole: abs(value * whole - 1))
    if abs(value * near - 1) <= HUMAN_TOLERANCE + INTEGER_TOLERANCE:
        return near
    raise InputError(
        f"temperature {value:g} is not 1/n: batch sampling takes 1/{n} = {1 / n:.4g} or 1/{n + 1} = {1 / (n + 1):.4g}; "
        "the exact sampler takes any temperature in (0, 1]"
    )


def weights_from_counts(counts: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Algorithm 2's rule on tables of counts: weight C(c, m) for the largest m <= n that some chunk reaches.

    Args:
        counts: whole numbers >= 0, shape (..., X); each row holds how often every chunk came. 0 means no candidate.
        n: 1/T, at least 1.

    Returns:
        ``(probabilities, n_used)``: float64 (..., X), rows sum to 1, and m, int64 (...). float32 on Apple's MPS.

    Raises:
        InputError: if n < 1, the table is empty, or (seen on a CPU only) a row counts nothing.
    """
    n = _whole(n, "n")
    if counts.ndim == 0 or counts.shape[-1] == 0:
        raise InputError("the table of counts is empty: draw at least one sample")
    if not knows_float64(counts.device):
        probabilities, used = weights_from_counts(counts.cpu(), n)
        return probabilities.float().to(counts.device), used.to(counts.device)
    largest = counts.amax(-1)  # (...)
    host = counts.device.type == "cpu"  # where looking costs nothing; a GPU would have to be waited for
    if host and bool((largest < 1).any()):
        raise InputError("a row of counts holds no sample: draw at least one sample for every pool")
    n_used = largest.clamp(max=n)
    weights = torch.ones_like(counts, dtype=torch.float64)
    for j in range(int(n_used.max()) if host and n_used.numel() else n):
        # C(c, j+1) = C(c, j) (c-j)/(j+1). Scaling a row by a power of two loses no bit and prevents an overflow.
        grown = weights * (counts - j).clamp(min=0) / (j + 1)
        grown = torch.ldexp(grown, -torch.frexp(grown.amax(-1, keepdim=True)).exponent)
        weights = torch.where((j < n_used).unsqueeze(-1), grown, weights)
    return weights / weights.sum(-1, keepdim=True), n_used


def group_chunks(chunks: Tensor, owner: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Number equal chunks alike, by sorting one token at a time.

    Args:
        chunks: ids >= 0, shape (R, K).
        owner: whole numbers >= 0, shape (R,); chunks of different owners are never equal. None: all have one owner.

    Returns:
        ``(labels, first, counts)``: the group of each row (R,), and for each of the G groups, sorted by owner and then
        by ids, its first row (G,) and its size (G,).

    Raises:
        InputError: if ``chunks`` is not a table of token ids.
    """
    _check_ids(chunks, 2, "(R, K)", batch=True)
    rows = chunks.shape[0]
    labels = torch.zeros(rows, dtype=torch.int64, device=chunks.device) if owner is None else owner.to(torch.int64)
    span = int(chunks.max()) + 1 if chunks.numel() else 1
    counts = torch.zeros(0, dtype=torch.int64, device=chunks.device)
    for column in chunks.unbind(1):
        # Labels stay below R, so the pair (label, id) fits one int64 and keeps its order.
        _, labels, counts = torch.unique(labels * span + column, return_inverse=True, return_counts=True)
    position = torch.arange(rows, device=chunks.device)
    first = torch.full_like(counts, rows).scatter_reduce(0, labels, position, "amin")
    return labels, first, counts


def count_chunks(pool: Tensor) -> tuple[Tensor, Tensor]:
    """How often each distinct chunk came.

    Args:
        pool: ids >= 0, shape (N, K).

    Returns:
        ``(chunks, counts)``: the distinct chunks (C, K), sorted by ids, and their counts (C,).

    Raises:
        InputError: if the pool is not a table of at least one chunk.
    """
    _check_ids(pool, 2, "(N, K)")
    _, first, counts = group_chunks(pool)
    return pool[first], counts


def temperature_weights(pool: Tensor, n: int) -> tuple[Tensor, Tensor, int]:
    """Algorithm 2 on one pool: which chunks may be chosen at T = 1/n, and with what probability.

    Args:
        pool: ids of N drawn chunks, shape (N, K).
        n: 1/T, at least 1.

    Returns:
        ``(candidates, probabilities, n_used)``: the chunks seen at least ``n_used`` times (C, K), sorted by ids; their
        probabilities, float64 (C,), in proportion to C(count, n_used); the largest m <= n that some chunk reaches.

    Raises:
        InputError: if the pool is empty or of another shape, or n < 1.
    """
    chunks, counts = count_chunks(pool)
    probabilities, n_used = weights_from_counts(counts, n)
    kept = counts >= n_used
    return chunks[kept], probabilities[kept], int(n_used)


@dataclass(frozen=True, eq=False)
class PoolWeights:
    """Algorithm 2 on B pools at once. The first occurrence of a chunk in its pool stands for the chunk.

    Attributes:
        probabilities: float64 (B, N); the choice among the draws of a pool, 0 at repeats and at chunks seen too seldom.
        counts: int64 (B, N); how often the chunk of that draw came in its pool, 0 at repeats.
        n_used: int64 (B,); the largest m <= n that some chunk of the pool reaches.
    """

    probabilities: Tensor
    counts: Tensor
    n_used: Tensor


def temperature_weights_batch(pools: Tensor, n: int) -> PoolWeights:
    """Algorithm 2 on a batch of pools, in one pass.

    Args:
        pools: ids of N drawn chunks for each of B contexts, shape (B, N, K).
        n: 1/T, at least 1.

    Returns:
        The weights, see ``PoolWeights``.

    Raises:
        InputError: if a pool is empty or the shape is another, or n < 1.
    """
    _check_ids(pools, 3, "(B, N, K)", batch=True)
    batch, size, _ = pools.shape
    owner = torch.arange(batch, device=pools.device).repeat_interleave(size)  # (B*N,)
    _, first, group_sizes = group_chunks(pools.flatten(0, 1), owner)
    counts = torch.zeros(batch * size, dtype=torch.int64, device=pools.device)
    counts[first] = group_sizes
    counts = counts.view(batch, size)
    probabilities, n_used = weights_from_counts(counts, n)
    return PoolWeights(probabilities, counts, n_used)


def choose_from_pool(
    pools: Tensor, n: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor, PoolWeights]:
    """Draw one chunk for each pool by Algorithm 2.

    Args:
        pools: ids, shape (B, N, K).
        n: 1/T, at least 1.
        generator: where the choice comes from; on its own device. None: torch's default stream.

    Returns:
        ``(ids, index, weights)``: the chosen chunks (B, K), their places in the pools (B,), and the weights.

    Raises:
        InputError: as ``temperature_weights_batch``.
    """
    weights = temperature_weights_batch(pools, n)
    index = inverse_cdf(weights.probabilities.cumsum(-1), uniforms((pools.shape[0], 1), pools.device, generator))
    index = index.squeeze(-1)  # (B,)
    return pools[torch.arange(pools.shape[0], device=pools.device), index], index, weights


def _whole(value: int, name: str) -> int:
    try:
        number = operator.index(value)
    except TypeError as error:
        raise InputError(f"{name} = {value!r} is not a whole number: choose 1, 2, 3, ...") from error
    if number < 1:
        raise InputError(f"{name} = {number} is below 1: choose 1, 2, 3, ...")
    return number


def _check_ids(ids: Tensor, ndim: int, form: str, batch: bool = False) -> None:
    """Refuse what is no table of token ids; with ``batch`` the first axis may be empty."""
    if not isinstance(ids, Tensor) or ids.is_floating_point() or ids.is_complex() or ids.dtype == torch.bool:
        raise InputError(f"a pool must be a tensor of whole-number token ids of shape {form}")
    if ids.ndim != ndim:
        raise InputError(f"a pool has shape {tuple(ids.shape)}: it must be {form}")
    if 0 in ids.shape[1 if batch else 0 :]:
        raise InputError(f"a pool of shape {tuple(ids.shape)} is empty: draw at least one chunk of at least one token")
    if ids.numel() and bool((ids < 0).any()):
        raise InputError("a pool holds negative token ids: mask ids such as -100 cannot be drawn")
