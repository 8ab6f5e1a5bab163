"""One run: train the autoencoder if nobody has, train the model on it, judge both, and keep one small JSON.

Weights stay in the run folder and may be thrown away; the result file holds what the figures need: the recipe, the
seed, tokens, seconds, FLOPs, the loss curve, the evaluations on the way and the metrics on unseen text.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from calm_lab.errors import TrainingError
from calm_lab.lab.report import report_brier, report_posterior
from calm_lab.lab.reproduction.cells import Cell, cost, tokens_of
from calm_lab.lab.reproduction.extras import extras
from calm_lab.lab.reproduction.results import Store, changed, digest, key
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.training.recipes import AutoencoderRecipe, CalmRecipe
from calm_lab.training.run_folder import FolderTaken
from calm_lab.training.train import train_autoencoder, train_calm, train_transformer
from calm_lab.version import __version__

CURVE_POINTS = 40


@dataclass(frozen=True)
class Runner:
    """Carries out runs.

    Attributes:
        store: where results go.
        folder: where training runs go.
        extras: key and seed of the runs that are also asked for their sampler's curve.
    """

    store: Store
    folder: Path
    extras: frozenset[tuple[str, int]] = frozenset()

    def run(self, cell: Cell, seed: int) -> Path | None:
        """Carry out one run, or go on with one that was interrupted.

        Returns:
            The result file; None if another process is at this run or at the autoencoder it needs.

        Raises:
            TrainingError: if a training fails.
        """
        try:
            return self._run(cell, seed)
        except FolderTaken:
            return None

    def _run(self, cell: Cell, seed: int) -> Path:
        place = self.folder / f"{key(cell)}-s{seed}"
        metrics: dict[str, Any] = {}
        autoencoder: dict[str, Any] | None = None
        if isinstance(cell.recipe, CalmRecipe):
            below = self.autoencoder(cell.autoencoder, seed)
            autoencoder = self.judged(below)
            metrics |= autoencoder
            recipe = replace(cell.recipe, seed=seed, out=place, resume=True, autoencoder=str(below))
            trained = train_calm(recipe)
        else:
            trained = train_transformer(replace(cell.recipe, seed=seed, out=place, resume=True))
        model = checkpoint.load(trained)
        assert not isinstance(model, Autoencoder)
        metrics |= report_brier(model, cell.recipe.corpus)
        asked = (key(cell), seed) in self.extras
        card, counted = checkpoint.read_card(trained), cost(cell)
        data = {
            "key": key(cell),
            "seed": seed,
            "recipe": {"kind": cell.recipe.kind, **changed(cell.recipe)},
            "autoencoder": changed(cell.autoencoder) if autoencoder is not None else None,
            "commit": commit(),
            "calm_lab": __version__,
            "machine": card["machine"],
            "tokens": tokens_of(cell),
            "seconds": card["seconds"],
            "parameters": counted.total_parameters,
            "training_flops": counted.training_total,
            "inference_flops_per_token": counted.per_token,
            "curve": curve(place),
            "evaluations": evaluations(place),
            "metrics": metrics,
            "extras": extras(model, cell.recipe.corpus) if asked else {},
        }
        return self.store.write(cell, seed, data)

    def autoencoder(self, recipe: AutoencoderRecipe, seed: int) -> Path:
        """The trained autoencoder of ``recipe`` at ``seed``, trained now if it is not there yet."""
        place = self.folder / f"autoencoder-{digest(changed(recipe))}-s{seed}"
        done = place / "checkpoints" / f"step-{recipe.steps:08d}"
        return done if done.is_dir() else train_autoencoder(replace(recipe, seed=seed, out=place, resume=True))

    def judged(self, folder: Path) -> dict[str, Any]:
        """What an autoencoder reaches; measured once, then read from beside its weights."""
        path = folder.parent.parent / "report.json"
        if not path.exists():
            model = checkpoint.load(folder)
            assert isinstance(model, Autoencoder)
            checkpoint.write_json(path, report_posterior(model, checkpoint.read_card(folder)["data"]["corpus"]))
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return data


def curve(place: Path) -> list[list[float]]:
    """Step and training loss, at most ``CURVE_POINTS`` points, each the mean of what lies before it."""
    entries = [(e["step"], e["loss"]) for e in _log(place) if "loss" in e]
    stride = max(1, len(entries) // CURVE_POINTS)
    groups = [entries[i : i + stride] for i in range(0, len(entries), stride)]
    return [[group[-1][0], round(sum(loss for _, loss in group) / len(group), 4)] for group in groups]


def evaluations(place: Path) -> list[dict[str, Any]]:
    """The evaluations on the way: step, BrierLM, Brier-n, and cross-entropy where there is one."""
    wanted = ("brier_lm", "brier_lm_standard_error", "brier", "cross_entropy")
    return [
        {"step": entry["step"], **{name: entry["evaluation"].get(name) for name in wanted}}
        for entry in _log(place)
        if "evaluation" in entry
    ]


def _log(place: Path) -> list[dict[str, Any]]:
    """The lines of a run's log; of a step that was run twice, after a resume, the later line."""
    try:
        lines = [json.loads(line) for line in (place / "metrics.jsonl").read_text("utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{place / 'metrics.jsonl'}: cannot be read ({error}); remove the folder, run again"
        ) from error
    latest = {(line["step"], "evaluation" in line): line for line in lines}
    return [latest[place] for place in sorted(latest)]


def commit() -> str:
    """The commit of the source at hand, short; empty outside a git checkout."""
    found = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()
