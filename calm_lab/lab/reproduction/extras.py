"""What is asked of a trained model beyond BrierLM: its sampler's steps (Figs 8, 9), and its temperatures (Figs 10, 11).

A pair of draws at a position gives accuracy, ``E[1{x = y}]``, and collision, ``E[1{x1 = x2}]``, for n-grams of 1 to 4
tokens; the paper plots the geometric means of the four. Low temperature buys accuracy with collision: the curve that a
model traces between the two is its trade of truth against variety.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from calm_lab.device import generator
from calm_lab.lab.report import document_rows
from calm_lab.model.autoencoder import pad_after_end
from calm_lab.model.calm import CALM
from calm_lab.model.heads import DiffusionHead, EnergyHead, FlowHead
from calm_lab.model.transformer import TokenTransformer
from calm_lab.toolkit.brier import BrierEstimate, BrierTerms, brier_terms
from calm_lab.toolkit.evaluation import evaluate_transformer
from calm_lab.toolkit.loss import target_chunks
from calm_lab.toolkit.temperature import choose_from_pool

DOCUMENTS = 100
POSITIONS = 1000
POOL_POSITIONS = 300  # where pools are drawn: a thousand times as many vectors
SOFTMAX = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
POOLS = (1, 10, 20, 50, 100, 200, 500)
ORDERS = (2, 3, 4, 5, 6)
ORDER = 4
Draw = Callable[[Tensor, torch.Generator], Tensor]


def extras(
    model: CALM | TokenTransformer, corpus: str, seed: int = 0, documents: int = DOCUMENTS
) -> dict[str, list[dict[str, Any]]]:
    """Everything that is asked of this kind of model, on unseen documents of ``corpus``."""
    size = model.config.chunk_size if isinstance(model, CALM) else 1
    _, ids = document_rows(model, corpus, size, documents)
    if isinstance(model, TokenTransformer):
        return {"softmax": softmax_curve(model, ids, seed)}
    if size < ORDER:
        return {}
    if isinstance(model.head, EnergyHead):
        return {"temperature": temperature_curve(model, ids, seed)}
    return {"steps": step_curve(model, ids, seed)}


@torch.no_grad()
def scored_positions(model: CALM, ids: Tensor, limit: int = POSITIONS, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Hidden states (R, d) and true next chunks (R, K) at up to ``limit`` positions, evenly drawn from all."""
    hidden, targets = [], []
    for rows in ids.split(16):
        chunks = model.autoencoder.chunked(rows)
        mask = target_chunks(chunks, model.config)[:, 1:]
        hidden.append(model.hidden_states(rows)[:, :-1][mask])
        targets.append(chunks[:, 1:][mask])
    h, y = torch.cat(hidden), torch.cat(targets)
    config = model.config
    y = pad_after_end(y, config.eos_id, config.pad_id)
    picked = torch.randperm(len(h), generator=torch.Generator().manual_seed(seed))[:limit].sort().values.to(h.device)
    return h[picked], y[picked]


def summary(terms: BrierTerms) -> dict[str, Any]:
    """Plain data of terms (R, 4): BrierLM with its standard error, and both geometric means in percent."""
    brier = BrierEstimate.from_terms(terms.score)
    means = {name: getattr(terms, name).double().mean(0) for name in ("accuracy", "collision")}
    known = brier.reason is None
    return {
        "brier_lm": brier.brier_lm if known else None,
        "brier_lm_standard_error": brier.brier_lm_error if known and math.isfinite(brier.brier_lm_error) else None,
        **{name: geometric_mean(mean.tolist()) for name, mean in means.items()},
        "positions": int(terms.accuracy.shape[0]),
    }


def geometric_mean(shares: list[float]) -> float:
    """100 times the geometric mean of shares; 0 if one of them is 0."""
    return 100 * math.prod(shares) ** (1 / len(shares))


def pair_terms(first: Tensor, second: Tensor, target: Tensor) -> BrierTerms:
    """Terms (R, 4) of two independent chunks and the true one, each (R, K)."""
    return brier_terms(first[:, :ORDER], second[:, :ORDER], target[:, :ORDER])


