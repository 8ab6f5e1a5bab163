"""Data sets of the Hugging Face hub: the paper's own scale, streamed.

What: `hub_rows` yields the documents of one split of a hub data set; `check_hub` finds out at once whether it can.
Why: TinyStories is the bridge from a laptop to a GPU, WikiText-103 and the Pile are what the paper evaluates and trains
on. They are too large to wait for, so they stream; where the hub is out of reach, one line says what to do instead.
Where: paper sec. 7.1 (the Pile, uncopyrighted; WikiText-103).

``CALM_LAB_HUB`` may name a folder that mirrors the hub (``<folder>/<owner>/<name>/...``, as ``hf download`` writes it);
data sets found there are read from there, without a network.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from calm_lab.errors import CalmLabError, CorpusError
from calm_lab.text.cache import writable_cache
from calm_lab.text.documents import Split, position, split_at
from calm_lab.text.local import pick_column
from calm_lab.text.tables import Row, one_line

MIRROR_VARIABLE = "CALM_LAB_HUB"
_ALIASES = {"val": "validation", "valid": "validation", "dev": "validation", "eval": "validation"}
_SECONDS = 15


@dataclass(frozen=True)
class HubText:
    """One data set of the hub.

    Attributes:
        repo: ``owner/name``.
        config: which of its configurations, where it has several.
        text_column: the column with the text; None looks for it.
        articles: rows are lines of WikiText, to be joined into articles.
        revision: which state of the data set; None takes the newest. `check_hub` fills it in.
    """

    repo: str
    config: str | None = None
    text_column: str | None = None
    articles: bool = False
    revision: str | None = None


def check_hub(text: HubText, split: Split) -> HubText:
    """Open the data set and look for the split and the column.

    Returns:
        The same with its present revision, so that what follows reads one state of it.

    Raises:
        CorpusError: out of reach, no such data set, no such column, or no such split.
    """
    pinned = replace(text, revision=_revision(text))
    table, _ = _source(_open(pinned), split, pinned)
    _column(table, pinned)
    return pinned


def hub_rows(text: HubText, split: Split, count: int | None) -> Iterator[Row]:
    """The documents of one split, in the data set's order.

    Splits that the data set has are taken as they are. Where one of validation and test is missing, the other is
    halved by hash; where there is one split in all, it is parted 90/5/5 by hash.

    Args:
        text: which data set.
        split: which split.
        count: stop after so many documents; None goes to the end.

    Raises:
        CorpusError: out of reach, at the start or on the way.
    """
    if count == 0:
        return
    with _one_line_errors(text):
        table, keep = _source(_open(text), split, text)
        column = _column(table, text)
        values = (row[column] for row in table)
        given = 0
        for document in _articles(values) if text.articles else values:
            if isinstance(document, str) and document.strip() and keep(document):
                yield {"text": document}
                given += 1
                if given == count:
                    return


def mirror_of(repo: str) -> Path | None:
    """The folder of a data set in the user's mirror of the hub, if it is there."""
    mirror = os.environ.get(MIRROR_VARIABLE)
    folder = Path(mirror).expanduser() / repo if mirror else None
    return folder if folder is not None and folder.is_dir() else None


def _revision(text: HubText) -> str | None:
    """The commit of a hub data set; of a mirrored one its size and the time of its newest file."""
    local = mirror_of(text.repo)
    with _one_line_errors(text):
        if local is not None:
            states = [file.stat() for file in local.rglob("*") if file.is_file()]
            newest = max((state.st_mtime_ns for state in states), default=0)
            return f"{local}:{newest}:{sum(state.st_size for state in states)}"
        import huggingface_hub

        # Asking once fails within seconds; load_dataset alone would retry for half a minute.
        return huggingface_hub.HfApi().dataset_info(text.repo, timeout=_SECONDS).sha


def _open(text: HubText) -> Any:
    """The data set's splits, streaming: name -> rows."""
    import datasets
    import huggingface_hub

    local = mirror_of(text.repo)
    with _one_line_errors(text):
        target = text.repo if local is None else str(local)
        revision = text.revision if local is None else None
        cache = writable_cache("huggingface", "datasets")
        hub_cache = str(writable_cache("huggingface", "hub"))
        with mock.patch.object(huggingface_hub.constants, "HF_HUB_CACHE", hub_cache):
            try:
                return datasets.load_dataset(
                    target, name=text.config, streaming=True, revision=revision, cache_dir=str(cache)
                )
            except ValueError as error:
                names = re.search(r"Config name is missing.*?\['([^\]]+)'\]", str(error), re.DOTALL)
                if names is None:
                    raise
                known = names.group(1).split("', '")
                raise CorpusError(
                    f"'{text.repo}' has several configurations ({one_line(', '.join(known))}): name one, as in"
                    f" '{text.repo}:{known[0]}'"
                ) from None


def _source(tables: Any, split: Split, text: HubText) -> tuple[Any, Callable[[str], bool]]:
    """Which rows to read for a split, and which of them to keep."""
    known = {_ALIASES.get(name, name): name for name in tables}
    if len(known) == 1:
        (name,) = known.values()
        return tables[name], lambda document: split_at(position(document)) == split
    held_out = [name for name in ("validation", "test") if name in known]
    if split == "train" and "train" in known:
        return tables[known["train"]], lambda _: True
    if split != "train" and len(held_out) == 2:
        return tables[known[split]], lambda _: True
    if split != "train" and len(held_out) == 1:
        lower = split == "validation"
        return tables[known[held_out[0]]], lambda document: (position(document) < 0.5) == lower
    names = ", ".join(one_line(name, 40) for name in tables)
    raise CorpusError(f"'{text.repo}' has no {split} split, only {names}: choose another data set")


def _column(table: Any, text: HubText) -> str:
    with _one_line_errors(text):
        columns = table.column_names or list(next(iter(table), {}))
    return pick_column(columns, text.text_column, text.repo)


def _articles(lines: Iterator[Any]) -> Iterator[str]:
    """Join WikiText's lines into articles; an article begins with a line ``= Title =``, a section with ``= = ...``."""
    held: list[str] = []
    for line in lines:
        words = str(line).strip()
        if words.startswith("= ") and words.endswith(" =") and not words.startswith("= =") and held:
            yield "\n".join(held) + "\n"
            held = []
        if words:
            held.append(words)
    if held:
        yield "\n".join(held) + "\n"


@contextlib.contextmanager
def _one_line_errors(text: HubText) -> Iterator[None]:
    try:
        yield
    except CalmLabError:
        raise
    except Exception as error:
        # The hub client, the streaming reader and the parsers below it raise dozens of kinds of exception.
        reason = one_line(f"{type(error).__name__}: {error}", 120)
        raise CorpusError(
            f"cannot read '{text.repo}' from the hub ({reason}): check the name and the connection, or download it"
            f" elsewhere and set {MIRROR_VARIABLE} to the folder above, or use 'andersen', 'storyland' or your own file"
        ) from None
