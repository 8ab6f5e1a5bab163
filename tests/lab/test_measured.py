"""Our own runs beside the paper's: nothing where nothing was run, means and verdicts where something was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from calm_lab.lab.measured import STUDIES, results
from calm_lab.lab.reproduction.cells import SCALES
from calm_lab.lab.reproduction.grid import studies
from calm_lab.lab.reproduction.results import Store

NANO = SCALES["nano"]
STUDY = studies(NANO)["chunk-size"]


def run(store: Store, name: str, seed: int, brier_lm: float | None) -> Path:
    data: dict[str, Any] = {"metrics": {"brier_lm": brier_lm}, "training_flops": 2e14, "inference_flops_per_token": 3e6}
    return store.write(STUDY.cell(name), seed, data)


def test_nothing_is_measured_yet(tmp_path: Path) -> None:
    found = results(NANO, Store(tmp_path / "none"))
    assert (found.runs, found.points, found.findings) == (0, [], [])
    assert found.wanted > 50


def test_runs_become_points_and_verdicts(tmp_path: Path) -> None:
    store = Store(tmp_path)
    small = NANO.widths[0]
    for seed in range(3):
        run(store, f"k2-w{small}", seed, 10.0 + seed / 10)
        run(store, f"k4-w{small}", seed, 8.0 + seed / 10)
    found = results(NANO, store)
    points = {point.name: point for point in found.points}
    assert found.runs == 6
    assert points[f"k4-w{small}"].brier_lm.mean == pytest.approx(8.1)
    assert points[f"k4-w{small}"].chunk_size == 4
    assert points[f"k4-w{small}"].family == "calm"
    assert points[f"k2-w{small}"].training == 2e14
    (finding,) = (f for f in found.findings if f.pairs == 3)
    assert found.remarks == [studies(NANO)[name].remark for name in STUDIES]
    assert finding.verdict == "holds"
    assert "K = 4 scores below K = 2" in finding.text


def test_undefined_and_damaged_runs_do_no_harm(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run(store, f"transformer-w{NANO.baselines[0]}", 0, None)
    run(store, f"k8-w{NANO.widths[0]}", 0, 5.0).write_text("{", "utf-8")
    found = results(NANO, store)
    (point,) = found.points
    assert (point.family, point.chunk_size, point.runs, point.brier_lm.count) == ("transformer", 1, 1, 0)
    assert found.runs == 1


def test_what_ships_can_be_read() -> None:
    found = results()
    assert found.scale == "nano"
    assert found.runs <= found.wanted
    assert set(STUDIES) <= set(studies(NANO))
