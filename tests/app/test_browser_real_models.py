"""The panels that ask a trained model, in a real browser: asked, followed, stopped, taken away as files."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.app.test_browser_playgrounds import ran, saved
from tests.app.visiting import PATIENCE, Visit, both_widths, sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@both_widths
def test_a_text_is_scored_and_the_picture_follows(visit: Visit) -> None:
    page = visit.page
    visit.open_tab("Energy score")
    drawing = page.locator("#positions")
    page.get_by_label("A text the model has not seen").fill("Once upon a time there was a little girl.")
    expect(drawing.locator("tbody tr")).to_have_count(0)  # nothing is asked of a model unasked
    page.get_by_role("button", name="Score this text").click()
    expect(drawing.locator(".cl-card")).to_contain_text("draws against", timeout=PATIENCE)
    lines = drawing.locator("tbody tr")
    count = lines.count()
    assert count >= 3
    rows = saved(page, drawing)
    assert len(rows) == count
    for row in rows:
        assert float(row["score"]) == pytest.approx(float(row["diversity"]) - 2 * float(row["fidelity"]), abs=1e-3)
    page.locator("#positions-alpha").focus()
    page.keyboard.press("End")
    expect(drawing.locator(".cl-card")).to_contain_text("α = 2", timeout=PATIENCE)
    names = ran(visit, drawing)
    assert names["found"].alpha == 2
    assert sideways(page) == 0
    page.get_by_label("A text the model has not seen").fill("")
    expect(page.get_by_text("There is no text to encode")).to_be_visible(timeout=PATIENCE)


@both_widths
def test_a_prompt_is_studied_at_every_temperature(visit: Visit) -> None:
    page = visit.page
    visit.open_tab("Temperature")
    drawing = page.locator("#real")
    page.locator("#real-n").focus()
    page.keyboard.press("ArrowLeft")
    expect(drawing.locator("table")).to_have_count(0)
    page.get_by_role("button", name="Draw at this prompt").click()
    expect(drawing).to_contain_text("At T = 1/2", timeout=PATIENCE)
    rows = saved(page, drawing)
    assert [row["n"] for row in rows if row["kind"] == "price"] == list("123456")
    counts = [int(row["count"]) for row in rows if row["kind"] == "chunk"]
    assert counts == sorted(counts, reverse=True)
    names = ran(visit, drawing)
    assert [outcome.count for outcome in names["study"].outcomes] == counts
    page.keyboard.press("Home")
    assert sideways(page) == 0


def test_a_long_measurement_can_be_stopped(visit: Visit) -> None:
    """The small model's corpus exists nowhere: the refusal is one line on the page, and the buttons stay usable."""
    page = visit.page
    visit.open_tab("Temperature")
    page.get_by_role("button", name=re.compile("^Measure accuracy")).click()
    expect(page.locator(".toast-body, [data-testid=toast-body]").first).to_be_visible(timeout=PATIENCE)
    page.locator("#tradeoff-stop").click()
    expect(page.locator("#tradeoff")).to_contain_text("Stopped after 0 of 160 positions", timeout=PATIENCE)
