"""What calm_lab is measured against computes the same: recorded data of the official code, and our own results."""

from __future__ import annotations

import pytest
import torch

from benchmarks import reference
from calm_lab.model.autoencoder import DropNoise
from calm_lab.model.official import load_official
from calm_lab.toolkit.energy import energy_score
from calm_lab.toolkit.loss import LossNoise
from calm_lab.toolkit.ngrams import draw_ngrams
from calm_lab.toolkit.temperature import temperature_weights
from tests.model import small
from tests.model.golden import GOLDEN, arrays, gap, needs_golden, relative


@needs_golden
@pytest.mark.parametrize("name", ["energy_k2", "energy_k4"])
def test_a_calm_s_loss_is_the_recorded_one(name: str) -> None:
    model, r = load_official(GOLDEN / name), arrays(name)
    size = model.config.chunk_size
    scored = (r["train_labels"].unflatten(-1, (-1, size)) != -100).all(-1)
    noise = LossNoise(r["train_eps"], r["train_noise_u"] - 0.5)
    assert relative(reference.calm_loss(model, r["input_ids"], scored, noise), r["train_loss"]) < 1e-5  # type: ignore[arg-type]
    evaluated = LossNoise(r["eval_eps"], r["eval_noise_u"] - 0.5)
    assert relative(reference.calm_loss(model, r["eval_input_ids"], None, evaluated), r["eval_loss"]) < 1e-5  # type: ignore[arg-type]


@needs_golden
@pytest.mark.parametrize("name", ["autoencoder_k2", "autoencoder_k4"])
def test_an_autoencoder_s_loss_is_the_recorded_one(name: str) -> None:
    model, r = load_official(GOLDEN / name), arrays(name)
    ids, size = r["input_ids"], model.config.chunk_size
    shape = (*ids.view(ids.shape[0], -1, size).shape[:2], -1)
    drop = (r["train_token_u"] <= model.config.drop_token).view(shape)  # type: ignore[union-attr]
    noise = DropNoise(drop, r["train_eps"].view(shape), r["train_latent_keep"].view(shape).bool())
    assert relative(reference.autoencoder_loss(model, ids, noise), r["train_loss"]) < 1e-5  # type: ignore[arg-type]


@needs_golden
def test_the_head_and_the_pool_are_the_recorded_ones() -> None:
    model, r = load_official(GOLDEN / "energy_k4"), arrays("energy_k4")
    hidden, noise = r["hidden_states"], r["pool_noise_u"] - 0.5
    for row in range(hidden.shape[0]):
        latents = reference.head_samples(model.head, hidden[row : row + 1, -1], noise[row][:, None])  # type: ignore[union-attr,arg-type]
        pool = model.autoencoder.decode_logits(latents[:, 0]).argmax(-1)  # type: ignore[union-attr,operator]
        assert gap(pool, r["pool_tokens"][row]) == 0


@needs_golden
def test_brier_at_k2_is_the_recorded_one() -> None:
    model, r = load_official(GOLDEN / "energy_k2"), arrays("energy_k2")
    ids = r["eval_input_ids"]
    batch, chunks = ids.shape[0], ids.shape[1] // 2
    noise = (r["eval_noise_u"][:2] - 0.5).unflatten(1, (batch, chunks - 1))
    steps = (r["brier_step_noise_u"] - 0.5)[:, 0]
    tail = torch.zeros(2, batch, chunks - 2, steps.shape[-1])
    tail[:, :, : steps.shape[0]] = steps.permute(1, 2, 0, 3)
    scores = reference.brier_k2(model, ids, noise, tail)  # type: ignore[arg-type]
    assert gap(scores[:, : steps.shape[0]].mean((0, 1)), r["eval_brier"]) < 1e-6


def test_the_energy_loss_is_minus_our_score() -> None:
    torch.manual_seed(0)
    samples, targets = torch.randn(4, 5, 20), torch.randn(6, 5, 20)
    assert torch.allclose(reference.energy_loss(samples, targets), -energy_score(samples, targets).score, atol=1e-5)


def test_brier_at_k2_is_ours() -> None:
    model = small.calm(chunk_size=2)
    ids = small.rows(model, 2, 9)
    torch.manual_seed(0)
    noise, tail = torch.rand(2, 2, 8, 4) - 0.5, torch.rand(2, 2, 7, 4) - 0.5
    ours = draw_ngrams(model, ids, noise=noise, tail_noise=tail[None]).terms().score
    theirs = reference.brier_k2(model, ids, noise, tail)
    over = (ids.unflatten(-1, (-1, 2)) == model.config.eos_id).any(-1)  # we know an end, the plain one does not
    clear = torch.stack([~over[:, start + 1 : start + 3].any(-1) for start in range(7)], 1)
    clear &= ~((draw_ngrams(model, ids, noise=noise, tail_noise=tail[None]).first == model.config.eos_id).any(-1))
    assert bool(clear.any())
    assert torch.equal(ours[clear], theirs[clear])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_choice_follows_algorithm_2(n: int) -> None:
    """A grid of uniforms picks each chunk as often as its weight says, within one step of the grid."""
    pool = torch.tensor([[1, 2], [3, 4], [1, 2], [5, 6], [3, 4], [1, 2], [7, 8]])
    chunks, weights, _ = temperature_weights(pool, n)
    drawn = [reference.choose([tuple(row) for row in pool.tolist()], n, (i + 0.5) / 1000) for i in range(1000)]
    for chunk, weight in zip(chunks.tolist(), weights.tolist(), strict=True):
        assert drawn.count(tuple(chunk)) / 1000 == pytest.approx(weight, abs=0.0021)
    assert set(drawn) <= {tuple(chunk) for chunk in chunks.tolist()}


def test_generation_continues_the_rows_it_was_given() -> None:
    model = small.calm()
    ids = small.rows(model, 2, 3)
    written = reference.generate(model, ids, 4, 2, 6, torch.Generator().manual_seed(0))
    assert written.shape == (2, ids.shape[1] + 4 * 3)
    assert torch.equal(written[:, : ids.shape[1]], ids)
    assert int(written.min()) >= 0
    assert int(written.max()) < model.config.vocab_size
