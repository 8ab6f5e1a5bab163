"""The models on offer: what is listed, what is loaded, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from calm_lab.app.bench import sizes
from calm_lab.app.shelf import Shelf
from calm_lab.errors import CheckpointError, InputError
from calm_lab.model import checkpoint
from tests.app.small_models import calm

pytestmark = pytest.mark.usefixtures("no_bundled")


def test_what_lies_in_the_folder_is_offered(models: Path) -> None:
    shelf = Shelf(models, "cpu")
    assert list(shelf.entries("autoencoder")) == ["small-autoencoder"]
    assert list(shelf.entries("calm")) == ["small-calm"]
    entry = shelf.entry("calm")
    assert entry.corpus == "three sentences"
    assert sizes(entry).startswith("K = 4 · l = 32 · V = ")
    assert sizes(shelf.entry("autoencoder")).endswith(" 99.00%")


def test_one_model_folder_and_run_folders_will_do(models: Path, tmp_path: Path) -> None:
    assert list(Shelf(models / "small-calm", "cpu").entries("calm")) == ["small-calm"]
    run = tmp_path / "my-run" / "checkpoints" / "step-00000010"
    run.parent.mkdir(parents=True)
    run.symlink_to(models / "small-calm")
    assert list(Shelf(tmp_path, "cpu").entries("calm")) == ["my-run"]


def test_models_load_once_and_only_when_asked(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Path] = []
    monkeypatch.setattr(checkpoint, "load", lambda folder, device: loaded.append(folder) or calm())
    shelf = Shelf(models, "cpu")
    shelf.entries("calm")
    assert loaded == []
    from calm_lab.app import shelf as module

    module._load.cache_clear()
    try:
        assert shelf.calm() is shelf.calm("small-calm")
    finally:
        module._load.cache_clear()
    assert loaded == [models / "small-calm"]


def test_a_model_trained_meanwhile_appears(models: Path, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "cpu")
    assert shelf.entries("calm") == {}
    (tmp_path / "new").symlink_to(models / "small-calm")
    assert list(shelf.entries("calm")) == ["new"]


def test_damaged_folders_do_not_hide_good_ones(models: Path, tmp_path: Path) -> None:
    (tmp_path / "good").symlink_to(models / "small-calm")
    for name, text in (("truncated", '{"format": 1'), ("list", "[]"), ("other", json.dumps({"kind": "whale"}))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(text)
    (tmp_path / "notes.txt").write_text("x")
    assert list(Shelf(tmp_path, "cpu").entries("calm")) == ["good"]


def test_an_empty_shelf_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="calm-lab train calm"):
        Shelf(tmp_path, "cpu").calm()


@pytest.mark.parametrize("name", ["no-such", "../small-calm", "/etc", "x" * 500])
def test_a_name_is_never_a_path(models: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="choose one of small-calm") as caught:
        Shelf(models, "cpu").entry("calm", name)
    assert len(str(caught.value)) < 200


def test_a_missing_folder_or_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        Shelf(tmp_path / "none", "cpu")
    with pytest.raises(InputError, match="cannot be used here: choose auto"):
        Shelf(tmp_path, "abacus")
