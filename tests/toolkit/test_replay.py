"""Batch generation with fixed draws: right by default, and each of the official code's ways by its name."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.calm import CALM
from calm_lab.toolkit.replay import OFFICIAL, OURS, Conventions, generate_ids
from tests.model import small


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def prompts(model: CALM, batch: int, length: int, seed: int = 0) -> Tensor:
    """Ids without specials, so that only generation writes those."""
    return torch.randint(4, model.config.vocab_size, (batch, length), generator=stream(seed))


def by_hand(model: CALM, ids: Tensor, noise: Tensor) -> Tensor:
    """Every step a forward over everything so far, without a cache: (B, T) and (steps, B, s) -> (B, T + steps K)."""
    for step in noise:
        hidden = model.hidden_states(ids)[:, -1]
        ids = torch.cat([ids, model.autoencoder.decode(model.head.sample(hidden, step), after_end="keep")], -1)
    return ids


@pytest.mark.parametrize("head", ["energy", "flow"])
def test_equals_whole_forwards_without_a_cache(head: str) -> None:
    model = small.calm(head=head, eos_id=22)
    ids = prompts(model, 3, 7)
    start = torch.cat([torch.full((3, 2), model.config.bos_id), ids], -1)  # K = 3: seven tokens leave one over
    noise = torch.rand(5, 3, 4 if head == "energy" else 5, generator=stream()) - 0.5
    theirs = by_hand(model, start, noise)[:, 2:]
    assert torch.equal(generate_ids(model, ids, 22, noise=noise, eos_id=-1), theirs)
    assert torch.equal(generate_ids(model, ids, 20, noise=noise, eos_id=-1), theirs[:, :20])


@settings(max_examples=40)
@given(st.integers(0, 3), st.integers(0, 8), st.integers(0, 12), st.integers(0, 99), st.sampled_from([1, 2, 3]))
def test_what_comes_back(batch: int, length: int, room: int, seed: int, size: int) -> None:
    model = small.calm(chunk_size=size)
    ids = prompts(model, batch, length, seed)
    written = generate_ids(model, ids, length + room, generator=stream(seed))
    assert written.dtype == torch.int64
    assert length <= written.shape[1] <= length + room
    assert torch.equal(written[:, :length], ids)
    ended = (written[:, length:] == model.config.eos_id).cumsum(-1) - (
        written[:, length:] == model.config.eos_id
    ).int() > 0
    assert bool((written[:, length:][ended] == model.config.pad_id).all())
    if written.shape[1] < length + room:  # stopped early: every row had ended
        assert bool((written == model.config.eos_id).any(-1).all())
    assert torch.equal(written, generate_ids(model, ids, length + room, generator=stream(seed)))


def ending_model() -> tuple[CALM, Tensor, Tensor]:
    """A model, prompts and noise whose first step writes an end token inside a chunk, with others after it."""
    model = small.calm()
    ids = prompts(model, 4, 6)
    noise = torch.rand(6, 4, 4, generator=stream(1)) - 0.5
    raw = by_hand(model, torch.cat([torch.full((4, 3), model.config.bos_id), ids], -1), noise[:1])[:, -3:]
    return model, noise, raw


def test_tokens_after_the_end_become_padding_unless_they_are_to_be_kept() -> None:
    model, noise, raw = ending_model()
    ids = prompts(model, 4, 6)
    end = int(raw[0, 0])
    assert int(raw[0, 1]) != model.config.pad_id  # else nothing would differ
    ours = generate_ids(model, ids, 24, noise=noise, eos_id=end)
    kept = generate_ids(model, ids, 24, noise=noise, eos_id=end, conventions=replace(OURS, after_end="keep"))
    assert ours[0, 6:9].tolist() == [end, model.config.pad_id, model.config.pad_id]
    assert kept[0, 6:9].tolist() == raw[0].tolist()
    assert set(ours[0, 9:].tolist()) <= {model.config.pad_id}
    assert set(kept[0, 9:].tolist()) <= {model.config.pad_id}


def test_it_stops_when_every_row_has_ended() -> None:
    model, noise, raw = ending_model()
    ids = prompts(model, 4, 6)[:1]
    written = generate_ids(model, ids, 24, noise=noise[:, :1], eos_id=int(raw[0, 0]))
    assert written.shape == (1, 9)


def test_a_prompt_of_any_length_begins_in_the_begin_chunk_unless_it_is_padded_on_the_right() -> None:
    model = small.calm()
    ids = prompts(model, 2, 4)
    noise = torch.rand(4, 2, 4, generator=stream()) - 0.5
    bos, pad = model.config.bos_id, model.config.pad_id
    ours = generate_ids(model, ids, 10, noise=noise, eos_id=-1)
    begun = by_hand(model, torch.cat([torch.full((2, 2), bos), ids], -1), noise[:2])
    assert torch.equal(ours, begun[:, 2:])
    theirs = generate_ids(model, ids, 10, noise=noise, eos_id=-1, conventions=replace(OURS, prompt="pad_right"))
    padded = by_hand(model, torch.cat([ids, torch.full((2, 2), pad)], -1), noise[:2])
    assert torch.equal(theirs, padded[:, :10])
    assert not torch.equal(ours, theirs)


def test_padding_stays_in_its_place_unless_it_is_moved() -> None:
    model = small.calm()
    pad = model.config.pad_id
    ids = prompts(model, 2, 6)
    ids[0, 2] = pad  # a pad id inside the prompt
    noise = torch.rand(4, 2, 4, generator=stream()) - 0.5
    stays = generate_ids(model, ids, 12, noise=noise, eos_id=-1)
    moved = generate_ids(model, ids, 12, noise=noise, eos_id=-1, conventions=replace(OURS, pads="move_to_end"))
    assert torch.equal(stays[:, :6], ids)
    for before, after in zip(stays.tolist(), moved.tolist(), strict=True):
        text = [index for index in before if index != pad]
        assert after == text + [pad] * (len(before) - len(text))
    assert int(moved[0, -1]) == pad


@pytest.mark.parametrize(("length", "room", "official"), [(6, 0, 9), (6, 1, 9), (6, 3, 9), (6, 4, 12), (4, 5, 9)])
def test_never_longer_than_asked_unless_chunks_are_to_be_whole(length: int, room: int, official: int) -> None:
    model = small.calm()
    ids = prompts(model, 2, length)
    ours = generate_ids(model, ids, length + room, generator=stream(), eos_id=-1)
    assert ours.shape[1] == length + room
    whole = Conventions("pad_right", length="whole_chunks")
    assert (
        generate_ids(model, ids, length + room, generator=stream(), eos_id=-1, conventions=whole).shape[1] == official
    )


def test_the_empty_prompt() -> None:
    model = small.calm()
    ids = torch.zeros(2, 0, dtype=torch.int64)
    noise = torch.rand(2, 2, 4, generator=stream()) - 0.5
    start = torch.full((2, 3), model.config.bos_id)
    assert torch.equal(generate_ids(model, ids, 6, noise=noise, eos_id=-1), by_hand(model, start, noise)[:, 3:])
    with pytest.raises(InputError, match="at least one token"):
        generate_ids(model, ids, 6, conventions=OFFICIAL)


def test_continuous_input_reads_the_drawn_vectors() -> None:
    """The next position sees the vector that was drawn, not what the encoder makes of its tokens."""
    model = small.calm(input="continuous")
    ids = prompts(model, 2, 3)
    noise = torch.rand(3, 2, 4, generator=stream()) - 0.5
    start = torch.cat([torch.full((2, 3), model.config.bos_id), ids], -1)
    latents, expected = model.autoencoder.encode(start).mean, [ids]
    for step in noise:
        hidden = model.backbone(model.compress_latent(latents))[:, -1]
        drawn = model.head.sample(hidden, step)
        latents = torch.cat([latents, drawn[:, None]], 1)
        expected.append(model.autoencoder.decode(drawn))
    assert torch.equal(generate_ids(model, ids, 12, noise=noise, eos_id=-1), torch.cat(expected, -1))


def test_refusals() -> None:
    model = small.calm()
    ids = prompts(model, 2, 6)
    with pytest.raises(InputError, match="more than max_length"):
        generate_ids(model, ids, 5)
    with pytest.raises(InputError, match="shape"):
        generate_ids(model, ids[0], 9)
    with pytest.raises(InputError, match="2 steps need as many draws"):
        generate_ids(model, ids, 12, noise=torch.zeros(1, 2, 4))
    with pytest.raises(InputError, match="vocabulary"):
        generate_ids(model, ids + 100, 12)
