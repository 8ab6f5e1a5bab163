"""The latent map: chunks counted once, pictures that can be judged, points that land on themselves, walks, clouds."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from calm_lab.errors import CheckpointError, InputError
from calm_lab.lab.latent_map import chunks, cluster, fit, place, store
from calm_lab.lab.latent_map.make import RECIPES, make_map
from calm_lab.lab.latent_map.store import LatentMap
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.presets import preset
from tests.app.small_models import SENTENCES, autoencoder

MODEL = autoencoder()
MANY = [text[start:] for start in range(12) for text in SENTENCES]  # every start cuts other chunks


def blobs(rows: int = 240, size: int = 8, seed: int = 0) -> Tensor:
    """Four well separated groups of vectors, rows of one group in turn."""
    stream = torch.Generator().manual_seed(seed)
    centres = 10 * torch.eye(size)[:4]
    return centres[torch.arange(rows) % 4] + torch.randn(rows, size, generator=stream)


@pytest.fixture(scope="module")
def small() -> LatentMap:
    """A map of the sentences that the small autoencoder knows, with a made-up layout."""
    found = store.map_texts(MODEL, MANY, "sentences")
    layout = torch.randn(len(found), 2, generator=torch.Generator().manual_seed(1))
    return found.with_umap(layout, {"n_neighbors": 5, "min_dist": 0.1, "seed": 1})


# -------------------------------------------------------------------------------------------------------------- chunks


def test_every_different_chunk_once_with_its_count() -> None:
    found = chunks.unique_chunks([*SENTENCES, SENTENCES[0]], MODEL)
    assert MODEL.tokenizer is not None
    cut = []
    for text in [*SENTENCES, SENTENCES[0]]:
        row = [*MODEL.tokenizer.encode(text), MODEL.config.eos_id]
        row += [MODEL.config.pad_id] * (-len(row) % 4)
        cut += [tuple(row[i : i + 4]) for i in range(0, len(row), 4)]
    assert {tuple(row): count for row, count in zip(found.ids.tolist(), found.counts.tolist(), strict=True)} == {
        chunk: cut.count(chunk) for chunk in cut
    }
    assert found.seen == len(cut)
    assert found.different == len(set(cut)) == len(found.ids)
    assert found.counts.tolist() == sorted(found.counts.tolist(), reverse=True)


def test_a_limit_keeps_the_most_frequent_and_the_seed_decides_the_rest() -> None:
    texts = [*SENTENCES, SENTENCES[0]]
    whole = chunks.unique_chunks(texts, MODEL)
    often = int((whole.counts > 1).sum())
    one, same, other = (chunks.unique_chunks(texts, MODEL, often + 3, seed) for seed in (1, 1, 2))
    assert len(one.ids) == often + 3
    assert one.different == whole.different
    assert torch.equal(one.ids, same.ids)
    assert {tuple(r) for r in one.ids[:often].tolist()} == {tuple(r) for r in other.ids[:often].tolist()}
    assert not torch.equal(one.ids, other.ids)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        (" once upon", "none"),
        (" don't", "none"),
        (", and", "comma"),
        ("!' she", "stop"),
        ('."\n', "line"),
        (' "No', "quote"),
        (" 365 ", "number"),
        (" & jade", "other"),
        ("", "none"),
    ],
)
def test_punctuation(text: str, mark: str) -> None:
    assert chunks.punctuation(text) == mark
    assert mark in chunks.PUNCTUATION


def test_words() -> None:
    assert chunks.words_of(' don’t "Stop" 3 cats') == ["don’t", "stop", "cats"]
    assert chunks.first_word(", The end") == "the"
    assert chunks.first_word(" 12.") == ""


def test_groups_of_values_end_with_the_rest() -> None:
    names, places = chunks.grouped(["a", "b", "a", "", "c", "b", "a"], 2)
    assert names == ["a", "b", "other"]
    assert places.tolist() == [0, 1, 0, 2, 2, 1, 0]
    assert chunks.grouped(["a", "b"], 3)[0] == ["a", "b"]


@pytest.mark.parametrize("texts", [[], [""]])
def test_no_text_is_refused(texts: list[str]) -> None:
    with pytest.raises(InputError, match="no text to map"):
        chunks.unique_chunks(texts, MODEL)


def test_what_makes_no_map_is_refused() -> None:
    with pytest.raises(InputError, match="more than 10 tokens"):
        chunks.unique_chunks(SENTENCES, MODEL, max_tokens=10)
    with pytest.raises(InputError, match="give a longer text"):
        store.map_texts(MODEL, ["The old clock"])
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        store.map_texts(Autoencoder(preset("tiny").autoencoder), SENTENCES)


# ---------------------------------------------------------------------------------------------------------------- fits


def test_the_plane_is_the_best_plane() -> None:
    vectors = blobs()
    flat = fit.plane(vectors)
    values = np.linalg.eigvalsh(np.cov(vectors.numpy().T, bias=True))[::-1]
    assert flat.share == pytest.approx(tuple(values[:2] / values.sum()), rel=1e-4)
    torch.testing.assert_close(flat.axes @ flat.axes.T, torch.eye(2), atol=1e-5, rtol=0)
    places = flat.project(vectors)
    torch.testing.assert_close(flat.project(flat.lift(places)), places, atol=1e-4, rtol=1e-4)
    again = fit.plane(vectors.flip(0))
    torch.testing.assert_close(again.axes, flat.axes, atol=1e-4, rtol=0)


def test_neighbours_are_exact() -> None:
    vectors = blobs()
    truth = (vectors[:, None] - vectors).norm(dim=-1)
    places, distances = fit.neighbour_graph(vectors, 6)
    assert places[:, 0].tolist() == list(range(len(vectors)))
    torch.testing.assert_close(distances[:, 1:], truth.sort(1).values[:, 1:6], atol=1e-3, rtol=1e-3)
    rows, near = fit.nearest(vectors[:3], vectors, 4)
    assert rows[:, 0].tolist() == [0, 1, 2]
    assert near[:, 0].tolist() == [0, 0, 0]
    assert fit.nearest(vectors[:1], vectors[:2], 5)[0].shape == (1, 2)


def slow_trustworthiness(vectors: Tensor, places: Tensor, k: int) -> float:
    """The formula of Venna and Kaski, word for word."""
    rows, total = len(vectors), 0
    for i in range(rows):
        truth, picture = (vectors - vectors[i]).norm(dim=1), (places - places[i]).norm(dim=1)
        others = [j for j in range(rows) if j != i]
        ranked = sorted(others, key=lambda j: float(truth[j]))
        rank = {j: place for place, j in enumerate(ranked, 1)}
        total += sum(max(0, rank[j] - k) for j in sorted(others, key=lambda j: float(picture[j]))[:k])
    return 1 - 2 * total / (rows * k * (2 * rows - 3 * k - 1))


def test_trustworthiness_is_the_formula() -> None:
    vectors = blobs(60)
    places = fit.plane(vectors).project(vectors)
    found = fit.trustworthiness(vectors, places, k=5)
    assert found.value == pytest.approx(slow_trustworthiness(vectors, places, 5), abs=1e-9)
    assert (found.k, found.rows) == (5, 60)
    manifold = pytest.importorskip("sklearn.manifold")
    assert found.value == pytest.approx(manifold.trustworthiness(vectors, places, n_neighbors=5), abs=1e-6)


def test_a_picture_that_knows_nothing_gets_one_half() -> None:
    """The mean over 600 points has a standard error of about 0.01: a false alarm is rarer than one in a million."""
    vectors = torch.randn(600, 2, generator=torch.Generator().manual_seed(0))
    assert fit.trustworthiness(vectors, vectors).value == 1
    control = fit.trustworthiness(vectors, fit.shuffled(vectors))
    assert abs(control.value - 0.5) < 0.05
    part = fit.trustworthiness(vectors, fit.shuffled(vectors), rows=200)
    assert abs(part.value - control.value) < 5 * part.standard_error
    assert sorted(fit.shuffled(vectors)[:, 0].tolist()) == sorted(vectors[:, 0].tolist())


@pytest.mark.parametrize(
    ("rows", "neighbours", "distance", "told"),
    [
        (10, 5, 0.1, "at least 20 different chunks"),
        (100, 1, 0.1, "n_neighbors must be a whole number from 2 to 99"),
        (1000, 300, 0.1, "from 2 to 200"),
        (100, 5.0, 0.1, "n_neighbors must be"),
        (100, 5, 1.5, "min_dist must be a number from 0 to 1"),
        (100, 5, float("nan"), "min_dist must be"),
        (100, 5, "far", "min_dist must be"),
    ],
)
def test_bad_settings_of_umap_are_refused(rows: int, neighbours: object, distance: object, told: str) -> None:
    with pytest.raises(InputError, match=told):
        fit.check_settings(rows, neighbours, distance)


def test_shapes_that_do_not_agree_are_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(60, 2\)"):
        fit.trustworthiness(blobs(60), torch.zeros(59, 2))
    with pytest.raises(InputError, match="below half of the 20 points"):
        fit.trustworthiness(blobs(20), torch.zeros(20, 2))
    with pytest.raises(InputError, match=r"shape \(R, l\)"):
        fit.plane(torch.zeros(3))


@pytest.mark.slow
def test_umap_keeps_groups_together_and_tells_how_far_it_is() -> None:
    vectors, told = blobs(), []
    layout = fit.umap_layout(vectors, 10, 0.1, 3, 50, lambda *step: told.append(step))
    assert layout.shape == (240, 2)
    assert torch.equal(layout, fit.umap_layout(vectors, 10, 0.1, 3, 50))
    assert fit.trustworthiness(vectors, layout).value > fit.trustworthiness(vectors, fit.shuffled(layout)).value + 0.3
    assert [stage for stage, _, _ in told][:2] == ["neighbours", "compiler"]
    assert told[-1] == ("layout", 50, 50)


# -------------------------------------------------------------------------------------------------------------- groups


def test_k_means_finds_what_is_there() -> None:
    groups = cluster.k_means(blobs(), 4)
    assert sorted(groups.bincount().tolist()) == [60] * 4
    assert all(len(set(groups[first::4].tolist())) == 1 for first in range(4))
    assert torch.equal(groups, cluster.k_means(blobs(), 4))
    sizes = cluster.k_means(torch.cat([blobs(40), blobs(20)[::4]]), 4).bincount()
    assert sizes.tolist() == sorted(sizes.tolist(), reverse=True)
    with pytest.raises(InputError, match="clusters must lie between 1 and the 240 vectors"):
        cluster.k_means(blobs(), 241)


def test_typical_words_are_those_that_are_more_frequent_inside() -> None:
    texts = [" the cat", " the cat sat", " the dog", " a dog ran", " the the end"]
    found = cluster.typical_words(texts, [0, 1])
    assert [word.word for word in found][:1] == ["cat"]
    assert (found[0].inside, found[0].outside) == (2, 0)
    assert "dog" not in {word.word for word in found}
    assert all(word.z > 0 for word in found)


def test_log_odds_by_hand() -> None:
    (word, *_) = cluster.typical_words(["x y", "y z"], [0], prior=4)
    inside, outside = 1 + 4 * 1 / 4, 0 + 4 * 1 / 4  # x: once of four words, so its belief is 1
    expected = math.log(inside / (2 + 4 - inside)) - math.log(outside / (2 + 4 - outside))
    assert (word.word, word.log_odds) == ("x", pytest.approx(expected))
    assert word.z == pytest.approx(expected / math.sqrt(1 / inside + 1 / outside))


def test_no_words_are_typical_of_all_or_nothing() -> None:
    assert cluster.typical_words(["a", "b"], []) == []
    assert cluster.typical_words(["a", "b"], [0, 1]) == []
    assert [word.word for word in cluster.typical_words(["a", "a"], [0])] == []
    with pytest.raises(InputError, match="outside the map of 2"):
        cluster.typical_words(["a", "b"], [2])


# ------------------------------------------------------------------------------------------------------------- placing


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 100, width=16), min_size=1, max_size=8))
def test_shepard_weights_are_shares(distances: list[float]) -> None:
    weights = place.shepard(torch.tensor(distances))
    assert float(weights.sum()) == pytest.approx(1, abs=1e-5)
    assert bool((weights >= 0).all())
    assert float(weights[distances.index(min(distances))]) == float(weights.max())


@pytest.mark.parametrize("picture", ["umap", "pca"])
def test_a_chunk_of_the_map_lands_on_itself(small: LatentMap, picture: str) -> None:
    torch.testing.assert_close(place.place(small, small.mean[:5], picture), small.pictures[picture][:5])


def test_a_spot_on_a_point_is_its_vector(small: LatentMap) -> None:
    x, y = small.pictures["umap"][7].tolist()
    spot = place.between(small, x, y, "umap")
    torch.testing.assert_close(spot.z, small.mean[7])
    assert spot.rows[0] == 7
    middle = place.between(small, *small.pictures["umap"][[3, 4]].mean(0).tolist(), "umap")
    assert float(middle.weights.sum()) == pytest.approx(1)
    torch.testing.assert_close(middle.z, middle.weights @ small.mean[middle.rows])


def test_a_spot_of_the_plane_is_a_vector_of_the_plane(small: LatentMap) -> None:
    spot = place.between(small, 0.3, -0.2, "pca")
    torch.testing.assert_close(small.plane.project(spot.z), torch.tensor([0.3, -0.2]), atol=1e-4, rtol=0)
    assert not len(spot.rows)


def test_a_point_says_what_the_decoder_says(small: LatentMap) -> None:
    look = place.point(small, MODEL, 3)
    assert torch.equal(look.ids, small.said[3])
    assert look.text == small.texts[3]
    assert look.std is not None
    assert look.bits is not None
    posterior = MODEL.encode(small.ids[3][None])
    torch.testing.assert_close(look.bits.sum(), MODEL.bits(posterior)[0, 0].detach(), atol=1e-3, rtol=1e-3)
    distances = (small.mean - small.mean[3]).norm(dim=1)
    distances[3] = torch.inf
    assert look.rows.tolist() == distances.topk(place.NEIGHBOURS, largest=False).indices.tolist()
    back = MODEL.encode(look.ids[None]).mean[0, 0]
    assert look.back == pytest.approx(float((back.detach() - small.mean[3]).norm()), abs=1e-5)


def test_a_phrase_is_read_as_chunks(small: LatentMap) -> None:
    assert MODEL.tokenizer is not None
    whole = MODEL.tokenizer.decode(MODEL.tokenizer.encode(SENTENCES[0])[:4])
    assert [look.text for look in place.phrase(small, MODEL, whole)] == [whole]
    longer = place.phrase(small, MODEL, SENTENCES[0])
    row = [*MODEL.tokenizer.encode(SENTENCES[0]), MODEL.config.eos_id]
    row += [MODEL.config.pad_id] * (-len(row) % 4)
    mean, _ = store.encode_chunks(MODEL, torch.tensor(row).reshape(-1, 4))
    torch.testing.assert_close(torch.stack([look.z for look in longer]), mean)
    assert float(longer[0].distances[0]) == pytest.approx(0, abs=1e-4)  # the sentence lies on this map


@pytest.mark.parametrize(("text", "told"), [("", "at least one character"), ("word " * 99, "shorten it to at most 64")])
def test_a_bad_phrase_is_refused(small: LatentMap, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        place.phrase(small, MODEL, text)


def test_places_that_do_not_exist_are_refused(small: LatentMap) -> None:
    for row in (-1, len(small), True, 1.0):
        with pytest.raises(InputError, match="a point is a whole number"):
            place.point(small, MODEL, row)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="two finite numbers"):
        place.between(small, float("nan"), 0, "umap")
    with pytest.raises(InputError, match="unknown picture 'tsne'"):
        place.place(small, small.mean[:1], "tsne")


# --------------------------------------------------------------------------------------------------------------- maps


def test_a_map_says_how_far_to_trust_it(small: LatentMap) -> None:
    assert small.trust["pca"].value == fit.trustworthiness(small.mean, small.pictures["pca"]).value
    assert {"umap", "pca", "shuffled"} == set(small.trust)
    assert small.texts == chunks.chunk_texts(small.said, MODEL.tokenizer)  # type: ignore[arg-type]
    assert torch.equal(small.came_back, (small.said == small.ids).all(1))


def card_of(found: LatentMap, sha256: str = "") -> dict[str, object]:
    return {
        "corpus": {"name": found.name, "chunks": found.seen, "different": found.different},
        "autoencoder": {"name": "small", "sha256": sha256},
        "umap": found.settings,
        "trust": {name: dataclasses.asdict(trust) for name, trust in found.trust.items()},
    }


def test_a_map_comes_back_from_its_folder(small: LatentMap, tmp_path: Path) -> None:
    checkpoint.save(MODEL, tmp_path / "model", {})
    folder = store.save_map(small, tmp_path / "map", card_of(small, store.weights_hash(tmp_path / "model")))
    again = store.load_map(MODEL, folder, tmp_path / "model")
    for name in ("ids", "counts", "said", "group"):
        assert torch.equal(getattr(again, name), getattr(small, name)), name
    torch.testing.assert_close(again.mean, small.mean)
    torch.testing.assert_close(again.pictures, small.pictures)
    assert (again.texts, again.trust, again.settings) == (small.texts, small.trust, small.settings)
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "map.safetensors"]


def test_a_map_of_other_weights_or_damaged_is_refused(small: LatentMap, tmp_path: Path) -> None:
    checkpoint.save(MODEL, tmp_path / "model", {})
    folder = store.save_map(small, tmp_path / "map", card_of(small, "0" * 64))
    with pytest.raises(CheckpointError, match="a map of other weights"):
        store.load_map(MODEL, folder, tmp_path / "model")
    card = json.loads((folder / "card.json").read_text("utf-8"))
    (folder / "card.json").write_text(json.dumps({**card, "trust": {"pca": {"worth": 1}}}), "utf-8")
    with pytest.raises(CheckpointError, match="damaged"):
        store.load_map(MODEL, folder)
    (folder / "card.json").write_text(json.dumps({**card, "format": "other"}), "utf-8")
    with pytest.raises(CheckpointError, match="no map of ours"):
        store.load_map(MODEL, folder)
    (folder / "card.json").write_text(json.dumps(card), "utf-8")
    (folder / "map.safetensors").write_bytes(b"half")
    with pytest.raises(CheckpointError, match="truncated"):
        store.load_map(MODEL, folder)


def test_an_unknown_bundled_map_is_refused() -> None:
    with pytest.raises(InputError, match="unknown bundled map 'nothing'"):
        make_map("nothing")
    with pytest.raises(InputError, match="unknown bundled map 'nothing'"):
        store.bundled_map(MODEL, "nothing")


@pytest.mark.parametrize("name", RECIPES)
def test_the_bundled_map_is_what_its_card_says(name: str) -> None:
    import calm_lab

    model, folder = calm_lab.load_autoencoder(name), store.bundled_maps()[name]
    found = store.bundled_map(model, name, checkpoint.resolve(name))
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert len(found) == card["corpus"]["on_the_map"] >= 20_000
    assert card["recipe"] == dataclasses.asdict(RECIPES[name])
    assert bool(torch.isfinite(found.picture("umap")).all())
    assert torch.equal(store.decode_vectors(model, found.mean[:500]), found.said[:500])
    assert int(found.came_back.sum()) == card["chunks_that_come_back"]
    for which in ("umap", "pca"):
        measured = fit.trustworthiness(found.mean, found.picture(which), rows=300, seed=1)
        claimed = found.trust[which]
        error = math.hypot(measured.standard_error, claimed.standard_error)
        assert abs(measured.value - claimed.value) < 5 * error, which
    assert found.trust["umap"].value > found.trust["shuffled"].value + 0.1
    assert abs(found.trust["shuffled"].value - 0.5) < 0.02