@torch.no_grad()
def step_curve(model: CALM, ids: Tensor, seed: int = 0) -> list[dict[str, Any]]:
    """BrierLM against the sampler's steps, for a flow or a diffusion head (paper Figs 8, 9)."""
    head = model.head
    draws: list[tuple[dict[str, Any], Draw]] = []
    if isinstance(head, FlowHead):
        for solver, counts in (("euler", (1, 2, 4, 10)), ("midpoint", (1, 2, 5, 10))):
            for count in counts:
                calls = count * (2 if solver == "midpoint" else 1)

                def flow(h: Tensor, g: torch.Generator, count: int = count, solver: str = solver) -> Tensor:
                    assert isinstance(head, FlowHead)
                    return head.sample(h, generator=g, num_samples=2, steps=count, solver=solver)  # type: ignore[arg-type]

                draws.append(({"solver": solver, "steps": count, "calls": calls}, flow))
    else:
        for count in (10, 25, 50, 100):

            def diffusion(h: Tensor, g: torch.Generator, count: int = count) -> Tensor:
                assert isinstance(head, DiffusionHead)
                return head.sample(h, generator=g, num_samples=2, steps=count)

            draws.append(({"steps": count, "calls": count}, diffusion))
    hidden, target = scored_positions(model, ids, seed=seed)
    points = []
    for what, draw in draws:
        pair = model.autoencoder.decode(draw(hidden, generator(seed, hidden.device)), after_end="pad")  # (2, R, K)
        points.append(what | summary(pair_terms(pair[0], pair[1], target)))
    return points


def temperature_curve(model: CALM, ids: Tensor, seed: int = 0, block: int = 16) -> list[dict[str, Any]]:
    """Accuracy and collision of the batch sampler: over N at T = 1/3, and over T = 1/n at the largest N (Fig 10).

    Two pools of the largest N are drawn and decoded once at each position; a smaller pool is the beginning of a larger.
    """
    return list(growing_temperature_curve(model, ids, seed, block))[-1]


@torch.no_grad()
def growing_temperature_curve(
    model: CALM, ids: Tensor, seed: int = 0, block: int = 16, positions: int = POOL_POSITIONS
) -> Iterator[list[dict[str, Any]]]:
    """``temperature_curve`` as it grows, for whoever looks on.

    Yields:
        The points of all positions so far, after every ``block`` positions of at most ``positions``.
    """
    hidden, target = scored_positions(model, ids, positions, seed)
    largest = max(POOLS)
    settings = [(3, size) for size in POOLS] + [(n, largest) for n in ORDERS if n != 3]
    stream = generator(seed, hidden.device)
    chosen: list[list[Tensor]] = [[] for _ in settings]
    for states in hidden.split(block):
        latents = model.head.sample(states, generator=stream, num_samples=2 * largest)  # (2 N, b, l)
        drawn = model.autoencoder.decode(latents, after_end="pad")  # (2 N, b, K)
        pools = drawn.unflatten(0, (2, largest)).movedim(1, 2).flatten(0, 1)  # (2 b, N, K)
        points = []
        for (n, size), kept in zip(settings, chosen, strict=True):
            picked, _, _ = choose_from_pool(pools[:, :size], n, stream)  # (2 b, K)
            kept.append(picked.unflatten(0, (2, -1)))
            first, second = torch.cat(kept, 1)  # (R, K) each
            points.append({"n": n, "pool": size} | summary(pair_terms(first, second, target[: len(first)])))
        yield points


def softmax_curve(model: TokenTransformer, ids: Tensor, seed: int = 0) -> list[dict[str, Any]]:
    """Accuracy and collision of the Transformer over its softmax temperature (Fig 11)."""
    return list(softmax_points(model, ids, seed))


def softmax_points(model: TokenTransformer, ids: Tensor, seed: int = 0) -> Iterator[dict[str, Any]]:
    """``softmax_curve``, one temperature after another."""
    for temperature in SOFTMAX:
        noise = generator(seed, ids.device)
        found = evaluate_transformer(model, ids, noise, every=ORDER, offset=1, temperature=temperature)
        yield {
            "temperature": temperature,
            "brier_lm": found.brier.brier_lm if found.brier.reason is None else None,
            "accuracy": geometric_mean(found.accuracy),
            "collision": geometric_mean(found.collision),
            "positions": found.brier.positions,
        }
