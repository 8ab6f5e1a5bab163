"""The tab "Latent map": chunks as points, and what the decoder says anywhere between them (paper sec. 2.2).

The first picture is the value of one drawing; whatever is asked after that, the drawing asks for itself
(``calm_lab.app.map_answers``). All numbers come from ``calm_lab.lab.latent_map``.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from calm_lab.app import links, views
from calm_lab.app.bench import MAPS, Bench, Opening
from calm_lab.app.guard import told
from calm_lab.app.map_answers import answers
from calm_lab.app.map_shelf import MapShelf
from calm_lab.app.refusals import refusal
from calm_lab.app.words import say
from calm_lab.errors import CalmLabError
from calm_lab.lab import examples

ID = "map"
TITLE = "map_tab"
PROMPT = examples.PROMPTS["littleland"][1].text  # a story of storyland too


def first_map(shelf: MapShelf, model: str) -> dict[str, Any]:
    """The value of the drawing: a map as plain data, or the one-line reason why there is none."""
    try:
        return shelf.value(shelf.opened(model))
    except CalmLabError as error:
        return refusal(error)


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    shelf = MapShelf(bench)
    entries = bench.shelf.entries("autoencoder")

    gr.Markdown(say("map_look"), elem_classes="cl-look")
    with gr.Row(elem_classes="cl-panel"):
        model = views.model_menu(entries, "map_model", "map-model")
    drawing = views.view(
        "cl-map",
        "map.js",
        "map_",
        "token_",
        "detail_",
        "share_",
        "board_bits_short",
        helpers=(*views.CHARTS, "map_canvas.js", "map_parts.js", "map_paint.js", "map_fit.js"),
        server_functions=answers(shelf),
        elem_id="map",
        min_height=420,
        most=bench.limits.map_characters,
        prompt=PROMPT,
    )
    with gr.Accordion(say("map_how"), open=False, elem_classes="cl-how"):
        gr.Markdown(say("map_how_text"), latex_delimiters=views.LATEX)

    @told
    def redraw(name: str) -> dict[str, Any]:
        return first_map(shelf, name)

    views.sizes_follow(bench, model)
    model.input(redraw, model, drawing, concurrency_id=MAPS, api_visibility="private")
    fields = [links.Field("model", model, links.one_of(entries))]
    return Opening(redraw, [model], [drawing], MAPS, fields)
