"""The tab "Energy score": two clouds to drag, and a small network that learns by the score (paper sec. 3.2, 3.3).

The plane is computed in the browser while it is dragged, by the formulas of ``calm_lab.lab.energy_plane``; the network
is trained here, by ``calm_lab.lab.energy_training``, and sent look by look. A trained CALM is scored in
``positions_panel``.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterator
from typing import Any

import gradio as gr

from calm_lab.app import links, positions_panel, views
from calm_lab.app.bench import FIT, Bench, Opening
from calm_lab.app.guard import told
from calm_lab.app.limits import MAX_SEED
from calm_lab.app.runs import stopped
from calm_lab.app.words import say
from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.lab import energy_training as network
from calm_lab.lab.energy_plane import LIMIT, MAX_SAMPLES, MAX_TARGETS, Plane, plane_noise
from calm_lab.lab.examples import SEED

ID = "energy"
TITLE = "energy_tab"
SHOWN_TARGETS = 200
LEAST_ALPHA, MAX_SPREAD = 0.1, 1.5  # as far as the sliders of energy.js go

_runs = itertools.count(1)


def plane_value(bench: Bench, seed: float, before: Any = None) -> dict[str, Any]:
    """What the plane needs: its settings, kept from ``before`` where there are any, and noise by the seed.

    Raises:
        InputError: for a seed that is none.
    """
    number = bench.limits.check_number(seed, "the seed", 0, MAX_SEED)
    start = Plane(seed=number)
    settings = {
        "alpha": start.alpha,
        "n": start.num_samples,
        "m": start.num_targets,
        "cloud": list(start.cloud),
        "spread": start.spread,
        "target": list(start.target),
        "target_spread": start.target_spread,
    }
    if isinstance(before, dict):
        settings |= {key: before[key] for key in settings if key in before}
    samples, targets = plane_noise(number)
    return {**settings, "seed": number, "noise": {"samples": _text(samples), "targets": _text(targets)}}


def train(bench: Bench, plane: Any, seed: float) -> Iterator[dict[str, Any]]:
    """Train the network with the alpha, N and M of the plane.

    Yields:
        The value of the two panes so far: settings, status (running, done), the looks and the latest points.

    Raises:
        CalmLabError: for settings out of range.
    """
    settings = plane if isinstance(plane, dict) else {}
    limits = bench.limits
    number = limits.check_number(seed, "the seed", 0, MAX_SEED)
    n = limits.check_number(settings.get("n"), "N", 2, MAX_SAMPLES)
    m = limits.check_number(settings.get("m"), "M", 1, MAX_TARGETS)
    alpha = settings.get("alpha")
    if not isinstance(alpha, int | float) or isinstance(alpha, bool) or not 0 < alpha <= 2:
        raise InputError(f"alpha must be a number above 0 and at most 2, not {str(alpha)[:40]}")
    value = {**_target(alpha, n, m, number), "run": next(_runs)}
    looks: list[dict[str, Any]] = []
    points = "[]"
    for look in network.train_two_modes(alpha, n, m, number):
        points = _text(look.points)
        looks.append(_plain(look))
        yield {**value, "status": "running", "looks": list(looks), "points": points}
    yield {**value, "status": "done", "looks": list(looks), "points": points}


def untrained(bench: Bench, seed: float) -> dict[str, Any]:
    """The value of the panes before anything was trained: the target, and what a new network draws."""
    number = bench.limits.check_number(seed, "the seed", 0, MAX_SEED)
    plane = Plane()
    look = next(network.train_two_modes(plane.alpha, plane.num_samples, plane.num_targets, number))
    value = _target(plane.alpha, plane.num_samples, plane.num_targets, number)
    return {**value, "run": 0, "status": "ready", "looks": [_plain(look)], "points": _text(look.points)}


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    gr.Markdown(say("energy_look"), elem_classes="cl-look")
    plane = views.view(
        "cl-energy", "energy.js", "energy_", "share_", helpers=views.CHARTS, elem_id="energy-plane", min_height=420
    )
    gr.Markdown(say("training_look"), elem_classes="cl-look")
    with gr.Row(elem_classes="cl-panel", equal_height=False):
        with gr.Column(scale=1, min_width=280):
            seed = views.seed_row("energy", SEED)
        with gr.Column(scale=1, min_width=280, elem_classes="cl-train"), gr.Row(elem_classes="cl-go"):
            go = gr.Button(say("training_go"), variant="primary", scale=3, min_width=140, elem_id="training-go")
            stop = gr.Button(say("training_stop"), variant="stop", scale=1, min_width=90, elem_id="training-stop")
    panes = views.view(
        "cl-training", "training.js", "training_", "share_", helpers=views.CHARTS, elem_id="training", min_height=420
    )
    further = positions_panel.build(bench)
    with gr.Accordion(say("energy_how"), open=False, elem_classes="cl-how"):
        gr.Markdown(say("energy_how_text"), latex_delimiters=views.LATEX)

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

    @told
    def redraw(value: Any, number: float) -> dict[str, Any]:
        return plane_value(bench, number, value)

    @told
    def stream(value: Any, number: float) -> Iterator[dict[str, Any]]:
        yield from train(bench, value, number)

    @told
    def fill(value: Any, number: float) -> list[Any]:
        return [plane_value(bench, number, value), untrained(bench, number)]

    seed.change(redraw, [plane, seed], plane, queue=False, trigger_mode="always_last", **private)
    running = go.click(
        stream, [plane, seed], panes, concurrency_id=FIT, concurrency_limit=1, trigger_mode="once", **private
    )
    stop.click(stopped, panes, panes, cancels=[running], queue=False, **private)
    side = links.reals(-LIMIT, LIMIT, 2, 2)
    fields = [
        links.Field("alpha", plane, links.real(LEAST_ALPHA, 2), "alpha"),
        links.Field("n", plane, links.whole(2, MAX_SAMPLES), "n"),
        links.Field("m", plane, links.whole(1, MAX_TARGETS), "m"),
        links.Field("cloud", plane, side, "cloud"),
        links.Field("spread", plane, links.real(0, MAX_SPREAD), "spread"),
        links.Field("target", plane, side, "target"),
        links.Field("target_spread", plane, links.real(0, MAX_SPREAD), "target_spread"),
        links.Field("seed", seed, links.SEED),
        *further,
    ]
    return Opening(fill, [plane, seed], [plane, panes], FIT, fields)


def _target(alpha: float, n: int, m: int, seed: int) -> dict[str, Any]:
    return {
        "alpha": alpha,
        "n": n,
        "m": m,
        "seed": seed,
        "steps": network.STEPS,
        "best": network.best_score(alpha),
        "mean": network.target_mean(),
        "true_shares": network.SHARES,
        "true_spread": network.target_spread(),
        "targets": _text(network.target_points(SHOWN_TARGETS, generator(seed))),
    }


def _plain(look: network.Snapshot) -> dict[str, Any]:
    kept = {key: value for key, value in dataclasses.asdict(look).items() if key != "points"}
    return {key: round(value, 5) if isinstance(value, float) else value for key, value in kept.items()}


def _text(points: Any) -> str:
    """Points as text: gradio copies a component's value often, and a list number by number."""
    return json.dumps([[round(x, 3), round(y, 3)] for x, y in points.tolist()])
