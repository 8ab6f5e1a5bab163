"""What exact temperature sampling will cost, judged beforehand from a pool of draws (paper sec. 5.1, Theorem 2).

The mean number of calls, ``(n + sum_x P^(1/T - 1)) / Z_T``, is made of power sums of P, and P is out of sight. A pool
of N draws still answers: run one trial of Algorithm 1 on the pool, without putting draws back, and average over every
order in which the pool could have come. That average has a closed form in the counts, and it is unbiased for the
trial's calls and for its success, as far as N draws reach: for whole 1/T it is the share of n-fold agreements.

What it cannot see it does not guess. A candidate whose stage 2 outlasts the pool is taken to succeed at no further
call, so the estimate errs to the low side; and where no chunk came n times there is only a lower bound. Both are said
in words. On the heavy tails of real chunks expect a bound, not a number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.toolkit.temperature import group_chunks, split_exponent

JACKKNIFE_GROUPS = 20
UNSEEN_SHARE = 0.1  # above this share of unresolved successes the estimate is called a lower bound
MISS = 0.05  # the chance that the bound from an absence of repeats is wrong


@dataclass(frozen=True)
class CallEstimate:
    """The price of one exact sample, as far as a pool of draws shows it.

    Attributes:
        calls: estimated mean calls; infinite where no chunk came n times.
        low: lower end of a 95% interval; where no chunk came n times, a lower bound that is wrong with probability 5%.
        high: upper end of the 95% interval; infinite where the pool sets none.
        lower_bound: whether the price may be much higher than ``calls`` because the pool is too small to see it.
        repeats: distinct chunks that came at least n times.
        pool: draws looked at.
    """

    calls: float
    low: float
    high: float
    lower_bound: bool
    repeats: int
    pool: int

    def __str__(self) -> str:
        low, calls, high = (
            f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in (self.low, self.calls, self.high)
        )
        if not self.repeats:
            return f"at least {low} calls a sample: no chunk came often enough in {self.pool:,} draws"
        if self.lower_bound:
            return f"at least about {low} calls a sample, perhaps far more: {self.pool:,} draws show too few repeats"
        return f"about {calls} calls a sample (95%: {low} to {high})"


def estimate_calls(draws: Tensor, temperature: float) -> CallEstimate:
    """Estimate the mean calls of Algorithm 1 from independent draws of one context.

    Args:
        draws: ids of N independent draws, shape (N, K), in the order drawn.
        temperature: T in (0, 1].

    Returns:
        The estimate, its interval (jackknife over groups of draws), and whether it is only a lower bound.

    Raises:
        InputError: for T outside (0, 1], or fewer draws than one trial needs, n, and one more for stage 2.
    """
    n, a = split_exponent(temperature)
    labels, _, counts = group_chunks(draws.cpu())  # a few numbers, counted in float64
    size = labels.numel()
    if size < n + (a > 0):
        raise InputError(
            f"{size} draws cannot show one trial at temperature {temperature:g}: draw {n + (a > 0)} at least"
        )
    repeats = int((counts >= n).sum())
    if not repeats:
        low = n / _largest_unseen(size, n) ** (n + a - 1)
        return CallEstimate(math.inf, low, math.inf, True, 0, size)
    calls, unseen = _price(counts, n, a)
    groups = min(JACKKNIFE_GROUPS, size)
    group = torch.arange(size, device=labels.device) * groups // size
    # One group of draws left out at a time; what is left must still hold a trial.
    logs = []
    for left_out in range(groups):
        kept = labels[group != left_out]
        rest = torch.bincount(kept, minlength=counts.numel())
        logs.append(math.log(_price(rest, n, a)[0]) if kept.numel() >= n + (a > 0) else math.inf)
    mean = sum(logs) / groups
    if math.isfinite(mean) and groups > 1:
        error = math.sqrt((groups - 1) / groups * sum((value - mean) ** 2 for value in logs))
        low, high = calls * math.exp(-2 * error), calls * math.exp(2 * error)
    else:
        # Some group holds all the repeats: nothing bounds the price from above, and from below only the trial itself.
        low, high = float(n), math.inf
    return CallEstimate(calls, max(low, float(n)), high, unseen > UNSEEN_SHARE, repeats, size)


def _price(counts: Tensor, n: int, a: float) -> tuple[float, float]:
    """Mean calls over mean success of one trial run on the pool, and the share of success that is unresolved.

    Args:
        counts: how often each distinct chunk came, (C,).
        n: whole part of 1/T.
        a: rest of 1/T.
    """
    size = int(counts.sum())
    value, times = torch.unique(
        counts[counts >= n], return_counts=True
    )  # distinct counts and how many chunks have each
    if not value.numel():
        return math.inf, 0.0
    c, times = value.to(torch.float64), times.to(torch.float64)
    passes = torch.ones_like(c)  # n draws from the pool, none put back, are all this chunk
    for j in range(n):
        passes = passes * (c - j) / (size - j)
    if a == 0:
        return n / min(float(times @ passes), 1.0), 0.0
    rest = size - n
    k = torch.arange(rest, dtype=torch.float64, device=counts.device)
    # going[k]: k further draws neither matched (c - n of the rest would) nor failed by their coins.
    avoid = 1 - (c - n).unsqueeze(1) / (rest - k)  # (D, rest): draw k + 1 misses, given that k missed
    going = torch.cat([torch.ones_like(avoid[:, :1]), (avoid.clamp(min=0) * (1 - a / (k + 1))).cumprod(1)], dim=1)
    stage2 = going[:, :-1].sum(1)  # (D,): mean draws of stage 2
    match = (going[:, :-1] * (1 - avoid)).sum(1)
    unresolved = going[:, -1]  # still undecided when the pool is used up
    success = float(times @ (passes * (match + unresolved)))
    return (n + float(times @ (passes * stage2))) / success, float(times @ (passes * unresolved)) / success


def _largest_unseen(size: int, n: int) -> float:
    """The largest p for which fewer than n occurrences in ``size`` draws have probability 5%: by bisection."""

    def seldom(p: float) -> float:
        # (1 - p)^size in logs, for pools where it vanishes.
        return sum(
            math.exp(
                math.lgamma(size + 1)
                - math.lgamma(j + 1)
                - math.lgamma(size - j + 1)
                + j * math.log(p)
                + (size - j) * math.log1p(-p)
            )
            for j in range(n)
        )

    low, high = 1e-12, 1 - 1e-12
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if seldom(middle) > MISS else (low, middle)
    return high
