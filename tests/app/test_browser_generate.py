"""The tab Generate in a real browser: writing, stopping, waiting one's turn, prices, and what is refused."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from calm_lab.app import generate_runs
from tests.app.visiting import PATIENCE, Visit, both_widths, sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


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
    expect(page.locator("#stage .cl-queued")).to_have_count(0)  # it waits for nothing


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


def test_a_second_visitor_is_told_to_wait(
    visit: Visit, browser: Browser, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = visit.generate_tab()
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    waiting = Visit(context, url)
    second = waiting.generate_tab()
    slow_down(monkeypatch)
    for page in (first, second):
        page.get_by_label("Length, tokens").fill("512")
        page.locator("#temperature").get_by_text("1", exact=True).click()
        page.get_by_label("Prompt").fill("")
    first.get_by_role("button", name="Generate", exact=True).click()
    expect(first.locator("#stage .cl-running")).to_be_visible(timeout=PATIENCE)
    before = second.locator("#stage .cl-text").text_content()
    second.get_by_role("button", name="Generate", exact=True).click()
    expect(second.locator("#stage .cl-status")).to_contain_text("waiting for its turn", timeout=PATIENCE)
    assert second.locator("#stage .cl-text").text_content() == before
    second.get_by_role("button", name="Stop").click()  # asks for nothing any more
    expect(second.locator("#stage .cl-queued")).to_have_count(0, timeout=PATIENCE)
    second.get_by_role("button", name="Generate", exact=True).click()
    expect(second.locator("#stage .cl-queued")).to_be_visible(timeout=PATIENCE)
    first.get_by_role("button", name="Stop").click()
    expect(second.locator("#stage .cl-running")).to_be_visible(timeout=PATIENCE)
    expect(second.locator("#stage .cl-queued")).to_have_count(0)
    second.get_by_role("button", name="Stop").click()
    expect(second.locator("#stage .cl-status")).to_contain_text("stopped", timeout=PATIENCE)
    context.close()
    assert waiting.problems == []


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
