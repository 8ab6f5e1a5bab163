"""Models that come from the hub and go there, with a hub that is a folder: no test here touches a network."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import torch

from calm_lab import cli
from calm_lab.errors import CheckpointError, InputError
from calm_lab.loading import load_model
from calm_lab.model import hub
from calm_lab.model.checkpoint import load, read_card, save
from calm_lab.model.hub import import_official, pull, push, wanted_files
from calm_lab.text import Tokenizer
from tests.model import small
from tests.model.official_folder import Recipe, write
from tests.model.test_checkpoint import same


@dataclass
class Hub:
    """A stand-in for the hub's client: repositories are folders below ``root``."""

    root: Path
    reachable: bool = True

    def _repository(self, name: str) -> Path:
        if not self.reachable:
            raise ConnectionError("no route to huggingface.co\nafter 5 tries")
        if not (self.root / name).is_dir():
            raise FileNotFoundError(f"404: {name}")
        return self.root / name

    def model_info(self, name: str, revision: str | None = None, timeout: float | None = None) -> Any:
        assert timeout is not None, "the first question must not wait for ever"
        folder = self._repository(name)
        files = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
        return SimpleNamespace(sha="c0ffee", siblings=[SimpleNamespace(rfilename=file) for file in files])

    def snapshot_download(self, name: str, local_files_only: bool = False, **options: Any) -> str:
        cache = self.root.parent / "cache" / name
        if not local_files_only:
            for file in options["allow_patterns"]:
                (cache / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self._repository(name) / file, cache / file)
            assert options["revision"] == "c0ffee"
        if not cache.is_dir():
            raise FileNotFoundError(f"not in the cache: {name}")
        return str(cache)

    def create_repo(self, name: str, private: bool, exist_ok: bool) -> None:
        if not self.reachable:
            raise ConnectionError("no route")
        (self.root / name).mkdir(parents=True, exist_ok=exist_ok)
        (self.root / name / ".private").write_text(str(private))

    def upload_folder(self, folder_path: Path, repo_id: str, allow_patterns: list[str], commit_message: str) -> Any:
        files = [str(path.relative_to(folder_path)) for path in Path(folder_path).rglob("*") if path.is_file()]
        for file in huggingface_hub.utils.filter_repo_objects(files, allow_patterns=allow_patterns):
            (self.root / repo_id / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(folder_path) / file, self.root / repo_id / file)
        return SimpleNamespace(commit_url=f"https://huggingface.co/{repo_id}/commit/c0ffee")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    stand_in = Hub(tmp_path / "hub")
    stand_in.root.mkdir()
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: stand_in)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", stand_in.snapshot_download)
    monkeypatch.delenv(hub.MIRROR_VARIABLE, raising=False)
    return stand_in


def test_there_and_back_again(store: Hub, tmp_path: Path) -> None:
    model = small.calm()
    folder = save(model, tmp_path / "model", {"made": "here"})
    (folder / "training.pt").write_text("optimizer state, gigabytes of it")
    address = push(folder, "somebody/calm-tiny")
    assert address.startswith("https://huggingface.co/somebody/calm-tiny")
    there = store.root / "somebody" / "calm-tiny"
    assert (there / ".private").read_text() == "True"  # nothing is published by accident
    assert not (there / "training.pt").exists()
    found = pull("somebody/calm-tiny")
    assert same(load(found), model)
    assert read_card(found) == {"made": "here"}


def test_only_models_of_ours_are_put_there(store: Hub, tmp_path: Path) -> None:
    write(tmp_path / "official", Recipe())
    with pytest.raises(CheckpointError, match="import-official"):
        push(tmp_path / "official", "somebody/model")
    folder = save(small.transformer(), tmp_path / "model")
    for name in ("model", "a/b/c", "../x", "somebody/", "https://huggingface.co/a/b"):
        with pytest.raises(InputError, match="OWNER/NAME"):
            push(folder, name)
    store.reachable = False
    with pytest.raises(CheckpointError, match=r"cannot put .* log in with 'hf auth login'"):
        push(folder, "somebody/model")


