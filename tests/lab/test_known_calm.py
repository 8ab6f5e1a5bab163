"""The lessons' models: trained by the recipe they claim, scored as their cards say, and near the exact ceiling."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from calm_lab.errors import CheckpointError
from calm_lab.lab import known_calm
from calm_lab.lab.known_calm import KINDS, LESSONS, LOOKS, judge_known, known_language, load_known, train_known
from calm_lab.model import checkpoint
from calm_lab.model.calm import CALM
from calm_lab.model.config import HeadKind, InputKind


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_calm, "AUTOENCODER_STEPS", 2)
    monkeypatch.setattr(known_calm, "CURVE_TEXTS", 4)


def weights(model: CALM) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.usefixtures("quick")
def test_looking_does_not_change_the_training_and_the_seed_does() -> None:
    looked = train_known(steps=3, looks=(1, 3))
    assert [point.step for point in looked.curve] == [1, 3]
    assert torch.equal(weights(looked.model), weights(train_known(steps=3).model))
    assert not torch.equal(weights(looked.model), weights(train_known(steps=3, seed=1).model))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("head", "input"), [*KINDS, ("energy", "both")])
def test_every_kind_learns_something(head: HeadKind, input: InputKind) -> None:
    known = train_known(head, input, steps=2, chunk_size=2)
    assert (known.model.config.head.kind, known.model.config.input) == (head, input)
    assert not known.model.training


@pytest.mark.parametrize(("head", "input"), KINDS)
def test_a_bundled_lesson_scores_what_its_card_says(head: HeadKind, input: InputKind) -> None:
    """Within 4 standard errors of fewer texts; a false alarm once in 16,000 times, and the seed is fixed."""
    known = load_known(head, input)
    card = checkpoint.read_card(known_calm.lesson_folder(head, input))
    assert [point.step for point in known.curve] == (list(LOOKS) if head == "energy" else [])
    assert card["ceiling"] == pytest.approx(known_language().brier_ceiling().brier_lm)
    found = judge_known(known.model, {"energy": 64, "flow": 12, "diffusion": 6}[head], seed=7, repeats=1).brier
    error = (float(found.standard_errors[0]) ** 2 + card["metrics"]["brier_standard_errors"][0] ** 2) ** 0.5
    assert abs(float(found.values[0]) - card["metrics"]["brier"][0]) <= 4 * error


def test_the_energy_head_stands_near_the_ceiling() -> None:
    card = checkpoint.read_card(known_calm.lesson_folder())
    assert card["metrics"]["brier_lm"] >= 0.97 * card["ceiling"]


def test_an_unknown_lesson_and_a_card_without_a_curve_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CheckpointError, match="markov-flow-continuous"):
        load_known("flow", "continuous")
    model = load_known().model
    monkeypatch.setattr(known_calm, "LESSONS", tmp_path)
    checkpoint.save(model.autoencoder, tmp_path / known_calm.AUTOENCODER)
    checkpoint.save(model, tmp_path / "markov-energy-discrete", {}, autoencoder=known_calm.AUTOENCODER)
    with pytest.raises(CheckpointError, match="holds no curve"):
        load_known()


@pytest.mark.usefixtures("quick")
def test_what_is_made_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known_calm.make_lessons(tmp_path, [("energy", "continuous")], steps=2, looks=(1, 2), texts=4)
    monkeypatch.setattr(known_calm, "LESSONS", tmp_path)
    assert [point.step for point in load_known("energy", "continuous").curve] == [1, 2]


def test_the_lessons_are_small() -> None:
    assert sum(path.stat().st_size for path in LESSONS.rglob("*") if path.is_file()) <= 1.6 * 2**20
