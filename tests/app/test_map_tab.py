"""The tab Latent map without a browser: its first map, every question that the drawing asks, refusals, fits, wiring."""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch

from calm_lab.app import map_code, map_shelf, map_tab
from calm_lab.app.bench import Bench
from calm_lab.app.limits import OPEN, SHARED
from calm_lab.app.main import TABS, build_app
from calm_lab.app.map_answers import AT_ONCE, IN_LINE, QUESTIONS, Answer, answers
from calm_lab.app.map_shelf import MapShelf
from calm_lab.app.shelf import Shelf
from calm_lab.app.words import WORDS
from calm_lab.lab.latent_map import place, walk
from calm_lab.lab.latent_map.again import Stage
from calm_lab.lab.latent_map.cloud import sample_cloud
from calm_lab.lab.latent_map.cluster import typical_words
from calm_lab.lab.latent_map.store import LatentMap
from tests.app.small_models import SENTENCES, autoencoder, calm, save_into

pytestmark = pytest.mark.usefixtures("no_bundled")
TEXT = "\n".join(text[start:] for start in range(12) for text in SENTENCES)


@pytest.fixture(scope="module")
def shelf(models: Path) -> MapShelf:
    return MapShelf(Bench(Shelf(models, "cpu")))


@pytest.fixture(scope="module")
def ask(shelf: MapShelf) -> dict[str, Answer]:
    return {answer.__name__: answer for answer in answers(shelf)}


@pytest.fixture(scope="module")
def own(ask: dict[str, Answer]) -> dict[str, Any]:
    """A map of the sentences that the small autoencoder knows."""
    return ask["map_own"]({"model": "small-autoencoder", "text": TEXT})


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


def strict(value: Any) -> Any:
    """The value after a trip as JSON, which knows no nan."""
    return json.loads(json.dumps(value, allow_nan=False))


def test_the_first_map_is_plain_data(shelf: MapShelf) -> None:
    value = strict(map_tab.first_map(shelf, "default"))
    found = shelf.get(value["key"]).found
    assert value["count"] == len(json.loads(value["texts"])) == len(unpacked(value["counts"])) > 1000
    assert json.loads(value["texts"]) == found.texts
    assert value["calms"] == ["small-calm"]
    np.testing.assert_allclose(unpacked(value["pictures"]["pca"]).reshape(-1, 2), found.pictures["pca"])
    assert set(value["pictures"]) == {"pca"}  # UMAP of one's own models is a button
    for kind in value["colours"].values():
        assert unpacked(kind["places"]).max() == len(kind["names"]) - 1
    assert {"pca", "shuffled"} == set(value["trust"])
    assert shelf.opened("default") is shelf.opened("small-autoencoder")


def test_an_own_text_becomes_a_map(own: dict[str, Any], shelf: MapShelf, ask: dict[str, Answer]) -> None:
    value = strict(own)
    found = shelf.get(value["key"]).found
    assert value["count"] == len(found) == value["different"]
    assert unpacked(value["counts"]).sum() == value["seen"]
    assert ask["map_own"]({"model": "small-autoencoder", "text": TEXT})["key"] == value["key"]


def test_a_point_a_spot_and_a_phrase(own: dict[str, Any], shelf: MapShelf, ask: dict[str, Answer]) -> None:
    found, key = shelf.get(own["key"]).found, own["key"]
    point = strict(ask["map_point"]({"key": key, "row": 3}))
    look = place.point(found, autoencoder(), 3)
    assert (point["text"], point["rows"]) == (look.text, look.rows.tolist())
    assert sum(point["bits"]) == pytest.approx(float(look.bits.sum()), abs=0.1)  # type: ignore[union-attr]
    x, y = found.pictures["pca"][3].tolist()
    assert point["places"]["pca"] == pytest.approx([x, y], abs=1e-3)
    spot = strict(ask["map_spot"]({"key": key, "picture": "pca", "x": x, "y": y}))
    assert spot["z"] == pytest.approx(place.between(found, x, y, "pca").z.tolist(), abs=1e-4)
    assert "std" not in spot
    phrase = strict(ask["map_phrase"]({"key": key, "text": "little girl"}))
    assert [look["text"] for look in phrase["looks"]] == [
        look.text for look in place.phrase(found, autoencoder(), "little girl")
    ]


