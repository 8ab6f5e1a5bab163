"""The noise sweep of the bundled autoencoders of tales, on tales that none of them has read, measured once and kept.

What: one JSON file a model in ``calm_lab/assets/noise/``, with the text, the seed and the hash of the weights it speaks
of; a file whose weights have changed since is not used. ``calm_lab.lab.noise_measure`` writes what is missing.
Why: ten autoencoders at 21 sigmas take minutes, and a page must open at once.

App tab: Noise dial. Notebook: 03. Paper: sec. 2.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calm_lab.errors import CheckpointError
from calm_lab.lab.noise_sweep import NoisePoint, Profile
from calm_lab.model import checkpoint

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "noise"
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
        return points, Profile(*counts, data["mean_sigma"], data["size"], data["chunks"])
    except (CheckpointError, KeyError, TypeError, OSError):
        return None


def weights(folder: Path) -> str:
    """The hash of a model's weights."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
