"""The tab "BrierLM": a model judged from its samples alone, on a language of known probabilities (paper sec. 4).

Everything shown comes from ``calm_lab.lab.brier_study`` and ``calm_lab.lab.brier_noise``; the models' scores are those
of their cards, and no model is loaded.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import gradio as gr

from calm_lab.app import links, views
from calm_lab.app.bench import Bench, Opening
from calm_lab.app.limits import MAX_SEED
from calm_lab.app.refusals import refusal
from calm_lab.app.shelf import Kind
from calm_lab.app.words import say
from calm_lab.errors import CalmLabError, InputError
from calm_lab.lab import brier_study
from calm_lab.lab.brier_noise import PLACES, Z_95, noise, paper_gap, scaled, scored
from calm_lab.lab.examples import SEED

ID = "brier"
TITLE = "brier_tab"
POSITIONS = (100, 300, 1000, 3000, 10_000, 30_000, 100_000)
DIALS = tuple(step / 20 for step in range(-20, 21))
FIRST: dict[str, Any] = {"language": "prose", "dial": 0.2, "positions": 10_000, "seed": SEED}
KINDS: tuple[Kind, ...] = ("calm", "transformer")
PYTHON = """\
import matplotlib.pyplot as plt
from calm_lab.lab.brier_study import convergence, exact, known_language, turned

language = known_language("{language}")
model = turned(language, {dial})  # 0 is the language's own law
points = convergence(language, model, positions={positions}, seed={seed})

places, scores = [p.positions for p in points], [p.brier_lm for p in points]
plt.errorbar(places, scores, [2 * p.brier_lm_error for p in points], fmt="o")
plt.axhline(exact(language, {dial}).brier_lm, label="exact")
plt.axhline(language.brier_ceiling().brier_lm, linestyle=":", label="the language itself")
plt.xscale("log")
plt.xlabel("positions")
plt.ylabel("BrierLM")
plt.legend()
plt.show()
"""


def study(bench: Bench, settings: Any) -> dict[str, Any]:
    """The value of the drawing: the study as plain data, or the one-line reason why there is none."""
    try:
        language, dial, positions, seed = _checked(bench, settings)
        return {**_study(language, dial, positions, seed), "models": _models(bench)}
    except CalmLabError as error:
        return refusal(error)


def _checked(bench: Bench, settings: Any) -> tuple[str, float, int, int]:
    if not isinstance(settings, dict):
        raise InputError("the settings must be an object with language, dial, positions and seed")
    dial = settings.get("dial")
    if isinstance(dial, bool) or not isinstance(dial, int | float):
        raise InputError("the dial must be a number from -1 to 1")
    positions = bench.limits.check_number(settings.get("positions"), "positions", 2, bench.limits.positions)
    seed = bench.limits.check_number(settings.get("seed"), "the seed", 0, MAX_SEED)
    return str(settings.get("language")), float(dial), positions, seed


@functools.lru_cache(maxsize=64)
def _study(name: str, dial: float, positions: int, seed: int) -> dict[str, Any]:
    language = brier_study.known_language(name)
    curve = brier_study.convergence(language, brier_study.turned(language, dial), positions, seed)
    now, best = brier_study.exact(language, dial), brier_study.exact(language, 0)
    return {
        "language": name,
        "entropy": language.entropy_bits(),
        "dial": dial,
        "positions": positions,
        "exact": {"values": now.values, "lm": _some(now.brier_lm)},
        "ceiling": {"values": best.values, "lm": best.brier_lm},
        "curve": [_point(point) for point in curve],
        "dials": _dials(name),
        "trap": [
            {"name": trap.name, "values": trap.values, "released": trap.released, "ours": _some(trap.ours)}
            for trap in brier_study.sign_trap(language, dial)
        ],
        "gap": _gap(positions),
        "python": PYTHON.format(language=name, dial=dial, positions=positions, seed=seed),
        "rows": [_row(point, now) for point in curve],
    }


def _point(point: brier_study.Point) -> dict[str, Any]:
    score, error = _some(point.brier_lm), _some(point.brier_lm_error)
    return {"n": point.positions, "values": point.values, "errors": point.errors, "lm": score, "lm_error": error}


def _row(point: brier_study.Point, exact: brier_study.Turn) -> dict[str, Any]:
    row: dict[str, Any] = {"positions": point.positions, "brier_lm": _some(point.brier_lm)}
    row |= {"brier_lm_standard_error": _some(point.brier_lm_error), "brier_lm_exact": _some(exact.brier_lm)}
    for n, (value, error, known) in enumerate(zip(point.values, point.errors, exact.values, strict=True), 1):
        row |= {f"brier_{n}": value, f"brier_{n}_standard_error": error, f"brier_{n}_exact": known}
    return row


@functools.lru_cache(maxsize=8)
def _dials(name: str) -> list[dict[str, Any]]:
    curve = brier_study.dial_curve(brier_study.known_language(name))
    return [{"dial": turn.dial, "lm": _some(turn.brier_lm)} for turn in curve]


def _gap(positions: int) -> dict[str, Any]:
    gap = paper_gap(positions)
    four = scaled(gap.noise.brier_lm)
    curve = [(place, noise(four, place)) for place in PLACES]
    return {
        "size": gap.size,
        "positions": positions,
        "low": Z_95 * gap.noise.low,
        "high": Z_95 * gap.noise.high,
        "verdict": gap.verdict,
        "enough_low": gap.enough_low,
        "enough_high": gap.enough_high,
        "curve": [{"n": place, "low": Z_95 * found.low, "high": Z_95 * found.high} for place, found in curve],
    }


def _models(bench: Bench) -> list[dict[str, Any]]:
    rows = (
        scored(entry.name, kind, entry.config, entry.card)
        for kind in KINDS
        for entry in bench.shelf.entries(kind).values()
    )
    return [{**dataclasses.asdict(row), "share": row.share} for row in rows]


def _some(value: float) -> float | None:
    return value if math.isfinite(value) else None


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    limit = bench.limits.positions
    gr.Markdown(say("brier_look"), elem_classes="cl-look")
    dials = views.view(
        "cl-dials cl-panel",
        "dials.js",
        "brier_",
        value={**FIRST, "positions": min(FIRST["positions"], limit)},
        prefix="brier",
        dials=[
            {"key": "dial", "steps": DIALS, "named": True},
            {"key": "positions", "steps": [places for places in POSITIONS if places <= limit]},
            {"key": "language", "choices": list(brier_study.LANGUAGES)},
            {"key": "seed", "seed": True},
        ],
        elem_id="brier-dials",
    )
    drawing = views.view(
        "cl-brier", "brier.js", "brier_", "share_", helpers=views.CHARTS, elem_id="brier", min_height=420
    )
    with gr.Accordion(say("brier_how"), open=False, elem_classes="cl-how"):
        gr.Markdown(say("brier_how_text"), latex_delimiters=views.LATEX)

    fields = [
        links.Field("dial", dials, links.one_of(DIALS), "dial"),
        links.Field("positions", dials, links.whole(2, limit), "positions"),
        links.Field("language", dials, links.one_of(brier_study.LANGUAGES), "language"),
        links.Field("seed", dials, links.SEED, "seed"),
    ]
    return views.follow(bench, dials, drawing, study, fields)
