"""The autoencoder: each chunk alone, shapes at every edge, the loss from its parts, and one output matrix."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.autoencoder import Autoencoder, DropNoise, Posterior, pad_after_end
from calm_lab.model.config import AutoencoderConfig
from tests.model import small


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# --- shapes


@settings(max_examples=40)
@given(
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([1, 2, 5]),
    st.sampled_from([1, 2, 30]),
    st.sampled_from([1, 7]),
    st.integers(0, 3),
    st.booleans(),
)
def test_shapes(batch: int, chunks: int, size: int, vocab: int, latent: int, layers: int, tied: bool) -> None:
    model = small.autoencoder(
        vocab_size=vocab, chunk_size=size, latent_size=latent, num_encoder_layers=layers, tied=tied
    )
    ids = small.rows(model, batch, chunks)
    posterior = model.encode(ids)
    assert posterior.mean.shape == posterior.log_std.shape == posterior.kl().shape == (batch, chunks, latent)
    assert bool(posterior.mean.isfinite().all())
    assert torch.equal(posterior.std, posterior.log_std.exp())
    assert model.bits(posterior).shape == (batch, chunks)
    logits = model.decode_logits(posterior.mean)
    assert logits.shape == (batch, chunks, size, vocab)
    decoded = model.decode(posterior.mean, after_end="keep")
    assert torch.equal(decoded, logits.argmax(-1))
    assert model.decode(posterior.mean).shape == decoded.shape == (batch, chunks, size)
    assert model.decode_logits(torch.zeros(latent)).shape == (size, vocab)
    assert model.decode(torch.zeros(2, 0, 3, latent)).shape == (2, 0, 3, size)


def test_ids_that_do_not_fit_are_refused() -> None:
    model = small.autoencoder()
    ids = small.rows(model)
    for wrong, words in (
        (ids[:, :-1], "no multiple of the chunk size 3"),
        (ids.float(), "whole numbers"),
        (ids + 23, "outside this model's vocabulary of 23"),
        (ids - 23, "outside this model's vocabulary of 23"),
        (torch.tensor(3), "whole numbers of shape"),
    ):
        with pytest.raises(InputError, match=words):
            model.encode(wrong)
    assert torch.equal(model.encode(ids.int()).mean, model.encode(ids).mean)
    with pytest.raises(InputError, match="5 coordinates"):
        model.decode(torch.zeros(2, 4))
    with pytest.raises(InputError, match="5 coordinates"):
        model.decode_logits(torch.zeros(()))


# --- what it is


def test_each_chunk_stands_alone() -> None:
    """Changing one chunk changes its own posterior and no other's."""
    model = small.autoencoder()
    ids = small.rows(model, 2, 4)
    other = ids.clone()
    other[1, 3:6] = (other[1, 3:6] + 1) % 23
    before, after = model.encode(ids), model.encode(other)
    moved = (before.mean != after.mean).any(-1)
    assert moved.tolist() == [[False] * 4, [False, True, False, False]]
    assert torch.allclose(model.encode(ids[:, 3:6]).mean, before.mean[:, 1:2], atol=1e-6)


def test_tokens_keep_their_order() -> None:
    model = small.autoencoder()
    ids = torch.tensor([[4, 5, 6], [6, 5, 4]])
    assert not torch.allclose(model.encode(ids).mean[0], model.encode(ids).mean[1])


def test_every_layer_is_used() -> None:
    """With odd numbers too: the official code builds the last layer of an odd stack and never runs it."""
    model = small.autoencoder(num_encoder_layers=3, num_decoder_layers=5).train()
    model.loss(small.rows(model), generator=stream()).total.backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in model.parameters())


def test_the_output_matrix_is_the_embedding_itself() -> None:
    tied = small.autoencoder()
    assert tied.output_weight is tied.encoder.embed.weight
    for model in (copy.deepcopy(tied), tied.to(torch.float64)):  # moves keep it so
        assert model.output_weight is model.encoder.embed.weight
        assert len({p.data_ptr() for p in model.parameters()}) == len(list(model.parameters()))
    untied = small.autoencoder(tied=False)
    assert untied.output_weight.shape == untied.encoder.embed.weight.shape
    assert untied.output_weight is not untied.encoder.embed.weight


def test_nothing_is_allocated_on_the_meta_device() -> None:
    with torch.device("meta"):
        model = Autoencoder(AutoencoderConfig(vocab_size=128_257, hidden_size=4096))
    assert all(p.is_meta for p in model.parameters())
    ids = torch.zeros(2, 8, dtype=torch.int64, device="meta")
    assert model.encode(ids).mean.shape == (2, 2, 64)
    assert model.decode_logits(model.encode(ids).mean).device.type == "meta"


