"""Small models for the tests of floors 5 and 6: an autoencoder that has learned its few sentences, and a CALM."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import torch

from calm_lab.device import generator
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.presets import preset
from calm_lab.model.transformer import TokenTransformer
from calm_lab.text.chunks import document_chunks
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.toolkit.loss import calm_loss

SENTENCES = (
    "Once upon a time there was a little girl who lived by the sea.",
    "Every morning she counted the white ships and went home.",
    "The old clock struck 12, and the candles went out.",
)
ROUNDS, STEPS = 6, 100


@functools.cache
def autoencoder() -> Autoencoder:
    """A tiny autoencoder, K = 4, that brings back every token of SENTENCES."""
    torch.manual_seed(0)
    tokenizer = Tokenizer.train([*SENTENCES] * 8, 400)
    model = Autoencoder(preset("tiny", vocab_size=tokenizer.vocab_size).autoencoder)
    model.tokenizer = tokenizer
    ids = _ids(model)
    optimizer = torch.optim.AdamW(model.parameters())
    stream = generator(0)
    for step in range(ROUNDS * STEPS):
        optimizer.param_groups[0]["lr"] = 1e-2 * (1 - step % STEPS / STEPS)
        optimizer.zero_grad()
        model.loss(ids, generator=stream).total.backward()
        optimizer.step()
        if (step + 1) % STEPS == 0 and _comes_back(model.eval(), ids):
            return model
        model.train()
    raise AssertionError(f"{ROUNDS} rounds of {STEPS} steps and some token does not come back")


def _comes_back(model: Autoencoder, ids: torch.Tensor) -> bool:
    """Whether every token does: arithmetic differs from processor to processor, and so do a hundred steps of it."""
    with torch.no_grad():
        return torch.equal(model.decode(model.encode(ids).mean).flatten(1), ids)


@functools.cache
def calm() -> CALM:
    """A tiny CALM that has begun to learn SENTENCES: enough for repeats in a pool."""
    inner = autoencoder()
    torch.manual_seed(0)
    config = preset("tiny", vocab_size=inner.config.vocab_size).calm()
    cheap = dataclasses.replace(config.head, num_samples=4, num_targets=8)
    model = CALM(dataclasses.replace(config, head=cheap), inner)
    ids = _ids(inner)
    optimizer = torch.optim.AdamW(list(model.trainable().values()), lr=3e-3)
    stream = generator(0)
    for _ in range(40):
        optimizer.zero_grad()
        calm_loss(model, ids, generator=stream).total.backward()
        optimizer.step()
    return model.eval()


@functools.cache
def transformer() -> TokenTransformer:
    """A tiny token Transformer with the same tokenizer that has begun to learn SENTENCES."""
    inner = autoencoder()
    torch.manual_seed(0)
    model = TokenTransformer(preset("tiny", vocab_size=inner.config.vocab_size).transformer())
    model.tokenizer = inner.tokenizer
    ids = torch.nn.functional.pad(_ids(inner), (1, 0), value=1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        model.loss(ids).backward()
        optimizer.step()
    return model.eval()


def _ids(model: Autoencoder) -> torch.Tensor:
    assert model.tokenizer is not None
    rows = [
        document_chunks(model.tokenizer.encode(text), model.config.chunk_size, bos_id=1, eos_id=2, pad_id=0).reshape(-1)
        for text in SENTENCES
    ]
    length = max(map(len, rows))
    ids = torch.zeros(len(rows), length, dtype=torch.int64)
    for row, values in zip(ids, rows, strict=True):
        row[: len(values)] = torch.from_numpy(values)
    return ids


def small_rows() -> torch.Tensor:
    """SENTENCES as rows of ids (3, T), each behind its begin chunk."""
    return _ids(autoencoder())


def save_into(folder: Path) -> Path:
    """Model folders as a user's own would be: ``small-autoencoder`` and ``small-calm``."""
    checkpoint.save(autoencoder(), folder / "small-autoencoder", {"metrics": {"sigma_0.3": 0.99}})
    checkpoint.save(calm(), folder / "small-calm", {"data": {"corpus": "three sentences"}})
    return folder
