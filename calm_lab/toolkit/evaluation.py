"""Judge a model on unseen text: BrierLM with its standard error, and the pieces it is made of (paper sec. 4.2).

CALM is judged from draws alone. The token Transformer has probabilities, so its Brier-n is made of exact ones where
they are cheap: P(y) is a product along the true text, and the collision term multiplies the sampled agreement of a
prefix by the exact sum of P^2 of its last token; unbiased, with less variance. What follows an end token is padding and
certain, for both kinds of model and for the ceilings they are held against.

App tab: BrierLM. Notebook: 07.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.calm import CALM
from calm_lab.model.transformer import TokenTransformer
from calm_lab.toolkit.brier import BrierEstimate, BrierTerms
from calm_lab.toolkit.loss import target_chunks
from calm_lab.toolkit.ngrams import ORDER, draw_ngrams
from calm_lab.toolkit.softmax import check_softmax_temperature, log_law


@dataclass(frozen=True)
class Evaluation:
    """What a model reaches on a set of rows.

    Attributes:
        brier: Brier-1..4 and BrierLM, with standard errors from the spread between rows.
        accuracy: mean P(y) of n-grams, n = 1..4.
        collision: mean sum P^2 of n-grams, n = 1..4.
        cross_entropy: nats a token; only a model with probabilities has it.
    """

    brier: BrierEstimate
    accuracy: list[float]
    collision: list[float]
    cross_entropy: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for cards and logs; what is undefined is None, with the reason beside it."""
        brier = self.brier
        data: dict[str, Any] = {
            "brier_lm": _number(brier.brier_lm),
            "brier_lm_standard_error": _number(brier.brier_lm_error),
            "brier": [float(v) for v in brier.values],
            "brier_standard_errors": [_number(float(v)) for v in brier.standard_errors],
            "accuracy": self.accuracy,
            "collision": self.collision,
            "positions": brier.positions,
        }
        if brier.reason:
            data["reason"] = brier.reason
        if self.cross_entropy is not None:
            data["cross_entropy"] = self.cross_entropy
        return data


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _evaluation(terms: BrierTerms, valid: Tensor, cross_entropy: float | None = None) -> Evaluation:
    mask = valid[..., None].expand_as(terms.accuracy)
    brier = BrierEstimate.from_terms(terms.score, valid=mask)
    weight = valid.sum().clamp(min=1)
    means = [((part * mask).sum((0, 1)) / weight).tolist() for part in (terms.accuracy, terms.collision)]
    return Evaluation(brier, means[0], means[1], cross_entropy)


@torch.no_grad()
def evaluate_calm(
    model: CALM, ids: Tensor, generator: torch.Generator | None = None, repeats: int = 1, block: int = 8
) -> Evaluation:
    """BrierLM of a CALM on rows of text, at every chunk-aligned position.

    Args:
        model: the CALM.
        ids: token ids, shape (B, T); begin chunks and padding are read but not scored.
        generator: the random stream of the draws.
        repeats: independent pairs of draws to average at each position: less sampling noise, same text.
        block: rows at a time.

    Raises:
        InputError: if there is no position to score.
    """
    parts: list[BrierTerms] = []
    masks: list[Tensor] = []
    for rows in ids.split(block):
        scored = target_chunks(model.autoencoder.chunked(rows), model.config)  # (B, S)
        total: BrierTerms | None = None
        for _ in range(repeats):
            draws = draw_ngrams(model, rows, generator)
            terms = draws.terms()
            total = (
                terms
                if total is None
                else BrierTerms(total.accuracy + terms.accuracy, total.collision + terms.collision)
            )
        assert total is not None
        parts.append(BrierTerms(total.accuracy / repeats, total.collision / repeats))
        masks.append(scored[:, 1 : 1 + draws.starts.numel()])
    if not any(bool(mask.any()) for mask in masks):
        raise InputError("no position to score: the rows hold nothing but padding and begin chunks")
    joined = BrierTerms(torch.cat([p.accuracy for p in parts]), torch.cat([p.collision for p in parts]))
    return _evaluation(joined, torch.cat(masks))


