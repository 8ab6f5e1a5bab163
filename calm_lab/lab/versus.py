"""What a written text took: steps, draws, seconds and FLOPs, of a CALM and of the token Transformer beside it.

The paper's case is fewer steps, each a little dearer (sec. 7.2); a temperature below 1 adds the draws of its sampler
(sec. 5). A ``Meter`` adds that up step by step from what was measured: the draws charged and the seconds of each step,
and the FLOPs of exactly these draws at the context they had, counted as in ``calm_lab.lab.flops``. Reading the prompt
is left out, on both sides.

App tab: Generate.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from calm_lab.lab.flops import flops
from calm_lab.lab.pools import Pool
from calm_lab.model.calm import CALM
from calm_lab.model.transformer import TokenTransformer
from calm_lab.toolkit.generate import encode_prompt
from calm_lab.toolkit.softmax import write_tokens


@dataclass(frozen=True)
class Spent:
    """What a text took so far.

    Attributes:
        family: calm or transformer.
        parameters: numbers stored, a CALM's autoencoder included.
        steps: forward passes of the backbone that wrote.
        tokens: tokens written, padding of a last chunk included.
        calls: draws of the head charged; for a Transformer one a step.
        trials: trials started; one a step but for the exact sampler.
        accepted: trials that ended in a chunk as asked.
        seconds: wall-clock time of the steps.
        flops: FLOPs of the steps.
    """

    family: str
    parameters: int
    steps: int = 0
    tokens: int = 0
    calls: int = 0
    trials: int = 0
    accepted: int = 0
    seconds: float = 0.0
    flops: float = 0.0

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens written a second; None before the first step."""
        return self.tokens / self.seconds if self.seconds else None

    @property
    def flops_per_token(self) -> float | None:
        """FLOPs for each token; None before the first step."""
        return self.flops / self.tokens if self.tokens else None

    @property
    def acceptance(self) -> float | None:
        """Accepted trials / trials (exact), or the share of steps that kept to n (batch); None before the first."""
        return self.accepted / self.trials if self.trials else None

    def to_dict(self) -> dict[str, float | int | str | None]:
        """Plain data."""
        kept = ("family", "parameters", "steps", "tokens", "calls", "trials", "accepted", "seconds", "flops")
        more = ("tokens_per_second", "flops_per_token", "acceptance")
        return {name: getattr(self, name) for name in (*kept, *more)}


class Meter:
    """Adds up what the steps of one text took.

    Attributes:
        spent: the sum so far.
    """

    def __init__(self, model: CALM | TokenTransformer, prompt: str = ""):
        """Begin behind ``prompt``, whose positions every step attends to.

        Raises:
            InputError: if the model has no tokenizer.
        """
        self._model = model
        if isinstance(model, CALM):
            self._read = encode_prompt(model, prompt).shape[1] // model.config.chunk_size
        else:
            self._read = 1 + (len(model.tokenizer.encode(prompt)) if model.tokenizer else 0)
        counted = flops(model)
        self.spent = Spent(counted.family, counted.total_parameters)

    def chunk(self, step: Pool) -> Spent:
        """Add a step of a CALM."""
        return self._add(step.draws, step.trials, step.accepted, step.milliseconds / 1000)

    def token(self, seconds: float) -> Spent:
        """Add a step of the Transformer."""
        return self._add(1, 1, 1, seconds)

    def _add(self, calls: int, trials: int, accepted: int, seconds: float) -> Spent:
        before = self.spent
        # A draw charged is a draw decoded: the exact sampler draws a few more in blocks, which no rule asks for.
        step = flops(self._model, context=self._read + before.steps, pool=calls)
        self.spent = Spent(
            before.family,
            before.parameters,
            before.steps + 1,
            before.tokens + step.chunk_size,
            before.calls + calls,
            before.trials + trials,
            before.accepted + accepted,
            before.seconds + seconds,
            before.flops + step.per_step,
        )
        return self.spent


def timed_tokens(
    model: TokenTransformer, prompt: str, temperature: float, max_tokens: int, seed: int
) -> Iterator[tuple[str, float]]:
    """The Transformer's continuation with the seconds each token took.

    Args:
        model: the baseline, with a tokenizer.
        prompt: the text to continue.
        temperature: T above 0; its softmax takes any.
        max_tokens: tokens to write at most.
        seed: of all randomness.

    Yields:
        ``(text, seconds)`` a token; the text may be empty.

    Raises:
        InputError: if the model has no tokenizer, or an argument is out of its domain.
    """
    held: list[tuple[str, float]] = []  # the last piece is no token, but what half a character may have held back
    began = time.perf_counter()
    for piece in write_tokens(model, prompt, temperature, max_tokens, seed):
        held.append((piece, time.perf_counter() - began))
        if len(held) > 2:
            yield held.pop(0)
        began = time.perf_counter()  # whoever reads may take his time
    (text, seconds), (rest, _) = held
    yield text + rest, seconds
