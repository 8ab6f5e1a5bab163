"""What the tabs compute, without a browser: values of the drawings, limits, errors, and how the page is wired."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from calm_lab.app import look
from calm_lab.app.bench import Bench
from calm_lab.app.generate_runs import STEPS, Request, compare, example_run, price, write
from calm_lab.app.guard import told
from calm_lab.app.limits import OPEN, SHARED, Limits
from calm_lab.app.main import TABS, build_app
from calm_lab.app.runs import paced, stopped
from calm_lab.app.shelf import Shelf
from calm_lab.app.vectors_tab import read
from calm_lab.errors import CalmLabError, CheckpointError, InputError
from calm_lab.model import checkpoint
from calm_lab.toolkit.softmax import write_tokens
from tests.app.small_models import transformer

pytestmark = pytest.mark.usefixtures("no_bundled")
PUBLIC = {"encode", "decode", "generate", "score"}


@pytest.fixture(scope="module")
def bench(models: Path) -> Bench:
    return Bench(Shelf(models, "cpu"))


# ------------------------------------------------------------------------------------------------------------ vectors


def test_a_text_becomes_a_board(bench: Bench) -> None:
    value = read(bench, "Once upon a time there was", 0.5, 7, "default")
    assert value["total"] == sum(sum(chunk["counted"]) for chunk in value["chunks"])
    assert all(len(chunk["mean"]) == value["latent_size"] for chunk in value["chunks"])
    assert value == read(bench, "Once upon a time there was", 0.5, 7, "small-autoencoder")
    assert json.loads(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "sigma", "seed", "told_text"),
    [
        ("x" * 100_000, 0, 7, "The text has 100,000 characters: shorten it to at most 20,000."),
        ("word " * 3000, 0, 7, "shorten it to at most 320."),
        ("a\ud800", 0, 7, "lone surrogate"),
        ("a", 99, 7, "Sigma must lie between 0 and 10"),
        ("a", None, 7, "sigma must be a number"),
        ("a", 0, -1, "noise seed must be a whole number"),
        ("a", 0, None, "noise seed must be a whole number"),
        ("a", 0, 1.5, "noise seed must be a whole number"),
    ],
)
def test_bad_text_becomes_one_line(bench: Bench, text: str, sigma: float, seed: Any, told_text: str) -> None:
    message = read(bench, text, sigma, seed, "default")["message"]
    assert told_text.lower() in message.lower()
    assert "\n" not in message


def test_no_text_is_no_error(bench: Bench) -> None:
    assert read(bench, "", 0, 7, "default") == {"empty": True}


# ----------------------------------------------------------------------------------------------------------- generate


def test_a_run_grows_step_by_step(bench: Bench) -> None:
    values = list(write(bench, Request("Once upon", 3, 24, 50, 1, "default")))
    assert [len(value["steps"]) for value in values[:-1]] == list(range(len(values) - 1))
    assert {value["status"] for value in values[:-1]} == {"running"}
    assert values[-1]["status"] in ("ended", "full")
    assert len({value["run"] for value in values}) == 1
    for step in values[-1]["steps"]:
        assert step["draws"] == 50
        assert sum(candidate["chosen"] for candidate in step["candidates"]) == 1
    json.dumps(values[-1])


def test_the_seed_decides(bench: Bench) -> None:
    def text(seed: int) -> str:
        return "".join(step["text"] for step in list(write(bench, Request("", 1, 32, 1, seed, "default")))[-1]["steps"])

    assert text(1) == text(1)
    assert len({text(seed) for seed in range(6)}) > 1


@pytest.mark.parametrize(
    ("change", "told_text"),
    [
        ({"prompt": "x" * 100_000}, "100,000 characters"),
        ({"n": 0}, "n of T = 1/n"),
        ({"n": max(STEPS) + 1}, "n of T = 1/n"),
        ({"n": "cold"}, "n of T = 1/n"),
        ({"length": 0}, "length must be a whole number from 1 to 512"),
        ({"length": 10_000}, "length must be a whole number"),
        ({"pool": 0}, "the pool must be a whole number from 1 to 1,000, not 0"),
        ({"pool": 1_000_000}, "pool must be a whole number"),
        ({"pool": float("nan")}, "pool must be a whole number"),
        ({"seed": None}, "seed must be a whole number"),
        ({"method": "magic"}, "the method must be batch or exact"),
        ({"method": "exact", "heat": 0.01}, "the temperature must be a number from 0.125 to 1"),
        ({"method": "exact", "heat": None}, "the temperature must be a number"),
        ({"method": "exact", "budget": 0}, "the budget of draws must be a whole number from 1 to 50,000"),
        ({"model": "whale"}, "unknown model 'whale'"),
    ],
)
def test_bad_settings_are_refused(bench: Bench, change: dict[str, Any], told_text: str) -> None:
    good = {"prompt": "a", "n": 2, "length": 8, "pool": 10, "seed": 1, "model": "default"}
    with pytest.raises(CalmLabError, match=re.escape(told_text)):
        list(write(bench, Request(**{**good, **change})))


def test_a_fast_run_is_sent_at_the_pages_pace() -> None:
    values = [{"step": i} for i in range(50)]
    assert list(paced(iter(values), seconds=60)) == [values[0], values[-1]]
    assert list(paced(iter(values), seconds=0)) == values
    assert list(paced(iter([]))) == []


def test_an_exact_run_is_priced_first(bench: Bench) -> None:
    asked = Request("Once upon", 3, 12, 50, 1, "default", method="exact", heat=0.5)
    values = list(write(bench, asked))
    assert (values[0]["status"], values[0]["steps"], values[0]["estimate"]) == ("running", [], None)  # at once
    assert values[1]["steps"] == []
    assert values[1]["estimate"]["pilot"] == 1000
    assert values[1]["estimate"]["calls"] >= 2
    assert {k: v for k, v in values[1]["estimate"].items() if k != "seconds_per_call"} == {
        k: v for k, v in price(bench, asked).items() if k != "seconds_per_call"
    }
    for step in values[-1]["steps"]:
        assert step["exact"]
        assert step["accepted"] == 1 or step["fell_back"]
        assert step["trials"] >= step["agreed"] >= step["accepted"]
    assert values[-1]["spent"]["calls"] == sum(step["draws"] for step in values[-1]["steps"])


def test_a_spent_budget_ends_as_asked(bench: Bench) -> None:
    asked = Request("", 8, 12, 50, 1, "default", method="exact", heat=1 / 8, budget=8)
    last = list(write(bench, asked))[-1]
    assert any(step["fell_back"] for step in last["steps"])
    stop = list(write(bench, dataclasses.replace(asked, spent="stop")))[-1]
    assert stop["status"] == "spent"
    assert stop["steps"] == []
    assert stop["refused"] == {"calls": 8, "trials": 1, "agreed": 0}


def test_three_temperatures_say_when_no_transformer_fits(bench: Bench) -> None:
    value = list(compare(bench, Request("Once upon", 2, 12, 40, 1, "default")))[-1]
    assert value["status"] == "done"
    assert [(lane["kind"], lane["n"]) for lane in value["lanes"]] == [("calm", 1), ("calm", 2), ("calm", 3)]
    assert value["missing"]["found"] == 0
    assert value["missing"]["corpus"] == "three sentences"
    for lane in value["lanes"]:
        alone = list(write(bench, Request("Once upon", lane["n"], 12, 40, 1, "default")))[-1]
        assert [step["text"] for step in lane["steps"]] == [step["text"] for step in alone["steps"]]


def test_three_temperatures_beside_a_transformer(models: Path, tmp_path: Path) -> None:
    for folder in models.iterdir():
        (tmp_path / folder.name).symlink_to(folder)
    checkpoint.save(transformer(), tmp_path / "of-another-corpus", {"data": {"corpus": "something else"}})
    other = Bench(Shelf(tmp_path, "cpu"))
    asked = Request("Once upon", 2, 12, 40, 1, "default")
    assert list(compare(other, asked))[-1]["missing"]["found"] == 1
    checkpoint.save(transformer(), tmp_path / "beside", {"data": {"corpus": "three sentences"}})
    value = list(compare(other, asked))[-1]
    assert value["missing"] is None
    tokens = [lane for lane in value["lanes"] if lane["kind"] == "transformer"]
    assert [lane["n"] for lane in tokens] == [1, 2, 3]
    assert {lane["model"] for lane in tokens} == {"beside"}
    for lane in tokens:
        assert lane["spent"]["tokens"] == len(lane["pieces"]) <= 12
        written = write_tokens(transformer(), "Once upon", 1 / lane["n"], 12, 1)
        assert "".join(lane["pieces"]) == "".join(written)
    json.dumps(value)


def test_the_page_can_tell_changed_settings(bench: Bench) -> None:
    asked = Request("Once upon", 3, 4, 10, 1, "default").settings()
    assert asked["prompt"] == "9:Once upon"
    assert asked != Request("Once upon", 2, 4, 10, 1, "default").settings()
    assert len(Request("a" * 3000, 3, 4, 10, 1, "default").settings()["prompt"]) < 300


def test_a_long_prompt_is_not_sent_back_whole(bench: Bench) -> None:
    value = next(write(bench, Request("a" * 3000, 2, 4, 4, 1, "default")))
    assert len(value["prompt"]) < 1000
    assert value["prompt"].startswith("…")


def test_the_worked_example_is_written_once(bench: Bench) -> None:
    first = example_run(bench, "small-calm", 0)
    assert first is example_run(bench, "small-calm", 0)
    assert first["steps"]


def test_stop_marks_a_running_text_only() -> None:
    assert stopped({"status": "running", "steps": [1]}) == {"status": "stopped", "steps": [1]}
    assert stopped({"status": "ended"}) == gr.skip() == stopped(None)


# ------------------------------------------------------------------------------------------------------ limits, errors


def test_a_public_host_allows_less() -> None:
    for name in ("characters", "shown_tokens", "new_tokens", "pool", "vectors", "samples", "request_bytes"):
        assert getattr(SHARED, name) < getattr(OPEN, name)
    assert SHARED.waiting


@pytest.mark.parametrize("value", [True, "3", None, float("inf"), 2.5, -1, 11])
def test_numbers_are_checked(value: object) -> None:
    with pytest.raises(InputError, match="x must be a whole number from 0 to 10"):
        Limits().check_number(value, "x", 0, 10)
    assert Limits().check_number(3.0, "x", 0, 10) == 3


def test_our_errors_become_one_line_and_others_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    @told
    def ours() -> None:
        raise InputError("there is no text: type some")

    @told
    def stream() -> Any:
        yield 1
        raise RuntimeError("secret details")

    with pytest.raises(gr.Error) as caught:
        ours()
    assert caught.value.message == "There is no text: type some."
    assert not caught.value.print_exception
    with pytest.raises(gr.Error) as unforeseen:
        list(stream())
    assert "secret" not in unforeseen.value.message
    assert "secret details" in caplog.text


# --------------------------------------------------------------------------------------------------------------- page


def test_only_the_four_endpoints_are_public(models: Path) -> None:
    config = build_app(models, "cpu").get_config_file()
    public = {d["api_name"] for d in config["dependencies"] if d["api_visibility"] == "public"}
    assert public == PUBLIC


def test_the_row_of_tabs_holds_tabs_only(models: Path) -> None:
    """Whatever else stands among them takes a place in the row, and the last tabs are lost in the browser."""
    config = build_app(models, "cpu").get_config_file()
    kinds = {component["id"]: component["type"] for component in config["components"]}

    def row(node: dict[str, Any]) -> list[str] | None:
        children = node.get("children") or []
        if kinds.get(node.get("id")) == "tabs":
            return [kinds[child["id"]] for child in children]
        return next((found for child in children if (found := row(child)) is not None), None)

    assert row(config["layout"]) == ["tabitem"] * len(TABS)


def test_building_loads_no_model(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from calm_lab.model import checkpoint

    monkeypatch.setattr(checkpoint, "load", lambda *_: pytest.fail("a model was loaded"))
    build_app(models, "cpu")


def test_the_page_stands_without_models(tmp_path: Path) -> None:
    build_app(tmp_path, "cpu")
    message = read(Bench(Shelf(tmp_path, "cpu")), "a", 0, 7, "default")["message"]
    assert "calm-lab train autoencoder" in message


def test_a_missing_models_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        build_app(tmp_path / "none", "cpu")


def test_the_look_fetches_nothing_from_elsewhere() -> None:
    sheets = [look.theme()._get_theme_css(), look.style(), *(p.read_text("utf-8") for p in look.STATIC.glob("*.js"))]
    addresses = [found for sheet in sheets for found in re.findall(r"""(?:https?:)?//[\w.-]+\.\w+""", sheet)]
    assert [a for a in addresses if "www.w3.org" not in a] == []
    assert look.theme()._stylesheets == []
    assert look.launch_options()["ssr_mode"] is False


def test_text_reaches_the_page_as_text_only() -> None:
    for path in look.STATIC.glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", path.read_text("utf-8"))
