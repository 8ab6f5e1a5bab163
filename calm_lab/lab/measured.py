"""Our own runs as points beside the paper's: BrierLM against FLOPs, from the result files of ``calm-lab reproduce``.

Nothing is trained here. What has not been run yet is missing, and is said to be.

App tab: What K buys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from calm_lab.errors import CheckpointError
from calm_lab.lab.reproduction.cells import SCALES, Cell, Scale
from calm_lab.lab.reproduction.grid import Study, studies
from calm_lab.lab.reproduction.results import ASSETS, Interval, Store, Verdict, judge
from calm_lab.training.recipes import CalmRecipe

STUDIES = ("chunk-size", "table-1")
"""The studies that ask what K buys."""


@dataclass(frozen=True)
class Measured:
    """One configuration that has been run.

    Attributes:
        name: of the cell.
        family: calm or transformer.
        chunk_size: K; 1 for a Transformer.
        width: of the backbone.
        brier_lm: mean over seeds with its 95% t-interval; its count is 0 where BrierLM is undefined at every seed.
        runs: seeds that have ended.
        training: FLOPs of the training run, the autoencoder's included.
        inference: FLOPs a generated token at one draw.
    """

    name: str
    family: str
    chunk_size: int
    width: int | None
    brier_lm: Interval
    runs: int
    training: float
    inference: float


@dataclass(frozen=True)
class Finding:
    """A claim of the paper and what our runs say.

    Attributes:
        text: the claim.
        difference: in words, with its interval.
        pairs: pairs of runs behind it.
        verdict: by the rule of ``calm_lab.lab.reproduction.grid``.
    """

    text: str
    difference: str
    pairs: int
    verdict: Verdict


@dataclass(frozen=True)
class Results:
    """Everything measured on what K buys, at one scale.

    Attributes:
        scale: its name.
        runs: result files read, each training once.
        wanted: runs that the studies take.
        points: configurations with at least one run.
        findings: the claims with at least two pairs.
        remarks: what to know before comparing them with the paper.
    """

    scale: str
    runs: int
    wanted: int
    points: list[Measured]
    findings: list[Finding]
    remarks: list[str]


def results(scale: Scale | None = None, store: Store | None = None) -> Results:
    """Read the result files.

    Args:
        scale: of the runs; by default nano.
        store: where they lie; by default among the package's assets.

    Returns:
        What they say; no points where there are none. A damaged file counts as missing.
    """
    scale = scale or SCALES["nano"]
    store = store or Store(ASSETS / scale.name)
    known = studies(scale)
    asked = [known[name] for name in STUDIES]
    cells = {cell.name: (cell, study.seeds) for study in asked for cell in study.cells}
    found: dict[str, Measured] = {}
    keys: dict[str, bool] = {}
    for name, (cell, seeds) in cells.items():
        ended = [data for seed in range(seeds) if (data := _read(store, cell, seed)) is not None]
        keys |= {store.path(cell, seed).name: _read(store, cell, seed) is not None for seed in range(seeds)}
        if ended:
            found[name] = _measured(cell, ended)
    remarks = [study.remark for study in asked if study.remark]
    findings = list(_findings(asked, store))
    return Results(scale.name, sum(keys.values()), len(keys), list(found.values()), findings, remarks)


def _read(store: Store, cell: Cell, seed: int) -> dict[str, Any] | None:
    try:
        return store.read(cell, seed)
    except CheckpointError:
        return None


def _measured(cell: Cell, ended: list[dict[str, Any]]) -> Measured:
    calm = isinstance(cell.recipe, CalmRecipe)
    scores = [data["metrics"].get("brier_lm") for data in ended]
    return Measured(
        name=cell.name,
        family="calm" if calm else "transformer",
        chunk_size=cell.autoencoder.chunk_size if calm else 1,
        width=cell.recipe.hidden_size,
        brier_lm=Interval.of([float(score) for score in scores if isinstance(score, int | float)]),
        runs=len(ended),
        training=float(ended[0]["training_flops"]),
        inference=float(ended[0]["inference_flops_per_token"]),
    )


def _findings(asked: list[Study], store: Store) -> Iterator[Finding]:
    for study in asked:
        for claim in study.claims:
            try:
                found = judge(study, claim, store)
            except CheckpointError:
                continue
            if found.verdict != "missing":
                yield Finding(claim.text, found.measured, found.difference.count, found.verdict)
