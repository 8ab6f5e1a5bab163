"""Saving and loading model folders: exact round trips, and nothing lost whatever happens while writing."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError

from calm_lab.errors import CheckpointError, InputError
from calm_lab.loading import load_autoencoder, load_model, load_transformer
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.checkpoint import load, resolve, save
from calm_lab.text import Tokenizer
from tests.model import small

MAKERS: dict[str, Callable[[], Any]] = {
    "autoencoder": small.autoencoder,
    "untied autoencoder": lambda: small.autoencoder(tied=False, num_encoder_layers=3, mlp_bias=True),
    "energy": small.calm,
    "flow": lambda: small.calm(head="flow"),
    "diffusion": lambda: small.calm(head="diffusion"),
    "continuous": lambda: small.calm(input="continuous"),
    "both": lambda: small.calm(input="both"),
    "transformer": small.transformer,
    "tied transformer": lambda: small.transformer(tied=True),
}


def same(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    a, b = first.state_dict(), second.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def left_over(folder: Path) -> list[str]:
    """Names beside ``folder`` that a save left behind."""
    return [path.name for path in folder.parent.iterdir() if path != folder and path.name.startswith(".")]


@pytest.mark.parametrize("name", MAKERS)
def test_a_model_comes_back_exactly(name: str, tmp_path: Path) -> None:
    model = MAKERS[name]()
    folder = save(model, tmp_path / "model", {"made": "hëre", "metrics": {"x": 0.5, "y": None}})
    again = load(folder)
    assert type(again) is type(model)
    assert again.config == model.config
    assert same(model, again)
    assert not again.training
    ids = small.rows(model)
    ours, theirs = (m.encode(ids).mean if isinstance(m, Autoencoder) else m.hidden_states(ids) for m in (model, again))
    assert torch.equal(ours, theirs)
    assert checkpoint.read_card(folder) == {"made": "hëre", "metrics": {"x": 0.5, "y": None}}
    assert again.name == str(folder)
    assert left_over(folder) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_weights_are_as_readable_as_the_files_beside_them(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        folder = save(small.calm(), tmp_path / "model", {})
    finally:
        os.umask(before)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.rglob("*") if path.is_file()}
    assert len(modes) >= 3
    assert set(modes.values()) == {"0o644"}, modes


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_halves_the_file_and_comes_back_as_float32(dtype: str, tmp_path: Path) -> None:
    model = small.calm()
    whole, half = save(model, tmp_path / "whole"), save(model, tmp_path / "half", dtype=dtype)
    assert (half / "model.safetensors").stat().st_size < 0.6 * (whole / "model.safetensors").stat().st_size
    again = load(half)
    rounded = {name: t.to(getattr(torch, dtype)).float() for name, t in model.state_dict().items()}
    assert all(torch.equal(tensor, rounded[name]) for name, tensor in again.state_dict().items())
    with pytest.raises(InputError, match="unknown dtype 'int8'"):
        save(model, tmp_path / "bytes", dtype="int8")
    assert not (tmp_path / "bytes").exists()


def test_what_is_trainable_after_loading(tmp_path: Path) -> None:
    """A CALM's autoencoder never is; the rest of a loaded model is what ``trainable`` says."""
    save(small.calm(), tmp_path / "calm")
    save(small.autoencoder(), tmp_path / "autoencoder")
    model = load_model(tmp_path / "calm")
    assert not any(p.requires_grad for p in model.autoencoder.parameters())
    assert all(not name.startswith("autoencoder.") for name in model.trainable())
    assert all(p.requires_grad for p in load_autoencoder(tmp_path / "autoencoder").parameters())


def test_each_door_opens_its_own_kind(tmp_path: Path) -> None:
    save(small.calm(), tmp_path / "calm")
    save(small.transformer(), tmp_path / "transformer")
    assert isinstance(load_model(tmp_path / "calm"), CALM)
    assert same(load_autoencoder(tmp_path / "calm"), small.autoencoder())
    assert load_transformer(tmp_path / "transformer").config == small.transformer().config
    for door, name in ((load_model, "transformer"), (load_autoencoder, "transformer"), (load_transformer, "calm")):
        with pytest.raises(CheckpointError, match=r"is a .*, not a"):
            door(tmp_path / name)
    with pytest.raises(InputError, match="device 'abacus'"):
        load_model(tmp_path / "calm", device="abacus")


