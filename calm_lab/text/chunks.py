"""From ids to chunks: where a document begins, where it ends, and how documents fill a row.

What: a document of ids becomes whole chunks of K; chunks of many documents are packed into rows of equal length.
Why: CALM predicts whole chunks, so it must be able to start from nothing, from a prompt of any length, and to stop.

The begin chunk solves the first two. It holds the first r of the document's tokens (0 <= r < K), right-aligned behind
begin ids: ``[begin] * (K - r) + ids[:r]``. Training draws r anew for each document, so at generation a prompt of m
tokens puts its first ``m mod K`` tokens there and every later chunk is whole: no padding is ever read as context. The
end token follows the last token, and padding, which is never scored, fills that last chunk.

Where: paper sec. 3 (the sequence is cut into chunks of K); the begin chunk and end token are ours, because the official
code pads an unaligned prompt on the right and then continues after the pads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from calm_lab.errors import InputError

Chunks = NDArray[np.int64]


def begin_chunk(leading: Sequence[int], chunk_size: int, bos_id: int) -> list[int]:
    """The first chunk of a document: its first r tokens, right-aligned behind begin ids.

    Args:
        leading: the r tokens, r < K; none at all starts from nothing.
        chunk_size: K.
        bos_id: the begin id.

    Returns:
        K ids.

    Raises:
        InputError: K below 1, or more than K - 1 tokens: at least one begin id must show where a document starts.
    """
    _check_chunk_size(chunk_size)
    if len(leading) >= chunk_size:
        raise InputError(f"a begin chunk of {chunk_size} holds at most {chunk_size - 1} tokens, not {len(leading)}")
    return [bos_id] * (chunk_size - len(leading)) + list(leading)


def document_chunks(
    ids: Sequence[int], chunk_size: int, *, bos_id: int, eos_id: int, pad_id: int, remainder: int = 0
) -> Chunks:
    """A whole document as chunks: begin chunk, text, end token, padding up to a whole chunk.

    Args:
        ids: the document's T tokens, without specials.
        chunk_size: K.
        bos_id: the begin id.
        eos_id: the end id.
        pad_id: the padding id.
        remainder: r, tokens in the begin chunk, 0 <= r < K; a document shorter than that puts all it has there.

    Returns:
        ids (S, K), int64, with S = 1 + ceil((T - r + 1) / K).

    Raises:
        InputError: K below 1 or r outside [0, K).
    """
    _check_chunk_size(chunk_size)
    if not 0 <= remainder < chunk_size:
        raise InputError(f"remainder must lie in 0..{chunk_size - 1} for chunks of {chunk_size}, not {remainder}")
    begin = begin_chunk(ids[:remainder], chunk_size, bos_id)
    rest = np.asarray(ids[remainder:], dtype=np.int64)  # (T - r,)
    last = [eos_id] + [pad_id] * (-(len(rest) + 1) % chunk_size)
    return np.concatenate([begin, rest, last]).astype(np.int64).reshape(-1, chunk_size)  # (S, K)


def prompt_chunks(ids: Sequence[int], chunk_size: int, *, bos_id: int) -> Chunks:
    """A prompt as chunks: no end token and no padding, because the model is to go on from here.

    Args:
        ids: the prompt's m tokens; none at all gives the begin chunk alone.
        chunk_size: K.
        bos_id: the begin id.

    Returns:
        ids (1 + m // K, K), int64; the first m mod K tokens stand in the begin chunk.

    Raises:
        InputError: K below 1.
    """
    _check_chunk_size(chunk_size)
    leading = len(ids) % chunk_size
    row = [*begin_chunk(ids[:leading], chunk_size, bos_id), *ids[leading:]]
    return np.asarray(row, dtype=np.int64).reshape(-1, chunk_size)  # (1 + m // K, K)


def chunk_documents(
    documents: Iterable[Sequence[int]],
    chunk_size: int,
    *,
    bos_id: int,
    eos_id: int,
    pad_id: int,
    rng: np.random.Generator | None = None,
) -> Iterator[Chunks]:
    """Turn documents into chunks, one after another, with a fresh begin-chunk remainder for each.

    Args:
        documents: ids of each document.
        chunk_size: K.
        bos_id: the begin id.
        eos_id: the end id.
        pad_id: the padding id.
        rng: draws r uniformly from 0..K-1 for each document; None takes r = 0 throughout (evaluation).

    Yields:
        ids (S_i, K), int64.

    Raises:
        InputError: K below 1.
    """
    _check_chunk_size(chunk_size)
    for ids in documents:
        remainder = 0 if rng is None else int(rng.integers(chunk_size))
        yield document_chunks(ids, chunk_size, bos_id=bos_id, eos_id=eos_id, pad_id=pad_id, remainder=remainder)


def pack(documents: Iterable[Chunks], positions: int, *, pad_id: int | None = None) -> Iterator[Chunks]:
    """Fill rows of equal length with documents, back to back: a document may run on into the next row.

    Nothing is padded, so no compute is spent on padding. A row may so hold the end of one document and the beginning
    of the next; the begin chunk tells the model where, as in the paper's own training data.

    Args:
        documents: chunks (S_i, K) of each document, all with the same K.
        positions: S, chunks in a row.
        pad_id: where given, the last partial row is filled with pad chunks; by default it is dropped.

    Yields:
        ids (S, K), int64.

    Raises:
        InputError: positions below 1, or a document that is not (S_i, K) with the K of the first.
    """
    if isinstance(positions, bool) or not isinstance(positions, int) or positions < 1:
        raise InputError(f"positions must be a whole number of at least 1, not {positions!r}")
    waiting: list[Chunks] = []
    held = 0
    width: int | None = None
    for document in documents:
        chunks = np.asarray(document, dtype=np.int64)
        if chunks.ndim != 2 or (width is not None and chunks.shape[1] != width):
            raise InputError(f"a document must be chunks of shape (S, {width or 'K'}), not {chunks.shape}")
        width = chunks.shape[1]
        waiting.append(chunks)
        held += len(chunks)
        if held < positions:
            continue
        joined = np.concatenate(waiting)  # (held, K)
        whole = held - held % positions
        yield from joined[:whole].reshape(-1, positions, width).copy()
        waiting, held = [joined[whole:]], held - whole
    if held and pad_id is not None and width is not None:
        filler = np.full((positions - held, width), pad_id, dtype=np.int64)
        yield np.concatenate([*waiting, filler])  # (S, K)


def _check_chunk_size(chunk_size: int) -> None:
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1:
        raise InputError(f"chunk_size (K) must be a whole number of at least 1, not {chunk_size!r}")
