"""The page in a real browser: what a visitor sees, types, clicks and hears about, at two widths."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from calm_lab.app import generate_runs
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


def test_writing_streams_and_can_be_stopped(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    page = visit.generate_tab()  # first, so that the worked example is not written by the endless writer
    slow_down(monkeypatch)
    example = page.locator("#stage .cl-settings").text_content()
    page.get_by_label("Prompt").fill("")
    page.locator("#temperature input").focus()
    page.keyboard.press("End")
    page.get_by_label("Length, tokens").fill("512")
    page.get_by_label("Seed", exact=True).fill("11")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator("#stage .cl-running")).to_be_visible(timeout=PATIENCE)
    written = page.locator("#stage").get_by_role("option")
    expect(written.nth(1)).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#stage .cl-settings")).to_have_text(re.compile("T = 1 · seed 11"))
    assert page.locator("#stage .cl-settings").text_content() != example
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#stage .cl-status")).to_contain_text("stopped", timeout=PATIENCE)
    count = written.count()
    page.wait_for_timeout(700)
    assert written.count() == count < 128


def test_the_same_seed_writes_the_same(visit: Visit) -> None:
    page = visit.generate_tab()
    text = page.locator("#stage .cl-text")
    page.get_by_label("Length, tokens").fill("16")

    def write() -> str:
        text.evaluate("element => { element.dataset.before = 'yes' }")  # what was written before this click
        page.get_by_role("button", name="Generate", exact=True).click()
        expect(page.locator("#stage .cl-text[data-before]")).to_have_count(0, timeout=PATIENCE)
        expect(page.locator("#stage .cl-ended, #stage .cl-full")).to_be_visible(timeout=PATIENCE)
        return text.text_content() or ""

    assert write() == write() != ""
    page.get_by_role("button", name="New seed").click()
    expect(page.get_by_label("Seed", exact=True)).not_to_have_value("7")


def test_any_written_chunk_opens_its_pool(visit: Visit) -> None:
    page = visit.generate_tab()
    written = page.locator("#stage").get_by_role("option")
    title = page.locator("#stage .cl-pool h2")
    last = written.count() - 1
    written.nth(last).click()
    expect(title).to_contain_text(f"step {last + 1}")
    expect(page.locator("#stage .cl-pool tr.cl-chosen")).to_have_count(1)
    expect(page.locator("#stage .cl-pool")).to_contain_text("200 draws")
    page.keyboard.press("Home")
    expect(title).to_contain_text("step 1")
    expect(written.nth(0)).to_be_focused()


def test_the_exact_method_tells_its_price_and_its_trials(visit: Visit) -> None:
    page = visit.generate_tab()
    page.get_by_role("button", name="exact", exact=True).click()
    price = page.locator("#generate-price")
    expect(price).to_contain_text("pilot draws", timeout=PATIENCE)
    expect(page.locator("#generate-pool")).to_be_hidden()
    page.locator("#generate-heat").get_by_text("1/2", exact=True).click()
    expect(price).to_contain_text("T = 0.5", timeout=PATIENCE)
    expect(page.locator("#stage .cl-stale")).to_contain_text("the method", timeout=PATIENCE)
    page.get_by_label("Length, tokens").fill("8")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator("#stage .cl-foretold")).to_contain_text("pilot draws", timeout=PATIENCE)
    expect(page.locator("#stage .cl-pool .cl-trials")).to_contain_text("draws charged", timeout=PATIENCE)
    expect(page.locator("#stage .cl-stale")).to_have_count(0)


def test_a_price_follows_the_prompt_and_is_dim_until_it_has(visit: Visit) -> None:
    page = visit.generate_tab()
    page.get_by_role("button", name="exact", exact=True).click()
    price = page.locator("#generate-price .cl-price")
    expect(price).to_contain_text("pilot draws", timeout=PATIENCE)
    expect(price).to_have_attribute("aria-busy", "false")
    first = price.inner_text()
    page.locator(".cl-chips:visible button").nth(1).click()  # no field is left: the chip itself asks
    expect(price).not_to_have_text(first, timeout=PATIENCE, use_inner_text=True)
    expect(price).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    page.get_by_label("Prompt").press_sequentially(" and then")
    expect(price).to_have_attribute("aria-busy", "true", timeout=PATIENCE)  # the prompt is still being written
    page.get_by_label("Prompt").blur()
    expect(price).to_have_attribute("aria-busy", "false", timeout=PATIENCE)


def test_text_of_other_settings_is_marked(visit: Visit) -> None:
    page = visit.generate_tab()
    stale = page.locator("#stage .cl-stale")
    expect(stale).to_have_count(0)
    page.get_by_label("Seed", exact=True).fill("12")
    expect(stale).to_contain_text("the seed", timeout=PATIENCE)
    page.get_by_label("Prompt").fill("Every")
    expect(stale).to_contain_text("the prompt, the seed", timeout=PATIENCE)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(stale).to_have_count(0, timeout=PATIENCE)


def test_a_number_out_of_range_names_its_field(visit: Visit) -> None:
    page = visit.generate_tab()
    page.get_by_label("Pool, draws a step").fill("0")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_test_id("toast-body")).to_contain_text(
        "The pool must be a whole number from 1 to 1,000, not 0.", timeout=PATIENCE
    )


@both_widths
def test_three_temperatures_side_by_side(visit: Visit) -> None:
    page = visit.generate_tab()
    page.get_by_role("button", name="Write it at T = 1, 1/2 and 1/3").click()
    compared = page.locator("#compare")
    expect(compared.get_by_role("button", name="Copy as Python")).to_be_visible(timeout=PATIENCE)
    expect(compared.locator(".cl-lane")).to_have_count(3)
    expect(compared.locator("tbody tr").first).to_contain_text("CALM, T = 1")
    expect(compared.locator(".cl-missing")).to_contain_text("--tokenizer small-calm/autoencoder")
    compared.get_by_role("option").last.click()
    expect(compared.locator(".cl-pool h2")).to_contain_text("The pool of step")
    assert sideways(page) == 0


def test_the_temperature_knows_only_fractions(visit: Visit) -> None:
    page = visit.generate_tab()
    shown, slider = page.locator("#temperature output"), page.locator("#temperature input")
    expect(shown).to_have_text("T = 1/3")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_text("T = 1/2")
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_text("T = 1")
    page.locator("#temperature").get_by_text("1/5", exact=True).click()
    expect(shown).to_have_text("T = 1/5")
    expect(slider).to_have_attribute("aria-valuetext", "one over 5")


def test_a_refused_prompt_is_one_line(visit: Visit) -> None:
    page = visit.generate_tab()
    page.get_by_label("Prompt").fill("x" * 100_000)
    page.get_by_role("button", name="Generate", exact=True).click()
    toast = page.get_by_test_id("toast-body")
    expect(toast).to_contain_text("The prompt has 100,000 characters: shorten it to at most 20,000.", timeout=PATIENCE)
    expect(toast).not_to_contain_text("Traceback")


def test_closing_the_tab_ends_the_writing(browser: Browser, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = Visit(context, url).generate_tab()
    steps = slow_down(monkeypatch)
    page.get_by_label("Length, tokens").fill("512")
    page.locator("#temperature").get_by_text("1", exact=True).click()
    page.get_by_label("Prompt").fill("")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator("#stage .cl-running .cl-lamp")).to_be_visible(timeout=PATIENCE)
    before = len(steps)
    context.close()
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:  # it may finish the step it is in, and one more
        seen = len(steps)
        time.sleep(2)
        if len(steps) == seen:
            break
    assert len(steps) == seen < before + 128


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


def slow_down(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make every step take at least 0.1 s and never end by itself; returns the list that grows with each step."""
    taken: list[int] = []
    genuine = generate_runs.pool_of
    monkeypatch.setattr(generate_runs, "generate", endless(generate_runs.generate))

    def counted(*args: object, **kwargs: object) -> object:
        taken.append(1)
        time.sleep(0.1)
        return genuine(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(generate_runs, "pool_of", counted)
    return taken


def endless(write: object) -> object:
    """The same texts over and over, so that a run lasts until it is stopped."""

    def again(*args: object, **kwargs: object) -> Iterator[object]:
        for _ in range(500):
            yield from write(*args, **kwargs)  # type: ignore[operator]

    return again
