"""Visitors of the load test who come with a real browser: they click tabs, move sliders, click points of the map.

One Chromium, a context of its own for each of them, all driven from one thread. What a click takes is measured in the
page: from the click to the first change of the drawing that answers it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from random import Random
from typing import Any

from calm_lab.cli.doctor import find_browser
from tests.torture.visits import Visits

TABS = {
    "Tokens and vectors": ("#board", "#vectors-sigma input[type=range]"),
    "Latent map": ("#map canvas.cl-points", ""),
    "Noise dial": ("#sweep svg", "#noise-dials input[type=range]"),
    "BrierLM": ("#brier svg", "#brier-dials input[type=range]"),
    "What K buys": ("#cost svg", "#cost-dials input[type=range]"),
}
"""Tab: what shows that it is drawn, and a slider whose drawing the server makes anew."""
ANSWERS = {"Tokens and vectors": "#board", "Noise dial": "#falling", "BrierLM": "#brier", "What K buys": "#cost"}
WAIT = 120_000  # milliseconds
MARK = re.compile(r"visitor\d{4}x")
LISTEN = """selector => { window.answered = new Promise(done => new MutationObserver((_, watch) => {
  watch.disconnect(); done(true); }).observe(document.querySelector(selector), {childList: true, subtree: true})); }"""
LONG_WORK = "?tab=generate&method=exact&t=0.125&budget=5000&length=256&pool=200"


def browse(url: str, first: int, count: int, seed: int, visits: Visits) -> None:
    """Let ``count`` visitors browse until ``visits.stop``; their numbers begin at ``first``."""
    asyncio.run(_all(url, first, count, seed, visits))


async def _all(url: str, first: int, count: int, seed: int, visits: Visits) -> None:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=arguments)
        await asyncio.gather(*(_one(browser, url, number, seed, visits) for number in range(first, first + count)))
        await browser.close()


async def _one(browser: Any, url: str, number: int, seed: int, visits: Visits) -> None:
    """One visitor: a tab, then something on it, until the end."""
    rng, mark = Random(f"{seed} {number}"), f"visitor{number:04d}x"
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    page = await context.new_page()
    page.set_default_timeout(WAIT)
    page.on("pageerror", lambda error: visits.find(f"a page failed: {error}"))
    page.on("request", lambda request: _overheard(request, visits))
    try:
        await page.goto(url)
        while not visits.stop.is_set():
            tab = rng.choice(list(TABS))
            await _timed(visits, "tab", _open_tab(page, tab))
            for _ in range(rng.randint(2, 5)):
                if visits.stop.is_set():
                    break
                if tab == "Latent map":
                    await _click_map(page, rng, visits)
                else:
                    await _move_slider(page, tab, rng, visits)
                await asyncio.sleep(rng.uniform(0.2, 1.5))
            if tab == "Tokens and vectors":
                await page.locator("#vectors-text textarea").fill(f"{mark} saw the sea")
            others = set(MARK.findall(await page.locator("body").inner_text())) - {mark}
            if others:
                visits.find(f"the page of {mark} shows {others}")
    except Exception as error:
        if not visits.stop.is_set():
            visits.find(f"a page of {mark}: {type(error).__name__}: {error}")
    finally:
        await context.close()


def _overheard(request: Any, visits: Visits) -> None:
    """What the page asks the map is what visitors without a browser ask it too."""
    if visits.question is None and request.url.endswith("component_server") and "map_point" in request.post_data:
        visits.question = request.post_data_json


async def _timed(visits: Visits, action: str, work: Any) -> None:
    began, beside = time.monotonic(), visits.generating
    await work
    visits.add(action, 1000 * (time.monotonic() - began), bool(beside or visits.generating))


async def _open_tab(page: Any, tab: str) -> None:
    await page.get_by_role("tab", name=tab, exact=True).click()
    await page.locator(TABS[tab][0]).first.wait_for()


async def _answer(page: Any, selector: str, act: Callable[[], Any]) -> None:
    await page.evaluate(LISTEN, selector)
    await act()
    await page.evaluate("() => window.answered")


async def _click_map(page: Any, rng: Random, visits: Visits) -> None:
    canvas = page.locator("#map canvas.cl-points")
    await canvas.scroll_into_view_if_needed()
    box = await canvas.bounding_box()
    spot = {"x": rng.uniform(0.2, 0.8) * box["width"], "y": rng.uniform(0.2, 0.8) * box["height"]}
    await _timed(visits, "map click", _answer(page, "#map .cl-part-of-side", lambda: canvas.click(position=spot)))
    refusals = await page.locator("#map .cl-part-of-side [role=alert]").all_text_contents()
    for refusal in refusals:
        visits.answered_badly("map click", refusal)


async def _move_slider(page: Any, tab: str, rng: Random, visits: Visits) -> None:
    slider = page.locator(TABS[tab][1]).first
    at, low, high = await slider.evaluate("e => [e.value, e.min, e.max].map(Number)")
    key = "ArrowLeft" if at >= high or (at > low and rng.random() < 0.5) else "ArrowRight"
    await _timed(visits, "slider", _answer(page, ANSWERS[tab], lambda: slider.press(key)))


def closing(url: str, ask: Callable[[], Any]) -> float:
    """Begin a text that takes minutes, close its page, and let ``ask`` wait for its place.

    Returns:
        Seconds from the closing to the answer of ``ask``.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(WAIT)
        page.goto(url + LONG_WORK)
        page.locator("#stage .cl-written").first.wait_for()
        page.wait_for_timeout(2000)
        page.locator("#generate-go").click()
        page.locator("#stage .cl-running").first.wait_for()
        page.close()
        began = time.monotonic()
        ask()
        took = time.monotonic() - began
        browser.close()
    return took
