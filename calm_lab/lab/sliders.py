"""Sliders over a still figure: in a live notebook they move, on a page that runs nothing the figure stands still.

What: ``slide`` takes a function that draws, and the values that each of its arguments may have. With ipywidgets (part
of ``pip install "calm-lab[notebooks]"``) it answers with sliders that snap to these values; without, or where the
notebook is built to be looked at (``CALM_LAB_STILL=1``), with the figure of the starting values.

Notebooks: all from 01 on.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from calm_lab.errors import InputError


@dataclass(frozen=True)
class Choice:
    """Values that an argument may have.

    Attributes:
        values: in the slider's order.
        start: the value to begin with, one of them.
    """

    values: Sequence[Any]
    start: Any


def slide(draw: Callable[..., Any], **choices: Choice) -> Any:
    """Sliders that call ``draw``, or the figure that it draws for the starting values.

    Args:
        draw: returns a figure; called with one keyword argument for each choice.
        **choices: the values of each argument.

    Returns:
        A widget, or what ``draw`` returned.

    Raises:
        InputError: if a start is not among its values.
    """
    for name, choice in choices.items():
        if choice.start not in choice.values:
            raise InputError(f"{name} cannot start at {choice.start!r}: choose one of {list(choice.values)}")
    if not has_sliders():
        return draw(**{name: choice.start for name, choice in choices.items()})
    import ipywidgets

    sliders = {
        name: ipywidgets.SelectionSlider(
            options=list(choice.values), value=choice.start, description=name, continuous_update=False
        )
        for name, choice in choices.items()
    }
    return ipywidgets.interactive(draw, **sliders)


def has_sliders() -> bool:
    """Whether sliders can be shown here: ipywidgets is installed and nobody asked for still figures."""
    return os.environ.get("CALM_LAB_STILL", "0") in ("", "0") and importlib.util.find_spec("ipywidgets") is not None
