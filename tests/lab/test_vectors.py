"""A text read chunk by chunk: what is counted, what noise does, what is refused."""

from __future__ import annotations

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from calm_lab.errors import InputError
from calm_lab.lab.vectors import decode_with_confidence, read_text
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.presets import preset
from calm_lab.text.tokenizer import Tokenizer
from tests.app.small_models import SENTENCES, autoencoder


def blank() -> Autoencoder:
    """An untrained autoencoder: shapes and accounting need no training."""
    torch.manual_seed(0)
    tokenizer = Tokenizer.train(SENTENCES, 300)
    model = Autoencoder(preset("tiny", vocab_size=tokenizer.vocab_size).autoencoder)
    model.tokenizer = tokenizer
    return model.eval()


BLANK = blank()


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), st.floats(0, 2), st.integers(0, 2**32 - 1))
def test_every_token_is_accounted_for(text: str, sigma: float, seed: int) -> None:
    assert BLANK.tokenizer is not None
    reading = read_text(BLANK, text, sigma, seed)
    ids = BLANK.tokenizer.encode(text)
    assert reading.ids.flatten()[: len(ids) + 1].tolist() == [*ids, BLANK.config.eos_id]
    assert reading.ids.shape[0] == math.ceil((len(ids) + 1) / 4)
    assert reading.total == len(ids) + 1
    assert 0 <= reading.correct <= reading.total
    assert "".join(piece for row in reading.tokens for piece in row).count("<end>") >= 1
    json.dumps(reading.to_dict())


def test_the_posterior_is_the_models_own() -> None:
    reading = read_text(BLANK, SENTENCES[0])
    posterior = BLANK.encode(reading.ids.reshape(1, -1))
    torch.testing.assert_close(reading.mean, posterior.mean[0])
    torch.testing.assert_close(reading.std, posterior.std[0])
    torch.testing.assert_close(reading.z, reading.mean)
    torch.testing.assert_close(reading.bits.sum(-1), BLANK.bits(posterior)[0])
    assert reading.bits_to_name == pytest.approx(4 * math.log2(BLANK.config.vocab_size))


def test_noise_moves_each_vector_along_a_line() -> None:
    still, near, far = (read_text(BLANK, SENTENCES[0], sigma, seed=3) for sigma in (0.0, 0.5, 1.0))
    torch.testing.assert_close(far.z - still.z, 2 * (near.z - still.z))
    other = read_text(BLANK, SENTENCES[0], 1.0, seed=4)
    assert not torch.allclose(other.z, far.z)


def test_noise_of_a_chunk_does_not_depend_on_what_follows() -> None:
    short, long = read_text(BLANK, "Once upon a time there was", 1.0, 5), read_text(BLANK, SENTENCES[0], 1.0, 5)
    torch.testing.assert_close((short.z - short.mean)[0], (long.z - long.mean)[0])


def test_a_trained_autoencoder_brings_text_back_until_noise_is_large() -> None:
    model = autoencoder()
    clean = sum(read_text(model, text).correct for text in SENTENCES)
    total = sum(read_text(model, text).total for text in SENTENCES)
    noisy = sum(read_text(model, text, 10.0, 1).correct for text in SENTENCES)
    assert clean >= 0.9 * total
    assert noisy < clean


def test_a_bad_decoder_is_seen_as_wrong() -> None:
    reading = read_text(BLANK, SENTENCES[0])
    assert reading.wrong.sum() == reading.total - reading.correct
    assert not (reading.wrong & ~reading.counted).any()
    assert (reading.wrong == (reading.decoded != reading.ids))[reading.counted].all()


def test_confidence_is_the_largest_probability() -> None:
    z = torch.randn(70, BLANK.config.latent_size, generator=torch.Generator().manual_seed(0))
    ids, confidence = decode_with_confidence(BLANK, z)
    assert torch.equal(ids, BLANK.decode(z))
    torch.testing.assert_close(confidence, BLANK.decode_logits(z).softmax(-1).amax(-1))


@pytest.mark.parametrize(
    ("text", "sigma", "told"),
    [
        ("", 0.0, "type at least one character"),
        ("a", -0.1, "between 0 and 10"),
        ("a", float("nan"), "between 0 and 10"),
        ("one two three", 0.0, "shorten it to at most 2"),
    ],
)
def test_bad_input_is_refused(text: str, sigma: float, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_text(BLANK, text, sigma, max_tokens=2)


def test_an_autoencoder_without_a_tokenizer_is_refused() -> None:
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        read_text(Autoencoder(preset("tiny").autoencoder), "a")
