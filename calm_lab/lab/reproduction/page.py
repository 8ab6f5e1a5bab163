"""docs/reproduction.md, written from the result files: what the paper says, what we found, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from calm_lab.lab.noise_sweep import COLLAPSED_NATS
from calm_lab.lab.reproduction.asides import asides
from calm_lab.lab.reproduction.beyond import beyond
from calm_lab.lab.reproduction.cells import BASE_CHUNK, Cell, Scale
from calm_lab.lab.reproduction.correlation import checkpoints, correlate
from calm_lab.lab.reproduction.curves import CurvePoint, sampler_curve
from calm_lab.lab.reproduction.extras import DOCUMENTS, POOL_POSITIONS, POSITIONS
from calm_lab.lab.reproduction.figures import sketches
from calm_lab.lab.reproduction.grid import Study
from calm_lab.lab.reproduction.queue import order, select, status
from calm_lab.lab.reproduction.results import Interval, Store, Verdict, judge
from calm_lab.lab.reproduction.writing import writing
from calm_lab.training.recipes import CalmRecipe

PREFACE = """# Reproduction at laboratory scale

Written by `calm-lab reproduce --page docs/reproduction.md` from the files in `calm_lab/assets/results/`; every number
below is a measurement of this project. The runs are small ({about}),
so a verdict speaks about this scale and says nothing about the paper's own. The paper's numbers stand in the claims.
Unless a cell says otherwise K = {chunk}, N = {samples} and M = {targets} (the paper: 4, 8 and 100).

**The rule**, written down before the runs: let d be the difference between two configurations at the same seed. A
claim *holds* if the 95% t-interval of the mean of d lies wholly on the claimed side of zero, it *does not hold* if it
lies wholly on the other side, and otherwise we *can't tell*. *Missing*: fewer than two pairs have been run.
*Undefined*: a Brier-n was not positive, so there is no BrierLM and no d. Where that befell one side alone, the verdict
does not go in its favour: at most *can't tell* (added after the first runs; it changed no verdict). A verdict judges
the sign of a difference, never its size, and each stands at 95% by itself: of so many, one or two may be chance.

A seed fixes the weights' first values, the order of the text and all noise, and each seed has its own autoencoder.
BrierLM is measured on documents that no training has seen (of storyland 400), two pairs of draws a position; the
sampler's tables say where they differ. `±` is half of a 95% t-interval over seeds. The documents are the same for every
run, so what is particular to them is in no `±`.
"""
COLUMNS = {"BrierLM": ("brier_lm", 1.0), "Brier-1, %": ("brier_1", 100.0), "Brier-4, %": ("brier_4", 100.0)}
BELOW = {
    "clean, %": ("clean", 100.0),
    "σ = 0.3, %": ("sigma_0.3", 100.0),
    "posterior, %": ("posterior", 100.0),
    f"collapsed of l (below {COLLAPSED_NATS} nats)": ("collapsed_coordinates", 1.0),
}


SAMPLER = (
    "Asked of the sampler on {documents} documents, one pair of draws a position, at most {heads:,} positions for the"
    " steps of a head and {pools} for pools: compare the rows of one table, not with the one above. Accuracy and"
    " collision are geometric means over n-grams of one to four tokens; n means T = 1/n; *undefined* counts seeds at"
    " which a Brier-n was not positive, and then the row has no BrierLM.\n"
)
PICTURES = "reproduction"
"""The folder of the page's pictures, beside the page."""
# What each extra of a run was asked for, and the settings that tell its points apart.
CURVES = {
    "steps": ("solver", "steps", "calls"),
    "temperature": ("n", "pool"),
    "softmax": ("temperature",),
}


def page(scale: Scale, store: Store) -> str:
    """The whole page, Markdown."""
    wanted = select(scale, [])
    drawn = list(sketches(scale, store))
    studied = (_study(study, scale, store, drawn) for study in wanted)
    preface = PREFACE.format(about=scale.about, chunk=BASE_CHUNK, samples=scale.samples, targets=scale.targets)
    parts = (_overview(wanted, store), *studied, beyond(scale, store), writing())
    return "\n".join([preface, *(line for part in parts for line in part)])


