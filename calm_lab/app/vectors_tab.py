"""The tab "Tokens and vectors": type, see chunks become vectors and come back, turn up the noise (paper sec. 2).

Everything shown is one ``calm_lab.lab.vectors.read_text``; choosing a chunk is done in the browser.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from calm_lab.app import views
from calm_lab.app.bench import QUICK, Bench, Opening, sizes
from calm_lab.app.guard import told
from calm_lab.app.limits import MAX_SEED
from calm_lab.app.words import say
from calm_lab.errors import CalmLabError, InputError
from calm_lab.lab import examples
from calm_lab.lab.vectors import read_text

ID = "vectors"
TITLE = "vectors_tab"
NEW_SEED = "() => Math.floor(Math.random() * 1000000)"


def read(bench: Bench, text: str, sigma: float, seed: float, model: str) -> dict[str, Any]:
    """The value of the board: a reading as plain data, or the one-line reason why there is none."""
    try:
        bench.limits.check_text(text, "text")
        number = bench.limits.check_number(seed, "the noise seed", 0, MAX_SEED)
        if not isinstance(sigma, int | float):
            raise InputError("sigma must be a number from 0 to 2")
        if not text:
            return {"empty": True}
        autoencoder = bench.shelf.autoencoder(model)
        return read_text(autoencoder, text, sigma, number, max_tokens=bench.limits.shown_tokens).to_dict(3)
    except CalmLabError as error:
        reason = str(error)
        return {"message": reason[:1].upper() + reason[1:] + "."}


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    entries = bench.shelf.entries("autoencoder")
    first = next(iter(entries), None)

    gr.Markdown(say("vectors_look"), elem_classes="cl-look")
    with gr.Row(elem_classes="cl-panel", equal_height=False):
        with gr.Column(scale=3, min_width=300):
            text = gr.Textbox(
                examples.TEXTS[0].text,
                label=say("vectors_text"),
                placeholder=say("vectors_placeholder"),
                lines=4,
                max_lines=8,
                elem_id="vectors-text",
            )
            with gr.Row(elem_classes="cl-chips"):
                chips = [gr.Button(example.name, size="sm", min_width=0) for example in examples.TEXTS]
        with gr.Column(scale=2, min_width=280):
            sigma = gr.Slider(0, 2, 0, step=0.05, label=say("vectors_sigma"), elem_id="vectors-sigma")
            with gr.Row(elem_classes="cl-seed"):
                seed = gr.Number(
                    examples.SEED,
                    precision=0,
                    minimum=0,
                    label=say("vectors_seed"),
                    min_width=90,
                    elem_id="vectors-seed",
                )
                renew = gr.Button(say("vectors_new_seed"), min_width=100, elem_id="vectors-new-seed")
            model = gr.Dropdown(
                list(entries),
                value=first,
                label=say("vectors_model"),
                info=sizes(entries[first]) if first else None,
                elem_id="vectors-model",
                filterable=False,
            )
    board = views.board()
    with gr.Accordion(say("vectors_how"), open=False, elem_classes="cl-how"):
        gr.Markdown(say("vectors_how_text"), latex_delimiters=views.LATEX)

    inputs = [text, sigma, seed, model]

    @told
    def redraw(text: str, sigma: float, seed: float, model: str) -> dict[str, Any]:
        return read(bench, text, sigma, seed, model)

    gr.on(  # change, not input: a chip, a new seed and whatever fills a field from outside count as well
        [text.change, sigma.change, seed.change, model.change],
        redraw,
        inputs,
        board,
        show_progress="hidden",
        trigger_mode="always_last",
        queue=bench.limits.waiting is not None,  # the queue adds 50 ms to an answer of 100; a public host needs it
        concurrency_id=QUICK,
        api_visibility="private",
    )
    for chip, example in zip(chips, examples.TEXTS, strict=True):
        chip.click(lambda text=example.text: text, None, text, queue=False, api_visibility="private")
    renew.click(None, None, seed, js=NEW_SEED, api_visibility="private")

    def describe(name: str) -> Any:
        return gr.update(info=sizes(bench.shelf.entry("autoencoder", name)))

    model.input(told(describe), model, model, queue=False, show_progress="hidden", api_visibility="private")
    return Opening(redraw, inputs, [board], QUICK)
