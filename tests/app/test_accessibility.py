"""axe-core on every tab in both themes: nothing serious, nothing critical, and no exception made."""

from __future__ import annotations

import importlib.resources
from typing import Any

import pytest
from playwright.sync_api import expect

from calm_lab.app.main import TABS
from calm_lab.app.tour_answers import STOPS
from tests.app.visiting import PATIENCE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
GRAVE = {"serious", "critical"}


def violations(visit: Visit) -> list[str]:
    """What axe calls serious or critical on the page as it stands."""
    visit.page.evaluate(AXE)
    found: list[dict[str, Any]] = visit.page.evaluate("axe.run(document).then(result => result.violations)")
    return [
        f"{rule['id']}: {node['target']}: {node['failureSummary'].splitlines()[-1].strip()}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


both_themes = pytest.mark.parametrize(
    "visit", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"]
)


@both_themes
def test_no_tab_has_a_grave_violation(visit: Visit) -> None:
    page = visit.page
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_count(len(TABS), timeout=PATIENCE)
    told: dict[str, list[str]] = {}
    for tab in tabs.all():
        tab.click()
        panel = page.locator(f"#{tab.get_attribute('aria-controls')}")
        expect(panel).to_be_visible(timeout=PATIENCE)
        expect(panel.locator('[data-testid="status-tracker"]:not(.hide)')).to_have_count(0, timeout=PATIENCE)
        page.wait_for_timeout(1000)  # transitions of colour end
        if found := violations(visit):
            told[tab.text_content() or ""] = found
    assert told == {}


@both_themes
def test_no_step_of_the_tour_has_a_grave_violation(visit: Visit) -> None:
    page = visit.page
    marks = page.locator("#tour-steps .cl-tour-mark")
    expect(marks).to_have_count(len(STOPS), timeout=PATIENCE)
    told: dict[int, list[str]] = {}
    for step in range(len(STOPS)):
        marks.nth(step).click()
        expect(page.locator("#tour-answer .cl-tour-see")).to_contain_text("You should see", timeout=PATIENCE)
        page.wait_for_timeout(300)  # bars have grown
        if found := violations(visit):
            told[step + 1] = found
    assert told == {}