def test_the_tokenizer_travels_with_the_autoencoder(tmp_path: Path) -> None:
    tokenizer = Tokenizer.train(["the sea, the sea, the old sea"], 270)
    model = small.calm(vocab_size=tokenizer.vocab_size)
    model.autoencoder.tokenizer = tokenizer
    save(model, tmp_path / "calm")
    assert load_model(tmp_path / "calm").tokenizer == tokenizer
    assert load_model(tmp_path / "calm").tokenizer.encode("the sea") == tokenizer.encode("the sea")  # type: ignore[union-attr]
    smaller = small.autoencoder(vocab_size=100)
    smaller.tokenizer = tokenizer
    save(smaller, tmp_path / "other")
    with pytest.raises(CheckpointError, match=r"the tokenizer has .* entries, the model 100"):
        load(tmp_path / "other")
    (tmp_path / "other" / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        load(tmp_path / "other")


def test_a_calm_can_name_a_bundled_autoencoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "ASSETS", tmp_path / "assets")
    save(small.autoencoder(), tmp_path / "assets" / "our-ae")
    folder = save(small.calm(), tmp_path / "calm", autoencoder="our-ae")
    assert not (folder / "autoencoder").exists()
    assert same(load(folder), small.calm())
    assert load("our-ae").name == "our-ae"
    assert resolve("our-ae") == tmp_path / "assets" / "our-ae"
    shutil.rmtree(tmp_path / "assets")
    with pytest.raises(CheckpointError, match="unknown bundled autoencoder 'our-ae'"):
        load(folder)


def test_the_newest_checkpoint_of_a_run_is_taken(tmp_path: Path) -> None:
    for step in (2, 10, 9):
        save(small.transformer(seed=step), tmp_path / "run" / "checkpoints" / f"step-{step:08d}")
    assert same(load(tmp_path / "run"), small.transformer(seed=10))


# --- replacing


def test_an_old_model_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    save(small.calm(), folder, {"old": True})
    save(small.transformer(), folder)
    assert same(load(folder), small.transformer())
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert left_over(folder) == []
    (tmp_path / "empty").mkdir()
    save(small.transformer(), tmp_path / "empty")


