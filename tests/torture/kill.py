"""Kill training at random moments and resume it: ``python -m tests.torture.kill --kills 50``.

Three runs, one of each kind. Each is first trained without interruption; then the same recipe is trained by one child
process after the other, each killed by SIGKILL, until it is done. The children write down what they are at, in memory
that outlives them, and every loss they compute, bit by bit.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import mmap
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import torch

from calm_lab.model import checkpoint, replacing
from calm_lab.training import AutoencoderRecipe, CalmRecipe, TransformerRecipe, run_folder, train
from calm_lab.training.loop import _Run
from calm_lab.training.recipes import Recipe
from calm_lab.training.run_folder import RunFolder

PHASES = (
    "starting",
    "step",
    "judging",
    "saving: weights",
    "saving: state",
    "saving: flush",
    "saving: rename",
    "pruning",
)
SAVING = range(3, 7)
SMALL: dict[str, Any] = {
    "preset": "tiny", "warmup": 2, "rows": 2, "positions": 16, "device": "cpu", "evaluate_every": 15, "save_every": 3,
    "steps": 60,
}  # fmt: skip


@dataclass
class Tally:
    """What 50 kills left behind.

    Attributes:
        kills: processes killed, by what they were at.
        loads: times that the newest checkpoint was loaded after a kill.
        steps: losses compared with those of the uninterrupted run.
        finds: one line for each thing lost, half written, or different.
    """

    kills: Counter[str] = field(default_factory=Counter)
    loads: int = 0
    steps: int = 0
    finds: list[str] = field(default_factory=list)

    @property
    def in_saving(self) -> int:
        """Kills while a checkpoint was being written."""
        return sum(self.kills[PHASES[phase]] for phase in SAVING)


def main(argv: list[str] | None = None) -> int:
    """Run it; exit code 1 if anything was lost, or fewer than a fifth of the kills fell into saving."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the tally here")
    options = parser.parse_args(argv)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="calm_lab-kill-") as folder:
        tally = torture(Path(folder), options.kills, options.seed)
    for phase, count in sorted(tally.kills.items()):
        print(f"killed while {phase:<16} {count:>3}")
    for found in tally.finds:
        print(f"    {found}")
    count = sum(tally.kills.values())
    print(
        f"{count} kills, {tally.in_saving} of them in saving; {tally.loads} checkpoints loaded, {tally.steps:,} losses"
        f" compared, {len(tally.finds)} finds, {time.monotonic() - began:.0f} s"
    )
    if options.json:
        options.json.write_text(json.dumps({**vars(tally), "in_saving": tally.in_saving}, indent=1))
    return int(bool(tally.finds) or tally.in_saving < count // 5)


def torture(home: Path, kills: int, seed: int) -> Tally:
    """Kill ``kills`` processes in all, a third of them in each of the three trainings."""
    torch.set_num_threads(1)
    tally = Tally()
    for place, recipe in enumerate(recipes(home)):
        share = kills // 3 + (place < kills % 3)
        reference = home / f"{recipe.kind}-whole"
        _wait(_start(replace(recipe, out=reference), home, "whole"))
        expected = _losses(home / f"whole-{recipe.kind}.txt")
        assert len(expected) == recipe.steps
        rng, rounds = Random(f"{seed} {recipe.kind}"), 0
        while share > 0:
            rounds += 1
            share -= _one_run(replace(recipe, out=home / f"{recipe.kind}-{rounds}"), share, rng, home, tally, expected)
            _compare(home / f"{recipe.kind}-{rounds}", reference, recipe, tally)
    return tally


def recipes(home: Path) -> Iterator[Recipe]:
    """The three trainings, on a page of text."""
    text = home / "tale.txt"
    lines = [f"The {a} {b} saw a {c} by the {d}." for a in ("old", "red") for b in ("fox", "hen", "owl")
             for c in ("key", "hat", "bell") for d in ("river", "gate", "hill")]  # fmt: skip
    text.write_text("\n\n".join(" ".join(lines[start::7]) for start in range(7)) * 6, "utf-8")
    ready = AutoencoderRecipe(corpus=str(text), out=home / "ready", **{**SMALL, "steps": 5})
    _wait(_start(ready, home, "ready"))
    yield CalmRecipe(corpus=str(text), autoencoder=str(home / "ready"), samples=2, targets=4, ema=0.9, **SMALL)
    yield AutoencoderRecipe(corpus=str(text), **SMALL)
    yield TransformerRecipe(corpus=str(text), tokenizer=str(home / "ready"), optimizer="adamw", **SMALL)


def _one_run(recipe: Recipe, most: int, rng: Random, home: Path, tally: Tally, expected: dict[int, set[str]]) -> int:
    """Train ``recipe`` in children that are killed, then in one that is not; the number of kills."""
    kills, newest = 0, -1
    tag = f"killed-{recipe.folder.name}"
    while kills < most:
        shared = mmap.mmap(-1, 3)
        child = _start(replace(recipe, resume=True), home, tag, shared)
        ended = _kill_somewhere(child, shared, rng, in_saving=kills % 3 == 0)
        if ended:
            break
        kills += 1
        tally.kills[PHASES[shared[0]]] += 1
        newest = _look_at(recipe, newest, PHASES[shared[0]], tally)
    _wait(_start(replace(recipe, resume=True), home, tag))
    for step, values in _losses(home / f"{tag}-{recipe.kind}.txt").items():
        tally.steps += len(values)
        if values != expected[step]:
            tally.finds.append(f"{tag}: the loss of step {step} is {values}, uninterrupted {expected[step]}")
    return max(kills, 1)


def _kill_somewhere(child: int, shared: mmap.mmap, rng: Random, in_saving: bool) -> bool:
    """Kill the child at a random moment; True if it had ended by itself."""
    begun = rng.randint(0, 2) if in_saving else rng.randint(0, 9)  # saves, or steps, that it may do first
    phase = rng.choice(SAVING)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if (shared[2] > begun and shared[0] == phase) if in_saving else shared[1] >= begun:
            break
        if os.waitpid(child, os.WNOHANG)[0]:
            return True
        time.sleep(0.0001)
    time.sleep(rng.uniform(0, 0.004) if in_saving else rng.uniform(0, 0.1))
    os.kill(child, signal.SIGKILL)
    return not os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _look_at(recipe: Recipe, before: int, phase: str, tally: Tally) -> int:
    """Load the newest checkpoint that a killed process left; its step."""
    folder = RunFolder(recipe)
    for path in (recipe.folder / run_folder.CHECKPOINTS).glob("step-*"):
        missing = {"config.json", "model.safetensors", "card.json", run_folder.STATE} - {
            file.name for file in path.iterdir()
        }
        # A checkpoint that is being removed may be half there; the newest may not.
        if missing and path == max(path.parent.glob("step-*")):
            tally.finds.append(f"killed while {phase}: {path.name} lacks {sorted(missing)}")
    newest = folder.newest()
    if newest is None:
        if before >= 0:
            tally.finds.append(f"killed while {phase}: the checkpoint of step {before} is gone")
        return before
    try:
        checkpoint.load(newest)
        checkpoint.load(recipe.folder)
        step = int(folder.load_state(newest)["step"])
        tally.loads += 1
    except Exception as error:
        tally.finds.append(f"killed while {phase}: {newest.name} does not load: {error}")
        return before
    if step < before or newest.name != f"step-{step:08d}":
        tally.finds.append(f"killed while {phase}: the newest is step {step} where step {before} had been saved")
    return step


def _compare(killed: Path, whole: Path, recipe: Recipe, tally: Tally) -> None:
    """The last checkpoints of both runs: weights, optimizer, average, all bits."""
    name = f"{run_folder.CHECKPOINTS}/step-{recipe.steps:08d}"
    if (killed / name / "model.safetensors").read_bytes() != (whole / name / "model.safetensors").read_bytes():
        tally.finds.append(f"{killed.name}: the weights differ from the uninterrupted run's")
    states = [RunFolder(recipe).load_state(folder / name) for folder in (killed, whole)]
    for key in states[0]:
        if key != "seconds" and not same(states[0][key], states[1].get(key)):
            what = f"{states[0][key]} and {states[1].get(key)}"[:500]
            tally.finds.append(f"{killed.name}: '{key}' differs from the uninterrupted run's: {what}")


def same(one: Any, other: Any) -> bool:
    """Whether two training states are equal to the last bit."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _losses(path: Path) -> dict[int, set[str]]:
    """Every value that was computed for each step's loss; a line that the kill cut off does not count."""
    found: dict[int, set[str]] = {}
    for line in path.read_text().splitlines(keepends=True) if path.exists() else ():
        if line.endswith(".\n"):
            step, value = line.split()[:2]
            found.setdefault(int(step), set()).add(value)
    return found


def _start(recipe: Recipe, home: Path, tag: str, shared: mmap.mmap | None = None) -> int:
    """Train ``recipe`` in a child; its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            _watch(shared if shared is not None else mmap.mmap(-1, 3), home / f"{tag}-{recipe.kind}.txt")
            getattr(train, f"train_{recipe.kind}")(recipe)
        code = 0
    except BaseException as error:
        print(f"{tag}: {type(error).__name__}: {error}", file=sys.__stderr__, flush=True)
    finally:
        os._exit(code)


def _wait(child: int) -> None:
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"a run that was not killed ended with status {status}")


def _watch(shared: mmap.mmap, losses: Path) -> None:
    """Hooks for tests only: phase, steps and saves go into shared memory, each step's loss into a file."""

    def during(owner: Any, name: str, phase: int, after: int | None = None) -> None:
        genuine: Callable[..., Any] = getattr(owner, name)

        def noted(*args: Any, **kwargs: Any) -> Any:
            before, shared[0] = shared[0], phase
            shared[2] += phase == SAVING[0]
            try:
                return genuine(*args, **kwargs)
            finally:
                shared[0] = before if after is None else after

        setattr(owner, name, noted)

    during(_Run, "judge", 2)
    during(_Run, "save", 3, after=1)
    during(torch, "save", 4, after=3)
    during(replacing, "_flush", 5, after=6)  # what follows the flush is the renaming
    during(RunFolder, "prune", 7)
    step = _Run._step

    def logged(self: _Run, number: int) -> Any:
        shared[0], shared[1] = 1, min(255, shared[1] + 1)
        loss, logs, count = step(self, number)
        with losses.open("a") as file:
            file.write(f"{number} {loss.item().hex()} .\n")
        return loss, logs, count

    _Run._step = logged  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main())
