"""The tab "What K buys": a FLOPs calculator, the paper's Table 1 beside our counts, and what the table leaves out.

Counts come from ``calm_lab.lab.calculator``, ``table1`` and ``fine_print``, our own runs from
``calm_lab.lab.measured``. Nothing is trained or loaded here.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import gradio as gr

from calm_lab.app import links, views
from calm_lab.app.bench import Bench, Opening
from calm_lab.app.finding_words import finding_data, remark_data
from calm_lab.app.refusals import refusal
from calm_lab.app.words import say
from calm_lab.errors import CalmLabError, InputError
from calm_lab.lab.calculator import PAPER_SIZES, Sizes, calculate
from calm_lab.lab.cost import Flops
from calm_lab.lab.fine_print import decoder_share, frontier, low_temperature_cost
from calm_lab.lab.measured import results
from calm_lab.lab.reproduction.cells import SCALES
from calm_lab.lab.reproduction.results import ASSETS, Store
from calm_lab.lab.table1 import PAPER_TABLE_1, headline, k_sweep, table_1

ID = "k-buys"
TITLE = "cost_tab"
SCALE = "nano"
OFFICIAL_POOL = 200  # draws a step of the released code below temperature 1
STEPS = {
    "chunk_size": (1, 2, 4, 8, 16),
    "pool": (1, 2, 4, 8, 16, 32, 50, 100, 200, 500, 1000),
    "hidden_size": (256, 512, 768, 1024, 1536, 2048, 2560, 4096),
    "layers": (4, 8, 12, 16, 24, 32, 48),
    "vocab_size": (2048, 8192, 32_000, 65_536, 128_257, 256_000),
    "samples": (2, 4, 8, 12, 16, 32),
    "context": (256, 512, 1024, 2048, 4096, 8192, 16_384),
}
PYTHON = """\
import matplotlib.pyplot as plt
from calm_lab.lab.calculator import Sizes, calculate

answer = calculate(Sizes({sizes}))
print(f"training {{answer.training:+.0%}}, generation {{answer.inference:+.0%}} against the Transformer of equal size")
print(f"generation breaks even at {{answer.even_pool}} draws a step")

bars = {{"Transformer": answer.transformer}} | {{f"K = {{k}}": cost for k, cost in answer.by_chunk_size.items()}}
figure, panels = plt.subplots(1, 2, sharey=True)
for panel, spent in zip(panels, ("training", "inference")):
    for place, cost in enumerate(bars.values()):
        left = 0
        for number, (part, flops) in enumerate(getattr(cost, spent).to_dict().items()):
            if part != "total":
                panel.barh(place, flops, left=left, color=f"C{{number}}", label=part)
                left += flops
    panel.set_yticks(range(len(bars)), bars)
    panel.set_xlabel(f"FLOPs a token, {{spent}}")
plt.show()
"""


def count(bench: Bench, settings: Any) -> dict[str, Any]:
    """The value of the drawing: the calculator's answer and the paper's tables, or the one-line reason why not."""
    try:
        if not isinstance(settings, dict) or set(settings) - set(STEPS):
            raise InputError(f"the settings must be an object with some of {', '.join(STEPS)}")
        sizes = Sizes(**{key: _whole(value) for key, value in settings.items()})
        return _answer(sizes) | _paper(sizes.pool if sizes.pool > 1 else OFFICIAL_POOL) | {"own": _own(_changed())}
    except CalmLabError as error:
        return refusal(error)


def _whole(value: Any) -> Any:
    """A whole number that came over the wire as a float; anything else is left for ``Sizes`` to refuse."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


@functools.lru_cache(maxsize=256)
def _answer(sizes: Sizes) -> dict[str, Any]:
    answer = calculate(sizes)
    settings = dataclasses.asdict(sizes)
    bars = {"transformer": answer.transformer} | {str(k): cost for k, cost in answer.by_chunk_size.items()}
    return {
        "sizes": settings,
        "parameters": {"calm": answer.calm.total_parameters, "transformer": answer.transformer.total_parameters},
        "training": answer.training,
        "inference": answer.inference,
        "even_pool": answer.even_pool,
        "vocabulary": answer.calm.inference.share("output"),
        "bars": [{"name": name, **_spent(cost)} for name, cost in bars.items()],
        "python": PYTHON.format(sizes=", ".join(f"{name}={value}" for name, value in settings.items())),
        "rows": [row for name, cost in bars.items() for row in _rows(name, cost)],
    }


