"""Sentence by sentence: how much of a text is storyland, when the whole is not yet a story?

What: `split_sentences` cuts a text, `sentence_accepted` asks whether one sentence fits a form, whatever the story, and
`acceptance` counts both over many texts, with Wilson's interval.
Why: a young model writes right sentences long before it keeps a name through a story. One number for each, with its
uncertainty, shows what the temperature slider does.
Where: known-truth languages are ours. E. B. Wilson (1927), "Probable inference, the law of succession, and statistical
inference", for the interval.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass

from calm_lab.text.storyland.machine import END, Machine
from calm_lab.text.storyland.parse import Beam, advance, parse
from calm_lab.text.storyland.source import machine as storyland_machine
from calm_lab.text.storyland.template import pre_tokens

_STOPS = set(".!?")
_Z = 1.959963984540054


def wilson(share: float, count: float, z: float = _Z) -> tuple[float, float]:
    """Wilson's interval of a share seen in ``count`` independent tries."""
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Share:
    """A share of accepted things with its 95% interval (Wilson). The interval of none is all of [0, 1]."""

    accepted: int
    total: int

    @property
    def fraction(self) -> float:
        """Accepted divided by total; nan if there is none."""
        return self.accepted / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end of Wilson's 95% interval."""
        if not self.total:
            return (0.0, 1.0)
        return wilson(self.fraction, self.total)


@dataclass(frozen=True)
class Acceptance:
    """How many of some texts are whole stories, and how many of their sentences fit a form."""

    stories: Share
    sentences: Share


def split_sentences(text: str) -> list[str]:
    """Cut a text into sentences: at ``. ! ?`` if a capital, a quotation mark or nothing follows.

    A quotation is never cut inside. It ends its sentence if a capital follows: in storyland the verb stands before the
    speaker's name (``"Oh no!" cried Mia.``).
    """
    terminals = pre_tokens(" " + text.strip())
    sentences: list[str] = []
    sentence = ""
    quoted = False
    for i, terminal in enumerate(terminals):
        for place, char in enumerate(terminal):
            # A mark opens a quotation if a space or nothing stands before it, and closes one otherwise.
            if char == '"':
                quoted = (sentence + terminal[:place])[-1:] in {"", " "}
        sentence += terminal
        following = terminals[i + 1].strip() if i + 1 < len(terminals) else ""
        starts = not following or following[0].isupper() or following[0] == '"'
        if terminal.strip(' "')[-1:] in _STOPS and not quoted and starts:
            sentences.append(sentence.strip())
            sentence = ""
    return [*sentences, sentence.strip()] if sentence.strip() else sentences


@functools.lru_cache(maxsize=4)
def _openings(machine: Machine) -> dict[str, Beam]:
    """First terminal -> the states of all forms behind it, with nothing remembered."""
    found: dict[str, Beam] = {}
    for cells in machine.program.form_cells.values():
        for cell in cells:
            for _, terminal, behind in machine.step(((cell,), machine.program.empty_memory)):
                found.setdefault(terminal, {})[behind] = 1.0
    return found


def sentence_accepted(sentence: str, machine: Machine | None = None) -> bool:
    """Say whether a sentence fits some form with some choice of names and things (the same throughout the sentence)."""
    machine = machine or storyland_machine()
    terminals = pre_tokens(" " + sentence.strip())
    beam = _openings(machine).get(terminals[0], {})
    for terminal in [*terminals[1:], END]:
        beam = dict.fromkeys(advance(machine, beam, terminal), 1.0)
    return bool(beam)


def accepted_sentences(text: str, machine: Machine | None = None) -> Share:
    """Count the sentences of one text that fit a form."""
    sentences = split_sentences(text)
    return Share(sum(sentence_accepted(sentence, machine) for sentence in sentences), len(sentences))


def acceptance(texts: Iterable[str], machine: Machine | None = None) -> Acceptance:
    """Count whole stories and fitting sentences over many texts, white space at both ends of a text left aside."""
    stories, sentences = [0, 0], [0, 0]
    for text in texts:
        share = accepted_sentences(text, machine)
        sentences[0] += share.accepted
        sentences[1] += share.total
        stories[0] += parse(text.strip(), machine).accepted
        stories[1] += 1
    return Acceptance(Share(*stories), Share(*sentences))
