"""``calm-lab flops``: parameters and FLOPs per token, part by part, beside a token Transformer of the same size."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
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
        input: what a position of the preset's CALM reads.
        samples: N of the energy loss, and how often flow and diffusion repeat a position; by default the model's.
        steps: of a flow or diffusion head's sampler; by default 10 and 100.
        solver: of a flow head: midpoint calls its network twice a step, euler once.
        context: positions in a row: chunks for CALM, tokens for the Transformer.
        pool: draws a step in generation; 1 is enough at temperature 1.
        convention: exact counts what this code computes, paper counts as the paper's table does.
        paper: print the paper's Table 1 beside our counts, and what the table leaves out.
        page: write docs/scale.md, the paper's scale on paper, to this file.
    """

    preset: str = "nano"
    model: Annotated[str | None, tyro.conf.arg(metavar="MODEL")] = None
    chunk_size: int = 4
    head: Literal["energy", "flow", "diffusion"] = "energy"
    input: Literal["discrete", "continuous", "both"] = "discrete"
    samples: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    steps: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    solver: Literal["midpoint", "euler"] = "midpoint"
    context: int = 2048
    pool: int = 1
    convention: Literal["exact", "paper"] = "exact"
    paper: bool = False
    page: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None


def run(args: list[str]) -> int:
    """Print the tables."""
    command = COMMANDS["flops"]
    options = parse(FlopsOptions, args, prog="calm-lab flops", summary=command.summary, example=command.example)

    if options.page is not None:
        from calm_lab.lab.scale_page import scale_page

        options.page.write_text(scale_page(), "utf-8")
        print(f"wrote {options.page}")
        return 0

    from calm_lab.lab.cost_report import format_flops_report
    from calm_lab.lab.flops import flops
    from calm_lab.model.presets import preset

    count = functools.partial(
        flops,
        convention=options.convention,
        context=options.context,
        pool=options.pool,
        samples=options.samples,
        steps=options.steps,
        solver=options.solver,
    )
    if options.model is not None:
        from calm_lab.model.checkpoint import load

        costs = {options.model: count(load(options.model))}
    else:
        sizes = preset(options.preset, options.chunk_size)
        calm = count(sizes.calm(options.head, options.input), sizes.autoencoder)
        token = count(sizes.transformer())
        costs = {f"CALM, preset {options.preset}": calm, f"token Transformer, preset {options.preset}": token}
    print(format_flops_report(costs, paper=options.paper, pool=options.pool))
    return 0
