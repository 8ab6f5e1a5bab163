"""What a reader should hold beside a table, counted from the runs: a verdict judges a sign and knows no conditions.

Each aside is a paragraph of ``docs/reproduction.md`` under its study; it is left out while its runs are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from calm_lab.lab.measured import results
from calm_lab.lab.reproduction.brief import brier_of
from calm_lab.lab.reproduction.cells import Scale
from calm_lab.lab.reproduction.curves import CurvePoint, sampler_curve
from calm_lab.lab.reproduction.grid import Claim, Study, studies
from calm_lab.lab.reproduction.results import Interval, Store, judge
from calm_lab.model.checkpoint import bundled, read_card
from calm_lab.training.recipes import CalmRecipe

Aside = Callable[[Study, Scale, Store], str | None]


def asides(study: Study, scale: Scale, store: Store) -> Iterator[str]:
    """The asides of a study, Markdown paragraphs."""
    for aside in ASIDES.get(study.name, ()):
        if line := aside(study, scale, store):
            yield f"{line}\n"


def _collapsed(study: Study, scale: Scale, store: Store) -> str | None:
    """A difference that is zero at every seed has an interval of no width, and the rule cannot tell."""
    counts = store.metrics(study.cell("kl"), study.seeds, "collapsed_coordinates")
    if not counts or any(counts):
        return None
    return (
        f"In none of the {len(counts)} runs with plain KL has any coordinate collapsed, so at this scale and threshold"
        " the paper's effect does not appear; the rule calls a difference of exactly 0 'can't tell'."
    )


def _given_back(study: Study, scale: Scale, store: Store) -> str | None:
    """How good the autoencoders underneath are: another K has another one."""
    small = [cell for cell in study.cells if cell.name.endswith(f"w{scale.widths[0]}") and cell.name.startswith("k")]
    rows = {
        cell.autoencoder.chunk_size: [Interval.of(store.metrics(cell, study.seeds, m)) for m in ("clean", "sigma_0.3")]
        for cell in small
    }
    told = [
        f"K = {size} {clean.mean:.2%} and {noisy.mean:.2%}"
        for size, (clean, noisy) in sorted(rows.items())
        if clean.count
    ]
    if not told:
        return None
    return (
        "Each K has an autoencoder of its own. Of the tokens of unseen documents they give back, clean and at sigma ="
        f" 0.3: {', '.join(told)} (the paper: above 99.9%)."
    )


def _longer(study: Study, scale: Scale, store: Store) -> str | None:
    """The same comparison among the bundled models, which were trained for longer."""
    cards = [read_card(bundled()[name]) for name in ("calm-storyland-k1", "calm-storyland-k2") if name in bundled()]
    scores = [card["metrics"]["test"]["brier_lm"] for card in cards]
    if scale.name != "nano" or len(scores) < 2 or None in scores:
        return None
    return (
        f"After {cards[0]['steps']} steps in place of {scale.steps}, over other autoencoders and on more text, the"
        f" bundled models of width 128 reach {scores[0]:.1f} with K = 1 and {scores[1]:.1f} with K = 2 (one seed each)."
    )


def _best_for_the_cost(study: Study, scale: Scale, store: Store) -> str | None:
    """The claims hold a CALM against one Transformer; the paper's frontier is the best of them."""
    points = [point for point in results(scale, store).points if point.brier_lm.count]
    told = []
    for calm in (point for point in points if point.name in {f"k4-w{width}" for width in scale.widths}):
        fitting = [point for point in points if point.family == "transformer" and point.training <= calm.training]
        if fitting:
            best = max(fitting, key=lambda point: point.brier_lm.mean)
            told.append(
                f"{best.brier_lm.mean:.2f} ({best.name}, {best.training:.3g}) where {calm.name} has"
                f" {calm.brier_lm.mean:.2f} ({calm.training:.3g})"
            )
    if not told:
        return None
    return (
        "The paper's frontier is the best Transformer for the cost. Here, of those that took at most as many training"
        f" FLOPs as the CALM, the best has {'; '.join(told)}."
    )


def _more_samples(study: Study, scale: Scale, store: Store) -> str | None:
    """How much of the heads' order is N."""
    sampled = {cell.name: cell for cell in studies(scale)["samples"].cells if cell.name in ("n8", "n12")}
    both = replace(study, cells=(*study.cells, *sampled.values()))
    found = [(name, judge(both, Claim("", name, "flow"), store).difference) for name in sampled]
    told = [f"{difference} with N = {name[1:]}" for name, difference in found if difference.count > 1]
    costs = [store.read(study.cell(name), 0) for name in ("base", "flow")]
    if not told or None in costs:
        return None
    energy, flow = (data["inference_flops_per_token"] for data in costs if data)
    return (
        f"How far energy lies behind flow hangs on N, which is {scale.samples} here: energy - flow is"
        f" {' and '.join(told)} (study *samples*, same seeds). The flow head's loss takes 4 draws a position, more have"
        f" not been run; a token generated with it costs {flow / energy:.1f} times as many FLOPs."
    )


def _far_apart(study: Study, scale: Scale, store: Store) -> str | None:
    """Figures 10 and 11 have no verdict here, and this is why."""
    curve = sampler_curve(study.cell("base"), study.seeds, store, "temperature")
    plain = [brier_of(cell, study, store).mean for cell in study.cells if not isinstance(cell.recipe, CalmRecipe)]
    if not curve or not plain:
        return None
    largest = max(point.setting["pool"] for point in curve)
    over_n = _collisions([point for point in curve if point.setting["n"] == 3])
    over_t = _collisions([point for point in curve if point.setting["pool"] == largest])
    return (
        "No verdict: the paper compares models of nearly equal BrierLM. Here the Transformers have"
        f" {min(plain):.0f} to {max(plain):.0f} and the CALM {brier_of(study.cell('base'), study, store).mean:.0f}, so"
        " their curves lie far above its own (mind the axes). As in the paper the pool moves more than the temperature"
        f" does: collision goes from {over_n} over N at T = 1/3, from {over_t} over T at N = {largest}."
    )


def _collisions(points: list[CurvePoint]) -> str:
    found = [point["collision"].mean for point in points]
    return f"{min(found):.0f}% to {max(found):.0f}%"


ASIDES: dict[str, tuple[Aside, ...]] = {
    "regularisers": (_collapsed,),
    "chunk-size": (_longer, _given_back),
    "table-1": (_best_for_the_cost,),
    "heads": (_more_samples,),
    "temperature": (_far_apart,),
}
