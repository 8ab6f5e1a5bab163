"""Long runs on the page: how often a picture is sent, and what Stop leaves of it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradio.components import Component
    from gradio.events import Dependency

# A run that goes on is left alone: a second press of its button asks for nothing.
ASKED = "(value) => (value?.status === 'running' ? value : { ...value, queued: true })"
SETTLED = "(value) => ({ ...value, queued: false })"


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
    """A drawing's value after Stop: a run that was going on is marked as stopped, one in the queue is forgotten."""
    if isinstance(value, dict) and value.get("status") == "running":
        return {**value, "status": "stopped"}
    if isinstance(value, dict) and value.get("queued"):
        return {**value, "queued": False}
    return gr.skip()


def in_turn(
    triggers: Sequence[Any], run: Callable[..., Any], inputs: Sequence[Component], output: Component, **options: Any
) -> Dependency:
    """Connect a run that other visitors' runs may hold up: its drawing says so, by ``queued``, until it begins."""
    here: dict[str, Any] = {"inputs": output, "outputs": output, "api_visibility": "private"}
    gr.on(triggers, None, js=ASKED, **here)
    going = gr.on(triggers, run, inputs, output, **options)
    going.failure(None, js=SETTLED, **here)  # a refused one never begins; gradio calls no ``then`` after it
    return going
