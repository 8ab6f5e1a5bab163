"""The table of posteriors: what the encoder says, each chunk asked once, the same wherever a run begins."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from calm_lab.model.autoencoder import Autoencoder, Posterior
from calm_lab.model.config import AutoencoderConfig
from calm_lab.training import posteriors
from calm_lab.training.posteriors import PosteriorTable
from calm_lab.training.rows import Rows
from tests.training.test_rows import rows

STEPS, BATCH = 10, 2


class Counting(Autoencoder):
    """Remembers which chunks it was asked for."""

    def encode(self, ids: Tensor) -> Posterior:
        self.asked = [*getattr(self, "asked", []), *map(tuple, self.chunked(ids).flatten(0, 1).tolist())]
        return super().encode(ids)


def autoencoder(data: Rows) -> Counting:
    torch.manual_seed(0)
    vocab = data.tokenizer.vocab_size
    return Counting(AutoencoderConfig(vocab_size=vocab, chunk_size=4, latent_size=8, hidden_size=16))


@pytest.mark.parametrize("window", [1, 3, 100])
def test_a_table_says_what_the_encoder_says(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = rows()
    model = autoencoder(data)
    monkeypatch.setattr(posteriors, "WINDOW_CHUNKS", window * BATCH * data.positions)
    table = PosteriorTable(model, data, BATCH, STEPS)
    assert table.length == window
    for step in range(STEPS):
        table.prepare(step)
        ids = data.batch(step, BATCH)
        found, wanted = table(ids), Autoencoder.encode(model, ids)
        torch.testing.assert_close(found.mean, wanted.mean)
        torch.testing.assert_close(found.log_std, wanted.log_std)


def test_a_chunk_is_encoded_once_a_window() -> None:
    data = rows()
    model = autoencoder(data)
    table = PosteriorTable(model, data, BATCH, STEPS)
    for step in range(STEPS):
        table.prepare(step)
        table(data.batch(step, BATCH))
    read = {tuple(c) for s in range(STEPS) for c in data.batch(s, BATCH).reshape(-1, 4).tolist()}
    assert sorted(model.asked) == sorted(read)
    assert len(read) < STEPS * BATCH * data.positions  # so that there is something to save


def test_a_run_that_begins_in_the_middle_reads_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    data = rows()
    model = autoencoder(data)
    monkeypatch.setattr(posteriors, "WINDOW_CHUNKS", 4 * BATCH * data.positions)
    whole, resumed = (PosteriorTable(model, data, BATCH, STEPS) for _ in range(2))
    for step in range(STEPS):
        whole.prepare(step)
        if step >= 6:  # inside the second window
            resumed.prepare(step)
            ids = data.batch(step, BATCH)
            assert torch.equal(resumed(ids).mean, whole(ids).mean)
