"""A map and what is asked of it as plain data: numbers rounded, vectors as lists, places in every picture.

Why: a page or a notebook widget draws from JSON, and both must show the same.

App tab: Latent map. Notebook: 04.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

import torch
from torch import Tensor

from calm_lab.lab.latent_map.chunks import PUNCTUATION, first_word, grouped, punctuation
from calm_lab.lab.latent_map.cloud import Context, SampleCloud
from calm_lab.lab.latent_map.cluster import typical_words
from calm_lab.lab.latent_map.fit import nearest
from calm_lab.lab.latent_map.place import Look, Spot, place
from calm_lab.lab.latent_map.store import LatentMap
from calm_lab.lab.latent_map.walk import Walk
from calm_lab.lab.pieces import roles
from calm_lab.text.tokenizer import Tokenizer

NAMES = 7
SHOWN = 24
DIGITS = 5


def packed(places: Tensor) -> str:
    """Numbers as little-endian float32 in base64: a third of their length in digits."""
    return base64.b64encode(places.float().contiguous().numpy().astype("<f4").tobytes()).decode("ascii")


def numbers(values: Tensor, digits: int = DIGITS) -> list[Any]:
    """A tensor as lists of rounded numbers."""
    return torch.round(values.double(), decimals=digits).tolist()


def places_of(found: LatentMap, z: Tensor) -> dict[str, list[Any]]:
    """Where vectors (Q, l) lie in every picture."""
    return {name: numbers(place(found, z, name), 4) for name in found.pictures}


def map_data(found: LatentMap) -> dict[str, Any]:
    """Everything that is drawn before anybody clicks.

    What has an entry for each point is one string: texts as JSON, numbers packed. A page framework that looks into
    every list of a value would otherwise take longer than the map.
    """
    return {
        "name": found.name,
        "count": len(found),
        "chunk_size": found.ids.shape[1],
        "latent_size": found.mean.shape[1],
        "seen": found.seen,
        "different": found.different,
        "came_back": int(found.came_back.sum()),
        "texts": json.dumps(found.texts, ensure_ascii=False),
        "counts": packed(found.counts),
        "sigma": packed(found.std.mean(1)),
        "pictures": {name: packed(places) for name, places in found.pictures.items()},
        "colours": {
            "cluster": _clusters(found),
            "first": _names(*grouped([first_word(text) for text in found.texts], NAMES)),
            "punctuation": _names(*grouped([punctuation(text) for text in found.texts], len(PUNCTUATION))),
        },
        "trust": {name: dataclasses.asdict(trust) for name, trust in found.trust.items()},
        "share": list(found.plane.share),
        "settings": found.settings,
    }


def _names(names: list[str], places: Tensor) -> dict[str, Any]:
    return {"names": names, "places": packed(places)}


def _clusters(found: LatentMap) -> dict[str, Any]:
    groups = int(found.group.max()) + 1
    chosen = [(found.group == group).nonzero().flatten().tolist() for group in range(groups)]
    words = [[word.word for word in typical_words(found.texts, rows, 3)] for rows in chosen]
    return {"names": [str(group + 1) for group in range(groups)], "words": words, "places": packed(found.group)}


def look_data(found: LatentMap, look: Look) -> dict[str, Any]:
    """One vector: what it says, its posterior, its neighbours, its places."""
    data: dict[str, Any] = {
        "z": numbers(look.z),
        "norm": round(float(look.z.norm()), 3),
        "tokens": look.tokens,
        "roles": look.roles,
        "confidence": numbers(look.confidence, 4),
        "text": look.text,
        "back": round(look.back, 3),
        "rows": look.rows.tolist(),
        "distances": numbers(look.distances, 3),
        "places": {name: rows[0] for name, rows in places_of(found, look.z[None]).items()},
    }
    if look.std is not None and look.bits is not None:
        data |= {"std": numbers(look.std, 4), "bits": numbers(look.bits, 3)}
    return data


def spot_data(spot: Spot) -> dict[str, Any]:
    """What a spot between points was blended from."""
    shares = zip(spot.rows.tolist(), spot.weights.tolist(), strict=True)
    return {"blend": [{"row": row, "weight": round(weight, 4)} for row, weight in shares]}


def walk_data(found: LatentMap, tokenizer: Tokenizer, walk: Walk) -> dict[str, Any]:
    """A walk step by step."""
    steps = [
        {
            "t": round(float(walk.t[i]), 4),
            "tokens": tokenizer.pieces(row),
            "roles": roles(tokenizer, row),
            "flips": walk.flips[i].tolist(),
            "back": round(float(walk.back[i]), 3),
            "norm": round(float(walk.z[i].norm()), 3),
        }
        for i, row in enumerate(walk.ids.tolist())
    ]
    return {"steps": steps, "chunks": walk.chunks, "places": places_of(found, walk.z)}


def context_data(context: Context) -> dict[str, str]:
    """What was read, and what came next."""
    return {"context": context.text, "truth": context.truth_text}


def cloud_data(found: LatentMap, cloud: SampleCloud) -> dict[str, Any]:
    """A cloud of draws and the truth."""
    return {
        **context_data(cloud.context),
        "draws": places_of(found, cloud.draws),
        "targets": places_of(found, cloud.targets),
        "center": {name: rows[0] for name, rows in places_of(found, cloud.truth_mean[None]).items()},
        "count": len(cloud.draws),
        "hits": cloud.hits,
        "distinct": len(cloud.candidates),
        "candidates": [
            {"text": drawn.text, "count": drawn.count, "true": drawn.true} for drawn in cloud.candidates[:SHOWN]
        ],
        "score": round(cloud.score, 3),
        "diversity": round(cloud.diversity, 3),
        "fidelity": round(cloud.fidelity, 3),
        "spread": round(cloud.spread, 3),
        "sigma": round(float(cloud.truth_std.mean()), 4),
        "near": round(float(nearest(cloud.draws, found.mean, 1)[1].mean()), 3),
    }