def _spent(cost: Flops) -> dict[str, Any]:
    return {"training": cost.training.to_dict(), "inference": cost.inference.to_dict()}


def _rows(name: str, cost: Flops) -> list[dict[str, Any]]:
    which = {"model": name if name == "transformer" else "calm", "K": cost.chunk_size, "pool": cost.pool}
    return [
        {**which, "phase": phase, "part": part, "flops_per_token": flops}
        for phase, parts in _spent(cost).items()
        for part, flops in parts.items()
    ]


@functools.lru_cache(maxsize=16)
def _paper(pool: int) -> dict[str, Any]:
    shares = {share.model: share for share in decoder_share()}
    pools = {row.model: row for row in low_temperature_cost(pool)}
    rows = []
    for row in table_1():
        name = row.paper.model
        rows.append(
            row.to_dict()
            | {"vocabulary": shares[name].vocabulary_share}
            | ({"pooled": pools[name].per_token, "over": pools[name].over_transformer} if name in pools else {})
        )
    points = {row.model: row for row in PAPER_TABLE_1}
    return {
        "pool": pool,
        "table": rows,
        "headline": [dataclasses.asdict(pair) for pair in headline()],
        "points": [
            {"name": name, "training": row.training, "inference": row.inference, "brier_lm": row.brier_lm}
            | {"pooled": pools[name].per_token if name in pools else None}
            for name, row in points.items()
        ],
        "sweep": [{"k": row.chunk_size, "training": row.paper_training, "brier_lm": row.brier_lm} for row in k_sweep()],
        "frontier": [dataclasses.asdict(row) for row in frontier()],
    }


def _changed() -> int:
    """When a result file was last added; 0 without any."""
    folder = ASSETS / SCALE
    return folder.stat().st_mtime_ns if folder.is_dir() else 0


@functools.lru_cache(maxsize=2)
def _own(changed: int) -> dict[str, Any]:
    found = results(SCALES[SCALE], Store(ASSETS / SCALE))
    points = [
        {"name": point.name, "family": point.family, "k": point.chunk_size, "runs": point.runs}
        | {"training": point.training, "inference": point.inference}
        | {"brier_lm": _some(point.brier_lm.mean), "half": _some(point.brier_lm.half)}
        for point in found.points
    ]
    return {
        "runs": found.runs,
        "wanted": found.wanted,
        "points": points,
        "findings": [finding_data(finding) for finding in found.findings],
        "remarks": [remark_data(remark) for remark in found.remarks],
    }


def _some(value: float) -> float | None:
    return value if math.isfinite(value) else None


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    gr.Markdown(say("cost_look"), elem_classes="cl-look")
    dials = views.view(
        "cl-dials cl-panel",
        "dials.js",
        "cost_",
        value=dataclasses.asdict(PAPER_SIZES["CALM-M"]),
        prefix="cost",
        dials=[{"key": key, "steps": steps, "note": key in ("pool", "samples")} for key, steps in STEPS.items()],
        presets=[{"name": name, "values": dataclasses.asdict(sizes)} for name, sizes in PAPER_SIZES.items()],
        elem_id="cost-dials",
    )
    drawing = views.view("cl-cost", "cost.js", "cost_", "share_", helpers=views.CHARTS, elem_id="cost", min_height=420)
    with gr.Accordion(say("cost_how"), open=False, elem_classes="cl-how"):
        gr.Markdown(say("cost_how_text"), latex_delimiters=views.LATEX)

    fields = [links.Field(key, dials, links.one_of(steps), key) for key, steps in STEPS.items()]
    return views.follow(bench, dials, drawing, count, fields)