@pytest.mark.parametrize("path", walk.PATHS)
def test_a_walk(own: dict[str, Any], shelf: MapShelf, ask: dict[str, Answer], path: str) -> None:
    found = shelf.get(own["key"]).found
    ends = {"start": found.mean[0].tolist(), "end": found.mean[1].tolist()}
    value = strict(ask["map_walk"]({"key": own["key"], **ends, "path": path}))
    real = walk.walk(autoencoder(), found.mean[0], found.mean[1], path)
    assert [step["flips"] for step in value["steps"]] == real.flips.tolist()
    assert value["steps"][0]["back"] == pytest.approx(float(real.back[0]), abs=1e-3)
    assert len(value["places"]["pca"]) == len(value["steps"]) == walk.STEPS
    assert value["chunks"] == real.chunks


def test_a_cloud_and_a_noise_walk(own: dict[str, Any], ask: dict[str, Answer]) -> None:
    question = {"key": own["key"], "model": "small-calm", "text": SENTENCES[0], "seed": 7}
    value = strict(ask["map_cloud"](question))
    real = sample_cloud(calm(), SENTENCES[0], seed=7)
    assert (value["hits"], value["distinct"], value["count"]) == (real.hits, len(real.candidates), 200)
    assert value["score"] == pytest.approx(real.score, abs=1e-2)
    assert len(value["draws"]["pca"]) == 200
    assert value["context"] + value["truth"] == SENTENCES[0]
    noise = strict(ask["map_noise"]({**question, "end": 8}))
    assert len(noise["steps"]) == walk.STEPS


def test_words_of_a_part(own: dict[str, Any], shelf: MapShelf, ask: dict[str, Answer]) -> None:
    found = shelf.get(own["key"]).found
    rows = [row for row, text in enumerate(found.texts) if "ships" in text]
    words = ask["map_words"]({"key": own["key"], "rows": rows})["words"]
    assert [word["word"] for word in words] == [word.word for word in typical_words(found.texts, rows)]
    assert words[0]["word"] in {"ships", "white", "the"}


@pytest.mark.parametrize(
    ("name", "question", "told"),
    [
        ("map_point", {"row": -1}, "a point is a whole number"),
        ("map_point", {"row": None}, "a point is a whole number"),
        ("map_point", {"key": "first-other", "row": 1}, "no longer kept"),
        ("map_point", {"key": ["x"], "row": 1}, "no longer kept"),
        ("map_spot", {"picture": "pca", "x": "a", "y": 0}, "two finite numbers"),
        ("map_spot", {"picture": "umap", "x": 0, "y": 0}, "unknown picture 'umap'"),
        ("map_phrase", {"text": 3}, "phrase must be text"),
        ("map_phrase", {"text": "sea " * 200}, "shorten it to at most 64"),
        ("map_walk", {"start": [1], "end": [1], "path": "line"}, "start of a walk must be a vector"),
        ("map_walk", {"start": [float("nan")] * 32, "end": [0] * 32, "path": "line"}, "must be a vector"),
        ("map_walk", {"start": [0] * 32, "end": [1] * 32, "path": "sphere"}, "length 0"),
        ("map_walk", {"start": [0] * 32, "end": [1] * 32, "path": "moon"}, "unknown path 'moon'"),
        ("map_walk", {"start": [0] * 32, "end": [1] * 32, "path": "line", "steps": 10**9}, "steps must be"),
        ("map_cloud", {"model": "small-calm", "text": "a", "seed": 1}, "give at least 4"),
        ("map_cloud", {"model": "small-calm", "text": SENTENCES[0], "seed": -1}, "seed must be a whole number"),
        ("map_cloud", {"model": "other", "text": SENTENCES[0], "seed": 1}, "unknown model 'other'"),
        ("map_cloud", {"model": "small-calm", "text": "sea " * 3000, "seed": 1}, "shorten it"),
        ("map_words", {"rows": "all"}, "list of whole numbers"),
        ("map_words", {"rows": [10**6]}, "outside the map"),
        ("map_own", {"model": "small-autoencoder", "text": " "}, "holds no text"),
        ("map_own", {"model": "small-autoencoder", "text": "The sea."}, "give a longer text"),
        ("map_own", {"model": "../etc", "text": TEXT}, "unknown model"),
        ("map_fit", {"n_neighbors": 1, "min_dist": 0.1}, "n_neighbors must be a whole number from 2"),
        ("map_fit", {"n_neighbors": "5", "min_dist": 0.1}, "n_neighbors must be a whole number"),
        ("map_fit", {"n_neighbors": 5, "min_dist": 2}, "min_dist must be a number from 0 to 1"),
        ("map_fit_state", {"job": "fit-0"}, "no longer there"),
        ("map_fit_state", {"job": {}}, "no longer there"),
    ],
)
def test_what_is_refused_is_one_line(
    own: dict[str, Any], ask: dict[str, Answer], name: str, question: dict[str, Any], told: str
) -> None:
    message = ask[name]({"key": own["key"], **question})["message"]
    assert told.lower() in message.lower()
    assert "\n" not in message


