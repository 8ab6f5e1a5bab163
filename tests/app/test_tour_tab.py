"""The tab Tour without a browser: every step's answer, its gaps and links, refusals, laziness."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from calm_lab.app import tour_answers, tour_tab
from calm_lab.app.bench import Bench
from calm_lab.app.main import TABS, build_app
from calm_lab.app.shelf import Shelf
from calm_lab.app.words import WORDS
from calm_lab.lab.table1 import headline
from calm_lab.lab.vectors import read_text
from tests.app.small_models import SENTENCES

pytestmark = pytest.mark.usefixtures("no_bundled")
ROOT = Path(__file__).parents[2]
STEPS = range(1, len(tour_answers.STOPS) + 1)
GAP = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def bench(models: Path) -> Bench:
    return Bench(Shelf(models, "cpu"))


def answer(bench: Bench, **changes: Any) -> dict[str, Any]:
    """The answer after a trip as JSON, which knows no nan."""
    found: dict[str, Any] = json.loads(
        json.dumps(tour_answers.answer(bench, {**tour_answers.FIRST, **changes}), allow_nan=False)
    )
    return found


def _number(text: str) -> float:
    return float(text.replace("−", "-"))


def values(found: dict[str, Any]) -> dict[str, str]:
    return {name: value for _, gaps in found["see"] for name, value in gaps.items()}


@pytest.mark.parametrize("step", STEPS)
def test_every_step_answers_and_fills_its_gaps(bench: Bench, step: int) -> None:
    found = answer(bench, step=step)
    assert found["step"] == step
    assert "message" not in found
    for key, gaps in found["see"]:
        assert set(GAP.findall(WORDS[key][0])) == set(gaps)
    for part in ("title", "text", "do"):
        assert f"tour_{part}_{step}" in WORDS
    for bar in found.get("bars", []):
        assert 0 <= bar["share"] <= 1
        assert "name" in bar or f"tour_bar_{bar['key']}" in WORDS


@pytest.mark.parametrize("stop", tour_answers.STOPS)
def test_a_step_leads_on(stop: tour_answers.Stop) -> None:
    assert stop.tab in {module.ID for module in TABS}
    assert stop.title == next(module.TITLE for module in TABS if stop.tab == module.ID)
    assert (ROOT / "notebooks" / f"{stop.notebook}.ipynb").is_file()
    for key in stop.controls:
        assert key in tour_answers.FIRST
        assert key in tour_answers.STEPS or key in ("text", "seed", "pair")


def test_what_is_set_is_what_is_answered(bench: Bench) -> None:
    assert float(values(answer(bench, step=1, vocab=1024))["bits"]) == 10
    assert values(answer(bench, step=2, text="the sea"))["vectors"] == "1"
    known = read_text(bench.shelf.autoencoder(), SENTENCES[0], 2.0, tour_answers.FIRST["seed"])
    told = values(answer(bench, step=4, text=SENTENCES[0], sigma=2))
    assert (told["correct"], told["total"]) == (str(known.correct), str(known.total))
    near, far = (_number(values(answer(bench, step=5, away=away, spread=0.6))["expected"]) for away in (0, 2))
    assert far < near == _number(values(answer(bench, step=5))["best"])
    assert answer(bench, step=8, n=1)["see"][0][0] == "tour_see_8_all"  # every chunk comes once
    cold, warm = (values(answer(bench, step=7, n=n))["chosen"] for n in (6, 1))
    assert float(cold.strip("%")) > float(warm.strip("%"))
    one, four = (float(values(answer(bench, step=9, chunk_size=k))["token"]) for k in (1, 4))
    assert four < one
    for pair, compared in enumerate(headline()):
        assert values(answer(bench, step=10, pair=pair))["calm"] == compared.calm


def test_the_copied_python_computes_what_is_shown(bench: Bench) -> None:
    def copied(step: int) -> tuple[dict[str, Any], dict[str, Any]]:
        found = answer(bench, step=step)
        names: dict[str, Any] = {}
        exec(found["python"], names)
        return found, names

    shown, names = copied(1)
    assert shown["rows"] == [{key: getattr(names["found"], key) for key in ("vocab_size", "bits", "softmax", "rest")}]
    for step in (2, 4):
        shown, names = copied(step)
        assert [row["decoded"] for row in shown["rows"]] == [
            t for chunk in names["reading"].decoded_tokens for t in chunk
        ]
        assert sum(row["wrong"] for row in shown["rows"]) == names["reading"].total - names["reading"].correct
    shown, names = copied(3)
    assert [row["bits"] for row in shown["rows"]] == pytest.approx(names["reading"].bits.sum(-1).tolist())
    shown, names = copied(5)
    assert [row["expected"] for row in shown["rows"]] == pytest.approx([score for _, score in names["curve"]])
    shown, names = copied(6)
    assert shown["rows"][-1]["brier_lm"] == pytest.approx(names["found"].points[-1].brier_lm)
    shown, names = copied(7)
    assert [row["chosen"] for row in shown["rows"]] == pytest.approx(names["found"].chosen)
    shown, names = copied(8)
    assert [row["count"] for row in shown["rows"]] == [
        next((one for one in pool.candidates if one.chosen), pool.candidates[0]).count for pool in names["pools"]
    ]
    shown, names = copied(9)
    assert vars(names["found"]) in shown["rows"]
    shown, names = copied(10)
    assert f"{names['found'].training:+.0%}".replace("-", "−") == values(shown)["training"]


def test_the_honest_numbers(bench: Bench) -> None:
    told = values(answer(bench, step=10, pair=0))
    assert (told["training"], told["inference"], told["gap"]) == ("−44%", "−34%", "−0.33")


def test_the_same_seed_writes_the_same_sentence(bench: Bench) -> None:
    assert answer(bench, step=8)["written"] == answer(bench, step=8)["written"]
    assert answer(bench, step=8, seed=8)["written"] != answer(bench, step=8)["written"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"step": 0}, "the step must be a whole number from 1 to 10"),
        ({"step": "1"}, "the step must be a whole number"),
        ({"step": 1, "vocab": 1}, "vocab must be a whole number from 256"),
        ({"step": 2, "text": ""}, "there is no text"),
        ({"step": 2, "text": None}, "the text must be text"),
        ({"step": 2, "text": "sea " * 400}, "shorten it to at most"),
        ({"step": 4, "sigma": "much"}, "sigma must be a number from 0 to 2"),
        ({"step": 5, "spread": True}, "spread must be a number"),
        ({"step": 6, "seed": -1}, "the seed must be a whole number"),
        ({"step": 10, "pair": 4}, "the pair must be a whole number from 0 to 3"),
    ],
)
def test_bad_settings_are_one_line(bench: Bench, change: dict[str, Any], told: str) -> None:
    message = answer(bench, **change)["message"]
    assert told in message.lower()
    assert "\n" not in message


@pytest.mark.parametrize("settings", [None, "all", []])
def test_no_settings_are_refused(bench: Bench, settings: Any) -> None:
    assert "must be an object" in tour_answers.answer(bench, settings)["message"]


def test_a_step_looks_at_its_own_settings_only(bench: Bench) -> None:
    assert "see" in tour_answers.answer(bench, {"step": 9, "chunk_size": 8, "text": 3, "sigma": "x"})


def test_steps_without_a_model_load_none(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("autoencoder", "calm", "transformer"):
        monkeypatch.setattr(Shelf, kind, lambda *_: pytest.fail("a model was loaded"))
    for step in (1, 5, 6, 7, 9, 10):
        assert "see" in answer(bench, step=step)


def test_a_page_without_models_says_so(tmp_path: Path) -> None:
    empty = Bench(Shelf(tmp_path, "cpu"))
    assert "there is no autoencoder" in answer(empty, step=2)["message"].lower()
    assert "there is no calm" in answer(empty, step=8)["message"].lower()
    assert "see" in answer(empty, step=10)


def test_nothing_is_computed_before_the_page_is_opened(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tour_tab, "answer", lambda *_: pytest.fail("computed while the page was built"))
    build_app(models, "cpu")
    assert TABS[0] is tour_tab
