"""What a run tells whoever waits for it: a progress line, and one JSON line a report."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Reporter:
    """Progress bar on a terminal, a line every half minute elsewhere; metrics go to ``log`` either way."""

    def __init__(self, what: str, start: int, steps: int, log: Callable[[dict[str, Any]], None], show: bool = True):
        self.what, self.steps, self.log, self.show = what, steps, log, show
        self.live = show and sys.stderr.isatty()
        self.began = self.last = time.monotonic()
        self.start = start
        self.columns = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not self.live,
        )
        self.task = self.columns.add_task(what, total=steps, completed=start, note="")

    def __enter__(self) -> Reporter:
        self.columns.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.columns.stop()

    def step(self, done: int, loss: float, tokens_per_second: float, lr: float, **more: float) -> None:
        """Report after ``done`` steps."""
        self.log({"step": done, "loss": loss, "tokens_per_second": round(tokens_per_second, 1), "lr": lr, **more})
        note = f"loss {loss:.3f}  {tokens_per_second:,.0f} tokens/s"
        self.columns.update(self.task, completed=done, note=note)
        now = time.monotonic()
        if self.show and not self.live and (now - self.last > 30 or done == self.steps):
            self.last = now
            left = (now - self.began) / max(1, done - self.start) * (self.steps - done)
            self.say(f"{self.what}: step {done} of {self.steps}, {note}, {left / 60:.1f} min left")

    def evaluation(self, done: int, metrics: dict[str, Any]) -> None:
        """Report an evaluation after ``done`` steps."""
        self.log({"step": done, "evaluation": metrics})
        shown = ", ".join(f"{name} {value:.4g}" for name, value in metrics.items() if isinstance(value, float))
        self.say(f"{self.what}: step {done}: {shown}")

    def say(self, line: str) -> None:
        """Print a line without breaking the bar."""
        if self.show:
            self.columns.console.print(line, highlight=False)
