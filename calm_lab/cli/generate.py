"""``calm-lab generate``: text on stdout, chunk by chunk as it is drawn."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

import calm_lab
from calm_lab.cli.commands import COMMANDS
from calm_lab.cli.parsing import parse
from calm_lab.errors import InputError


@dataclass(frozen=True)
class GenerateOptions:
    """What to write and how.

    Attributes:
        prompt: text to go on from; empty starts a document.
        model: bundled name, or folder of a CALM or of its run.
        temperature: 1, 0.5, 0.33, ... (one over a whole number) for batch, anything in (0, 1] for exact.
        seed: the same seed gives the same text on the same device and torch version; by default a new one each time.
        max_tokens: stop after so many tokens, or at the end of the document.
        method: batch (a pool of candidates a step) or exact (draws until one is accepted).
        pool: candidates a step of the batch method.
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

    model = calm_lab.load_model(options.model, options.device)
    drawn = calm_lab.generate(
        model,
        options.prompt,
        temperature=options.temperature,
        method=options.method,
        pool=options.pool,
        max_tokens=options.max_tokens,
        seed=options.seed,
    )
    first = True
    for step in drawn:
        if options.steps:
            print(
                f"{step.index:>4}  {step.text!r}  candidates={len(step.candidates)} n={step.n_used} calls={step.calls}"
                f" {step.seconds:.3f}s"
            )
        else:
            sys.stdout.write(f"{options.prompt if first else ''}{step.text}")
            sys.stdout.flush()
        first = False
    if not options.steps:
        print()
    return 0
