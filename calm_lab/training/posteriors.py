"""The posteriors that the next steps of a CALM read, each distinct chunk encoded once.

The autoencoder is frozen and sees one chunk at a time, and text repeats itself: of the 260,000 chunks of four tokens in
256 steps on storyland a third are distinct. A table holds the posteriors of a window of steps. Windows begin at fixed
steps, wherever a run begins, so a resumed run reads the same bits as one that was never stopped.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from calm_lab.model.autoencoder import Autoencoder, Posterior
from calm_lab.training.rows import Rows

WINDOW_CHUNKS = 2**18
BLOCK = 1024  # chunks encoded at a time


class PosteriorTable:
    """Posteriors by chunk, for a run on a CPU.

    Args:
        autoencoder: the frozen autoencoder.
        rows: the run's data.
        batch: rows in a batch.
        steps: steps of the run.
    """

    def __init__(self, autoencoder: Autoencoder, rows: Rows, batch: int, steps: int):
        self.autoencoder, self.rows, self.batch, self.steps = autoencoder, rows, batch, steps
        self.length = max(1, WINDOW_CHUNKS // (batch * rows.positions))  # steps in a window
        self._window = -1
        self._places: dict[bytes, int] = {}
        self._posterior = Posterior(torch.empty(0), torch.empty(0))

    @torch.no_grad()
    def prepare(self, step: int) -> None:
        """Encode what the window of ``step`` reads, unless that is done."""
        window = step // self.length
        if window == self._window:
            return
        steps = range(window * self.length, min((window + 1) * self.length, self.steps))
        read = torch.cat([self.rows.batch(step, self.batch) for step in steps])
        chunks = np.unique(read.reshape(-1, self.rows.chunk_size).numpy(), axis=0)  # (U, K)
        self._places = {chunk.tobytes(): place for place, chunk in enumerate(chunks)}
        parts = [self.autoencoder.encode(block.reshape(1, -1)) for block in torch.from_numpy(chunks).split(BLOCK)]
        mean, log_std = (torch.cat([getattr(p, name)[0] for p in parts]) for name in ("mean", "log_std"))
        self._posterior, self._window = Posterior(mean, log_std), window

    def __call__(self, ids: Tensor) -> Posterior:
        """The posterior (B, S, l) of ids (B, T) that the window of the last ``prepare`` holds."""
        chunks = ids.unflatten(-1, (-1, self.rows.chunk_size))  # (B, S, K)
        flat = chunks.flatten(0, 1).contiguous().numpy()
        index = torch.tensor([self._places[chunk.tobytes()] for chunk in flat]).view(chunks.shape[:2])
        return Posterior(self._posterior.mean[index], self._posterior.log_std[index])
