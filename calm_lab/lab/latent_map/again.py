"""UMAP once more, with other settings, in a process of its own: it can be watched, and stopped at any moment.

Why: a layout takes a minute or more, holds Python's lock for much of it, and cannot be interrupted from inside. A
process can: ``Fitting.cancel`` ends it, and nothing of it is left.

The two processes share a temporary folder: ``vectors.npy`` goes in, ``layout.npy`` comes back, and every line that the
child prints is one step of its progress.

App tab: Latent map. Notebook: 04.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from calm_lab.errors import CalmLabError, InputError
from calm_lab.lab.latent_map.fit import EPOCHS, check_settings, umap_layout

STAGES = ("start", "neighbours", "compiler", "layout")


@dataclass(frozen=True)
class Stage:
    """How far a fit is.

    Attributes:
        name: one of ``STAGES``.
        done: how much of the stage is done.
        total: of how much.
    """

    name: str
    done: int
    total: int


class Fitting:
    """One UMAP layout being computed elsewhere.

    Args:
        vectors: shape (R, l), R >= 20.
        n_neighbors: see ``fit.umap_layout``.
        min_dist: see ``fit.umap_layout``.
        seed: of the layout.
        epochs: rounds of the optimisation.

    Raises:
        InputError: for too few vectors or a setting out of its domain, before anything is started.
    """

    def __init__(self, vectors: Tensor, n_neighbors: int, min_dist: float, seed: int = 0, epochs: int = EPOCHS):
        check_settings(len(vectors), n_neighbors, min_dist)
        self._stage = Stage("start", 0, 1)
        self._cancelled = False
        self._folder = Path(tempfile.mkdtemp(prefix="calm_lab-umap-"))
        np.save(self._folder / "vectors.npy", vectors.float().cpu().numpy())
        settings = {"n_neighbors": n_neighbors, "min_dist": min_dist, "seed": seed, "epochs": epochs}
        root = str(Path(__file__).resolve().parents[3])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self._folder), json.dumps(settings)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._complaint = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        errors = threading.Thread(target=self._read_errors, daemon=True)  # a full pipe would stop the child
        errors.start()
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):  # a library may print a line of its own
                name, done, total = json.loads(line)
                self._stage = Stage(str(name), int(done), int(total))
        errors.join()
        self._process.wait()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.strip():
                self._complaint = line.strip()[:200]

    @property
    def stage(self) -> Stage:
        """How far it is."""
        return self._stage

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._reader.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped."""
        return self._cancelled

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended, at most so long; whether it has."""
        self._reader.join(seconds)
        return not self.running

    def cancel(self) -> None:
        """Stop it and remove what it made. Calling it again does nothing."""
        self._cancelled = True
        if self._process.poll() is None:
            self._process.kill()
        self._reader.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def layout(self) -> Tensor:
        """The places, shape (R, 2), once it has ended; its temporary files are removed.

        Raises:
            InputError: if it still runs or was cancelled.
            CalmLabError: if the process failed, with its last words.
        """
        if self.running:
            raise InputError("the layout is not ready: wait for it")
        if self._cancelled:
            raise InputError("the layout was cancelled: start it again")
        try:
            if self._process.returncode != 0:
                raise CalmLabError(
                    f"UMAP stopped with code {self._process.returncode}: {self._complaint or 'no reason'}"
                )
            return torch.from_numpy(np.load(self._folder / "layout.npy", allow_pickle=False))
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


def main(folder: Path, settings: dict[str, Any]) -> None:
    """What the child process does."""

    def tell(stage: str, done: int, total: int) -> None:
        print(json.dumps([stage, done, total]), flush=True)

    vectors = torch.from_numpy(np.load(folder / "vectors.npy", allow_pickle=False))
    np.save(folder / "layout.npy", umap_layout(vectors, **settings, progress=tell).numpy())


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
