"""Photograph every tab of the app: ``make screenshots``; the READMEs' few pictures: ``make pictures``.

Every tab is taken at both widths, in the light and the dark theme and in both languages.
"""

from __future__ import annotations

import argparse
import io
import itertools
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from calm_lab.cli.doctor import find_browser

WIDTHS = {1280: 900, 390: 844}  # width: height, in CSS pixels
THEMES = ("light", "dark")
START_SECONDS = 120
SETTLE_SECONDS = 60


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, app: subprocess.Popen[bytes]) -> None:
    """Return when ``url`` answers; stop with a message if the app ends first or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if app.poll() is not None:
            sys.exit(f"the app ended with code {app.returncode} before it answered")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    sys.exit(f"the app did not answer within {START_SECONDS} seconds")


def settle(page: Page) -> None:
    """Wait until the page has not changed for two seconds: streamed text, pictures and fonts have arrived."""
    deadline, before, since = time.monotonic() + SETTLE_SECONDS, "", time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < 2:
        page.wait_for_timeout(250)
        now = page.locator("body").inner_text()
        if now != before:
            before, since = now, time.monotonic()


def photograph(page: Page, url: str, folder: Path, end: str) -> None:
    """Open ``url`` and save one picture of the whole page for each tab, its file named by the tab's id and ``end``."""
    page.goto(url)
    tabs = page.get_by_role("tab")
    tabs.first.wait_for()
    settle(page)
    for place in range(tabs.count()):
        tabs.nth(place).click()
        settle(page)
        for button in page.get_by_role("button", name=re.compile("^(Train|训练)")).all():
            if button.is_visible():
                button.click()
                settle(page)
        name = (tabs.nth(place).get_attribute("id") or "").removeprefix("tab-").removesuffix("-button")
        path = folder / f"{place + 1}-{name}-{end}.png"
        page.screenshot(path=path, full_page=True)
        print(path)


@dataclass(frozen=True)
class Picture:
    """One picture of the READMEs.

    Attributes:
        tab: id of the tab.
        element: what is photographed, a CSS selector.
        ready: what is there once it can be photographed.
    """

    tab: str
    element: str
    ready: str


PICTURES = {
    "energy": Picture("energy", "#energy-plane .cl-energy-panel", "#energy-plane .cl-stat"),
    "generate": Picture("generate", "#stage", "#stage .cl-written"),
    "map": Picture("map", "#map", "#map canvas"),
}
LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
TALLEST = 620  # pixels of a picture in a README


def take_pictures(browser: Browser, url: str, folder: Path) -> None:
    """The READMEs' pictures in both languages, with few colours so that they stay small."""
    from PIL import Image

    for code, locale in LANGUAGES.items():
        page = browser.new_page(viewport={"width": 1000, "height": 1400}, locale=locale)
        for name, picture in PICTURES.items():
            page.goto(f"{url}/?tab={picture.tab}")
            page.locator(picture.ready).first.wait_for(timeout=1000 * START_SECONDS)
            settle(page)
            data = page.locator(picture.element).first.screenshot()
            image = Image.open(io.BytesIO(data)).convert("RGB")
            image = image.crop((0, 0, image.width, min(image.height, TALLEST)))
            path = folder / f"{name}.{code}.png"
            image.quantize(96, dither=Image.Dither.NONE).save(path, optimize=True)
            print(path, path.stat().st_size)
        page.close()


def take_screenshots(browser: Browser, url: str, folder: Path) -> None:
    """Every tab at every width, in both themes and both languages."""
    for (width, height), theme, (code, locale) in itertools.product(WIDTHS.items(), THEMES, LANGUAGES.items()):
        page = browser.new_page(viewport={"width": width, "height": height}, locale=locale)
        photograph(page, f"{url}/?__theme={theme}", folder, f"{width}-{theme}-{code}")
        page.close()


@contextmanager
def app_in_browser() -> Iterator[tuple[Browser, str, float]]:
    """The app, started for the purpose, and a browser to look at it; both end with the block.

    Yields:
        The browser, the app's address, and the seconds from the command to the first answer of the server.
    """
    browser_path = find_browser()
    if browser_path is None:
        sys.exit("no Chromium found: on Debian or Ubuntu run 'sudo apt install chromium'")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    began = time.perf_counter()
    app = subprocess.Popen([sys.executable, "-m", "calm_lab.cli", "app", "--port", str(port)])
    try:
        wait_for(url, app)
        started = time.perf_counter() - began
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            yield browser, url, started
            browser.close()
    finally:
        app.terminate()
        app.wait(timeout=30)


def main(folder: Path, take: Callable[[Browser, str, Path], None]) -> None:
    """Start the app, photograph it, and stop it again; without a font for Chinese, say so and stop before that."""
    fonts = ["fc-list", ":lang=zh"]
    if shutil.which(fonts[0]) and not subprocess.run(fonts, capture_output=True, check=False).stdout.strip():
        sys.exit("no font with Chinese letters here, pictures would show boxes: apt-get install fonts-noto-cjk")
    folder.mkdir(parents=True, exist_ok=True)
    with app_in_browser() as (browser, url, _):
        take(browser, url, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Photograph the app, in a browser without a window.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"), help="where the pictures go")
    parser.add_argument("--pictures", action="store_true", help="the READMEs' pictures, not every tab")
    asked = parser.parse_args()
    main(asked.folder, take_pictures if asked.pictures else take_screenshots)
