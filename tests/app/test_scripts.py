"""The drawings' JavaScript as the page gets it: helpers and drawing in one scope, so no name may be taken twice."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import gradio as gr
import pytest

from calm_lab.app.look import STATIC
from calm_lab.app.main import build_app

pytestmark = pytest.mark.usefixtures("no_bundled")


def names(script: str) -> list[str]:
    """What a script declares in its outermost scope, which is what stands at the very left."""
    found: list[str] = []
    for line in script.splitlines():
        if head := re.match(r"(?:const|let|(?:async )?function) (.*)", line):
            depth, outside = 0, ""
            for sign in head[1]:  # values are in brackets, or follow "=": keep what stands outside of them
                depth += (sign in "([{") - (sign in ")]}")
                outside += sign if depth == 0 else ""
            found += re.findall(r"(?:^|, )(\w+)(?= =|\)|;|,|$)", outside)
    return found


def test_names_are_found() -> None:
    assert names(
        "const WAIT = 60, f = (a, b) => a;\nlet on = null, off = [1, 2];\n  const inner = 1;\nfunction g(x) {"
    ) == [*("WAIT", "f", "on", "off", "g")]


@pytest.fixture(scope="module")
def scripts(models: Path) -> list[str]:
    found = [block.js_on_load for block in build_app(models, "cpu").blocks.values() if isinstance(block, gr.HTML)]
    return [script for script in found if script]


def test_a_name_taken_twice_is_seen(scripts: list[str]) -> None:
    training = next(script for script in scripts if "training_run" in script)
    assert Counter(names(training + "\nconst keepFocus = 1;"))["keepFocus"] == 2


def test_no_drawing_declares_a_name_twice(scripts: list[str]) -> None:
    assert len(scripts) > 20
    for script in scripts:
        twice = [name for name, times in Counter(names(script)).items() if times > 1]
        assert twice == [], script[-200:]


def test_every_script_is_used(scripts: list[str]) -> None:
    page = "\n".join(scripts)
    unused = [path.name for path in STATIC.glob("*.js") if path.read_text("utf-8") not in page]
    assert unused == ["address.js"]  # it belongs to the page, not to a drawing