def test_what_is_fetched() -> None:
    """One form of the weights, never code, never what training left."""
    always = ["config.json", "tokenizer.json"]
    useless = ["README.md", "modeling.py", "training_args.bin", "optimizer.pt", ".gitattributes", "onnx/model.onnx"]
    bins = [f"pytorch_model-0000{i}-of-00002.bin" for i in (1, 2)] + ["pytorch_model.bin.index.json"]
    safe = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)] + ["model.safetensors.index.json"]
    assert wanted_files(always + useless + bins + safe) == sorted(always + safe)
    assert wanted_files(always + useless + bins) == sorted(always + bins)
    ours = ["config.json", "model.safetensors", "card.json", "autoencoder/config.json", "autoencoder/model.safetensors"]
    assert wanted_files([*ours, *useless]) == sorted(ours)
    assert wanted_files([]) == []


def test_an_official_model_is_imported_from_the_hub(
    store: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        store.root / "cccczshao" / "CALM-M", Recipe(file="pytorch_model.bin", shards=2, config={"eos_token_id": [5, 6]})
    )
    out = tmp_path / "calm-m"
    assert cli.main(["import-official", "cccczshao/CALM-M", str(out)]) == 0
    assert "no tokenizer" in capsys.readouterr().out
    ours, theirs = load_model(out), load_model(store.root / "cccczshao" / "CALM-M")
    assert same(ours, theirs)
    assert ours.config == theirs.config
    assert ours.autoencoder.config == theirs.autoencoder.config
    assert read_card(out) == {"imported_from": "cccczshao/CALM-M", "layout": "official"}
    assert not list(out.rglob("*.bin"))
    ids = small.rows(ours)
    assert torch.equal(ours.hidden_states(ids), theirs.hidden_states(ids))
    assert cli.main(["import-official", "cccczshao/CALM-M", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_no_name_is_looked_up_without_being_asked(store: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    write(store.root / "cccczshao" / "CALM-M", Recipe())
    monkeypatch.setattr(store, "model_info", lambda *args, **kwargs: pytest.fail("load_model asked the hub"))
    with pytest.raises(CheckpointError, match="import-official"):
        load_model("cccczshao/CALM-M")


def test_without_a_network(store: Hub, tmp_path: Path) -> None:
    write(store.root / "cccczshao" / "CALM-M", Recipe())
    pull("cccczshao/CALM-M")
    store.reachable = False
    assert pull("cccczshao/CALM-M").is_dir()  # fetched before: the cache answers
    with pytest.raises(CheckpointError, match="check the name and the connection") as caught:
        import_official("cccczshao/CALM-L", tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    for name in ("nowhere", "./nowhere", "a/b/c", "nul\0/x"):
        with pytest.raises(CheckpointError, match="no such folder"):
            pull(name)


def test_a_mirror_comes_before_the_network(store: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.reachable = False
    write(tmp_path / "mirror" / "cccczshao" / "CALM-M", Recipe())
    monkeypatch.setenv(hub.MIRROR_VARIABLE, str(tmp_path / "mirror"))
    assert pull("cccczshao/CALM-M") == tmp_path / "mirror" / "cccczshao" / "CALM-M"


def test_a_tokenizer_and_an_autoencoder_can_be_added(store: Hub, tmp_path: Path) -> None:
    tokenizer = Tokenizer.train(["the sea and the old sea"], 270)
    tokenizer.save(tmp_path / "llama")
    write(tmp_path / "calm", Recipe(vocab_size=300, ae_eps=0.01))
    write(tmp_path / "ae", Recipe(vocab_size=300, ae_eps=0.01, kind="autoencoder"))
    out = import_official(
        tmp_path / "calm", tmp_path / "out", "bfloat16", tokenizer=tmp_path / "llama", autoencoder=tmp_path / "ae"
    )
    model = load_model(out)
    assert model.tokenizer == tokenizer
    assert model.autoencoder.config.rms_norm_eps == 0.01
    (tmp_path / "llama" / "tokenizer.json").write_text("{")
    with pytest.raises(CheckpointError, match="tokenizer"):
        import_official(tmp_path / "calm", tmp_path / "again", tokenizer=tmp_path / "llama")
    with pytest.raises(CheckpointError, match="already"):
        import_official(out, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_repository_of_something_else(store: Hub, tmp_path: Path) -> None:
    (store.root / "somebody" / "bert").mkdir(parents=True)
    (store.root / "somebody" / "bert" / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(CheckpointError, match="is missing"):
        import_official("somebody/bert", tmp_path / "out")
    assert not (tmp_path / "out").exists()
