"""Brier-n and BrierLM: how good a language model is, judged from its samples alone (paper sec. 4).

The Brier score of a law P against an outcome y, ``2 P(y) - sum_x P(x)^2``, is strictly proper: its mean is largest
where P is the truth. Two independent samples x1, x2 of the model estimate it without bias, since the chance that they
collide is sum P^2:

    ``1{x1 = y} + 1{x2 = y} - 1{x1 = x2}``

Brier-n takes the first n tokens as one outcome. BrierLM is 100 times the geometric mean of Brier-1 to Brier-4.

Two cautions. A model that always says the same gets 2 * accuracy - 1, which is negative below one half; four negatives
have a positive product, so a geometric mean is taken only where every Brier-n is positive, and is ``nan`` otherwise
(the official code gives an untrained model 97.6 of 100). And the positions of one document depend on each other, so
standard errors are made from whole documents: ``BrierEstimate``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.device import knows_float64
from calm_lab.errors import InputError

ORDERS = 4  # BrierLM is made of Brier-1 to Brier-4


@dataclass(frozen=True, eq=False)
class BrierTerms:
    """What each position adds to Brier-1..Brier-n, float32 (..., n). Means over positions are the scores.

    Attributes:
        accuracy: the share of the two samples whose first n tokens are the target's: 0, 0.5 or 1; estimates P(y).
        collision: 1 where the first n tokens of the samples are equal; estimates sum P^2.
    """

    accuracy: Tensor
    collision: Tensor

    @property
    def score(self) -> Tensor:
        """The unbiased Brier-n of each position: ``2 accuracy - collision``, from -1 to 1."""
        return 2 * self.accuracy - self.collision


def brier_terms(first: Tensor, second: Tensor, target: Tensor) -> BrierTerms:
    """Score two independent samples against the target, position by position (paper sec. 4.2).

    Args:
        first: ids of one sample, shape (..., n).
        second: ids of another, independent sample, shape (..., n).
        target: ids of the truth, shape (..., n).

    Returns:
        Accuracy and collision of the first 1..n tokens, each (..., n).

    Raises:
        InputError: if the shapes differ, the ids are no whole numbers, or there is nothing to score.
    """
    shapes = [tuple(ids.shape) for ids in (first, second, target)]
    if len(set(shapes)) > 1:
        raise InputError(
            f"two samples and a target have shapes {shapes[0]}, {shapes[1]} and {shapes[2]}: make them equal"
        )
    if target.ndim == 0 or target.numel() == 0:
        raise InputError(
            f"ids of shape {shapes[2]} hold nothing to score: give at least one position of at least one token"
        )
    if any(ids.is_floating_point() or ids.is_complex() for ids in (first, second, target)):
        raise InputError("Brier-n compares token ids: give whole numbers, not floats")

    def same(x: Tensor, y: Tensor) -> Tensor:
        return (x == y).to(torch.float32).cumprod(-1)  # (..., n); 1 while all tokens so far agree

    return BrierTerms((same(first, target) + same(second, target)) / 2, same(first, second))


def brier_n(first: Tensor, second: Tensor, target: Tensor) -> Tensor:
    """Unbiased Brier-1..Brier-n from two samples at each position (paper sec. 4.2).

    Args:
        first: ids of one sample, shape (..., n).
        second: ids of another, independent sample, shape (..., n).
        target: ids of the truth, shape (..., n).

    Returns:
        Fractions from -1 to 1, float32 (n,): the mean over all leading axes.

    Raises:
        InputError: as ``brier_terms``.
    """
    score = brier_terms(first, second, target).score
    flat = score.reshape(-1, score.shape[-1])
    exact = flat if knows_float64(flat.device) else flat.cpu()
    return exact.mean(0, dtype=torch.float64).to(torch.float32).to(flat.device)


def brier_lm(brier: Tensor | Sequence[float]) -> float:
    """BrierLM: 100 times the geometric mean of Brier-1..Brier-4 (paper sec. 4.2).

    Args:
        brier: the four fractions, shape (4,).

    Returns:
        A number in (0, 100], or ``nan`` if any of the four is not above 0.

    Raises:
        InputError: if there are not four.
    """
    values = brier.detach().cpu().double() if isinstance(brier, Tensor) else torch.tensor(brier, dtype=torch.float64)
    if values.shape != (ORDERS,):
        raise InputError(f"BrierLM takes the four fractions Brier-1..Brier-4, not shape {tuple(values.shape)}")
    if not bool((values > 0).all()):
        return math.nan
    return 100 * math.exp(float(values.log().mean()))


@dataclass(frozen=True, eq=False)
class BrierEstimate:
    """Brier-1..Brier-n over a set of positions, with standard errors.

    Attributes:
        values: Brier-1..Brier-n, fractions, float64 (n,).
        standard_errors: of the values, from the spread between documents, float64 (n,); nan with fewer than 2.
        covariance: of the values, float64 (n, n).
        brier_lm: 100 times the geometric mean of the first four; nan where it means nothing.
        brier_lm_error: its standard error by the delta method; nan where unknown.
        positions: positions scored (those where Brier-1 could be).
        clusters: independent groups of positions (documents) behind the standard errors.
        reason: why ``brier_lm`` is nan, in words, else None.
    """

    values: Tensor
    standard_errors: Tensor
    covariance: Tensor
    brier_lm: float
    brier_lm_error: float
    positions: int
    clusters: int
    reason: str | None

    @classmethod
    def from_terms(cls, terms: Tensor, clusters: Tensor | None = None, valid: Tensor | None = None) -> BrierEstimate:
        """Average per-position terms; positions of one cluster may depend on each other in any way.

        Args:
            terms: an unbiased Brier-1..Brier-n at each position, shape (..., n), such as ``BrierTerms.score``.
            clusters: the document or row of each position, whole numbers, shape (...). None: the rows of the first axis
                where there are several leading axes, (B, S, n); each position by itself for (P, n).
            valid: which terms count, bool (..., n); an n-gram may run over the end of a row where a shorter one does
                not. None: all.

        Returns:
            The estimate.

        Raises:
            InputError: if there are no positions, some n has no valid term, or shapes do not fit.
        """
        if terms.ndim < 2 or terms.numel() == 0:
            raise InputError(
                f"terms of shape {tuple(terms.shape)} hold no position: score at least one, shape (..., n)"
            )
        orders = terms.shape[-1]
        flat = terms.detach().reshape(-1, orders).cpu().double()  # (P, n)
        if valid is not None and valid.shape != terms.shape:
            raise InputError(
                f"valid has shape {tuple(valid.shape)} and the terms {tuple(terms.shape)}: make them equal"
            )
        mask = torch.ones_like(flat) if valid is None else valid.reshape(-1, orders).to(flat)
        counts = mask.sum(0)  # (n,)
        if bool((counts == 0).any()):
            raise InputError(f"Brier-{int((counts == 0).to(torch.uint8).argmax()) + 1} has no valid position to score")
        flat = torch.where(mask > 0, flat, 0.0)  # what is not valid may be anything, nan too
        values = flat.sum(0) / counts
        group, groups = _cluster_labels(terms, clusters, flat.shape[0])
        # A cluster moves the mean by its sum of deviations over the count (linearised ratio of sums).
        influence = (
            torch.zeros(groups, orders, dtype=torch.float64).index_add_(0, group, mask * (flat - values)) / counts
        )
        groups = int(torch.bincount(group[mask[:, 0] > 0], minlength=groups).count_nonzero())
        covariance = torch.full((orders, orders), math.nan, dtype=torch.float64)
        if groups > 1:
            covariance = influence.T @ influence * groups / (groups - 1)
        errors = covariance.diagonal().sqrt()
        score, score_error, reason = _brier_lm_with_error(values, covariance)
        return cls(values, errors, covariance, score, score_error, int(counts[0]), groups, reason)


def _cluster_labels(terms: Tensor, clusters: Tensor | None, positions: int) -> tuple[Tensor, int]:
    """Number the clusters 0..G-1: labels (P,) and G."""
    if clusters is None:
        rows = terms.shape[0]
        return torch.arange(rows).repeat_interleave(positions // rows), rows
    if clusters.shape != terms.shape[:-1]:
        raise InputError(
            f"clusters have shape {tuple(clusters.shape)}: give one for each position, {tuple(terms.shape[:-1])}"
        )
    names, labels = torch.unique(clusters.reshape(-1).cpu(), return_inverse=True)
    return labels, names.numel()


def _brier_lm_with_error(values: Tensor, covariance: Tensor) -> tuple[float, float, str | None]:
    """BrierLM, its standard error, and a reason where it is nan."""
    if values.numel() < ORDERS:
        return math.nan, math.nan, f"BrierLM needs Brier-1..Brier-4, and only {values.numel()} of them were scored"
    four = values[:ORDERS]
    score = brier_lm(four)
    if math.isnan(score):
        worst = int((~(four > 0)).to(torch.uint8).argmax())
        what = f"Brier-{worst + 1} is {float(four[worst]):.4g}"
        return score, math.nan, f"{what}, not above 0: BrierLM is undefined; train longer or score more positions"
    slope = score / (ORDERS * four)  # d BrierLM / d Brier-n
    variance = float(slope @ covariance[:ORDERS, :ORDERS] @ slope)
    return score, math.sqrt(max(variance, 0.0)), None
