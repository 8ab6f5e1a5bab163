"""The tab "Tour": ten steps from what a token carries to what K buys, each a small experiment (paper sec. 1 to 7).

The steps and what is set there are one drawing, the answer to the open step (``calm_lab.app.tour_answers``) is another.
"""

from __future__ import annotations

import dataclasses

import gradio as gr

from calm_lab.app import links, views
from calm_lab.app.bench import Bench, Opening
from calm_lab.app.tour_answers import FIRST, STEPS, STOPS, answer
from calm_lab.app.words import say
from calm_lab.lab import tour
from calm_lab.lab.table1 import headline

ID = "tour"
TITLE = "tour_tab"
PAPER = "https://arxiv.org/abs/2510.27688"  # a link to click: nothing is fetched from there


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    pairs = [f"{pair.calm} / {pair.transformer}" for pair in headline()]
    values = {"dial": f"{100 * tour.DIAL:.0f}", "pool": tour.POOL, "draws": tour.DRAWS}
    stops = [dataclasses.asdict(stop) for stop in STOPS]
    gr.Markdown(say("tour_look"), elem_classes="cl-look")
    with gr.Row(equal_height=False, elem_classes="cl-tour-row"):
        with gr.Column(scale=4, min_width=320):
            steps = views.view(
                *("cl-tour cl-panel", "tour.js", "tour_"),
                value=FIRST,
                stops=stops,
                steps=STEPS,
                pairs=pairs,
                values=values,
                elem_id="tour-steps",
                min_height=320,
            )
        with gr.Column(scale=5, min_width=320):
            found = views.view(
                *("cl-tour-answer", "tour_answer.js", "tour_", "token_", "share_", *{stop.title for stop in STOPS}),
                helpers=("chart.js", "export.js"),
                stops=stops,
                paper=PAPER,
                elem_id="tour-answer",
                min_height=320,
            )
    with gr.Accordion(say("tour_how"), open=False, elem_classes="cl-how"):
        gr.Markdown(say("tour_how_text"), latex_delimiters=views.LATEX)

    fields = [
        links.Field("step", steps, links.whole(1, len(STOPS)), "step"),
        links.Field("text", steps, links.text(bench.limits), "text"),
        links.Field("pair", steps, links.whole(0, len(pairs) - 1), "pair"),
        links.Field("seed", steps, links.SEED, "seed"),
        *(links.Field(key, steps, links.one_of(allowed), key) for key, allowed in STEPS.items()),
    ]
    return views.follow(bench, steps, found, answer, fields)
