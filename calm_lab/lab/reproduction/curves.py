"""Curves of the result files, a mean over seeds at each point: learning, sampler steps, temperature.

A run keeps its evaluations on the way and, where its study asks, the ``extras`` of its sampler. Here the same point of
several seeds becomes one, with its 95% t-interval. An undefined BrierLM is no accident but the worst outcome: the mean
of the other seeds would flatter, so the point then has none, and says at how many seeds that was so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from calm_lab.lab.reproduction.cells import Cell
from calm_lab.lab.reproduction.results import Interval, Store

OUTCOMES = ("brier_lm", "accuracy", "collision")
_NOT_SETTINGS = ("brier_lm_standard_error", "positions")


@dataclass(frozen=True)
class CurvePoint:
    """One setting of a sampler, or one step of a training.

    Attributes:
        setting: what was set, ``{"n": 3, "pool": 100}`` for instance.
        outcomes: BrierLM, accuracy and collision (the two as geometric means in percent) over seeds.
        undefined: seeds without a BrierLM; with any, ``outcomes`` has none.
    """

    setting: dict[str, Any]
    outcomes: dict[str, Interval]
    undefined: int = 0

    def __getitem__(self, name: str) -> Interval:
        return self.outcomes[name]


def learning_curve(cell: Cell, seeds: int, store: Store) -> list[CurvePoint]:
    """BrierLM at the evaluations on the way, by ``step`` (paper Fig 5)."""
    keep = ("step", "brier_lm")
    return _joined([{k: e[k] for k in keep} for e in run["evaluations"]] for run in _runs(cell, seeds, store))


def sampler_curve(cell: Cell, seeds: int, store: Store, name: str) -> list[CurvePoint]:
    """An extra of a cell's runs: ``steps`` (Figs 8, 9), ``temperature`` (Fig 10) or ``softmax`` (Fig 11)."""
    return _joined(run["extras"].get(name, []) for run in _runs(cell, seeds, store))


def _runs(cell: Cell, seeds: int, store: Store) -> list[dict[str, Any]]:
    return [run for seed in range(seeds) if (run := store.read(cell, seed)) is not None]


def _joined(runs: Iterable[list[dict[str, Any]]]) -> list[CurvePoint]:
    """The points of several runs, those of one setting put together, in the order of the first run."""
    groups: dict[tuple[tuple[str, Any], ...], list[dict[str, Any]]] = {}
    for points in runs:
        for point in points:
            setting = tuple((k, v) for k, v in point.items() if k not in (*OUTCOMES, *_NOT_SETTINGS))
            groups.setdefault(setting, []).append(point)
    return [_point(dict(setting), points) for setting, points in groups.items()]


def _point(setting: dict[str, Any], points: list[dict[str, Any]]) -> CurvePoint:
    found = {name: [p[name] for p in points if p.get(name) is not None] for name in OUTCOMES}
    undefined = len(points) - len(found["brier_lm"])
    if undefined:
        found["brier_lm"] = []
    return CurvePoint(setting, {name: Interval.of(values) for name, values in found.items()}, undefined)