def test_the_same_seed_builds_the_same_model() -> None:
    def build(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return Autoencoder(AutoencoderConfig(vocab_size=9)).encoder.embed.weight

    assert torch.equal(build(1), build(1))
    assert not torch.equal(build(1), build(2))


# --- after the end


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_padding_after_the_first_end_token(ids: list[int]) -> None:
    expected, ended = [], False
    for index in ids:
        expected.append(0 if ended else index)
        ended = ended or index == 2
    assert pad_after_end(torch.tensor(ids), eos_id=2, pad_id=0).tolist() == expected


def test_decoding_pads_after_the_end_unless_the_config_says_otherwise() -> None:
    model = small.autoencoder()
    z = torch.randn(200, 5, generator=stream())
    raw = model.decode(z, after_end="keep")
    end = int(raw[:, 0].mode().values)
    ours = small.autoencoder(eos_id=end)
    official = small.autoencoder(eos_id=end, pad_after_end=False)
    assert torch.equal(official.decode(z), raw)
    assert torch.equal(ours.decode(z), pad_after_end(raw, end, 0))
    assert torch.equal(official.decode(z, after_end="pad"), ours.decode(z))
    assert not torch.equal(ours.decode(z), raw)  # the case occurred


# --- the posterior and the loss


def test_the_kl_term_is_that_of_two_gaussians() -> None:
    mean, log_std = torch.randn(2, 3, 4, generator=stream()), torch.randn(2, 3, 4, generator=stream(1))
    normal = torch.distributions.Normal
    exact = torch.distributions.kl_divergence(normal(mean, log_std.exp()), normal(0.0, 1.0))
    assert torch.allclose(Posterior(mean, log_std).kl(), exact, rtol=1e-5, atol=1e-6)
    bits = small.autoencoder().bits(Posterior(mean, log_std))
    assert torch.allclose(bits, exact.sum(-1) / math.log(2), rtol=1e-5)


def test_posterior_draws() -> None:
    """Fixed noise gives mean + noise std; free draws have that mean and deviation within 5 standard errors (seeded)."""
    posterior = Posterior(torch.full((1, 1, 3), 2.0), torch.tensor([[[0.0, -1.0, 1.0]]]))
    noise = torch.randn(7, 1, 1, 3, generator=stream())
    assert torch.equal(posterior.sample(7, noise), 2 + noise * posterior.std)
    drawn = posterior.sample(100_000, generator=stream())[:, 0, 0]
    assert bool(((drawn.mean(0) - 2).abs() < 5 * posterior.std[0, 0] / 100_000**0.5).all())
    assert bool((drawn.std(0) / posterior.std[0, 0] - 1).abs().max() < 5 / 200_000**0.5)
    assert posterior.sample(generator=stream()).shape == (1, 1, 3)
    assert torch.equal(posterior.sample(generator=stream(3)), posterior.sample(generator=stream(3)))


@pytest.mark.parametrize("training", [True, False])
def test_the_loss_is_its_definition(training: bool) -> None:
    """In both modes the same: the official evaluation loss has no factor K and no KL term."""
    model = small.autoencoder(kl_weight=0.01, kl_clip=0.4).train(training)
    config, ids = model.config, small.rows(model)
    noise = model.draw_noise(model.chunked(ids), stream())
    loss = model.loss(ids, noise)
    hidden = ids.view(2, 4, 3).masked_fill(noise.drop_tokens, config.mask_id)
    posterior = model.encode(hidden.view(2, 12))
    z = (posterior.mean + noise.latent * posterior.std) * noise.keep_latent / (1 - config.drop_latent)
    log_p = torch.log_softmax(model.decode_logits(z), -1).gather(-1, ids.view(2, 4, 3, 1))
    assert torch.allclose(loss.reconstruction, -log_p.sum((-1, -2)).mean(), rtol=1e-5)  # nats of a chunk
    assert torch.allclose(loss.kl, posterior.kl().clamp(min=0.4).sum(-1).mean(), rtol=1e-5)
    assert torch.allclose(loss.total, loss.reconstruction + 0.01 * loss.kl, rtol=1e-6)


def test_without_a_kl_weight_the_kl_has_no_say() -> None:
    model = small.autoencoder(kl_weight=0.0, drop_latent=0.0, drop_token=0.0)
    loss = model.loss(small.rows(model), generator=stream())
    assert torch.equal(loss.total, loss.reconstruction)
    noise = model.draw_noise(model.chunked(small.rows(model)), stream())
    assert not bool(noise.drop_tokens.any())
    assert bool(noise.keep_latent.all())


def test_drop_rates() -> None:
    """DropToken and DropLatent at their rates within 5 standard errors (seeded)."""
    model = small.autoencoder(drop_token=0.15, drop_latent=0.3)
    noise = model.draw_noise(torch.zeros(100, 100, 3, dtype=torch.int64), stream())
    for share, rate, count in ((noise.drop_tokens, 0.15, 30_000), (~noise.keep_latent, 0.3, 50_000)):
        assert abs(float(share.float().mean()) - rate) < 5 * math.sqrt(rate * (1 - rate) / count)


def test_dropped_tokens_and_coordinates_are_not_seen() -> None:
    """With every token hidden and every coordinate dropped, the loss says nothing of the input."""
    model = small.autoencoder()
    ids = small.rows(model)
    chunks = model.chunked(ids)
    latent = torch.zeros(2, 4, 5)
    noise = DropNoise(torch.ones_like(chunks, dtype=torch.bool), latent, torch.zeros_like(latent, dtype=torch.bool))
    other = (ids + 1) % 23
    assert torch.equal(model.loss(ids, noise).kl, model.loss(other, noise).kl)
    grad = torch.autograd.grad(model.loss(ids, noise).reconstruction, model.encoder.squeeze.weight)[0]
    assert float(grad.abs().max()) == 0
