"""The tab Noise dial and the exchange of a token without a browser: values, refusals, code that runs."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from calm_lab.app import noise_tab, vectors_tab
from calm_lab.app.bench import Bench
from calm_lab.app.limits import SHARED
from calm_lab.app.main import build_app
from calm_lab.app.shelf import Shelf
from calm_lab.app.words import WORDS
from calm_lab.lab.noise_results import RULES
from calm_lab.lab.noise_sweep import SIGMAS
from calm_lab.model import checkpoint
from tests.app.small_models import SENTENCES, autoencoder

pytestmark = pytest.mark.usefixtures("no_bundled")
TEXT = SENTENCES[0]


@pytest.fixture(scope="module")
def bench(models: Path) -> Bench:
    return Bench(Shelf(models, "cpu"))


def strict(value: Any) -> Any:
    """The value after a trip as JSON, which knows no nan."""
    return json.loads(json.dumps(value, allow_nan=False))


# --------------------------------------------------------------------------------------------------------- noise dial


def test_a_text_falls_apart(bench: Bench) -> None:
    value = strict(noise_tab.falling(bench, TEXT, 7, "default"))
    assert value["sigmas"] == list(noise_tab.STEPS)
    assert all(answers[0][0] == 0 for answers in value["answers"])
    for place, sigma in ((0, 0.0), (40, 2.0)):
        right = sum(not [one for one in answers if one[0] <= place][-1][4] for answers in value["answers"])
        assert right == vectors_tab.read(bench, TEXT, sigma, 7, "default")["correct"]


@pytest.mark.parametrize(
    ("text", "seed", "told"),
    [("x" * 100_000, 7, "100,000 characters"), ("word " * 3000, 7, "shorten it to at most"), ("a", -1, "noise seed")],
)
def test_a_bad_text_is_one_line_and_leaves_the_curves(bench: Bench, text: str, seed: int, told: str) -> None:
    message = noise_tab.falling(bench, text, seed, "default")["message"]
    assert told in message
    assert "\n" not in message
    value = noise_tab.curves(bench, text, seed, "default")
    assert value["own"] == {}
    assert [row["name"] for row in value["models"]] == ["small-autoencoder"]


def test_no_text_is_no_error(bench: Bench) -> None:
    assert noise_tab.falling(bench, "", 7, "default") == {"empty": True}
    assert noise_tab.curves(bench, "", 7, "default")["own"] == {}


def test_the_curve_of_a_text(bench: Bench) -> None:
    value = strict(noise_tab.curves(bench, TEXT, 7, "default"))
    found = value["own"]["small-autoencoder"]
    assert [point[0] for point in found["points"]] == list(SIGMAS)
    assert all(0 <= low <= share <= high <= 1 for _, share, low, high in found["points"])
    assert 1 <= found["draws"] <= noise_tab.MOST_DRAWS
    config = autoencoder().config
    assert len(found["kl_bits"]) == config.latent_size
    assert sum(found["sigma_counts"]) == found["chunks"] * config.latent_size
    assert value["models"][0]["kept"] is None
    assert value["models"][0]["rule"] in (*RULES, "other")


def test_every_autoencoder_is_measured_in_turn(models: Path, tmp_path: Path) -> None:
    for name in ("first", "second", "third"):
        checkpoint.save(autoencoder(), tmp_path / name)
    values = list(noise_tab.compare(Bench(Shelf(tmp_path, "cpu")), TEXT, 7, "second"))
    assert [len(value["own"]) for value in values] == [1, 2, 3]
    assert values[-1]["own"]["first"] == values[-1]["own"]["second"]
    assert [bool(value.get("running")) for value in values] == [True, True, False]


def test_a_public_host_reads_shorter_texts(models: Path) -> None:
    text = "the sea " * 100
    assert "shorten" in noise_tab.falling(Bench(Shelf(models, "cpu"), SHARED), text, 7, "default")["message"]


def test_without_models_the_tab_says_so(tmp_path: Path) -> None:
    bench = Bench(Shelf(tmp_path, "cpu"))
    assert "calm-lab train autoencoder" in noise_tab.falling(bench, "a", 7, "default")["message"]
    assert noise_tab.curves(bench, "a", 7, "default")["models"] == []


def test_the_code_to_copy_runs(bench: Bench) -> None:
    matplotlib.use("Agg")
    text = "The 'sea'\nand \"ships\" {é}"
    value, said = noise_tab.curves(bench, text, 7, "default"), io.StringIO()
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(said):
        exec(compile(value["python"], "copied", "exec"), names)
        exec(compile(vectors_tab.read(bench, text, 0.5, 7, "default")["python"], "copied", "exec"), names)
    shares = [point[1] for point in value["own"]["small-autoencoder"]["points"]]
    assert [round(p.value, 6) for p in names["points"]] == shares
    assert "tokens came back" in said.getvalue()


def test_nothing_is_computed_before_the_tab_is_opened(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("falling", "curves"):
        monkeypatch.setattr(noise_tab, name, lambda *_: pytest.fail("computed while the page was built"))
    build_app(models, "cpu")


def test_words_of_every_rule() -> None:
    assert {f"sweep_rule_{name}" for name in (*RULES, "other")} <= set(WORDS)
    for text in WORDS["noise_look"]:
        assert text.count("**") == 2
        assert len(text) < 220
    for text in WORDS["noise_how_text"]:
        assert "calm_lab/lab/noise_sweep.py" in text


# ------------------------------------------------------------------------------------------------ exchange of a token


def test_a_token_is_exchanged(bench: Bench) -> None:
    value = strict(vectors_tab.swap(bench, TEXT, "default", 1, 2))
    assert value["to"] == value["options"][0]["id"]
    assert [i for i, (a, b) in enumerate(zip(value["before"], value["after"], strict=True)) if a != b] == [2]
    assert len(value["moved"]) == autoencoder().config.latent_size
    by_id = vectors_tab.swap(bench, TEXT, "default", 1, 2, value["options"][1]["id"])
    assert by_id["after"][2] == value["options"][1]["token"]
    assert vectors_tab.swap(bench, TEXT, "default", 1.0, 2.0, "a")["after"][2][0] == "a"


@pytest.mark.parametrize(
    ("chunk", "place", "to", "told"),
    [
        (99, 0, None, "no token 1 in chunk 100"),
        (None, 0, None, "token's place must be a whole number"),
        (0, "x", None, "token's place must be a whole number"),
        (0, 0, "zq zq zq", "must be one token"),
        (0, 0, "", "must be one token"),
        (0, 0, 10**9, "token must be a whole number"),
        (0, 0, {}, "token must be a whole number"),
    ],
)
def test_a_bad_exchange_is_one_line(bench: Bench, chunk: Any, place: Any, to: Any, told: str) -> None:
    message = vectors_tab.swap(bench, TEXT, "default", chunk, place, to)["message"]
    assert told in message
    assert "\n" not in message


def test_a_shared_character_reaches_the_board(bench: Bench) -> None:
    chunk = vectors_tab.read(bench, "日", 0, 7, "default")["chunks"][0]
    assert chunk["spread"] == [[["日", 1, 3]], [["日", 2, 3]], [["日", 3, 3]], None]
