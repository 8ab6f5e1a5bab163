"""The last part of the tab "Temperature": a trained CALM, judged from its draws alone (paper sec. 5, Figs 10 and 11).

The prompt's study is ``calm_lab.lab.tempering_model``; accuracy against collision is computed as for the reproduction
(``calm_lab.lab.reproduction.extras``). No model is loaded before somebody asks.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr
from torch import Tensor

from calm_lab.app import links, views
from calm_lab.app.bench import LONG, Bench, plain
from calm_lab.app.guard import told
from calm_lab.app.limits import MAX_SEED
from calm_lab.app.partner import partner
from calm_lab.app.runs import paced, stopped
from calm_lab.app.words import say
from calm_lab.errors import InputError
from calm_lab.lab.examples import SEED, prompts_for
from calm_lab.lab.report import document_rows
from calm_lab.lab.reproduction.extras import ORDER, growing_temperature_curve, softmax_points
from calm_lab.lab.tempering_model import FEWEST, MOST, ORDERS, POOLS, prompt_draws, study_draws
from calm_lab.model.calm import CALM
from calm_lab.model.transformer import TokenTransformer

DRAWS = (500, 1000, 2000, 4000, 8000)
FIRST = {"n": 3, "pool": 100, "draws": 4000, "seed": SEED}
DOCUMENTS, POSITIONS, BLOCK = 40, 160, 8
PYTHON = """\
import calm_lab
from calm_lab.lab.panels import Panel, Series, panels_figure
from calm_lab.lab.tempering_model import prompt_draws, study_draws

model = calm_lab.load_model({model!r})
draws = prompt_draws(model, {prompt!r}, {draws}, seed={seed})
study = study_draws(model, draws, n={n}, pool={pool}, seed={seed})
for price in study.prices:
    print(f"T = 1/{{price.n}}: accepted {{price.accepted:.3g}}, {{price.estimate}}")
known = [price for price in study.prices if price.estimate.repeats]
gaps = study.gaps
panels_figure([
    Panel("calls a sample", [Series("", [p.n for p in known], [p.estimate.calls for p in known], "sample", "dots")],
          "n = 1/T", log="y"),
    Panel("short of P_T at T = 1/{n}", [Series("", [g.pool for g in gaps], [g.shortfall.value for g in gaps], "sample",
          "dots", [2 * g.shortfall.error for g in gaps])], "pool N", log="x"),
])
"""
CURVES = """\
import calm_lab
from calm_lab.lab.panels import Panel, Series, panels_figure
from calm_lab.lab.report import document_rows
from calm_lab.lab.reproduction.extras import growing_temperature_curve, softmax_points
from calm_lab.model import checkpoint

model = calm_lab.load_model({model!r})
_, ids = document_rows(model, {corpus!r}, model.config.chunk_size, {documents})
for points in growing_temperature_curve(model, ids, positions={positions}, block={block}):
    print(points[0]["positions"], "positions")
