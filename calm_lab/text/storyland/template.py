"""The notation of storyland's sentences: from a line of ``stories.txt`` to a small tree, and from text to pre-tokens.

What: `parse_template` reads ``"One {sky} [day|night], {he} ran."`` into literals, slot references and choices;
`pre_tokens` cuts ASCII text exactly as the byte-level BPE of GPT-2 does.
Why: the terminals of the language are whole pre-tokens, so that BPE never crosses one and the law of the next token
follows from the law of the next terminal.
Where: GPT-2's pre-tokenizer, restricted to ASCII; known-truth languages are ours (not in the paper).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from calm_lab.errors import InputError

_PRE_TOKEN = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")
_SLOT = re.compile(r"\{([A-Za-z]+)(?:\.([a-z]+))?\}")
_GUARD = re.compile(r"@(!?)([a-z]+)(?:([:!])([a-z]+))? ")
_PRONOUN = re.compile(r"(f|e|)(he|his|him|himself)")
_PRONOUN_OWNER = {"": "hero", "f": "friend", "e": "elder"}


def pre_tokens(text: str) -> list[str]:
    """Cut ASCII text into GPT-2's pre-tokens: ``"Hi, Mia."`` gives ``["Hi", ",", " Mia", "."]``."""
    return _PRE_TOKEN.findall(text)


@dataclass(frozen=True)
class Literal:
    """Fixed text, a whole number of pre-tokens."""

    text: str


@dataclass(frozen=True)
class SlotRef:
    """One way to say a slot's entry: ``name`` picks the wording, ``space`` and ``capital`` its first terminal."""

    slot: str
    name: str
    space: bool
    capital: bool


@dataclass(frozen=True)
class Choice:
    """One of several wordings, the first the most frequent."""

    options: tuple[tuple[Node, ...], ...]


Node = Literal | SlotRef | Choice


@dataclass(frozen=True)
class Guard:
    """A condition on memory: the slot is chosen or not (``tag`` empty), or its entry has a tag or lacks it."""

    slot: str
    tag: str
    wanted: bool


@dataclass(frozen=True)
class Form:
    """One sentence form: its source line, its condition and its parts (with the space before it)."""

    source: str
    guard: Guard | None
    parts: tuple[Node, ...]


def _slot_ref(match: re.Match[str], space: bool) -> SlotRef:
    word, name = match.group(1), match.group(2) or ""
    slot = word[0].lower() + word[1:]
    pronoun = _PRONOUN.fullmatch(slot)
    if pronoun and not name:
        slot, name = _PRONOUN_OWNER[pronoun.group(1)], pronoun.group(2)
    return SlotRef(slot, name, space, word[0].isupper())


def _closing(text: str, start: int) -> int:
    depth = 0
    for i in range(start, len(text)):
        depth += {"[": 1, "]": -1}.get(text[i], 0)
        if depth == 0:
            return i
    raise InputError(f"unbalanced '[' in the template '{text}': close it")


def _options(body: str) -> list[str]:
    options, depth, last = [], 0, 0
    for i, char in enumerate(body):
        depth += {"[": 1, "]": -1}.get(char, 0)
        if char == "|" and depth == 0:
            options.append(body[last:i])
            last = i + 1
    return [*options, body[last:]]


def parse_nodes(text: str) -> tuple[Node, ...]:
    """Parse a template without guard. A space before ``[`` or ``{`` belongs to what stands inside."""
    nodes: list[Node] = []
    literal = ""
    i = 0
    while i < len(text):
        if text[i] not in "[{":
            literal += text[i]
            i += 1
            continue
        space = literal.endswith(" ")
        literal = literal.removesuffix(" ")
        if literal:
            nodes.append(Literal(literal))
        literal = ""
        if text[i] == "{":
            match = _SLOT.match(text, i)
            if not match:
                raise InputError(f"bad slot in the template '{text}': write {{slot}} or {{slot.name}}")
            nodes.append(_slot_ref(match, space))
            i = match.end()
        else:
            end = _closing(text, i)
            options = [(" " + option if space and option else option) for option in _options(text[i + 1 : end])]
            nodes.append(Choice(tuple(parse_nodes(option) for option in options)))
            i = end + 1
    if literal:
        nodes.append(Literal(literal))
    return tuple(nodes)


def parse_template(line: str) -> Form:
    """Parse one line of ``stories.txt``; the form begins with the space that separates it from the sentence before."""
    guard = None
    match = _GUARD.match(line)
    text = line
    if match:
        negated, slot, relation, tag = match.groups()
        guard = Guard(slot, tag or "", wanted=not negated and relation != "!")
        text = line[match.end() :]
    return Form(line, guard, parse_nodes(" " + text))
