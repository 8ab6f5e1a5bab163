"""The tab "Temperature": a known law, what both samplers return at a temperature, and what it costs (paper sec. 5).

Everything shown is a run of ``calm_lab.lab.tempering``. The draws at the temperature set answer at once; the curves
over all temperatures and pools are another event, and are kept for every law, n and seed. A trained CALM is measured in
``tempering_panel``.
"""

from __future__ import annotations

import functools
from typing import Any

import gradio as gr

from calm_lab.app import links, tempering_panel, views
from calm_lab.app.bench import STUDY, Bench, Opening, plain
from calm_lab.app.guard import told
from calm_lab.app.limits import MAX_SEED
from calm_lab.app.words import say
from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.lab import tempering
from calm_lab.lab.examples import SEED
from calm_lab.toolkit.laws import tempered
from calm_lab.toolkit.temperature import split_exponent

ID = "temperature"
TITLE = "tempering_tab"
LOWEST = 0.1
FIRST_LAW, FIRST_T, FIRST_POOL, MAX_POOL = "three", 1 / 3, 16, 256
SAMPLES, CURVE_SAMPLES = 4000, 1000


def read_settings(weights: Any, temperature: Any) -> tuple[tuple[float, ...], float]:
    """The law and the temperature as the page sends them.

    Raises:
        InputError: if they are none.
    """
    numbers = weights if isinstance(weights, list) else []
    if any(isinstance(w, bool) or not isinstance(w, int | float) for w in numbers):
        raise InputError("the weights of a law must be numbers")
    law = tempering.check_law(numbers)
    if isinstance(temperature, bool) or not isinstance(temperature, int | float):
        raise InputError("the temperature must be a number")
    if not LOWEST <= temperature <= 1:
        raise InputError(f"the temperature must lie between {LOWEST:g} and 1, not {temperature:g}")
    return tuple(law.tolist()), float(temperature)


def study(bench: Bench, weights: Any, temperature: Any, pool: Any, seed: Any) -> dict[str, Any]:
    """The value of the board: P, P_T, and what each sampler returned at this temperature.

    Raises:
        CalmLabError: for settings out of range.
    """
    probabilities, t = read_settings(weights, temperature)
    number = bench.limits.check_number(seed, "the seed", 0, MAX_SEED)
    size = bench.limits.check_number(pool, "the pool", 1, MAX_POOL)
    law = tempering.check_law(probabilities)
    n, rest = split_exponent(t)
    exact = tempering.run_exact(law, t, SAMPLES, generator(number))
    batch = None if rest else tempering.run_batch(law, n, size, SAMPLES, generator(number + 1))
    return {
        "law": list(probabilities),
        "goal": tempered(law, t).tolist(),
        "temperature": t,
        "n": n,
        "pool": size,
        "seed": number,
        "wanted": SAMPLES,
        "exact": plain(exact),
        "batch": plain(batch) if batch else None,
    }


def prices(bench: Bench, weights: Any, temperature: Any, pool: Any, seed: Any) -> dict[str, Any]:
    """The value of the curves: price and acceptance against T, and the batch sampler's shortfall against N.

    Raises:
        CalmLabError: for settings out of range.
    """
    probabilities, t = read_settings(weights, temperature)
    number = bench.limits.check_number(seed, "the seed", 0, MAX_SEED)
    size = bench.limits.check_number(pool, "the pool", 1, MAX_POOL)
    nearest = round(1 / t)
    return {
        **_prices(probabilities, number),
        "shortfall": _shortfall(probabilities, nearest, number),
        "law": list(probabilities),
        "temperature": t,
        "n": nearest,
        "pool": size,
        "seed": number,
        "samples": CURVE_SAMPLES,
    }


