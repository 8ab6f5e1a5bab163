"""Noise dial, the exchange of a token and links in a real browser: a state goes out as a link and comes back."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from calm_lab.lab.examples import SEED, TEXTS
from calm_lab.lab.falling import fall
from tests.app.small_models import autoencoder
from tests.app.visiting import PATIENCE, Visit, both_widths, sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def copied(visit: Visit, tab: str) -> str:
    """The link that the tab's button puts on the clipboard."""
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.page.locator(f"#link-{tab}").get_by_role("button").click()
    expect(visit.page.locator(f"#link-{tab}").get_by_role("status")).to_contain_text("Copied", timeout=PATIENCE)
    return str(visit.page.evaluate("navigator.clipboard.readText()"))


def asks(link: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(link).query).items()}


def quiet(browser: Browser, url: str, width: int = 1280) -> Visit:
    """Another visitor, who opens ``url``."""
    return Visit(browser.new_context(viewport={"width": width, "height": 900}, locale="en-US"), url)


@both_widths
def test_the_text_falls_apart_live(visit: Visit) -> None:
    page, falling, sweep = visit.page, visit.page.locator("#falling"), visit.page.locator("#sweep")
    assert sweep.locator("svg.cl-chart").count() == 0  # nothing is computed for a tab that nobody has opened
    visit.open_tab("Noise dial")
    expect(falling.locator(".cl-story")).to_contain_text("O", timeout=PATIENCE)
    expect(sweep.locator("svg.cl-chart")).to_have_count(3, timeout=PATIENCE)
    assert sideways(page) == 0
    dial = page.get_by_role("slider", name="Noise σ, live")
    dial.focus()
    page.keyboard.press("Home")
    expect(falling.locator(".cl-caption")).to_have_text("The text at σ = 0.00")
    page.keyboard.press("End")
    expect(falling.locator(".cl-caption")).to_have_text("The text at σ = 2.00")
    known = fall(autoencoder(), TEXTS[0].text, SEED)
    value = f"{known.correct(len(known.sigmas) - 1)} of {len(known.answers)} tokens"
    expect(falling.locator(".cl-stat dd").first).to_have_text(value)
    expect(sweep.get_by_role("heading", name="Each autoencoder at σ = 2.00")).to_be_visible()
    expect(sweep.get_by_role("rowheader", name="small-autoencoder")).to_be_visible()
    with page.expect_download() as download:
        sweep.get_by_role("button", name="Data as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    assert {row["kind"] for row in rows} == {"accuracy", "kl", "learned sigma"}
    before = falling.locator(".cl-story").text_content() or ""
    page.get_by_role("button", name="New noise").last.click()
    expect(falling.locator(".cl-story")).not_to_have_text(before, timeout=PATIENCE)
    page.get_by_label("Text to spoil").fill("sea " * 25_000)
    expect(falling.get_by_role("alert")).to_contain_text("shorten it to at most 20,000", timeout=PATIENCE)


def test_a_token_is_exchanged(visit: Visit) -> None:
    page, edit = visit.vectors_tab(), visit.page.locator("#edit")
    expect(page.locator("#board .cl-chunk").first).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name=re.compile("^Exchange the token")).nth(1).click()
    expect(edit.get_by_role("heading")).to_have_text("Token 2 of chunk 1 exchanged", timeout=PATIENCE)
    expect(edit).to_contain_text("No other chunk moved")
    chip = edit.locator(".cl-token-chip").nth(2)
    chip.click()
    expect(edit.locator(".cl-token-chip").nth(2)).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)
    field = edit.get_by_label("another token")
    field.fill("zq zq zq zq")
    field.press("Enter")
    expect(edit.get_by_role("alert")).to_contain_text("must be one token", timeout=PATIENCE)
    expect(edit.locator(".cl-token-chip").first).to_be_visible()  # to choose again
    page.get_by_label("Your text").fill("é日")
    expect(page.locator("#board .cl-shared").first).to_have_text("é1/2", timeout=PATIENCE)
    expect(edit.locator(".cl-detail, .cl-message")).to_have_count(0)  # an exchange speaks of one text


