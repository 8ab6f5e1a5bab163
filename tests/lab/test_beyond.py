"""What the page says beyond the paper: shares of the exact ceiling, and the error bar beside the spread of seeds."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np

from calm_lab.lab.reproduction import beyond
from calm_lab.lab.reproduction.cells import SCALES
from calm_lab.lab.reproduction.grid import studies
from calm_lab.lab.reproduction.results import ASSETS, Store

NANO = SCALES["nano"]
SCORES = (9.0, 10.0, 12.5)


def filled(folder: Path) -> Store:
    store, cell = Store(folder), studies(NANO)["start"].cell("base")
    for seed, score in enumerate(SCORES):
        metrics = {"brier_lm": score, "brier_lm_standard_error": 0.2, "positions": 8000}
        store.write(cell, seed, {"metrics": metrics, "seconds": 1.0})
    (folder / beyond.FILE).write_text(json.dumps({"4": {"brier_lm": 50.0, "error": 0.1}}), "utf-8")
    return store


def test_a_score_is_held_against_the_ceiling_of_its_own_chunk_size(tmp_path: Path) -> None:
    lines = list(beyond.beyond(NANO, filled(tmp_path)))
    (row,) = [line for line in lines if line.startswith("| k4-w128")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == "3"
    assert cells[3] == "50.00"
    assert cells[4].startswith(f"{np.mean(SCORES) * 2:.2f} ±")
    assert not any(line.startswith("| k8") for line in lines)  # no run, no row


def test_the_error_of_one_run_stands_beside_the_spread_of_seeds(tmp_path: Path) -> None:
    text = "\n".join(beyond.beyond(NANO, filled(tmp_path)))
    assert "standard error of 0.20 at 8,000 positions" in text
    assert f"standard deviation of {np.std(SCORES, ddof=1):.2f}" in text
    assert "lies 0.33 below" in text


def test_without_runs_only_what_needs_none_is_said(tmp_path: Path) -> None:
    lines = list(beyond.beyond(NANO, Store(tmp_path)))
    assert not any("standard deviation" in line or line.startswith("|") for line in lines)


def test_the_kept_ceilings_fall_as_chunks_grow_within_their_errors() -> None:
    """Chunk starts at every K sample the same stories; none can pass 100, and the language is far from uniform."""
    known = json.loads((ASSETS / "nano" / beyond.FILE).read_text("utf-8"))
    assert set(known) == {"1", "2", "4", "8"}
    assert all(55 < best["brier_lm"] < 65 and best["error"] < 0.5 for best in known.values())
    for smaller, larger in itertools.pairwise(sorted(known, key=int)):
        room = 2 * math.hypot(known[smaller]["error"], known[larger]["error"])
        assert known[larger]["brier_lm"] < known[smaller]["brier_lm"] + room
