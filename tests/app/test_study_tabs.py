"""The tabs BrierLM and What K buys without a browser: their values, refusals, code that runs, laziness, wiring."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import re
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from calm_lab.app import brier_tab, cost_tab, finding_words
from calm_lab.app.bench import Bench
from calm_lab.app.limits import OPEN, SHARED
from calm_lab.app.main import TABS, build_app
from calm_lab.app.shelf import Shelf
from calm_lab.app.translated import translated
from calm_lab.app.words import WORDS
from calm_lab.lab import brier_study
from calm_lab.lab.calculator import PAPER_SIZES, Sizes, calculate
from calm_lab.lab.measured import STUDIES
from calm_lab.lab.reproduction.cells import SCALES
from calm_lab.lab.reproduction.grid import studies
from calm_lab.model import checkpoint
from calm_lab.model.presets import preset
from calm_lab.model.transformer import TokenTransformer

pytestmark = pytest.mark.usefixtures("no_bundled")
CALM_M = dataclasses.asdict(PAPER_SIZES["CALM-M"])


@pytest.fixture(scope="module")
def bench(models: Path) -> Bench:
    return Bench(Shelf(models, "cpu"))


def strict(value: Any) -> Any:
    """The value after a trip as JSON, which knows no nan."""
    return json.loads(json.dumps(value, allow_nan=False))


# ------------------------------------------------------------------------------------------------------------ BrierLM


def test_a_study_becomes_plain_data(bench: Bench) -> None:
    value = strict(brier_tab.study(bench, {**brier_tab.FIRST, "positions": 1000}))
    language = brier_study.known_language("prose")
    assert value["ceiling"]["lm"] == pytest.approx(language.brier_ceiling().brier_lm)
    assert value["exact"]["lm"] < value["ceiling"]["lm"]
    assert value["curve"][-1]["n"] == value["gap"]["positions"] == 1000
    assert [row["positions"] for row in value["rows"]] == [point["n"] for point in value["curve"]]
    assert len(value["dials"]) == len(brier_tab.DIALS)
    assert [turn["dial"] for turn in value["dials"]] == pytest.approx(list(brier_tab.DIALS))


def test_what_is_undefined_is_none(bench: Bench) -> None:
    value = strict(brier_tab.study(bench, {**brier_tab.FIRST, "dial": -1, "positions": 1000}))
    assert value["exact"]["lm"] is None
    assert value["curve"][-1]["lm"] is value["curve"][-1]["lm_error"] is None
    assert {trap["name"]: trap["ours"] for trap in value["trap"]}["never"] is None


def test_the_seed_decides_the_draws(bench: Bench) -> None:
    def last(seed: int) -> list[float]:
        return brier_tab.study(bench, {**brier_tab.FIRST, "positions": 300, "seed": seed})["curve"][-1]["values"]

    assert last(1) == last(1) != last(2)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"language": "klingon"}, "unknown language 'klingon'"),
        ({"dial": 2}, "dial must lie between -1 and 1"),
        ({"dial": "up"}, "dial must be a number"),
        ({"dial": True}, "dial must be a number"),
        ({"positions": 10**7}, "positions must be a whole number from 2 to 100,000"),
        ({"positions": 1}, "positions must be a whole number"),
        ({"seed": None}, "seed must be a whole number"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_bad_settings_of_a_study_are_one_line(bench: Bench, change: dict[str, Any], told: str) -> None:
    message = brier_tab.study(bench, {**brier_tab.FIRST, **change})["message"]
    assert told in message.lower()
    assert "\n" not in message


@pytest.mark.parametrize("settings", [None, "all", 3, []])
def test_no_settings_are_refused(bench: Bench, settings: Any) -> None:
    assert "must be an object" in brier_tab.study(bench, settings)["message"]
    assert "must be an object" in cost_tab.count(bench, settings)["message"]


def test_a_public_host_allows_shorter_studies(models: Path) -> None:
    assert SHARED.positions < OPEN.positions
    shared = Bench(Shelf(models, "cpu"), SHARED)
    longest = {**brier_tab.FIRST, "positions": OPEN.positions}
    assert "from 2 to 30,000" in brier_tab.study(shared, longest)["message"]


def test_every_language_model_is_in_the_table(bench: Bench, tmp_path: Path) -> None:
    rows = brier_tab.study(bench, brier_tab.FIRST)["models"]
    assert [row["name"] for row in rows] == ["small-calm"]
    card = {"data": {"corpus": "tales"}, "metrics": {"test": {"brier_lm": 3.5, "brier": [0.2, 0.1, 0.05, 0.01]}}}
    checkpoint.save(TokenTransformer(preset("tiny").transformer()), tmp_path / "token", card)
    (row,) = strict(brier_tab.study(Bench(Shelf(tmp_path, "cpu")), brier_tab.FIRST)["models"])
    assert (row["name"], row["kind"], row["brier_lm"], row["corpus"]) == ("token", "transformer", 3.5, "tales")


# ------------------------------------------------------------------------------------------------------- what K buys


def test_the_calculator_answers(bench: Bench) -> None:
    value = strict(cost_tab.count(bench, CALM_M))
    answer = calculate(Sizes(**CALM_M))
    assert value["training"] == answer.training
    assert value["even_pool"] == answer.even_pool
    bars = {bar["name"]: bar for bar in value["bars"]}
    assert bars["4"]["inference"]["total"] == answer.calm.per_token
    assert bars["transformer"]["training"]["total"] == answer.transformer.training.total
    total = sum(
        row["flops_per_token"]
        for row in value["rows"]
        if (row["model"], row["K"], row["phase"]) == ("calm", 4, "inference") and row["part"] != "total"
    )
    assert total == pytest.approx(answer.calm.per_token)


def test_the_honest_line(bench: Bench) -> None:
    """The quoted pair of numbers is CALM-M's against Transformer-S, and its BrierLM is lower."""
    quoted, large = cost_tab.count(bench, CALM_M)["headline"][:2]
    assert (quoted["calm"], quoted["transformer"]) == ("CALM-M", "Transformer-S")
    assert (round(quoted["training"], 2), round(quoted["inference"], 2)) == (-0.44, -0.34)
    assert round(quoted["brier_lm"], 2) == -0.33
    assert (large["calm"], round(large["training"], 2), round(large["inference"], 2)) == ("CALM-L", 0.17, 0.05)
    english, chinese = WORDS["cost_honest_text"]
    for text in (english, chinese):
        assert "{gap}" in text
        assert "CALM-M" in text
        assert "CALM-L" in text


