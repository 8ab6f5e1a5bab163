"""A run's folder: who may write there, what is in it, and where a resumed run picks up.

``recipe.json`` says what is being trained, ``metrics.jsonl`` holds one line a report, ``checkpoints/step-N/`` are model
folders with the optimizer's state beside the weights. A checkpoint appears under its name only when it is complete.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from calm_lab.errors import TrainingError
from calm_lab.model.checks import shown
from calm_lab.model.pickles import read_pickle
from calm_lab.model.stored import first_line
from calm_lab.training.recipes import Recipe

STATE = "training.pt"
RECIPE, METRICS, CHECKPOINTS = "recipe.json", "metrics.jsonl", "checkpoints"
LARGEST_PID, LONGEST_HOST = 2**31, 255
_FREE = ("steps", "evaluate_every", "compile", "gradient_checkpointing", "precision")  # may change when a run resumes


class FolderTaken(TrainingError):
    """Another process trains in this folder."""


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let no other process of this machine into the block: two that find a dead lock must not both replace it."""
    try:
        import fcntl
    except ImportError:  # Windows, where the open file cannot be replaced
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network disks know no such locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class RunFolder:
    """The folder of one run, held by one process at a time.

    Use it as a context manager: entering takes the lock, leaving gives it back. Where several processes train together,
    only the main one holds and writes; the others read.
    """

    def __init__(self, recipe: Recipe, main: bool = True):
        self.recipe = recipe
        self.main = main
        self.path = recipe.folder
        self.lock = self.path / "lock.json"
        self.made = False

    def __enter__(self) -> RunFolder:
        if not self.main:
            return self
        try:
            self.made = not self.path.exists()
            self.path.mkdir(parents=True, exist_ok=True)
            with _alone(self.path):
                self._take_lock()
        except OSError as error:
            raise TrainingError(f"{self.path}: cannot be written ({error.strerror}); choose another --out") from error
        try:
            self._check_recipe()
            self._mend_metrics()
        except BaseException as error:
            self._let_go()
            if isinstance(error, OSError):
                raise self._no_room(error) from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.main:
            return
        if kind is not None and not (self.path / METRICS).exists() and not (self.path / CHECKPOINTS).exists():
            (self.path / RECIPE).unlink(missing_ok=True)  # nothing was trained, so nothing is to be resumed
        self._let_go()

    def _let_go(self) -> None:
        """Give the lock back, and remove the folder if it was made for this run and nothing came of it."""
        self.lock.unlink(missing_ok=True)
        if self.made:
            with contextlib.suppress(OSError):  # it is not empty
                self.path.rmdir()

    def _take_lock(self) -> None:
        mine = {"pid": os.getpid(), "host": socket.gethostname()}
        while True:
            try:
                with self.lock.open("x") as file:
                    try:
                        json.dump(mine, file)
                        file.flush()
                    except OSError:  # a full disk
                        self.lock.unlink()
                        raise
                return
            except FileExistsError:
                holder = self._holder()
                if holder is not None:
                    raise FolderTaken(
                        f"{self.path}: process {holder['pid']} on {holder['host']} trains here;"
                        f" wait for it, choose another --out, or remove {self.lock.name} if it is gone"
                    ) from None
                self.lock.unlink(missing_ok=True)

    def _holder(self) -> dict[str, Any] | None:
        """Who holds the lock; None if that process has died, perhaps before it wrote its name.

        Raises:
            TrainingError: if the file is no lock of ours.
        """
        for wait in (0.2, 0.0):  # a fresh lock may not be written yet
            try:
                content = self.lock.read_bytes()
                holder = json.loads(content)
                pid, host = int(holder["pid"]), str(holder["host"])
                if not (0 < pid < LARGEST_PID and host.isprintable() and len(host) <= LONGEST_HOST):
                    raise ValueError
                break
            except FileNotFoundError:
                return None
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                time.sleep(wait)
        else:
            if content.strip():
                raise TrainingError(f"{self.lock}: is no lock of calm_lab; move it away, or choose another --out")
            return None
        if host == socket.gethostname() and not psutil.pid_exists(pid):
            return None
        return {"pid": pid, "host": host}

    def _check_recipe(self) -> None:
        """Refuse to mix two recipes in a folder, to start over what could be resumed, to write over other files."""
        path = self.path / RECIPE
        mine = self.recipe.to_dict()
        if self.newest() is not None and not self.recipe.resume:
            raise TrainingError(f"{self.path}: holds a run already; add --resume to go on, or choose another --out")
        theirs = self._recipe_there()
        if self.recipe.resume and theirs is not None:
            for name, value in mine.items():
                if name not in _FREE and name in theirs and theirs[name] != json.loads(json.dumps(value)):
                    raise TrainingError(
                        f"{self.path}: was started with {name} = {shown(theirs[name])}, not {shown(value)};"
                        " resume with the same recipe, or choose another --out"
                    )
        fresh = path.with_name(f".{RECIPE}.tmp")
        fresh.write_text(json.dumps(mine, indent=1) + "\n", "utf-8")
        os.replace(fresh, path)

    def _recipe_there(self) -> dict[str, Any] | None:
        """The recipe of the run that the folder holds; None where there is no run."""
        path = self.path / RECIPE
        if not path.exists():
            if (self.path / METRICS).exists():
                raise TrainingError(f"{self.path}: has a {METRICS} but no {RECIPE}; choose another --out")
            return None
        try:
            theirs = json.loads(path.read_bytes())
        except (ValueError, RecursionError):  # not JSON, or not UTF-8
            theirs = None
        if not isinstance(theirs, dict) or "kind" not in theirs:
            raise TrainingError(f"{path}: is damaged, or not of a calm_lab run; restore it, or choose another --out")
        return theirs

    def checkpoints(self) -> list[Path]:
        """Complete checkpoints, oldest first."""
        return [path.parent for path in sorted((self.path / CHECKPOINTS).glob(f"step-*/{STATE}"))]

    def newest(self) -> Path | None:
        """The newest complete checkpoint."""
        return next(reversed(self.checkpoints()), None)

    def place(self, step: int) -> Path:
        """Where the checkpoint after ``step`` steps goes."""
        return self.path / CHECKPOINTS / f"step-{step:08d}"

    def prune(self) -> None:
        """Remove all but the newest ``recipe.keep`` checkpoints, and what an interrupted save left behind."""
        for path in self.checkpoints()[: -self.recipe.keep]:
            with contextlib.suppress(OSError):  # renamed first: a checkpoint that is half removed must not look whole
                path.rename(path.with_name(f".{path.name}.pruned"))
        for path in (self.path / CHECKPOINTS).glob(".step-*"):
            shutil.rmtree(path, ignore_errors=True)

    def log(self, entry: dict[str, Any]) -> None:
        """Add a line to metrics.jsonl.

        Raises:
            TrainingError: if the disk is full or gone.
        """
        if not self.main:
            return
        try:
            with (self.path / METRICS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise self._no_room(error) from error

    def _mend_metrics(self) -> None:
        """Cut off the half line that a killed run, or a full disk, may have left at the end of metrics.jsonl."""
        with contextlib.suppress(FileNotFoundError), (self.path / METRICS).open("r+b") as file:
            content = file.read()
            if not content.endswith(b"\n"):
                file.truncate(content.rfind(b"\n") + 1)

    def _no_room(self, error: OSError) -> TrainingError:
        reason = error.strerror or first_line(error)
        return TrainingError(f"{self.path}: cannot be written ({reason}); make room there, then go on with --resume")

    def load_state(self, folder: Path) -> dict[str, Any]:
        """The optimizer's state of a checkpoint."""
        try:
            state = copy.deepcopy(read_pickle(folder / STATE))  # not views of a file that will be pruned
        except Exception as error:  # a damaged zip provokes many types
            remedy = "remove that checkpoint and resume from the one before"
            raise TrainingError(f"{folder / STATE}: damaged; {remedy}") from error
        if not isinstance(state, dict):
            raise TrainingError(f"{folder / STATE}: holds no training state; remove that checkpoint")
        return state
