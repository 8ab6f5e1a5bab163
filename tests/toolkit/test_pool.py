"""Choosing from a pool without decoding all of it follows the same law as decoding all of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from scipy import stats

from calm_lab.model.calm import CALM
from calm_lab.toolkit.pool import PoolChoice, choose_by_repeats, choose_on_device
from calm_lab.toolkit.temperature import temperature_weights


def pools(model: CALM, clusters: int, spread: float, pools: int = 3, size: int = 40) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    centers = torch.randn(clusters, model.config.latent_size, generator=generator) * 2
    pick = torch.randint(clusters, (pools, size), generator=generator)
    return centers[pick] + spread * torch.randn(pools, size, model.config.latent_size, generator=generator)


@pytest.mark.parametrize("choose", [choose_by_repeats, choose_on_device])
@pytest.mark.parametrize(("clusters", "spread"), [(4, 0.2), (200, 1.0)])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_law_is_that_of_decoding_everything(
    calm: CALM, n: int, clusters: int, spread: float, choose: Callable[..., PoolChoice]
) -> None:
    """Chi-square over 36 pools at 1e-4 each: one false alarm in 280 suites, and the seed is fixed."""
    latents = pools(calm, clusters, spread)
    generator = torch.Generator().manual_seed(2)
    for pool in latents:
        full = calm.autoencoder.decode(pool)
        candidates, probabilities, used = temperature_weights(full, n)
        choice = choose(calm.autoencoder, pool.expand(3000, -1, -1), n, generator)
        assert torch.equal(full[choice.index], choice.ids)
        assert (choice.n_used == used).all()
        seen = torch.stack([(choice.ids == chunk).all(-1).sum() for chunk in candidates]).double()
        assert int(seen.sum()) == 3000  # nothing outside the candidates
        if len(candidates) > 1:
            assert stats.chisquare(seen.numpy(), (probabilities * 3000).numpy()).pvalue > 1e-4


def test_draws_that_cannot_repeat_are_not_decoded(calm: CALM) -> None:
    latents = pools(calm, 200, 1.0)
    everything = latents.shape[0] * latents.shape[1] * calm.config.chunk_size
    assert choose_by_repeats(calm.autoencoder, latents, 2).decoded < everything
    assert choose_by_repeats(calm.autoencoder, latents, 1).decoded == latents.shape[0] * calm.config.chunk_size


@pytest.mark.parametrize("choose", [choose_by_repeats, choose_on_device])
def test_one_draw_is_its_own_pool(calm: CALM, choose: Callable[..., PoolChoice]) -> None:
    latents = pools(calm, 4, 0.2, pools=2, size=1)
    choice = choose(calm.autoencoder, latents, 3)
    assert torch.equal(choice.ids, calm.autoencoder.decode(latents[:, 0]))
