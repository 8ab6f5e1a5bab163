"""The panels that ask a trained model: the energy score on text, and temperatures at a prompt."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from calm_lab.app import positions_panel, tempering_panel
from calm_lab.app.bench import Bench
from calm_lab.app.limits import SHARED
from calm_lab.app.main import build_app
from calm_lab.app.shelf import Shelf
from calm_lab.errors import CalmLabError
from calm_lab.lab import tempering_model
from calm_lab.lab.energy_text import score_text
from calm_lab.lab.reproduction import extras
from calm_lab.model import checkpoint
from tests.app.small_models import SENTENCES, calm, small_rows, transformer

DIALS = {"alpha": 1, "draws": 16, "seed": 3}


@pytest.fixture(scope="module")
def bench(models: Path, no_bundled: None) -> Bench:
    return Bench(Shelf(models, "cpu"))


# -------------------------------------------------------------------------------------------------- energy on a text


def test_a_text_is_scored_chunk_by_chunk(bench: Bench) -> None:
    values = list(positions_panel.score(bench, SENTENCES[0], "small-calm", DIALS))
    found = score_text(calm(), SENTENCES[0], draws=16, seed=3)
    assert [len(value["chunks"]) for value in values] == [*range(1, len(found.chunks) + 1), len(found.chunks)]
    assert [value["status"] for value in values] == ["running"] * len(found.chunks) + ["done"]
    assert len({value["run"] for value in values}) == 1
    for sent, chunk in zip(values[-1]["chunks"], found.chunks, strict=True):
        assert (sent["text"], sent["hits"]) == (chunk.text, chunk.hits)
        assert sent["score"] == pytest.approx(chunk.score, rel=1e-4)
    assert json.loads(json.dumps(values[-1])) == values[-1]


def test_the_python_of_a_scored_text_draws_its_picture(bench: Bench) -> None:
    value = list(positions_panel.score(bench, SENTENCES[0], "small-calm", DIALS))[-1]
    names: dict[str, Any] = {}
    exec(value["python"], names)
    assert [chunk.score for chunk in names["found"].chunks] == pytest.approx(
        [chunk["score"] for chunk in value["chunks"]], rel=1e-5
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"text": None}, "the text must be text"),
        ({"text": ""}, "there is no text"),
        ({"text": "sea " * 2000}, "shorten it to at most"),
        ({"model": "../etc"}, "model"),
        ({"dials": None}, "alpha must be a number above 0"),
        ({"dials": DIALS | {"alpha": 3}}, "alpha must be a number above 0"),
        ({"dials": DIALS | {"draws": 1}}, "the number of draws must be"),
        ({"dials": DIALS | {"draws": 20}}, "draws must be a multiple of 8"),
        ({"dials": DIALS | {"seed": -1}}, "the seed must be"),
    ],
)
def test_a_text_that_cannot_be_scored_is_refused(bench: Bench, change: dict[str, Any], told: str) -> None:
    asked = {"text": SENTENCES[0], "model": "small-calm", "dials": DIALS, **change}
    with pytest.raises(CalmLabError, match=re.escape(told)):
        list(positions_panel.score(bench, **asked))


def test_a_public_host_draws_fewer(models: Path) -> None:
    with pytest.raises(CalmLabError, match="from 2 to 128"):
        next(
            positions_panel.score(Bench(Shelf(models, "cpu"), SHARED), "The sea.", "small-calm", DIALS | {"draws": 256})
        )


# ---------------------------------------------------------------------------------------------- temperature at a prompt

HEAT = {"n": 2, "pool": 20, "draws": 500, "seed": 3}


def test_a_prompt_is_studied_from_its_draws(bench: Bench) -> None:
    value = tempering_panel.study(bench, SENTENCES[0], "small-calm", HEAT)
    draws = tempering_model.prompt_draws(calm(), SENTENCES[0], 500, 3)
    found = tempering_model.study_draws(calm(), draws, 2, 20, 3)
    assert (value["distinct"], value["draws"], value["pool"]) == (found.distinct, 500, 20)
    assert [one["count"] for one in value["outcomes"]] == [one.count for one in found.outcomes]
    assert [gap["shortfall"]["value"] for gap in value["gaps"]] == pytest.approx(
        [gap.shortfall.value for gap in found.gaps], rel=1e-4, abs=1e-6
    )
    assert [price["n"] for price in value["prices"]] == [1, 2, 3, 4, 5, 6]
    json.dumps(value, allow_nan=False)
    names: dict[str, Any] = {}
    exec(value["python"], names)
    assert names["study"].distinct == found.distinct


def test_the_same_prompt_is_drawn_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tempering_panel.study(bench, SENTENCES[1], "small-calm", HEAT)
    monkeypatch.setattr(tempering_panel, "prompt_draws", lambda *_: pytest.fail("drawn again"))
    assert tempering_panel.study(bench, SENTENCES[1], "small-calm", HEAT | {"n": 3, "pool": 50})["n"] == 3


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"prompt": 3}, "the prompt must be text"),
        ({"model": "nobody"}, "unknown model 'nobody'"),
        ({"dials": None}, "n of T = 1/n must be"),
        ({"dials": HEAT | {"n": 9}}, "n of T = 1/n must be a whole number from 1 to 6"),
        ({"dials": HEAT | {"draws": 10}}, "the number of draws must be"),
        ({"dials": HEAT | {"pool": 126}}, "the pool must be a whole number from 1 to 125"),
        ({"dials": HEAT | {"seed": "x"}}, "the seed must be"),
    ],
)
def test_a_prompt_that_cannot_be_studied_is_refused(bench: Bench, change: dict[str, Any], told: str) -> None:
    asked = {"prompt": SENTENCES[0], "model": "small-calm", "dials": HEAT, **change}
    with pytest.raises(CalmLabError, match=re.escape(told)):
        tempering_panel.study(bench, **asked)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    """Rows of the small model's sentences in place of a corpus, and pools small enough for a test."""
    ids = small_rows()
    monkeypatch.setattr(tempering_panel, "_rows", lambda *_: ids)
    monkeypatch.setattr(extras, "POOLS", (1, 5))
    return ids


