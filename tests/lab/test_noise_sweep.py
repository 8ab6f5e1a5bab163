"""The noise sweep: shares against a slow count, intervals that keep their word, collapsed coordinates, kept results."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.lab import noise_measure, noise_results
from calm_lab.lab.falling import fall
from calm_lab.lab.noise_sweep import BIN_WIDTH, BINS, chunk_interval, noise_sweep, profile
from calm_lab.lab.vectors import read_text, text_ids
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.text.storyland.sentences import wilson
from tests.app.small_models import SENTENCES, autoencoder

TEXT = " ".join(SENTENCES)


def test_shares_agree_with_a_slow_count() -> None:
    model, seed = autoencoder(), 5
    ids = text_ids(model, SENTENCES[0])
    points = noise_sweep(model, ids, (0.0, 0.7), draws=3, seed=seed)
    mean = model.encode(ids).mean[0]
    noise = torch.randn((3, *mean.shape), generator=generator(seed))
    for point, sigma in zip(points, (0.0, 0.7), strict=True):
        right = total = 0
        for draw in noise:
            for given, back in zip(ids[0].tolist(), model.decode(mean + sigma * draw).flatten().tolist(), strict=True):
                if given != model.config.pad_id:
                    total += 1
                    right += given == back
        assert (point.correct, point.total) == (right, total)
        assert point.low <= point.value <= point.high


def test_blocks_do_not_change_what_is_counted() -> None:
    ids = text_ids(autoencoder(), TEXT)
    whole, cut = (noise_sweep(autoencoder(), ids, (0.0,), block=block)[0] for block in (2048, 3))
    assert whole == cut


@pytest.mark.parametrize(("sigmas", "draws"), [((-1.0,), 1), ((math.nan,), 1), ((math.inf,), 1), ((0.0,), 0)])
def test_settings_that_make_no_sweep(sigmas: tuple[float, ...], draws: int) -> None:
    with pytest.raises(InputError, match="noise sweep takes sigmas from 0"):
        noise_sweep(autoencoder(), text_ids(autoencoder(), "a"), sigmas, draws)


def test_padding_alone_is_refused() -> None:
    for measure in (noise_sweep, profile):
        with pytest.raises(InputError, match="nothing but padding"):
            measure(autoencoder(), torch.zeros(1, 8, dtype=torch.int64))  # type: ignore[operator]


def test_wilson_against_its_definition() -> None:
    """The ends are where the score test just rejects: |share - end| = z sqrt(end (1 - end) / n)."""
    for share, count in ((0.5, 10.0), (0.97, 40.0), (1.0, 25.0), (0.0, 7.5)):
        for end in wilson(share, count, 1.96):
            assert abs(share - end) == pytest.approx(1.96 * math.sqrt(max(0.0, end * (1 - end)) / count), abs=1e-9)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_intervals_cover_although_chunks_fail_whole(share: float) -> None:
    """All four tokens of a chunk fail together. Of 400 intervals 95% should hold the truth; fewer than 91% by chance
    has odds below 1 in 2,000. Counting tokens as independent holds it in about 67%."""
    stream, held, naive = generator(0), 0, 0
    for _ in range(400):
        alive = (torch.rand(120, generator=stream) < share).long()
        correct, total = 4 * alive, torch.full((120,), 4)
        low, high = chunk_interval(correct, total)
        held += low <= share <= high
        low, high = wilson(float(correct.sum()) / 480, 480)
        naive += low <= share <= high
    assert held / 400 > 0.91
    assert naive / 400 < 0.85


def test_where_all_came_back_chunks_are_counted() -> None:
    full = torch.full((50,), 4)
    assert chunk_interval(full, full) == wilson(1.0, 50)
    assert chunk_interval(0 * full, full) == wilson(0.0, 50)


def test_independent_tokens_keep_their_number() -> None:
    one = torch.tensor([1, 0] * 30)
    low, high = chunk_interval(one, torch.ones(60))
    assert (low, high) == pytest.approx(wilson(0.5, 60), abs=2e-3)


def test_the_profile_counts_every_coordinate() -> None:
    model = autoencoder()
    ids = text_ids(model, TEXT)
    with torch.no_grad():
        found, posterior = profile(model, ids, block=5), model.encode(ids)
    assert found.chunks == ids.shape[1] // model.config.chunk_size
    assert found.kl_bits == pytest.approx((posterior.kl()[0].mean(0) / math.log(2)).tolist(), rel=1e-5)
    assert sum(found.sigma_counts) == posterior.std.numel()
    below = int((posterior.std < 4 * BIN_WIDTH).sum())
    assert sum(found.sigma_counts[:4]) == pytest.approx(below, abs=1)
    assert len(found.sigma_counts) == BINS
    assert found.mean_sigma == pytest.approx(float(posterior.std.mean()), rel=1e-5)
    assert found.size == pytest.approx(float(posterior.mean.square().mean().sqrt()), rel=1e-5)


def test_a_coordinate_that_is_the_prior_is_collapsed() -> None:
    model = Autoencoder(autoencoder().config)
    model.load_state_dict(autoencoder().state_dict())
    size = model.config.latent_size
    with torch.no_grad():
        for row in (3, 3 + size):  # mean and log sigma of coordinate 3
            model.encoder.to_latent.weight[row] = 0
            model.encoder.to_latent.bias[row] = 0
    ids = text_ids(autoencoder(), TEXT)
    before, after = profile(autoencoder(), ids), profile(model, ids)
    assert after.kl_bits[3] == 0
    assert after.collapsed == before.collapsed + 1


def test_a_falling_text_says_at_every_sigma_what_the_reading_says() -> None:
    model, sigmas = autoencoder(), (0.0, 0.4, 1.0, 2.0)
    falling = fall(model, TEXT, 3, sigmas)
    for place, sigma in enumerate(sigmas):
        reading = read_text(model, TEXT, sigma, 3)
        assert falling.correct(place) == reading.correct
        shown = [[a for a in answers if a.start <= place][-1].text for answers in falling.answers]
        tokens = [token for row in reading.decoded_tokens for token in row]
        assert shown == tokens[: len(shown)]
    assert len(falling.answers) == read_text(model, TEXT).total
    assert json.loads(json.dumps(falling.to_dict())) == falling.to_dict()


# ------------------------------------------------------------------------------------------------------- kept results


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundled autoencoder called small, and three sentences in place of the tales."""
    checkpoint.save(autoencoder(), tmp_path / "models" / "small")
    monkeypatch.setattr(checkpoint, "ASSETS", tmp_path / "models")
    monkeypatch.setattr(noise_measure, "unseen", lambda *_: [TEXT] * 3)
    monkeypatch.setattr(noise_measure, "corpus_hash", lambda *_: "0" * 16)
    monkeypatch.setattr(noise_measure, "TOKENS", 48)
    return tmp_path


