"""The last part of the tab "Energy score": both terms for a trained CALM on text, chunk by chunk (paper sec. 3.2).

Everything shown is one ``calm_lab.lab.energy_text.score_chunks``. No model is loaded before somebody asks; once asked,
the picture follows the text and the dials.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from calm_lab.app import links, views
from calm_lab.app.bench import LONG, Bench, plain
from calm_lab.app.guard import told
from calm_lab.app.limits import MAX_SEED
from calm_lab.app.runs import paced, stopped
from calm_lab.app.words import say
from calm_lab.errors import InputError
from calm_lab.lab.energy_text import MOST_DRAWS, score_chunks
from calm_lab.lab.examples import SEED, passages_for

ALPHAS = (0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2)
DRAWS = (16, 32, 64, 128, 256, 512)
FIRST = {"alpha": 1, "draws": 64, "seed": SEED}
PYTHON = """\
import calm_lab
from calm_lab.lab.energy_text import score_figure, score_text

model = calm_lab.load_model({model!r})
found = score_text(model, {text!r}, alpha={alpha}, draws={draws}, seed={seed})
print(found)
score_figure(found)
"""
_runs = itertools.count(1)


def score(bench: Bench, text: Any, model: str, dials: Any) -> Iterator[dict[str, Any]]:
    """Score a text chunk by chunk.

    Yields:
        The value of the drawing so far: settings, status (running, done) and the chunks.

    Raises:
        CalmLabError: for a text too long, an unknown model, or settings out of range.
    """
    limits = bench.limits
    limits.check_text(text, "text")
    settings = dials if isinstance(dials, dict) else {}
    alpha = settings.get("alpha")
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 < alpha <= 2:
        raise InputError(f"alpha must be a number above 0 and at most 2, not {str(alpha)[:40]}")
    draws = limits.check_number(settings.get("draws"), "the number of draws", 2, min(limits.samples, MOST_DRAWS))
    seed = limits.check_number(settings.get("seed"), "the seed", 0, MAX_SEED)
    entry = bench.shelf.entry("calm", model)
    asked = {"text": text, "alpha": alpha, "draws": draws, "seed": seed}
    value = {
        "run": next(_runs),
        "model": entry.name,
        **{key: asked[key] for key in ("alpha", "draws", "seed")},
        "python": PYTHON.format(model=entry.address, **asked),
    }
    chunks: list[dict[str, Any]] = []
    found = score_chunks(bench.shelf.calm(entry.name), text, alpha, draws, seed, limits.shown_tokens)
    for chunk in found:
        chunks.append(plain(chunk))
        yield {**value, "status": "running", "chunks": list(chunks)}
    yield {**value, "status": "done", "chunks": list(chunks)}


def build(bench: Bench) -> Sequence[links.Field]:
    """Lay out the panel inside the current tab; what a link carries of it."""
    entries = bench.shelf.entries("calm")
    first = next(iter(entries), None)
    offered = passages_for(entries[first].corpus if first else "")
    gr.Markdown(say("positions_look"), elem_classes="cl-look")
    with gr.Row(elem_classes="cl-panel", equal_height=False):
        with gr.Column(scale=3, min_width=300):
            text, chips = views.text_box("positions_text", "positions-text", offered, "vectors_placeholder")
            model = views.model_menu(entries, "positions_model", "positions-model")
        with gr.Column(scale=2, min_width=280):
            dials = views.view(
                "cl-dials cl-narrow",
                "dials.js",
                "positions_",
                value={**FIRST, "draws": min(FIRST["draws"], bench.limits.samples)},
                prefix="positions",
                dials=[
                    {"key": "alpha", "steps": ALPHAS},
                    {"key": "draws", "steps": [count for count in DRAWS if count <= bench.limits.samples]},
                    {"key": "seed", "seed": True},
                ],
                elem_id="positions-dials",
            )
            with gr.Row(elem_classes="cl-go"):
                go = gr.Button(say("positions_go"), variant="primary", scale=3, min_width=140, elem_id="positions-go")
                stop = gr.Button(say("positions_stop"), variant="stop", scale=1, min_width=90, elem_id="positions-stop")
    drawing = views.view(
        *("cl-positions", "positions.js", "positions_", "energy_", "token_", "share_"),
        helpers=views.CHARTS,
        elem_id="positions",
    )
    inputs = [text, model, dials]
    asked = gr.State(False)
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

    @told
    def stream(*values: Any) -> Iterator[list[Any]]:
        for value in paced(score(bench, *values)):
            yield [True, value]

    @told
    def follow(before: bool, *values: Any) -> Iterator[Any]:
        yield from paced(score(bench, *values)) if before else [gr.skip()]

    long: dict[str, Any] = {"concurrency_id": LONG, "concurrency_limit": 1, **private}
    running = gr.on([go.click, text.submit], stream, inputs, [asked, drawing], trigger_mode="once", **long)
    changes = [text.change, model.change, dials.change]
    following = gr.on(changes, follow, [asked, *inputs], drawing, trigger_mode="always_last", **long)
    stop.click(stopped, drawing, drawing, cancels=[running, following], queue=False, **private)
    views.examples_of_model(bench, model, text, chips, passages_for)
    return [
        links.Field("passage", text, links.text(bench.limits)),
        links.Field("scored", model, links.one_of(entries)),
        links.Field("power", dials, links.one_of(ALPHAS), "alpha"),
        links.Field("draws", dials, links.one_of(DRAWS), "draws"),
        links.Field("noise", dials, links.SEED, "seed"),
    ]
