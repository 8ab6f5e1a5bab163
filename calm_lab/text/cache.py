"""Where fetched text is kept: one folder of the user's cache, and nothing outside it.

What: the cache folder, and a file written into it in one step.
Why: a corpus is fetched once and read offline ever after; a user's own folders stay as they are.
Where: not in the paper.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

from calm_lab.errors import CorpusError

CACHE_VARIABLE = "CALM_LAB_CACHE"


def cache_folder() -> Path:
    """The folder in which calm_lab keeps fetched text: ``$CALM_LAB_CACHE``, else the platform's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("calm_lab", appauthor=False)


def writable_cache(*parts: str) -> Path:
    """A folder below the cache, made where missing.

    Raises:
        CorpusError: it cannot be made.
    """
    folder = cache_folder().joinpath(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    return folder


def keep_in_cache(folder: Path, name: str, content: bytes) -> Path:
    """Write one cached file under a temporary name, then rename: a reader never meets half a file.

    Raises:
        CorpusError: no room, or no right to write.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".tmp", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, folder / name)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise cannot_write(folder, error) from None
    return folder / name


def cannot_write(folder: Path, error: OSError) -> CorpusError:
    """The error for a cache that cannot be written."""
    reason = error.strerror or str(error)
    return CorpusError(f"cannot write to the cache '{folder}' ({reason}): set {CACHE_VARIABLE} to a folder with room")
