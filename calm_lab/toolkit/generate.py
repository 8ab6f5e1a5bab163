"""Write text chunk by chunk, at a temperature, without a likelihood (paper sec. 3.3 and 5).

``batch`` draws a pool of N chunks a step and chooses by repeats (Algorithm 2): any T = 1/n. ``exact`` runs the
rejection sampler (Algorithm 1): any T in (0, 1], at a price that ``estimate_calls`` tells beforehand.

A prompt of any length works without padding: its first ``m mod K`` tokens stand in the begin chunk, as in training.
App tab: Generate. Notebooks: 08, 09.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from calm_lab.device import generator as random_stream
from calm_lab.errors import CallBudgetExceeded, InputError, choose_from
from calm_lab.memory import require_bytes
from calm_lab.model.calm import CALM
from calm_lab.text.chunks import prompt_chunks
from calm_lab.text.stream import TextStream
from calm_lab.toolkit.decoding import Tape
from calm_lab.toolkit.exact import check_budget
from calm_lab.toolkit.exact_batch import sample_batch_at_temperature
from calm_lab.toolkit.price import CallEstimate, estimate_calls
from calm_lab.toolkit.temperature import (
    check_temperature,
    count_chunks,
    inverse_cdf,
    reciprocal,
    uniforms,
    weights_from_counts,
)

Method = Literal["batch", "exact"]
OnBudget = Literal["raise", "batch"]
MAX_PROMPT_TOKENS = 8192
MAX_NEW_TOKENS = 100_000
MAX_POOL = 100_000


@dataclass(frozen=True)
class ChunkStep:
    """One step of generation: what was drawn, what could be chosen, what was.

    Attributes:
        index: number of the step, from 0.
        ids: the chosen chunk's K ids.
        text: the text that this chunk makes certain (half a character waits for the next).
        candidates: distinct chunks of the pool, most frequent first, shape (C, K).
        counts: how often each was drawn, shape (C,).
        weights: probability of each to be chosen, shape (C,), zero for chunks with too few repeats. Of the exact
            method, which weighs no pool, an estimate: the shares of its draws raised to 1/T.
        calls: draws of the head charged to this step.
        n_used: repeats a candidate needed (batch), or 0 (exact).
        trials: trials of the exact sampler; 1 for batch.
        stage1_accepts: trials whose n draws agreed; for batch, 1 if the step did not fall back below n.
        seconds: wall-clock time of the step.
        ended: whether the chunk holds the end token.
        fell_back: whether the exact sampler's budget was spent and the batch rule chose instead.
    """

    index: int
    ids: list[int]
    text: str
    candidates: Tensor
    counts: Tensor
    weights: Tensor
    calls: int
    n_used: int
    trials: int
    stage1_accepts: int
    seconds: float
    ended: bool
    fell_back: bool = False

    @property
    def choice(self) -> int | None:
        """The place of the chosen chunk among ``candidates``; None if it is not there."""
        match = (self.candidates == torch.tensor(self.ids, device=self.candidates.device)).all(-1).nonzero()
        return int(match[0]) if match.numel() else None


def encode_prompt(model: CALM, prompt: str) -> Tensor:
    """A prompt as whole chunks behind its begin chunk: ids (1, T).

    Raises:
        InputError: if the model has no tokenizer or the prompt is too long.
    """
    if model.tokenizer is None:
        raise InputError("this model has no tokenizer: add its tokenizer.json to the folder")
    if len(prompt) > 40 * MAX_PROMPT_TOKENS:
        raise InputError(
            f"the prompt has {len(prompt):,} characters: shorten it to at most {MAX_PROMPT_TOKENS:,} tokens"
        )
    ids = model.tokenizer.encode(prompt)
    if len(ids) > MAX_PROMPT_TOKENS:
        raise InputError(f"the prompt has {len(ids):,} tokens: shorten it to at most {MAX_PROMPT_TOKENS:,}")
    chunks = prompt_chunks(ids, model.config.chunk_size, bos_id=model.config.bos_id)
    return torch.from_numpy(chunks.reshape(1, -1)).to(model.autoencoder.output_weight.device)


def generate(
    lm: CALM,
    prompt: str = "",
    temperature: float = 0.5,
    method: Method = "batch",
    pool: int = 200,
    max_tokens: int = 256,
    seed: int | None = None,
    *,
    max_calls: int | None = 20_000,
    on_budget: OnBudget = "batch",
) -> Iterator[ChunkStep]:
    """Continue a prompt, one chunk a step.

    Args:
        lm: the model.
        prompt: the text to continue; "" starts from a begin chunk.
        temperature: T in (0, 1]; the batch method takes 1/n.
        method: ``batch`` (Algorithm 2) or ``exact`` (Algorithm 1).
        pool: N, draws a step of the batch method. At T = 1 any of them would do, so only one is made.
        max_tokens: stop after this many tokens; the last chunk is whole, so at most K - 1 more are given.
        seed: of all randomness; ``None`` draws one.
        max_calls: draws a step that the exact method may charge; ``None`` for no limit.
        on_budget: when it is spent: ``raise``, or choose this chunk by the batch rule among the draws made (``batch``).

    Yields:
        Steps, until the end token or ``max_tokens``.

    Raises:
        InputError: for arguments out of their domain.
        CallBudgetExceeded: if the exact sampler's budget is spent and ``on_budget`` is ``raise``.
    """
    if method not in ("batch", "exact"):
        raise InputError(choose_from(str(method), ("batch", "exact"), "method"))
    if on_budget not in ("raise", "batch"):
        raise InputError(choose_from(str(on_budget), ("raise", "batch"), "on_budget"))
    n = reciprocal(temperature) if method == "batch" else 0
    check_temperature(temperature)
    check_budget(max_calls)
    _within("pool", pool, 1, MAX_POOL)
    _within("max_tokens", max_tokens, 1, MAX_NEW_TOKENS)
    ids = encode_prompt(lm, prompt)
    backbone, chunks = lm.config.backbone, max_tokens // lm.config.chunk_size
    kept = pool * backbone.hidden_size + 2 * chunks * backbone.num_layers * backbone.kv_heads * backbone.head_size
    require_bytes(4 * kept, f"a pool of {pool:,} draws", "choose a smaller pool or fewer tokens", ids.device)
    return _steps(lm, ids, _Sampler(lm, temperature, n, pool, max_calls, on_budget), max_tokens, seed)


@torch.inference_mode()
def estimate_price(
    lm: CALM, prompt: str = "", temperature: float = 0.5, pool: int = 200, seed: int | None = None
) -> CallEstimate:
    """What the exact method will charge for the first chunk behind a prompt, judged from a pool of draws.

    Args:
        lm: the model.
        prompt: the text to continue.
        temperature: T in (0, 1].
        pool: draws to look at; more of them see further.
        seed: of the draws; ``None`` draws one.

    Returns:
        The estimate. Later chunks may cost more or less.

    Raises:
        InputError: for arguments out of their domain, or a pool too small for one trial.
    """
    check_temperature(temperature)
    _within("pool", pool, 1, MAX_POOL)
    ids = encode_prompt(lm, prompt)
    tape = Tape(lm, ids, ids.shape[1] // lm.config.chunk_size)
    return estimate_calls(tape.draw(pool, random_stream(seed, ids.device))[1][0], temperature)


def _within(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} must be a whole number from {low} to {high:,}, not {value!r}")


@dataclass(frozen=True)
class _Sampler:
    model: CALM
    temperature: float
    n: int
    pool: int
    max_calls: int | None
    on_budget: str


@torch.inference_mode()
def _steps(lm: CALM, ids: Tensor, sampler: _Sampler, max_tokens: int, seed: int | None) -> Iterator[ChunkStep]:
    assert lm.tokenizer is not None
    config = lm.config
    stream = random_stream(seed, ids.device)
    steps = -(-max_tokens // config.chunk_size)
    tape = Tape(lm, ids, ids.shape[1] // config.chunk_size + steps)
    text = TextStream(lm.tokenizer)
    for index in range(steps):
        began = time.perf_counter()
        step = _exact_step(tape, sampler, stream) if sampler.n == 0 else _batch_step(tape, sampler, stream)
        chosen, latent = step.chosen, step.latent
        row = chosen.tolist()
        ended = config.eos_id in row
        piece = text.push(row)
        if ended or index == steps - 1:
            piece += text.finish()
        seconds = time.perf_counter() - began
        yield ChunkStep(index=index, ids=row, text=piece, ended=ended, seconds=seconds, **step.shown)
        if ended:
            return
        tape.append(chosen[None], latent[None])


@dataclass
class _Step:
    chosen: Tensor
    latent: Tensor
    shown: dict[str, Any]


def _batch_step(tape: Tape, sampler: _Sampler, stream: torch.Generator) -> _Step:
    latents, pool = tape.draw(sampler.pool if sampler.n > 1 else 1, stream)
    return _choose(latents[0], pool[0], sampler.n, stream)


def _choose(latents: Tensor, pool: Tensor, n: int, stream: torch.Generator) -> _Step:
    """Algorithm 2 on one pool of latents (N, l) and chunks (N, K)."""
    chunks, counts = count_chunks(pool)  # (C, K), (C,)
    weights, used = weights_from_counts(counts, n)
    pick = int(inverse_cdf(weights.cumsum(-1), uniforms((1,), pool.device, stream)))
    chosen = chunks[pick]
    which = (pool == chosen).all(-1).to(torch.uint8).argmax()
    order = torch.argsort(counts, descending=True, stable=True)
    shown = {
        "candidates": chunks[order],
        "counts": counts[order],
        "weights": weights[order],
        "calls": pool.shape[0],
        "n_used": int(used),
        "trials": 1,
        "stage1_accepts": int(int(used) == n),
    }
    return _Step(chosen, latents[which], shown)


def _exact_step(tape: Tape, sampler: _Sampler, stream: torch.Generator) -> _Step:
    seen: list[tuple[Tensor, Tensor]] = []

    def draw_block(contexts: Tensor, generator: torch.Generator | None) -> Tensor:
        latents, chunks = tape.draw(contexts.shape[0], generator)
        seen.append((latents[0], chunks[0]))
        return chunks[0]

    origin = torch.zeros(1, dtype=torch.int64, device=tape.hidden.device)
    result = sample_batch_at_temperature(
        draw_block, origin, sampler.temperature, stream, sampler.max_calls, on_budget="keep"
    )
    latents, pool = torch.cat([z for z, _ in seen]), torch.cat([c for _, c in seen])
    counted = {"calls": int(result.calls), "trials": int(result.trials), "stage1_accepts": int(result.stage1_accepts)}
    if not bool(result.accepted):
        if sampler.on_budget == "raise":
            raise CallBudgetExceeded(
                f"{counted['calls']:,} draws were spent before a chunk was accepted at T = {sampler.temperature:g}: "
                "raise max_calls, or use method='batch'",
                **counted,
            )
        step = _choose(latents, pool, max(1, round(1 / sampler.temperature)), stream)
        step.shown |= {**counted, "fell_back": True}
        return step
    chunks, counts = count_chunks(pool)
    order = torch.argsort(counts, descending=True, stable=True)
    chosen = result.values[0]
    which = (pool == chosen).all(-1).to(torch.uint8).argmax()
    shown = {
        "candidates": chunks[order],
        "counts": counts[order],
        "weights": torch.softmax(counts[order].cpu().double().log() / sampler.temperature, 0),
        "n_used": 0,
        **counted,
    }
    return _Step(chosen, latents[which], shown)
