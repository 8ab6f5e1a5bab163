"""The tape of generation: predict a vector, decode it, read the tokens back in (paper sec. 3.3).

``Tape`` holds the key/value cache of one text (or of a batch in step) and the hidden state that conditions the next
draw. It knows nothing of temperature: whoever holds it draws, chooses and appends.
"""

from __future__ import annotations

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.calm import CALM


class Tape:
    """A growing text of chunks, B rows in step.

    Attributes:
        model: the CALM that continues it.
        hidden: state that conditions the next chunk, shape (B, d).
        length: chunks so far.
    """

    def __init__(self, model: CALM, ids: Tensor, capacity: int):
        """Read whole chunks ``ids`` (B, T), T >= K; leave room for ``capacity`` chunks in all."""
        size = model.config.chunk_size
        if ids.shape[-1] < size:
            raise InputError(f"a text starts from at least one chunk of {size} tokens")
        self.model = model
        self.cache = model.backbone.cache(ids.shape[0], max(capacity, ids.shape[-1] // size))
        self.length = 0
        self.hidden = self._read(ids, None)

    def _read(self, ids: Tensor, latents: Tensor | None) -> Tensor:
        hidden = self.model.backbone(self.model.chunk_embeddings(ids, latents), self.cache)
        self.length += hidden.shape[1]
        return hidden[:, -1]

    def draw(self, count: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw ``count`` next vectors for every row: latents (B, count, l) and their chunks (B, count, K)."""
        z = self.model.head.sample(self.hidden, generator=generator, num_samples=count).transpose(0, 1)
        return z, self.model.autoencoder.decode(z, after_end="pad")

    def append(self, ids: Tensor, latents: Tensor | None = None) -> None:
        """Add one chunk (B, K) to every row; ``latents`` (B, l) are the drawn vectors, read by continuous input."""
        config = self.model.config
        if config.pad_id >= config.vocab_size:  # no token, so it cannot be read; nor is it, since its row has ended
            ids = ids.masked_fill(ids == config.pad_id, config.eos_id)
        self.hidden = self._read(ids, None if latents is None else latents[:, None])
