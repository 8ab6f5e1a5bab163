"""Links to a tab as it is: every field there and back, bad ones refused, nothing that the page cannot bear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from calm_lab.app import links
from calm_lab.app.bench import Bench, Opening
from calm_lab.app.limits import OPEN, SHARED
from calm_lab.app.main import TABS, build_app
from calm_lab.app.shelf import Shelf

pytestmark = pytest.mark.usefixtures("no_bundled")


@pytest.fixture(scope="module")
def openings(models: Path) -> dict[str, Opening]:
    bench = Bench(Shelf(models, "cpu"))
    with gr.Blocks():
        return {module.ID: module.build(bench) for module in TABS}


@pytest.fixture(scope="module")
def fields(openings: dict[str, Opening]) -> dict[str, Any]:
    return {name: opening.fields for name, opening in openings.items()}


def said(field: links.Field) -> str | None:
    """What a link says of a field as the tab begins, put as the browser puts it; None where it has no value yet."""
    value = field.component.value  # type: ignore[attr-defined]
    if field.part is not None:
        value = value.get(field.part) if isinstance(value, dict) else None
    if value is None:
        return None
    return ",".join(f"{one:.6g}" for one in value) if isinstance(value, list | tuple) else str(value)


def test_every_tab_has_a_link(fields: dict[str, Any]) -> None:
    for name, group in fields.items():
        assert group, f"{name}: list its fields in its Opening"
        keys = [field.key for field in group]
        assert len(set(keys)) == len(keys)
        assert not {links.PAGE, "view"} & set(keys)
        assert not any(key.startswith("__") for key in keys), "gradio has such keys of its own"


def test_what_a_tab_begins_with_can_be_linked(fields: dict[str, Any]) -> None:
    for name, group in fields.items():
        query = {field.key: text for field in group if (text := said(field)) is not None}
        found = links.restored({links.PAGE: name, **query}, fields)
        assert found.refused == []
        assert found.tab == name
        values = {component._id: value for component, value in found.values}
        for field in group:
            if field.key in query:
                value = values[field.component._id]
                value = value[field.part] if field.part is not None else value
                begun = field.component.value
                begun = begun[field.part] if field.part is not None else begun
                assert value == pytest.approx(begun) if isinstance(begun, list) else value == begun


def test_parts_of_one_component_are_set_together(fields: dict[str, Any]) -> None:
    found = links.restored({"tab": "brier", "dial": "-0.35", "positions": "300"}, fields)
    ((component, value),) = found.values
    assert value == {**component.value, "dial": -0.35, "positions": 300}  # type: ignore[attr-defined]
    assert component.value["dial"] != -0.35, "the page's own first value is not written over"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("tab", "key", "text"),
    [
        ("vectors", "sigma", "99"),
        ("vectors", "sigma", "nan"),
        ("vectors", "seed", "1.5"),
        ("vectors", "seed", "9" * 5000),
        ("vectors", "model", "../../etc/passwd"),
        ("vectors", "text", "x" * 30_000),
        ("noise", "sigma", "0.123"),
        ("energy", "alpha", "0"),
        ("energy", "cloud", "1"),
        ("energy", "cloud", "1,99"),
        ("temperature", "law", "0,0"),
        ("temperature", "law", "a,b"),
        ("temperature", "law", ",".join(["1"] * 17)),
        ("temperature", "t", "0"),
        ("generate", "n", "<script>alert(1)</script>"),
        ("generate", "length", "100000"),
        ("brier", "language", "klingon"),
        ("k-buys", "pool", "3"),
    ],
)
def test_what_is_not_possible_is_told_and_left(fields: dict[str, Any], tab: str, key: str, text: str) -> None:
    found = links.restored({"tab": tab, key: text}, fields)
    assert found.tab == tab
    assert found.values == []
    assert found.refused == [(key, text[: links.SHOWN])]
    assert links.said(found) == {"refused": [{"key": key, "value": text[: links.SHOWN]}]}


def test_a_good_field_beside_a_bad_one_is_set(fields: dict[str, Any]) -> None:
    found = links.restored({"tab": "vectors", "sigma": "2.5", "seed": "11", "text": "the <b>sea</b>"}, fields)
    assert [value for _, value in found.values] == ["the <b>sea</b>", 11]
    assert [key for key, _ in found.refused] == ["sigma"]


@pytest.mark.parametrize("query", [{}, {"__theme": "dark"}, {"sigma": "1"}, {"view": "api"}])
def test_an_address_without_a_tab_asks_for_nothing(fields: dict[str, Any], query: dict[str, str]) -> None:
    found = links.restored(query, fields)
    assert (found.tab, found.values, links.said(found)) == (None, [], None)


def test_an_unknown_tab_is_told(fields: dict[str, Any]) -> None:
    found = links.restored({"tab": "<i>" * 100, "sigma": "1"}, fields)
    assert found.tab is None
    assert found.refused == [("tab", ("<i>" * 100)[: links.SHOWN])]


def test_a_public_host_takes_less(models: Path) -> None:
    with gr.Blocks():
        group = {module.ID: module.build(Bench(Shelf(models, "cpu"), SHARED)).fields for module in TABS}
    found = links.restored({"tab": "brier", "positions": str(OPEN.positions)}, group)
    assert [key for key, _ in found.refused] == ["positions"]


def test_the_page_has_one_button_for_each_tab(models: Path) -> None:
    config = build_app(models, "cpu").get_config_file()
    ids = {component["props"].get("elem_id") for component in config["components"]}
    assert {f"link-{module.ID}" for module in TABS} <= ids
