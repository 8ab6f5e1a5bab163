"""Refusals in both languages: every Chinese reason belongs to something the library says, and carries its numbers."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.context import LocalContext

import calm_lab
from calm_lab.app import tour_answers
from calm_lab.app.bench import Bench
from calm_lab.app.guard import told
from calm_lab.app.limits import Limits
from calm_lab.app.refusals import CHINESE, refusal
from calm_lab.app.shelf import Shelf
from calm_lab.errors import InputError

pytestmark = pytest.mark.usefixtures("no_bundled")
SOURCE = "\n".join(path.read_text("utf-8") for path in sorted(Path(calm_lab.__file__).parent.rglob("*.py")))
GAPS = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def bench(models: Path) -> Bench:
    return Bench(Shelf(models, "cpu"), Limits(characters=60, shown_tokens=12))


@pytest.mark.parametrize("english", CHINESE)
def test_the_library_says_it(english: str) -> None:
    for part in GAPS.split(english)[::2]:
        words = part.strip(" ,;:")
        if len(words) > 8:  # what lies between two gaps stands in the source, here and where it is raised
            assert SOURCE.count(words) >= 2, words
    assert set(GAPS.findall(CHINESE[english])) <= set(GAPS.findall(english))


def chinese(answer: dict[str, Any]) -> str:
    assert answer["message"].isascii()
    return str(answer["chinese"])


def test_what_visitors_meet_is_translated(bench: Bench, tmp_path: Path) -> None:
    def tour(**changes: Any) -> dict[str, Any]:
        return tour_answers.answer(bench, {**tour_answers.FIRST, **changes})

    assert chinese(tour(step=2, text="")) == CHINESE["there is no text to encode: type at least one character"]
    assert re.findall(r"\d+", chinese(tour(step=2, text="x" * 61))) == ["61", "60"]
    assert "最多 12 个" in chinese(tour(step=2, text="a b c d e f g h i j k l m n o p"))
    assert "0 到 4,294,967,295" in chinese(tour(step=6, seed=-1))
    assert "0 到 2" in chinese(tour(step=4, sigma=3))
    empty = Bench(Shelf(tmp_path, "cpu"))
    assert "没有自编码器" in chinese(tour_answers.answer(empty, tour_answers.FIRST | {"step": 2}))


def test_what_is_not_translated_stays_english() -> None:
    assert refusal(InputError("a question is an object")) == {"message": "A question is an object."}


@pytest.mark.parametrize(
    ("accepts", "chinese_first"), [("zh-CN,zh;q=0.9,en;q=0.8", True), ("en-US,en;q=0.9,zh;q=0.1", False), ("", False)]
)
def test_a_message_is_in_the_language_of_the_browser(accepts: str, chinese_first: bool) -> None:
    @told
    def handler() -> None:
        raise InputError("a vector of length 0 has no direction: walk the line instead")

    before = LocalContext.request.set(SimpleNamespace(headers={"accept-language": accepts}))  # type: ignore[arg-type]
    try:
        with pytest.raises(gr.Error) as caught:
            handler()
    finally:
        LocalContext.request.reset(before)
    assert caught.value.message.isascii() is not chinese_first


def test_the_unforeseen_shows_no_traceback() -> None:
    @told
    def handler() -> None:
        raise RuntimeError("a secret path")

    with pytest.raises(gr.Error) as caught:
        handler()
    assert "secret" not in caught.value.message
    assert "log" in caught.value.message