@torch.no_grad()
def evaluate_transformer(
    model: TokenTransformer,
    ids: Tensor,
    generator: torch.Generator | None = None,
    *,
    every: int = 1,
    offset: int = 0,
    temperature: float = 1.0,
    block: int = 4,
) -> Evaluation:
    """BrierLM of a token Transformer on rows of text, by exact probabilities where they are cheap.

    Args:
        model: the Transformer.
        ids: token ids, shape (B, T).
        generator: the random stream of the collision term's prefixes.
        every: score every so many positions: K for the chunk-aligned ones of a CALM, 1 for all.
        offset: the first scored token's place.
        temperature: what its logits are divided by; the cross-entropy is that of the law so made.
        block: rows at a time.

    Raises:
        InputError: if the rows are too short or hold nothing to score, or for a temperature that is not above 0.
    """
    check_softmax_temperature(temperature)
    if ids.shape[1] < ORDER + 1:
        raise InputError(f"rows of {ids.shape[1]} tokens are too short for {ORDER}-grams")
    parts: list[BrierTerms] = []
    masks: list[Tensor] = []
    nats, count = 0.0, 0
    for rows in ids.split(block):
        terms, scored, log_p, counted = _transformer_terms(model, rows, generator, every, offset, temperature)
        parts.append(terms)
        masks.append(scored)
        nats -= float(log_p[counted].sum())
        count += int(counted.sum())
    if not count or not any(bool(mask.any()) for mask in masks):
        raise InputError("no position to score: the rows hold nothing but padding")
    joined = BrierTerms(torch.cat([p.accuracy for p in parts]), torch.cat([p.collision for p in parts]))
    return _evaluation(joined, torch.cat(masks), nats / count)


def _transformer_terms(
    model: TokenTransformer,
    ids: Tensor,
    generator: torch.Generator | None,
    every: int,
    offset: int,
    temperature: float,
) -> tuple[BrierTerms, Tensor, Tensor, Tensor]:
    """Terms (B, R, 4), which starts count (B, R), log P of every next token (B, T - 1) and which of them count."""
    batch, length = ids.shape
    end = model.config.eos_id
    starts = torch.arange(max(0, offset - 1), length - ORDER, every, device=ids.device)  # R hidden states
    cache = model.backbone.cache(batch, length + (ORDER - 1) * starts.numel())
    hidden = model.hidden_states(ids, cache)  # (B, T, d)
    log_p = log_law(F.linear(hidden[:, :-1], model.output_weight), temperature)
    log_true = log_p.gather(-1, ids[:, 1:, None])[..., 0]  # (B, T - 1)
    spans = torch.stack([log_true[:, starts + n] for n in range(ORDER)], -1)
    ends = torch.stack([ids[:, starts + 1 + n] == end for n in range(ORDER)], -1)
    spans = spans.masked_fill(ends.cumsum(-1) - ends.int() > 0, 0.0)  # behind the end: padding, for certain
    accuracy = spans.cumsum(-1).exp()  # (B, R, 4): exact P of the true n-gram
    law = log_p[:, starts].exp()  # (B, R, V)
    agree = torch.ones(batch, starts.numel(), device=ids.device)
    ended = torch.zeros_like(agree, dtype=torch.bool)
    collision = []
    reach = torch.arange(length, device=ids.device)[None, :] <= starts[:, None]
    for n in range(ORDER):
        collision.append(agree * law.square().sum(-1).masked_fill(ended, 1.0))
        if n == ORDER - 1:
            break
        flat = law.flatten(0, 1)
        pair = torch.multinomial(flat, 2, replacement=True, generator=generator).unflatten(0, law.shape[:2])
        agree = agree * ((pair[..., 0] == pair[..., 1]) | ended)
        ended = ended | (pair[..., 0] == end)
        mask = torch.cat([reach, torch.eye(starts.numel(), dtype=torch.bool, device=ids.device).repeat(1, n + 1)], 1)
        tail = model.backbone(model.embed(pair[..., 0]), cache, positions=starts + 1 + n, mask=mask)
        law = log_law(F.linear(tail, model.output_weight), temperature).exp()
    known = (ids[:, 1:] != model.config.pad_id) & (ids[:, 1:] != model.config.bos_id)
    return BrierTerms(accuracy, torch.stack(collision, -1)), known[:, starts], log_true, known
