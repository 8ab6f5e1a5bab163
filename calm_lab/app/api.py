"""The documented API: ``/encode``, ``/decode``, ``/generate`` and ``/score``, for gradio_client and any HTTP client.

Types and docstrings here are what the API page shows. Sizes are limited; what is refused answers with one line.
"""

from __future__ import annotations

import math
from typing import Any

import gradio as gr
import torch

from calm_lab.app.bench import LONG, QUICK, Bench
from calm_lab.app.guard import told
from calm_lab.app.limits import MAX_SEED, Limits
from calm_lab.errors import InputError
from calm_lab.lab.pools import pool_of
from calm_lab.lab.vectors import decode_with_confidence, read_text
from calm_lab.toolkit import generate as writing
from calm_lab.toolkit.energy import energy_score
from calm_lab.toolkit.temperature import check_temperature, reciprocal


def add_endpoints(bench: Bench) -> None:
    """Add the endpoints to the Blocks being built."""
    limits = bench.limits

    @told
    def encode(text: str, model: str = "default") -> dict[str, Any]:
        """Encode a text: one Gaussian a chunk of K tokens.

        Args:
            text: what to encode.
            model: an autoencoder's name; "default" is the first.

        Returns:
            chunk_size, latent_size, and for each chunk its ids, tokens, mean, std and bits.
        """
        limits.check_text(text, "text")
        data = read_text(bench.shelf.autoencoder(model), text, max_tokens=8 * limits.shown_tokens).to_dict(6)
        kept = ("ids", "tokens", "mean", "std", "bits")
        chunks = [{name: chunk[name] for name in kept} for chunk in data["chunks"]]
        return {"chunk_size": data["chunk_size"], "latent_size": data["latent_size"], "chunks": chunks}

    @told
    def decode(vectors: list[list[float]], model: str = "default") -> dict[str, Any]:
        """Decode vectors: the most probable K tokens behind each.

        Args:
            vectors: vectors of l numbers.
            model: an autoencoder's name; "default" is the first.

        Returns:
            text of all chunks, and for each its ids, tokens and their confidence.
        """
        autoencoder = bench.shelf.autoencoder(model)
        size = autoencoder.config.latent_size
        z = matrix(vectors, "vectors", limits.vectors, limits)
        if z.shape[1] != size:
            raise InputError(f"vectors must have {size} numbers each, not {z.shape[1]}")
        tokenizer = autoencoder.tokenizer
        if tokenizer is None:
            raise InputError("this autoencoder has no tokenizer: add its tokenizer.json to the folder")
        ids, confidence = decode_with_confidence(autoencoder, z.to(autoencoder.output_weight))
        rows = ids.tolist()
        shares = [[round(share, 6) for share in row] for row in confidence.tolist()]
        chunks = [
            {"ids": row, "tokens": tokenizer.pieces(row), "confidence": share}
            for row, share in zip(rows, shares, strict=True)
        ]
        return {"text": tokenizer.decode(index for row in rows for index in row), "chunks": chunks}

    @told
    def generate(
        prompt: str,
        temperature: float = 0.5,
        seed: int = 0,
        max_tokens: int = 64,
        pool: int = 200,
        model: str = "default",
        method: str = "batch",
        max_calls: int = 5000,
        on_budget: str = "batch",
    ) -> dict[str, Any]:
        """Go on from a prompt, chunk by chunk, by batch or exact temperature sampling.

        Args:
            prompt: the text to continue; "" starts from nothing.
            temperature: 1, 1/2, 1/3, ... for the batch method; any T in (0, 1] for the exact one.
            seed: of all randomness; the same seed gives the same text.
            max_tokens: tokens to write at most.
            pool: draws a step of the batch method.
            model: a CALM's name; "default" is the first.
            method: "batch" (Algorithm 2) or "exact" (Algorithm 1).
            max_calls: draws a step that the exact method may charge.
            on_budget: when they are spent, "batch" chooses by the batch rule among the draws made, "raise" refuses.

        Returns:
            text, and for each step its text, candidates with counts and weights, draws, trials, repeats needed,
            milliseconds.
        """
        limits.check_text(prompt, "prompt")
        number = limits.check_number(seed, "seed", 0, MAX_SEED)
        tokens = limits.check_number(max_tokens, "max_tokens", 1, limits.new_tokens)
        size = limits.check_number(pool, "pool", 1, limits.pool)
        budget = limits.check_number(max_calls, "max_calls", 1, limits.calls)
        wanted = round(1 / check_temperature(temperature)) if method == "exact" else reciprocal(temperature)
        lm = bench.shelf.calm(model)
        steps = writing.generate(
            lm,
            prompt,
            temperature,
            method,  # type: ignore[arg-type]  # generate refuses what is none
            pool=size,
            max_tokens=tokens,
            seed=number,
            max_calls=budget,
            on_budget=on_budget,  # type: ignore[arg-type]
        )
        assert lm.tokenizer is not None  # generate has refused a model without one
        pools = [pool_of(step, lm.tokenizer, wanted).to_dict() for step in steps]
        return {"text": "".join(step["text"] for step in pools), "steps": pools}

    @told
    def score(samples: list[list[float]], targets: list[list[float]], alpha: float = 1.0) -> dict[str, float]:
        """Energy score of samples against targets: diversity - 2 * fidelity, higher is better.

        Args:
            samples: at least two vectors of equal length.
            targets: at least one vector of that length.
            alpha: exponent of the distance, in (0, 2].

        Returns:
            score, diversity and fidelity.
        """
        x, y = matrix(samples, "samples", limits.samples, limits), matrix(targets, "targets", limits.samples, limits)
        if isinstance(alpha, bool) or not isinstance(alpha, int | float):
            raise InputError(f"alpha must be a number in (0, 2], not {str(alpha)[:40]}")
        found = energy_score(x, y, alpha)
        return {"score": float(found.score), "diversity": float(found.diversity), "fidelity": float(found.fidelity)}

    for endpoint in (encode, decode, score):
        gr.api(endpoint, api_name=endpoint.__name__, concurrency_id=QUICK)
    gr.api(generate, api_name="generate", concurrency_id=LONG, concurrency_limit=1)


def matrix(rows: object, what: str, most: int, limits: Limits) -> torch.Tensor:
    """A list of lists as a float64 tensor (R, l).

    Raises:
        InputError: if it is none, too large, ragged, or holds anything but finite numbers.
    """
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) and row for row in rows):
        raise InputError(f"{what} must be a list of lists of numbers")
    width = len(rows[0])
    if len(rows) > most or width > limits.coordinates:
        raise InputError(
            f"{what}: at most {most} vectors of at most {limits.coordinates} numbers, not {len(rows)} of {width}"
        )
    if any(len(row) != width for row in rows):
        raise InputError(f"{what} must all have the same length")
    for row in rows:
        if not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in row):
            raise InputError(f"{what} must hold finite numbers only")
    values = torch.tensor(rows, dtype=torch.float64)
    if bool((values.abs() > 1e30).any()):
        raise InputError(f"{what} must hold numbers below 1e30")
    return values
