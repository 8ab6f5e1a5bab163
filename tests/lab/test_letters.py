"""The letters of storyland: every token a byte, and a training whose quiet form is a plain autoencoder."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from calm_lab.errors import InputError
from calm_lab.lab.letters import LETTERS, fit, letter_autoencoder, letter_tokenizer, no_noise, story_chunks
from calm_lab.text.storyland.source import stories


def test_every_token_is_a_letter_and_chunks_hold_the_stories() -> None:
    tokenizer = letter_tokenizer()
    text = "".join(stories("test", 2))
    chunks = story_chunks(tokenizer, "test", 2)
    assert tokenizer.vocab_size == LETTERS
    assert chunks.shape == (len(text) // 4, 4)
    assert tokenizer.decode(chunks.flatten().tolist()) == text[: chunks.numel()]
    assert int(chunks.min()) >= 4


def test_no_story_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match="take more"):
        story_chunks(letter_tokenizer(), "test", 0)


def test_without_noise_the_loss_is_the_cross_entropy_of_the_mean() -> None:
    model = letter_autoencoder(6)
    chunks = torch.randint(4, LETTERS, (5, 4), generator=torch.Generator().manual_seed(0))
    loss = model.loss(chunks.view(1, -1), no_noise(chunks, 6))
    logits = model.decode_logits(model.encode(chunks.view(1, -1)).mean)
    wanted = 4 * F.cross_entropy(logits.flatten(0, 2), chunks.flatten())
    torch.testing.assert_close(loss.total, wanted)


def test_a_few_steps_learn_four_chunks_and_the_seed_decides_all() -> None:
    chunks = story_chunks(letter_tokenizer(), "train", 1)[:4]
    models = [fit(letter_autoencoder(4, seed), chunks, 40, quiet=True, seed=seed, rows=16) for seed in (0, 0, 1)]
    first, again, other = (model.output_weight for model in models)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(models[0].decode(models[0].encode(chunks.view(1, -1)).mean)[0], chunks)


def test_building_one_leaves_the_global_random_stream_alone() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    letter_autoencoder(4, seed=9)
    assert torch.equal(torch.rand(3), wanted)


def test_regularisers_are_off_unless_named() -> None:
    assert letter_autoencoder(4).config.kl_weight == 0.0
    config = letter_autoencoder(4, kl_weight=1e-3, drop_token=0.15).config
    assert (config.kl_weight, config.kl_clip, config.drop_token, config.drop_latent) == (1e-3, 0.0, 0.15, 0.0)
