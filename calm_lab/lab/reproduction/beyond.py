"""What the paper could not ask: how near a score is to the best possible, and how much of a difference is noise.

Storyland's own BrierLM is exact, so a run can be held against it. And a score has an error of its own, from the stories
and draws it was measured on, beside the spread between seeds; the paper gives neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from calm_lab.lab.brier_noise import paper_gap
from calm_lab.lab.reproduction.cells import BASE_CHUNK, Cell, Scale
from calm_lab.lab.reproduction.grid import studies
from calm_lab.lab.reproduction.results import Interval, Store
from calm_lab.model.checkpoint import write_json
from calm_lab.text.corpora import load_corpus
from calm_lab.text.storyland.ceiling import ceiling
from calm_lab.training.corpus import find_tokenizer
from calm_lab.training.recipes import CalmRecipe

FILE = "ceilings.json"
STORIES = 400  # those that runs are judged on, see ``calm_lab.lab.report``


def chunk_size(cell: Cell) -> int:
    """At which positions a run of ``cell`` is judged: a Transformer where a CALM of the base K is."""
    return cell.autoencoder.chunk_size if isinstance(cell.recipe, CalmRecipe) else BASE_CHUNK


def measure_ceilings(scale: Scale, store: Store) -> dict[str, Any]:
    """The exact ceiling for every K of the grid, with its tokenizer; kept beside the results."""
    documents = [row["text"] for row in load_corpus("storyland", "test", count=STORIES)]
    tokenizer = find_tokenizer(scale.tokenizer or "default")
    sizes = sorted({chunk_size(cell) for cell in studies(scale)["chunk-size"].cells})
    found = {str(size): ceiling(tokenizer, documents, size) for size in sizes}
    data = {
        size: {"brier_lm": best.brier_lm, "error": best.standard_errors["brier_lm"]} for size, best in found.items()
    }
    store.folder.mkdir(parents=True, exist_ok=True)
    write_json(store.folder / FILE, data)
    return data


def beyond(scale: Scale, store: Store) -> Iterator[str]:
    """The lines of the page, Markdown."""
    yield "## Beyond the paper: the exact ceiling, and how wide an error bar is\n"
    path = store.folder / FILE
    ceilings: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    study = studies(scale)["chunk-size"]
    rows = [row for cell in study.cells if (row := _against_ceiling(cell, study.seeds, store, ceilings))]
    if rows:
        yield "| cell | seeds | BrierLM | ceiling | share of it, % |\n|---|---|---|---|---|"
        yield from (f"| {' | '.join(row)} |" for row in rows)
        yield ""
    yield from _noise(scale, store)


def _against_ceiling(cell: Cell, seeds: int, store: Store, ceilings: dict[str, Any]) -> list[str]:
    values = store.metrics(cell, seeds, "brier_lm")
    best = ceilings.get(str(chunk_size(cell)))
    if not values or best is None:
        return []
    shares = Interval.of([100 * value / best["brier_lm"] for value in values])
    return [cell.name, str(len(values)), str(Interval.of(values)), f"{best['brier_lm']:.2f}", str(shares)]


def _noise(scale: Scale, store: Store) -> Iterator[str]:
    """One run's own error, the spread between seeds, and what the paper's gap asks for."""
    study = studies(scale)["start"]
    base = study.cell("base")
    scores = store.metrics(base, study.seeds, "brier_lm")
    own = store.metrics(base, study.seeds, "brier_lm_standard_error")
    positions = store.metrics(base, study.seeds, "positions")
    if len(scores) > 1:
        yield (
            f"One evaluation of the base run has a standard error of {np.mean(own):.2f} at"
            f" {np.mean(positions):,.0f} positions; between {len(scores)} seeds the score has a standard deviation of"
            f" {np.std(scores, ddof=1):.2f}.\n"
        )
    gap = paper_gap(10_000)  # how many positions are enough does not hang on this number
    yield (
        f"The paper's CALM-M lies {gap.size:.2f} below its Transformer-S, one run each and no error bar. Were positions"
        " independent and the model calibrated, with Brier-1 to 4 in the proportions of the paper's Table 5, the gap"
        f" would pass 1.96 standard errors of CALM-M's own evaluation from {gap.enough_low:,} to {gap.enough_high:,}"
        " positions on. Positions of one document are not, so more are needed, and the spread between seeds comes on"
        " top (`calm_lab/lab/brier_noise.py`).\n"
    )
