"""The pictures of docs/reproduction.md, drawn from the result files: the paper's Figs 3, 4, 5 and 8 to 11 as run here.

Transformers have the colour of the target, a CALM that of a sample, as everywhere. Bars are 95% t-intervals over seeds;
a point without a bar is one seed. A picture with nothing to show is not drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from calm_lab.lab.figures import StillFigure
from calm_lab.lab.measured import Measured, results
from calm_lab.lab.panels import Panel, Role, Series, panels_figure
from calm_lab.lab.reproduction.cells import Scale
from calm_lab.lab.reproduction.correlation import checkpoints
from calm_lab.lab.reproduction.curves import CurvePoint, learning_curve, sampler_curve
from calm_lab.lab.reproduction.grid import studies
from calm_lab.lab.reproduction.results import Interval, Store
from calm_lab.training.recipes import CalmRecipe

Sketch = Callable[[Scale, Store], list[Panel]]
BRIER = "BrierLM"


def sketches(scale: Scale, store: Store) -> dict[str, list[Panel]]:
    """What every picture shows, by the study it belongs to and its own name: ``heads-learning``. None of nothing."""
    found: dict[str, list[Panel]] = {}
    for name, sketch in SKETCHES.items():
        panels = [panel for panel in sketch(scale, store) if any(len(series.x) for series in panel.series)]
        if panels:
            found[name] = panels
    return found


def figures(scale: Scale, store: Store) -> dict[str, StillFigure]:
    """Every picture that has something to show, drawn, under the names of ``sketches``."""
    return {name: panels_figure(panels, height=3.4) for name, panels in sketches(scale, store).items()}


def frontier(scale: Scale, store: Store) -> list[Panel]:
    """BrierLM over FLOPs: a CALM of each width from K = 1 to 8, and the Transformers (Fig 4, Table 1)."""
    points = [point for point in results(scale, store).points if point.brier_lm.count]
    roles: tuple[Role, ...] = ("sample", "accent")
    lines: list[tuple[str, Role, list[Measured]]] = [
        ("token Transformer", "target", [point for point in points if point.name.startswith("transformer")])
    ]
    for role, width in zip(roles, scale.widths, strict=True):
        calms = [point for point in points if (point.family, point.width) == ("calm", width)]
        lines.append((f"CALM, d = {width}", role, sorted(calms, key=lambda point: point.chunk_size)))
    costs: dict[str, Callable[[Measured], float]] = {
        "training FLOPs": lambda point: point.training,
        "FLOPs a generated token": lambda point: point.inference,
    }
    return [
        Panel(
            f"{BRIER} over {what}",
            [_costly(label, role, line, cost) for label, role, line in lines],
            f"{what}, log",
            BRIER,
            log="x",
        )
        for what, cost in costs.items()
    ]


def _costly(label: str, role: Role, points: Sequence[Measured], cost: Callable[[Measured], float]) -> Series:
    names = [f"K={point.chunk_size}" if point.family == "calm" else f"{point.width}" for point in points]
    return _series(label, role, [cost(point) for point in points], [point.brier_lm for point in points], names)


def learning(scale: Scale, store: Store) -> list[Panel]:
    """BrierLM on the way, head by head (Fig 5)."""
    study = studies(scale)["heads"]
    series = [
        _over("step", label, role, learning_curve(study.cell(cell), study.seeds, store)) for cell, label, role in HEADS
    ]
    return [Panel("Learning, head by head", series, "step", f"{BRIER} (few positions)")]


def steps(scale: Scale, store: Store) -> list[Panel]:
    """BrierLM over calls of the head's network (Figs 8, 9); the energy head takes one."""
    study = studies(scale)["heads"]
    flow = sampler_curve(study.cell("flow"), study.seeds, store, "steps")
    series = [
        _over("calls", f"flow, {solver}", role, [p for p in flow if p.setting["solver"] == solver])
        for solver, role in SOLVERS
    ]
    series.append(
        _over("calls", "diffusion", "error", sampler_curve(study.cell("diffusion"), study.seeds, store, "steps"))
    )
    if not any(len(line.x) for line in series):
        return []  # the energy head's one point alone is no curve
    one = Interval.of(store.metrics(study.cell("base"), study.seeds, "brier_lm"))
    series.append(_series("energy, one call", "sample", [1.0] if one.count else [], [one] if one.count else []))
    return [Panel("Quality over sampler steps", series, "calls of the head's network, log", BRIER, log="x")]


