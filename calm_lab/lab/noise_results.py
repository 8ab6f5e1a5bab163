"""The noise sweep of every bundled autoencoder on tales that none of them has read, measured once and kept.

What: one JSON file a model in ``calm_lab/assets/noise/``, with the text, the seed and the hash of the weights it speaks
of; a file whose weights have changed since is not used. ``calm-lab models --noise`` measures what is missing.
Why: ten autoencoders at 21 sigmas take minutes, and a page must open at once.

App tab: Noise dial. Notebook: 03. Paper: sec. 2.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from calm_lab.errors import CheckpointError, InputError
from calm_lab.lab.noise_sweep import NoisePoint, Profile, noise_sweep, profile
from calm_lab.lab.report import unseen
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.text.corpora import corpus_hash
from calm_lab.version import __version__

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "noise"
CORPUS, SPLITS = "andersen", ("validation", "test")
TOKENS = 16_384
SEED = 0
COMMAND = "calm-lab models --noise"
RULES = ("none", "kl", "clip", "clip_token", "clip_latent", "all")


def rule(config: Mapping[str, Any]) -> str | None:
    """Which regularisers an autoencoder was trained with: one of ``RULES``, None for another mixture.

    Args:
        config: of the autoencoder, as its config.json holds it.
    """
    kl, clip, token, latent = (bool(config.get(name)) for name in ("kl_weight", "kl_clip", "drop_token", "drop_latent"))
    known = {
        (False, False, False): "none",
        (True, False, False): "clip" if clip else "kl",
        (True, True, False): "clip_token" if clip else None,
        (True, False, True): "clip_latent" if clip else None,
        (True, True, True): "all" if clip else None,
    }
    return known.get((kl, token, latent))


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
        "chunks": found.chunks,
    }


def measure_missing(folder: Path = ASSETS) -> Iterator[Path]:
    """Measure every bundled autoencoder without a result for its present weights; yields each file written."""
    for name, place in checkpoint.bundled().items():
        if checkpoint.read_json(place / "config.json").get("kind") == "autoencoder" and stored(place, folder) is None:
            folder.mkdir(parents=True, exist_ok=True)
            checkpoint.write_json(folder / f"{name}.json", measure(name))
            yield folder / f"{name}.json"


def stored(model: Path, folder: Path = ASSETS) -> tuple[list[NoisePoint], Profile] | None:
    """The kept result of a model's folder; None where there is none, it is damaged, or the weights are others."""
    path = folder / f"{model.name}.json"
    if not path.is_file():
        return None
    try:
        data = checkpoint.read_json(path)
        if data["weights"] != weights(model):
            return None
        points = [NoisePoint(*point) for point in data["points"]]
        counts = (tuple(data["kl_bits"]), tuple(data["sigma_counts"]))
        return points, Profile(*counts, data["mean_sigma"], data["chunks"])
    except (CheckpointError, KeyError, TypeError, OSError):
        return None


def weights(folder: Path) -> str:
    """The hash of a model's weights."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
