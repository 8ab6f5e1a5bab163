"""Documents and their three splits: which texts train, which validate, which test.

What: the split of a document, taken from a hash of its text; and a long text cut into passages, where one file is all
there is.
Why: a number measured on text that trained the model says nothing. A hash needs no list, gives the same answer on every
machine, and puts a text that occurs twice on one side.
Where: paper sec. 7.1 (held-out evaluation).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, get_args

from calm_lab.errors import CorpusError, InputError, choose_from

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

_TRAIN_SHARE = 0.90
_VALIDATION_SHARE = 0.05
_SALT = "calm_lab split 1\0"

PASSAGE = 2_000
_SHORTEST_PASSAGE = 200
_PASSAGES_WANTED = 30
_SENTENCE_END = re.compile(r"(?<=[.!?。！？…])[\"'”’»)\]]*\s*")


class Document(NamedTuple):
    """A text, and the name under which it is split: chapters of one tale share a name and stay together.

    Attributes:
        text: what is read.
        group: name of the whole it belongs to; None where it stands alone, and its text decides.
    """

    text: str
    group: str | None = None


def check_split(split: str) -> Split:
    """The split of that name.

    Raises:
        InputError: there is none.
    """
    if split not in SPLITS:
        raise InputError(choose_from(split, SPLITS, "split"))
    return split


def position(key: str) -> float:
    """A fixed place in [0, 1) for a text or a name."""
    digest = hashlib.sha256((_SALT + key).encode("utf-8", errors="replace")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def split_at(place: float) -> Split:
    """The split of a place in [0, 1): 90% train, 5% validation, 5% test."""
    if place < _TRAIN_SHARE:
        return "train"
    return "validation" if place < _TRAIN_SHARE + _VALIDATION_SHARE else "test"


def split_of(document: Document) -> Split:
    """The split of a document."""
    return split_at(position(document.text if document.group is None else document.group))


def choose_split(documents: Iterable[Document], split: Split, source: str) -> list[str]:
    """The texts of one split, in their order.

    In a small corpus chance may leave a split empty. Then it takes the nearest group of a split that has several, of
    train where it can, so that three groups are enough for three splits.

    Args:
        documents: the whole corpus.
        split: the one wanted.
        source: name of the corpus, for error messages.

    Raises:
        CorpusError: no text at all, or too few documents for this split.
    """
    every = [document for document in documents if document.text.strip()]
    if not every:
        raise CorpusError(f"'{source}' holds no text: give a corpus with at least one document that is not empty")
    keys = [document.text if document.group is None else document.group for document in every]
    places = sorted({position(key): key for key in keys}.items())
    home = {key: split_at(place) for place, key in places}
    for wanted in ("test", "validation", "train"):
        if wanted not in home.values():
            _fill(wanted, home, [key for _, key in places])
    texts = [document.text for document, key in zip(every, keys, strict=True) if home[key] == split]
    if not texts:
        raise CorpusError(
            f"'{source}' has {len(places)} document(s), too few to keep any for {split}: add text, at least three"
        )
    return texts


def _fill(wanted: Split, home: dict[str, Split], keys: list[str]) -> None:
    """Give the empty split ``wanted`` one of ``keys`` (in the order of their places), if a split has one to spare."""
    for giver in SPLITS:
        spare = [key for key in keys if home[key] == giver]
        if len(spare) > 1:
            home[spare[-1] if SPLITS.index(wanted) > SPLITS.index(giver) else spare[0]] = wanted
            return


def passages(text: str) -> list[str]:
    """Cut one long text into passages of about 2,000 characters, so that a single file also has three splits.

    Cuts fall between paragraphs; a paragraph much longer than a passage is cut between lines, else between sentences,
    else between words. Nothing but white space is lost. A text of less than 60,000 characters gets shorter passages,
    down to 200 characters, so that about 30 come out.
    """
    size = max(_SHORTEST_PASSAGE, min(PASSAGE, len(text) // _PASSAGES_WANTED))
    made: list[str] = []
    current: list[str] = []
    held = 0
    for paragraph in re.split(r"\n[^\S\n]*(?:\n[^\S\n]*)+", text):
        for part in _parts(paragraph.strip("\n"), size):
            if current and held + len(part) > 1.25 * size:
                made.append("\n\n".join(current))
                current, held = [], 0
            current.append(part)
            held += len(part)
            if held >= size:
                made.append("\n\n".join(current))
                current, held = [], 0
    if current:
        made.append("\n\n".join(current))
    return [passage for passage in made if passage.strip()]


def _parts(paragraph: str, size: int) -> Iterator[str]:
    """A paragraph whole, or in pieces of about ``size`` characters where it is much longer."""
    if len(paragraph) <= 2 * size:
        yield paragraph
        return
    lines = paragraph.splitlines(keepends=True)
    if len(lines) > 1:
        yield from _gather((piece for line in lines for piece in _sentences(line, size)), size)
    else:
        yield from _gather(_sentences(paragraph, size), size)


def _sentences(line: str, size: int) -> Iterator[str]:
    ends = [match.end() for match in _SENTENCE_END.finditer(line)] if len(line) > 2 * size else []
    for start, end in zip([0, *ends], [*ends, len(line)], strict=True):
        yield from _words(line[start:end], size)


def _words(sentence: str, size: int) -> Iterator[str]:
    while len(sentence) > 2 * size:
        space = sentence.rfind(" ", 1, size)
        cut = size if space < 0 else space + 1
        yield sentence[:cut]
        sentence = sentence[cut:]
    yield sentence


def _gather(pieces: Iterable[str], size: int) -> Iterator[str]:
    held = ""
    for piece in pieces:
        held += piece
        if len(held) >= size:
            yield held
            held = ""
    if held:
        yield held
