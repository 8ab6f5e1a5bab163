"""One run: train the autoencoder if nobody has, train the model on it, judge both, and keep one small JSON.

Weights stay in the run folder and may be thrown away; the result file holds what is told of it: in what the recipe
differs from the defaults, the seed, tokens, seconds of training, FLOPs, the loss curve, the evaluations on the way and
the metrics on unseen text.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from calm_lab.device import pick_device
from calm_lab.errors import TrainingError
from calm_lab.lab.report import report_brier, report_posterior
from calm_lab.lab.reproduction.cells import Cell, cost, tokens_of
from calm_lab.lab.reproduction.extras import extras
from calm_lab.lab.reproduction.results import Store, changed, digest, key
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.stored import read_json
from calm_lab.training.recipes import AutoencoderRecipe, CalmRecipe, TransformerRecipe
from calm_lab.training.run_folder import RunFolder
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

    def run(self, cell: Cell, seed: int) -> Path:
        """Carry out one run, or go on with one that was interrupted.

        Returns:
            The result file.

        Raises:
            FolderTaken: if another process is at this run or at the autoencoder it needs.
            TrainingError: if a training fails.
        """
        place = self.folder / f"{key(cell)}-s{seed}"
        recipe: CalmRecipe | TransformerRecipe = replace(cell.recipe, seed=seed, out=place, resume=True)
        below: dict[str, float] | None = None
        if isinstance(recipe, CalmRecipe):
            autoencoder = self.autoencoder(cell.autoencoder, seed)
            below = self.judged(autoencoder)
            recipe = replace(recipe, autoencoder=str(autoencoder))
            trained = train_calm(recipe)
        else:
            trained = train_transformer(recipe)
        with RunFolder(recipe):  # held while judging too, or whoever comes by would judge it again
            path = self.store.path(cell, seed)
            return path if path.exists() else self._judge(cell, seed, trained, below)

    def _judge(self, cell: Cell, seed: int, trained: Path, below: dict[str, float] | None) -> Path:
        """Measure what was trained, and keep the result."""
        model = checkpoint.load(trained, pick_device(cell.recipe.device))
        assert not isinstance(model, Autoencoder)
        metrics = {**(below or {}), **report_brier(model, cell.recipe.corpus)}
        asked = (key(cell), seed) in self.extras
        card, counted = checkpoint.read_card(trained), cost(cell)
        data = {
            "key": key(cell),
            "seed": seed,
            "recipe": {"kind": cell.recipe.kind, **changed(cell.recipe)},
            "autoencoder": changed(cell.autoencoder) if below is not None else None,
            "commit": commit(),
            "calm_lab": __version__,
            "machine": card["machine"],
            "tokens": tokens_of(cell),
            "seconds": card["seconds"],
            "parameters": counted.total_parameters,
            "training_flops": counted.training_total,
            "inference_flops_per_token": counted.per_token,
            "curve": curve(trained.parent.parent),
            "evaluations": evaluations(trained.parent.parent),
            "metrics": metrics,
            "extras": extras(model, cell.recipe.corpus) if asked else {},
        }
        return self.store.write(cell, seed, data)

    def autoencoder(self, recipe: AutoencoderRecipe, seed: int) -> Path:
        """The trained autoencoder of ``recipe`` at ``seed``, trained now if it is not there yet."""
        place = self.folder / f"autoencoder-{digest(changed(recipe))}-s{seed}"
        done = place / "checkpoints" / f"step-{recipe.steps:08d}"
        return done if done.is_dir() else train_autoencoder(replace(recipe, seed=seed, out=place, resume=True))

    def judged(self, folder: Path) -> dict[str, float]:
        """What an autoencoder reaches; measured once, then read from beside its weights."""
        path = folder.parent.parent / "report.json"
        if not path.exists():
            model = checkpoint.load(folder, pick_device())
            assert isinstance(model, Autoencoder)
            checkpoint.write_json(path, report_posterior(model, checkpoint.read_card(folder)["data"]["corpus"]))
        return read_json(path)


def curve(place: Path) -> list[list[float]]:
    """Step and training loss, at most ``CURVE_POINTS`` points, each the mean since the one before."""
    entries = [(e["step"], e["loss"]) for e in _log(place) if "loss" in e]
    stride = max(1, -(-len(entries) // CURVE_POINTS))
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
    """The commit of the source at hand, short; empty where it lies in no git checkout of its own, or git is missing."""
    here = Path(__file__)

    def git(*words: str) -> str:
        found = subprocess.run(["git", *words], cwd=here.parent, capture_output=True, text=True, check=True)
        return found.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)  # installed inside another project's checkout, it is not of it
        return git("rev-parse", "--short=12", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        return ""