def test_every_claim_and_remark_is_there_in_chinese(bench: Bench) -> None:
    own = cost_tab.count(bench, CALM_M)["own"]
    said = [study for name, study in studies(SCALES["nano"]).items() if name in STUDIES]
    assert len(own["findings"]) == sum(len(study.claims) for study in said) > 5
    for text in (text for study in said for text in (*(claim.text for claim in study.claims), study.remark)):
        chinese = translated(text, finding_words.CHINESE)
        assert chinese
        assert re.search("[\u4e00-\u9fff]", chinese)
        assert re.findall(r"\d+\.\d+|w?\d{2,}", chinese) == re.findall(r"\d+\.\d+|w?\d{2,}", text)  # the same numbers
    for finding in own["findings"]:
        assert finding["chinese_difference"].endswith(finding["difference"].rpartition(": ")[2])


def test_a_pool_is_priced_in_the_table_too(bench: Bench) -> None:
    plain, pooled = (cost_tab.count(bench, {**CALM_M, "pool": pool}) for pool in (1, 100))
    assert (plain["pool"], pooled["pool"]) == (cost_tab.OFFICIAL_POOL, 100)
    over = {row["model"]: row.get("over") for row in plain["table"]}
    assert over["CALM-M"] > 60
    assert over["Transformer-S"] is None
    assert pooled["inference"] > 5 > 0 > plain["inference"]


def test_settings_that_came_as_floats_are_whole_numbers(bench: Bench) -> None:
    floats = {name: float(value) for name, value in CALM_M.items()}
    assert cost_tab.count(bench, floats) == cost_tab.count(bench, CALM_M)


@pytest.mark.parametrize(
    "change",
    [{"pool": 0}, {"pool": "many"}, {"chunk_size": math.inf}, {"hidden_size": 1000}, {"layers": None}, {"beta": 1}],
)
def test_bad_sizes_are_one_line(bench: Bench, change: dict[str, Any]) -> None:
    message = cost_tab.count(bench, {**CALM_M, **change})["message"]
    assert next(iter(change)) in message.lower() or "must be an object" in message
    assert "\n" not in message


def test_our_own_runs_are_counted_or_said_to_be_missing(bench: Bench) -> None:
    own = cost_tab.count(bench, CALM_M)["own"]
    assert 0 <= own["runs"] <= own["wanted"]
    assert bool(own["points"]) == bool(own["runs"])


def test_every_step_of_a_slider_can_be_counted() -> None:
    for key, steps in cost_tab.STEPS.items():
        assert list(steps) == sorted(set(steps))
        for step in steps:
            Sizes(**{key: step})
    for sizes in PAPER_SIZES.values():
        assert all(value in cost_tab.STEPS[key] for key, value in dataclasses.asdict(sizes).items())


# --------------------------------------------------------------------------------------------------------------- both


def test_the_code_to_copy_runs(bench: Bench) -> None:
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    small = {**brier_tab.FIRST, "positions": 300}
    for value in (brier_tab.study(bench, small), cost_tab.count(bench, CALM_M)):
        names: dict[str, Any] = {}
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(value["python"], "copied", "exec"), names)
        plt.close("all")
        if "points" in names:
            assert [p.brier_lm for p in names["points"]][-1] == pytest.approx(value["curve"][-1]["lm"])
        else:
            assert names["answer"].even_pool == value["even_pool"]
            assert f"even at {value['even_pool']} draws" in said.getvalue()


def test_nothing_is_computed_before_a_tab_is_opened(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((brier_tab, "study"), (cost_tab, "count")):
        monkeypatch.setattr(module, name, lambda *_: pytest.fail("computed while the page was built"))
    build_app(models, "cpu")


def test_the_order_of_the_tabs() -> None:
    names = [module.ID for module in TABS]
    assert names.index("vectors") < names.index("generate") < names.index("brier") < names.index("k-buys")


@pytest.mark.parametrize("key", ["brier_look", "cost_look"])
def test_a_tab_says_what_to_look_for(key: str) -> None:
    for text in WORDS[key]:
        assert text.count("**") == 2
        assert len(text) < 220


@pytest.mark.parametrize(("key", "module"), [("brier", "brier_study"), ("cost", "calculator")])
def test_how_it_is_computed_names_formula_and_module(key: str, module: str) -> None:
    for text in WORDS[f"{key}_how_text"]:
        assert text.count("$$") >= 2
        assert f"calm_lab/lab/{module}.py" in text
