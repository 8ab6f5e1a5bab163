"""Corpora too large to hold: tokenized as a stream into a folder, which then is a corpus by itself.

``calm-lab corpora --tokenize`` makes such a folder beforehand, with ``train/`` and ``validation/`` in it. A run on a
stream without an end in sight (the Pile, say) makes one for itself, with as many tokens as its steps will read.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from calm_lab.errors import CorpusError
from calm_lab.text.corpora import load_corpus
from calm_lab.text.shards import SHARD_TOKENS, Shards, is_complete, is_tokenized, tokenize_to_shards
from calm_lab.text.tokenizer import Tokenizer

VALIDATION_DOCUMENTS = 500
Report = Callable[[int, int], None]


def tokenized_folder(corpus: str) -> Path | None:
    """The folder that ``corpus`` names, if it is one of tokens."""
    path = Path(corpus).expanduser()
    try:
        return path if is_tokenized(path / "train") else None
    except (OSError, ValueError):  # a name that can be no path
        return None


def tokenize_corpus(
    corpus: str,
    tokenizer: Tokenizer,
    folder: Path,
    *,
    text_column: str | None = None,
    documents: int | None = None,
    enough: int | None = None,
    shard_tokens: int = SHARD_TOKENS,
    report: Report | None = None,
) -> Shards:
    """Tokenize a corpus into ``folder/train``, and the first of its validation documents into ``folder/validation``.

    Args:
        corpus: what `load_corpus` takes.
        tokenizer: what encodes it.
        folder: where it goes; a call that was stopped goes on there.
        text_column: column of the text, where the corpus does not say.
        documents: at most so many training documents.
        enough: stop at so many training tokens.
        shard_tokens: tokens in a file.
        report: called with training documents and tokens from time to time.

    Returns:
        The training documents.

    Raises:
        CorpusError: what reading or writing raises.
    """

    def texts(split: str, count: int | None) -> Callable[[int], Iterable[str]]:
        def after(done: int) -> Iterable[str]:
            data = load_corpus(corpus, split, text_column=text_column, count=count)
            return (row["text"] for row in itertools.islice(data, done, None))

        return after

    held_out = texts("validation", VALIDATION_DOCUMENTS)
    tokenize_to_shards(held_out, tokenizer, folder / "validation", corpus=corpus, shard_tokens=shard_tokens)
    return tokenize_to_shards(
        texts("train", documents),
        tokenizer,
        folder / "train",
        corpus=corpus,
        enough=enough,
        shard_tokens=shard_tokens,
        report=report,
    )


def open_tokens(folder: Path, tokenizer: Tokenizer) -> tuple[Shards, Shards]:
    """Training and validation documents of a folder.

    Raises:
        CorpusError: not complete, damaged, or made by another tokenizer.
    """
    train, validation = Shards(folder / "train"), Shards(folder / "validation")
    for part in (train, validation):
        part.check_tokenizer(tokenizer)
    return train, validation


def wait_for_tokens(folder: Path, longest: float = 7 * 24 * 3600, pause: float = 0.5) -> None:
    """Wait until another process has made the folder; a launcher ends us if that process fails.

    Raises:
        CorpusError: if it takes too long.
    """
    end = time.monotonic() + longest
    while not (is_complete(folder / "validation") and is_complete(folder / "train")):
        if time.monotonic() > end:
            raise CorpusError(f"'{folder}' was not ready in time: tokenize it first with calm-lab corpora --tokenize")
        time.sleep(pause)
