"""A language small enough to train on in seconds: the letters of storyland, four to a chunk.

What: every byte of a story is a token (V = 260 with the special ones), and a small autoencoder learns its chunks with
or without regularisers. Because it costs seconds, a lesson can train many: other latent sizes, other regularisers,
other seeds.
Where: the autoencoder and its loss are the library's (paper sec. 2); only the text and the sizes are small.

Notebooks: 02, 03.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from calm_lab.errors import InputError
from calm_lab.model.autoencoder import Autoencoder, DropNoise
from calm_lab.model.config import AutoencoderConfig
from calm_lab.text.storyland.source import stories
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.training.optimizer import build_optimizers, learning_rate

LETTERS = 260  # a byte-level tokenizer of this size has no room for merges
WIDTH = 64
INNER = 176
WARMUP = 30


def letter_tokenizer() -> Tokenizer:
    """The tokenizer whose every token is a byte."""
    return Tokenizer.train(stories("train", 1), LETTERS)


def story_chunks(tokenizer: Tokenizer, split: str, count: int, chunk_size: int = 4) -> Tensor:
    """The stories of a split, one after the other, cut into whole chunks: ids (R, K), no special ones among them.

    Args:
        tokenizer: cuts the stories into tokens.
        split: ``train``, ``validation`` or ``test``.
        count: how many stories.
        chunk_size: K.

    Raises:
        InputError: for an unknown split, or too few stories for one chunk.
    """
    ids = [token for text in stories(split, count) for token in tokenizer.encode(text)]
    if len(ids) < chunk_size:
        raise InputError(f"{count} stories have {len(ids)} tokens, less than a chunk of {chunk_size}: take more")
    return torch.tensor(ids[: len(ids) // chunk_size * chunk_size]).view(-1, chunk_size)


def letter_autoencoder(latent_size: int, seed: int = 0, layers: int = 2, **regularisers: float) -> Autoencoder:
    """A small untrained autoencoder of letters, without regularisers unless some are named.

    Args:
        latent_size: l.
        seed: of its weights.
        layers: hidden layers of the encoder, and of the decoder.
        **regularisers: ``kl_weight``, ``kl_clip``, ``drop_token``, ``drop_latent``.
    """
    none = {"kl_weight": 0.0, "kl_clip": 0.0, "drop_token": 0.0, "drop_latent": 0.0}
    config = AutoencoderConfig(
        vocab_size=LETTERS,
        latent_size=latent_size,
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_encoder_layers=layers,
        num_decoder_layers=layers,
        **{**none, **regularisers},  # type: ignore[arg-type]
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Autoencoder(config)


def fit(
    model: Autoencoder,
    chunks: Tensor,
    steps: int,
    quiet: bool = False,
    seed: int = 0,
    rows: int = 256,
    rate: float = 8e-3,
) -> Autoencoder:
    """Train an autoencoder in place.

    Args:
        model: the autoencoder.
        chunks: what to learn from, ids (R, K).
        steps: optimizer steps.
        quiet: decode the posterior's mean instead of a draw from it, and drop nothing: a plain autoencoder.
        seed: of the order of chunks and of all noise.
        rows: chunks in a batch.
        rate: peak learning rate.

    Returns:
        The same autoencoder, ready to be used.
    """
    stream = torch.Generator().manual_seed(seed)
    optimizers = build_optimizers(dict(model.named_parameters()), "muon", rate, weight_decay=0.01)
    model.train()
    for step in range(steps):
        batch = chunks[torch.randint(len(chunks), (rows,), generator=stream)]  # (rows, K)
        noise = no_noise(batch, model.config.latent_size) if quiet else None
        model.loss(batch.view(1, -1), noise, stream).total.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, rate, WARMUP, steps)
            optimizer.step()
            optimizer.zero_grad()
    return model.eval()


def no_noise(chunks: Tensor, latent_size: int) -> DropNoise:
    """The draws of a forward without noise on chunks (R, K), read as one row."""
    still = torch.zeros(1, len(chunks), latent_size)
    return DropNoise(torch.zeros_like(chunks, dtype=torch.bool)[None], still, torch.ones_like(still, dtype=torch.bool))
