"""The parser of storyland: is this a story, where does it break, and how probable is it?

What: `parse` follows a text word by word through the machine and says where no story goes on; `log_probability` gives
the exact probability of a whole text.
Why: the text of a model can be marked right or wrong without taste. A text that mixes up two names fits the grammar of
its sentence and still breaks, because the machine remembers.
Where: known-truth languages are ours; the paper judges samples by BrierLM only.

A text has one derivation. The grammar sees to it: every sentence is told by one form only (no two forms, and no two
ways through one form, say the same words), every form belongs to one beat, a beat occurs once in a shape, and every
shape has a beat of its own that cannot be left out. What memory holds has been said in words that no other entry
shares. The tests check each of these, over all forms.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from calm_lab.text.storyland.machine import END, Machine
from calm_lab.text.storyland.program import State
from calm_lab.text.storyland.source import machine as storyland_machine
from calm_lab.text.storyland.template import pre_tokens

THE_END = "(the end)"
_SHOWN = 8

Beam = dict[State, float]


@dataclass(frozen=True)
class Parse:
    """What the parser found.

    Attributes:
        accepted: Whether the text is a whole story.
        position: Index of the character where it breaks; the length of the text if it is accepted or only unfinished.
        expected: What could have stood there, the most probable first; empty if it is accepted.
        reason: One line that says the same in words.
    """

    accepted: bool
    position: int
    expected: tuple[str, ...]
    reason: str


def advance(machine: Machine, beam: Beam, terminal: str) -> Beam:
    """Go on by one terminal; equal states are merged, and an empty beam means that no way goes on."""
    after: Beam = {}
    for state, weight in beam.items():
        for p, behind in machine.step_on(state, terminal):
            after[behind] = after.get(behind, 0.0) + weight * p
    return after


def _outlook(machine: Machine, beam: Beam) -> list[str]:
    """What can come next, the most probable first."""
    law: dict[str, float] = {}
    for state, weight in beam.items():
        for p, word, _ in machine.step(state):
            law[word] = law.get(word, 0.0) + weight * p
    return [word.strip() if word != END else THE_END for word, _ in sorted(law.items(), key=lambda item: -item[1])]


def _terminals(text: str) -> list[str]:
    # The machine says every sentence with the space before it; a story begins without.
    return pre_tokens(" " + text) if text else []


def log_probability(text: str, machine: Machine | None = None) -> float:
    """Return the natural logarithm of the probability of a story; ``-inf`` if the text is none.

    Args:
        text: The whole story.
        machine: Another language on the same machinery; storyland if left out.
    """
    machine = machine or storyland_machine()
    beam: Beam = {machine.start: 1.0}
    total = 0.0
    for terminal in [*_terminals(text), END]:
        beam = advance(machine, beam, terminal)
        weight = sum(beam.values())
        if not weight:
            return -math.inf
        total += math.log(weight)
        beam = {state: p / weight for state, p in beam.items()}
    return total


def parse(text: str, machine: Machine | None = None) -> Parse:
    """Follow a text through the language.

    Args:
        text: The text, exactly: a space too many is a mistake.
        machine: Another language on the same machinery; storyland if left out.

    Returns:
        Whether it is a story, and if not where it breaks and what could have stood there.
    """
    machine = machine or storyland_machine()
    beam: Beam = {machine.start: 1.0}
    position = 0
    for terminal in _terminals(text):
        after = advance(machine, beam, terminal)
        if not after:
            skipped = len(terminal) - len(terminal.lstrip(" ")) if position else 0
            return _broken(text, position + skipped, terminal.strip() or terminal, _outlook(machine, beam))
        weight = sum(after.values())
        beam = {state: p / weight for state, p in after.items()}
        position += len(terminal) - (position == 0)
    if advance(machine, beam, END):
        return Parse(True, len(text), (), "a story from the first word to the last")
    outlook = _outlook(machine, beam)
    return Parse(False, len(text), tuple(outlook), f"not finished: it could go on with {_list(outlook)}")


def _broken(text: str, position: int, found: str, outlook: list[str]) -> Parse:
    before = text[:position].strip()
    where = f'after "...{before[-30:]}"' if len(before) > 30 else f'after "{before}"' if before else "at the beginning"
    if outlook == [THE_END]:
        reason = f'{where} the story is over, but the text goes on with "{found}"'
    else:
        reason = f'{where} came "{found}" where a story goes on with {_list(outlook)}'
    return Parse(False, position, tuple(outlook), reason)


def _list(words: Iterable[str]) -> str:
    words = list(words)
    shown = ", ".join(word if word == THE_END else f'"{word}"' for word in words[:_SHOWN])
    return shown + (f" or {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
