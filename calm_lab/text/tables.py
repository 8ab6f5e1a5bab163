"""Texts as `datasets` tables: in memory, kept on disk, or streamed.

What: `as_dataset`, `as_stored` and `as_stream` make a ``datasets`` object with the one column ``text``.
Why: everything above reads one type, whatever the source. The library would put locks and copies into the home folder;
here they go under our own cache. It also takes seconds to import, so it is imported when first used.
Where: not in the paper.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypedDict

from calm_lab.errors import CalmLabError, CorpusError
from calm_lab.text.cache import writable_cache

if TYPE_CHECKING:
    import datasets


class Row(TypedDict):
    """One row of every corpus."""

    text: str


RowMaker = Callable[..., Iterator[Row]]


def one_line(text: object, longest: int = 200) -> str:
    """Any message as one short line."""
    words = " ".join(str(text).split())
    return words if len(words) <= longest else words[: longest - 1] + "…"


def _features() -> datasets.Features:
    import datasets

    return datasets.Features({"text": datasets.Value("string")})


def as_dataset(texts: Iterable[str]) -> datasets.Dataset:
    """Texts as a table in memory; no file is written."""
    import datasets

    return datasets.Dataset.from_dict({"text": list(texts)}, features=_features())


def as_stored(make_rows: RowMaker, **arguments: Any) -> datasets.Dataset:
    """Rows as a table kept in the cache; the same arguments find it again without making the rows.

    Raises:
        CorpusError: what ``make_rows`` raises, or the cache cannot be written.
    """
    import datasets

    folder = writable_cache("huggingface", "datasets")
    try:
        return datasets.Dataset.from_generator(
            make_rows, features=_features(), gen_kwargs=arguments, cache_dir=str(folder)
        )
    except Exception as error:
        reason: BaseException | None = error
        while reason is not None:
            if isinstance(reason, CalmLabError):
                raise reason from None
            reason = reason.__cause__
        raise CorpusError(
            f"cannot keep the corpus in '{folder}' ({one_line(error)}): free space, or stream it"
        ) from None


def as_stream(make_rows: RowMaker, **arguments: Any) -> datasets.IterableDataset:
    """Rows as a stream; each pass over it makes them anew."""
    import datasets

    # The library takes out a lock in its cache while it builds the stream, and needs nothing there afterwards.
    previous = datasets.config.HF_DATASETS_CACHE
    with tempfile.TemporaryDirectory(prefix="calm_lab-") as scratch:
        datasets.config.HF_DATASETS_CACHE = scratch
        try:
            return datasets.IterableDataset.from_generator(make_rows, features=_features(), gen_kwargs=arguments)
        finally:
            datasets.config.HF_DATASETS_CACHE = previous
