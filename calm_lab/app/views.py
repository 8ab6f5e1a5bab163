"""Our own drawings as gradio components: a bare frame in HTML, plain data as value, JavaScript that draws it.

The frame's template never contains the value, so no text of a visitor or a model is ever parsed as HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from calm_lab.app.bench import STUDY, Bench, Opening
from calm_lab.app.guard import told
from calm_lab.app.look import script
from calm_lab.app.words import say, table

if TYPE_CHECKING:
    from calm_lab.app.links import Field


def view(
    frame: str, file: str, *words: str, value: Any = None, helpers: tuple[str, ...] = (), **options: Any
) -> gr.HTML:
    """A drawing of our own.

    Args:
        frame: CSS class of the frame it draws in.
        file: its JavaScript in ``static/``.
        *words: beginnings of the keys of the words it needs.
        value: what it draws at first.
        helpers: further JavaScript that it builds on, such as ``chart.js``.
        **options: more for ``gr.HTML``, among them properties that the script reads.
    """
    return gr.HTML(
        value,
        html_template=f'<div class="{frame}"></div>',
        js_on_load=script(*helpers, file),
        apply_default_css=False,
        words=table(*words),
        **options,
    )


def header() -> gr.HTML:
    """The page's head with the switch between dark and light."""
    return view("cl-header", "header.js", "page_")


def language_probe() -> gr.HTML:
    """A hidden word that gradio translates: our drawings read from it which language is shown."""
    return gr.HTML(say("language_code"), elem_id="cl-language", elem_classes="cl-hidden", apply_default_css=False)


def board() -> gr.HTML:
    """Chunk cards and the chosen chunk's vector; its value is ``calm_lab.lab.vectors.Reading.to_dict()``."""
    words = ("board_", "legend_", "detail_", "token_", "edit_", "share_")
    return view("cl-board", "board.js", *words, helpers=("export.js",), elem_id="board", min_height=420)


def stage() -> gr.HTML:
    """The written text and the chosen step; its value is made by ``calm_lab.app.generate_runs``."""
    return view(
        *("cl-stage", "stage.js", "stage_", "pool_", "token_", "stale_", "price_", "share_"),
        helpers=(*CHARTS, "pool.js", "stale.js", "foretell.js"),
        elem_id="stage",
        min_height=420,
    )


def temperature(n: int, steps: tuple[int, ...]) -> gr.HTML:
    """A slider over T = 1/n; its value is n. ``steps`` are the allowed n, coldest first."""
    return view(
        "cl-temperature",
        "temperature.js",
        "generate_temperature",
        "generate_sure",
        "generate_free",
        value=n,
        steps=list(steps),
        elem_id="temperature",
    )


LATEX: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]
"""How formulas are marked in our Markdown."""

CHARTS = ("chart.js", "export.js")
"""Helpers of drawings that hold charts and the bar to take them away."""


def follow(
    bench: Bench, dials: gr.HTML, drawing: gr.HTML, compute: Callable[[Bench, Any], Any], fields: Sequence[Field]
) -> Opening:
    """Let a drawing follow a panel of dials, and open the tab with what they say at first.

    Args:
        bench: models and limits.
        dials: a panel made of ``dials.js``.
        drawing: what is drawn anew.
        compute: the drawing's value from the dials'.
        fields: what a link to the tab carries.
    """

    @told
    def redraw(settings: Any) -> Any:
        return compute(bench, settings)

    dials.change(
        redraw,
        dials,
        drawing,
        show_progress="hidden",
        trigger_mode="always_last",
        queue=bench.limits.waiting is not None,
        concurrency_id=STUDY,
        api_visibility="private",
    )
    return Opening(redraw, [dials], [drawing], STUDY, fields)
