"""``calm-lab reproduce``: the paper's tables and figures again, run by run, resumable.

Several of these may work side by side on one machine; on two cores, two with one thread each (``--jobs 2``) get through
more runs than one with two.
"""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from calm_lab.cli.commands import COMMANDS
from calm_lab.cli.parsing import parse

if TYPE_CHECKING:
    from calm_lab.lab.reproduction.grid import Study
    from calm_lab.lab.reproduction.results import Store


@dataclass(frozen=True)
class ReproduceOptions:
    """What to run and where to keep it.

    Attributes:
        names: studies; none means all of them, --list names them.
        scale: nano (minutes a run on two cores), lab or S (GPUs).
        seeds: seeds of each study, where they should differ from the study's own.
        list: show what is done and what is missing, and run nothing.
        verdicts: show what the finished runs say of the paper's claims, and run nothing.
        page: write the page of all results, Markdown, to this file, and run nothing.
        jobs: processes side by side, one thread each; 1 works in this process with all threads.
        tokenizer: a tokenizer.json for all models; scale S has none of its own.
        results: folder of the result files; by default the bundled ones.
        runs: folder of the training runs; may be removed when the results are there.
    """

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    scale: Literal["nano", "lab", "S"] = "nano"
    seeds: int | None = None
    list: bool = False
    verdicts: bool = False
    page: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    jobs: int = 1
    tokenizer: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    results: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    runs: Annotated[Path, tyro.conf.arg(metavar="FOLDER")] = Path("runs/reproduce")


def run(args: list[str]) -> int:
    """Run what is missing, or list it."""
    command = COMMANDS["reproduce"]
    options = parse(ReproduceOptions, args, prog="calm-lab reproduce", summary=command.summary, example=command.example)
    from calm_lab.errors import InputError
    from calm_lab.lab.reproduction.cells import check_runnable, find_scale
    from calm_lab.lab.reproduction.grid import studies
    from calm_lab.lab.reproduction.queue import asked_for_extras, select, work
    from calm_lab.lab.reproduction.results import ASSETS, Store
    from calm_lab.lab.reproduction.runs import Runner

    scale = find_scale(options.scale, options.tokenizer)
    wanted = select(scale, options.names, options.seeds)
    if options.jobs < 1:
        raise InputError(f"jobs must be at least 1, not {options.jobs}")
    store = Store((options.results or ASSETS) / options.scale)
    if options.list:
        print("\n".join(listing(wanted, store)))
    elif options.verdicts:
        print("\n".join(verdicts(wanted, store)))
    elif options.page is not None:
        from calm_lab.lab.reproduction.beyond import FILE, measure_ceilings
        from calm_lab.lab.reproduction.figures import figures
        from calm_lab.lab.reproduction.page import PICTURES, page

        if scale.corpus == "storyland" and not (store.folder / FILE).exists():
            measure_ceilings(scale, store)
        options.page.write_text(page(scale, store), "utf-8")
        folder = options.page.parent / PICTURES
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures(scale, store).items():
            (folder / f"{name}.png").write_bytes(figure._repr_png_())
        print(f"wrote {options.page}")
    else:
        store.check_writable()
        check_runnable(scale)
        if options.jobs > 1:
            return side_by_side(args, options.jobs)
        asked = asked_for_extras([*studies(scale).values(), *wanted])
        done = work(wanted, Runner(store, options.runs / options.scale, asked), print)
        print(f"{done} runs done; what is there: calm-lab reproduce --list")
    return 0


def listing(wanted: list[Study], store: Store) -> list[str]:
    """One line a study: done, missing, hours."""
    from calm_lab.lab.reproduction.queue import status

    lines = [f"{'study':<14} {'of the paper':<18} {'done':>9}  {'took':>8}  {'left':>8}  question"]
    for study in wanted:
        s = status(study, store)
        left = "?" if math.isnan(s.left) else f"{s.left / 3600:.1f} h"
        took = f"{s.seconds / 3600:.1f} h"
        lines.append(
            f"{study.name:<14} {study.paper:<18} {f'{s.done} of {s.wanted}':>9}  {took:>8}  {left:>8}  {study.question}"
        )
    lines.append("hours of training; evaluations, and the autoencoders' own training, come on top")
    return lines


def verdicts(wanted: list[Study], store: Store) -> list[str]:
    """The claims of every study, each with its difference and its verdict."""
    from calm_lab.lab.reproduction.results import judge

    lines = []
    for study in wanted:
        lines.append(f"{study.name} ({study.paper})")
        for claim in study.claims:
            found = judge(study, claim, store)
            lines.append(f"  {found.verdict:<14} {claim.text}; {found.measured} ({found.pairs} pairs)")
    return lines


def side_by_side(args: list[str], jobs: int) -> int:
    """Walk the queue with several processes of one thread each; 0 if all ended well, else what one ended with."""
    alone = [*args, "--jobs", "1"]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "calm_lab.cli", "reproduce", *alone]
    workers = [subprocess.Popen(command, env=os.environ | threads) for _ in range(jobs)]
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C reaches the workers too: each saves its run, then ends
        for worker in workers:
            worker.wait()
    return max(abs(worker.wait()) for worker in workers)  # negative: killed by a signal
