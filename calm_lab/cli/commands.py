"""The table of commands: what each is for, one example, and the module that runs it.

The table is all that ``calm-lab --help`` needs, so help appears at once: a command's module, and with it torch or
gradio, is imported only when that command runs.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True)
class Command:
    """One command of the top level.

    Attributes:
        name: what the user types after ``calm-lab``.
        summary: what it does, one line.
        example: a whole command line that works.
        module: the module of this package with ``run(args) -> int``.
    """

    name: str
    summary: str
    example: str
    module: str

    def run(self, args: Sequence[str]) -> int:
        """Import the command and run it with the arguments that follow its name; returns the exit code."""
        module = importlib.import_module(f"calm_lab.cli.{self.module}")
        return cast(int, module.run(list(args)))


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command(
            "doctor",
            "check versions, device, models, corpora and disk; each with its remedy",
            "calm-lab doctor",
            "doctor",
        ),
        Command(
            "app",
            "open the app in the browser",
            "calm-lab app --port 8000",
            "app",
        ),
        Command(
            "generate",
            "write text, chunk by chunk, from a prompt",
            'calm-lab generate --prompt "Once upon a time" --temperature 0.5 --seed 1',
            "generate",
        ),
        Command(
            "corpora",
            "list the texts, or fetch one into the cache",
            "calm-lab corpora --fetch andersen",
            "corpora",
        ),
        Command(
            "train",
            "train an autoencoder, a CALM or a token Transformer",
            "calm-lab train autoencoder --corpus andersen --preset nano --out runs/ae",
            "train",
        ),
        Command(
            "evaluate",
            "measure a model on text it has not seen",
            "calm-lab evaluate --model runs/calm --corpus andersen",
            "evaluate",
        ),
        Command(
            "models",
            "list the bundled models and what is on their cards",
            "calm-lab models",
            "models",
        ),
        Command(
            "reproduce",
            "repeat the paper's tables and figures at laboratory scale, run by run",
            "calm-lab reproduce regularisers --jobs 2",
            "reproduce",
        ),
        Command(
            "flops",
            "count parameters and FLOPs per token",
            "calm-lab flops --preset M --chunk-size 4",
            "flops",
        ),
        Command(
            "import-official",
            "turn a checkpoint of the paper's authors into a calm_lab folder",
            "calm-lab import-official cccczshao/CALM-M runs/calm-m",
            "import_official",
        ),
    )
}


def overview() -> str:
    """The text of ``calm-lab --help``: every command with one example."""
    lines = [
        "calm-lab: an interactive laboratory for Continuous Autoregressive Language Models",
        "",
        "usage: calm-lab COMMAND [OPTIONS]      calm-lab COMMAND --help      calm-lab --version",
        "",
    ]
    for command in COMMANDS.values():
        lines += [f"  {command.name:<16} {command.summary}", f"  {'':<16} $ {command.example}", ""]
    lines.append("Bad input is answered with one line that names the remedy, and exit code 2.")
    return "\n".join(lines)
