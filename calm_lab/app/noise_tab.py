"""The tab "Noise dial": a text falls apart under noise, and how much of it each autoencoder bears (paper sec. 2.2).

The text at every sigma is one ``calm_lab.lab.falling.fall``, so that turning the dial asks nothing of the server. The
curves of bundled autoencoders on unseen tales were measured once (``calm_lab.lab.noise_results``); those on the
visitor's text are measured here.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from calm_lab.app import links, views
from calm_lab.app.bench import QUICK, Bench, Opening
from calm_lab.app.guard import told
from calm_lab.app.limits import MAX_SEED
from calm_lab.app.refusals import refusal
from calm_lab.app.words import say
from calm_lab.errors import CalmLabError
from calm_lab.lab import examples, noise_results
from calm_lab.lab.falling import STEPS, fall
from calm_lab.lab.noise_sweep import BIN_WIDTH, SIGMAS, NoisePoint, Profile, noise_sweep, profile
from calm_lab.lab.vectors import text_ids

ID = "noise"
TITLE = "noise_tab"
FIRST_SIGMA = 0.5
DECODED, MOST_DRAWS = 3000, 32  # chunks decoded for the curve of one text at most, and draws of its noise
SWEEP = "noise"
"""Concurrency id of the curves, so that they do not hold up the text."""
PYTHON = """\
import calm_lab
from calm_lab.lab.noise_sweep import noise_sweep, profile
from calm_lab.lab.panels import Panel, Series, panels_figure
from calm_lab.lab.vectors import text_ids

model = calm_lab.load_autoencoder({model!r})
ids = text_ids(model, {text!r})
points, found = noise_sweep(model, ids, draws={draws}, seed={seed}), profile(model, ids)
print(f"learned sigma {{found.mean_sigma:.3f}}, {{found.collapsed}} of {{len(found.kl_bits)}} coordinates collapsed")

sigmas = [p.sigma for p in points]
back = Series("tokens that come back", sigmas, [p.value for p in points], "sample", "dots",
              [(p.high - p.low) / 2 for p in points])