def temperature(scale: Scale, store: Store) -> list[Panel]:
    """Accuracy against collision: the batch sampler over N and over T, and softmax temperature (Figs 10, 11)."""
    study = studies(scale)["temperature"]
    curve = sampler_curve(study.cell("base"), study.seeds, store, "temperature")
    largest = max((point.setting["pool"] for point in curve), default=0)
    third = [point for point in curve if point.setting["n"] == 3]
    over_t = sorted((p for p in curve if p.setting["pool"] == largest), key=lambda p: -p.setting["n"])
    calm = [
        _trade("CALM, T = 1/3, over N", "sample", third, [f"{p.setting['pool']}" for p in third]),
        _trade(f"CALM, N = {largest}, over T", "accent", over_t, _ends([f"1/{p.setting['n']}" for p in over_t])),
    ]
    plain = []
    roles: tuple[Role, ...] = ("muted", "target", "sigma")
    widths = [cell for cell in study.cells if not isinstance(cell.recipe, CalmRecipe)]
    for role, cell in zip(roles, widths, strict=False):
        points = sampler_curve(cell, study.seeds, store, "softmax")
        plain.append(
            _trade(f"Transformer, d = {cell.recipe.hidden_size}", role, points,
                   _ends([f"{p.setting['temperature']:g}" for p in points]))
        )  # fmt: skip
    axes = ("collision, %", "accuracy, %")
    return [Panel("The batch sampler", calm, *axes), Panel("Softmax temperature", plain, *axes)]


def correlation(scale: Scale, store: Store) -> list[Panel]:
    """BrierLM against cross-entropy, a dot a checkpoint (Fig 3)."""
    study = studies(scale)["chunk-size"]
    pairs = [(float(ce), float(brier)) for run in checkpoints(study, store) for ce, brier in run]
    dots = Series("", [ce for ce, _ in pairs], [brier for _, brier in pairs], "target", "dots")
    return [Panel("Transformers' checkpoints", [dots], "cross-entropy, nats a token", BRIER)]


def _over(setting: str, label: str, role: Role, points: Sequence[CurvePoint]) -> Series:
    kept = [point for point in points if point["brier_lm"].count]
    return _series(label, role, [float(p.setting[setting]) for p in kept], [p["brier_lm"] for p in kept])


def _ends(names: Sequence[str]) -> list[str]:
    """The first and the last name: between them points stand too close for more."""
    return [name if place in (0, len(names) - 1) else "" for place, name in enumerate(names)]


def _trade(label: str, role: Role, points: Sequence[CurvePoint], names: Sequence[str]) -> Series:
    return _series(
        label, role, [p["collision"].mean for p in points], [p["accuracy"] for p in points], names
    )  # fmt: skip


def _series(label: str, role: Role, x: Sequence[float], y: Sequence[Interval], names: Sequence[str] = ()) -> Series:
    errors = [0.0 if math.isnan(value.half) else value.half for value in y]
    return Series(label, x, [value.mean for value in y], role, "path", errors, names)


HEADS: tuple[tuple[str, str, Role], ...] = (
    ("base", "energy", "sample"),
    ("flow", "flow", "sigma"),
    ("diffusion", "diffusion", "error"),
)
SOLVERS: tuple[tuple[str, Role], ...] = (("euler", "sigma"), ("midpoint", "accent"))
SKETCHES: dict[str, Sketch] = {
    "chunk-size-frontier": frontier,
    "chunk-size-correlation": correlation,
    "heads-learning": learning,
    "heads-steps": steps,
    "temperature-trade": temperature,
}
