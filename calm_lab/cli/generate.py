"""``calm-lab generate``: text on stdout, piece by piece as it is drawn; what it costs, on stderr."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

import calm_lab
from calm_lab.cli.commands import COMMANDS
from calm_lab.cli.parsing import parse
from calm_lab.errors import InputError

if TYPE_CHECKING:
    from calm_lab.model.calm import CALM
    from calm_lab.model.transformer import TokenTransformer


@dataclass(frozen=True)
class GenerateOptions:
    """What to write and how.

    Attributes:
        prompt: text to go on from; empty starts a document.
        model: bundled name, or folder of a CALM, of a token Transformer, or of a run.
        temperature: 1, 0.5, 0.333333, ... (one over a whole number) for batch, anything in (0, 1] for exact; a token
            Transformer divides its logits by any number above 0.
        seed: the same seed gives the same text on the same device and torch version; by default a new one each time.
        max_tokens: stop after so many tokens, or at the end of the document.
        method: batch (a pool of candidates a step) or exact (draws until one is accepted).
        pool: candidates a step of the batch method; draws that the exact method's price is estimated from.
        max_calls: draws that the exact method may spend on a chunk.
        on_budget: when they are spent: choose among them by the batch rule (batch), or stop (raise).
        steps: print a line about each step instead of bare text.
        device: auto, cpu, cuda or mps.
    """

    prompt: str = ""
    model: str = "default"
    temperature: float = 0.5
    seed: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    max_tokens: int = 256
    method: Literal["batch", "exact"] = "batch"
    pool: int = 200
    max_calls: int = 20_000
    on_budget: Literal["batch", "raise"] = "batch"
    steps: bool = False
    device: str = "auto"


def run(args: list[str]) -> int:
    """Load the model, write the prompt and what follows it."""
    command = COMMANDS["generate"]
    options = parse(GenerateOptions, args, prog="calm-lab generate", summary=command.summary, example=command.example)
    try:
        options.prompt.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError("the prompt is not valid UTF-8: check the terminal's encoding") from None

    from calm_lab.loading import load_writer
    from calm_lab.model.transformer import TokenTransformer

    model = load_writer(options.model, options.device)
    if isinstance(model, TokenTransformer):
        _write_tokens(model, options)
    else:
        _write_chunks(model, options)
    if not options.steps:
        print()
    return 0


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _write_tokens(model: TokenTransformer, options: GenerateOptions) -> None:
    """The baseline: one token a step, by softmax temperature."""
    from calm_lab.toolkit.softmax import write_tokens

    if options.method == "exact":
        raise InputError("a token Transformer has probabilities, so its temperature is exact: leave out --method")
    pieces = write_tokens(model, options.prompt, options.temperature, options.max_tokens, options.seed)
    for index, piece in enumerate(pieces):
        if options.steps:
            print(f"{index:>4}  {piece!r}")
        else:
            _show(f"{'' if index else options.prompt}{piece}")


def _write_chunks(model: CALM, options: GenerateOptions) -> None:
    """A CALM: one chunk a step, by repeated draws."""
    exact = options.method == "exact"
    drawn = calm_lab.generate(
        model,
        options.prompt,
        temperature=options.temperature,
        method=options.method,
        pool=options.pool,
        max_tokens=options.max_tokens,
        seed=options.seed,
        max_calls=options.max_calls,
        on_budget=options.on_budget,
    )
    if exact:
        from calm_lab.toolkit.generate import estimate_price

        price = estimate_price(model, options.prompt, options.temperature, options.pool, options.seed)
        print(f"exact sampling at T = {options.temperature:g}, first chunk: {price}", file=sys.stderr)
    spent = count = 0
    for step in drawn:
        count += 1
        spent += step.fell_back
        if options.steps:
            n = f"n={step.n_used}" if step.n_used else f"trials={step.trials}"
            print(
                f"{step.index:>4}  {step.text!r}  candidates={len(step.candidates)} {n} calls={step.calls}"
                f" {step.seconds:.3f}s{' budget spent' if step.fell_back else ''}"
            )
        else:
            _show(f"{'' if step.index else options.prompt}{step.text}")
    if spent:
        sys.stdout.flush()
        print(
            f"\n{spent} of {count} chunks spent their {options.max_calls:,} draws and were chosen by the batch rule:"
            " raise --max-calls for exact ones",
            file=sys.stderr,
        )