bits = sorted(found.kl_bits, reverse=True)
panels_figure([
    Panel("under noise", [back], "noise sigma", "share"),
    Panel("KL of each coordinate", [Series("", range(1, len(bits) + 1), bits)], "coordinates, sorted", "bits"),
])
"""


def falling(bench: Bench, text: Any, seed: Any, model: str) -> dict[str, Any]:
    """The value of the text: what it says at every sigma, or the one-line reason why there is nothing."""
    try:
        bench.limits.check_text(text, "text")
        number = bench.limits.check_number(seed, "the noise seed", 0, MAX_SEED)
        if not text:
            return {"empty": True}
        autoencoder = bench.shelf.autoencoder(model)
        return fall(autoencoder, text, number, max_tokens=bench.limits.shown_tokens).to_dict()
    except CalmLabError as error:
        return refusal(error)


def curves(bench: Bench, text: Any, seed: Any, model: str) -> dict[str, Any]:
    """The value of the curves: every autoencoder on unseen tales, the chosen one on this text as well.

    A text that cannot be measured leaves the tales: the reason stands where the text does.
    """
    try:
        chosen: str | None = bench.shelf.entry("autoencoder", model).name
    except CalmLabError:
        chosen = None
    value: dict[str, Any] = {
        "bin_width": BIN_WIDTH,
        "chosen": chosen,
        "models": _models(bench),
        "own": {},
        "python": "",
    }
    if chosen and _fits(bench, text, seed, chosen):
        value["own"] = {chosen: _measured(bench, text, int(seed), chosen)}
        draws = value["own"][chosen]["draws"]
        value["python"] = PYTHON.format(
            model=bench.shelf.entry("autoencoder", chosen).address, text=text, draws=draws, seed=int(seed)
        )
    return value


def compare(bench: Bench, text: Any, seed: Any, model: str) -> Iterator[dict[str, Any]]:
    """The same, then every other autoencoder on this text, one after another.

    Yields:
        The value of the curves so far.
    """
    value = curves(bench, text, seed, model)
    for row in value["models"] if value["own"] else []:
        if row["name"] not in value["own"] and _fits(bench, text, seed, row["name"]):
            yield {**value, "running": True}
            value["own"] = value["own"] | {row["name"]: _measured(bench, text, int(seed), row["name"])}
    yield value


def _fits(bench: Bench, text: Any, seed: Any, model: str) -> bool:
    """Whether there is a text that this autoencoder may be asked about."""
    try:
        bench.limits.check_number(seed, "the noise seed", 0, MAX_SEED)
        bench.limits.check_text(text, "text")
        text_ids(bench.shelf.autoencoder(model), text, bench.limits.shown_tokens)
    except CalmLabError:
        return False
    return True


def _models(bench: Bench) -> list[dict[str, Any]]:
    rows = []
    for entry in bench.shelf.entries("autoencoder").values():
        config = entry.config
        found = _kept(entry.folder, (entry.folder / "config.json").stat().st_mtime_ns)
        rows.append(
            {
                "name": entry.name,
                "rule": noise_results.rule(config) or "other",
                "k": config.get("chunk_size"),
                "width": config.get("hidden_size"),
            }
            | {"floor": config.get("kl_clip") if config.get("kl_weight") else 0, "kept": found}
        )
    return rows


@functools.lru_cache(maxsize=64)
def _kept(folder: Path, changed: int) -> dict[str, Any] | None:
    found = noise_results.stored(folder)
    return _plain(*found, draws=1) if found else None


def _measured(bench: Bench, text: str, seed: int, model: str) -> dict[str, Any]:
    autoencoder = bench.shelf.autoencoder(model)
    ids = text_ids(autoencoder, text)
    each = ids.shape[1] // autoencoder.config.chunk_size * len(SIGMAS)
    draws = max(1, min(MOST_DRAWS, DECODED // each))
    return _plain(noise_sweep(autoencoder, ids, draws=draws, seed=seed), profile(autoencoder, ids), draws)


def _plain(points: list[NoisePoint], found: Profile, draws: int) -> dict[str, Any]:
    return {
        "points": [[p.sigma, round(p.value, 6), round(p.low, 6), round(p.high, 6)] for p in points],
        "tokens": points[0].total,
        "draws": draws,
        "kl_bits": [round(bits, 4) for bits in found.kl_bits],
        "sigma_counts": list(found.sigma_counts),
        "mean_sigma": found.mean_sigma,
        "size": found.size,
        "collapsed": found.collapsed,
        "chunks": found.chunks,
    }


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    entries = bench.shelf.entries("autoencoder")
    gr.Markdown(say("noise_look"), elem_classes="cl-look")
    with gr.Row(elem_classes="cl-panel", equal_height=False):
        with gr.Column(scale=3, min_width=300):
            text, chips = views.text_box("noise_text", "noise-text", examples.TEXTS, "vectors_placeholder")
        with gr.Column(scale=2, min_width=280):
            dial = views.view(
                "cl-dials cl-one-dial",
                "dials.js",
                "noise_",
                value={"sigma": FIRST_SIGMA},
                prefix="noise",
                dials=[{"key": "sigma", "steps": STEPS}],
                elem_id="noise-dials",
            )
            seed = views.seed_row("noise", examples.SEED)
            model = views.model_menu(entries, "noise_model", "noise-model")
    spoiled = views.view("cl-falling", "falling.js", "falling_", "token_", elem_id="falling", min_height=200)
    drawing = views.view(
        "cl-sweep", "sweep.js", "sweep_", "share_", helpers=views.CHARTS, elem_id="sweep", min_height=420
    )
    with gr.Accordion(say("noise_how"), open=False, elem_classes="cl-how"):
        gr.Markdown(say("noise_how_text"), latex_delimiters=views.LATEX)

    inputs = [text, seed, model]
    private: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    @told
    def retell(*values: Any) -> dict[str, Any]:
        return falling(bench, *values)

    @told
    def remeasure(*values: Any) -> dict[str, Any]:
        return curves(bench, *values)

    @told
    def all_of_them(*values: Any) -> Iterator[dict[str, Any]]:
        yield from compare(bench, *values)

    @told
    def fill(*values: Any) -> Iterator[list[Any]]:
        yield [falling(bench, *values), gr.skip()]
        yield [gr.skip(), curves(bench, *values)]

    changes = [text.change, seed.change, model.change]
    waits = bench.limits.waiting is not None
    gr.on(changes, retell, inputs, spoiled, trigger_mode="always_last", queue=waits, concurrency_id=QUICK, **private)
    gr.on(changes, remeasure, inputs, drawing, trigger_mode="always_last", concurrency_id=SWEEP, **private)
    drawing.select(all_of_them, inputs, drawing, concurrency_id=SWEEP, trigger_mode="once", **private)
    views.chips_write(chips, examples.TEXTS, text)

    views.sizes_follow(bench, model)
    fields = [
        links.Field("text", text, links.text(bench.limits)),
        links.Field("sigma", dial, links.one_of(STEPS), "sigma"),
        links.Field("seed", seed, links.SEED),
        links.Field("model", model, links.one_of(entries)),
    ]
    return Opening(fill, inputs, [spoiled, drawing], QUICK, fields)