@pytest.mark.parametrize("question", [None, 3, "all", []])
def test_no_question_is_refused(ask: dict[str, Answer], question: Any) -> None:
    for answer in ask.values():
        assert answer(question)["message"] == "A question is an object."


def test_what_nobody_foresaw_shows_no_traceback(
    own: dict[str, Any], shelf: MapShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "point", lambda *_: 1 / 0)
    point = next(answer for answer in answers(shelf) if answer.__name__ == "map_point")
    assert point({"key": own["key"], "row": 0})["message"] == "Something went wrong here; the server's log says what."


def test_a_crowd_is_refused_at_once_and_the_line_is_served(
    own: dict[str, Any], shelf: MapShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits holds one of the server's threads, so the line is short."""
    ask, go_on, kept = {answer.__name__: answer for answer in answers(shelf)}, threading.Event(), shelf.get
    served, too_many = AT_ONCE + IN_LINE, 5

    def late(key: str) -> Any:
        assert go_on.wait(60)
        return kept(key)

    monkeypatch.setattr(shelf, "get", late)
    with ThreadPoolExecutor(served + too_many) as crowd:
        visits = [crowd.submit(ask["map_point"], {"key": own["key"], "row": 0}) for _ in range(served + too_many)]
        refused = [visit.result()["message"] for visit in itertools.islice(as_completed(visits, 60), too_many)]
        go_on.set()
        found = [visit.result(60) for visit in visits]
    assert refused == ["Too many visitors ask at once: try again."] * too_many
    assert sum("message" not in look for look in found) == served
    assert "message" not in ask["map_point"]({"key": own["key"], "row": 0})  # every place is free again


def test_a_public_host_maps_shorter_texts(models: Path) -> None:
    assert SHARED.map_characters < OPEN.map_characters
    ask = {answer.__name__: answer for answer in answers(MapShelf(Bench(Shelf(models, "cpu"), SHARED)))}
    message = ask["map_own"]({"model": "small-autoencoder", "text": "a" * (SHARED.map_characters + 1)})["message"]
    assert "at most 200,000" in message


def test_a_model_over_another_autoencoder_does_not_draw_here(models: Path, tmp_path: Path) -> None:
    from calm_lab.model import checkpoint
    from calm_lab.model.autoencoder import Autoencoder

    save_into(tmp_path)
    torch.manual_seed(1)
    other = Autoencoder(autoencoder().config)
    other.tokenizer = autoencoder().tokenizer
    checkpoint.save(other, tmp_path / "another", {})
    ask = {answer.__name__: answer for answer in answers(MapShelf(Bench(Shelf(tmp_path, "cpu"))))}
    key = ask["map_own"]({"model": "another", "text": TEXT})["key"]
    question = {"key": key, "model": "small-calm", "text": SENTENCES[0], "seed": 1}
    assert "another autoencoder" in ask["map_cloud"](question)["message"]


# ------------------------------------------------------------------------------------------------------------- fits


class QuickFitting:
    """A fit that takes as many questions as it is told, and gives back the first two coordinates."""

    def __init__(self, vectors: torch.Tensor, *_: object):
        self.vectors, self.left, self.cancelled = vectors, 2, False

    @property
    def running(self) -> bool:
        self.left -= 1
        return self.left > 0 and not self.cancelled

    @property
    def stage(self) -> Stage:
        return Stage("layout", 1, 2)

    def wait(self, seconds: float) -> bool:
        time.sleep(0.05)
        return True

    def cancel(self) -> None:
        self.cancelled = True

    def layout(self) -> torch.Tensor:
        return self.vectors[:, :2]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_shelf, "Fitting", QuickFitting)
    monkeypatch.setattr(MapShelf, "_watch", lambda *_: None)


def test_a_fit_ends_as_a_new_map(own: dict[str, Any], shelf: MapShelf, ask: dict[str, Answer], quick: None) -> None:
    job = ask["map_fit"]({"key": own["key"], "n_neighbors": 5, "min_dist": 0.5})["job"]
    assert ask["map_fit_state"]({"job": job}) == {"stage": "layout", "done": 1, "total": 2}
    value = strict(ask["map_fit_state"]({"job": job}))["map"]
    found = shelf.get(value["key"]).found
    assert value["key"] != own["key"]
    assert torch.equal(found.pictures["umap"], found.mean[:, :2])
    assert value["settings"] == {"n_neighbors": 5, "min_dist": 0.5, "seed": 0}
    assert set(value["trust"]) == {"umap", "pca", "shuffled"}
    assert "no longer there" in ask["map_fit_state"]({"job": job})["message"]


