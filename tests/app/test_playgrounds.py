"""What the tabs "Energy score" and "Temperature" compute, without a browser: values, refusals, laziness."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from calm_lab.app import energy_tab, tempering_tab
from calm_lab.app.bench import Bench
from calm_lab.app.main import build_app
from calm_lab.app.runs import stopped
from calm_lab.app.shelf import Shelf
from calm_lab.errors import CalmLabError
from calm_lab.lab import energy_training, tempering
from calm_lab.lab.energy_plane import Plane, read_plane

pytestmark = pytest.mark.usefixtures("no_bundled")
THREE = list(tempering.PRESETS["three"])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """No model is needed on these tabs."""
    return Bench(Shelf(tmp_path, "cpu"))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training of six steps and three looks."""
    genuine = energy_training.train_two_modes
    monkeypatch.setattr(energy_training, "train_two_modes", lambda *a: genuine(*a, steps=6, snapshots=3))


# ------------------------------------------------------------------------------------------------------- energy score


def test_the_plane_is_sent_with_the_noise_that_python_uses(bench: Bench) -> None:
    value = energy_tab.plane_value(bench, 5)
    plane = Plane(seed=5)
    reading = read_plane(plane)
    assert json.loads(json.dumps(value)) == value
    for kind, points, centre, spread in (
        ("samples", reading.samples, plane.cloud, plane.spread),
        ("targets", reading.targets, plane.target, plane.target_spread),
    ):
        sent = json.loads(value["noise"][kind])[: len(points)]
        for (a, b), (x, y) in zip(sent, points.tolist(), strict=True):
            assert (centre[0] + spread * a, centre[1] + spread * b) == pytest.approx((x, y), abs=1e-12)


def test_new_noise_keeps_what_the_visitor_has_set(bench: Bench) -> None:
    before = {**energy_tab.plane_value(bench, 1), "alpha": 1.5, "cloud": [1.0, 2.0], "evil": "x"}
    after = energy_tab.plane_value(bench, 2, before)
    assert (after["alpha"], after["cloud"], after["seed"]) == (1.5, [1.0, 2.0], 2)
    assert after["noise"] != before["noise"]
    assert "evil" not in after


@pytest.mark.usefixtures("short")
def test_a_training_grows_look_by_look(bench: Bench) -> None:
    values = list(energy_tab.train(bench, {"alpha": 1.5, "n": 3, "m": 2}, 1))
    assert [len(value["looks"]) for value in values] == [1, 2, 3, 4, 4]
    assert [value["status"] for value in values] == ["running"] * 4 + ["done"]
    assert len({value["run"] for value in values}) == 1
    assert (values[-1]["alpha"], values[-1]["n"], values[-1]["m"]) == (1.5, 3, 2)
    assert len(json.loads(values[-1]["points"])) == 256
    assert next(energy_tab.train(bench, {"alpha": 1.5, "n": 3, "m": 2}, 1))["run"] != values[0]["run"]
    json.dumps(values[-1], allow_nan=False)


def test_before_any_training_the_untrained_network_is_shown(bench: Bench) -> None:
    value = energy_tab.untrained(bench, 7)
    assert (value["status"], [look["step"] for look in value["looks"]]) == ("ready", [0])
    assert value["points"] == energy_tab._text(next(energy_training.train_two_modes(1.0, 16, 64, 7)).points)


@pytest.mark.parametrize(
    ("plane", "seed", "told"),
    [
        (None, 7, "N must be a whole number from 2 to 64"),
        ({"alpha": 1, "n": 1, "m": 1}, 7, "N must be"),
        ({"alpha": 1, "n": 65, "m": 1}, 7, "N must be"),
        ({"alpha": 1, "n": 2, "m": 0}, 7, "M must be"),
        ({"alpha": 0, "n": 2, "m": 1}, 7, "alpha must be a number above 0"),
        ({"alpha": "warm", "n": 2, "m": 1}, 7, "alpha must be"),
        ({"alpha": float("nan"), "n": 2, "m": 1}, 7, "alpha must be"),
        ({"alpha": 1, "n": 2, "m": 1}, -1, "the seed must be"),
        ({"alpha": 1, "n": 2, "m": 1}, None, "the seed must be"),
    ],
)
def test_a_training_that_cannot_be_is_refused(bench: Bench, plane: Any, seed: Any, told: str) -> None:
    with pytest.raises(CalmLabError, match=re.escape(told)):
        next(energy_tab.train(bench, plane, seed))


