"""Chunks: where documents begin and end, prompts of any length, packing without loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calm_lab.errors import InputError
from calm_lab.text.chunks import Chunks, begin_chunk, chunk_documents, document_chunks, pack, prompt_chunks

PAD, BOS, EOS = 0, 1, 2
IDS = st.lists(st.integers(4, 99), max_size=40)
SIZES = st.integers(1, 9)


def as_document(ids: list[int], chunk_size: int, remainder: int = 0) -> Chunks:
    return document_chunks(ids, chunk_size, bos_id=BOS, eos_id=EOS, pad_id=PAD, remainder=remainder)


def test_the_worked_example_of_the_module() -> None:
    assert begin_chunk([7, 8], 4, BOS) == [BOS, BOS, 7, 8]
    assert as_document([7, 8, 9], 4).tolist() == [[1, 1, 1, 1], [7, 8, 9, 2]]
    assert as_document([7, 8, 9], 4, 2).tolist() == [[1, 1, 7, 8], [9, 2, 0, 0]]
    assert as_document([7, 8, 9, 10], 4).tolist() == [[1, 1, 1, 1], [7, 8, 9, 10], [2, 0, 0, 0]]
    assert as_document([7], 4, 3).tolist() == [[1, 1, 1, 7], [2, 0, 0, 0]]
    assert as_document([], 2).tolist() == [[1, 1], [2, 0]]
    assert prompt_chunks([7, 8, 9, 10, 11], 4, bos_id=BOS).tolist() == [[1, 1, 1, 7], [8, 9, 10, 11]]
    assert prompt_chunks([], 3, bos_id=BOS).tolist() == [[1, 1, 1]]


@given(ids=IDS, chunk_size=SIZES, data=st.data())
def test_a_document_holds_its_tokens_once_between_begin_and_end(
    ids: list[int], chunk_size: int, data: st.DataObject
) -> None:
    remainder = data.draw(st.integers(0, chunk_size - 1))
    chunks = as_document(ids, chunk_size, remainder)
    flat = chunks.ravel().tolist()
    begins, pads = flat.count(BOS), flat.count(PAD)
    assert flat == [BOS] * begins + ids + [EOS] + [PAD] * pads
    assert begins == chunk_size - min(remainder, len(ids))
    assert pads < chunk_size
    assert chunks.shape[1] == chunk_size
    assert chunks.dtype == np.int64


@given(ids=IDS, chunk_size=SIZES)
def test_a_prompt_is_the_beginning_of_a_document_that_training_has_seen(ids: list[int], chunk_size: int) -> None:
    prompt = prompt_chunks(ids, chunk_size, bos_id=BOS)
    longer = as_document([*ids, 50, 51, 52], chunk_size, len(ids) % chunk_size)
    assert prompt.tolist() == longer[: len(prompt)].tolist()
    assert prompt.shape == (1 + len(ids) // chunk_size, chunk_size)


@given(documents=st.lists(IDS, max_size=8), chunk_size=SIZES, positions=st.integers(1, 7), seed=st.integers(0, 99))
def test_packing_loses_and_invents_nothing(
    documents: list[list[int]], chunk_size: int, positions: int, seed: int
) -> None:
    def chunks() -> list[Chunks]:
        rng = np.random.default_rng(seed)
        return list(chunk_documents(documents, chunk_size, bos_id=BOS, eos_id=EOS, pad_id=PAD, rng=rng))

    every = [row for document in chunks() for row in document.tolist()]
    dropped = list(pack(chunks(), positions))
    assert all(row.shape == (positions, chunk_size) for row in dropped)
    assert [chunk for row in dropped for chunk in row.tolist()] == every[: len(every) - len(every) % positions]
    padded = [chunk for row in pack(chunks(), positions, pad_id=PAD) for chunk in row.tolist()]
    assert padded[: len(every)] == every
    assert len(padded) - len(every) == -len(every) % positions
    assert all(chunk == [PAD] * chunk_size for chunk in padded[len(every) :])


def test_rows_are_independent_copies() -> None:
    document = as_document(list(range(4, 40)), 2)
    first, second, *_ = pack([document], 3)
    first[:] = -1
    assert (second >= 0).all()
    assert (document >= 0).all()


def test_remainders_are_uniform_and_follow_the_seed() -> None:
    """4,000 draws over K = 4; each count lies within 5 standard errors (false alarm below 1 in 400,000)."""
    documents = [[9] * 8] * 4000

    def begins(seed: int) -> list[int]:
        rng = np.random.default_rng(seed)
        made = chunk_documents(documents, 4, bos_id=BOS, eos_id=EOS, pad_id=PAD, rng=rng)
        return [int((chunks == BOS).sum()) for chunks in made]

    counts = np.bincount(begins(0), minlength=5)[1:]
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(4000 * 0.25 * 0.75)
    assert begins(1) == begins(1) != begins(2)
    without = chunk_documents(documents[:3], 4, bos_id=BOS, eos_id=EOS, pad_id=PAD)
    assert all((chunks[0] == BOS).all() for chunks in without)


def test_packing_is_lazy() -> None:
    def endless() -> object:
        while True:
            yield as_document([5, 6, 7], 2)

    rows = pack(endless(), 4)  # type: ignore[arg-type]
    assert next(rows).shape == (4, 2)


@pytest.mark.parametrize("chunk_size", [0, -1, 2.0, True, "4"])
def test_wrong_chunk_sizes_are_refused(chunk_size: object) -> None:
    for call in (
        lambda: as_document([5], chunk_size),  # type: ignore[arg-type]
        lambda: prompt_chunks([5], chunk_size, bos_id=BOS),  # type: ignore[arg-type]
        lambda: begin_chunk([], chunk_size, BOS),  # type: ignore[arg-type]
        lambda: list(chunk_documents([[5]], chunk_size, bos_id=BOS, eos_id=EOS, pad_id=PAD)),  # type: ignore[arg-type]
    ):
        with pytest.raises(InputError, match="chunk_size"):
            call()


def test_other_wrong_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="at most 3"):
        begin_chunk([5, 5, 5, 5], 4, BOS)
    for remainder in (-1, 4):
        with pytest.raises(InputError, match=r"0\.\.3"):
            as_document([5], 4, remainder)
    for positions in (0, 1.5, True):
        with pytest.raises(InputError, match="positions"):
            list(pack([as_document([5], 4)], positions))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="shape"):
        list(pack([as_document([5], 4), as_document([5], 3)], 9))
    with pytest.raises(InputError, match="shape"):
        list(pack([np.zeros(4, dtype=np.int64)], 9))
