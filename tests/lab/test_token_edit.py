"""Exchanging one token: what moves, what stays, what is refused."""

from __future__ import annotations

import pytest
import torch

from calm_lab.errors import InputError
from calm_lab.lab.token_edit import alike, exchange, one_token
from calm_lab.lab.vectors import text_ids
from tests.app.small_models import SENTENCES, autoencoder

TEXT = SENTENCES[0]


def test_the_movement_is_that_of_the_edited_chunk() -> None:
    model = autoencoder()
    ids = text_ids(model, TEXT)
    edit = exchange(model, TEXT, 1, 2, 65)
    place = model.config.chunk_size + 2
    changed = ids.clone()
    changed[0, place] = 65
    with torch.no_grad():
        before, after = model.encode(ids), model.encode(changed)
    moved = after.mean - before.mean
    assert edit.moved.tolist() == pytest.approx(moved[0, 1].tolist(), abs=1e-5)
    assert edit.in_sigmas.tolist() == pytest.approx((moved[0, 1] / before.std[0, 1]).tolist(), rel=1e-3, abs=1e-4)
    others = [row for row in range(moved.shape[1]) if row != 1]
    assert float(moved[0, others].abs().max()) == 0, "each chunk is encoded alone"
    assert edit.after == [*edit.before[:2], 65, *edit.before[3:]]
    assert edit.distance == pytest.approx(float(moved.norm()), rel=1e-4)


def test_the_same_token_moves_nothing() -> None:
    model = autoencoder()
    same = int(text_ids(model, TEXT)[0, 3])
    edit = exchange(model, TEXT, 0, 3, same)
    assert edit.distance == pytest.approx(0, abs=1e-4)
    assert edit.after == edit.before


def test_the_distance_between_chunks_by_hand() -> None:
    model = autoencoder()
    with torch.no_grad():
        means = model.encode(text_ids(model, TEXT)).mean[0]
    squares = [
        float((means[i] - means[j]).square().sum()) for i in range(len(means)) for j in range(len(means)) if i != j
    ]
    edit = exchange(model, TEXT, 0, 0, 65)
    assert edit.apart == pytest.approx((sum(squares) / len(squares)) ** 0.5, rel=1e-4)
    assert exchange(model, "a", 0, 0, 65).apart is None


@pytest.mark.parametrize(("chunk", "place", "token"), [(99, 0, 5), (-1, 0, 5), (0, 4, 5), (0, 0, 10**6), (0, 0, -1)])
def test_what_is_not_there_is_refused(chunk: int, place: int, token: int) -> None:
    with pytest.raises(InputError, match="there is no token"):
        exchange(autoencoder(), TEXT, chunk, place, token)


def test_tokens_alike_are_ordinary_and_nearest_first() -> None:
    model = autoencoder()
    found = alike(model, 65, 5)
    assert len(set(found)) == 5
    assert not {65, model.config.pad_id, model.config.bos_id, model.config.eos_id, model.config.mask_id} & set(found)
    rows = model.encoder.embed.weight.detach()
    nearness = [float(torch.cosine_similarity(rows[65], rows[index], dim=0)) for index in found]
    assert nearness == sorted(nearness, reverse=True)


def test_one_token_or_a_reason() -> None:
    tokenizer = autoencoder().tokenizer
    assert tokenizer is not None
    piece = tokenizer.encode(" the")[0]
    assert one_token(tokenizer, tokenizer.decode([piece])) == piece
    for said in ("", "zq zq"):
        with pytest.raises(InputError, match="must be one token"):
            one_token(tokenizer, said)
