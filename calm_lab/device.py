"""The one place that picks a device, a precision and a stream of random numbers.

No other module names a device: tensors are made on the device of the tensors they meet, and whatever is random takes a
``torch.Generator`` or a seed that the user can see.
"""

from __future__ import annotations

import contextlib

import torch

from calm_lab.errors import InputError


def pick_device(name: str = "auto") -> torch.device:
    """Choose where models live.

    Args:
        name: ``"auto"`` (CUDA where there is one, else the CPU), or any name torch knows (``"cpu"``, ``"cuda:1"``).
            Apple's ``"mps"`` has to be asked for: it has not been tried, and knows no float64.

    Returns:
        The device.

    Raises:
        InputError: if torch does not know the name, or the device is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"device '{name}' cannot be used here: choose {_usable()}") from error
    return device


def _usable() -> str:
    """The devices that there are on this computer, for a message."""
    names = ["auto", "cpu"]
    names += ["cuda"] if torch.cuda.is_available() else []
    names += ["mps"] if torch.backends.mps.is_available() else []
    return f"{', '.join(names[:-1])} or {names[-1]}"


def autocast(device: torch.device, precision: str = "float32") -> contextlib.AbstractContextManager[object]:
    """A context in which matrix products run in ``precision`` ("float32" or "bfloat16") on ``device``."""
    if precision == "float32":
        return contextlib.nullcontext()
    if precision == "bfloat16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    raise InputError(f"unknown precision '{precision}': choose float32 or bfloat16")


def full_precision(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """A context without autocast, also on a device that knows none, such as meta."""
    return torch.autocast(device.type, enabled=False) if _has_autocast(device) else contextlib.nullcontext()


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """What matrix products on ``device`` are cast to here; None outside autocast."""
    if _has_autocast(device) and torch.is_autocast_enabled(device.type):
        return torch.get_autocast_dtype(device.type)
    return None


def knows_float64(device: torch.device) -> bool:
    """Whether tensors on ``device`` may be float64: Apple's MPS has no such type."""
    return device.type != "mps"


def _has_autocast(device: torch.device) -> bool:
    return torch.amp.autocast_mode.is_autocast_available(device.type)


def generator(seed: int | None, device: torch.device | str = "cpu") -> torch.Generator:
    """A random stream of its own on ``device``; ``None`` seeds it from the operating system.

    Raises:
        InputError: if torch cannot take the seed, which has 64 bits there.
    """
    stream = torch.Generator(device=device)
    if seed is None:
        stream.seed()
    elif not -(2**63) <= seed < 2**64:
        raise InputError(f"seed must lie between 0 and 2^64 - 1, not {seed}")
    else:
        stream.manual_seed(seed)
    return stream
