"""How large is storyland? Counted from the grammar itself, and measured on stories drawn from it.

What: `statistics` counts shapes, forms and words, and measures how many bits of choice a sentence holds.
Why: "rich" and "small" are claims. The numbers on the data card and in the tests come from here.
Where: known-truth languages are ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from calm_lab.errors import InputError
from calm_lab.text.storyland.grammar import Grammar, load_grammar
from calm_lab.text.storyland.parse import log_probability
from calm_lab.text.storyland.sentences import split_sentences
from calm_lab.text.storyland.source import VERSION, generate
from calm_lab.text.storyland.template import Choice, Literal, Node, pre_tokens


@dataclass(frozen=True)
class Statistics:
    """The size of the language.

    Attributes:
        version: Version of the language.
        shapes: Story shapes.
        beats: Beats that shapes are made of.
        forms: Sentence forms.
        words: Different words that some form can say, capitals aside, names included.
        stories: Stories drawn for the measured numbers below.
        words_per_story: Mean number of words.
        shortest: Words of the shortest of them.
        longest: Words of the longest.
        sentences_per_story: Mean number of sentences.
        bits_per_story: Mean of -log2 of the probability of a story; its standard error is ``bits_per_story_error``.
        bits_per_story_error: Standard error of that mean.
        bits_per_sentence: Bits of all stories, divided by their sentences.
        bits_per_word: Bits of all stories, divided by their words.
    """

    version: str
    shapes: int
    beats: int
    forms: int
    words: int
    stories: int
    words_per_story: float
    shortest: int
    longest: int
    sentences_per_story: float
    bits_per_story: float
    bits_per_story_error: float
    bits_per_sentence: float
    bits_per_word: float


def _texts(grammar: Grammar, parts: tuple[Node, ...]) -> Iterator[str]:
    """Every piece of text that the parts of a form can say."""
    for part in parts:
        if isinstance(part, Literal):
            yield part.text
        elif isinstance(part, Choice):
            for option in part.options:
                yield from _texts(grammar, option)
        else:
            for entry in grammar.slots[part.slot].entries:
                yield entry.names[part.name]


def words(grammar: Grammar | None = None) -> set[str]:
    """Return every word that some form can say, in lower case. What follows an apostrophe is no word of its own."""
    grammar = grammar or load_grammar()
    terminals = (
        terminal.strip().lower()
        for forms in grammar.beats.values()
        for form in forms
        for text in _texts(grammar, form.parts)
        for terminal in pre_tokens(text)
    )
    return {terminal for terminal in terminals if terminal.isalpha()}


def statistics(stories: int = 200, seed: int = 0) -> Statistics:
    """Count the language, and measure it on drawn stories.

    Args:
        stories: How many stories to draw, at least 2.
        seed: Which row of stories.
    """
    if stories < 2:
        raise InputError(f"stories must be at least 2, got {stories}: the standard error needs two")
    grammar = load_grammar()
    texts = [generate(seed, index) for index in range(stories)]
    bits = [-log_probability(text) / math.log(2) for text in texts]
    lengths = [len(text.split()) for text in texts]
    sentences = sum(len(split_sentences(text)) for text in texts)
    mean = sum(bits) / stories
    return Statistics(
        version=VERSION,
        shapes=len(grammar.shapes),
        beats=len(grammar.beats),
        forms=sum(len(forms) for forms in grammar.beats.values()),
        words=len(words(grammar)),
        stories=stories,
        words_per_story=sum(lengths) / stories,
        shortest=min(lengths),
        longest=max(lengths),
        sentences_per_story=sentences / stories,
        bits_per_story=mean,
        bits_per_story_error=math.sqrt(sum((value - mean) ** 2 for value in bits) / (stories - 1) / stories),
        bits_per_sentence=sum(bits) / sentences,
        bits_per_word=sum(bits) / sum(lengths),
    )
