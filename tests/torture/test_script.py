"""HTML and script in every text field of every tab, in addresses, in names of models and files: nothing executes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from calm_lab.model import checkpoint
from tests.app.small_models import SENTENCES, autoencoder, calm
from tests.app.visiting import PATIENCE, browser, running

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
EVIL = (
    "\"'><img src=x onerror=\"window.harmed='img'\"><script>window.harmed='script'</script>"
    "<svg onload=\"window.harmed='svg'\"></svg> [a](javascript:window.harmed='link') {{7*7}} ${window.harmed='js'}"
)
EVIL_NAME = "<img src=x onerror=window.harmed='name'>"
FIELDS = "textarea:visible, input[type=text]:visible, input[type=search]:visible"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app whose models are called, and say of themselves, what a browser could take for HTML."""
    models = tmp_path_factory.mktemp("models")
    checkpoint.save(autoencoder(), models / EVIL_NAME, {"metrics": {"sigma_0.3": 0.5}, "data": {"corpus": EVIL}})
    checkpoint.save(calm(), models / f"calm {EVIL_NAME}", {"data": {"corpus": EVIL}, "made": EVIL})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "bundled", dict)
        with running(models) as url:
            yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    made = context.new_page()
    made.set_default_timeout(PATIENCE)
    dialogs: list[str] = []
    made.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    yield made
    harmless(made)
    assert dialogs == []
    context.close()


def harmless(page: Page) -> None:
    """Nothing of ours ran, and nothing of ours became an element."""
    assert page.evaluate("window.harmed") is None
    assert page.locator("img[src=x], svg[onload], a[href^=javascript]").count() == 0


def test_the_probe_sees_harm(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(EVIL)
    page.wait_for_function("window.harmed")
    page.close()


def test_every_text_field_of_every_tab(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("tab").first.wait_for()
    filled = 0
    for name in [(tab.text_content() or "").strip() for tab in page.get_by_role("tab").all()]:
        page.get_by_role("tab", name=name, exact=True).click()
        if name == "Latent map":
            expect(page.locator("#map canvas.cl-points")).to_be_visible(timeout=PATIENCE)
        page.wait_for_timeout(1500)
        for field in page.locator(FIELDS).all():
            if field.is_editable():
                field.fill(EVIL)
                field.press("Enter")
                field.blur()
                filled += 1
        page.wait_for_timeout(1500)  # what the server made of it is drawn
        harmless(page)
    assert filled >= 6


def test_a_generated_text_and_its_toasts(page: Page, address: str) -> None:
    page.goto(f"{address}?tab=generate&prompt={quote(EVIL)}&length=8&pool=8")
    page.locator("#generate-go").click()
    expect(page.locator("#stage .cl-written").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#stage")).to_contain_text("onerror", timeout=PATIENCE)
    harmless(page)


def test_addresses(page: Page, address: str) -> None:
    for query in ("tab", "model", "text", "seed", "sigma", "prompt", "unknown"):
        page.goto(f"{address}?tab=vectors&{query}={quote(EVIL)}")
        page.get_by_role("tab").first.wait_for()
        page.wait_for_timeout(1000)
        harmless(page)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (f"{EVIL_NAME}.txt", f"{EVIL}\n" * 30, ""),
        ("..%2f..%2fpasswd.txt", "\n".join(text[start:] for start in range(12) for text in SENTENCES), ""),
        ("picture.txt", "\x00\x01PNG" * 40, "different chunks"),
        ("empty.txt", "", "holds no text"),
        ("long.txt", "ab " * 700_000, "shorten it"),
    ],
    ids=["script", "traversal", "binary", "empty", "too long"],
)
def test_files_of_the_map(page: Page, address: str, tmp_path: Path, name: str, content: str, told: str) -> None:
    (tmp_path / "file").write_text(content)
    page.goto(address)
    page.get_by_role("tab", name="Latent map", exact=True).click()
    expect(page.locator("#map canvas.cl-points")).to_be_visible(timeout=PATIENCE)
    sent = [{"name": name, "mimeType": "text/plain", "buffer": (tmp_path / "file").read_bytes()}]
    page.locator("#map input[type=file]").set_input_files(sent)
    own = page.locator("#map .cl-part-of-own")
    if told:
        expect(own.get_by_role("alert")).to_contain_text(told, timeout=PATIENCE)
    else:
        expect(page.locator("#map")).to_contain_text("your text: ", timeout=PATIENCE)
    harmless(page)
