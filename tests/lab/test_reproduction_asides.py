"""Asides of the reproduction page: said where there are runs to count, and counted right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from calm_lab.lab.reproduction.asides import ASIDES, asides
from calm_lab.lab.reproduction.cells import SCALES
from calm_lab.lab.reproduction.grid import studies
from calm_lab.lab.reproduction.results import ASSETS, Store

NANO = SCALES["nano"]
KEPT = Store(ASSETS / "nano")


def said(name: str, store: Store = KEPT) -> str:
    return "\n".join(asides(studies(NANO)[name], NANO, store))


def scores(**recipe: Any) -> dict[int, float]:
    """BrierLM by seed of the kept runs whose recipe has these fields and no others beside the base's, read by hand."""
    base = {"kind": "calm", "documents": 12000, "steps": 400, "warmup": 20, "hidden_size": 128, "targets": 16}
    found = {}
    for path in (ASSETS / "nano").glob("calm-*.json"):
        data = json.loads(path.read_text("utf-8"))
        plain = {
            k for k in data["autoencoder"] if k not in ("corpus", "documents", "steps", "hidden_size", "tokenizer")
        }
        if data["recipe"] == {**base, **recipe} and plain == {"random_tokens"}:
            found[data["seed"]] = data["metrics"]["brier_lm"]
    return found


@pytest.mark.parametrize("name", ASIDES)
def test_without_runs_nothing_is_said_of_them(name: str, tmp_path: Path) -> None:
    left = said(name, Store(tmp_path))
    assert left == "" or (name == "chunk-size" and "the bundled models" in left)  # those are there
    assert said(name)


@pytest.mark.parametrize("samples", [{"samples": 12}, {}], ids=["N = 12", "N = 8"])
def test_the_heads_are_held_against_more_samples(samples: dict[str, int]) -> None:
    energy, flow = scores(**samples), scores(head="flow", samples=4)
    differences = [energy[seed] - flow[seed] for seed in range(3)]
    half = float(stats.t.ppf(0.975, 2) * np.std(differences, ddof=1) / np.sqrt(3))
    assert f"{np.mean(differences):.2f} ± {half:.2f} with N = {samples.get('samples', 8)}" in said("heads")


def test_the_frontier_is_the_best_that_was_no_dearer() -> None:
    line = said("table-1")
    found: dict[str, list[float]] = {}
    for path in (ASSETS / "nano").glob("transformer-*.json"):
        data = json.loads(path.read_text("utf-8"))
        if data["recipe"].get("corpus", "storyland") == "storyland" and data["training_flops"] < 1.4e13:
            found.setdefault(data["key"], []).append(data["metrics"]["brier_lm"])
    assert f"{max(np.mean(values) for values in found.values()):.2f} (transformer-w128" in line


def test_a_collapse_is_not_denied(tmp_path: Path) -> None:
    study = studies(NANO)["regularisers"]
    store = Store(tmp_path)
    for seed in range(2):
        store.write(study.cell("kl"), seed, {"metrics": {"collapsed_coordinates": 0}})
    assert "In none of the 2 runs" in said("regularisers", store)
    store.write(study.cell("kl"), 1, {"metrics": {"collapsed_coordinates": 7}})
    assert said("regularisers", store) == ""