@pytest.mark.skipif(os.name == "nt", reason="Windows refuses by itself what this looks for")
def test_files_are_open_for_writing_when_they_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows flushes no file that is only open for reading, and then nothing could be saved there."""
    import fcntl

    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: flushed.append(fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE))
    save(small.transformer(), tmp_path / "model")
    assert flushed.count(os.O_RDWR) >= 2
    assert os.O_RDONLY not in flushed


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"thesis.tex": "x"}, "files that are no model"),
        ({"config.json": '{"architectures": ["Autoencoder"]}', "pytorch_model.bin": "x"}, "model of other code"),
        ({"config.json": "{", "model.safetensors": "x"}, r"cannot be read as JSON .*; copy it again"),
        ({"config.json": '{"format": 1}', "notes.txt": "x"}, "holds 'notes.txt' besides a model"),
    ],
)
def test_what_is_not_ours_is_never_replaced(files: dict[str, str], words: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    before = snapshot(folder)
    with pytest.raises(CheckpointError, match=words):
        save(small.transformer(), folder)
    assert snapshot(folder) == before
    assert left_over(folder) == []


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for place in (
        tmp_path / "file",
        tmp_path / "file" / "below",
        Path("/proc/nowhere/model"),
        Path("/"),
        Path("nul\0"),
    ):
        with pytest.raises(CheckpointError):
            save(small.transformer(), place)
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)  # tests may run as root, whom no folder refuses
    with pytest.raises(CheckpointError, match=r"cannot be written .*Permission denied"):
        save(small.transformer(), tmp_path / "model")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("Error while serializing: IoError(No space left on device)"),
        RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
    ],
)
def test_a_full_disk_leaves_the_old_model(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save(small.calm(seed=1), tmp_path / "model")
    before = snapshot(folder)

    def fail(*args: object, **kwargs: object) -> None:
        raise error

    with pytest.raises(CheckpointError, match="nothing was overwritten"):
        save(small.calm(seed=2), folder, extra=fail)
    monkeypatch.setattr(checkpoint, "write_tensors", fail)
    for place in (folder, tmp_path / "new"):
        with pytest.raises(CheckpointError, match="nothing was overwritten"):
            save(small.calm(seed=2), place)
    assert snapshot(folder) == before
    assert not (tmp_path / "new").exists()
    assert left_over(folder) == []


def test_a_card_that_is_no_json_data(tmp_path: Path) -> None:
    folder = save(small.transformer(), tmp_path / "model", {"x": 1})
    before = snapshot(folder)
    for card in ({"x": torch.zeros(1)}, {"x": {1, 2}}, {("a", "b"): 1}):
        with pytest.raises(InputError, match=r"card\.json takes JSON data only"):
            save(small.transformer(), folder, card)  # type: ignore[arg-type]
    assert snapshot(folder) == before
    assert left_over(folder) == []


class _KeyboardError(BaseException):
    """What Ctrl-C raises, without Ctrl-C."""


@pytest.mark.parametrize("turn", [0, 1])
def test_an_interrupt_at_either_rename_leaves_the_old_model(
    turn: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save(small.transformer(seed=1), tmp_path / "model")
    before, rename, calls = snapshot(folder), Path.rename, []

    def interrupted(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == turn + 1:
            raise _KeyboardError
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(_KeyboardError):
        save(small.transformer(seed=2), folder)
    assert snapshot(folder) == before
    assert left_over(folder) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process that can be killed")
@pytest.mark.parametrize("turn", [0, 1, 2])
def test_a_process_killed_at_any_rename_loses_nothing(turn: int, tmp_path: Path) -> None:
    """Killed before the first rename, between the two, and right after: a whole model loads, and saving goes on."""
    folder = save(small.transformer(seed=1), tmp_path / "model")
    child = os.fork()
    if child == 0:
        _save_and_die(folder, turn)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert same(load(folder), small.transformer(seed=2 if turn == 2 else 1))
    assert folder.exists() == (turn != 1)
    save(small.transformer(seed=3), folder)
    assert same(load(folder), small.transformer(seed=3))
    assert not [name for name in left_over(folder) if name.endswith(".old")]


def _save_and_die(folder: Path, turn: int) -> None:
    """In a process of its own: save another model, and be killed before rename 0 or 1, or after rename 1."""
    calls, rename = [], Path.rename

    def killed(self: Path, target: Path) -> Path:
        if len(calls) == turn:
            os._exit(9)
        calls.append(target)
        moved = rename(self, target)
        if len(calls) == turn == 2:
            os._exit(9)
        return moved

    try:
        Path.rename = killed  # type: ignore[method-assign]
        save(small.transformer(seed=2), folder)
    finally:
        os._exit(1)


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    save(small.transformer(seed=1), tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    save(small.transformer(seed=2), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert same(load(tmp_path / "real"), small.transformer(seed=2))


def test_a_model_can_be_saved_over_the_file_it_was_loaded_from(tmp_path: Path) -> None:
    """Its parameters are that file, mapped; the file lives on until they are gone."""
    folder = save(small.transformer(), tmp_path / "model")
    model = load(folder)
    with torch.no_grad():
        model.embed.weight.add_(1)
    save(model, folder)
    assert same(load(folder), model)


def test_the_file_is_the_fields_own(tmp_path: Path) -> None:
    """Any reader of safetensors and JSON can use a folder."""
    from safetensors.torch import load_file

    folder = save(small.autoencoder(), tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    assert torch.equal(tensors["encoder.embed.weight"], small.autoencoder().encoder.embed.weight)
    data = json.loads((folder / "config.json").read_text())
    assert (data["format"], data["kind"], data["config"]["chunk_size"]) == (1, "autoencoder", 3)
