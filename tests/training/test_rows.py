"""Rows depend on (seed, step) alone, hold every document once an epoch, and lose nothing on the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from calm_lab.errors import CorpusError
from calm_lab.text.chunks import chunk_documents, pack
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.training.rows import Documents, Rows

TEXTS = [f"story number {index} of a hen and an owl" for index in range(40)]
TOKENIZER = Tokenizer.train(TEXTS, 300)
DOCUMENTS = Documents.tokenize(TEXTS, TOKENIZER)


def rows(chunk_size: int = 4, positions: int = 8, seed: int = 0) -> Rows:
    return Rows(DOCUMENTS, chunk_size, positions, TOKENIZER, seed)


def test_documents_keep_every_token() -> None:
    assert len(DOCUMENTS) == len(TEXTS)
    assert [TOKENIZER.decode(DOCUMENTS[i].tolist()) for i in range(len(TEXTS))] == TEXTS
    with pytest.raises(CorpusError):
        Documents.tokenize(["", ""], TOKENIZER)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.integers(1, 12), st.integers(0, 5), st.integers(0, 60))
def test_a_step_is_the_same_whatever_came_before(chunk_size: int, positions: int, seed: int, step: int) -> None:
    fresh, walked = rows(chunk_size, positions, seed), rows(chunk_size, positions, seed)
    for earlier in range(step):
        walked.batch(earlier, 2)
    batch = fresh.batch(step, 2)
    assert batch.shape == (2, positions * chunk_size)
    assert torch.equal(batch, walked.batch(step, 2))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.integers(1, 40), st.integers(0, 5), st.integers(0, 2))
def test_rows_are_the_packed_documents(chunk_size: int, positions: int, seed: int, epoch: int) -> None:
    """A row made alone is the row that packing the whole epoch gives, one remainder drawn after another."""
    source = rows(chunk_size, positions, seed)
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(DOCUMENTS))
    packed: list[np.ndarray] = []
    while not packed:
        ids = (DOCUMENTS[int(index)].tolist() for index in order)
        chunks = chunk_documents(ids, chunk_size, bos_id=1, eos_id=2, pad_id=0, rng=rng)
        packed = list(pack(chunks, positions))
        order = np.concatenate([order, order])
    assert np.array_equal(source.epoch(epoch), np.stack(packed))


def test_epochs_differ_and_hold_the_same_documents() -> None:
    source = rows(positions=1)
    first, second = source.epoch(0), source.epoch(1)
    assert not np.array_equal(first[: len(second)], second[: len(first)])
    for epoch in (first, second):
        text = [token for token in epoch.reshape(-1).tolist() if token not in (0, 1, 2)]
        assert sorted(text) == sorted(DOCUMENTS.ids.tolist())


def test_a_corpus_shorter_than_a_row_is_repeated() -> None:
    assert rows(positions=2000).batch(0, 1).shape == (1, 8000)


def test_one_each_starts_every_document_at_its_begin_chunk() -> None:
    ids = rows().one_each(5)
    assert ids.shape[0] == 5
    assert (ids[:, :4] == TOKENIZER.bos_id).all()
    assert [TOKENIZER.decode(row.tolist()) for row in ids] == TEXTS[:5]
