"""A link may choose a model: what the page then says of it, and the examples it offers, are that model's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect

from calm_lab.app.example_words import key
from calm_lab.app.words import WORDS
from calm_lab.lab.examples import prompts_for
from tests.app.visiting import PATIENCE, Visit, running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def two_models(models: Path, no_bundled: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an app with a second CALM, of another corpus."""
    folder = tmp_path_factory.mktemp("two") / "models"
    shutil.copytree(models, folder)
    shutil.copytree(folder / "small-calm", folder / "tales-calm")
    (folder / "tales-calm" / "card.json").write_text(json.dumps({"data": {"corpus": "andersen"}}), "utf-8")
    with running(folder) as address:
        yield address


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_a_linked_model_has_its_own_examples_and_the_links_prompt(
    browser: Browser, two_models: str, locale: str
) -> None:
    link = f"{two_models}?{urlencode({'tab': 'generate', 'model': 'tales-calm', 'prompt': 'the little girl'})}"
    visit = Visit(browser.new_context(viewport={"width": 1280, "height": 900}, locale=locale), link)
    page = visit.page
    expect(page.locator("#generate-model input")).to_have_value("tales-calm", timeout=PATIENCE)
    names, other = (
        [WORDS[key(example.name)][locale == "zh-CN"] for example in prompts_for(corpus)]
        for corpus in ("andersen", "three sentences")
    )
    assert names != other
    for name in names:
        expect(page.get_by_role("button", name=name, exact=True).first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#generate-prompt textarea")).to_have_value("the little girl")
    page.get_by_role("button", name=names[-1], exact=True).first.click()
    expect(page.locator("#generate-prompt textarea")).to_have_value(prompts_for("andersen")[-1].text, timeout=PATIENCE)
    visit.context.close()