def test_results_are_kept_and_read_again(shelf: Path) -> None:
    (written,) = noise_measure.measure_missing(shelf / "noise")
    points, found = noise_results.stored(shelf / "models" / "small", shelf / "noise") or pytest.fail("nothing kept")
    data = json.loads(written.read_text("utf-8"))
    assert [[p.sigma, p.correct, p.total, p.low, p.high] for p in points] == data["points"]
    assert found.chunks == data["chunks"] > 0
    assert data["command"] == "calm-lab models --noise"
    assert list(noise_measure.measure_missing(shelf / "noise")) == []


@pytest.mark.parametrize("damage", ["{", "{}", '{"weights": "other"}'])
def test_a_result_of_other_weights_is_not_used(shelf: Path, damage: str) -> None:
    (written,) = noise_measure.measure_missing(shelf / "noise")
    written.write_text(damage, "utf-8")
    assert noise_results.stored(shelf / "models" / "small", shelf / "noise") is None
    assert list(noise_measure.measure_missing(shelf / "noise")) == [written]


def test_kept_results_speak_of_the_bundled_weights() -> None:
    """Each has a card's worth of facts, a share for every sigma and a KL for every coordinate."""
    kept = sorted(noise_results.ASSETS.glob("*.json"))
    assert {path.stem for path in kept} <= set(checkpoint.bundled())
    for path in kept:
        assert noise_results.stored(checkpoint.bundled()[path.stem]) is not None, (
            f"{path.stem}: calm-lab models --noise"
        )
        data = json.loads(path.read_text("utf-8"))
        assert data["corpus"] == "andersen"
        assert (
            len(data["kl_bits"])
            == checkpoint.read_json(checkpoint.bundled()[path.stem] / "config.json")["config"]["latent_size"]
        )


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"kl_weight": 0.0, "drop_token": 0.0, "drop_latent": 0.0}, "none"),
        ({"kl_clip": 0.0, "drop_token": 0.0, "drop_latent": 0.0}, "kl"),
        ({"drop_token": 0.0, "drop_latent": 0.0}, "clip"),
        ({"drop_latent": 0.0}, "clip_token"),
        ({"drop_token": 0.0}, "clip_latent"),
        ({}, "all"),
        ({"kl_clip": 0.0}, None),
        ({"kl_weight": 0.0}, None),
    ],
)
def test_the_rule_is_read_from_the_config(change: dict[str, float], name: str | None) -> None:
    paper = {"kl_weight": 0.001, "kl_clip": 0.5, "drop_token": 0.15, "drop_latent": 0.15}
    assert noise_results.rule({**paper, **change}) == name
