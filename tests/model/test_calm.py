"""CALM as a whole: causal over chunks, frozen below, the same with a cache, and a loss over any choice of positions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.calm import CALM
from calm_lab.toolkit.decoding import Tape
from calm_lab.toolkit.loss import LossNoise, calm_loss, target_chunks
from tests.model import small

INPUTS = ("discrete", "continuous", "both")
HEADS = ("energy", "flow", "diffusion")


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def trainable(head: str = "energy", input: str = "discrete") -> CALM:
    model = small.calm(head=head, input=input).train()
    for parameter in model.trainable().values():
        parameter.requires_grad_(True)
    return model


# --- shapes and order


@settings(max_examples=30)
@given(st.integers(0, 2), st.integers(1, 5), st.sampled_from([1, 2, 4]), st.sampled_from([2, 30]), st.data())
def test_shapes(batch: int, chunks: int, size: int, vocab: int, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(INPUTS))
    model = small.calm(input=kind, chunk_size=size, vocab_size=vocab)
    ids = small.rows(model, batch, chunks)
    assert model.chunk_embeddings(ids).shape == (batch, chunks, 16)
    hidden = model.hidden_states(ids)
    assert hidden.shape == (batch, chunks, 16)
    assert bool(hidden.isfinite().all())


@pytest.mark.parametrize("kind", INPUTS)
def test_a_position_has_seen_its_chunk_and_those_before(kind: str) -> None:
    model = small.calm(input=kind)
    ids = small.rows(model, 1, 6)
    for chunk in range(6):
        other = ids.clone()
        other[:, 3 * chunk + 1] = (other[:, 3 * chunk + 1] + 1) % 23
        moved = (model.hidden_states(ids) - model.hidden_states(other)).abs().amax((0, 2)) > 1e-5
        assert moved.tolist() == [place >= chunk for place in range(6)]


@pytest.mark.parametrize("kind", INPUTS)
def test_what_is_read(kind: str) -> None:
    """Discrete input reads ids alone, continuous input vectors alone, the sum both; the posterior mean by default."""
    model = small.calm(input=kind)
    ids = small.rows(model)
    latents = model.autoencoder.encode(ids).mean
    base = model.chunk_embeddings(ids, latents)
    assert torch.equal(base, model.chunk_embeddings(ids))
    other_ids, other_latents = (ids + 1) % 23, latents + 1
    assert torch.equal(base, model.chunk_embeddings(other_ids, latents)) == (kind == "continuous")
    assert torch.equal(base, model.chunk_embeddings(ids, other_latents)) == (kind == "discrete")


@pytest.mark.parametrize("kind", INPUTS)
def test_the_tape_equals_whole_forwards(kind: str) -> None:
    """Reading, then appending chunk by chunk with the cache, gives the state of a forward over everything."""
    model = small.calm(input=kind)
    ids, latents = small.rows(model, 2, 5), torch.randn(2, 5, 5, generator=stream())
    tape = Tape(model, ids[:, :6], capacity=5)
    latents[:, :2] = model.autoencoder.encode(ids[:, :6]).mean
    for chunk in range(2, 5):
        whole = model.hidden_states(ids[:, : 3 * chunk], latents[:, :chunk])[:, -1]
        assert torch.allclose(tape.hidden, whole, atol=2e-5)
        tape.append(ids[:, 3 * chunk : 3 * chunk + 3], latents[:, chunk])
    assert torch.allclose(tape.hidden, model.hidden_states(ids, latents)[:, -1], atol=2e-5)
    assert tape.length == 5
    z, chunks = tape.draw(7, stream())
    assert z.shape == (2, 7, 5)
    assert torch.equal(chunks, model.autoencoder.decode(z))
    with pytest.raises(InputError, match="at least one chunk"):
        Tape(model, ids[:, :2], 3)


# --- what stands still


def test_the_autoencoder_never_trains() -> None:
    model = small.calm()
    for mode in (True, False, True):
        model.train(mode)
        assert model.training is model.backbone.training is model.head.training is mode
        assert not any(part.training for part in model.autoencoder.modules())
    assert not any(p.requires_grad for p in model.autoencoder.parameters())
    names = dict(model.named_parameters())
    assert set(model.trainable()) == {name for name in names if not name.startswith("autoencoder.")}
    model = trainable()
    before = {name: t.clone() for name, t in model.autoencoder.state_dict().items()}
    optimizer = torch.optim.SGD(model.trainable().values(), lr=0.1)
    calm_loss(model, small.rows(model), generator=stream()).total.backward()
    optimizer.step()
    assert all(torch.equal(t, before[name]) for name, t in model.autoencoder.state_dict().items())
    assert all(p.grad is None for p in model.autoencoder.parameters())


def test_model_and_autoencoder_must_agree() -> None:
    model = small.calm()
    for change in ({"vocab_size": 24}, {"chunk_size": 2}, {"latent_size": 6}):
        config = dataclasses.replace(model.config, **change)
        with pytest.raises(InputError, match="they must be equal"):
            CALM(config, model.autoencoder)


def test_nothing_is_allocated_on_the_meta_device() -> None:
    with torch.device("meta"):
        model = CALM(small.calm().config, small.autoencoder())
    assert all(p.is_meta for name, p in model.named_parameters() if not name.startswith("autoencoder."))


# --- the loss


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("input", INPUTS)
def test_every_parameter_learns(head: str, input: str) -> None:
    """A finite gradient everywhere, for every head and input; the official flow and diffusion models cannot start."""
    model = trainable(head, input)
    loss = calm_loss(model, small.rows(model).clamp(min=4), generator=stream())  # no special ids
    assert loss.total.shape == ()
    assert int(loss.positions) == 2 * 3
    assert (loss.diversity is None) == (head != "energy")
    loss.total.backward()
    for name, parameter in model.trainable().items():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
    again = calm_loss(model, small.rows(model).clamp(min=4), generator=stream()).total
    assert torch.equal(again, loss.total)


@pytest.mark.parametrize("head", HEADS)
def test_positions_count_one_by_one(head: str) -> None:
    """The loss over some positions is the mean of their own losses, whatever the mask."""
    model = small.calm(head=head)
    ids = small.rows(model, 2, 4)
    samples, targets = model.config.head.num_samples, model.config.head.num_targets
    draws = targets if head == "energy" else samples
    posterior = torch.randn(draws, 6, 5, generator=stream())
    start = torch.rand(samples, 6, 4, generator=stream(1)) - 0.5
    if head != "energy":
        start = torch.randn(samples, 6, 5, generator=stream(1))
    time = torch.rand(samples, 6, generator=stream(2))
    time = time if head == "flow" else (1000 * time).long()

    def loss(places: list[int]) -> Tensor:
        mask = torch.zeros(6, dtype=torch.bool)
        mask[places] = True
        scored = torch.cat([torch.ones(2, 1, dtype=torch.bool), mask.view(2, 3)], 1)
        noise = LossNoise(posterior[:, mask], start[:, mask], time[:, mask].flatten())
        if head != "energy":
            noise = dataclasses.replace(noise, head=start[:, mask].flatten(0, 1))
        return calm_loss(model, ids, scored, noise if head != "energy" else dataclasses.replace(noise, time=None)).total

    alone = torch.stack([loss([place]) for place in range(6)])
    for places in ([0, 1, 2, 3, 4, 5], [1, 4], [5], [0, 2, 3]):
        assert torch.allclose(loss(places), alone[places].mean(), rtol=1e-4)


def test_the_first_chunk_is_never_a_target_and_padding_is_left_out() -> None:
    model = small.calm()
    pad = model.config.pad_id
    ids = small.rows(model, 2, 4).clamp(min=4)
    ids[0, 6:] = pad  # two chunks of nothing but padding
    ids[1, 10:] = pad  # a last chunk with one token and padding: the end of a text
    assert int(calm_loss(model, ids, generator=stream()).positions) == 1 + 3
    ids[1, 3:6] = model.config.bos_id  # packed rows: another document begins
    assert int(calm_loss(model, ids, generator=stream()).positions) == 1 + 2
    with pytest.raises(InputError, match="no position is scored"):
        calm_loss(model, torch.full_like(ids, pad), generator=stream())
    with pytest.raises(InputError, match="no position is scored"):
        calm_loss(model, ids[:, :3], generator=stream())


def test_begin_chunks_are_no_targets_but_chunks_with_an_end_token_are() -> None:
    config = small.calm().config
    bos, eos, pad = config.bos_id, config.eos_id, config.pad_id
    chunks = torch.tensor([[[bos, bos, bos], [bos, 5, 6], [7, 8, 9], [7, eos, pad], [eos, pad, pad], [pad, pad, pad]]])
    assert target_chunks(chunks, config).tolist() == [[False, False, True, True, True, False]]


@pytest.mark.parametrize("diversity", [1.0, 0.6])
def test_the_energy_loss_is_minus_the_score(diversity: float) -> None:
    """And with less weight on its first term where the config says so."""
    model = small.calm()
    model.config = dataclasses.replace(model.config, head=dataclasses.replace(model.config.head, diversity=diversity))
    loss = calm_loss(model, small.rows(model), generator=stream())
    assert loss.diversity is not None
    assert loss.fidelity is not None
    assert float(loss.total) == pytest.approx(float(2 * loss.fidelity - diversity * loss.diversity), rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.02, 1.0), min_size=2, max_size=6), st.floats(0.3, 1.0))
def test_less_diversity_cuts_rare_answers_off(weights: list[float], diversity: float) -> None:
    """Of points at mutual distance 1 the best law is max(0, p - c) / diversity, as the loss's docstring says.

    With q the draws' law the expected loss is 2 (1 - p q) - diversity (1 - q q): a quadratic, so its minimum is checked
    by the conditions of Karush, Kuhn and Tucker and held against a numeric search.
    """
    p = np.array(weights) / sum(weights)

    def expected(q: np.ndarray) -> float:
        return float(2 * (1 - p @ q) - diversity * (1 - q @ q))

    low, high = -1.0, 1.0  # c, by bisection: the law has to sum to one
    for _ in range(80):
        c = (low + high) / 2
        low, high = (c, high) if np.maximum(0, p - c).sum() > diversity else (low, c)
    best = np.maximum(0, p - low) / diversity
    start = np.full(len(p), 1 / len(p))
    bounds, whole = [(0, 1)] * len(p), {"type": "eq", "fun": lambda q: q.sum() - 1}
    found = optimize.minimize(expected, start, method="SLSQP", bounds=bounds, constraints=[whole], tol=1e-12)
    assert best.sum() == pytest.approx(1)
    assert expected(best) <= found.fun + 1e-9
    assert best == pytest.approx(found.x, abs=1e-4)
    if diversity == 1:
        assert best == pytest.approx(p)


def test_the_loss_is_the_same_in_both_modes() -> None:
    """In the official code training mode moves the targets: it reaches the autoencoder, which then rounds."""
    model = small.calm()
    ids = small.rows(model)
    training = calm_loss(model.train(), ids, generator=stream()).total
    assert torch.equal(training, calm_loss(model.eval(), ids, generator=stream()).total)
