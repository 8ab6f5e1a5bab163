"""Read torch's pickles without running code in them, and without giving them more memory than their file has bytes.

What: `read_pickle`, for the authors' ``pytorch_model.bin`` and for the optimizer's state of a run.
Why: torch's restricted loader runs no code, but believes what it reads: a storage is as large as its pickle says, a
compressed entry as large as its zip says. So both are looked at first, and tensors are views of the mapped file, which
cannot reach beyond it.
Where: not in the paper.
"""

from __future__ import annotations

import io
import mmap
import pickletools
import zipfile
from pathlib import Path
from typing import IO, Any

import torch

from calm_lab.errors import CheckpointError

_ZIP = b"PK\x03\x04"
_PICKLES = 5  # in a file of torch's format before 1.6: magic, protocol, system, tensors, keys
_ELEMENT = 16  # bytes of the largest element
_ALWAYS_ALLOWED = 1 << 16  # small numbers, whatever the file's size
# What torch's loader lets a pickle call, again and again, to fill memory from a few bytes: as GLOBAL writes it, and
# STACK_GLOBAL, whose names are plain strings.
_MAKERS = ("builtins bytearray", "__builtin__ bytearray", "torch Tensor", "bytearray")
_MAGIC = 0x1950A86A20F9469CFC6C  # torch's own, at the start of its old format


def read_pickle(path: Path) -> Any:
    """What ``path`` holds: tensors and plain Python data.

    Raises:
        CheckpointError: if it claims more than it can hold, or hides its size by compression.
        Exception: whatever torch's loader raises on damage, or on anything but tensors and plain data.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        zipped = file.read(4) == _ZIP
        if not zipped and size:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                _check_claims(content, size, path)  # type: ignore[arg-type]
    if zipped:
        _check_zip(path, size)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    return torch.load(path, map_location="cpu", weights_only=True)  # torch's format before 1.6: no mapping


def _check_zip(path: Path, size: int) -> None:
    """Refuse entries that are compressed, or together larger than the file; then look at the pickle among them."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise CheckpointError(f"{path}: is compressed inside, as torch never writes it; copy it again")
        if sum(entry.file_size for entry in entries) > size:
            raise CheckpointError(f"{path}: claims more than its {size:,} bytes; copy it again")
        for entry in entries:
            if entry.filename.lower().endswith("data.pkl"):  # torch looks for it so
                _check_claims(io.BytesIO(archive.read(entry)), size, path)


def _check_claims(stream: IO[bytes], size: int, path: Path) -> None:
    """Refuse a pickle with a number that could only be a size larger than its file, or that makes much of little."""
    most = max(_ELEMENT * size, _ALWAYS_ALLOWED)
    for _ in range(_PICKLES):
        for operation, argument, _ in pickletools.genops(stream):
            if isinstance(argument, str) and argument in _MAKERS:
                raise CheckpointError(f"{path}: calls {argument.split()[-1]}, as no checkpoint does; copy it again")
            if isinstance(argument, int) and argument > most and argument != _MAGIC:
                raise CheckpointError(f"{path}: '{operation.name}' claims more than its {size:,} bytes; copy it again")
        if not stream.read(1):  # the pickle in a zip is alone
            return
        stream.seek(-1, io.SEEK_CUR)
