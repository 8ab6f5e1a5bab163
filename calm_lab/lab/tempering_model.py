"""A trained CALM at a temperature, judged from its draws alone: what an exact sample costs, how far a pool falls short.

What: many draws of the next chunk behind a prompt. From their counts come the price of Algorithm 1 at every T = 1/n
(Theorem 2) and the law that Algorithm 2 has with a small pool, held against its law with all the draws at once.
Why: ``calm_lab.lab.tempering`` shows both samplers where P is known; here P is out of sight, as in all real use.
Where: paper sec. 5.

The aim P_T is out of sight too. What stands for it is Algorithm 2 on all R draws, to which its law tends (Theorem 3);
pools of N are subsets of the same R draws, so the shortfall ends at 0 for N = R, and N goes to R / 4 at most.

App tab: Temperature. Notebook: 08.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.lab.pieces import roles, spread
from calm_lab.lab.tempering import Measured
from calm_lab.lab.vectors import Spread
from calm_lab.model.calm import CALM
from calm_lab.toolkit.decoding import Tape
from calm_lab.toolkit.generate import encode_prompt
from calm_lab.toolkit.price import CallEstimate, estimate_calls
from calm_lab.toolkit.temperature import group_chunks, weights_from_counts

ORDERS = (1, 2, 3, 4, 5, 6)
POOLS = (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
SUBSETS = 200
FEWEST, MOST = 100, 20_000
SHOWN = 8


@dataclass(frozen=True)
class Price:
    """One exact sample at T = 1/n.

    Attributes:
        n: 1/T.
        estimate: its calls (``calm_lab.toolkit.price``).
    """

    n: int
    estimate: CallEstimate

    @property
    def accepted(self) -> float:
        """Share of trials that are accepted, n / calls; 0 where no chunk came n times."""
        return self.n / self.estimate.calls


@dataclass(frozen=True)
class Outcome:
    """One of the chunks that came most often.

    Attributes:
        text: what it says.
        tokens: what to show for each of its K tokens.
        roles: begin, end or pad for special tokens, None for ordinary ones.
        spread: for each token the characters that it shares with its neighbours in the chunk, or None.
        count: draws that say it.
        aim: its probability at T = 1/n as all draws show it.
        chosen: its probability with pools of N.
    """

    text: str
    tokens: list[str]
    roles: list[str | None]
    spread: list[Spread]
    count: int
    aim: float
    chosen: float


@dataclass(frozen=True)
class PoolGap:
    """How far pools of N stay behind all draws.

    Attributes:
        pool: N.
        shortfall: the aim's probability of the chunks that the temperature makes likelier, less the pools'; its error
            is that of the mean over pools, its theory nan.
        reached: share of the pools in which some chunk came n times.
    """

    pool: int
    shortfall: Measured
    reached: float


@dataclass(frozen=True, eq=False)
class PromptStudy:
    """The next chunk behind a prompt, at T = 1/n.

    Attributes:
        n: 1/T.
        pool: N of ``Outcome.chosen``.
        draws: R.
        distinct: different chunks among them.
        prices: of exact samples at every T = 1/n.
        outcomes: the chunks that came most often.
        gaps: of growing pools; empty where no chunk came n times, because then nothing stands for the aim.
    """

    n: int
    pool: int
    draws: int
    distinct: int
    prices: list[Price]
    outcomes: list[Outcome]
    gaps: list[PoolGap]


@torch.inference_mode()
def prompt_draws(model: CALM, prompt: str, draws: int = 4000, seed: int = 0, block: int = 1000) -> Tensor:
    """Draw the chunk behind a prompt many times: ids (R, K) on the CPU.

    Args:
        model: a CALM with any head.
        prompt: the text to go on from; "" starts from a begin chunk.
        draws: R, from 100 to 20,000.
        seed: of the draws.
        block: draws made at a time.

    Raises:
        InputError: for numbers out of range, a prompt too long, or a model without a tokenizer.
    """
    if isinstance(draws, bool) or not isinstance(draws, int) or not FEWEST <= draws <= MOST:
        raise InputError(f"draws must be a whole number from {FEWEST} to {MOST:,}, not {draws!r}")
    ids = encode_prompt(model, prompt)
    tape = Tape(model, ids, ids.shape[1] // model.config.chunk_size)
    stream = generator(seed, ids.device)
    parts = [tape.draw(min(block, draws - start), stream)[1][0] for start in range(0, draws, block)]
    return torch.cat(parts).cpu()


def study_draws(model: CALM, draws: Tensor, n: int = 3, pool: int = 200, seed: int = 0) -> PromptStudy:
    """Judge both samplers from draws of one context.

    Args:
        model: whose tokenizer names the chunks.
        draws: ids (R, K), as ``prompt_draws`` gives them.
        n: 1/T, from 1 to 6.
        pool: N, from 1 to R / 4.
        seed: of the pools that are picked from the draws.

    Raises:
        InputError: for n or a pool out of range.
    """
    size = len(draws)
    for what, value, high in (("n", n, max(ORDERS)), ("pool", pool, size // 4)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
            raise InputError(f"{what} must be a whole number from 1 to {high:,}, not {value!r}")
    labels, first, counts = group_chunks(draws)
    aim, used = weights_from_counts(counts, n)  # (C,)
    known = int(used) == n
    picked = _subsets(size, seed)  # (B, R)
    sizes = [pool, *(count for count in POOLS if count <= size // 4)]
    laws = [_pool_law(labels[picked[:, :count]], len(counts), n) for count in sizes]
    likelier = aim > counts / size
    gaps = [
        PoolGap(count, _shortfall(float(aim[likelier].sum()), law[:, likelier].sum(-1)), reached)
        for count, (law, reached) in zip(sizes[1:], laws[1:], strict=True)
    ]
    chosen = laws[0][0].mean(0)
    return PromptStudy(
        n=n,
        pool=pool,
        draws=size,
        distinct=len(counts),
        prices=[Price(order, estimate_calls(draws, 1 / order)) for order in ORDERS],
        outcomes=_outcomes(model, draws[first], counts, aim if known else None, chosen),
        gaps=gaps if known else [],
    )


def _subsets(size: int, seed: int) -> Tensor:
    """Orders of the draws (B, R): the first N of each are a pool, so that a smaller pool is part of a larger."""
    return torch.rand(SUBSETS, size, generator=generator(seed)).argsort(-1)


def _pool_law(labels: Tensor, outcomes: int, n: int) -> tuple[Tensor, float]:
    """Algorithm 2's choice in each of B pools of labels (B, N): laws (B, C), and the share of pools that reached n."""
    counts = torch.zeros(len(labels), outcomes, dtype=torch.int64)
    counts.scatter_add_(1, labels, torch.ones_like(labels))
    law, used = weights_from_counts(counts, n)
    return law, float((used == n).double().mean())


def _shortfall(aim: float, hits: Tensor) -> Measured:
    return Measured(aim - float(hits.mean()), float(hits.std()) / math.sqrt(len(hits)), math.nan)


def _outcomes(model: CALM, chunks: Tensor, counts: Tensor, aim: Tensor | None, chosen: Tensor) -> list[Outcome]:
    tokenizer = model.tokenizer
    assert tokenizer is not None  # encode_prompt has refused a model without one
    order: Sequence[int] = counts.argsort(descending=True, stable=True)[:SHOWN].tolist()
    return [
        Outcome(
            text=tokenizer.decode(row := chunks[place].tolist()),
            tokens=tokenizer.pieces(row),
            roles=roles(tokenizer, row),
            spread=spread(tokenizer, row),
            count=int(counts[place]),
            aim=math.nan if aim is None else float(aim[place]),
            chosen=float(chosen[place]),
        )
        for place in order
    ]
