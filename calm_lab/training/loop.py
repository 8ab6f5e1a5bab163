"""The training loop, the same for autoencoder, CALM and Transformer.

Accelerate carries the model to one device or many. Everything random or scheduled is a function of (seed, step), so a
run that was killed and resumed walks through exactly the states of one that was not.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from calm_lab.errors import TrainingError
from calm_lab.model import checkpoint
from calm_lab.model.stored import first_line
from calm_lab.training.batches import Batches
from calm_lab.training.interrupts import whole
from calm_lab.training.objectives import Objective
from calm_lab.training.optimizer import Average, build_optimizers, learning_rate
from calm_lab.training.processes import machine
from calm_lab.training.progress import Reporter
from calm_lab.training.recipes import Recipe
from calm_lab.training.rows import Rows
from calm_lab.training.run_folder import STATE, RunFolder
from calm_lab.training.sharding import gathered, joined, load_optimizer, load_weights, parted, whole_model

REPORT_EVERY = 10
EXPLODED = 100  # times the first loss reported


@dataclass
class Job:
    """One training: what to train, on what, and how to judge it.

    Attributes:
        recipe: what the user asked for.
        model: the model, whose ``trainable()`` or parameters change.
        objective: the module whose forward is the loss, and what it must know of a batch beforehand.
        rows: the training data.
        evaluate: metrics of the model as it stands.
        data: what the card says of the data.
        ema: decay of the running average of the weights; 0 for none.
        prepare: called with a step before it is taken.
    """

    recipe: Recipe
    model: checkpoint.Model
    objective: Objective
    rows: Rows
    evaluate: Callable[[], dict[str, Any]]
    data: dict[str, Any]
    ema: float = 0.0
    prepare: Callable[[int], None] | None = None
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


def run(job: Job, folder: RunFolder, accelerator: Accelerator) -> Path:
    """Train to the recipe's last step, or until interrupted; the folder of the last checkpoint is returned.

    Args:
        job: what to train.
        folder: where it is kept.
        accelerator: the processes that train it.

    Raises:
        TrainingError: if the loss stops being finite (the last good checkpoint stays).
        KeyboardInterrupt: after saving, if the user pressed Ctrl-C.
    """
    recipe = job.recipe
    job.model.to(accelerator.device)
    trained = {n: p for n, p in job.model.named_parameters() if p.requires_grad}
    optimizers = build_optimizers(trained, recipe.optimizer, recipe.lr, recipe.weight_decay)
    objective, *optimizers = accelerator.prepare(job.objective, *optimizers)
    trained = {n: p for n, p in job.model.named_parameters() if p.requires_grad}  # FSDP puts parted ones in their place
    average = Average(trained, job.ema) if job.ema else None
    start = _resume(job, folder, optimizers, average) if recipe.resume else 0
    if recipe.compile:
        objective = torch.compile(objective)
    share, rank, world = job.objective.share, accelerator.process_index, accelerator.num_processes
    batches = Batches(job.rows, recipe.rows, recipe.accumulate, share, accelerator.device, rank, world)
    state = _Run(job, folder, accelerator, objective, optimizers, average, batches, start)
    with Reporter(recipe.kind, start, recipe.steps, folder.log, accelerator.is_main_process) as reporter:
        try:
            return state.go(reporter)
        except KeyboardInterrupt:
            state.stop_clock()
            saved = state.save(wait=False)  # the others may have been stopped anywhere
            reporter.say(f"stopped after step {state.done}; saved {saved}; go on with --resume")
            raise


def _resume(job: Job, folder: RunFolder, optimizers: list[torch.optim.Optimizer], average: Average | None) -> int:
    newest = folder.newest()
    if newest is None:
        return 0
    state = folder.load_state(newest)
    try:
        load_weights(job.model, state["weights"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            load_optimizer(optimizer, saved)
        if average is not None:
            average.values = {n: parted(t, average.parameters[n]) for n, t in state["average"].items()}
        job.seconds, job.history = float(state["seconds"]), list(state["history"])
        return int(state["step"])
    except Exception as error:  # a state of another recipe, or a damaged one, fails in many ways
        reason = first_line(error)
        raise TrainingError(f"{newest / STATE}: does not fit this recipe ({reason}); choose another --out") from error


@dataclass
class _Run:
    job: Job
    folder: RunFolder
    accelerator: Accelerator
    objective: Any
    optimizers: list[Any]
    average: Average | None
    batches: Batches
    done: int
    judged: int = -1
    began: float | None = None
    first: float | None = None

    def stop_clock(self) -> None:
        """Count the time since the clock was started; evaluating and saving are not counted."""
        if self.began is not None:
            self.job.seconds += time.monotonic() - self.began
            self.began = None

    def go(self, reporter: Reporter) -> Path:
        recipe = self.job.recipe
        self.began = began = time.monotonic()
        tokens = 0
        losses: list[Tensor] = []
        while self.done < recipe.steps:
            if self.job.prepare:
                self.job.prepare(self.done)
            with whole():
                loss, logs, count = self._step(self.done)
                self.done += 1
            losses.append(loss)
            tokens += count
            last = self.done == recipe.steps
            judging = last or (recipe.evaluate_every and self.done % recipe.evaluate_every == 0)
            saving = last or (recipe.save_every and self.done % recipe.save_every == 0)
            if judging or saving or self.done % REPORT_EVERY == 0:
                names = list(logs)
                values = torch.stack([torch.stack(losses).mean(), *logs.values()]).float()
                mean, *rest = self.accelerator.reduce(values, "mean").tolist()  # the only wait for the device
                self._check(mean, losses)
                speed = tokens / (time.monotonic() - began)
                lr = self.optimizers[0].param_groups[0]["lr"]
                reporter.step(self.done, mean, speed, lr, **dict(zip(names, rest, strict=True)))
                losses = []
            if judging or saving:
                self.stop_clock()
                if judging:
                    reporter.evaluation(self.done, self.judge())
                if saving:
                    self.save()
                self.began = began = time.monotonic()
                tokens = 0
        return self.folder.newest() or self.save()

    def _zeros(self) -> Tensor:
        return torch.zeros((), device=self.accelerator.device)

    def _step(self, step: int) -> tuple[Tensor, dict[str, Tensor], int]:
        recipe, accelerator = self.job.recipe, self.accelerator
        self.job.model.train()
        parts = self.batches.step(step)
        noise = torch.Generator(device=accelerator.device)
        noise.manual_seed(noise_seed(recipe.seed, step))  # the same in all processes: see toolkit/share.py
        rate = learning_rate(step, recipe.lr, recipe.warmup, recipe.steps)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        total = self._zeros()
        logs: dict[str, Tensor] = {}
        for ids, share in parts:
            with accelerator.accumulate(self.objective), accelerator.autocast():
                loss, logs = self.objective(ids, share, noise)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(self.objective.parameters(), recipe.clip)
                for optimizer in self.optimizers:
                    optimizer.step()
                    optimizer.zero_grad()
            total += loss.detach() / recipe.accumulate
        if self.average is not None:
            self.average.update(step)
        self.batches.prefetch(step + 1)
        return total, logs, sum(ids.numel() for ids, _ in parts) * accelerator.num_processes

    def _check(self, mean: float, losses: list[Tensor]) -> None:
        """Stop where the loss is not finite, or far above what the run began with."""
        self.first = mean if self.first is None else self.first
        most = EXPLODED * max(1.0, abs(self.first))
        if abs(mean) <= most:  # false for nan
            return
        since = self.done - len(losses) + 1
        steps = (step for step, loss in enumerate(losses, since) if not abs(loss.item()) <= most)
        self._stop(f"the loss is {mean:.4g} at step {next(steps, self.done)}")

    def _weights(self) -> dict[str, Tensor]:
        """The trained weights, whole."""
        return joined({n: p.detach() for n, p in self.job.model.named_parameters() if p.requires_grad})

    def _check_weights(self, weights: dict[str, Tensor]) -> None:
        """Stop where a step has made a weight infinite or nan, which only the next loss would show."""
        if not bool(torch.stack([torch.isfinite(w).all() for w in weights.values()]).all()):
            self._stop(f"step {self.done} made weights that are not finite")

    def _stop(self, what: str) -> None:
        kept = self.folder.newest()
        where = f"the last good checkpoint is {kept}" if kept else "no checkpoint had been saved"
        raise TrainingError(f"{what}; {where}; try a lower --lr, a longer --warmup or a smaller --clip")

    def judge(self) -> dict[str, Any]:
        """Evaluate, with the averaged weights where there are any."""
        if self.judged != self.done:
            self._check_weights(self._weights())
            self.job.model.eval()
            with self._averaged(), gathered(self.objective), torch.no_grad():
                metrics = self.job.evaluate()
            self.job.history.append({"step": self.done, **metrics})
            self.judged = self.done
        return self.job.history[-1]

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """The averaged weights in the model's place, where there are any; whatever happens, they leave it again."""
        if self.average is None:
            yield
            return
        swapped = False
        try:
            with whole():
                self.average.swap()
                swapped = True
            yield
        finally:
            if swapped:
                with whole():
                    self.average.swap()

    def save(self, wait: bool = True) -> Path:
        """Write a checkpoint of this step, then remove the oldest ones; the other processes wait for it."""
        job, place = self.job, self.folder.place(self.done)
        weights = {n: p.cpu().clone() for n, p in self._weights().items()}
        self._check_weights(weights)
        state = {
            "step": self.done,
            "weights": weights,
            "optimizers": [joined(optimizer.state_dict()) for optimizer in self.optimizers],
            "average": {n: t.clone() for n, t in joined(self.average.values).items()} if self.average else {},
            "seconds": job.seconds,
            "history": job.history,
        }
        with self._averaged():
            model = whole_model(job.model)
            if self.accelerator.is_main_process and not place.exists():
                checkpoint.save(model, place, self.card(), extra=lambda folder: torch.save(state, folder / STATE))
                self.folder.prune()
        if wait:
            self.accelerator.wait_for_everyone()
        return place

    def card(self) -> dict[str, Any]:
        """How this checkpoint was made, and what it reaches."""
        recipe = self.job.recipe
        size = self.job.rows.chunk_size * self.job.rows.positions
        return {
            "recipe": recipe.to_dict(),
            "data": self.job.data,
            "steps": self.done,
            "tokens": self.done * recipe.rows * size,
            "seconds": round(self.job.seconds, 3),
            "machine": machine(self.accelerator),
            "metrics": self.job.history[-1] if self.job.history else {},
        }


def noise_seed(seed: int, place: int) -> int:
    """The seed of one step's noise, 0..2^64-1: 2^40 places for each run's seed, folded where that passes 64 bits."""
    start = (seed + 1) << 40
    return (start + (start >> 64) * 0x9E3779B97F4A7C15 + place) % 2**64
