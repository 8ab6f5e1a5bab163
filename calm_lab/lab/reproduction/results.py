"""Result files and what they say: one small JSON a run, and a verdict on every claim by the rule of ``grid``."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from calm_lab.errors import CheckpointError, InputError
from calm_lab.lab.reproduction.cells import Cell
from calm_lab.lab.reproduction.grid import Claim, Study
from calm_lab.model.checkpoint import write_json
from calm_lab.model.stored import read_json
from calm_lab.training.recipes import CalmRecipe, Recipe

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "results"
Verdict = Literal["holds", "does not hold", "can't tell", "missing"]
# Student's t, 97.5%, by degrees of freedom (tables in any statistics book; a test holds them to scipy's)
T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
# Fields of a recipe that decide where, how fast or how often, and the seed, which a result's name has beside the key.
BESIDE_THE_RESULT = (
    *("out", "resume", "device", "keep", "save_every", "evaluate_every"),
    *("seed", "compile", "autoencoder"),
)


def changed(recipe: Recipe) -> dict[str, Any]:
    """The fields of a recipe that decide its result and differ from their defaults."""
    fields = (f for f in dataclasses.fields(recipe) if f.name not in BESIDE_THE_RESULT)
    return {f.name: value for f in fields if (value := getattr(recipe, f.name)) != f.default}


def key(cell: Cell) -> str:
    """Which training a cell is: equal for cells of different studies that describe the same one."""
    parts: dict[str, Any] = {"model": {"kind": cell.recipe.kind, **changed(cell.recipe)}}
    if isinstance(cell.recipe, CalmRecipe):
        parts["autoencoder"] = changed(cell.autoencoder)
    return f"{cell.recipe.kind}-{digest(parts)}"


def digest(data: object) -> str:
    """Twelve hexadecimal digits that stand for plain data."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Store:
    """The result files of one scale.

    Attributes:
        folder: where they lie.
    """

    folder: Path

    def path(self, cell: Cell, seed: int) -> Path:
        """The result file of a run."""
        return self.folder / f"{key(cell)}-s{seed}.json"

    def read(self, cell: Cell, seed: int) -> dict[str, Any] | None:
        """The result of a run; None if it has not ended yet.

        Raises:
            CheckpointError: if the file is damaged.
        """
        path = self.path(cell, seed)
        if not path.exists():
            return None
        data = read_json(path)
        if not isinstance(data.get("metrics"), dict):
            raise CheckpointError(f"{path}: holds no metrics; remove it and run again")
        return data

    def write(self, cell: Cell, seed: int, data: dict[str, Any]) -> Path:
        """Keep the result of a run; it appears under its name only when complete."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.path(cell, seed), data)
        return self.path(cell, seed)

    def check_writable(self) -> None:
        """Find out before hours of training whether their result can be kept.

        Raises:
            InputError: if it cannot.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise InputError(
                f"{self.folder}: cannot be written ({error.strerror}); choose another --results"
            ) from error

    def metric(self, cell: Cell, seed: int, name: str) -> float | None:
        """One metric of a run; None if the run is missing or the metric is undefined there."""
        data = self.read(cell, seed)
        value = data["metrics"].get(name) if data else None
        return float(value) if isinstance(value, int | float) else None

    def metrics(self, cell: Cell, seeds: int, name: str) -> list[float]:
        """One metric of all runs of a cell that have it."""
        found = (self.metric(cell, seed, name) for seed in range(seeds))
        return [value for value in found if value is not None]


@dataclass(frozen=True)
class Interval:
    """A mean with its 95% t-interval.

    Attributes:
        mean: the mean; nan of nothing.
        half: half the interval's width; nan for fewer than two values.
        count: how many values.
    """

    mean: float
    half: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Interval:
        """The interval of a few values, one a seed."""
        count = len(values)
        if count < 2:
            return cls(values[0] if values else math.nan, math.nan, count)
        quantile = T_975[min(count - 2, len(T_975) - 1)]  # beyond the table: its last entry, a little too wide
        return cls(float(np.mean(values)), quantile * float(np.std(values, ddof=1)) / math.sqrt(count), count)

    def __str__(self) -> str:
        if not self.count:
            return "-"
        return f"{self.mean:.2f}" if math.isnan(self.half) else f"{self.mean:.2f} ± {self.half:.2f}"


@dataclass(frozen=True)
class Judgement:
    """A claim and what the runs say of it.

    Attributes:
        claim: the claim.
        difference: of the pairs, A minus B, Brier-n in percent.
        verdict: by the rule.
        undefined: seeds at which a run has ended without the metric (a BrierLM where some Brier-n is not positive).
        seeds: how many the study wants.
    """

    claim: Claim
    difference: Interval
    verdict: Verdict
    undefined: int
    seeds: int

    @property
    def measured(self) -> str:
        """What was found, in one piece: ``BrierLM of base - zero: 4.50 ± 0.69``."""
        return f"{self.claim.difference}: {self.difference}"

    @property
    def pairs(self) -> str:
        """From how many pairs: ``5``, ``3 of 5`` while runs are missing, ``4, 1 undefined``."""
        some = f"{self.difference.count}" + ("" if self.complete else f" of {self.seeds}")
        return some + (f", {self.undefined} undefined" if self.undefined else "")

    @property
    def complete(self) -> bool:
        """Whether all runs that the claim asks for have ended."""
        return self.difference.count + self.undefined >= self.seeds


def judge(study: Study, claim: Claim, store: Store) -> Judgement:
    """Judge a claim by the rule that ``grid`` states, from the seeds at which all its runs have ended."""
    sides = [(claim.first, claim.per and claim.per[0]), (claim.second, claim.per and claim.per[1])]
    cells = [[study.cell(name) for name in side if name] for side in sides]
    differences: list[float] = []
    undefined: list[tuple[bool, bool]] = []  # whether A's metric is, whether B's
    for seed in range(study.seeds):
        if any(store.read(cell, seed) is None for side in cells for cell in side):
            continue
        a, b = (_quotient([store.metric(cell, seed, claim.metric) for cell in side]) for side in cells)
        if a is None or b is None:
            undefined.append((a is None, b is None))
        else:
            differences.append(claim.factor * (a - b))
    interval = Interval.of(differences)
    lost = (True, False) in undefined, (False, True) in undefined
    return Judgement(claim, interval, _verdict(interval, claim.above, lost), len(undefined), study.seeds)


def _quotient(values: list[float | None]) -> float | None:
    """A metric, or its share of another one; None where either is undefined or the whole is not positive."""
    part, whole = values[0], values[1] if len(values) > 1 else 1.0
    return None if part is None or whole is None or whole <= 0 else part / whole


def _verdict(interval: Interval, above: bool, lost: tuple[bool, bool]) -> Verdict:
    """The verdict on A scoring above B, or below; ``lost``: whether A, or B, alone was somewhere without a score."""
    if interval.count < 2:
        return "missing"
    first = interval.mean - interval.half > 0 and not lost[0]  # A scores above
    second = interval.mean + interval.half < 0 and not lost[1]
    if not (first or second):
        return "can't tell"
    return "holds" if first == above else "does not hold"
