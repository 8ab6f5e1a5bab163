"""littleland: a small part of storyland, of which a small model learns to write whole sentences.

What: `cut` keeps of a grammar some shapes, and the first few of every list, beat and choice; `LITTLELAND` counts them.
Why: what a temperature does to whole sentences is seen only where a model knows its language. A laptop's CALM does not
know storyland's 12 shapes and 2,391 words yet; these 3 shapes and 400 words it nearly does.
Where: known-truth languages are ours. Every story of littleland is one of storyland, only much more often told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from calm_lab.errors import InputError, choose_from
from calm_lab.text.storyland.grammar import Entry, Grammar, Slot
from calm_lab.text.storyland.template import Choice, Form, Node


@dataclass(frozen=True)
class Cut:
    """How much of a grammar to keep.

    Attributes:
        shapes: names of the story shapes.
        forms: sentence forms of a beat; those without a condition, which can always be told.
        options: wordings of a choice inside a sentence.
        entries: entries of a list.
        children: entries of a list for each entry of its parent.
    """

    shapes: tuple[str, ...]
    forms: int
    options: int
    entries: int
    children: int


LITTLELAND = Cut(("lost", "gift", "rescue"), forms=2, options=2, entries=4, children=2)


def cut(grammar: Grammar, keep: Cut) -> Grammar:
    """Keep a part of a grammar. What is told by the part is told by the whole too.

    Raises:
        InputError: for a shape that is not there, or a number below 1.
    """
    shapes = {shape.name: shape for shape in grammar.shapes}
    for name in keep.shapes:
        if name not in shapes:
            raise InputError(choose_from(name, shapes, "shape"))
    if min(keep.forms, keep.options, keep.entries, keep.children) < 1:
        raise InputError("a cut keeps at least 1 form, option, entry and child: give whole numbers from 1 on")
    kept = tuple(shapes[name] for name in keep.shapes)
    beats = {name: _forms(grammar.beats[name], keep) for shape in kept for name, _ in shape.beats}
    slots: dict[str, Slot] = {}
    places: dict[str, list[int]] = {}  # of what is kept of a list, in the whole list
    for name, slot in grammar.slots.items():
        if slot.parent:
            families = [_children(slot.entries, parent)[: keep.children] for parent in places[slot.parent]]
            places[name] = [child for family in families for child in family]
            parents = [parent for parent, family in enumerate(families) for _ in family]
            entries = [replace(slot.entries[i], parent=j) for i, j in zip(places[name], parents, strict=True)]
        else:
            places[name] = list(range(len(slot.entries)))[: keep.entries]
            entries = [slot.entries[i] for i in places[name]]
        slots[name] = replace(slot, entries=tuple(entries))
    return Grammar(slots, beats, kept)


def _children(entries: Sequence[Entry], parent: int) -> list[int]:
    return [place for place, entry in enumerate(entries) if entry.parent == parent]


def _forms(forms: Sequence[Form], keep: Cut) -> tuple[Form, ...]:
    """The first forms without a condition; a beat that has none of them keeps all, since any one may be ruled out."""
    free = [form for form in forms if form.guard is None][: keep.forms]
    return tuple(replace(form, parts=_parts(form.parts, keep)) for form in free or forms)


def _parts(parts: tuple[Node, ...], keep: Cut) -> tuple[Node, ...]:
    return tuple(
        Choice(tuple(_parts(option, keep) for option in part.options[: keep.options]))
        if isinstance(part, Choice)
        else part
        for part in parts
    )