def test_accuracy_against_collision_grows_and_ends_as_the_reproduction_has_it(bench: Bench, few: torch.Tensor) -> None:
    values = list(tempering_panel.tradeoff(bench, "small-calm"))
    curves = list(extras.growing_temperature_curve(calm(), few, block=8, positions=160))
    assert len(values) == len(curves) + 2
    assert values[0]["calm"] == []
    assert [value["positions"] for value in values[1:-1]] == [curve[0]["positions"] for curve in curves]
    assert [point["accuracy"] for point in values[-1]["calm"]] == pytest.approx(
        [point["accuracy"] for point in curves[-1]], rel=1e-4
    )
    assert curves[-1] == extras.temperature_curve(calm(), few, block=8)  # fewer positions here than either asks for
    assert (values[-1]["status"], values[-1]["partner"], values[-1]["transformer"]) == ("done", None, [])
    json.dumps(values[-1], allow_nan=False)


def test_the_transformer_is_measured_beside_it(few: torch.Tensor, models: Path, tmp_path: Path) -> None:
    for name in ("small-calm", "small-autoencoder"):
        shutil.copytree(models / name, tmp_path / name)
    checkpoint.save(transformer(), tmp_path / "small-transformer", {"data": {"corpus": "three sentences"}})
    value = list(tempering_panel.tradeoff(Bench(Shelf(tmp_path, "cpu")), "small-calm"))[-1]
    assert value["partner"] == "small-transformer"
    assert [point["temperature"] for point in value["transformer"]] == list(extras.SOFTMAX)
    compile(value["python"], "copied", "exec")
    assert "softmax_points(baseline" in value["python"]


def test_no_model_is_loaded_before_somebody_asks(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shelf, "_load", lambda *_: pytest.fail("loaded too early"))
    build_app(models, "cpu")
