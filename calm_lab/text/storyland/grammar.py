"""The grammar of storyland: its two data files, read and checked.

What: `load_grammar` reads ``lexicon.txt`` (what can be chosen) and ``stories.txt`` (how it is said) into a `Grammar`;
`Grammar` can also be built from strings, which the tests do with tiny languages whose truth is known by hand.
Why: a language is data. Anybody can read it in two text files, and the machinery does not know a word of it.
Where: known-truth languages are ours; the paper has only BrierLM (sec. 4.2) to be checked against them.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from importlib import resources

from calm_lab.errors import InputError
from calm_lab.text.storyland.template import Form, parse_template

_PRONOUNS = {
    "she": {"he": "she", "his": "her", "him": "her", "himself": "herself"},
    "he": {"he": "he", "his": "his", "him": "him", "himself": "himself"},
}
_HEADER = re.compile(r"\[([a-z]+)(?: ([~:]) ([a-z]+))?\]")


@dataclass(frozen=True)
class Entry:
    """One entry of a list: its wordings (the main one under ""), its tags, and its parent's number (-1: none)."""

    names: dict[str, str]
    tags: frozenset[str]
    parent: int


@dataclass(frozen=True)
class Slot:
    """One list. ``partner`` must agree in tags, ``parent`` decides which entries there are."""

    name: str
    entries: tuple[Entry, ...]
    partner: str
    parent: str


@dataclass(frozen=True)
class Shape:
    """One story shape: its beats in order, each with whether it may be left out."""

    name: str
    beats: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Grammar:
    """Slots, beats (lists of sentence forms) and story shapes, all in order of falling frequency."""

    slots: dict[str, Slot]
    beats: dict[str, tuple[Form, ...]]
    shapes: tuple[Shape, ...]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _entry(line: str) -> Entry:
    fields = [field.strip() for field in line.split("|")]
    names, tags = {"": fields[0]}, set()
    for field in fields[1:]:
        if field.startswith("#"):
            tags |= set(field[1:].split())
        else:
            name, _, value = field.partition("=")
            names[name] = value
    for gender, pronouns in _PRONOUNS.items():
        if gender in tags:
            names |= pronouns
    return Entry(names, frozenset(tags), -1)


def _children(slot: str, line: str, parents: dict[str, int]) -> list[Entry]:
    parent, _, values = line.partition(" > ")
    if parent not in parents:
        raise InputError(f"list '{slot}': its parent has no entry '{parent}': add it or correct the line")
    return [replace(_entry(value.strip()), parent=parents[parent]) for value in values.split(";")]


def _read_slots(text: str) -> dict[str, Slot]:
    slots: dict[str, Slot] = {}
    blocks: list[tuple[re.Match[str], list[str]]] = []
    for line in _lines(text):
        header = _HEADER.fullmatch(line)
        if header:
            blocks.append((header, []))
        elif not blocks:
            raise InputError(f"the lexicon begins with '{line}': put a [slot] line before it")
        else:
            blocks[-1][1].append(line)
    for header, lines in blocks:
        name, relation, other = header.groups()
        if relation == ":":
            parents = {e.names[""]: i for i, e in enumerate(slots[other].entries)}
            entries = [entry for line in lines for entry in _children(name, line, parents)]
        else:
            entries = [_entry(line) for line in lines]
        partner, parent = (other if relation == sign else "" for sign in "~:")
        slots[name] = Slot(name, tuple(entries), partner, parent)
    return slots


def build_grammar(lexicon: str, stories: str) -> Grammar:
    """Build a grammar from the text of its two files.

    Args:
        lexicon: Lists of entries, in the notation explained at the head of ``lexicon.txt``.
        stories: Shapes and beats, in the notation explained at the head of ``stories.txt``.

    Returns:
        The grammar.

    Raises:
        InputError: If a file does not follow its notation or names something that does not exist.
    """
    slots = _read_slots(lexicon)
    beats: dict[str, list[Form]] = {}
    shapes: list[Shape] = []
    beat = ""
    for line in _lines(stories):
        header = re.fullmatch(r"\[([a-z.]+)\]", line)
        if line.startswith("shape "):
            name, _, rest = line.removeprefix("shape ").partition(": ")
            shapes.append(Shape(name, tuple((b.removesuffix("?"), b.endswith("?")) for b in rest.split())))
        elif header:
            beat = header.group(1)
            if beat in beats:
                raise InputError(f"the beat '{beat}' is there twice: rename one")
            beats[beat] = []
        else:
            beats[beat].append(parse_template(line))
    used = {name for shape in shapes for name, _ in shape.beats}
    if used != set(beats):
        raise InputError(f"beats without forms or without a shape: {sorted(used ^ set(beats))}")
    return Grammar(slots, {name: tuple(forms) for name, forms in beats.items()}, tuple(shapes))


@functools.cache
def load_grammar() -> Grammar:
    """Read the grammar of storyland, once."""
    folder = resources.files(__package__)
    return build_grammar(
        (folder / "lexicon.txt").read_text(encoding="ascii"), (folder / "stories.txt").read_text(encoding="ascii")
    )
