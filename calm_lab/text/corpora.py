"""The registry of corpora: every text source by name, every one ending as a table with a column ``text``.

What: `load_corpus` gives one split of a named corpus, of a user's files, of a hub data set, or of several joined by
``+``; `fetch`, `is_cached`, `corpus_info` and `corpus_hash` say what it is and where it comes from.
Why: whoever trains or measures asks for a name and a split and never learns how the text got here. Splits are by
document, the same on every machine, and disjoint.
Where: paper sec. 7.1 (data). Text that is generated: `calm_lab.text.storyland`.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from calm_lab.errors import InputError
from calm_lab.text.documents import Split, check_split, choose_split, split_of
from calm_lab.text.hub import check_hub, hub_rows
from calm_lab.text.local import LARGE, find_files, read_documents, total_size
from calm_lab.text.sources import REGISTRY, CorpusInfo, Source, resolve
from calm_lab.text.tables import Row, as_dataset, as_stored, as_stream
from calm_lab.text.wheels import cached_bytes, cached_file, read_wheel_text

if TYPE_CHECKING:
    import datasets

_STORY_COUNTS: dict[Split, int] = {"train": 20_000, "validation": 1_000, "test": 1_000}
_STREAM_ABOVE = LARGE
_HASHED_OF_A_STREAM = 1_000


def corpus_names() -> list[str]:
    """Names of the registered corpora; paths and ``owner/name`` of the hub work beside them."""
    return list(REGISTRY)


def corpus_info(name_or_path: str | os.PathLike[str]) -> CorpusInfo:
    """What a corpus is, without loading it.

    Raises:
        CorpusError: no such corpus, file or folder.
    """
    sources = resolve(name_or_path)
    if len(sources) == 1:
        return sources[0].info
    infos = [source.info for source in sources]
    parts = {field: "; ".join(getattr(info, field) for info in infos) for field in ("title", "licence", "note")}
    return CorpusInfo("+".join(info.name for info in infos), **parts, kind="mixture")


def load_corpus(
    name_or_path: str | os.PathLike[str],
    split: str = "train",
    *,
    streaming: bool | None = None,
    text_column: str | None = None,
    count: int | None = None,
    seed: int = 0,
) -> datasets.Dataset | datasets.IterableDataset:
    """One split of a corpus, as a table with the column ``text``, one document a row.

    Documents keep the order of their source; shuffling is the trainer's business. A mixture (``"andersen+storyland"``)
    is shuffled by ``seed``, or taken in turns when it streams.

    Args:
        name_or_path: a registered name, a file, a folder, ``owner/name`` on the hub (``owner/name:configuration`` where
            it has several), or several joined by ``+``.
        split: ``train``, ``validation`` or ``test``, about 90/5/5 by a hash of the document.
        streaming: a stream instead of a table; by default for hub data sets and for files above 64 MiB.
        text_column: where rows hold their text; by default ``text`` or the only column.
        count: at most so many documents of each corpus; of generated stories the number made (by default 20,000 to
            train on, 1,000 to validate and 1,000 to test; a stream has no end by default).
        seed: which stories are made, and the order of a mixture.

    Raises:
        CorpusError: unknown, missing, empty, binary, damaged or out of reach.
        InputError: unknown split, or a count below 1.
    """
    wanted = check_split(split)
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise InputError(f"count must be a whole number of at least 1, or None for all, not {count!r}")
    sources = [
        source if source.hub is None else replace(source, hub=check_hub(source.hub, wanted))
        for source in resolve(name_or_path, text_column)
    ]
    if streaming if streaming is not None else any(map(_is_large, sources)):
        return as_stream(_stream_rows, sources=tuple(sources), split=wanted, count=count, seed=seed)
    if len(sources) == 1 and sources[0].hub is not None:
        return as_stored(hub_rows, text=sources[0].hub, split=wanted, count=count)
    texts = [text for source in sources for text in _texts(source, wanted, count, seed)]
    if len(sources) > 1:
        random.Random(seed).shuffle(texts)
    return as_dataset(texts)


def fetch(name: str) -> Path:
    """Bring a corpus into the cache, where it stays for use without a network.

    Returns:
        The cached file.

    Raises:
        CorpusError: unknown, out of reach, or not what its hash says.
        InputError: a corpus that is not kept: generated, streamed or the user's own.
    """
    (source, *others) = resolve(name)
    if source.wheel is None or others:
        raise InputError(f"'{name}' needs no fetching ({source.info.kind}); these are fetched: {', '.join(_fetched())}")
    read_wheel_text(source.wheel)
    return cached_file(source.wheel)


def is_cached(name: str) -> bool:
    """Whether a corpus can be read now without a network.

    Raises:
        CorpusError: unknown.
    """
    return all(
        source.hub is None and (source.wheel is None or cached_bytes(source.wheel) is not None)
        for source in resolve(name)
    )


def corpus_hash(
    corpus: str | os.PathLike[str] | datasets.Dataset | datasets.IterableDataset, split: str = "train"
) -> str:
    """A short fingerprint of a corpus's texts, for the cards of models.

    Args:
        corpus: a table, or what `load_corpus` takes. Of a stream the first 1,000 documents count.
        split: which split, where a name is given.

    Returns:
        16 hexadecimal digits of the SHA-256 over all texts in order.
    """
    table = load_corpus(corpus, split) if isinstance(corpus, str | os.PathLike) else corpus
    rows = iter(table) if hasattr(table, "num_rows") else itertools.islice(table, _HASHED_OF_A_STREAM)
    digest = hashlib.sha256()
    for row in rows:
        text = row["text"].encode("utf-8")
        digest.update(len(text).to_bytes(8, "big") + text)
    return digest.hexdigest()[:16]


def _fetched() -> list[str]:
    return [name for name, source in REGISTRY.items() if source.wheel is not None]


def _is_large(source: Source) -> bool:
    if source.path is not None:
        return total_size(find_files(source.path)) > _STREAM_ABOVE
    return source.hub is not None


def _texts(source: Source, split: Split, count: int | None, seed: int) -> Iterator[str]:
    """The texts of one split, in the source's order; they come to an end."""
    if source.hub is not None:
        return (row["text"] for row in hub_rows(source.hub, split, count))
    if source.documents is not None:
        return itertools.islice(choose_split(source.documents(), split, source.info.name), count)
    if source.path is not None:
        documents = read_documents(source.path, source.text_column)
        return itertools.islice(choose_split(documents, split, source.info.name), count)
    return _stories(source, split, _STORY_COUNTS[split] if count is None else count, seed)


def _stories(source: Source, split: Split, count: int | None, seed: int) -> Iterator[str]:
    from calm_lab.text.storyland import stories

    return stories(split, count, seed, language=source.info.name)


def _stream_texts(source: Source, split: Split, count: int | None, seed: int) -> Iterator[str]:
    """The same as a stream: stories without end, and large files read as they come."""
    if source.path is not None and _is_large(source):
        # The hash alone decides here: the whole corpus is not at hand to fill an empty split from.
        documents = read_documents(source.path, source.text_column)
        yield from itertools.islice((one.text for one in documents if split_of(one) == split), count)
    elif source.info.kind == "generated":
        yield from _stories(source, split, count, seed)
    else:
        yield from _texts(source, split, count, seed)


def _stream_rows(sources: tuple[Source, ...], split: Split, count: int | None, seed: int) -> Iterator[Row]:
    """Rows of all sources in turns, until each has come to its end."""
    streams = [_stream_texts(source, split, count, seed) for source in sources]
    while streams:
        for stream in list(streams):
            text = next(stream, None)
            if text is None:
                streams.remove(stream)
            else:
                yield {"text": text}
