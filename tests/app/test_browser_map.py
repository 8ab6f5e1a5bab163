"""The tab "Latent map" in a real browser: points, walks, clouds, files and refusals, at two widths."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from calm_lab.app.map_shelf import SAMPLE_NAME
from tests.app.small_models import SENTENCES
from tests.app.visiting import PATIENCE, Visit, both_widths, copied, saved, sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
TEXT = "\n".join(text[start:] for start in range(12) for text in SENTENCES)


@both_widths
def test_the_map(visit: Visit) -> None:
    page, drawing = visit.page, visit.page.locator("#map")
    assert drawing.locator("canvas").count() == 0  # nothing is computed for a tab that nobody has opened
    visit.open_tab("Latent map")
    canvas = drawing.locator("canvas.cl-points")
    expect(canvas).to_be_visible(timeout=PATIENCE)
    assert sideways(page) == 0
    expect(drawing.locator(".cl-trust dd")).to_have_text([re.compile(r"^0\.\d{3} ± 0\.\d{3}$")] * 2)

    side = drawing.locator(".cl-side")
    canvas.focus()
    page.keyboard.press("Enter")  # the chunk nearest to the middle
    expect(side.get_by_role("listitem")).to_have_count(8, timeout=PATIENCE)
    expect(side.get_by_text("mean posterior σ")).to_be_visible()
    side.get_by_role("button", name="Walk from here (A)").click()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Enter")  # a place between points
    expect(side.get_by_role("heading")).to_have_text("Between the points", timeout=PATIENCE)
    expect(side.get_by_text("mean posterior σ")).to_have_count(0)
    side.get_by_role("button", name="Walk to here (B)").click()
    slider = drawing.get_by_role("slider", name="Walk from A to B")
    expect(slider).to_be_visible(timeout=PATIENCE)
    slider.focus()
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^1\.00 "))
    drawing.get_by_role("button", name="Sphere", exact=True).click()
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^0\.00 "), timeout=PATIENCE)
    assert sideways(page) == 0

    second = side.get_by_role("listitem").nth(1).get_by_role("button")
    heading = side.get_by_role("heading").inner_text()
    second.press("Enter")
    expect(side.get_by_role("heading")).not_to_have_text(heading, timeout=PATIENCE)
    expect(side.locator("button:focus")).to_have_count(1)  # a walk from neighbour to neighbour, by keyboard
    group = drawing.locator(".cl-part-of-legend button").first
    group.press("Enter")
    expect(group).to_be_focused()
    drawing.locator(".cl-part-of-legend").get_by_role("button", name="Typical words").press("Enter")
    expect(drawing.locator(".cl-part-of-lasso")).to_contain_text(re.compile(r"\d+ chunks? chosen"), timeout=PATIENCE)
    group.press("Enter")

    drawing.get_by_role("searchbox", name="A word or its beginning").fill("village")
    expect(drawing.locator(".cl-part-of-found").get_by_role("status")).to_have_text(re.compile(r"^\d+ chunks$"))
    drawing.get_by_role("searchbox", name="A word or its beginning").fill("")
    phrase = drawing.get_by_role("textbox", name="Type a phrase")
    phrase.fill("the sea")
    expect(drawing.locator(".cl-part-of-phrase").get_by_role("status")).to_contain_text("lies", timeout=PATIENCE)
    phrase.fill("sea " * 200)
    expect(drawing.locator(".cl-part-of-phrase").get_by_role("alert")).to_contain_text(
        "shorten it to at most 64", timeout=PATIENCE
    )

    drawing.get_by_role("button", name="Draw 200").click()
    expect(drawing.locator(".cl-part-of-cloud")).to_contain_text(re.compile(r"\d+ of 200"), timeout=PATIENCE)
    drawing.get_by_role("button", name="Walk the noise").click()
    expect(drawing.get_by_role("slider", name="Noise walk")).to_be_visible(timeout=PATIENCE)

    rows = saved(page, drawing)
    assert {"text", "count", "posterior_sigma", "cluster", "pca_x", "pca_y"} <= set(rows[0])
    finds_beginnings_of_words(drawing, [row["text"].lower() for row in rows])
    assert "map_texts" in copied(visit, drawing)
    with page.expect_download() as download:
        drawing.get_by_role("button", name="Picture as PNG").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    assert sideways(page) == 0


def finds_beginnings_of_words(drawing: Locator, texts: list[str]) -> None:
    """The search finds a word by its first letters and not by what stands inside it; " t" is looked for as it is."""
    search = drawing.get_by_role("searchbox", name="A word or its beginning")
    status = drawing.locator(".cl-part-of-found").get_by_role("status")
    for query in ("th", "he", " t"):
        pattern = re.escape(query) if query.startswith(" ") else rf"(?<![^\W_]){query}"
        hits = sum(re.search(pattern, text) is not None for text in texts)
        assert hits < sum(query in text for text in texts) or query != "he"
        search.fill(query)
        expect(status).to_have_text(re.compile(rf"^{hits} chunks?( \(\d+ shown\))?$"))
    search.fill("")


def test_lasso_own_text_and_a_cancelled_fit(visit: Visit) -> None:
    page, drawing = visit.page, visit.page.locator("#map")
    visit.open_tab("Latent map")
    canvas = drawing.locator("canvas.cl-points")
    expect(canvas).to_be_visible(timeout=PATIENCE)

    own = drawing.get_by_role("textbox", name="Paste a text here")
    own.fill("too short")
    drawing.get_by_role("button", name="Map it").click()
    expect(drawing.get_by_role("alert")).to_contain_text("give a longer text", timeout=PATIENCE)
    own.fill(TEXT)
    drawing.get_by_role("button", name="Map it").click()
    expect(drawing).to_contain_text("your text: ", timeout=PATIENCE)

    drawing.get_by_role("button", name="Lasso", exact=True).click()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    for x, y in ((0.99, 0.01), (0.99, 0.6), (0.01, 0.6)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
    page.mouse.up()
    expect(drawing.locator(".cl-part-of-lasso")).to_contain_text(re.compile(r"\d+ chunks chosen"), timeout=PATIENCE)

    drawing.get_by_role("button", name="Compute", exact=True).click()
    drawing.get_by_role("button", name="Cancel", exact=True).click()
    expect(drawing.get_by_text("Cancelled; the map is as it was.")).to_be_visible(timeout=PATIENCE)
    drawing.get_by_role("button", name="Back to the first map").click()
    expect(drawing).to_contain_text(SAMPLE_NAME)


@pytest.mark.parametrize("visit", [{"width": 390, "has_touch": True}], indirect=True)
def test_fingers_on_the_map(visit: Visit) -> None:
    page, drawing = visit.page, visit.page.locator("#map")
    visit.open_tab("Latent map")
    canvas = drawing.locator("canvas.cl-points")
    expect(canvas).to_be_visible(timeout=PATIENCE)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    fingers = visit.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": i}
            for i, (x, y) in enumerate(places)
        ]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def picture() -> bytes:
        page.wait_for_timeout(150)  # a frame or two
        return canvas.screenshot()

    def tap(x: float, y: float) -> None:
        touch("touchStart", (x, y))
        touch("touchEnd")

    tap(0.5, 0.5)
    expect(drawing.locator(".cl-part-of-side").get_by_role("heading").first).to_be_visible(timeout=PATIENCE)
    before, scrolled = picture(), page.evaluate("scrollY")
    touch("touchStart", (0.4, 0.5), (0.6, 0.5))  # two fingers apart: larger
    for step in range(1, 6):
        touch("touchMove", (0.4 - 0.05 * step, 0.5), (0.6 + 0.05 * step, 0.5))
    touch("touchEnd")
    larger = picture()
    assert larger != before
    touch("touchStart", (0.5, 0.5))  # one finger: the map moves, the page stays
    for step in range(1, 6):
        touch("touchMove", (0.5, 0.5 - 0.05 * step))
    touch("touchEnd")
    assert picture() != larger
    assert page.evaluate("scrollY") == scrolled
    assert sideways(page) == 0


@pytest.mark.parametrize("visit", [{"locale": "zh-CN", "width": 390}], indirect=True)
def test_the_map_in_chinese(visit: Visit) -> None:
    visit.open_tab("潜空间地图")
    expect(visit.page.locator("#map")).to_contain_text("可信度", timeout=PATIENCE)
    assert sideways(visit.page) == 0
