"""What a process did behind our back: files opened or changed elsewhere, commands, connections, memory asked for.

Three witnesses: Python's audit hooks, the kernel's inotify on a folder nobody may open (it sees what Rust and C++ open
too), and the process's own peak of memory.
"""

from __future__ import annotations

import ctypes
import os
import re
import resource
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = re.compile(
    r"os\.(system|exec|fork|posix_spawn|spawn)|subprocess\.|socket\.(connect|bind|sendto|getaddrinfo)"
    r"|ctypes\.dlopen|pickle\.find_class"
)
CHANGES = re.compile(r"os\.(mkdir|remove|rename|rmdir|link|symlink|truncate|chmod|chown|utime)|shutil\.rmtree")
MEMORY_WORDS = re.compile(r"can't allocate|cannot allocate|not enough memory|bad_alloc|out of memory|MemoryError", re.I)
JUMP = 256 << 20
_IN_OPEN = 0x20


class Watchman:
    """Watches while ``on`` is set; ``seen`` holds one line for each thing that must not be.

    Attributes:
        home: where files may be read and written.
        secret: a folder that nobody may open a file of.
    """

    def __init__(self, home: Path, secret: Path | None = None):
        self.home = os.path.realpath(home)
        system = ("/proc", "/sys", "/dev", "/usr/share/zoneinfo", "/usr/lib", "/lib", "/etc/ld.so.cache")
        python = (sys.prefix, sys.base_prefix, *sysconfig.get_paths().values())
        self.readable = tuple(os.path.realpath(path) for path in (home, ROOT, *python, *system))
        self.seen: list[str] = []
        self.on = False
        self._notices = _Notices(secret) if secret is not None else None
        sys.addaudithook(self._hear)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch one block, its memory included."""
        self.seen.clear()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.on = True
        try:
            yield
        finally:
            self.on = False
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
            if grown > JUMP:
                self.seen.append(f"memory grew by {grown >> 20} MiB")
            if self._notices is not None and self._notices.opened():
                self.seen.append("a file outside the given folder was opened")

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = args
            if isinstance(path, int) or path is None:
                return
            changing = (
                bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) if mode is None else any(c in mode for c in "wax+")
            )
            self._judge(event, path, changing)
        elif FORBIDDEN.match(event):
            self.seen.append(f"{event} {str(args)[:200]}")
        elif CHANGES.match(event):
            self._judge(event, args[0], True)

    def _judge(self, event: str, path: Any, changing: bool) -> None:
        if isinstance(path, int):
            return
        try:
            real = os.path.realpath(os.fsdecode(path))
        except ValueError:  # a zero byte: the system refuses it
            return
        allowed = (self.home, "/dev/null", "/dev/shm") if changing else self.readable
        if not any(real == place or real.startswith(place + os.sep) for place in allowed):
            self.seen.append(f"{event} {'writes' if changing else 'reads'} {real[:200]}")


class _Notices:
    """The kernel's notices of files opened in a folder."""

    def __init__(self, folder: Path):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._file = self._libc.inotify_init1(os.O_NONBLOCK)
        if self._file < 0 or self._libc.inotify_add_watch(self._file, os.fsencode(folder), _IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify cannot be used")

    def opened(self) -> bool:
        try:
            return bool(os.read(self._file, 65536))
        except BlockingIOError:
            return False


def asks_for_memory(error: BaseException | None) -> bool:
    """Whether an error, or what led to it, is a refusal by the allocator."""
    while error is not None:
        if isinstance(error, MemoryError) or MEMORY_WORDS.search(f"{type(error).__name__} {error}"):
            return True
        error = error.__cause__ or error.__context__
    return False
