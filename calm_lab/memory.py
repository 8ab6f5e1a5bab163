"""How much memory there is, and an error before more than that is asked for.

A size that is absurd by a digit or six (``--chunk-size 1000000``) would otherwise end in the system's out-of-memory
kill, which says nothing and may take other programs along. Callers pass a lower bound of what they will need: what is
refused here cannot work, and what is let through may still not fit.
"""

from __future__ import annotations

from pathlib import Path

import psutil
import torch

from calm_lab.errors import InputError

_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")
_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def free_bytes(device: torch.device | str = "cpu") -> int:
    """Memory that could be had on ``device`` now: a GPU's own, else the system's or what the container leaves of it."""
    device = torch.device(device)
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    for limit, used in _LIMITS:
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such file, or no limit ("max")
            continue
    return max(0, free)


def require_bytes(needed: float, what: str, remedy: str, device: torch.device | str = "cpu") -> None:
    """Refuse what cannot fit.

    Args:
        needed: bytes, a lower bound.
        what: what needs them, for the message.
        remedy: what to choose smaller.
        device: where.

    Raises:
        InputError: if there are fewer.
    """
    free = free_bytes(device)
    if needed > free:
        raise InputError(f"{what} needs at least {show_bytes(needed)} of memory, {show_bytes(free)} are free: {remedy}")


def show_bytes(count: float) -> str:
    """A number of bytes in three digits and a unit."""
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            return f"{count:.3g} {unit}" if count < 1000 else f"{count:,.0f} {unit}"
        count /= 1000
    raise AssertionError  # the last unit has returned
