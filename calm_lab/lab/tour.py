"""The numbers of the guided tour: ten small experiments, each answered at once.

What: what one token carries and what its softmax costs, two draws beside the truth, a pool that cools, a sentence
written step by step, the price of a token at every K, and what our own bundled models reach. What other modules already
give (a text's vectors, the energy plane, the paper's comparisons) the tour takes from there.
Why: the argument of the paper in ten minutes, with every number computed while one looks.
Where: paper sec. 1 to 7, in that order.

App tab: Tour. Notebook: 00.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.lab.brier_noise import Scored
from calm_lab.lab.brier_study import Point, Turn, convergence, draws, exact, known_language, turned
from calm_lab.lab.calculator import PAPER_SIZES, Sizes, cost
from calm_lab.lab.flops import flops
from calm_lab.lab.pools import Pool, pool_of
from calm_lab.model.calm import CALM
from calm_lab.model.presets import preset
from calm_lab.text.markov import MarkovLanguage
from calm_lab.toolkit.brier import brier_terms
from calm_lab.toolkit.generate import generate
from calm_lab.toolkit.laws import tempered
from calm_lab.toolkit.temperature import weights_from_counts

CHUNK_SIZES = (1, 2, 4, 8)
SIZE = "S"  # of the paper's Transformer whose vocabulary is changed
DIAL = 0.2  # how much the judged model is blurred: enough to see it fall short
SHOWN = 5  # positions whose draws are spelled out
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LAW = {"the sea": 0.4, "a ship": 0.3, "the old": 0.2, "no one": 0.1}
"""A known law of four answers to draw a pool from."""
POOL = 200  # draws of the law
DRAWS = 200  # draws of a model at each step below temperature 1, as the released code makes
CHUNKS = 7  # steps of a sentence


@dataclass(frozen=True)
class Carried:
    """What one token of a vocabulary carries, and what it costs to choose it (paper sec. 1).

    Attributes:
        vocab_size: V.
        bits: log2 V, the most that one token can carry.
        softmax: FLOPs a token of the product with the vocabulary.
        rest: FLOPs a token of everything else.
        doubled: FLOPs a token with twice the vocabulary, over those with this one, minus 1.
    """

    vocab_size: int
    bits: float
    softmax: float
    rest: float
    doubled: float

    @property
    def share(self) -> float:
        """The softmax's share of a token's FLOPs."""
        return self.softmax / (self.softmax + self.rest)


def carried(vocab_size: int) -> Carried:
    """A token of the paper's Transformer-S with another vocabulary.

    Raises:
        InputError: for a vocabulary of fewer than 2 entries.
    """
    if vocab_size < 2:
        raise InputError(f"a vocabulary of {vocab_size} says nothing: choose at least 2 entries")
    backbone = preset(SIZE).backbone
    config = Sizes(hidden_size=backbone.hidden_size, layers=backbone.num_layers).transformer
    now, twice = (
        flops(dataclasses.replace(config, vocab_size=size)).inference for size in (vocab_size, 2 * vocab_size)
    )
    return Carried(vocab_size, math.log2(vocab_size), now.output, now.total - now.output, twice.total / now.total - 1)


@dataclass(frozen=True)
class Judgement:
    """Two draws and the truth, a few times spelled out and many times averaged (paper sec. 4).

    Attributes:
        rows: (truth, first draw, second draw, scores of the first 1 to 4 letters) of the first positions.
        points: the estimate after more and more positions.
        exact: the exact scores of the model.
        ceiling: those of the language itself.
    """

    rows: list[tuple[str, str, str, list[int]]]
    points: list[Point]
    exact: Turn
    ceiling: Turn


def judge(positions: int, seed: int, dial: float = DIAL) -> Judgement:
    """Judge a blurred model of the known language ``prose`` from two draws a position.

    Raises:
        InputError: for fewer than 2 positions or a dial outside [-1, 1].
    """
    language = known_language()
    model = turned(language, dial)
    points = convergence(language, model, positions, seed)
    first, second, target = (ids[:SHOWN] for ids in draws(language, model, positions, seed))
    scores = brier_terms(first, second, target).score.tolist()  # (SHOWN, 4)
    words = zip(*(_spelled(language, ids.tolist()) for ids in (target, first, second)), strict=True)
    rows = [(*three, [round(one) for one in score]) for three, score in zip(words, scores, strict=True)]
    return Judgement(rows, points, exact(language, dial), exact(language, 0))


def _spelled(language: MarkovLanguage, rows: list[list[int]]) -> list[str]:
    return ["".join(LETTERS[id - language.offset] for id in row) for row in rows]


@dataclass(frozen=True)
class Cooled:
    """One pool of draws from ``LAW`` at the temperature 1/n (paper sec. 5.2).

    Attributes:
        n: 1/T.
        used: repeats that were enough; below n where no answer came so often.
        counts: how often each answer was drawn.
        groups: C(count, used): groups of equal draws.
        chosen: chance of each to be chosen from this pool.
        goal: the exact law at T = 1/n.
    """

    n: int
    used: int
    counts: list[int]
    groups: list[int]
    chosen: list[float]
    goal: list[float]


def cool(n: int, seed: int, pool: int = POOL) -> Cooled:
    """Draw one pool and weigh its repeats. The pool depends on the seed alone, so turning n changes the weights only.

    Raises:
        InputError: if n or the pool is below 1.
    """
    if n < 1 or pool < 1:
        raise InputError(f"n = {n} repeats in a pool of {pool} cannot be: choose at least 1 of each")
    law = torch.tensor(list(LAW.values()), dtype=torch.float64)
    drawn = torch.multinomial(law, pool, replacement=True, generator=generator(seed))
    counts = torch.bincount(drawn, minlength=len(LAW))
    weights, found = weights_from_counts(counts, n)
    used = int(found)
    table = counts.tolist()
    groups = [math.comb(count, used) for count in table]
    return Cooled(n, used, table, groups, weights.tolist(), tempered(law, 1 / n).tolist())


def write(lm: CALM, prompt: str, n: int, seed: int) -> list[Pool]:
    """Write a few chunks at T = 1/n: the pool of every step, up to the end token.

    Raises:
        InputError: for settings that ``generate`` does not take.
    """
    if n < 1:
        raise InputError(f"n = {n} repeats cannot be: choose at least 1")
    steps = generate(lm, prompt, temperature=1 / n, pool=DRAWS, max_tokens=CHUNKS * lm.config.chunk_size, seed=seed)
    assert lm.tokenizer is not None  # generate has refused a model without one
    return [pool_of(step, lm.tokenizer, n) for step in steps]


@dataclass(frozen=True)
class Price:
    """FLOPs to generate one token.

    Attributes:
        chunk_size: K; 0 stands for the token Transformer of the same width and depth.
        step: FLOPs of a step, which gives K tokens.
        token: FLOPs of a token.
        pooled: the same with ``DRAWS`` draws a step; the Transformer needs one at any temperature.
    """

    chunk_size: int
    step: float
    token: float
    pooled: float


def prices(chunk_sizes: Iterable[int] = CHUNK_SIZES) -> list[Price]:
    """A token of the paper's CALM-M at several K, one draw a step, behind its Transformer (paper sec. 3.1)."""
    sizes = PAPER_SIZES["CALM-M"]
    plain = flops(sizes.transformer, context=sizes.context)
    found = [Price(0, plain.per_step, plain.per_token, plain.per_token)]
    for k in chunk_sizes:
        one, many = (cost(dataclasses.replace(sizes, chunk_size=k, pool=pool)) for pool in (1, DRAWS))
        found.append(Price(k, one.per_step, one.per_token, many.per_token))
    return found


def ours(models: Iterable[Scored]) -> list[Scored]:
    """Our own models of known text, best BrierLM first; one whose BrierLM is undefined comes last."""
    known = [model for model in models if model.ceiling is not None]
    return sorted(known, key=lambda model: (model.brier_lm is None, -(model.brier_lm or 0.0), model.name))
