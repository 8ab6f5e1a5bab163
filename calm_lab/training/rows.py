"""Training data as rows of chunks that depend on the step alone.

Documents are tokenized once. An epoch shuffles them, draws each document's begin-chunk remainder, and packs all into
rows without padding. Which rows a step sees follows from (seed, step), so a resumed run sees exactly what the
uninterrupted one would have, and processes that share a step take disjoint slices of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calm_lab.errors import CorpusError
from calm_lab.memory import require_bytes
from calm_lab.text.chunks import chunk_documents, pack
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


@dataclass
class Rows:
    """Rows of packed chunks, addressed by step.

    Attributes:
        documents: the tokenized corpus.
        chunk_size: K.
        positions: S, chunks in a row.
        tokenizer: for the special ids.
        seed: of the order and the remainders.
    """

    documents: Documents
    chunk_size: int
    positions: int
    tokenizer: Tokenizer
    seed: int = 0
    _epoch: tuple[int, NDArray[np.int64]] | None = field(default=None, repr=False)
    _starts: list[int] = field(default_factory=lambda: [0], repr=False)

    def _draws(self, epoch: int) -> tuple[np.random.Generator, NDArray[np.int64]]:
        rng = np.random.default_rng([self.seed, epoch])
        return rng, rng.permutation(len(self.documents))

    def epoch(self, epoch: int) -> NDArray[np.int64]:
        """All rows of one epoch, shape (R, S, K); a corpus shorter than a row is repeated until it fills one."""
        if self._epoch is None or self._epoch[0] != epoch:
            rng, order = self._draws(epoch)
            rows: list[NDArray[np.int64]] = []
            while not rows:
                rows = list(pack(self._chunks(order, rng), self.positions))
                order = np.concatenate([order, order])
            self._epoch = (epoch, np.stack(rows))
        return self._epoch[1]

    def _chunks(self, order: NDArray[np.int64], rng: np.random.Generator | None) -> Iterable[NDArray[np.int64]]:
        ids = self.tokenizer
        documents = (self.documents[int(index)].tolist() for index in order)
        return chunk_documents(
            documents, self.chunk_size, bos_id=ids.bos_id, eos_id=ids.eos_id, pad_id=ids.pad_id, rng=rng
        )

    def _locate(self, row: int) -> tuple[int, int]:
        """The epoch of the global row number ``row``, and its place in it."""
        epoch = 0
        while True:
            if epoch + 1 == len(self._starts):
                self._starts.append(self._starts[-1] + len(self.epoch(epoch)))
            if row < self._starts[epoch + 1]:
                return epoch, row - self._starts[epoch]
            epoch += 1

    def batch(self, step: int, rows: int) -> Tensor:
        """The ``rows`` rows of a step (counted from 0): ids (rows, S * K), int64."""
        picked = []
        for row in range(step * rows, (step + 1) * rows):
            epoch, place = self._locate(row)
            picked.append(self.epoch(epoch)[place])
        return torch.from_numpy(np.stack(picked).reshape(rows, -1))

    def one_each(self, rows: int) -> Tensor:
        """One document a row from its begin chunk on (r = 0), padded to the longest: ids (<= rows, S * K)."""
        documents = list(itertools.islice(self._chunks(np.arange(len(self.documents)), None), rows))
        longest = max(len(document) for document in documents)
        ids = np.full((len(documents), longest, self.chunk_size), self.tokenizer.pad_id, dtype=np.int64)
        for row, document in zip(ids, documents, strict=True):
            row[: len(document)] = document
        return torch.from_numpy(ids.reshape(len(documents), -1))

    def evaluation(self, rows: int) -> Tensor:
        """Up to ``rows`` rows in the corpus's own order, r = 0, the last one padded: ids (<= rows, S * K)."""
        packed = pack(self._chunks(np.arange(len(self.documents)), None), self.positions, pad_id=self.tokenizer.pad_id)
        require_bytes(8 * self.positions * self.chunk_size, "a row of text", "choose fewer positions")
        picked = list(itertools.islice(packed, rows))
        return torch.from_numpy(np.stack(picked).reshape(len(picked), -1))
