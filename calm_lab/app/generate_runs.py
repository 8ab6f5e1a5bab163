"""What the tab "Generate" computes: a written text, the same text at three temperatures, the price of exact sampling.

Every number comes from ``calm_lab.lab.pools`` and ``calm_lab.lab.versus``; a run travels to the browser as plain data,
so that opening the step of any written chunk needs no further call.
"""

from __future__ import annotations

import functools
import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from calm_lab.app.bench import Bench
from calm_lab.app.limits import MAX_SEED
from calm_lab.app.partner import partner
from calm_lab.app.shelf import Entry
from calm_lab.errors import CallBudgetExceeded, InputError
from calm_lab.lab import examples
from calm_lab.lab.pools import pool_of
from calm_lab.lab.versus import Meter, timed_tokens
from calm_lab.model.calm import CALM
from calm_lab.model.transformer import TokenTransformer
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.toolkit.generate import estimate_price, generate

STEPS = (8, 7, 6, 5, 4, 3, 2, 1)
COMPARED = (1, 2, 3)
LOWEST = 1 / max(STEPS)
BUDGETS = (200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
FIRST_N, FIRST_LENGTH, FIRST_POOL, FIRST_BUDGET = 3, 160, 200, 5_000
SHOWN_PROMPT, PROMPT_MARK = 800, 200
PILOT = 1_000

_runs = itertools.count(1)


@dataclass(frozen=True)
class Request:
    """What a visitor asks for, as the page sends it.

    Attributes:
        prompt: the text to go on from; "" starts from nothing.
        n: 1/T of the batch method.
        length: tokens to write at most.
        pool: draws a step of the batch method.
        seed: of all randomness.
        model: name on the shelf.
        method: batch or exact.
        heat: T of the exact method.
        budget: draws a step that the exact method may charge.
        spent: what to do when they are spent: batch (choose by its rule) or stop.
    """

    prompt: str
    n: Any
    length: Any
    pool: Any
    seed: Any
    model: str
    method: Any = "batch"
    heat: Any = 1 / FIRST_N
    budget: Any = FIRST_BUDGET
    spent: Any = "batch"

    @property
    def temperature(self) -> float:
        """T of the method asked for."""
        return float(self.heat) if self.method == "exact" else 1 / int(self.n)

    def checked(self, bench: Bench) -> Request:
        """The same with whole numbers.

        Raises:
            InputError: for a text too long or a number out of range; the message names the field.
        """
        limits = bench.limits
        limits.check_text(self.prompt, "prompt")
        if self.method not in ("batch", "exact") or self.spent not in ("batch", "stop"):
            raise InputError("the method must be batch or exact, and a spent budget ends in batch or stop")
        heat = self.heat
        if isinstance(heat, bool) or not isinstance(heat, int | float) or not LOWEST <= heat <= 1:
            raise InputError(f"the temperature must be a number from {LOWEST:g} to 1, not {str(heat)[:40]}")
        return Request(
            self.prompt,
            limits.check_number(self.n, "n of T = 1/n", 1, max(STEPS)),
            limits.check_number(self.length, "the length", 1, limits.new_tokens),
            limits.check_number(self.pool, "the pool", 1, limits.pool),
            limits.check_number(self.seed, "the seed", 0, MAX_SEED),
            self.model,
            self.method,
            heat,
            limits.check_number(self.budget, "the budget of draws", 1, limits.calls),
            self.spent,
        )

    def settings(self) -> dict[str, Any]:
        """What tells this request from another: the page compares it with what its fields say now."""
        plain = {name: value for name, value in vars(self).items() if name != "prompt"}
        return plain | {"prompt": f"{len(self.prompt)}:{self.prompt[:PROMPT_MARK]}"}

    @property
    def shown_prompt(self) -> str:
        """The prompt, or the end of a long one."""
        return self.prompt if len(self.prompt) <= SHOWN_PROMPT else "…" + self.prompt[-SHOWN_PROMPT:]


def write(bench: Bench, asked: Request) -> Iterator[dict[str, Any]]:
    """Write, step by step.

    Yields:
        The stage's value so far: settings, status (running, ended, full, spent), the steps, and what they took.

    Raises:
        CalmLabError: for a prompt too long, a number out of range, an unknown model.
    """
    asked = asked.checked(bench)
    entry, lm, tokenizer = _calm(bench, asked.model)
    value = {
        "run": next(_runs),
        "model": entry.name,
        "address": entry.address,
        "prompt": asked.shown_prompt,
        "method": asked.method,
        "temperature": asked.temperature,
        "n": asked.n if asked.method == "batch" else None,
        "pool": asked.pool,
        "budget": asked.budget,
        "on_budget": asked.spent,
        "length": asked.length,
        "seed": asked.seed,
        "chunk_size": lm.config.chunk_size,
        "asked": asked.settings(),
        "estimate": None,
        "steps": [],
        "status": "running",
        "spent": None,
    }
    yield {**value}
    if asked.method == "exact":
        value["estimate"] = price(bench, asked)  # a pilot: it takes a moment
        yield {**value}
    for lane in _chunks(lm, tokenizer, asked):
        yield {**value, **lane}


def _chunks(lm: CALM, tokenizer: Tokenizer, asked: Request) -> Iterator[dict[str, Any]]:
    """The growing steps of one text with its status and what it took."""
    steps: list[dict[str, Any]] = []
    meter, wanted = Meter(lm, asked.prompt), round(1 / asked.temperature)
    written = generate(
        lm,
        asked.prompt,
        asked.temperature,
        asked.method,
        pool=asked.pool,
        max_tokens=asked.length,
        seed=asked.seed,
        max_calls=asked.budget,
        on_budget="raise" if asked.spent == "stop" else "batch",
    )
    status = "full"
    try:
        for step in written:
            pool = pool_of(step, tokenizer, wanted)
            steps.append(pool.to_dict())
            yield {"steps": list(steps), "status": "running", "spent": meter.chunk(pool).to_dict()}
            status = "ended" if pool.ended else "full"
    except CallBudgetExceeded as error:
        status = "spent"
        refused = {"calls": error.calls, "trials": error.trials, "agreed": error.stage1_accepts}
        yield {"steps": list(steps), "status": status, "spent": meter.spent.to_dict(), "refused": refused}
        return
    yield {"steps": list(steps), "status": status, "spent": meter.spent.to_dict()}


def price(bench: Bench, asked: Request) -> dict[str, Any]:
    """What the exact method will charge for the first chunk, estimated from a pilot pool, and the seconds that is here.

    Raises:
        CalmLabError: as ``write``.
    """
    asked = asked.checked(bench)
    _, lm, _ = _calm(bench, asked.model)
    began = time.perf_counter()
    found = estimate_price(lm, asked.prompt, asked.temperature, min(PILOT, bench.limits.pool), asked.seed)
    seconds = time.perf_counter() - began
    return {
        "temperature": asked.temperature,
        "calls": _finite(found.calls),
        "low": _finite(found.low),
        "high": _finite(found.high),
        "lower_bound": found.lower_bound,
        "repeats": found.repeats,
        "pilot": found.pool,
        "seconds_per_call": seconds / found.pool,
        "budget": asked.budget,
        "chunks": -(-asked.length // lm.config.chunk_size),
        "asked": asked.settings(),
    }


def compare(bench: Bench, asked: Request) -> Iterator[dict[str, Any]]:
    """The same prompt and seed at T = 1, 1/2 and 1/3, by the batch method, and by a token Transformer where one fits.

    Yields:
        The value of the comparison so far: settings, status, and a lane for each text with what it took.

    Raises:
        CalmLabError: as ``write``.
    """
    asked = asked.checked(bench)
    entry, lm, tokenizer = _calm(bench, asked.model)
    baseline, reason = partner(bench, entry, tokenizer)
    value = {
        "run": next(_runs),
        "prompt": asked.shown_prompt,
        "whole_prompt": asked.prompt,
        "seed": asked.seed,
        "pool": asked.pool,
        "length": asked.length,
        "asked": asked.settings(),
        "missing": reason,
    }
    lanes: list[dict[str, Any]] = []
    for n in COMPARED:
        at = Request(asked.prompt, n, asked.length, asked.pool, asked.seed, asked.model)
        lanes.append(
            {"kind": "calm", "model": entry.name, "address": entry.address, "n": n, "chunk_size": lm.config.chunk_size}
        )
        for lane in _chunks(lm, tokenizer, at):
            lanes[-1] = {**lanes[-1], **lane}
            yield {**value, "status": "running", "lanes": list(lanes)}
    for n in COMPARED if baseline is not None else ():
        assert baseline is not None
        lanes.append({"kind": "transformer", "model": baseline[0].name, "address": baseline[0].address, "n": n})
        for lane in _tokens(baseline[1], asked, 1 / n):
            lanes[-1] = {**lanes[-1], **lane}
            yield {**value, "status": "running", "lanes": list(lanes)}
    yield {**value, "status": "done", "lanes": list(lanes)}


def _tokens(model: TokenTransformer, asked: Request, temperature: float) -> Iterator[dict[str, Any]]:
    """The growing text of the Transformer, by pieces of one token, with what it took."""
    pieces: list[str] = []
    meter, size = Meter(model, asked.prompt), 4
    for text, seconds in timed_tokens(model, asked.prompt, temperature, asked.length, asked.seed):
        pieces.append(text)
        meter.token(seconds)
        if len(pieces) % size == 0:  # a token at a time would send more than a page can draw
            yield {"pieces": list(pieces), "status": "running", "spent": meter.spent.to_dict()}
    status = "ended" if len(pieces) < asked.length else "full"
    yield {"pieces": list(pieces), "status": status, "spent": meter.spent.to_dict()}


@functools.lru_cache(maxsize=16)
def example_run(bench: Bench, model: str, changed: int) -> dict[str, Any]:
    """The worked example of a model: written once with a fixed seed, then kept; ``changed`` tells versions apart."""
    example = examples.prompts_for(bench.shelf.entry("calm", model).corpus)[0]
    pool = min(FIRST_POOL, bench.limits.pool)
    asked = Request(example.text, FIRST_N, FIRST_LENGTH, pool, example.seed, model)
    return list(write(bench, asked))[-1]


def _calm(bench: Bench, name: str) -> tuple[Entry, CALM, Tokenizer]:
    entry = bench.shelf.entry("calm", name)
    lm = bench.shelf.calm(entry.name)
    if lm.tokenizer is None:
        raise InputError(f"{entry.name} has no tokenizer: add its tokenizer.json to the folder")
    return entry, lm, lm.tokenizer


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
