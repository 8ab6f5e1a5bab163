"""The page in a real browser: what a visitor sees, types, clicks and hears about, at two widths."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from calm_lab.app.main import TABS
from tests.app.visiting import PATIENCE, Visit, both_widths, sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@both_widths
def test_a_worked_example_stands_there_before_any_click(visit: Visit) -> None:
    page = visit.vectors_tab()
    expect(page.locator("#board .cl-chunk").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_label("Your text")).to_have_value(re.compile("^Once upon a time"))
    expect(page.locator("#board .cl-returned")).to_contain_text("Once")
    expect(page.get_by_role("heading", name=re.compile("The vector of chunk 1"))).to_be_visible()
    assert sideways(page) == 0
    visit.generate_tab()
    expect(page.get_by_role("heading", name=re.compile("The pool of step"))).to_be_visible()
    assert sideways(page) == 0


@both_widths
def test_every_tab_is_in_sight(visit: Visit) -> None:
    page = visit.page
    expect(page.get_by_role("tab").first).to_be_visible(timeout=PATIENCE)
    tabs = [tab.bounding_box() for tab in page.get_by_role("tab").all()]
    assert len(tabs) == len(TABS)
    width = page.evaluate("document.documentElement.clientWidth")
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] >= 30 for box in tabs)


def test_typing_changes_the_chunks_and_text_stays_text(visit: Visit) -> None:
    page = visit.vectors_tab()
    expect(page.locator("#board .cl-chunk").first).to_be_visible(timeout=PATIENCE)
    page.get_by_label("Your text").fill('<img src=x onerror="document.title=1"> <b>sea</b>')
    expect(page.locator("#board .cl-chunks")).to_contain_text("<", timeout=PATIENCE)
    assert page.locator("#board img, #board .cl-chunks b").count() == 0
    assert page.title() == "calm_lab"
    page.get_by_label("Your text").fill("the sea")
    expect(page.locator("#board .cl-stat").first).to_contain_text("→ 1 vector", timeout=PATIENCE)
    page.get_by_label("Your text").fill("")
    expect(page.locator("#board")).to_contain_text("Type something above.", timeout=PATIENCE)


def test_a_chunk_is_chosen_by_mouse_and_by_keyboard(visit: Visit) -> None:
    page = visit.vectors_tab()
    chunks = page.locator("#board").get_by_role("option")
    chunks.nth(1).click(timeout=PATIENCE)
    title = page.locator("#board .cl-detail h2")
    expect(title).to_contain_text("chunk 2")
    page.keyboard.press("ArrowRight")
    expect(title).to_contain_text("chunk 3")
    expect(chunks.nth(2)).to_be_focused()
    page.keyboard.press("Home")
    expect(title).to_contain_text("chunk 1")
    expect(chunks.nth(0)).to_have_attribute("aria-selected", "true")


def test_noise_moves_the_vector(visit: Visit) -> None:
    page = visit.vectors_tab()
    expect(page.locator("#board .cl-bar").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#board .cl-bar s")).to_have_count(0)
    slider = page.get_by_role("slider", name=re.compile("Noise"))
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator("#board .cl-stats")).to_contain_text("σ = 2.00", timeout=PATIENCE)
    expect(page.locator("#board .cl-bar s").first).to_be_visible()
    before = page.locator("#board .cl-bar").first.get_attribute("title")
    page.get_by_role("button", name="New noise").click()
    expect(page.locator("#board .cl-bar").first).not_to_have_attribute("title", before or "", timeout=PATIENCE)
    expect(page.get_by_label("Noise seed")).not_to_have_value("7")


def test_too_long_a_text_is_one_line_and_passes(visit: Visit) -> None:
    page = visit.vectors_tab()
    page.get_by_label("Your text").fill("sea " * 25_000)
    expect(page.locator("#board").get_by_role("alert")).to_have_text(
        "The text has 100,000 characters: shorten it to at most 20,000.", timeout=PATIENCE
    )
    page.get_by_role("button", name="Fairy tale").click()
    expect(page.locator("#board .cl-chunk").first).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize("visit", [{"color_scheme": "dark"}], indirect=True)
def test_dark_and_light(visit: Visit) -> None:
    page = visit.page
    expect(page.locator("#tour-answer .cl-hbars").first).to_be_visible(timeout=PATIENCE)

    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    dark = ground()
    page.get_by_role("button", name="Switch between dark and light").click()
    assert ground() != dark
    page.reload()
    expect(page.locator("#tour-answer .cl-hbars").first).to_be_visible(timeout=PATIENCE)
    assert ground() != dark


@pytest.mark.parametrize("visit", [{"locale": "zh-CN"}, {"locale": "zh-CN", "width": 390}], indirect=True)
def test_in_chinese(visit: Visit) -> None:
    page = visit.page
    visit.open_tab("词元与向量")
    expect(page.get_by_label("你的文字")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#board")).to_contain_text("向量", timeout=PATIENCE)
    visit.open_tab("生成")
    expect(page.locator("#stage")).to_contain_text("候选池", timeout=PATIENCE)
    expect(page.locator("#temperature")).to_contain_text("温度")
    assert sideways(page) == 0
