"""The tab "Tokens and vectors": type, see chunks become vectors and come back, turn up the noise (paper sec. 2).

Everything shown is one ``calm_lab.lab.vectors.read_text``; choosing a chunk is done in the browser.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from calm_lab.app import links, views
from calm_lab.app.bench import QUICK, Bench, Opening
from calm_lab.app.guard import told
from calm_lab.app.limits import MAX_SEED
from calm_lab.app.refusals import refusal
from calm_lab.app.words import say
from calm_lab.errors import CalmLabError, InputError
from calm_lab.lab import examples
from calm_lab.lab.pieces import roles, spread
from calm_lab.lab.token_edit import alike, exchange, one_token
from calm_lab.lab.vectors import read_text
from calm_lab.text.tokenizer import Tokenizer

ID = "vectors"
TITLE = "vectors_tab"
PYTHON = """\
import calm_lab
from calm_lab.lab.vectors import read_text

reading = read_text(calm_lab.load_autoencoder({model!r}), {text!r}, sigma={sigma}, seed={seed})
print(reading.decoded_text)
print(f"{{reading.correct}} of {{reading.total}} tokens came back")
print(f"{{float(reading.bits.sum(-1).mean()):.0f}} bits a chunk; {{reading.bits_to_name:.0f}} would name any")
"""


def read(bench: Bench, text: str, sigma: float, seed: float, model: str) -> dict[str, Any]:
    """The value of the board: a reading as plain data, or the one-line reason why there is none."""
    try:
        bench.limits.check_text(text, "text")
        number = bench.limits.check_number(seed, "the noise seed", 0, MAX_SEED)
        if not isinstance(sigma, int | float):
            raise InputError("sigma must be a number from 0 to 2")
        if not text:
            return {"empty": True}
        entry = bench.shelf.entry("autoencoder", model)
        autoencoder = bench.shelf.autoencoder(entry.name)
        reading = read_text(autoencoder, text, sigma, number, max_tokens=bench.limits.shown_tokens)
        code = PYTHON.format(model=entry.address, text=text, sigma=sigma, seed=number)
        return {**reading.to_dict(3), "python": code}
    except CalmLabError as error:
        return refusal(error)


def swap(bench: Bench, text: str, model: str, chunk: Any, place: Any, to: Any = None) -> dict[str, Any]:
    """The value of the exchange: what one other token does to the vector, or the one-line reason why not.

    Args:
        bench: models and limits.
        text: the text.
        model: name on the shelf.
        chunk: number of the chunk, from 0.
        place: number of the token in it, from 0.
        to: the new token: its id, its text, or nothing for the one most like the old one.
    """
    kept: dict[str, Any] = {"chunk": chunk, "place": place}
    try:
        limits = bench.limits
        limits.check_text(text, "text")
        row, column = (
            limits.check_number(number, "the token's place", 0, limits.characters) for number in (chunk, place)
        )
        autoencoder = bench.shelf.autoencoder(model)
        before = exchange(autoencoder, text, row, column, 0, max_tokens=limits.shown_tokens).before
        tokenizer = autoencoder.tokenizer
        assert tokenizer is not None  # exchange has refused a model without one
        options = alike(autoencoder, before[column])
        kept |= {"options": [{"id": index, "token": _shown(tokenizer, [index])[0]} for index in options]}
        if isinstance(to, str):
            new = one_token(tokenizer, limits.check_text(to, "token"))
        else:
            new = options[0] if to is None else limits.check_number(to, "the token", 0, autoencoder.config.vocab_size)
        edit = exchange(autoencoder, text, row, column, new)
    except CalmLabError as error:
        return kept | refusal(error)
    return kept | {
        "to": new,
        "before": _shown(tokenizer, edit.before),
        "after": _shown(tokenizer, edit.after),
        "decoded": _shown(tokenizer, edit.decoded),
        "wrong": [back != given for back, given in zip(edit.decoded, edit.after, strict=True)],
        "moved": [round(value, 3) for value in edit.in_sigmas.tolist()],
        "distance": edit.distance,
        "apart": edit.apart,
    }


def _shown(tokenizer: Tokenizer, ids: list[int]) -> list[list[Any]]:
    """For each id what to show, its role, and the characters it shares."""
    shown = zip(tokenizer.pieces(ids), roles(tokenizer, ids), spread(tokenizer, ids), strict=True)
    return [list(one) for one in shown]


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    entries = bench.shelf.entries("autoencoder")

    gr.Markdown(say("vectors_look"), elem_classes="cl-look")
    with gr.Row(elem_classes="cl-panel", equal_height=False):
        with gr.Column(scale=3, min_width=300):
            text, chips = views.text_box("vectors_text", "vectors-text", examples.TEXTS, "vectors_placeholder", lines=4)
        with gr.Column(scale=2, min_width=280):
            sigma = gr.Slider(0, 2, 0, step=0.05, label=say("vectors_sigma"), elem_id="vectors-sigma")
            seed = views.seed_row("vectors", examples.SEED)
            model = views.model_menu(entries, "vectors_model", "vectors-model")
    board = views.board()
    edit = views.view("cl-edit", "edit.js", "edit_", "token_", elem_id="edit")
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

    @told
    def exchanged(text: str, model: str, event: gr.EventData) -> dict[str, Any]:
        asked = event._data if isinstance(event._data, dict) else {}
        return swap(bench, text, model, asked.get("chunk"), asked.get("place"), asked.get("to"))

    private: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    gr.on([board.select, edit.select], exchanged, [text, model], edit, concurrency_id=QUICK, **private)
    gr.on([text.change, model.change], None, None, edit, js="() => null", **private)
    views.chips_write(chips, examples.TEXTS, text)

    views.sizes_follow(bench, model)
    fields = [
        links.Field("text", text, links.text(bench.limits)),
        links.Field("sigma", sigma, links.real(0, 2)),
        links.Field("seed", seed, links.SEED),
        links.Field("model", model, links.one_of(entries)),
    ]
    return Opening(redraw, inputs, [board], QUICK, fields)
