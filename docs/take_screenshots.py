"""Photograph every tab of the app at 1280 and 390 pixels: ``make screenshots``."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from calm_lab.cli.doctor import find_browser

WIDTHS = {1280: 900, 390: 844}  # width: height, in CSS pixels
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


def photograph(page: Page, url: str, width: int, folder: Path) -> None:
    """Open ``url`` and save one picture of the whole page for each tab."""
    page.goto(url)
    tabs = page.get_by_role("tab")
    tabs.first.wait_for()
    settle(page)
    for name in [(tab.text_content() or "").strip() for tab in tabs.all()]:
        page.get_by_role("tab", name=name, exact=True).click()
        settle(page)
        for button in page.get_by_role("button", name=re.compile("^Train")).all():
            if button.is_visible():
                button.click()
                settle(page)
        path = folder / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}-{width}.png"
        page.screenshot(path=path, full_page=True)
        print(path)


def main(folder: Path) -> None:
    """Start the app, photograph it at every width, and stop it again."""
    browser_path = find_browser()
    if browser_path is None:
        sys.exit("no Chromium found: on Debian or Ubuntu run 'sudo apt install chromium'")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    app = subprocess.Popen([sys.executable, "-m", "calm_lab.cli", "app", "--port", str(port)])
    try:
        wait_for(url, app)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            for width, height in WIDTHS.items():
                page = browser.new_page(viewport={"width": width, "height": height})
                photograph(page, url, width, folder)
                page.close()
            browser.close()
    finally:
        app.terminate()
        app.wait(timeout=30)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
