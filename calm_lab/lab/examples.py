"""Worked examples: texts to encode and prompts to continue, with seeds, so that a page is never empty.

Each corpus has prompts in its own language: a model of little stories cannot go on from a newspaper. A seed belongs to
an example because a picture that changes at every visit cannot be talked about.
"""

from __future__ import annotations

from dataclasses import dataclass

SEED = 7


@dataclass(frozen=True)
class Example:
    """A short name for a button, the text behind it (empty: start from nothing), and the seed to begin with."""

    name: str
    text: str
    seed: int = SEED


TEXTS = (
    Example(
        "Fairy tale",
        "Once upon a time there was a little girl who lived by the sea, and every morning she counted the white ships.",
    ),
    Example("Numbers", "The old clock struck 12, and 365 candles went out."),
    Example("Rare words", "Quartz, onyx & jade: 日本 🙂"),
)

NOTHING = Example("Start from nothing", "")
PROMPTS = {
    "littleland": (
        Example("Once upon a time", "Once upon a time", 23),
        Example("Leo the fox", "Leo was a curious fox who lived in a green valley between two hills.", 2),
        NOTHING,
    ),
    "storyland": (
        Example("Once upon a time", "Once upon a time", 21),
        Example("Mia the mouse", "When Mia was still a little mouse, she lived in a small village by the sea.", 6),
        NOTHING,
    ),
    "andersen": (
        Example("There was once", "There was once a prince who wanted", 23),
        Example("The little mermaid", "Far out in the sea the water is as blue as"),
        NOTHING,
    ),
}
OTHER_PROMPTS = (Example("The morning", "In the morning"), Example("Once upon a time", "Once upon a time"), NOTHING)

PASSAGES = {  # from documents that no training has seen
    "littleland": (
        Example(
            "A green drum",
            "Once upon a time there was a little fox named Mia. She loved to sing. Her dearest treasure was a green "
            "drum. Then something terrible happened: the drum was lost.",
        ),
        Example(
            "A little duckling",
            "Leo was a curious fox who lived in an old house at the edge of a wood. One sunny afternoon, he stepped "
            "outside. Suddenly he heard a soft sound, and there lay a little duckling.",
        ),
    ),
    "storyland": (
        Example(
            "A merry rabbit",
            "My grandmother once told me about a merry rabbit named Maya. Nothing worried her as much as the dark. "
            "When somebody spoke of the dark, she whistled loudly.",
        ),
        Example(
            "The boldest cat",
            "Some say that Simon was the boldest cat who ever lived in a green valley between two hills. In a drawer "
            "he found a few pumpkin seeds.",
        ),
    ),
    "andersen": (
        Example(
            "A farm-house",
            "In the high-road which led through a wood stood a solitary farm-house; the road, in fact, ran right "
            "through its yard.",
        ),
        Example(
            "The old street lamp",
            "Did you ever hear the story of the old street lamp? It is not remarkably interesting, but for once in a "
            "way you may as well listen to it.",
        ),
    ),
}


def prompts_for(corpus: str) -> tuple[Example, ...]:
    """Prompts that suit a model trained on ``corpus`` (its name, or anything that contains it)."""
    return next((found for name, found in PROMPTS.items() if name in corpus.lower()), OTHER_PROMPTS)


def passages_for(corpus: str) -> tuple[Example, ...]:
    """Two texts that suit a model trained on ``corpus``, as ``prompts_for`` finds them."""
    return next((found for name, found in PASSAGES.items() if name in corpus.lower()), TEXTS[:2])
