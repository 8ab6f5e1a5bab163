"""The different chunks of a text, and what can be said about each at a glance: first word, punctuation.

Why: a map of chunks needs every chunk once, with how often it came; and colours that mean something.

App tab: Latent map. Notebook: 04.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.text.tokenizer import Tokenizer

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
PUNCTUATION = ("none", "comma", "stop", "quote", "line", "number", "other")
OTHER = "other"


@dataclass(frozen=True, eq=False)
class UniqueChunks:
    """Different chunks, the most frequent first.

    Attributes:
        ids: shape (R, K).
        counts: how often each came, shape (R,).
        seen: chunks read in all, repeats included.
        different: how many of them were different; R of those are kept.
    """

    ids: Tensor
    counts: Tensor
    seen: int
    different: int


def unique_chunks(
    texts: Iterable[str], model: Autoencoder, limit: int | None = None, seed: int = 0, max_tokens: int | None = None
) -> UniqueChunks:
    """Cut every text into chunks from its first token on, end token last, and keep each different chunk once.

    Args:
        texts: documents.
        model: gives the tokenizer, K and the special ids.
        limit: keep so many, the most frequent; which of those that came equally often is drawn.
        seed: of that draw.
        max_tokens: refuse more tokens than this.

    Raises:
        InputError: without a tokenizer, for no text at all, or for too many tokens.
    """
    tokenizer, config = tokenizer_of(model), model.config
    counts: collections.Counter[tuple[int, ...]] = collections.Counter()
    total = 0
    for text in texts:
        row = tokenizer.encode(text)
        total += len(row)
        if max_tokens is not None and total > max_tokens:
            raise InputError(f"the text has more than {max_tokens:,} tokens: shorten it")
        if not row:
            continue
        row = [*row, config.eos_id]
        row += [config.pad_id] * (-len(row) % config.chunk_size)
        counts.update(zip(*[iter(row)] * config.chunk_size, strict=True))
    if not counts:
        raise InputError("there is no text to map: give at least one character")
    names = list(counts)
    lots = torch.rand(len(names), generator=generator(seed)).tolist()
    order = sorted(range(len(names)), key=lambda i: (-counts[names[i]], lots[i]))[:limit]
    kept = [names[i] for i in order]
    return UniqueChunks(torch.tensor(kept), torch.tensor([counts[name] for name in kept]), counts.total(), len(names))


def tokenizer_of(model: Autoencoder) -> Tokenizer:
    """The model's tokenizer, or the reason why there is no map without one."""
    if model.tokenizer is None:
        raise InputError("this autoencoder has no tokenizer: add its tokenizer.json to the folder")
    return model.tokenizer


def chunk_texts(ids: Tensor, tokenizer: Tokenizer) -> list[str]:
    """What chunks (R, K) say, special tokens left out."""
    return [tokenizer.decode(row) for row in ids.tolist()]


def words_of(text: str) -> list[str]:
    """The words of a chunk in small letters; at its edges they may be parts of words."""
    return [word.lower() for word in WORD.findall(text)]


def first_word(text: str) -> str:
    """The first word, empty where there is none."""
    return next(iter(words_of(text)), "")


def punctuation(text: str) -> str:
    """The strongest mark in a chunk, one of ``PUNCTUATION``: what ends a line or a sentence comes before a comma."""
    if "\n" in text:
        return "line"
    if re.search(r"[\"“”]", text):
        return "quote"
    if re.search(r"[.!?]", text):
        return "stop"
    if re.search(r"[,;:]", text):
        return "comma"
    if re.search(r"\d", text):
        return "number"
    return "other" if re.search(r"[^\w\s'’]", text) else "none"


def grouped(values: list[str], most: int) -> tuple[list[str], Tensor]:
    """The most frequent values by name, and every value as a place in that list; the rest become ``other``.

    Returns:
        At most ``most`` names, and ``other`` at the end where something is left; places (R,).
    """
    counts = collections.Counter(value for value in values if value)
    names = [name for name, _ in counts.most_common(most)]
    known = {name: place for place, name in enumerate(names)}
    places = [known.get(value, len(names)) for value in values]
    return ([*names, OTHER] if len(names) in places else names), torch.tensor(places)
