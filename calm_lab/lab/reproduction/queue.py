"""The queue: every run that is missing, one after the other, in an order in which all studies grow together.

It can be stopped at any moment and started again, and several processes may walk it side by side: a run's folder is
locked by whoever is at it, the others pass on to the next, and come back to it at the end.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from calm_lab.errors import InputError, choose_from
from calm_lab.lab.reproduction.cells import Cell, Scale
from calm_lab.lab.reproduction.grid import Study, studies
from calm_lab.lab.reproduction.results import Store, key
from calm_lab.lab.reproduction.runs import Runner
from calm_lab.training.run_folder import FolderTaken

WAIT = 10.0
"""Seconds between two looks at what others are at, when nothing else is left to do."""


@dataclass(frozen=True)
class Status:
    """How far a study is.

    Attributes:
        study: the study.
        done: runs that have ended.
        wanted: runs that it takes.
        seconds: of training, in the ended ones; evaluations and the autoencoders' own training not counted.
        left: the same of the missing ones, by the mean of the ended ones; nan without any.
    """

    study: Study
    done: int
    wanted: int
    seconds: float
    left: float


def select(scale: Scale, names: Iterable[str], seeds: int | None = None) -> list[Study]:
    """The studies called ``names``, or all of them; at ``seeds`` seeds where that is given.

    Raises:
        InputError: for an unknown name or no seed.
    """
    if seeds is not None and seeds < 1:
        raise InputError(f"seeds must be at least 1, not {seeds}")
    known = studies(scale)
    for name in names:
        if name not in known:
            raise InputError(choose_from(name, known, "study"))
    picked = [known[name] for name in names] or list(known.values())
    return [dataclasses.replace(s, seeds=seeds or s.seeds) for s in picked]


def order(wanted: Iterable[Study]) -> Iterator[tuple[Cell, int]]:
    """Runs in the order to do them: all cells at seed 0, then at seed 1, and so on; each training once."""
    wanted = list(wanted)
    seen: set[tuple[str, int]] = set()
    for seed in range(max((study.seeds for study in wanted), default=0)):
        for study in wanted:
            for cell in study.cells if seed < study.seeds else ():
                mark = key(cell), seed
                if mark not in seen:
                    seen.add(mark)
                    yield cell, seed


def asked_for_extras(every: Iterable[Study]) -> frozenset[tuple[str, int]]:
    """Key and seed of the runs that some study asks for more than BrierLM."""
    return frozenset((key(cell), seed) for s in every if s.extras for seed in range(s.seeds) for cell in s.cells)


def work(wanted: Iterable[Study], runner: Runner, tell: Callable[[str], None], wait: float = WAIT) -> int:
    """Carry out what is missing, and wait for what other processes are at; how many runs were done here."""
    done, said = 0, set[str]()
    missing = list(order(wanted))
    while missing:
        taken = []
        for cell, seed in missing:
            if runner.store.path(cell, seed).exists():
                continue
            try:
                path = runner.run(cell, seed)
            except FolderTaken as error:
                taken.append((cell, seed))
                if str(error) not in said:
                    said.add(str(error))
                    tell(f"{cell.name}, seed {seed}: later; {error}")
                continue
            done += 1
            tell(f"{cell.name}, seed {seed}: wrote {path}")
        if len(taken) == len(missing):
            time.sleep(wait)
        missing = taken
    return done


def status(study: Study, store: Store) -> Status:
    """How far ``study`` is."""
    runs = list(order([study]))
    ended = [data for cell, seed in runs if (data := store.read(cell, seed)) is not None]
    seconds = sum(data["seconds"] for data in ended)
    left = (len(runs) - len(ended)) * seconds / len(ended) if ended else math.nan
    return Status(study, len(ended), len(runs), seconds, 0.0 if len(ended) == len(runs) else left)
