"""Long runs on the page: how often a picture is sent, and what Stop leaves of it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr


def paced(values: Iterator[dict[str, Any]], seconds: float = 0.25) -> Iterator[dict[str, Any]]:
    """The first value, then none sooner than ``seconds`` after the one before, and always the last.

    At T = 1 a chunk takes milliseconds, while a page needs longer to draw a run anew: it would fall behind, and Stop
    with it.
    """
    held, sent = None, -math.inf
    for value in values:
        held = value
        if time.monotonic() - sent >= seconds:
            yield value
            held, sent = None, time.monotonic()
    if held is not None:
        yield held


def stopped(value: Any) -> Any:
    """A drawing's value after Stop: a run that was going on is marked as stopped."""
    if isinstance(value, dict) and value.get("status") == "running":
        return {**value, "status": "stopped"}
    return gr.skip()
