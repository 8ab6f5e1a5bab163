"""Links that bring a tab back as it was: what a visitor set, in the query string of the page's address.

A tab lists its ``Field``s in its ``Opening``, and nothing else: the page adds the button that copies the link, reads
the query string when it loads, opens the tab named there and sets its fields. What a link asks for is checked like
anything that is typed; what is not possible is told in a notice, and the usual value stays.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.components import Component

from calm_lab.app import views
from calm_lab.app.limits import MAX_SEED, Limits
from calm_lab.app.look import STATIC
from calm_lab.errors import CalmLabError, InputError, choose_from

PAGE = "tab"
LONGEST = 2000  # characters of a text that still goes into a link: some browsers and servers cut long addresses
SHOWN = 60  # characters of a refused value that the notice repeats
Read = Callable[[str], Any]


@dataclass(frozen=True)
class Field:
    """One thing a visitor can set.

    Attributes:
        key: its name in the query string.
        component: where it is set.
        read: its value from the text of a link; raises InputError or ValueError for what is none.
        part: its key inside the component's value, where that is an object with several fields.
    """

    key: str
    component: Component
    read: Read
    part: str | None = None


def text(limits: Limits) -> Read:
    """A text of the length that the page accepts."""
    return lambda said: limits.check_text(said, "text")


def whole(low: int, high: int) -> Read:
    """A whole number in [low, high]."""

    def read(said: str) -> int:
        number = int(said)
        if not low <= number <= high:
            raise InputError(f"must lie between {low} and {high}")
        return number

    return read


SEED: Read = whole(0, MAX_SEED)


def real(low: float, high: float) -> Read:
    """A number in [low, high]."""

    def read(said: str) -> float:
        number = float(said)
        if not (math.isfinite(number) and low <= number <= high):
            raise InputError(f"must lie between {low:g} and {high:g}")
        return number

    return read


def reals(low: float, high: float, least: int, most: int) -> Read:
    """``least`` to ``most`` numbers in [low, high], separated by commas."""

    def read(said: str) -> list[float]:
        numbers = [real(low, high)(one) for one in said.split(",")]
        if not least <= len(numbers) <= most:
            raise InputError(f"must be {least} to {most} numbers")
        return numbers

    return read


def one_of(choices: Iterable[Any]) -> Read:
    """One of the choices; numbers are found by their value."""
    known = list(choices)

    def read(said: str) -> Any:
        for choice in known:
            if said == str(choice) or (isinstance(choice, int | float) and _same(said, choice)):
                return choice
        raise InputError(choose_from(said[:SHOWN], [str(choice) for choice in known], "choice"))

    return read


def _same(said: str, number: float) -> bool:
    try:
        return math.isclose(float(said), number, rel_tol=1e-9, abs_tol=1e-12)
    except ValueError:
        return False


@dataclass
class Restored:
    """What a query string asked for.

    Attributes:
        tab: the tab to open; None where the link names none.
        values: components to set and their values.
        refused: keys and texts that were not possible.
    """

    tab: str | None = None
    values: list[tuple[Component, Any]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def restored(query: Mapping[str, str], tabs: Mapping[str, Sequence[Field]]) -> Restored:
    """Read a query string; keys that no field has are left alone, for gradio has its own.

    Args:
        query: keys and texts.
        tabs: the fields of each tab.
    """
    found = Restored()
    name = query.get(PAGE)
    if name is None:
        return found
    if name not in tabs:
        found.refused.append((PAGE, name[:SHOWN]))
        return found
    found.tab = name
    objects: dict[int, dict[str, Any]] = {}
    for one in tabs[name]:
        said = query.get(one.key)
        if not isinstance(said, str):
            continue
        try:
            value = one.read(said)
        except (CalmLabError, ValueError):
            found.refused.append((one.key, said[:SHOWN]))
            continue
        if one.part is None:
            found.values.append((one.component, value))
            continue
        kept = objects.get(one.component._id)
        if kept is None:
            before = getattr(one.component, "value", None)
            kept = objects[one.component._id] = dict(before) if isinstance(before, dict) else {}
            found.values.append((one.component, kept))
        kept[one.part] = value
    return found


def bar(tab: str, fields: Sequence[Field]) -> None:
    """The button that copies a tab's link; the address is put together in the browser, from what is set there now."""
    link = views.view("cl-link", "link.js", "link_", elem_id=f"link-{tab}")
    components = {one.component._id: one.component for one in fields}
    places = list(components)
    spec = [{"key": one.key, "at": places.index(one.component._id), "part": one.part} for one in fields]
    address = (STATIC / "address.js").read_text("utf-8").strip()
    settings = json.dumps({"tab": tab, "fields": spec, "longest": LONGEST})
    link.select(
        None,
        list(components.values()),
        link,
        js=f"(...values) => ({address})({settings}, values)",
        api_visibility="private",
    )


def notice() -> gr.HTML:
    """Where the page says what a link asked for in vain; empty otherwise."""
    return views.view("cl-notice", "notice.js", "link_", elem_id="link-notice")


def said(found: Restored) -> dict[str, Any] | None:
    """The notice's value."""
    return {"refused": [{"key": key, "value": value} for key, value in found.refused]} if found.refused else None
