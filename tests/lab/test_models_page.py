"""The page of bundled models says what the cards say, and its bytes add up."""

from __future__ import annotations

import re
from pathlib import Path

from calm_lab.lab.models_page import ASSETS, BUDGET, models_page
from calm_lab.model.checkpoint import bundled

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"


def test_the_committed_page_is_what_the_committed_cards_say() -> None:
    written = models_page()
    without_results = re.compile(r"\| `results` \|.*\n|\| \*\*in all.*\n")  # those grow as runs of the grid end
    assert without_results.sub("", PAGE.read_text("utf-8")) == without_results.sub("", written), (
        "run: calm-lab models --page docs/models.md"
    )


def test_the_bytes_add_up_and_stay_within_the_budget() -> None:
    rows = dict(re.findall(r"\| `([\w./-]+)` \| ([\d,]+) \|", models_page()))
    total = int(re.findall(r"\*\*in all\*\* \| \*\*([\d,]+)", models_page())[0].replace(",", ""))
    assert {f"models/{name}" for name in bundled()} <= set(rows)
    assert sum(int(size.replace(",", "")) for size in rows.values()) == total
    assert total <= BUDGET
    assert total == sum(path.stat().st_size for path in ASSETS.rglob("*") if path.is_file())


def test_every_model_has_its_command() -> None:
    written = models_page()
    for name in bundled():
        assert f"`calm-lab models --make {name}`" in written
