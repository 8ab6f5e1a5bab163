"""Time and memory of a callable, and what kind of machine it ran on."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch

MIB = 2**20


def reset_peak() -> None:
    """Let the kernel forget the process's peak of memory, where it can (Linux)."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_bytes() -> int | None:
    """The peak of resident memory since ``reset_peak``; None where the kernel does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), None)


def measure(work: Callable[[], Any], repeats: int, warm_up: int = 1) -> dict[str, Any]:
    """Seconds of ``repeats`` calls after a warm-up, and the memory that the dearest of them takes beyond the start."""
    before = psutil.Process().memory_info().rss
    reset_peak()
    for _ in range(warm_up):
        work()
    seconds, cpu = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    peak = peak_bytes()
    return {
        "seconds": statistics.median(seconds),
        "all_seconds": [round(value, 5) for value in seconds],
        "cpu_seconds": statistics.median(cpu),
        "before_mib": before / MIB,
        "extra_mib": None if peak is None else (peak - before) / MIB,
    }


def matmul_peak(size: int = 1024, dtype: torch.dtype = torch.float32, repeats: int = 12) -> float:
    """FLOP/s of the best of some square matrix products: the most that a step could reach here."""
    a, b = torch.randn(size, size, dtype=dtype), torch.randn(size, size, dtype=dtype)
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def machine() -> dict[str, Any]:
    """What a table of times must say of where it was made."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load": [round(value, 2) for value in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