@both_widths
def test_a_link_brings_a_tab_back(visit: Visit, browser: Browser, url: str) -> None:
    width = (visit.page.viewport_size or {})["width"]
    visit.open_tab("Noise dial")
    page = visit.page
    expect(page.locator("#sweep svg.cl-chart").first).to_be_visible(timeout=PATIENCE)
    text = 'the <img src=x onerror="document.title=1"> sea & é'
    page.get_by_label("Text to spoil").fill(text)
    page.locator("#noise-seed input").fill("11")
    page.get_by_role("slider", name="Noise σ, live").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    link = copied(visit, "noise")
    assert asks(link) == {"tab": "noise", "text": text, "sigma": "0.05", "seed": "11", "model": "small-autoencoder"}
    assert page.url == link
    other = quiet(browser, link, width)
    expect(other.page.get_by_label("Text to spoil")).to_have_value(text, timeout=PATIENCE)
    expect(other.page.locator("#falling .cl-caption")).to_have_text("The text at σ = 0.05", timeout=PATIENCE)
    expect(other.page.locator("#noise-seed input")).to_have_value("11")
    expect(other.page.locator("#sweep svg.cl-chart").first).to_be_visible(timeout=PATIENCE)
    expect(other.page.locator("#link-notice .cl-told")).to_have_count(0)
    assert other.page.title() == "calm_lab"
    assert other.page.locator("#board .cl-chunk").count() == 0  # nobody has opened that tab
    other.open_tab("Tokens and vectors")
    expect(other.page.locator("#board .cl-chunk").first).to_be_visible(timeout=PATIENCE)
    assert other.problems == []
    other.context.close()


STATES = {
    "vectors": ({"text": "the sea", "sigma": "0.55", "seed": "3"}, "#board .cl-chunk"),
    "energy": ({"alpha": "1.5", "n": "12", "cloud": "1,-0.5", "seed": "4"}, "#energy-plane .cl-stats"),
    "temperature": ({"law": "0.6,0.4", "t": "0.4", "pool": "32", "seed": "5"}, "#prices svg"),
    "generate": (
        {"prompt": "Once", "method": "exact", "t": "0.4", "spent": "stop", "n": "2", "length": "16", "seed": "6"},
        "#stage .cl-written",
    ),
    "brier": ({"dial": "-0.4", "positions": "300", "language": "surprising", "seed": "8"}, "#brier .cl-stats"),
    "k-buys": ({"pool": "50", "layers": "24", "vocab_size": "2048"}, "#cost .cl-stats"),
}


@pytest.mark.parametrize("tab", STATES)
def test_every_tab_comes_back_from_its_link(browser: Browser, url: str, tab: str) -> None:
    """What a link asks for is what the tab's own link says afterwards."""
    wanted, sign = STATES[tab]
    visit = quiet(browser, f"{url}?{urlencode({'tab': tab, **wanted})}")
    expect(visit.page.locator(sign).first).to_be_visible(timeout=PATIENCE)
    assert {key: value for key, value in asks(copied(visit, tab)).items() if key in wanted} == wanted
    assert visit.problems == []
    visit.context.close()


def notice(page: Page) -> str:
    told = page.locator("#link-notice .cl-told")
    expect(told).to_be_visible(timeout=PATIENCE)
    return told.inner_text()


def test_what_a_link_cannot_ask_for_is_told(browser: Browser, url: str) -> None:
    query = urlencode({"tab": "vectors", "sigma": "99", "seed": "<b>7</b>", "text": "the sea"})
    visit = quiet(browser, f"{url}?{query}")
    told = notice(visit.page)
    assert "sigma = “99”" in told
    assert "seed = “<b>7</b>”" in told
    assert visit.page.locator("#link-notice b").count() == 0
    expect(visit.page.get_by_label("Your text")).to_have_value("the sea", timeout=PATIENCE)
    expect(visit.page.locator("#board .cl-stat").first).to_contain_text("1 vector", timeout=PATIENCE)
    expect(visit.page.locator("#vectors-seed input")).to_have_value("7")
    visit.page.locator("#link-notice").get_by_role("button", name="Close").click()
    expect(visit.page.locator("#link-notice .cl-told")).to_have_count(0)
    assert visit.problems == []
    visit.context.close()


@pytest.mark.parametrize("visit", [{"locale": "zh-CN", "width": 390}], indirect=True)
def test_in_chinese(visit: Visit, url: str) -> None:
    page = visit.page
    page.goto(f"{url}?tab=whale")
    assert "标签页不存在：“whale”" in notice(page)
    visit.open_tab("噪声旋钮")
    expect(page.locator("#falling")).to_contain_text("还原", timeout=PATIENCE)
    expect(page.locator("#sweep")).to_contain_text("每个坐标说了多少", timeout=PATIENCE)
    expect(page.locator("#link-noise")).to_contain_text("复制此页面状态的链接")
    assert sideways(page) == 0
