"""What the bundled CALMs write at T = 1, 1/2 and 1/3, and the share of it that their language's parser accepts.

Read from the models' cards: ``calm-lab models --make NAME`` wrote them when it measured the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from calm_lab.model.checkpoint import bundled, read_card

MAIN = ("calm-littleland-k4", "calm-storyland-k4")
"""Models whose texts are shown: one that nearly masters its small language, and one that does not."""
_LONGEST = 280  # letters of a sample; it ends with an ellipsis where it goes on


def writing() -> Iterator[str]:
    """The lines of the page, Markdown."""
    yield "## What the bundled models write, and how much of it is right\n"
    yield (
        "Texts from an empty start, by Algorithm 2 with a pool of 200. Accepted: the parser of the model's language"
        " (storyland, or littleland, a small part of it) finds every word in its place; an empty text is a story not"
        " accepted, and without sentences. In brackets the 95% Wilson interval, in percent; it takes sentences for"
        " independent, which those of one story are not, so theirs is too narrow.\n"
    )
    yield "| model | T | stories accepted | sentences accepted |\n|---|---|---|---|"
    cards = {name: _samples(read_card(folder)) for name, folder in bundled().items()}
    for name, samples in cards.items():
        for temperature, found in samples.items():
            shares = (_share(found[what]) for what in ("stories_accepted", "sentences_accepted"))
            yield f"| `{name}` | {temperature} | {' | '.join(shares)} |"
    yield ""
    for name in MAIN:
        for temperature, found in cards.get(name, {}).items():
            yield f"`{name}` at T = {temperature}, the first that is not empty (seed {found['seed']}):\n"
            yield f"> {_shortened(next(filter(str.strip, found['first_three']), '(three empty texts)'))}\n"


def _samples(card: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A card's samples by temperature; nothing of a model whose language has no parser."""
    samples: dict[str, dict[str, Any]] = card["metrics"].get("samples", {})
    return {name: found for name, found in samples.items() if "stories_accepted" in found}


def _share(found: dict[str, Any]) -> str:
    low, high = (100 * bound for bound in found["interval_95"])
    return f"{found['accepted']:,} of {found['total']:,} [{low:.1f}, {high:.1f}]"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST].rsplit(' ', 1)[0]} …"
