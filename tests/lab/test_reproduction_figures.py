"""The curves join the right points of the right seeds, and the pictures show what is there and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from calm_lab.lab.reproduction.cells import SCALES, Cell
from calm_lab.lab.reproduction.curves import learning_curve, sampler_curve
from calm_lab.lab.reproduction.figures import figures
from calm_lab.lab.reproduction.grid import studies
from calm_lab.lab.reproduction.page import PICTURES, page
from calm_lab.lab.reproduction.results import ASSETS, Store

NANO = SCALES["nano"]
GRID = studies(NANO)
DOCS = Path(__file__).parents[2] / "docs"


def keep(store: Store, cell: Cell, seed: int, brier: float | None, **more: Any) -> None:
    run = {
        "metrics": {"brier_lm": brier},
        "seconds": 1.0,
        "machine": {"device": "cpu"},
        "training_flops": 1e12 * cell.autoencoder.chunk_size,
        "inference_flops_per_token": 1e6 * cell.autoencoder.chunk_size,
        "evaluations": [],
        "extras": {},
    }
    store.write(cell, seed, run | more)


def test_a_learning_curve_is_the_mean_of_the_seeds_step_by_step(tmp_path: Path) -> None:
    cell, store = GRID["heads"].cell("flow"), Store(tmp_path)
    for seed, scores in enumerate(([1.0, 3.0], [2.0, 5.0], [None, 7.0])):
        on_the_way = [{"step": 10 * i, "brier_lm": score, "brier": [0]} for i, score in enumerate(scores, 1)]
        keep(store, cell, seed, 1.0, evaluations=on_the_way)
    first, second = learning_curve(cell, 3, store)
    assert (first.setting, first["brier_lm"].count, first.undefined) == ({"step": 10}, 0, 1)  # two seeds would flatter
    assert second.undefined == 0
    assert (second.setting, second["brier_lm"].mean, second["brier_lm"].count) == ({"step": 20}, 5.0, 3)
    assert len(learning_curve(cell, 1, store)) == 2
    assert learning_curve(GRID["heads"].cell("diffusion"), 3, store) == []


def test_a_samplers_curve_keeps_settings_apart(tmp_path: Path) -> None:
    cell, store = GRID["heads"].cell("base"), Store(tmp_path)
    for seed in range(2):
        points = [
            {"n": n, "pool": pool, "brier_lm": None, "accuracy": 10.0 * n + seed, "collision": pool, "positions": 3}
            for n, pool in ((2, 500), (3, 500), (3, 10))
        ]
        keep(store, cell, seed, 1.0, extras={"temperature": points})
    found = sampler_curve(cell, 2, store, "temperature")
    assert [point.setting for point in found] == [{"n": 2, "pool": 500}, {"n": 3, "pool": 500}, {"n": 3, "pool": 10}]
    assert [point["accuracy"].mean for point in found] == [20.5, 30.5, 30.5]
    assert [(point["brier_lm"].count, point.undefined) for point in found] == [(0, 2)] * 3
    assert sampler_curve(cell, 2, store, "steps") == []


def test_nothing_is_drawn_of_nothing(tmp_path: Path) -> None:
    assert figures(NANO, Store(tmp_path)) == {}
    assert "![" not in page(NANO, Store(tmp_path))


def test_the_frontier_joins_a_width_in_the_order_of_k_and_names_each_point(tmp_path: Path) -> None:
    study, store = GRID["chunk-size"], Store(tmp_path)
    for cell in study.cells:
        if cell.name in ("k8-w128", "k1-w128", "k4-w128", "k4-w192", "transformer-w64"):
            for seed in range(2):
                keep(store, cell, seed, 10.0 / cell.autoencoder.chunk_size + seed)
    keep(store, study.cell("k2-w128"), 0, None)  # undefined: no point
    drawn = figures(NANO, store)
    assert set(drawn) == {"chunk-size-frontier"}
    training, writing = drawn["chunk-size-frontier"].axes
    assert [text.get_text() for text in training.texts] == ["64", "K=1", "K=4", "K=8", "K=4"]
    assert training.get_xscale() == writing.get_xscale() == "log"
    plain, small, large = (line for line in training.lines if len(line.get_xdata()) and line.get_marker() == "o")
    assert list(small.get_xdata()) == [1e12, 4e12, 8e12]
    assert list(small.get_ydata()) == pytest.approx([10.5, 3.0, 1.75])
    assert len(plain.get_xdata()) == len(large.get_xdata()) == 1
    assert len({plain.get_color(), small.get_color(), large.get_color()}) == 3
    assert list(writing.lines[0].get_xdata()) == [4e6]


def test_the_page_links_every_picture_and_no_other() -> None:
    """If this fails: ``calm-lab reproduce --page docs/reproduction.md``."""
    drawn = set(figures(NANO, Store(ASSETS / "nano")))
    assert {path.stem for path in (DOCS / PICTURES).glob("*.png")} == drawn
    text = (DOCS / "reproduction.md").read_text("utf-8")
    assert all(f"({PICTURES}/{name}.png)" in text for name in drawn)
