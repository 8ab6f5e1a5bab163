"""Visits to the page in a real browser, shared by all browser tests: the browser, a page, what went wrong on it."""

from __future__ import annotations

import csv
import io
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from calm_lab.cli.doctor import find_browser

WIDTHS = {1280: 900, 390: 844}
PATIENCE = 60_000  # milliseconds; a busy machine is no failure


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_browser()
    if path is None:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail("no Chromium found; install it: apt-get install chromium")
        pytest.skip("no Chromium on this machine (apt install chromium); CI fails without one")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield launched
        launched.close()


@contextmanager
def running(models: Path) -> Iterator[str]:
    """The app over the models of a folder, at a port that nobody listens on; its address."""
    from calm_lab.app import launch

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    app = launch(port=port, models=models, device="cpu", prevent_thread_lock=True, quiet=True)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        app.close()


class Visit:
    """A page, and everything that went wrong on it."""

    def __init__(self, context: BrowserContext, url: str):
        self.context = context
        self.problems: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        host = urlsplit(url).netloc
        self.page.on("console", lambda m: self.problems.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on(
            "request",
            lambda r: (
                self.problems.append(f"request to {r.url}")
                if urlsplit(r.url).scheme in ("http", "https", "ws", "wss") and urlsplit(r.url).netloc != host
                else None
            ),
        )
        self.page.goto(url)

    def open_tab(self, name: str) -> None:
        """Click a tab: every one of them is in sight at every width."""
        self.page.get_by_role("tab", name=name, exact=True).click()

    def vectors_tab(self) -> Page:
        self.open_tab("Tokens and vectors")
        return self.page

    def generate_tab(self) -> Page:
        self.open_tab("Generate")
        expect(self.stage.locator(".cl-written").first).to_be_visible(timeout=PATIENCE)
        expect(self.stage.locator(".cl-running")).to_have_count(0, timeout=PATIENCE)
        return self.page

    @property
    def stage(self) -> Locator:
        return self.page.locator("#stage")


@pytest.fixture
def visit(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    options = {"width": 1280, "locale": "en-US", **getattr(request, "param", {})}
    width = options.pop("width")
    context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]}, **options)
    made = Visit(context, url)
    yield made
    context.close()
    assert made.problems == []


both_widths = pytest.mark.parametrize(
    "visit", [{"width": width} for width in WIDTHS], indirect=True, ids=map(str, WIDTHS)
)


def sideways(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def saved(page: Page, place: Locator) -> list[dict[str, str]]:
    """The rows of the CSV behind the button of ``place``."""
    with page.expect_download() as download:
        place.get_by_role("button", name="Data as CSV").click()
    return list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))


def copied(visit: Visit, place: Locator) -> str:
    """What the button *Copy as Python* of ``place`` puts on the clipboard."""
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    place.get_by_role("button", name="Copy as Python").click()
    expect(place.get_by_role("status").last).to_have_text(re.compile("Copied"))
    return str(visit.page.evaluate("navigator.clipboard.readText()"))
