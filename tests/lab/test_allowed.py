"""Allowed draws: all of them where the truth is drawn, none where nonsense is, and as many as are right in between."""

from __future__ import annotations

import types
from typing import Any

import pytest
import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.lab.allowed import allowed_draws
from calm_lab.model.checkpoint import load_tokenizer, resolve
from calm_lab.text.chunks import prompt_chunks
from calm_lab.text.storyland import stories

SIZE = 4
STORIES = list(stories("test", 4))
TOKENIZER = load_tokenizer(resolve("autoencoder-k4"))


def oracle(spoil: int | None) -> Any:
    """A model that draws the true next chunk, with the token at ``spoil`` replaced by a begin token in every 2nd draw.

    Its hidden state is the next chunk itself.
    """
    bos, eos, pad = TOKENIZER.bos_id, TOKENIZER.eos_id, TOKENIZER.pad_id
    texts = [TOKENIZER.encode(story) for story in STORIES]

    def hidden_states(ids: Tensor) -> Tensor:
        for text in texts:
            for first in range(SIZE):
                whole = len(text) - (len(text) - first) % SIZE
                if prompt_chunks(text[:whole], SIZE, bos_id=bos).reshape(-1).tolist() == ids[0].tolist():
                    rest = [*text[first:], eos]
                    rest += [pad] * (-len(rest) % SIZE)
                    return torch.tensor(rest, dtype=torch.float).reshape(1, -1, SIZE)[:, : ids.shape[1] // SIZE]
        raise AssertionError("not a story")

    def decode(latents: Tensor, after_end: str) -> Tensor:
        drawn = latents.long()
        if spoil is not None:
            drawn[::2, spoil] = bos
        return drawn

    return types.SimpleNamespace(
        tokenizer=TOKENIZER,
        config=types.SimpleNamespace(chunk_size=SIZE, bos_id=bos, eos_id=eos, pad_id=pad),
        parameters=lambda: iter([torch.zeros(1)]),
        hidden_states=hidden_states,
        head=types.SimpleNamespace(sample=lambda hidden, generator: hidden.clone()),
        autoencoder=types.SimpleNamespace(decode=decode),
    )


def test_the_truth_is_allowed() -> None:
    found = allowed_draws(oracle(None), STORIES, draws=2)
    assert found.shares == (1.0,) * SIZE
    assert found.standard_errors == (0.0,) * SIZE
    assert found.stories == len(STORIES)


@pytest.mark.parametrize("spoil", range(SIZE))
def test_a_spoiled_token_counts_from_there_on(spoil: int) -> None:
    found = allowed_draws(oracle(spoil), STORIES, draws=1)
    for place, share in enumerate(found.shares):
        if place < spoil:
            assert share == 1
        else:
            assert 0.45 < share < 0.55  # every second draw; where a story has ended, only pads are right


def test_what_can_not_be_followed_is_refused() -> None:
    with pytest.raises(InputError, match="no story"):
        allowed_draws(oracle(None), [])
    with pytest.raises(InputError, match="at least one draw"):
        allowed_draws(oracle(None), STORIES, draws=0)
