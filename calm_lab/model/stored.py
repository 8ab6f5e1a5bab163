"""Write tensors; read what a model folder stores, and trust none of it: JSON, safetensors, pickles, shards.

Whatever a missing, damaged or hostile file does inside a library becomes a ``CheckpointError`` of one line. Tensors
come back as views of the mapped file: nothing is copied until someone writes to them, and writing never reaches the
file. Pickles are read by torch's restricted loader, which runs no code (see ``calm_lab.model.pickles``).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor

from calm_lab.errors import CalmLabError, CheckpointError
from calm_lab.model.pickles import read_pickle

Tensors = dict[str, Tensor]
MAX_JSON_BYTES = 64 << 20


def first_line(error: BaseException) -> str:
    """The first line of an error's text, cut to a readable length."""
    lines = str(error).splitlines()
    return lines[0][:200] if lines and lines[0] else type(error).__name__


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``; CheckpointError if it is missing, damaged or of an absurd size."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise CheckpointError(f"{path}: {path.stat().st_size} bytes are too many for a {path.name}")
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise _missing(path) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: cannot be read as JSON ({first_line(error)}); copy it again") from error
    if not isinstance(data, dict):
        raise CheckpointError(f"{path}: expected a JSON object, found {type(data).__name__}; copy it again")
    return data


def read_folder(folder: Path, stems: tuple[str, ...] = ("model.safetensors",)) -> Tensors:
    """All tensors of a folder, from the first of ``stems`` it has, as one file or in the shards an index names.

    Raises:
        CheckpointError: if there is none, or a file is missing, damaged, or refused for safety.
    """
    for stem in stems:
        if (folder / stem).exists():
            return read_tensors(folder / stem)
        index = folder / f"{stem}.index.json"
        if index.exists():
            return _read_shards(index)
    raise CheckpointError(f"{folder}: {' or '.join(stems)} is missing; copy the whole folder again")


def _read_shards(index: Path) -> Tensors:
    shards = read_json(index).get("weight_map")
    if not isinstance(shards, dict) or not shards or not all(isinstance(name, str) for name in shards.values()):
        raise CheckpointError(f"{index}: has no weight_map from tensors to files")
    tensors: Tensors = {}
    for name in sorted(set(shards.values())):
        if Path(name).name != name or "\\" in name or not name.endswith((".safetensors", ".bin")):
            raise CheckpointError(f"{index}: refuses {name[:60]!r}: shards are .safetensors or .bin files beside it")
        tensors |= read_tensors(index.parent / name)
    return tensors


def write_tensors(path: Path, tensors: Tensors) -> None:
    """Write named tensors as safetensors, readable to whoever may read a file that this process makes."""
    path.touch()
    mode = path.stat().st_mode
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata={"format": "pt"})
    with contextlib.suppress(OSError):  # safetensors writes for the owner only; some disks know no permissions
        path.chmod(mode)


def read_tensors(path: Path) -> Tensors:
    """The named tensors of a ``.safetensors`` file or of a pickle that holds nothing else.

    Raises:
        CheckpointError: if it is missing, truncated, of another kind, or refused for safety.
    """
    return _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)


def _read_safetensors(path: Path) -> Tensors:
    words = "damaged or truncated ({}); copy it again"
    with _library_errors(path, words), safetensors.safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _read_pickle(path: Path) -> Tensors:
    with _library_errors(path, "damaged, or holds more than tensors and is refused for safety ({})"):
        data = read_pickle(path)
    if not isinstance(data, dict) or not all(isinstance(name, str) and _is_plain(t) for name, t in data.items()):
        raise CheckpointError(f"{path}: expected named tensors, found something else")
    return {name: tensor.detach() for name, tensor in data.items()}


def _is_plain(value: object) -> bool:
    """Whether ``value`` is a dense tensor with a number of its own for each of its elements.

    A tensor whose strides make a few bytes look like a terabyte is a valid pickle.
    """
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.is_quantized or value.is_nested:
        return False
    return value.device.type == "cpu" and value.numel() * value.element_size() <= value.untyped_storage().nbytes()


@contextlib.contextmanager
def _library_errors(path: Path, words: str) -> Iterator[None]:
    """Turn what a reader raises on ``path`` into one line: ``words``, with the reason in their braces."""
    try:
        yield
    except CalmLabError:
        raise
    except FileNotFoundError:
        raise _missing(path) from None
    except Exception as error:  # UnpicklingError, SafetensorError, OSError, EOFError and whatever damage provokes
        raise CheckpointError(f"{path}: " + words.format(first_line(error))) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what a Rust library raises; no module exports the type
            raise
        raise CheckpointError(f"{path}: " + words.format(first_line(error))) from None


def _missing(path: Path) -> CheckpointError:
    return CheckpointError(f"{path.parent}: {path.name} is missing; copy the whole folder again")
