"""Many samples of Algorithm 1 from one law: how its law and its price are measured (paper sec. 5.1, Theorem 2).

A law that is known serves as its own black box: ``draws_from`` makes one. Every sample wanted becomes a context of the
lockstep sampler, so a million samples run through the very code that a model uses.
"""

from __future__ import annotations

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.toolkit.drawing import inverse_cdf, uniforms
from calm_lab.toolkit.exact_batch import BatchExactSample, DrawBlock, sample_batch_at_temperature
from calm_lab.toolkit.laws import check_probabilities, expected_calls

MAX_BUFFER = 500_000  # draws of a round that stay in a processor's cache


def draws_from(probabilities: Tensor) -> DrawBlock:
    """A black box that draws from a known law, the same for every context.

    Args:
        probabilities: P, shape (X,).

    Returns:
        A ``draw_block``: indices (R,) and a generator in, outcomes 0..X-1 as chunks of one token (R, 1) out.

    Raises:
        InputError: for a bad law.
    """
    cumulative = check_probabilities(probabilities).cumsum(0)

    def draw_block(contexts: Tensor, generator: torch.Generator | None) -> Tensor:
        uniform = uniforms((contexts.numel(),), cumulative.device, generator).to(cumulative.dtype)
        return inverse_cdf(cumulative, uniform).unsqueeze(1)

    return draw_block


def sample_many(
    source: Tensor | DrawBlock,
    temperature: float,
    count: int,
    generator: torch.Generator | None = None,
    *,
    lanes: int = 8192,
    block: int | None = None,
) -> BatchExactSample:
    """Draw ``count`` independent samples at a temperature by Algorithm 1.

    Args:
        source: probabilities (X,), or a ``draw_block``, which is asked with the number of the sample as context.
        temperature: T in (0, 1].
        count: samples wanted, at least 0.
        generator: stream of all randomness. None: torch's default stream.
        lanes: samples in the making at once; as one finishes, the next starts.
        block: draws asked for in one round for each lane. None: about a quarter of the mean calls where the law is
            known, else 16. It changes the physical draws, not the law.

    Returns:
        Samples and counts; ``values`` is (count, K).

    Raises:
        InputError: for a bad law or temperature, a negative count, no lane or no block.
    """
    if count < 0 or lanes < 1 or (block is not None and block < 1):
        raise InputError(
            f"count = {count} must not be negative; lanes = {lanes} and block = {block} must be at least 1"
        )
    draw_block = draws_from(source) if isinstance(source, Tensor) else source
    if block is None:
        # All lanes ask alike, so that no row of the lockstep tensors is padding; few lanes ask for more each.
        price = expected_calls(source, temperature) if isinstance(source, Tensor) else 64.0
        block = int(min(max(price / 4, 4), max(64, MAX_BUFFER // max(min(lanes, count), 1))))
    return sample_batch_at_temperature(
        draw_block,
        count,
        temperature,
        generator,
        min_block=block,
        max_block=block,
        max_rows=lanes * block,
        lanes=lanes,
    )
