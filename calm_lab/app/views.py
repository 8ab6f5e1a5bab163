"""Our own drawings as gradio components: a bare frame in HTML, plain data as value, JavaScript that draws it.

The frame's template never contains the value, so no text of a visitor or a model is ever parsed as HTML.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from calm_lab.app.bench import STUDY, Bench, Opening, sizes
from calm_lab.app.example_words import key
from calm_lab.app.guard import told
from calm_lab.app.look import script
from calm_lab.app.shelf import Entry
from calm_lab.app.words import say, table
from calm_lab.lab.examples import Example

if TYPE_CHECKING:
    from gradio.events import Dependency

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
        words=json.dumps(table(*words), ensure_ascii=False),  # one text: gradio copies a table word by word, often
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


def text_box(
    words: str, name: str, offered: Sequence[Example], placeholder: str, lines: int = 3
) -> tuple[gr.Textbox, list[gr.Button]]:
    """A text box with the first example in it, and a chip for every example below.

    Args:
        words: key of its label.
        name: its id on the page.
        offered: the examples.
        placeholder: key of what it says while empty.
        lines: its height.

    Returns:
        The box, and the chips; ``chips_write`` lets them write.
    """
    box = gr.Textbox(
        offered[0].text, label=say(words), placeholder=say(placeholder), lines=lines, max_lines=8, elem_id=name
    )
    with gr.Row(elem_classes="cl-chips"):
        chips = [gr.Button(say(key(example.name)), size="sm", min_width=0) for example in offered]
    return box, chips


def chips_write(chips: Sequence[gr.Button], offered: Sequence[Example], box: gr.Textbox) -> None:
    """Let every chip put its example into the box."""
    for chip, example in zip(chips, offered, strict=True):
        chip.click(lambda text=example.text: text, None, box, queue=False, api_visibility="private")


def examples_of_model(
    bench: Bench,
    model: gr.Dropdown,
    box: gr.Textbox,
    chips: Sequence[gr.Button],
    suited: Callable[[str], Sequence[Example]],
) -> list[Dependency]:
    """Offer the examples that suit the chosen CALM's corpus: chips write them, and a visitor's choice writes the first.

    Args:
        bench: models and limits.
        model: the choice of CALMs.
        box: where the chips write.
        chips: as many as ``suited`` gives.
        suited: examples for a corpus.

    Returns:
        The events that write into the box.
    """
    private: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

    def offered(name: str) -> Sequence[Example]:
        return suited(bench.shelf.entry("calm", name).corpus)

    @told
    def describe(name: str) -> list[Any]:
        names = [gr.update(value=say(key(example.name))) for example in offered(name)]
        return [gr.update(info=sizes(bench.shelf.entry("calm", name))), *names]

    model.change(describe, model, [model, *chips], **private)  # a link chooses too
    writes = [
        chip.click(told(lambda name, place=place: offered(name)[place].text), model, box, **private)
        for place, chip in enumerate(chips)
    ]
    return [*writes, model.input(told(lambda name: offered(name)[0].text), model, box, **private)]


def seed_row(name: str, value: int) -> gr.Number:
    """A seed, and a button that gives it another; their words are ``name``_seed and ``name``_new_seed."""
    with gr.Row(elem_classes="cl-seed"):
        # No minimum: gradio's own refusal would not say which field it means, nor say it in Chinese.
        seed = gr.Number(value, precision=0, label=say(f"{name}_seed"), min_width=90, elem_id=f"{name}-seed")
        renew = gr.Button(say(f"{name}_new_seed"), min_width=100, elem_id=f"{name}-new-seed")
    renew.click(None, None, seed, js="() => Math.floor(Math.random() * 1000000)", api_visibility="private")
    return seed


def sizes_follow(bench: Bench, model: gr.Dropdown) -> None:
    """Write the sizes of the chosen autoencoder below the choice, whether a visitor or a link made it."""

    def describe(name: str) -> Any:
        return gr.update(info=sizes(bench.shelf.entry("autoencoder", name)))

    model.change(told(describe), model, model, queue=False, show_progress="hidden", api_visibility="private")


def model_menu(entries: Mapping[str, Entry], words: str, name: str) -> gr.Dropdown:
    """A choice of models, the first one chosen, its sizes below."""
    first = next(iter(entries), None)
    return gr.Dropdown(
        list(entries),
        value=first,
        label=say(words),
        info=sizes(entries[first]) if first else None,
        elem_id=name,
        filterable=False,
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