series = [Series("CALM", [p["collision"] for p in points], [p["accuracy"] for p in points], "sample", "dots")]
{beside}panels_figure([Panel("truth against variety", series, "collision, %", "accuracy, %")])
"""
BESIDE = """\
baseline = checkpoint.load(checkpoint.resolve({model!r}))
_, ids = document_rows(baseline, {corpus!r}, 1, {documents})
softmax = list(softmax_points(baseline, ids))
series.append(Series("Transformer", [p["collision"] for p in softmax], [p["accuracy"] for p in softmax], "muted"))
"""
_runs = itertools.count(1)


def study(bench: Bench, prompt: Any, model: str, dials: Any) -> dict[str, Any]:
    """The value of the drawing: what both samplers would do behind this prompt.

    Raises:
        CalmLabError: for a prompt too long, an unknown model, or settings out of range.
    """
    limits = bench.limits
    limits.check_text(prompt, "prompt")
    settings = dials if isinstance(dials, dict) else {}
    n = limits.check_number(settings.get("n"), "n of T = 1/n", 1, max(ORDERS))
    draws = limits.check_number(settings.get("draws"), "the number of draws", FEWEST, min(MOST, limits.calls))
    pool = limits.check_number(settings.get("pool"), "the pool", 1, draws // 4)
    seed = limits.check_number(settings.get("seed"), "the seed", 0, MAX_SEED)
    entry = bench.shelf.entry("calm", model)
    drawn = _draws(bench, entry.name, (entry.folder / "config.json").stat().st_mtime_ns, prompt, draws, seed)
    found = study_draws(bench.shelf.calm(entry.name), drawn, n, pool, seed)
    prices = [
        {"n": price.n, "accepted": plain(price.accepted), **plain(vars(price.estimate))} for price in found.prices
    ]
    code = PYTHON.format(model=entry.address, prompt=prompt, draws=draws, seed=seed, n=n, pool=pool)
    return {**plain(found), "prices": prices, "model": entry.name, "seed": seed, "python": code}


@functools.lru_cache(maxsize=16)
def _draws(bench: Bench, model: str, changed: int, prompt: str, draws: int, seed: int) -> Tensor:
    return prompt_draws(bench.shelf.calm(model), prompt, draws, seed)


def tradeoff(bench: Bench, model: str) -> Iterator[dict[str, Any]]:
    """Accuracy against collision of a CALM over T and N, then of the token Transformer beside it over its temperature.

    Yields:
        The value of the drawing so far: status (running, done), positions done, the points of both.

    Raises:
        CalmLabError: for an unknown model, one whose chunks are too short, or a corpus that is not here.
    """
    entry = bench.shelf.entry("calm", model)
    lm = bench.shelf.calm(entry.name)
    if lm.config.chunk_size < ORDER:
        raise InputError(
            f"accuracy and collision are those of {ORDER} tokens: choose a model of K >= {ORDER}, not {entry.name}"
        )
    if lm.tokenizer is None:
        raise InputError(f"{entry.name} has no tokenizer: add its tokenizer.json to the folder")
    value: dict[str, Any] = {
        "run": next(_runs),
        "model": entry.name,
        "corpus": entry.corpus,
        "positions": 0,
        "wanted": POSITIONS,
        "calm": [],
        "transformer": [],
        "partner": None,
    }
    yield {**value, "status": "running"}
    ids = _rows(lm, entry.corpus, lm.config.chunk_size)
    for points in growing_temperature_curve(lm, ids, block=BLOCK, positions=POSITIONS):
        value |= {"calm": plain(points), "positions": points[0]["positions"]}
        yield {**value, "status": "running"}
    found, _ = partner(bench, entry, lm.tokenizer)
    shared: dict[str, Any] = {"corpus": entry.corpus, "documents": DOCUMENTS}
    beside = ""
    if found is not None:
        other, baseline = found
        value |= {"partner": other.name}
        for point in softmax_points(baseline, _rows(baseline, entry.corpus, 1)):
            value["transformer"] = [*value["transformer"], plain(point)]
            yield {**value, "status": "running"}
        beside = BESIDE.format(model=other.address, **shared)
    code = CURVES.format(model=entry.address, positions=POSITIONS, block=BLOCK, beside=beside, **shared)
    yield {**value, "status": "done", "python": code}


@functools.lru_cache(maxsize=4)
def _rows(model: CALM | TokenTransformer, corpus: str, chunk_size: int) -> Tensor:
    return document_rows(model, corpus, chunk_size, DOCUMENTS)[1]


def build(bench: Bench) -> Sequence[links.Field]:
    """Lay out the panel inside the current tab; what a link carries of it."""
    limits, entries = bench.limits, bench.shelf.entries("calm")
    first = next(iter(entries), None)
    offered = prompts_for(entries[first].corpus if first else "")
    steps = [count for count in DRAWS if count <= limits.calls]
    gr.Markdown(say("real_look"), elem_classes="cl-look")
    with gr.Row(elem_classes="cl-panel", equal_height=False):
        with gr.Column(scale=3, min_width=300):
            prompt, chips = views.text_box("real_prompt", "real-prompt", offered, "generate_placeholder", lines=2)
            model = views.model_menu(entries, "real_model", "real-model")
        with gr.Column(scale=2, min_width=280):
            dials = views.view(
                "cl-dials cl-narrow",
                "dials.js",
                "real_",
                value=FIRST,
                prefix="real",
                dials=[
                    {"key": "n", "steps": list(ORDERS), "fraction": True},
                    {"key": "pool", "steps": [count for count in POOLS if count <= FIRST["draws"] // 4]},
                    {"key": "draws", "steps": steps},
                    {"key": "seed", "seed": True},
                ],
                elem_id="real-dials",
            )
            with gr.Row(elem_classes="cl-go"):
                go = gr.Button(say("real_go"), variant="primary", scale=3, min_width=140, elem_id="real-go")
    drawing = views.view(
        *("cl-real", "real.js", "real_", "prices_", "token_", "share_"), helpers=views.CHARTS, elem_id="real"
    )
    with gr.Row(elem_classes="cl-go"):
        measure = gr.Button(say("tradeoff_go"), scale=3, min_width=140, elem_id="tradeoff-go")
        stop = gr.Button(say("tradeoff_stop"), variant="stop", scale=1, min_width=90, elem_id="tradeoff-stop")
    curves = views.view(
        *("cl-tradeoff", "tradeoff.js", "tradeoff_", "share_"), helpers=views.CHARTS, elem_id="tradeoff"
    )
    inputs, asked = [prompt, model, dials], gr.State(False)
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    long: dict[str, Any] = {"concurrency_id": LONG, "concurrency_limit": 1, **private}

    @told
    def begin(*values: Any) -> dict[str, Any]:
        return study(bench, *values)

    @told
    def follow(before: bool, *values: Any) -> Any:
        return study(bench, *values) if before else gr.skip()

    @told
    def curve(name: str) -> Iterator[dict[str, Any]]:
        yield from paced(tradeoff(bench, name))

    asking = [go.click, prompt.submit]
    gr.on(asking, lambda: True, None, asked, queue=False, **private)  # at once: a dial turned meanwhile is followed
    gr.on(asking, begin, inputs, drawing, trigger_mode="once", **long)
    changes = [prompt.change, model.change, dials.change]
    gr.on(changes, follow, [asked, *inputs], drawing, trigger_mode="always_last", **long)
    running = measure.click(curve, model, curves, trigger_mode="once", **long)
    stop.click(stopped, curves, curves, cancels=[running], queue=False, **private)
    views.examples_of_model(bench, model, prompt, chips, prompts_for)
    return [
        links.Field("prompt", prompt, links.text(limits)),
        links.Field("model", model, links.one_of(entries)),
        links.Field("n", dials, links.one_of(ORDERS), "n"),
        links.Field("batch", dials, links.one_of(POOLS), "pool"),
        links.Field("draws", dials, links.one_of(DRAWS), "draws"),
        links.Field("noise", dials, links.SEED, "seed"),
    ]
