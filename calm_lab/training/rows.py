"""Training data as rows of chunks that depend on the step alone.

Documents are tokenized once. An epoch shuffles them, draws each document's begin-chunk remainder, and packs all into
rows without padding. Where each document falls follows from the lengths alone, so a row is made when it is asked for,
from documents in memory or on disk. Which rows a step sees follows from (seed, step), so a resumed run sees exactly
what the uninterrupted one would have, and processes that share a step take disjoint slices of it.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calm_lab.errors import CorpusError
from calm_lab.memory import require_bytes
from calm_lab.text.chunks import document_chunks, pack
from calm_lab.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Documents:
    """Token ids of many documents, end to end.

    Attributes:
        ids: all ids, shape (T,), without specials.
        offsets: where each document begins, and the end, shape (D + 1,).
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def tokenize(cls, texts: Iterable[str], tokenizer: Tokenizer, batch: int = 512) -> Documents:
        """Encode every text; CorpusError if there is no token at all."""
        parts: list[NDArray[np.int32]] = []
        lengths: list[int] = []
        waiting: list[str] = []

        def flush() -> None:
            for ids in tokenizer.encode_batch(waiting):
                if ids:
                    parts.append(np.asarray(ids, dtype=np.int32))
                    lengths.append(len(ids))
            waiting.clear()

        for text in texts:
            waiting.append(text)
            if len(waiting) == batch:
                flush()
        flush()
        if not parts:
            raise CorpusError("the corpus holds no text: give a file with at least a few sentences")
        return cls(np.concatenate(parts), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> NDArray[np.int32]:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens in each document, shape (D,)."""
        return np.diff(self.offsets)

    @property
    def tokens(self) -> int:
        """Tokens in all."""
        return len(self.ids)


class Tokenized(Protocol):
    """Documents of ids, wherever they lie: in memory (`Documents`) or on disk (`calm_lab.text.shards.Shards`)."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens in each document, shape (D,)."""

    @property
    def tokens(self) -> int:
        """Tokens in all."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> NDArray[Any]: ...


class Plan(NamedTuple):
    """How an epoch is packed: known from the documents' lengths, before a token is read.

    Attributes:
        order: which document comes when, shape (D,), longer where a short corpus is repeated.
        remainders: r of each, tokens in its begin chunk.
        ends: chunks up to the end of each.
    """

    order: NDArray[np.int64]
    remainders: NDArray[np.int64]
    ends: NDArray[np.int64]


@dataclass
class Rows:
    """Rows of packed chunks, addressed by step; a row is made when it is asked for.

    Attributes:
        documents: the tokenized corpus.
        chunk_size: K.
        positions: S, chunks in a row.
        tokenizer: for the special ids.
        seed: of the order and the remainders.
    """

    documents: Tokenized
    chunk_size: int
    positions: int
    tokenizer: Tokenizer
    seed: int = 0
    _plan: tuple[int, Plan] | None = field(default=None, repr=False)
    _starts: list[int] = field(default_factory=lambda: [0], repr=False)

    def plan(self, epoch: int) -> Plan:
        """The packing of an epoch; a corpus shorter than a row is repeated until it fills one."""
        if self._plan is None or self._plan[0] != epoch:
            rng = np.random.default_rng([self.seed, epoch])
            order = rng.permutation(len(self.documents))
            while True:
                remainders = rng.integers(self.chunk_size, size=len(order))  # as if drawn one by one
                rest = np.maximum(self.documents.lengths[order] - remainders, 0)
                ends = np.cumsum(1 + -(-(rest + 1) // self.chunk_size))
                if ends[-1] >= self.positions:
                    break
                order = np.concatenate([order, order])
            self._plan = (epoch, Plan(order, remainders, ends))
        return self._plan[1]

    def epoch(self, epoch: int) -> NDArray[np.int64]:
        """All rows of one epoch, shape (R, S, K); what does not fill a row is left for another epoch."""
        return np.stack([self._row(epoch, place) for place in range(self._count(epoch))])

    def _count(self, epoch: int) -> int:
        return int(self.plan(epoch).ends[-1]) // self.positions

    def _row(self, epoch: int, place: int) -> NDArray[np.int64]:
        """One row (S, K): the end of a document, whole ones, the beginning of another."""
        order, remainders, ends = self.plan(epoch)
        begin, end = place * self.positions, (place + 1) * self.positions
        first, last = np.searchsorted(ends, [begin, end - 1], side="right").tolist()
        parts = []
        for i in range(first, last + 1):
            start = int(ends[i - 1]) if i else 0  # chunks before this document
            part = (max(begin - start, 0), min(end, int(ends[i])) - start)
            parts.append(self._chunks(int(order[i]), int(remainders[i]), *part))
        return np.concatenate(parts)

    def _chunks(self, document: int, remainder: int, start: int, stop: int) -> NDArray[np.int64]:
        """Chunks ``start`` to ``stop`` of a document (S_i, K); no more of it is read than these hold."""
        size = self.chunk_size
        low = remainder + (start - 1) * size if start else 0
        part = self.documents[document][low : max(remainder + (stop - 1) * size, 0)]
        if start == 0:
            return self._chunked(part, remainder)[:stop]
        return self._chunked(part)[1 : 1 + stop - start]  # behind a begin chunk that belongs elsewhere

    def _chunked(self, document: NDArray[Any], remainder: int = 0) -> NDArray[np.int64]:
        ids, size = self.tokenizer, self.chunk_size
        special = {"bos_id": ids.bos_id, "eos_id": ids.eos_id, "pad_id": ids.pad_id}
        return document_chunks(document.tolist(), size, **special, remainder=remainder)

    def _in_order(self) -> Iterator[NDArray[np.int64]]:
        return (self._chunked(self.documents[index]) for index in range(len(self.documents)))

    def _locate(self, row: int) -> tuple[int, int]:
        """The epoch of the global row number ``row``, and its place in it."""
        epoch = max(0, bisect.bisect_right(self._starts, row) - 1)
        while True:
            if epoch + 1 == len(self._starts):
                self._starts.append(self._starts[-1] + self._count(epoch))
            if row < self._starts[epoch + 1]:
                return epoch, row - self._starts[epoch]
            epoch += 1

    def batch(self, step: int, rows: int) -> Tensor:
        """The ``rows`` rows of a step (counted from 0): ids (rows, S * K), int64."""
        picked = [self._row(*self._locate(row)) for row in range(step * rows, (step + 1) * rows)]
        return torch.from_numpy(np.stack(picked).reshape(rows, -1))

    def one_each(self, rows: int) -> Tensor:
        """One document a row from its begin chunk on (r = 0), padded to the longest: ids (<= rows, S * K)."""
        documents = list(itertools.islice(self._in_order(), rows))
        longest = max(len(document) for document in documents)
        ids = np.full((len(documents), longest, self.chunk_size), self.tokenizer.pad_id, dtype=np.int64)
        for row, document in zip(ids, documents, strict=True):
            row[: len(document)] = document
        return torch.from_numpy(ids.reshape(len(documents), -1))

    def evaluation(self, rows: int) -> Tensor:
        """Up to ``rows`` rows in the corpus's own order, r = 0, the last one padded: ids (<= rows, S * K)."""
        require_bytes(8 * self.positions * self.chunk_size, "a row of text", "choose fewer positions")
        packed = pack(self._in_order(), self.positions, pad_id=self.tokenizer.pad_id)
        picked = list(itertools.islice(packed, rows))
        return torch.from_numpy(np.stack(picked).reshape(len(picked), -1))