def test_stop_marks_what_runs_and_forgets_what_waits() -> None:
    assert stopped({"status": "running", "looks": []}) == {"status": "stopped", "looks": []}
    assert stopped({"status": "ended", "queued": True}) == {"status": "ended", "queued": False}
    assert stopped({"status": "done"}) == gr.skip() == stopped(None)


# -------------------------------------------------------------------------------------------------------- temperature


def test_a_study_holds_both_samplers_where_the_temperature_is_one_over_n(bench: Bench) -> None:
    value = tempering_tab.study(bench, THREE, 0.5, 16, 7)
    assert value["law"] == pytest.approx(THREE)
    assert value["goal"] == pytest.approx([p * p / 0.38 for p in THREE])
    assert value["exact"]["samples"] == value["batch"]["samples"] == tempering_tab.SAMPLES
    assert (value["n"], value["batch"]["n"], value["batch"]["pool"]) == (2, 2, 16)
    assert value == tempering_tab.study(bench, THREE, 0.5, 16, 7)
    assert value["exact"]["shares"] != tempering_tab.study(bench, THREE, 0.5, 16, 8)["exact"]["shares"]
    json.dumps(value, allow_nan=False)


def test_between_two_fractions_only_the_exact_sampler_runs(bench: Bench) -> None:
    value = tempering_tab.study(bench, THREE, 0.4, 16, 7)
    assert value["batch"] is None
    assert (value["n"], value["exact"]["has_stage2"]) == (2, True)


def test_weights_need_not_sum_to_one(bench: Bench) -> None:
    assert tempering_tab.study(bench, [5, 3, 2], 0.4, 16, 7)["law"] == pytest.approx(THREE)


def test_too_dear_a_study_says_its_price_and_stays_json(bench: Bench) -> None:
    value = tempering_tab.study(bench, [1] * 16, 0.1, 16, 7)
    assert value["exact"]["samples"] == 0
    assert value["exact"]["calls"]["value"] is None
    assert value["exact"]["calls"]["theory"] == pytest.approx(10 * 16.0**9, rel=1e-5)
    json.dumps(value, allow_nan=False)


def test_the_curves_jump_where_stage_2_is_spared(bench: Bench) -> None:
    value = tempering_tab.prices(bench, THREE, 0.4, 16, 7)
    assert [len(part) for part in value["between"]] == [13] * 9
    assert [point[0] for point in value["whole"]] == pytest.approx([1 / n for n in range(1, 11)], rel=1e-5)
    assert [len(value["measured"]), len(value["shortfall"])] == [len(tempering.MEASURED_AT), len(tempering.POOLS)]
    just_below_one, one = value["between"][0][0], value["whole"][0]
    assert one[1] == 1
    assert just_below_one[1] > 3.9  # the two stages cost three more outcomes of calls, however near T is to 1
    assert value["n"] == 2
    json.dumps(value, allow_nan=False)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"weights": None}, "0 outcomes"),
        ({"weights": [1.0]}, "1 outcomes"),
        ({"weights": [0.1] * 17}, "17 outcomes"),
        ({"weights": [1, "2"]}, "must be numbers"),
        ({"weights": [1, -1]}, "not negative"),
        ({"temperature": 0.05}, "between 0.1 and 1"),
        ({"temperature": 1.5}, "between 0.1 and 1"),
        ({"temperature": float("nan")}, "between 0.1 and 1"),
        ({"temperature": "cold"}, "the temperature must be a number"),
        ({"pool": 0}, "the pool must be a whole number"),
        ({"pool": 10_000}, "the pool must be a whole number"),
        ({"seed": None}, "the seed must be a whole number"),
    ],
)
@pytest.mark.parametrize("ask", [tempering_tab.study, tempering_tab.prices])
def test_bad_settings_are_refused(bench: Bench, ask: Any, change: dict[str, Any], told: str) -> None:
    good = {"weights": THREE, "temperature": 0.5, "pool": 16, "seed": 7}
    with pytest.raises(CalmLabError, match=re.escape(told)):
        ask(bench, **{**good, **change})


# --------------------------------------------------------------------------------------------------------------- page


def test_nothing_is_computed_before_a_tab_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (energy_tab, "plane_value"),
        (energy_tab, "untrained"),
        (tempering_tab, "study"),
        (tempering_tab, "prices"),
    ):
        monkeypatch.setattr(module, name, lambda *_: pytest.fail("computed too early"))
    build_app(tmp_path, "cpu")
