"""One study of the grid in a few lines of text: what a notebook prints where the paper has a table.

Each configuration with the mean of its seeds and a 95% t-interval, each claim with its verdict by the rule of ``grid``.
What has not been run is not made up: it is said to be missing.

Notebooks: 06, 09, 10.
"""

from __future__ import annotations

import textwrap

from calm_lab.errors import InputError, choose_from
from calm_lab.lab.cost_report import text_table
from calm_lab.lab.reproduction.cells import SCALES, Cell
from calm_lab.lab.reproduction.grid import Study, studies
from calm_lab.lab.reproduction.results import ASSETS, Interval, Store, judge


def find_study(name: str, scale: str = "nano") -> Study:
    """The study called ``name``; InputError for an unknown one."""
    known = studies(SCALES[scale])
    if name not in known:
        raise InputError(choose_from(name, known, "study"))
    return known[name]


def brier_of(cell: Cell, study: Study, store: Store | None = None) -> Interval:
    """BrierLM of a configuration: the mean over the seeds that have ended and have one, with its interval."""
    return Interval.of((store or Store(ASSETS / "nano")).metrics(cell, study.seeds, "brier_lm"))


def brief(name: str, store: Store | None = None) -> str:
    """A study as text.

    Args:
        name: of the study.
        store: where its results lie; by default among the package's assets.

    Returns:
        A table and the verdicts, or one line that says how to run the study.

    Raises:
        InputError: for an unknown study.
        CheckpointError: if a result file is damaged.
    """
    study, store = find_study(name), store or Store(ASSETS / "nano")
    rows, ended = [], 0
    for cell in study.cells:
        runs = sum(store.read(cell, seed) is not None for seed in range(study.seeds))
        found = brier_of(cell, study, store)
        undefined = f" ({runs - found.count} undefined)" if found.count < runs else ""
        rows.append([cell.name, f"{runs} of {study.seeds}", f"{found}{undefined}"])
        ended += runs
    head = f"{study.name} ({study.paper}), this laboratory's runs"
    if not ended:
        return f"{head}: none yet; calm-lab reproduce {study.name} makes them"
    verdicts = []
    for claim in study.claims:
        found_claim = judge(study, claim, store)
        verdicts.append(f"{found_claim.verdict}: {claim.text}; {found_claim.measured} ({found_claim.pairs} pairs)")
    if any(verdict.startswith("missing") for verdict in verdicts):
        verdicts.append("(missing: fewer than two seeds have ended both ways)")
    if study.remark:
        verdicts.append(textwrap.fill(study.remark, 120))
    table = text_table(["configuration", "seeds", "BrierLM ± 95%"], rows)
    return "\n".join([f"{head}:", table, *verdicts])
