"""A text file and tiny untrained models, made once: enough for every command to run for real in seconds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.presets import preset
from calm_lab.text import Tokenizer


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two hundred short documents."""
    words = ["the", "sea", "a", "boat", "and", "cold", "wind", "home", "she", "went", "saw", "it", "old", "was"]
    dice = random.Random(1)
    folder = tmp_path_factory.mktemp("corpus") / "my tales"
    folder.mkdir()
    for number in range(200):
        (folder / f"{number:03}.txt").write_text(" ".join(dice.choices(words, k=80)) + ".\n", "utf-8")
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    """A folder with an autoencoder ``ae`` and a CALM ``calm`` of the preset tiny, untrained."""
    folder = tmp_path_factory.mktemp("models")
    tokenizer = Tokenizer.train([path.read_text() for path in sorted(corpus.iterdir())], 300)
    sizes = preset("tiny", vocab_size=tokenizer.vocab_size)
    torch.manual_seed(0)
    autoencoder = Autoencoder(sizes.autoencoder)
    autoencoder.tokenizer = tokenizer
    calm = CALM(sizes.calm(), autoencoder)
    card = {"data": {"corpus": str(corpus)}, "metrics": {"brier_lm": None, "clean": 0.25}}
    checkpoint.save(autoencoder, folder / "ae", card)
    checkpoint.save(calm, folder / "calm", {})
    (folder / "notes").mkdir()
    return folder
