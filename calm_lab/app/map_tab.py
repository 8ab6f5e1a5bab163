"""The tab "Latent map": chunks as points, and what the decoder says anywhere between them (paper sec. 2.2).

The first picture is the value of one drawing; whatever is asked after that, the drawing asks for itself
(``calm_lab.app.map_answers``). All numbers come from ``calm_lab.lab.latent_map``.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from calm_lab.app import links, views
from calm_lab.app.bench import MAPS, Bench, Opening, sizes
from calm_lab.app.guard import told
from calm_lab.app.map_answers import answers
from calm_lab.app.map_shelf import MapShelf
from calm_lab.app.refusals import refusal
from calm_lab.app.words import say
from calm_lab.errors import CalmLabError
from calm_lab.lab import examples
from calm_lab.lab.latent_map.store import bundled_maps

ID = "map"
TITLE = "map_tab"
PROMPT = examples.PROMPTS["storyland"][1].text
PYTHON = """\
import calm_lab
import matplotlib.pyplot as plt
from calm_lab.lab.latent_map.place import phrase, place
from calm_lab.lab.latent_map.store import {maker}
from calm_lab.lab.latent_map.walk import walk

model = calm_lab.load_autoencoder("{model}")
found = {call}
x, y = found.picture("{picture}").T
plt.scatter(x, y, s=1, c=found.group, cmap="tab10")
looks = phrase(found, model, "Once upon a time")
plt.scatter(*place(found, looks[0].z[None], "{picture}").T, marker="x", color="black")
plt.title(f"trustworthiness {{found.trust['{picture}'].value:.3f}}")
plt.show()

steps = walk(model, found.mean[0], found.mean[1], "sphere")
for t, ids in zip(steps.t, steps.ids):
    print(f"{{t:.2f}}", repr(model.tokenizer.decode(ids.tolist())))
"""


def first_map(shelf: MapShelf, model: str) -> dict[str, Any]:
    """The value of the drawing: a map as plain data, or the one-line reason why there is none."""
    try:
        shown = shelf.opened(model)
        return {**shown.data, "calms": calms(shelf.bench, shown.model), "python": python(shown.model)}
    except CalmLabError as error:
        return refusal(error)


def calms(bench: Bench, model: str) -> list[str]:
    """CALMs whose latent space has the sizes of an autoencoder; the weights are compared when one is asked."""
    config = bench.shelf.entry("autoencoder", model).config
    keys = ("vocab_size", "chunk_size", "latent_size")
    return [
        name
        for name, entry in bench.shelf.entries("calm").items()
        if all(entry.config.get(key) == config.get(key) for key in keys)
    ]


def python(model: str) -> str:
    """Code that draws the same map in a notebook."""
    if model in bundled_maps():
        return PYTHON.format(maker="bundled_map", model=model, picture="umap", call=f'bundled_map(model, "{model}")')
    call = 'map_texts(model, ["your text, at least 20 different chunks long"])'
    return PYTHON.format(maker="map_texts", model=model, picture="pca", call=call)


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    shelf = MapShelf(bench)
    entries = bench.shelf.entries("autoencoder")
    first = next(iter(entries), None)

    gr.Markdown(say("map_look"), elem_classes="cl-look")
    with gr.Row(elem_classes="cl-panel"):
        model = gr.Dropdown(
            list(entries),
            value=first,
            label=say("map_model"),
            info=sizes(entries[first]) if first else None,
            elem_id="map-model",
            filterable=False,
        )
    drawing = views.view(
        "cl-map",
        "map.js",
        "map_",
        "token_",
        "detail_",
        "share_",
        "board_bits_short",
        helpers=(*views.CHARTS, "map_canvas.js", "map_parts.js", "map_paint.js"),
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

    def describe(name: str) -> Any:
        return gr.update(info=sizes(bench.shelf.entry("autoencoder", name)))

    model.input(told(describe), model, model, queue=False, show_progress="hidden", api_visibility="private")
    model.input(redraw, model, drawing, concurrency_id=MAPS, api_visibility="private")
    fields = [links.Field("model", model, links.one_of(entries))]
    return Opening(redraw, [model], [drawing], MAPS, fields)
