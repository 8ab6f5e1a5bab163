"""Ctrl-C between the steps of a run, never inside one.

Python raises ``KeyboardInterrupt`` wherever the program happens to be. In the middle of an optimizer's step half of the
weights have moved, and a checkpoint of that moment would be of no step at all.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def whole() -> Iterator[None]:
    """Let the block finish before Ctrl-C counts; a second Ctrl-C does not wait.

    Where Python does not handle the signal (another thread, a program started with it ignored) nothing changes.
    """
    usual = signal.getsignal(signal.SIGINT)
    if not callable(usual) or threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[tuple[int, FrameType | None]] = []

    def remember(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, usual)
        pressed.append((number, frame))

    signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if pressed:
        usual(*pressed[0])
