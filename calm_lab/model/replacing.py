"""Write a folder whole or not at all, and lose nothing that was there before.

The new folder is made beside the old one under a temporary name, flushed to the disk, and takes its place by renaming.
Two renames are needed where an old one exists; a process that is killed between them leaves the old folder under the
name ``.NAME.PID.old``, where ``set_aside`` finds it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

import safetensors

from calm_lab.errors import CheckpointError
from calm_lab.model.stored import first_line, read_json

_LITTLE = 8 << 20


@contextlib.contextmanager
def replacing(folder: Path, known: Collection[str]) -> Iterator[Path]:
    """A temporary folder that takes the place of ``folder`` when the block ends well, and vanishes otherwise.

    Args:
        folder: what to write. An old model folder there is replaced.
        known: names of files and folders that the old one may hold and the new one need not.

    Yields:
        The temporary folder to fill.

    Raises:
        CheckpointError: if ``folder`` holds anything but a model of ours, cannot be written, or the disk is full.
    """
    try:
        folder = folder.expanduser().resolve()
        temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
        old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    except (OSError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{folder}: cannot be a folder ({first_line(error)}); choose another name") from error
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.exists():
            for interrupted in _set_aside(folder)[:1]:
                interrupted.rename(folder)
        _check_ours(folder)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        yield temporary
        _check_nothing_is_lost(folder, temporary, known)
        _flush(temporary)
        if folder.exists():
            folder.rename(old)
        temporary.rename(folder)
        for outlived in [old, *_set_aside(folder)]:
            shutil.rmtree(outlived, ignore_errors=True)
    except (OSError, RuntimeError, safetensors.SafetensorError) as error:  # RuntimeError: torch.save on a full disk
        reason = f"{_left(folder)}{first_line(error)}"
        raise CheckpointError(f"{folder}: cannot be written ({reason}); nothing was overwritten") from error
    finally:
        with contextlib.suppress(OSError):
            if old.exists() and not folder.exists():
                old.rename(folder)
        shutil.rmtree(temporary, ignore_errors=True)


def _left(folder: Path) -> str:
    """What to say first where the disk is full: torch's own words for it are of stream positions."""
    with contextlib.suppress(OSError):
        left = shutil.disk_usage(folder.parent).free
        if left < _LITTLE:
            return f"{left >> 10:,} KiB left on this disk; "
    return ""


def set_aside(folder: Path) -> Path | None:
    """The old ``folder`` that a process killed while replacing it left under another name, if there is one."""
    return next(iter(_set_aside(folder)), None)


def _set_aside(folder: Path) -> list[Path]:
    """All of them, newest first."""
    try:
        beside = [path for path in folder.parent.iterdir() if path.name.startswith(f".{folder.name}.")]
        left = [path for path in beside if path.suffix == ".old" and (path / "config.json").is_file()]
        return sorted(left, key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return []


def _check_ours(folder: Path) -> None:
    """Refuse to replace anything but a model folder of ours: not a folder of files, not a checkpoint of other code."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"{folder}: holds files that are no model; choose an empty or new folder")
    if "format" not in read_json(folder / "config.json"):
        raise CheckpointError(f"{folder}: holds a model of other code; choose an empty or new folder")


def _check_nothing_is_lost(folder: Path, new: Path, known: Collection[str]) -> None:
    """Refuse to replace a folder with files in it that someone else put there."""
    if not folder.exists():
        return
    lost = {path.name for path in folder.iterdir()} - {path.name for path in new.iterdir()} - set(known)
    if lost:
        raise CheckpointError(f"{folder}: holds '{min(lost)}' besides a model; move it away, or choose a new folder")


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("r+b") as file:  # Windows flushes only what is open for writing
                os.fsync(file.fileno())
