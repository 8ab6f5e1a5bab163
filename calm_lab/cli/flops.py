"""``calm-lab flops``: parameters and FLOPs per token, part by part, beside a token Transformer of the same size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from calm_lab.cli.commands import COMMANDS
from calm_lab.cli.parsing import parse


@dataclass(frozen=True)
class FlopsOptions:
    """What to count and how.

    Attributes:
        preset: tiny, nano, lab, S, M, L or XL.
        model: count this bundled model or folder instead of a preset.
        chunk_size: K of the preset.
        head: head of the preset's CALM.
        context: positions in a row: chunks for CALM, tokens for the Transformer.
        pool: draws a step in generation; 1 is enough at temperature 1.
        convention: exact counts what this code computes, paper counts as the paper's table does.
        paper: print the paper's Table 1 beside our counts, and what the table leaves out.
    """

    preset: str = "nano"
    model: Annotated[str | None, tyro.conf.arg(metavar="MODEL")] = None
    chunk_size: int = 4
    head: Literal["energy", "flow", "diffusion"] = "energy"
    context: int = 2048
    pool: int = 1
    convention: Literal["exact", "paper"] = "exact"
    paper: bool = False


def run(args: list[str]) -> int:
    """Print the tables."""
    command = COMMANDS["flops"]
    options = parse(FlopsOptions, args, prog="calm-lab flops", summary=command.summary, example=command.example)

    from calm_lab.lab.cost_report import format_flops_report
    from calm_lab.lab.flops import flops
    from calm_lab.model.config import preset

    if options.model is not None:
        from calm_lab.model.checkpoint import load

        loaded = load(options.model)
        counted = flops(loaded, convention=options.convention, context=options.context, pool=options.pool)
        costs = {options.model: counted}
    else:
        sizes = preset(options.preset, options.chunk_size)
        calm = flops(
            sizes.calm(options.head),
            sizes.autoencoder,
            convention=options.convention,
            context=options.context,
            pool=options.pool,
        )
        token = flops(sizes.transformer(), convention=options.convention, context=options.context)
        costs = {f"CALM, preset {options.preset}": calm, f"token Transformer, preset {options.preset}": token}
    print(format_flops_report(costs, paper=options.paper, pool=options.pool))
    return 0
