"""Reading and writing ``tokenizer.json`` without trusting it.

What: find the file, check it before the Rust library sees it, write it in one step.
Why: the library answers a damaged file with a bare ``Exception``, or with a panic, which is not even an ``Exception``;
a file may also name an id so large that a table of ids would fill the memory. A user gets one line and a remedy.
Where: nothing of this is in the paper; it is what "any Hugging Face tokenizer.json also loads" costs.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from calm_lab.errors import CalmLabError, TokenizerError

FILE_NAME = "tokenizer.json"
REMEDY = "restore the file, or train again with Tokenizer.train"

# The largest published ones (vocabularies of 256,000) are near 35 MB.
_LARGEST_FILE = 64 * 2**20


def file_of(path: str | os.PathLike[str]) -> Path:
    """The ``tokenizer.json`` that a path means: itself when it ends in ``.json``, else the one in that folder."""
    given = Path(path)
    return given if given.suffix == ".json" and not given.is_dir() else given / FILE_NAME


def read_tokenizer(path: str | os.PathLike[str]) -> tuple[str, str]:
    """Read and check a ``tokenizer.json``.

    Returns:
        The JSON text, and the file's name for messages.

    Raises:
        TokenizerError: missing, unreadable, too large, truncated, or not a tokenizer.
    """
    file = file_of(path)
    try:
        if not file.is_file():
            raise TokenizerError(f"no tokenizer at '{file}': give a tokenizer.json, or a folder that holds one")
        size = file.stat().st_size
        if size > _LARGEST_FILE:
            raise TokenizerError(f"'{file}' has {size:,} bytes, too many for a tokenizer: {REMEDY}")
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise TokenizerError(f"'{file}' is not a text file, so not a tokenizer: {REMEDY}") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte in it
        reason = getattr(error, "strerror", None) or error
        raise TokenizerError(f"cannot read the tokenizer at '{file}' ({reason}): {REMEDY}") from None
    return text, str(file)


def check_tokenizer_json(text: str, source: str) -> None:
    """Refuse what is not a tokenizer, and ids that would make a table far larger than the file.

    Raises:
        TokenizerError: with the reason.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise TokenizerError(f"'{source}' is truncated or damaged (not JSON): {REMEDY}") from None
    model = content.get("model") if isinstance(content, dict) else None
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(model, dict) or not isinstance(vocabulary, dict | list):
        raise TokenizerError(f"'{source}' is JSON but holds no tokenizer (no model with a vocabulary): {REMEDY}")
    ids = list(vocabulary.values()) if isinstance(vocabulary, dict) else list(range(len(vocabulary)))
    added = content.get("added_tokens") or []
    if not isinstance(added, list):
        raise TokenizerError(f"'{source}' is damaged (added_tokens is no list): {REMEDY}")
    ids += [token.get("id") if isinstance(token, dict) else None for token in added]
    if not all(isinstance(index, int) and not isinstance(index, bool) for index in ids):
        raise TokenizerError(f"'{source}' is damaged (an id is not a whole number): {REMEDY}")
    if not ids or min(ids) < 0 or max(ids) >= 2 * len(ids) + 1024:
        raise TokenizerError(f"'{source}' is damaged (ids do not fit its {len(ids)} entries): {REMEDY}")
    if not _merges_are_whole(model):
        raise TokenizerError(f"'{source}' is damaged (its merges do not fit its vocabulary): {REMEDY}")


def _merges_are_whole(model: dict[str, Any]) -> bool:
    """Whether every merge joins two known tokens to a known one.

    The library cuts the continuing prefix off the second part without looking; where that cuts a character in two, it
    does not raise but ends the process.
    """
    merges, vocabulary = model.get("merges"), model["vocab"]
    if merges is None:
        return True
    prefix = model.get("continuing_subword_prefix") or ""
    if not isinstance(merges, list) or not isinstance(prefix, str) or not isinstance(vocabulary, dict):
        return False
    for merge in merges:
        pair = merge.split(" ") if isinstance(merge, str) else merge
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
            return False
        first, second = pair
        if not second.startswith(prefix) or first not in vocabulary or second not in vocabulary:
            return False
        if first + second[len(prefix) :] not in vocabulary:
            return False
    return prefix.isascii()


@contextmanager
def rust_errors(source: str) -> Iterator[None]:
    """Turn whatever the Rust library raises, panics included, into a `TokenizerError`."""
    try:
        yield
    except CalmLabError:
        raise
    except Exception as error:
        raise TokenizerError(f"'{source}' does not work as a tokenizer ({_one_line(error)}): {REMEDY}") from None
    except BaseException as error:
        # A Rust panic arrives as pyo3_runtime.PanicException, a BaseException that no module exports.
        if type(error).__name__ != "PanicException":
            raise
        raise TokenizerError(f"'{source}' does not work as a tokenizer ({_one_line(error)}): {REMEDY}") from None


def _one_line(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return words if len(words) <= 160 else words[:159] + "…"


def write_atomically(target: Path, text: str) -> None:
    """Write a text file under a temporary name beside its target, then rename: no reader meets half a file.

    Raises:
        TokenizerError: the place cannot be written; an older file there is untouched.
    """
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp files are private to their owner; a tokenizer is shared like any other file.
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise TokenizerError(f"cannot write '{target}' ({reason}): choose a folder with room to write in") from None
