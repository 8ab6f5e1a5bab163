"""Measure the noise sweep of bundled autoencoders on tales that none of them has read: ``calm-lab models --noise``.

What: what ``calm_lab.lab.noise_results`` reads, with the text, the seed and the hash of the weights.
Why: apart from there, so that a page that only shows results need not load corpora.

App tab: Noise dial. Paper: sec. 2.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.lab.noise_results import ASSETS, stored, weights
from calm_lab.lab.noise_sweep import noise_sweep, profile
from calm_lab.lab.report import unseen
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.text.corpora import corpus_hash
from calm_lab.version import __version__

CORPUS, SPLITS = "andersen", ("validation", "test")
TOKENS = 16_384
SEED = 0
COMMAND = "calm-lab models --noise"


def unseen_ids(model: Autoencoder) -> Tensor:
    """About ``TOKENS`` ids of tales that no bundled autoencoder was trained on, shape (1, T).

    Every tale gives as much as the others, from its beginning; models with one tokenizer see the same tokens, whatever
    their K.

    Raises:
        CalmLabError: if the tales are not at hand or the model has no tokenizer.
    """
    if model.tokenizer is None:
        raise InputError("this autoencoder has no tokenizer: add its tokenizer.json to the folder")
    tales = [model.tokenizer.encode(text) for text in unseen(CORPUS, SPLITS)]
    step = model.config.chunk_size * (16 // model.config.chunk_size or 1)
    share = TOKENS // len(tales) // step * step
    ids = [index for tale in tales if len(tale) >= share for index in tale[:share]]
    return torch.tensor([ids], dtype=torch.int64, device=model.output_weight.device)


def measure(name: str) -> dict[str, Any]:
    """The noise sweep and the profile of the bundled autoencoder ``name`` on unseen tales, as the file holds them."""
    model = checkpoint.load(name)
    if not isinstance(model, Autoencoder):
        raise InputError(f"{name} is no autoencoder: the noise sweep is about autoencoders")
    ids = unseen_ids(model)
    found = profile(model, ids)
    return {
        "command": COMMAND,
        "calm_lab": __version__,
        "corpus": CORPUS,
        "splits": list(SPLITS),
        "sha256_of_training_split": corpus_hash(CORPUS),
        "seed": SEED,
        "weights": weights(checkpoint.resolve(name)),
        "points": [[p.sigma, p.correct, p.total, p.low, p.high] for p in noise_sweep(model, ids, seed=SEED)],
        "kl_bits": [round(bits, 5) for bits in found.kl_bits],
        "sigma_counts": list(found.sigma_counts),
        "mean_sigma": found.mean_sigma,
        "size": found.size,
        "chunks": found.chunks,
    }


def measure_missing(folder: Path = ASSETS) -> Iterator[Path]:
    """Measure every bundled autoencoder of ``CORPUS`` without a result for its weights; yields each file written."""
    for name, place in checkpoint.bundled().items():
        kind = checkpoint.read_json(place / "config.json").get("kind")
        read = checkpoint.read_card(place).get("data", {}).get("corpus", CORPUS)
        knows = CORPUS in read  # one of another language would only show that it is
        if kind == "autoencoder" and knows and stored(place, folder) is None:
            folder.mkdir(parents=True, exist_ok=True)
            checkpoint.write_json(folder / f"{name}.json", measure(name))
            yield folder / f"{name}.json"
