"""The curves behind Figs 8 to 11: the right ends, on models small enough to be untrained."""

from __future__ import annotations

import pytest
import torch

from calm_lab.lab.reproduction.extras import (
    POOLS,
    SOFTMAX,
    geometric_mean,
    pair_terms,
    scored_positions,
    softmax_curve,
    step_curve,
    summary,
    temperature_curve,
)
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.config import AutoencoderConfig, BackboneConfig, CalmConfig, HeadConfig, TransformerConfig
from calm_lab.model.transformer import TokenTransformer

BACKBONE = BackboneConfig(16, 32, 1, 2)


def small_calm(head: str) -> CALM:
    torch.manual_seed(0)
    inner = Autoencoder(
        AutoencoderConfig(vocab_size=11, chunk_size=4, latent_size=8, hidden_size=16, intermediate_size=32)
    )
    torch.nn.init.normal_(inner.output_weight)
    config = HeadConfig(kind=head, num_blocks=1, noise_size=8, init_std=0.3)  # type: ignore[arg-type]
    return CALM(CalmConfig(11, 4, 8, BACKBONE, config), inner).eval()


def rows(tokens: int = 24) -> torch.Tensor:
    return torch.randint(3, 11, (6, tokens), generator=torch.Generator().manual_seed(1))


def test_positions_are_those_that_training_scores() -> None:
    model, ids = small_calm("energy"), rows()
    ids[2, 8:] = model.config.pad_id
    hidden, target = scored_positions(model, ids)
    assert hidden.shape == (6 * 5 - 4, 16)
    assert target.shape == (26, 4)
    assert (target != model.config.pad_id).all()
    few, again = scored_positions(model, ids, limit=7), scored_positions(model, ids, limit=7)
    assert few[0].shape == (7, 16)
    assert torch.equal(few[1], again[1])


def test_temperature_walks_from_the_models_own_law_to_surer_ones() -> None:
    """A pool of one is T = 1. Along N at T = 1/3 collisions grow: 30 positions, from about chance to above a half."""
    points = temperature_curve(small_calm("energy"), rows())
    assert [p["pool"] for p in points if p["n"] == 3] == list(POOLS)
    assert {p["n"] for p in points} == {2, 3, 4, 5, 6}
    ends = points[0]["collision"], points[len(POOLS) - 1]["collision"]
    assert ends[0] < ends[1]
    assert all(0 <= p["accuracy"] <= 100 for p in points)


@pytest.mark.parametrize(("head", "count"), [("flow", 8), ("diffusion", 4)])
def test_every_step_count_is_one_point(head: str, count: int) -> None:
    points = step_curve(small_calm(head), rows())
    assert len(points) == count
    assert len({(p.get("solver"), p["steps"]) for p in points}) == count
    assert all(p["calls"] == p["steps"] * (2 if p.get("solver") == "midpoint" else 1) for p in points)


def test_softmax_temperature_sharpens() -> None:
    torch.manual_seed(0)
    model = TokenTransformer(TransformerConfig(vocab_size=11, backbone=BACKBONE)).eval()
    torch.nn.init.normal_(model.output_weight)
    points = softmax_curve(model, rows())
    assert [p["temperature"] for p in points] == list(SOFTMAX)
    assert points[0]["collision"] < points[-1]["collision"]


def test_summaries_are_their_definitions() -> None:
    first = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
    second = torch.tensor([[1, 2, 9, 9], [5, 6, 7, 8]])
    target = torch.tensor([[1, 2, 3, 9], [5, 6, 7, 8]])
    found = summary(pair_terms(first, second, target))
    # accuracy of n = 1..4: 1, 1, (1/2 + 1) / 2, (0 + 1) / 2; collision: 1, 1, 1/2, 1/2
    assert found["accuracy"] == pytest.approx(100 * (0.75 * 0.5) ** 0.25)
    assert found["collision"] == pytest.approx(100 * 0.25**0.25)
    assert found["positions"] == 2
    assert geometric_mean([0.5, 0.0]) == 0
