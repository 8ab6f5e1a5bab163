"""A tiny random CALM that can write, with a tokenizer of its own."""

from __future__ import annotations

import dataclasses

import torch

from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.presets import preset
from calm_lab.text.tokenizer import Tokenizer

TEXTS = [f"the {a} {b} sat by the {c}" for a in ("old", "red") for b in ("fox", "hen") for c in ("gate", "hill")]


def small_calm(chunk_size: int = 4, head: str = "energy", input: str = "discrete", seed: int = 0) -> CALM:
    tokenizer = Tokenizer.train(TEXTS, 280)
    torch.manual_seed(seed)
    sizes = preset("tiny", chunk_size, tokenizer.vocab_size)
    autoencoder = Autoencoder(dataclasses.replace(sizes.autoencoder, latent_size=8))
    torch.nn.init.normal_(autoencoder.encoder.embed.weight, std=1.0)
    autoencoder.tokenizer = tokenizer
    config = dataclasses.replace(sizes.calm(head, input), latent_size=8)  # type: ignore[arg-type]
    return CALM(config, autoencoder).eval()