def _overview(wanted: list[Study], store: Store) -> Iterator[str]:
    yield from _table(["study", "of the paper", "runs", "hours of training"], (_row(study, store) for study in wanted))
    runs = list(order(wanted))
    ended = [data for cell, seed in runs if (data := store.read(cell, seed)) is not None]
    hours = sum(data["seconds"] for data in ended) / 3600
    devices = sorted({data["machine"]["device"] for data in ended}) or ["none yet"]
    where = ", ".join(devices) + ("" if "cuda" in devices else ". There are no results from a GPU")
    judged = [judge(study, claim, store) for study in wanted for claim in study.claims]
    early = sum(not one.complete for one in judged)
    lacking = f" {early} of these verdicts still lack seeds." if early else ""
    paper, ours = ([one.verdict for one in judged if one.claim.ours == own] for own in (False, True))
    yield f"Of the paper's {len(paper)} claims, {_counts(paper)}. Of {len(ours)} of our own, {_counts(ours)}." + lacking
    yield ""
    yield (
        f"In all {len(ended)} of {len(runs)} runs (studies share some), {hours:.1f} hours of training, on: {where}."
        " Evaluations, and the autoencoders' own training, come on top.\n"
    )


def _counts(verdicts: list[Verdict]) -> str:
    found = Counter(verdicts)
    return ", ".join(f"{verdict}: {found[verdict]}" for verdict in ("holds", "does not hold", "can't tell", "missing"))


def _row(study: Study, store: Store) -> list[str]:
    found = status(study, store)
    return [study.name, study.paper, f"{found.done} of {found.wanted}", f"{found.seconds / 3600:.1f}"]


def _study(study: Study, scale: Scale, store: Store, drawn: list[str]) -> Iterator[str]:
    yield f"## {study.name}: {study.paper}\n\n{study.question}\n"
    below = BELOW if study.name == "regularisers" else {}
    columns = COLUMNS | below
    head = ["cell", "seeds", *columns, "training FLOPs", "FLOPs a token"]
    yield from _table(head, (_cell(cell, study, store, columns) for cell in study.cells))
    if study.claims:
        yield from _table(["claim", "difference", "pairs", "verdict"], _claims(study, store))
    if study.remark:
        yield f"{study.remark}\n"
    yield from asides(study, scale, store)
    for name in drawn:
        if name.startswith(f"{study.name}-"):
            yield f"![{name}]({PICTURES}/{name}.png)\n"
    if study.extras:
        yield SAMPLER.format(documents=DOCUMENTS, heads=POSITIONS, pools=POOL_POSITIONS)
    for curve, settings in CURVES.items() if study.extras else ():
        yield from _sampler(study, store, curve, settings)
    if study.name == "chunk-size":
        found = correlate(checkpoints(study, store))
        yield "**Fig 3**, BrierLM against cross-entropy on the Transformers' checkpoints (paper: Pearson -0.966): " + (
            "fewer than two runs so far.\n"
            if found is None
            else f"{len(found.points)} checkpoints of {found.runs} runs, Pearson {found.pearson}, Spearman"
            f" {found.spearman}; intervals by resampling runs, whose seeds differ less than other models would. The"
            " relation is curved, so Pearson hangs on the range covered (the paper's is another); Spearman does not.\n"
        )


def _cell(cell: Cell, study: Study, store: Store, columns: dict[str, tuple[str, float]]) -> list[str]:
    ended = [data for seed in range(study.seeds) if (data := store.read(cell, seed)) is not None]
    values: list[str] = []
    for name, factor in columns.values():
        found = [factor * value for value in store.metrics(cell, study.seeds, name)]
        missing = len(ended) - len(found) if isinstance(cell.recipe, CalmRecipe) or name == "brier_lm" else 0
        values.append(str(Interval.of(found)) + (f" ({missing} undefined)" if missing else ""))
    costs = [f"{ended[0][name]:.3g}" if ended else "-" for name in ("training_flops", "inference_flops_per_token")]
    return [cell.name, str(len(ended)), *values, *costs]


def _sampler(study: Study, store: Store, curve: str, settings: tuple[str, ...]) -> Iterator[str]:
    """The points of one extra, a row each: the sampler's steps under *heads*, temperatures under *temperature*."""
    rows = [
        [cell.name, *(str(point.setting.get(name, "")) for name in settings), *_outcomes(point)]
        for cell in study.cells
        if (study.name == "heads") == (curve == "steps")
        for point in sampler_curve(cell, study.seeds, store, curve)
    ]
    if rows:
        yield from _table(["cell", *settings, "BrierLM", "accuracy, %", "collision, %"], rows)


def _outcomes(point: CurvePoint) -> Iterator[str]:
    for name, value in point.outcomes.items():
        yield f"undefined at {point.undefined}" if name == "brier_lm" and point.undefined else str(value)


def _claims(study: Study, store: Store) -> Iterator[list[str]]:
    for claim in study.claims:
        found = judge(study, claim, store)
        yield [claim.text, found.measured, found.pairs, f"**{found.verdict}**"]


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
