"""The tabs "BrierLM" and "What K buys" in a real browser: sliders, switches, sorting, files, at two widths."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from playwright.sync_api import expect

from calm_lab.app import brier_tab
from calm_lab.lab.brier_noise import scored
from calm_lab.lab.brier_study import exact, known_language
from calm_lab.lab.calculator import Sizes, calculate
from tests.app.visiting import PATIENCE, Visit, both_widths, copied, saved, sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@both_widths
def test_brierlm(visit: Visit) -> None:
    page, drawing = visit.page, visit.page.locator("#brier")
    assert drawing.locator(".cl-stats").count() == 0  # nothing is computed for a tab that nobody has opened
    visit.open_tab("BrierLM")
    expect(drawing.locator("svg.cl-chart")).to_have_count(7, timeout=PATIENCE)
    assert sideways(page) == 0
    language = known_language("prose")
    figures = drawing.locator(".cl-stat dd:not(.cl-note)")
    expect(figures.nth(1)).to_have_text(f"{exact(language, 0.2).brier_lm:.2f}")
    expect(figures.nth(2)).to_have_text(f"{language.brier_ceiling().brier_lm:.2f}")
    expect(drawing).to_contain_text("16,643 and 52,237 positions")

    dial = page.get_by_role("slider", name="The dial")
    dial.focus()
    page.keyboard.press("Home")  # all but certain: there is no BrierLM
    expect(dial).to_have_attribute("aria-valuetext", "too sure by 100%")
    expect(figures.nth(1)).to_have_text("undefined", timeout=PATIENCE)
    page.keyboard.press("End")
    expect(figures.nth(1)).to_have_text(f"{exact(language, 1).brier_lm:.2f}", timeout=PATIENCE)
    expect(dial).to_be_focused()

    before = figures.nth(0).text_content() or ""
    page.get_by_role("button", name="New draws").click()
    expect(figures.nth(0)).not_to_have_text(before, timeout=PATIENCE)
    page.get_by_role("button", name="hard", exact=True).click()
    ceiling = known_language("surprising").brier_ceiling().brier_lm
    expect(figures.nth(2)).to_have_text(f"{ceiling:.2f}", timeout=PATIENCE)
    assert sideways(page) == 0

    heading = drawing.get_by_role("columnheader", name="model").last
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(drawing.get_by_role("rowheader", name="small-calm")).to_be_visible()
    table = drawing.locator("table").last
    names = [text.strip() for text in table.locator("thead th").all_text_contents()]
    cells = [text.strip() for text in table.locator("tbody tr").first.locator("th, td").all_text_contents()]
    assert cells[names.index("K")].isdigit(), "every cell stands under its heading"
    assert not cells[names.index("corpus")].isdigit()
    rows = saved(page, drawing)
    assert float(rows[-1]["brier_1_exact"]) == pytest.approx(exact(known_language("surprising"), 1).values[0])
    assert "turned(language, 1.0)" in copied(visit, drawing)

    page.get_by_label("Seed of the draws").fill("-3")
    page.keyboard.press("Enter")
    expect(drawing.get_by_role("alert")).to_contain_text("seed must be a whole number", timeout=PATIENCE)


def test_the_gap_of_two_models(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two presses choose two models; their difference has an interval where both have scores on one corpus."""
    drawing = visit.page.locator("#brier")

    def row(name: str, corpus: str, score: float | None, error: float) -> dict[str, Any]:
        test = {"brier_lm": score, "brier_lm_standard_error": error, "brier": [0.4, 0.3, 0.2, 0.1]}
        found = scored(name, "transformer", {}, {"data": {"corpus": corpus}, "metrics": {"test": test}})
        return {**dataclasses.asdict(found), "share": None}

    known = [row("one", "tales", 30.0, 0.3), row("two", "tales", 20.5, 0.4), row("far", "news", 40.0, 1.0)]
    monkeypatch.setattr(brier_tab, "_models", lambda bench: [*known, row("none", "tales", None, 0.0)])
    visit.open_tab("BrierLM")
    gap = drawing.locator(".cl-finding[role=status]")

    def press(name: str, pressed: bool) -> None:
        pick = drawing.get_by_role("button", name=name, exact=True)
        pick.press("Enter")
        expect(pick).to_have_attribute("aria-pressed", str(pressed).lower())
        expect(pick).to_be_focused()

    expect(gap).to_have_text("far and one were scored on different corpora: they cannot be compared.", timeout=PATIENCE)
    press("two", True)
    expect(gap).to_contain_text("one less two: 9.50 ± 0.98 (95%")
    press("one", False)
    expect(gap).to_have_text("Press two models to see their gap.")
    press("none", True)
    expect(gap).to_contain_text("one score is undefined")


@both_widths
def test_what_k_buys(visit: Visit) -> None:
    page, drawing = visit.page, visit.page.locator("#cost")
    assert drawing.locator(".cl-stats").count() == 0
    visit.open_tab("What K buys")
    expect(drawing.locator("svg.cl-chart").nth(1)).to_be_visible(timeout=PATIENCE)
    assert sideways(page) == 0
    for text in (
        "−44% training and −34% inference are CALM-M against Transformer-S, at a BrierLM 0.33 lower",
        "“same or better” are wrong",
        "that one takes +17% training and +5% inference",
    ):
        expect(drawing.locator(".cl-honest")).to_contain_text(text)
    expect(drawing.get_by_role("rowheader", name="CALM-XL")).to_be_attached()
    figures = drawing.locator(".cl-stat dd:not(.cl-note)")
    answer = calculate(Sizes())
    expect(figures.nth(1)).to_have_text(f"{answer.inference:+.0%}".replace("-", "−"))
    expect(figures.nth(2)).to_have_text(f"{answer.even_pool} draws a step")

    pool = page.get_by_role("slider", name="Pool, draws a step")
    pool.focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    expect(pool).to_have_attribute("aria-valuetext", "200")
    expect(figures.nth(1)).to_have_text(f"×{calculate(Sizes(pool=200)).inference + 1:.0f}", timeout=PATIENCE)
    large = page.get_by_role("button", name="CALM-L", exact=True)
    large.click()
    expect(large).to_have_attribute("aria-pressed", "true")
    even = calculate(Sizes(hidden_size=1536)).even_pool
    expect(figures.nth(2)).to_have_text(f"{even} draws a step", timeout=PATIENCE)
    assert sideways(page) == 0

    rows = saved(page, drawing)
    mine = [row for row in rows if (row["model"], row["K"], row["phase"]) == ("calm", "4", "inference")]
    parts = {row["part"]: float(row["flops_per_token"]) for row in mine}
    assert parts["total"] == pytest.approx(calculate(Sizes(hidden_size=1536)).calm.per_token)
    assert "hidden_size=1536" in copied(visit, drawing)
    page.locator("#tab-k-buys").get_by_role("button", name="How this is computed").click()
    expect(page.locator("#tab-k-buys .katex").first).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize("visit", [{"locale": "zh-CN", "width": 390}], indirect=True)
def test_both_in_chinese(visit: Visit) -> None:
    visit.open_tab("BrierLM 评分")
    expect(visit.page.locator("#brier")).to_contain_text("符号陷阱", timeout=PATIENCE)
    visit.open_tab("K 换来什么")
    expect(visit.page.locator("#cost .cl-honest")).to_contain_text("低了 0.33", timeout=PATIENCE)
    expect(visit.page.locator("#cost .cl-pairs").last).to_contain_text("较大的模型也一样")
    assert sideways(visit.page) == 0
