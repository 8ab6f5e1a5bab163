"""The tour in a real browser: every step walked by keyboard, its links, both languages, two widths."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from calm_lab.app.tour_answers import STOPS
from calm_lab.app.tour_tab import PAPER
from calm_lab.app.words import WORDS
from calm_lab.lab.tour import carried, prices
from tests.app.visiting import PATIENCE, Visit, both_widths, saved, sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@both_widths
def test_all_steps_are_walked(visit: Visit) -> None:
    page, steps, answer = visit.page, visit.page.locator("#tour-steps"), visit.page.locator("#tour-answer")
    see = answer.locator(".cl-tour-see")
    expect(see).to_contain_text("You should see: 15.0 bits", timeout=PATIENCE)
    page.get_by_role("slider", name="Vocabulary V").focus()
    page.keyboard.press("End")
    expect(see).to_contain_text(f"{carried(2_097_152).bits:.1f} bits with 2,097,152 entries", timeout=PATIENCE)
    for step in range(1, len(STOPS) + 1):
        title = WORDS[f"tour_title_{step}"][0]
        expect(steps.get_by_role("heading")).to_have_text(title)
        expect(steps.locator("[aria-current=step]")).to_have_text(str(step))
        expect(see).to_contain_text("You should see:", timeout=PATIENCE)
        assert answer.locator(".cl-message").count() == 0
        assert saved(page, answer)  # the numbers as rows
        assert "{" not in (steps.inner_text() + answer.inner_text())
        expect(answer).to_contain_text(f"{STOPS[step - 1].notebook}.ipynb")
        expect(answer.get_by_role("link", name="Paper, sec.")).to_have_attribute("href", PAPER)
        assert sideways(page) == 0
        if step < len(STOPS):
            answer.get_by_role("button", name="Next").press("Enter")
            expect(steps.get_by_role("heading")).to_be_focused()
    expect(answer.get_by_role("button", name="Next")).to_have_count(0)
    expect(see).to_contain_text("training −44%, inference −34%")
    steps.get_by_role("button", name="CALM-L / Transformer-S").click()
    expect(see).to_contain_text("training +17%, inference +5%", timeout=PATIENCE)

    answer.get_by_role("button", name="Back").click()
    page.get_by_role("slider", name="K, tokens a step").focus()
    page.keyboard.press("End")
    plain, *_, eight = prices()
    expect(see).to_contain_text(f"a token {eight.token / plain.token:.2f} times", timeout=PATIENCE)
    answer.get_by_role("link", name="Go deeper: What K buys").click()
    expect(page.get_by_role("tab", name="What K buys")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#cost .cl-stats").first).to_be_visible(timeout=PATIENCE)


def test_a_visitors_text_stays_text(visit: Visit) -> None:
    page, answer = visit.page, visit.page.locator("#tour-answer")
    expect(answer.locator(".cl-tour-see")).to_contain_text("You should see:", timeout=PATIENCE)
    page.get_by_role("button", name=re.compile("^Step 2:")).click()
    box = page.get_by_label("Text to try")
    box.fill('<img src=x onerror="document.title=1"> <b>sea</b>')
    expect(answer.locator(".cl-tour-chunk").first).to_contain_text("<", timeout=PATIENCE)
    assert answer.locator("img, .cl-tour-chunk b").count() == 0
    assert page.title() == "calm_lab"
    box.fill("")
    expect(answer.get_by_role("alert")).to_contain_text("There is no text", timeout=PATIENCE)
    expect(box).to_be_focused()


@pytest.mark.parametrize("visit", [{"locale": "zh-CN", "width": 390}], indirect=True)
def test_in_chinese(visit: Visit, url: str) -> None:
    page = visit.page
    page.goto(f"{url}?tab=tour&step=7&n=4")
    expect(page.locator("#tour-steps").get_by_role("heading")).to_have_text("用重复实现温度", timeout=PATIENCE)
    expect(page.locator("#tour-answer .cl-tour-see")).to_contain_text("在 T = 1/4 时", timeout=PATIENCE)
    expect(page.locator("#tour-answer")).to_contain_text("深入：温度")
    assert sideways(page) == 0
