"""``calm-lab doctor`` against illnesses made on purpose: each is one line with its remedy, and none ends the report."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import calm_lab
from calm_lab import cli
from calm_lab.cli import doctor
from calm_lab.cli.doctor import Check, DoctorOptions, examine
from calm_lab.model import checkpoint

ALONE = DoctorOptions(network=False)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("CALM_LAB_CACHE", str(folder))
    return folder


def found(check: Callable[[], Iterator[Check]], what: str) -> Check:
    (one,) = [result for result in check() if result.what == what]
    return one


def test_every_trouble_has_a_remedy_and_health_has_none() -> None:
    for check in examine(ALONE):
        assert bool(check.remedy) == (check.status != "OK"), check
        assert check.found


def test_the_report_names_versions_device_corpora_models_disk_and_cache(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["doctor", "--no-network"])
    shown = capsys.readouterr().out
    assert code == int("\nFAIL" in shown)
    for what in ("python", "torch", "gradio", "device", "bundled", "corpus andersen", "cache", "disk", "chromium"):
        assert what in shown
    assert "hub" not in shown.replace("huggingface-hub", "")


def test_a_missing_and_an_old_library_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    true = importlib.metadata.version

    def version(name: str) -> str:
        if name == "tyro":
            raise importlib.metadata.PackageNotFoundError(name)
        return "5.49.1" if name == "gradio" else true(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert found(doctor.packages, "tyro") == Check("FAIL", "tyro", "not installed", doctor.REINSTALL)
    gradio = found(doctor.packages, "gradio")
    assert gradio.status == "FAIL"
    assert gradio.found.startswith("5.49.1, but ")
    assert found(doctor.packages, "torch").status == "OK"
    assert cli.main(["doctor", "--no-network"]) == 1


def test_extras_are_not_asked_for() -> None:
    assert "jupyterlab" not in {check.what for check in doctor.packages()}


def test_a_python_outside_the_range_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.9.18")
    check = found(doctor.python, "python")
    assert check.status == "FAIL"
    assert "3.11" in check.remedy


def test_a_check_that_breaks_is_a_line_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def device() -> Iterator[Check]:
        raise ImportError("libtorch.so: cannot open")

    monkeypatch.setattr(doctor, "device", device)
    checks = list(examine(ALONE))
    assert Check("FAIL", "device", "ImportError: libtorch.so: cannot open", doctor.REINSTALL) in checks
    assert checks[-1].what == "chromium"


@pytest.fixture
def assets(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shelf of bundled models with one on it, ``little``."""
    folder = tmp_path / "assets"
    shutil.copytree(models / "calm", folder / "little")
    monkeypatch.setattr(checkpoint, "ASSETS", folder)
    return folder


def test_a_whole_bundled_model_is_ok(assets: Path) -> None:
    assert found(doctor.models, "little").status == "OK"


@pytest.mark.parametrize("damage", ["missing", "truncated", "empty"])
@pytest.mark.parametrize(
    "name",
    ["config.json", "model.safetensors", "card.json", "autoencoder/model.safetensors", "autoencoder/tokenizer.json"],
)
def test_a_damaged_bundled_model_fails(damage: str, name: str, assets: Path) -> None:
    path = assets / "little" / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"")
    check = found(doctor.models, "little")
    assert check.status == "FAIL"
    assert "reinstall" in check.remedy


def test_no_bundled_model_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "ASSETS", tmp_path / "none")
    (check,) = doctor.models()
    assert check.status == "WARN"
    assert "calm-lab train" in check.remedy


def test_an_unfetched_corpus_says_how_to_fetch_it() -> None:
    check = found(doctor.corpora, "corpus andersen")
    assert check.status == "WARN"
    assert check.remedy == "calm-lab corpora --fetch andersen"
    assert found(doctor.corpora, "corpus storyland").status == "OK"


def test_a_cache_that_cannot_be_written_is_a_warning(cache: Path) -> None:
    assert found(doctor.cache, "cache").status == "OK"
    shutil.rmtree(cache)
    cache.write_text("a file where a folder should be")
    check = found(doctor.cache, "cache")
    assert check.status == "WARN"
    assert "CALM_LAB_CACHE" in check.remedy


@pytest.mark.parametrize(("free", "status"), [(5e10, "OK"), (1e9, "WARN"), (1e8, "FAIL"), (0, "FAIL")])
def test_disk(free: float, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    assert {check.status for check in doctor.disk()} == {status}


def test_no_browser_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert doctor.find_browser() is None
    assert found(doctor.browser, "chromium").status == "WARN"


def test_a_hub_out_of_reach_is_a_warning_and_any_answer_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(error: Exception) -> Callable[..., None]:
        def urlopen(*_: object, **__: object) -> None:
            raise error

        return urlopen

    monkeypatch.setattr(urllib.request, "urlopen", answer(urllib.error.URLError("no route")))
    check = found(doctor.hub, "data hub")
    assert check.status == "WARN"
    assert "no route" in check.found
    monkeypatch.setattr(urllib.request, "urlopen", answer(urllib.error.HTTPError("", 503, "busy", None, None)))  # type: ignore[arg-type]
    assert found(doctor.hub, "data hub").status == "OK"


def test_hub_corpora_are_named_and_one_in_the_mirror_is_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def urlopen(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    assert "tinystories, wikitext-103, pile" in found(doctor.hub, "data hub").remedy
    monkeypatch.setenv("CALM_LAB_HUB", str(tmp_path))
    (tmp_path / "roneneldan/TinyStories").mkdir(parents=True)
    assert found(doctor.hub, "corpus tinystories").status == "OK"
    assert str(tmp_path) in found(doctor.hub, "corpus tinystories").found
    assert "tinystories" not in found(doctor.hub, "data hub").remedy
    assert "CALM_LAB_HUB" in found(doctor.hub, "data hub").remedy


def test_cards_of_the_bundled_models_are_json() -> None:
    for path in (Path(calm_lab.__file__).parent / "assets" / "models").glob("*/card.json"):
        assert isinstance(json.loads(path.read_text("utf-8")), dict)
