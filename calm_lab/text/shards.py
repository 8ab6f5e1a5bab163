"""A corpus as token ids on disk: made as a stream, in shards, and read where it lies.

What: `tokenize_to_shards` writes the ids of a stream of documents into a folder; `Shards` maps them into memory.
Why: 10 GB of text is more than a machine wants to hold, as text or as ids. Only a batch of documents is held while
writing and only the pages that are read while training. A shard appears under its name when it is complete and the
index names it, so a run that was killed goes on with the shard it was at.
Where: paper sec. 7.1 (the Pile, 230 billion tokens).

A folder holds ``index.json``, ``tokenizer.json``, and for each shard ``NNNNN.tokens`` (ids end to end, uint16 where the
vocabulary allows it, else uint32, little endian) and ``NNNNN.lengths`` (tokens of each document, uint32).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from array import array
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_lab.errors import CorpusError
from calm_lab.text.tokenizer import Tokenizer

INDEX, FORMAT = "index.json", "calm_lab tokens 1"
SHARD_TOKENS = 2**26  # 128 MiB of uint16
BATCH_DOCUMENTS, BATCH_CHARACTERS = 512, 2**21
_LENGTH = np.dtype("<u4")


@dataclass(frozen=True)
class Shard:
    """A pair of files: its name, documents with a token, ids, documents of the source it stands for, fingerprint."""

    name: str
    documents: int
    tokens: int
    read: int
    sha256: str


class Shards:
    """Tokenized documents in a folder, mapped into memory."""

    def __init__(self, folder: Path):
        """Open a complete folder.

        Raises:
            CorpusError: not there, not complete, or damaged.
        """
        self.folder = folder
        index = _read_index(folder)
        if index is None:
            raise CorpusError(f"'{folder}' holds no tokens: make them with calm-lab corpora --tokenize")
        if not index["complete"]:
            raise CorpusError(f"'{folder}' is not complete: repeat the command that tokenizes it, and it goes on")
        self.shards = [Shard(**entry) for entry in index["shards"]]
        self.corpus = str(index["corpus"])
        kind = np.dtype(index["dtype"])
        self._maps = [_mapped(folder / f"{shard.name}.tokens", kind, shard.tokens) for shard in self.shards]
        lengths = [_mapped(folder / f"{shard.name}.lengths", _LENGTH, shard.documents) for shard in self.shards]
        self.lengths: NDArray[np.int64] = np.concatenate([np.zeros(0, np.int64), *lengths]).astype(np.int64)
        self._first = np.cumsum([0, *(shard.documents for shard in self.shards)])
        ends = np.cumsum(self.lengths)
        starts = np.concatenate([[0], ends])[:-1] if len(ends) else ends
        before = np.cumsum([0, *(shard.tokens for shard in self.shards)])
        self._starts = starts - np.repeat(before[:-1], np.diff(self._first))  # within the document's shard
        if [int(part.sum()) for part in lengths] != [shard.tokens for shard in self.shards]:
            raise CorpusError(f"'{folder}' is damaged, lengths and tokens differ: remove it and tokenize again")

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> NDArray[Any]:
        """The ids of one document."""
        shard = int(np.searchsorted(self._first, index, side="right")) - 1
        start = int(self._starts[index])
        return self._maps[shard][start : start + int(self.lengths[index])]

    @property
    def tokens(self) -> int:
        """Ids in all."""
        return sum(shard.tokens for shard in self.shards)

    @property
    def sha256(self) -> str:
        """Of the fingerprints of all shards."""
        return hashlib.sha256("".join(shard.sha256 for shard in self.shards).encode()).hexdigest()

    def check_tokenizer(self, tokenizer: Tokenizer) -> None:
        """Refuse ids that another tokenizer made.

        Raises:
            CorpusError: it is another one.
        """
        if Tokenizer.load(self.folder) != tokenizer:
            raise CorpusError(
                f"'{self.folder}' was tokenized by another tokenizer than the model's: tokenize the corpus with"
                " --tokenizer MODEL"
            )


def tokenize_to_shards(
    texts: Callable[[int], Iterable[str]],
    tokenizer: Tokenizer,
    folder: Path,
    *,
    corpus: str,
    enough: int | None = None,
    shard_tokens: int = SHARD_TOKENS,
    report: Callable[[int, int], None] | None = None,
) -> Shards:
    """Write the ids of a stream of documents, going on where an earlier call was stopped.

    Args:
        texts: the documents from number n on; asked once, with the number of those done.
        tokenizer: what encodes them.
        folder: where they go.
        corpus: what the texts are, to be compared when a call goes on.
        enough: stop when there are so many tokens; by default at the end.
        shard_tokens: a shard ends with the document that reaches this.
        report: called with documents and tokens after each batch.

    Returns:
        The shards, complete.

    Raises:
        CorpusError: no text at all, no room, or the folder holds something else.
    """
    kind = np.dtype("<u2" if tokenizer.vocab_size <= 2**16 else "<u4")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        index = _begin(folder, tokenizer, {"corpus": corpus, "dtype": kind.str, "shard_tokens": shard_tokens})
        if not index["complete"]:
            _go_on(texts, tokenizer, folder, index, enough, report)
    except OSError as error:
        raise CorpusError(f"'{folder}' cannot be written ({error.strerror}): free space, or choose another") from error
    return Shards(folder)


def _begin(folder: Path, tokenizer: Tokenizer, wanted: dict[str, Any]) -> dict[str, Any]:
    """The index as an earlier call left it, or a new one."""
    index = _read_index(folder)
    if index is None:
        if any(folder.iterdir()):
            raise CorpusError(f"'{folder}' holds other files: choose a new folder")
        tokenizer.save(folder)
        index = {"format": FORMAT, **wanted, "complete": False, "shards": []}
        _write_index(folder, index)
        return index
    for name, value in wanted.items():
        if index[name] != value:
            raise CorpusError(f"'{folder}' was begun with {name} = {index[name]}, not {value}: choose another folder")
    if Tokenizer.load(folder) != tokenizer:
        raise CorpusError(f"'{folder}' was begun with another tokenizer: choose another folder")
    return index


def _go_on(
    texts: Callable[[int], Iterable[str]],
    tokenizer: Tokenizer,
    folder: Path,
    index: dict[str, Any],
    enough: int | None,
    report: Callable[[int, int], None] | None,
) -> None:
    done = [Shard(**entry) for entry in index["shards"]]
    documents, tokens = sum(shard.documents for shard in done), sum(shard.tokens for shard in done)
    stream = iter(texts(sum(shard.read for shard in done)))
    ended = enough is not None and tokens >= enough
    while not ended:
        writer = _Writer(folder, f"{len(done):05d}", np.dtype(index["dtype"]))
        with writer:
            while writer.tokens < index["shard_tokens"] and not ended:
                batch = _batch(stream)
                for text_ids in tokenizer.encode_batch(batch) if batch else []:
                    writer.add(text_ids)
                ended = not batch or (enough is not None and tokens + writer.tokens >= enough)
                if report is not None:
                    report(documents + writer.documents, tokens + writer.tokens)
            shard = writer.finish()
        if shard.read:
            done.append(shard)
        documents, tokens = documents + shard.documents, tokens + shard.tokens
        index["shards"] = [asdict(each) for each in done]
        index["complete"] = ended
        if ended and not tokens:
            raise CorpusError(f"'{index['corpus']}' holds no text: give a corpus with at least a few sentences")
        _write_index(folder, index)


def _batch(stream: Iterable[str]) -> list[str]:
    """Up to so many documents or characters; at least one document where any is left."""
    batch: list[str] = []
    held = 0
    for text in itertools.islice(stream, BATCH_DOCUMENTS):
        batch.append(text)
        held += len(text)
        if held >= BATCH_CHARACTERS:
            break
    return batch


class _Writer:
    """A shard under temporary names; ids go to disk as they come."""

    def __init__(self, folder: Path, name: str, kind: np.dtype[Any]):
        self.folder, self.name, self.kind = folder, name, kind
        self.paths = {end: folder / f".{name}.{end}.tmp" for end in ("tokens", "lengths")}
        self.lengths = array("I")
        self.tokens = self.read = 0
        self.digest = hashlib.sha256()

    @property
    def documents(self) -> int:
        """Documents that hold a token."""
        return len(self.lengths)

    def __enter__(self) -> _Writer:
        self.file = self.paths["tokens"].open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        for path in self.paths.values():
            path.unlink(missing_ok=True)

    def add(self, ids: list[int]) -> None:
        """Write one document."""
        self.read += 1
        if ids:
            data = np.asarray(ids, self.kind).tobytes()
            self.file.write(data)
            self.digest.update(data)
            self.lengths.append(len(ids))
            self.tokens += len(ids)

    def finish(self) -> Shard:
        """Give both files their names; the index does not know them yet."""
        data = np.asarray(self.lengths, _LENGTH).tobytes()
        self.digest.update(data)
        self.paths["lengths"].write_bytes(data)
        self.file.flush()
        os.fsync(self.file.fileno())
        if self.read:
            for end, path in self.paths.items():
                os.replace(path, self.folder / f"{self.name}.{end}")
        return Shard(self.name, self.documents, self.tokens, self.read, self.digest.hexdigest())


def is_tokenized(path: Path) -> bool:
    """Whether a folder is one of shards, complete or not."""
    return (path / INDEX).is_file()


def is_complete(path: Path) -> bool:
    """Whether a folder of shards has come to its end."""
    index = _read_index(path)
    return index is not None and index["complete"]


def _read_index(folder: Path) -> dict[str, Any] | None:
    """The index of a folder; None where there is none."""
    path = folder / INDEX
    if not path.is_file():
        return None
    try:
        index = json.loads(path.read_bytes())
        if index["format"] != FORMAT:
            raise KeyError("format")
        [Shard(**entry) for entry in index["shards"]]
        return dict(index, complete=bool(index["complete"]), dtype=str(np.dtype(index["dtype"]).str))
    except (ValueError, KeyError, TypeError, OSError):
        raise CorpusError(f"'{path}' is damaged, or not of calm_lab: remove the folder and tokenize again") from None


def _write_index(folder: Path, index: dict[str, Any]) -> None:
    fresh = folder / f".{INDEX}.tmp"
    fresh.write_text(json.dumps(index, indent=1) + "\n", "utf-8")
    os.replace(fresh, folder / INDEX)


def _mapped(path: Path, kind: np.dtype[Any], count: int) -> NDArray[Any]:
    try:
        if path.stat().st_size != count * kind.itemsize:
            raise CorpusError(f"'{path}' is cut short: remove the folder and tokenize again")
        return np.memmap(path, kind, "r", shape=(count,)) if count else np.zeros(0, kind)
    except OSError as error:
        raise CorpusError(f"'{path}' cannot be read ({error.strerror}): tokenize again") from error
