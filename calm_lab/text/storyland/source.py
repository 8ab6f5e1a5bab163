"""Stories without end: drawing them, and dealing them out to training, validation and test.

What: `generate` tells story number ``index`` of a seed; `stories` runs through the numbers and keeps one split.
Why: a generated language never runs out, so nothing is learned by heart; and because the split is decided by the text
itself, a validation or test story cannot occur in training, whatever the seed.
Where: known-truth languages are ours (issue "known truth"); the paper measures on held-out documents too (sec. 5).
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import random
from collections.abc import Iterator

from calm_lab.errors import InputError, choose_from
from calm_lab.text.storyland.grammar import load_grammar
from calm_lab.text.storyland.littleland import LITTLELAND, cut
from calm_lab.text.storyland.machine import Machine

VERSION = "1.0"
"""Version of the language. It changes with every change of the law, so that a model's card can name what it learned."""

LANGUAGES = ("storyland", "littleland")
"""The whole language, and the small part of it that a small model nearly masters."""

SPLITS = ("train", "validation", "test")
_BUCKETS, _TRAIN, _VALIDATION = 100, 90, 95


def machine(language: str = "storyland") -> Machine:
    """Return the compiled grammar of storyland or of littleland, built once.

    Raises:
        InputError: If there is no such language.
    """
    if language not in LANGUAGES:
        raise InputError(choose_from(language, LANGUAGES, "language"))
    return _machine(language)


@functools.cache
def _machine(language: str) -> Machine:
    whole = load_grammar()
    return Machine(cut(whole, LITTLELAND) if language == "littleland" else whole)


def generate(seed: int, index: int, language: str = "storyland") -> str:
    """Tell one story.

    Args:
        seed: Any whole number; another seed is another endless row of stories.
        index: Number of the story in that row.
        language: One of `LANGUAGES`.

    Returns:
        The story, ASCII, one paragraph. The same everywhere and always for the same version, seed and index.
    """
    key = hashlib.sha256(f"{language} {VERSION} {seed} {index}".encode()).digest()
    return "".join(machine(language).sample(random.Random(int.from_bytes(key, "big"))))


def split_of(text: str) -> str:
    """Say which split a story belongs to: 90, 5 and 5 of 100 buckets, chosen by the SHA-256 of the text."""
    bucket = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % _BUCKETS
    return SPLITS[0] if bucket < _TRAIN else SPLITS[1] if bucket < _VALIDATION else SPLITS[2]


def stories(
    split: str, count: int | None = None, seed: int = 0, start: int = 0, language: str = "storyland"
) -> Iterator[str]:
    """Run through the stories of one split.

    The stories of a split follow the law of the language *given* that their hash falls into the split's buckets. A hash
    knows nothing of the grammar: a prefix that many stories share has the same continuations in every split, up to the
    chance of which stories fell where. So the exact law is used for every split. Only where a prefix leaves very few
    stories open (towards the last words) could someone who computes hashes do better, and no model does.

    Args:
        split: ``"train"``, ``"validation"`` or ``"test"``.
        count: How many stories; ``None`` never ends.
        seed: Which row of stories.
        start: The number in the row to begin at (stories of other splits are passed over).
        language: One of `LANGUAGES`.

    Yields:
        One story after the other.

    Raises:
        InputError: If the split or the language is unknown, or a number is negative.
    """
    if split not in SPLITS:
        raise InputError(choose_from(split, SPLITS, "split"))
    machine(language)  # built on first use, and refused now if there is none
    if start < 0 or (count is not None and count < 0):
        raise InputError("count and start must not be negative: use 0 or more, or count=None for no end")
    texts = (generate(seed, index, language) for index in itertools.count(start))
    return itertools.islice((text for text in texts if split_of(text) == split), count)
