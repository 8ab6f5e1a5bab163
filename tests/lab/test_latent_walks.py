"""Walks over the latent space, clouds of a head, and UMAP in a process of its own."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from calm_lab.errors import CalmLabError, InputError
from calm_lab.lab.latent_map import again, cloud, walk
from calm_lab.lab.latent_map.store import encode_chunks
from calm_lab.model.calm import CALM
from calm_lab.model.presets import preset
from tests.app.small_models import SENTENCES, autoencoder, calm

MODEL = autoencoder()
SIZE = MODEL.config.latent_size
T = torch.linspace(0, 1, 7)


def pair(seed: int) -> tuple[Tensor, Tensor]:
    stream = torch.Generator().manual_seed(seed)
    return torch.randn(SIZE, generator=stream), 3 * torch.randn(SIZE, generator=stream)


# --------------------------------------------------------------------------------------------------------------- walks


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_line_is_straight_and_a_sphere_keeps_its_length(seed: int) -> None:
    start, end = pair(seed)
    straight, round_ = walk.line(start, end, T), walk.sphere(start, end, T)
    for path in (straight, round_):
        torch.testing.assert_close(path[0], start, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(path[-1], end, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(straight.diff(dim=0), ((end - start) / 6).expand(6, -1), atol=1e-4, rtol=1e-3)
    lengths = torch.lerp(start.norm(), end.norm(), T)
    torch.testing.assert_close(round_.norm(dim=1), lengths, atol=1e-3, rtol=1e-3)
    turned = torch.nn.functional.cosine_similarity(round_[1:], round_[:-1], dim=1).double().clamp(-1, 1).acos()
    assert float(turned.std()) < 1e-2  # every step turns by the same angle
    assert float(straight[3].norm()) <= float(round_[3].norm()) + 1e-4


def test_backwards_is_the_same_way() -> None:
    start, end = pair(1)
    torch.testing.assert_close(walk.sphere(end, start, T).flip(0), walk.sphere(start, end, T), atol=1e-4, rtol=1e-3)


def test_directions_without_an_arc() -> None:
    start, _ = pair(2)
    torch.testing.assert_close(walk.sphere(start, 2 * start, T), walk.line(start, 2 * start, T))
    with pytest.raises(InputError, match="opposite directions"):
        walk.sphere(start, -start, T)
    with pytest.raises(InputError, match="length 0"):
        walk.sphere(torch.zeros(SIZE), start, T)


@pytest.mark.parametrize("path", walk.PATHS)
def test_a_walk_says_what_the_decoder_says(path: str) -> None:
    assert MODEL.tokenizer is not None
    ids = torch.tensor(MODEL.tokenizer.encode(SENTENCES[0])[:8]).reshape(2, 4)
    mean, _ = encode_chunks(MODEL, ids)
    found = walk.walk(MODEL, mean[0], mean[1], path, 11)
    assert torch.equal(found.ids, MODEL.decode(found.z))
    assert torch.equal(found.ids[[0, -1]], MODEL.decode(mean))
    assert not found.flips[0].any()
    assert torch.equal(found.flips[1:], found.ids[1:] != found.ids[:-1])
    assert found.chunks == 1 + sum(a != b for a, b in zip(found.ids.tolist(), found.ids[1:].tolist(), strict=False))
    assert float(found.back[0]) == pytest.approx(0, abs=1e-4)
    middle = MODEL.encode(found.ids[5][None]).mean[0, 0].detach()
    assert float(found.back[5]) == pytest.approx(float((middle - found.z[5]).norm()), abs=1e-4)


def test_bad_walks_are_refused() -> None:
    start, end = pair(0)
    with pytest.raises(InputError, match="unknown path 'circle'"):
        walk.walk(MODEL, start, end, "circle")
    for steps in (1, 201, True, 2.5):
        with pytest.raises(InputError, match="steps must be a whole number"):
            walk.walk(MODEL, start, end, "line", steps)  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------------------------- clouds


def test_a_context_is_all_but_the_last_chunk() -> None:
    context = cloud.read_context(calm(), SENTENCES[0])
    assert context.text + context.truth_text == SENTENCES[0]
    assert context.truth.shape == (4,)
    whole = cloud.read_context(calm(), SENTENCES[0][: len(context.text)] + context.truth_text)
    torch.testing.assert_close(whole.hidden, context.hidden)


def test_a_cloud_is_the_head_and_the_truth() -> None:
    found = cloud.sample_cloud(calm(), SENTENCES[0], 50, 30, seed=3)
    assert found.draws.shape == (50, SIZE)
    assert sum(drawn.count for drawn in found.candidates) == 50
    assert torch.equal(found.ids, MODEL.decode(found.draws))
    counts = [drawn.count for drawn in found.candidates]
    assert counts == sorted(counts, reverse=True)
    assert found.hits == int((found.ids == found.context.truth).all(1).sum())
    assert found.score == pytest.approx(found.diversity - 2 * found.fidelity)
    apart = torch.pdist(found.draws.double()).mean()
    assert found.diversity == pytest.approx(float(apart), rel=1e-4)
    assert found.spread == pytest.approx(float(torch.pdist(found.targets.double()).mean()), rel=1e-4)
    same, other = (cloud.sample_cloud(calm(), SENTENCES[0], 50, 30, seed=seed) for seed in (3, 4))
    assert torch.equal(same.draws, found.draws)
    assert not torch.equal(other.draws, found.draws)


def test_targets_are_draws_of_the_posterior() -> None:
    """2,000 draws a coordinate: six standard errors, so a false alarm is rarer than one in a million."""
    found = cloud.sample_cloud(calm(), SENTENCES[0], 2, 2000)
    error = found.truth_std / math.sqrt(2000)
    assert bool(((found.targets.mean(0) - found.truth_mean).abs() < 6 * error).all())


def test_a_noise_walk_holds_the_context() -> None:
    context, found = cloud.noise_walk(calm(), SENTENCES[0], 9, start=1, end=2)
    ends = [cloud.sample_cloud(calm(), SENTENCES[0], 2, 2, seed).draws for seed in (1, 2)]
    hidden = context.hidden[None]
    noise = [calm().head.draw_noise(context.hidden, 1, torch.Generator().manual_seed(seed)) for seed in (1, 2)]
    for place, start in ((0, noise[0]), (-1, noise[1])):
        torch.testing.assert_close(found.z[place], calm().head.sample(hidden, start)[0].detach(), atol=1e-5, rtol=1e-4)
    assert found.z.shape == (9, SIZE)
    assert ends[0].shape == (2, SIZE)


def test_bad_contexts_are_refused() -> None:
    with pytest.raises(InputError, match="give at least 4"):
        cloud.read_context(calm(), "a")
    with pytest.raises(InputError, match="shorten it to at most 5"):
        cloud.sample_cloud(calm(), SENTENCES[0], max_tokens=5)
    for draws in (1, 2001, 2.0):
        with pytest.raises(InputError, match="draws must be a whole number"):
            cloud.sample_cloud(calm(), SENTENCES[0], draws)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="steps must be a whole number"):
        cloud.noise_walk(calm(), SENTENCES[0], 1)


def test_only_the_energy_head_walks_its_noise() -> None:
    torch.manual_seed(0)
    config = preset("tiny", vocab_size=MODEL.config.vocab_size).calm("flow")
    model = CALM(config, MODEL).eval()
    assert cloud.sample_cloud(model, SENTENCES[0], 5, 5).draws.shape == (5, SIZE)
    with pytest.raises(InputError, match="only the energy head"):
        cloud.noise_walk(model, SENTENCES[0])


# --------------------------------------------------------------------------------------------- a process of its own


def test_a_fit_that_is_cancelled_leaves_nothing() -> None:
    fitting = again.Fitting(torch.randn(50, 4), 5, 0.1)
    folder = fitting._folder
    assert fitting.stage.name in again.STAGES
    assert folder.is_dir()
    fitting.cancel()
    fitting.cancel()
    assert fitting.cancelled
    assert not fitting.running
    assert not folder.exists()
    with pytest.raises(InputError, match="cancelled"):
        fitting.layout()


def test_a_fit_that_fails_says_why() -> None:
    fitting = again.Fitting(torch.full((50, 4), float("nan")), 5, 0.1)
    assert fitting.wait(300)
    with pytest.raises(CalmLabError, match="UMAP stopped with code 1"):
        fitting.layout()
    assert not fitting._folder.exists()


def test_bad_settings_start_no_process() -> None:
    with pytest.raises(InputError, match="n_neighbors"):
        again.Fitting(torch.randn(50, 4), 50, 0.1)


@pytest.mark.slow
def test_a_fit_elsewhere_is_the_fit_here() -> None:
    from calm_lab.lab.latent_map.fit import umap_layout

    vectors = torch.randn(80, 6, generator=torch.Generator().manual_seed(0))
    fitting = again.Fitting(vectors, 8, 0.2, seed=2, epochs=30)
    with pytest.raises(InputError, match="not ready"):
        fitting.layout()
    assert fitting.wait(500)
    assert fitting.stage == again.Stage("layout", 30, 30)
    torch.testing.assert_close(fitting.layout(), umap_layout(vectors, 8, 0.2, 2, 30))
