"""What to show for a token: its text, or the part it plays where it is no text (begin, end, padding, mask).

A byte-level token may hold a part of a character only: an accent, a Chinese character or an emoji is often spread over
two to four tokens. ``parts`` joins the bytes of neighbours and says which part of which character a token holds.

App tabs: Tokens and vectors, Noise dial.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from calm_lab.text.byte_level import show_bytes
from calm_lab.text.tokenizer import Tokenizer

# first byte of a UTF-8 character of more than one byte: how many bytes it has
_LENGTHS = [(range(0xC2, 0xE0), 2), (range(0xE0, 0xF0), 3), (range(0xF0, 0xF5), 4)]


def roles(tokenizer: Tokenizer, ids: Sequence[int]) -> list[str | None]:
    """``begin``, ``end``, ``pad`` or ``mask`` for special ids, None for ordinary ones, one entry an id."""
    known = {tokenizer.mask_id: "mask", tokenizer.pad_id: "pad", tokenizer.bos_id: "begin", tokenizer.eos_id: "end"}
    known.pop(None, None)
    return [known.get(index) for index in ids]


@dataclass(frozen=True)
class Part:
    """A stretch of one token.

    Attributes:
        text: what it says; a whole character where the token holds a part of it.
        number: which part of that character it holds, from 1.
        of: over how many tokens the character is spread; 1 for text of the token's own.
    """

    text: str
    number: int = 1
    of: int = 1


def parts(tokenizer: Tokenizer, ids: Sequence[int]) -> list[list[Part]]:
    """Every token as its parts; characters that neighbours form together are shown, each token with its share.

    Args:
        tokenizer: whose ids they are.
        ids: neighbouring tokens in their order. A special id ends a character.

    Returns:
        For each id at least one part. Bytes that form no character with their neighbours show as ``\u27e8E2\u27e9``.
    """
    names = tokenizer.pieces(ids)
    table = tokenizer.byte_table
    if table is None:
        return [[Part(name)] for name in names]
    pieces = [table[index] for index in ids]
    found: list[list[Part]] = [[] for _ in pieces]
    for start, end in _runs(pieces):
        owner = [place for place in range(start, end) for _ in pieces[place]]
        data = b"".join(pieces[start:end])
        whole: list[bytes] = [b""] * len(pieces)  # of each token: bytes of its own that are not yet shown

        def flush(place: int, whole: list[bytes] = whole) -> None:
            if whole[place]:
                found[place].append(Part(show_bytes(whole[place])))
                whole[place] = b""

        for first, last in _characters(data):
            holders = list(dict.fromkeys(owner[first:last]))
            if len(holders) == 1:
                whole[holders[0]] += data[first:last]
                continue
            for number, place in enumerate(holders, 1):
                flush(place)
                found[place].append(Part(data[first:last].decode("utf-8"), number, len(holders)))
        for place in range(start, end):
            flush(place)
    return [shares or [Part(name)] for shares, name in zip(found, names, strict=True)]


def spread(tokenizer: Tokenizer, ids: Sequence[int]) -> list[list[list[str | int]] | None]:
    """For each id its ``parts`` as plain lists ``[text, number, of]``, None where the token shares no character."""
    return [
        [[part.text, part.number, part.of] for part in shares] if any(part.of > 1 for part in shares) else None
        for shares in parts(tokenizer, ids)
    ]


def _runs(pieces: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Stretches of tokens that have bytes."""
    for some, group in itertools.groupby(range(len(pieces)), key=lambda place: bool(pieces[place])):
        places = list(group)
        if some:
            yield places[0], places[-1] + 1


def _characters(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each character begins and ends; a byte that begins none stands alone."""
    at = 0
    while at < len(data):
        size = next((length for leads, length in _LENGTHS if data[at] in leads), 1)
        try:
            data[at : at + size].decode("utf-8")
        except UnicodeDecodeError:
            size = 1
        yield at, min(at + size, len(data))
        at += size