@functools.lru_cache(maxsize=64)
def _prices(probabilities: tuple[float, ...], seed: int) -> dict[str, Any]:
    law = tempering.check_law(probabilities)
    most = round(1 / LOWEST)
    between = [
        tempering.price_curve(law, [1 / (n + share) for share in (0.001, *(i / 12 for i in range(1, 12)), 0.999)])
        for n in range(1, most)
    ]
    return {
        "between": plain(between),
        "whole": plain(tempering.price_curve(law, [1 / n for n in range(1, most + 1)])),
        "measured": [plain(run) for run in tempering.measure_prices(law, CURVE_SAMPLES, seed)],
    }


@functools.lru_cache(maxsize=64)
def _shortfall(probabilities: tuple[float, ...], n: int, seed: int) -> list[dict[str, Any]]:
    law = tempering.check_law(probabilities)
    return [plain(point) for point in tempering.shortfall_curve(law, n, 2 * CURVE_SAMPLES, seed)]


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    gr.Markdown(say("tempering_look"), elem_classes="cl-look")
    with gr.Row(elem_classes="cl-panel", equal_height=False):
        with gr.Column(scale=3, min_width=300):
            law = views.view(
                "cl-law",
                "law.js",
                "tempering_",
                value=list(tempering.PRESETS[FIRST_LAW]),
                helpers=("chart.js",),
                elem_id="law",
            )
            with gr.Row(elem_classes="cl-chips"):
                chips = {
                    name: gr.Button(say(f"tempering_{name}"), size="sm", min_width=0) for name in tempering.PRESETS
                }
        with gr.Column(scale=2, min_width=280):
            heat = views.view(
                "cl-temperature cl-dial",
                "dial.js",
                "tempering_",
                value=FIRST_T,
                low=LOWEST,
                prefix="tempering",
                elem_id="heat",
            )
            pool = gr.Slider(1, MAX_POOL, FIRST_POOL, step=1, label=say("tempering_pool"), elem_id="tempering-pool")
            seed = views.seed_row("tempering", SEED)
    board = views.view(
        "cl-tempering",
        "tempering.js",
        "tempering_",
        "share_",
        helpers=views.CHARTS,
        elem_id="tempering",
        min_height=420,
    )
    curves = views.view(
        "cl-prices", "prices.js", "prices_", "share_", helpers=views.CHARTS, elem_id="prices", min_height=320
    )
    further = tempering_panel.build(bench)
    with gr.Accordion(say("tempering_how"), open=False, elem_classes="cl-how"):
        gr.Markdown(say("tempering_how_text"), latex_delimiters=views.LATEX)

    inputs = [law, heat, pool, seed]
    changes = [law.change, heat.change, pool.change, seed.change]
    options: dict[str, Any] = {
        "show_progress": "hidden",
        "trigger_mode": "always_last",
        "queue": bench.limits.waiting is not None,
        "concurrency_id": STUDY,
        "api_visibility": "private",
    }

    @told
    def redraw(*values: Any) -> dict[str, Any]:
        return study(bench, *values)

    @told
    def measure(*values: Any) -> dict[str, Any]:
        return prices(bench, *values)

    @told
    def nearest(event: gr.EventData) -> float:
        return 1 / bench.limits.check_number(getattr(event, "n", None), "n of T = 1/n", 1, round(1 / LOWEST))

    @told
    def fill(*values: Any) -> list[Any]:
        return [study(bench, *values), prices(bench, *values)]

    drawn = gr.on(changes, redraw, inputs, board, **options)
    drawn.then(measure, inputs, curves, **options)  # after the board, so that it does not wait
    board.select(nearest, None, heat, queue=False, api_visibility="private")
    for name, chip in chips.items():
        weights = list(tempering.PRESETS[name])
        chip.click(lambda weights=weights: weights, None, law, queue=False, api_visibility="private")
    weights_of = links.reals(0, 1e6, 2, tempering.MAX_OUTCOMES)
    fields = [
        links.Field("law", law, lambda said: tempering.check_law(weights_of(said)).tolist()),
        links.Field("t", heat, links.real(LOWEST, 1)),
        links.Field("pool", pool, links.whole(1, MAX_POOL)),
        links.Field("seed", seed, links.SEED),
        *further,
    ]
    return Opening(fill, inputs, [board, curves], STUDY, fields)
