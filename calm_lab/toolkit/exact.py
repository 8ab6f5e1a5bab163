"""Exact temperature sampling from draws alone, for every T in (0, 1] (paper sec. 5.1, Algorithm 1).

Write 1/T = n + a with a whole number n and 0 <= a < 1. One trial:

1. Stage 1 draws n samples. If they are not all equal the trial fails; else their common value x is the candidate,
   which happens with probability P(x)^n.
2. Stage 2, for a > 0, is a Bernoulli factory: a coin with head probability P(x)^a made from a coin with head
   probability P(x). For i = 1, 2, ...: draw; if the draw equals x the trial succeeds; else it fails with probability
   a / i; else go on. It succeeds with probability P(x) sum_k (1 - P(x))^k prod_{j<=k} (1 - a/j) = P(x)^a.

So a trial yields x with probability P(x)^(1/T), and the first success has exactly the law at temperature T. The mean
number of draws is Theorem 2, ``calm_lab.toolkit.laws.expected_calls``; it can be huge, so there is a budget here and
an estimate beforehand in ``calm_lab.toolkit.price``. ``calm_lab.toolkit.exact_batch`` runs many contexts in lockstep.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch

from calm_lab.errors import CallBudgetExceeded, InputError
from calm_lab.toolkit.drawing import uniforms
from calm_lab.toolkit.temperature import split_exponent

Value = TypeVar("Value", bound=Hashable)

_HOST = torch.device("cpu")  # the comparison u < a/i happens in Python, wherever the generator lives


@dataclass(frozen=True)
class ExactSample(Generic[Value]):
    """One sample of Algorithm 1 and what it took.

    Attributes:
        value: the accepted sample.
        calls: draws used, n for each pass through stage 1 and one for each step of stage 2.
        trials: trials started.
        stage1_accepts: trials whose n draws agreed.
        accepted: whether a trial succeeded; always true here, since a spent budget is an error.
    """

    value: Value
    calls: int
    trials: int
    stage1_accepts: int
    accepted: bool = True

    @property
    def acceptance_rate(self) -> float:
        """Accepted trials / trials, whose expectation over many samples taken together is Z_T."""
        return int(self.accepted) / self.trials


def check_budget(max_calls: int | None) -> int | None:
    """Refuse a call budget that is not a whole number above 0."""
    if max_calls is None:
        return None
    try:
        budget = operator.index(max_calls)
    except TypeError as error:
        raise InputError(f"max_calls = {max_calls!r} is not a whole number: choose one above 0, or None") from error
    if budget < 1:
        raise InputError(f"max_calls = {budget} allows no draw: choose a number above 0, or None for no limit")
    return budget


def budget_spent(budget: int, calls: int, trials: int, stage1_accepts: int) -> CallBudgetExceeded:
    """The error of a spent budget, with its counts and its remedies."""
    message = (
        f"no sample was accepted within {budget} calls ({trials} trials, {stage1_accepts} of them past stage 1): "
        "raise max_calls or use batch sampling at 1/n"
    )
    return CallBudgetExceeded(message, calls=calls, trials=trials, stage1_accepts=stage1_accepts)


def sample_at_temperature(
    draw: Callable[[], Value],
    temperature: float,
    generator: torch.Generator | None = None,
    max_calls: int | None = None,
) -> ExactSample[Value]:
    """Draw one sample from ``P(x)^(1/T) / Z_T``, given only a black box that draws from P (Algorithm 1).

    Stage 1 always makes its n calls, as the algorithm and Theorem 2 have it.

    Args:
        draw: returns one independent, hashable sample of P at each call, such as a tuple of K token ids.
        temperature: T in (0, 1].
        generator: stream of the stage 2 uniforms only; ``draw`` has its own randomness. None: torch's default stream.
        max_calls: the most draws to spend. None: no limit.

    Returns:
        The sample and its counts.

    Raises:
        InputError: for T outside (0, 1], a bad budget, or a draw that is not hashable.
        CallBudgetExceeded: when the next draw would exceed ``max_calls``; carries the counts.
    """
    n, a = split_exponent(temperature)
    budget = check_budget(max_calls)
    calls = trials = stage1_accepts = 0

    def next_draw() -> Value:
        nonlocal calls
        if budget is not None and calls >= budget:
            raise budget_spent(budget, calls, trials, stage1_accepts)
        value = draw()
        if calls == 0:
            _check_hashable(value)
        calls += 1
        return value

    while True:
        candidate = next_draw()
        trials += 1
        agree = [next_draw() == candidate for _ in range(n - 1)]
        if not all(agree):
            continue
        stage1_accepts += 1
        if a == 0:
            return ExactSample(candidate, calls, trials, stage1_accepts)
        step = 1
        while next_draw() != candidate:
            if float(uniforms((), _HOST, generator)) < a / step:
                break
            step += 1
        else:
            return ExactSample(candidate, calls, trials, stage1_accepts)


def _check_hashable(value: object) -> None:
    # A tensor is hashable by its identity, so two equal draws would count as different: refuse it by name.
    if isinstance(value, torch.Tensor) or not isinstance(value, Hashable):
        raise InputError(f"draw() gave a {type(value).__name__}: return a hashable value, such as tuple(ids.tolist())")