def test_fits_are_bounded_cancelled_and_not_left_behind(
    own: dict[str, Any], shelf: MapShelf, ask: dict[str, Answer], quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = {"key": own["key"], "n_neighbors": 5, "min_dist": 0.5}
    jobs = [ask["map_fit"](question)["job"] for _ in range(OPEN.fits)]
    assert "already being computed" in ask["map_fit"](question)["message"]
    fitting = shelf.job(jobs[0]).fitting
    assert ask["map_fit_cancel"]({"job": jobs[0]}) == {"cancelled": True}
    assert fitting.cancelled
    assert ask["map_fit_cancel"]({"job": jobs[0]}) == {"cancelled": True}
    monkeypatch.setattr(map_shelf, "ABANDONED_SECONDS", -1.0)
    left = shelf.job(jobs[1]).fitting
    (newest,) = [ask["map_fit"](question)["job"]]
    assert left.cancelled
    ask["map_fit_cancel"]({"job": newest})


def test_old_maps_go_first(models: Path) -> None:
    shelf = MapShelf(Bench(Shelf(models, "cpu")))
    keys = [shelf.own("small-autoencoder", TEXT + "." * count).key for count in range(map_shelf.KEPT)]
    shelf.get(keys[0])
    shelf.own("small-autoencoder", TEXT + "!")
    assert shelf.get(keys[0]).key == keys[0]
    with pytest.raises(ValueError, match="no longer kept"):
        shelf.get(keys[1])


def test_the_map_one_begins_with_outlives_all_others(models: Path) -> None:
    """Somebody looks at it while other visitors map their texts."""
    shelf = MapShelf(Bench(Shelf(models, "cpu")))
    first = shelf.opened("small-autoencoder")
    for count in range(map_shelf.KEPT + 1):
        shelf.own("small-autoencoder", TEXT + "." * count)
    assert shelf.get(first.key) is first


# ------------------------------------------------------------------------------------------------------------- wiring


def copied_map(code: str) -> LatentMap:
    """What the code makes, as it stands."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    said, names = io.StringIO(), dict[str, Any]()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "copied", "exec"), names)
    plt.close("all")
    assert said.getvalue().startswith("0.00 ")
    assert len(said.getvalue().splitlines()) == walk.STEPS
    made: LatentMap = names["found"]
    return made


def test_the_code_to_copy_makes_the_map_on_the_page(own: dict[str, Any], shelf: MapShelf) -> None:
    for value in (map_tab.first_map(shelf, "default"), own):
        shown = shelf.get(value["key"]).found
        made = copied_map(value["python"])
        assert (made.texts, made.name) == (shown.texts, shown.name)
        assert torch.equal(made.pictures["pca"], shown.pictures["pca"])


def test_the_code_of_a_new_layout_makes_it_again(shelf: MapShelf, own: dict[str, Any]) -> None:
    making = shelf.get(own["key"]).making.again({"n_neighbors": 5, "min_dist": 0.5, "seed": 0})
    made = copied_map(making.python(shelf.bench.shelf.entry("autoencoder", "small-autoencoder").address))
    assert made.settings == {"n_neighbors": 5, "min_dist": 0.5, "seed": 0}
    assert made.pictures["umap"].shape == (len(made), 2)


def test_a_long_text_is_read_from_a_file(shelf: MapShelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "\n".join([TEXT] * 4)
    assert len(text) > map_code.LONGEST
    (tmp_path / "my_text.txt").write_text(text, "utf-8")
    code = map_code.own(text).python(shelf.bench.shelf.entry("autoencoder", "small-autoencoder").address)
    assert len(code) < map_code.LONGEST
    assert len(copied_map(code)) >= 20


def test_nothing_is_computed_before_the_tab_is_opened(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MapShelf, "opened", lambda *_: pytest.fail("computed while the page was built"))
    app = build_app(models, "cpu")
    public = {d["api_name"] for d in app.get_config_file()["dependencies"] if d["api_visibility"] == "public"}
    assert not {question.__name__ for question in QUESTIONS} & public
    assert "map" in [module.ID for module in TABS]


def test_words_of_the_tab() -> None:
    for text in WORDS["map_look"]:
        assert text.count("**") == 2
        assert len(text) < 220
    for text in WORDS["map_how_text"]:
        assert text.count("$$") >= 2
        assert "calm_lab/lab/latent_map/" in text
