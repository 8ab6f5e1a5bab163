"""Training survives: a resumed run equals one that was never stopped, and a folder is never left half-written."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from calm_lab.errors import InputError, TrainingError
from calm_lab.model import checkpoint
from calm_lab.training import CalmRecipe, TransformerRecipe, train_calm, train_transformer
from calm_lab.training.loop import _Run
from calm_lab.training.optimizer import OptimizerKind


def losses(folder: Path) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{"step": line["step"], "loss": line["loss"]} for line in lines if "loss" in line]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return checkpoint.read_tensors(folder / "model.safetensors")


def test_three_trainings_leave_models_that_load(
    autoencoder: Path, calm_recipe: CalmRecipe, transformer_recipe: TransformerRecipe
) -> None:
    card = checkpoint.read_card(autoencoder)
    assert card["recipe"]["kind"] == "autoencoder"
    assert card["steps"] == 30
    assert set(card["metrics"]) >= {"clean", "sigma_0.3", "posterior", "learned_sigma"}
    calm = checkpoint.load(train_calm(calm_recipe))
    assert calm.tokenizer is not None
    assert checkpoint.load(train_transformer(transformer_recipe)).tokenizer == calm.tokenizer
    assert (
        checkpoint.resolve(calm_recipe.folder).name == "step-00000006"
    )  # a run folder stands for its newest checkpoint


@pytest.mark.parametrize(("ema", "optimizer"), [(0.0, "adamw"), (0.9, "muon")])
def test_resumed_run_equals_the_uninterrupted_one_bit_for_bit(
    calm_recipe: CalmRecipe, tmp_path: Path, ema: float, optimizer: OptimizerKind
) -> None:
    whole = train_calm(replace(calm_recipe, ema=ema, optimizer=optimizer))
    stopped = replace(calm_recipe, ema=ema, optimizer=optimizer, out=tmp_path / "stopped")

    class Stop(Exception):
        pass

    step = _Run._step

    def stopping(self: _Run, number: int) -> object:
        if number == 4:  # after the checkpoint of step 3
            raise Stop
        return step(self, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Run, "_step", stopping)
        with pytest.raises(Stop):
            train_calm(stopped)
    resumed = train_calm(replace(stopped, resume=True))
    first, second = weights(whole), weights(resumed)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert losses(calm_recipe.folder)[-1] == losses(stopped.folder)[-1]


def test_ctrl_c_saves_what_is_done(calm_recipe: CalmRecipe) -> None:
    step = _Run._step

    def interrupted(self: _Run, number: int) -> object:
        if number == 2:
            raise KeyboardInterrupt
        return step(self, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Run, "_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_calm(calm_recipe)
    assert checkpoint.resolve(calm_recipe.folder).name == "step-00000002"
    assert not (calm_recipe.folder / "lock.json").exists()


def test_kill_leaves_only_whole_checkpoints(calm_recipe: CalmRecipe) -> None:
    recipe = replace(calm_recipe, steps=100_000, save_every=1, keep=3)
    code = (
        "import pickle, sys; from calm_lab.training import train_calm; "
        "train_calm(pickle.loads(sys.stdin.buffer.read()))"
    )
    import pickle

    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    process.stdin.write(pickle.dumps(recipe))
    process.stdin.close()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(list(recipe.folder.glob("checkpoints/step-*"))) < 2:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    newest = checkpoint.resolve(recipe.folder)
    assert checkpoint.load(newest) is not None
    assert (recipe.folder / "lock.json").exists()  # left by the killed process, and no obstacle
    done = int(newest.name.removeprefix("step-"))
    resumed = train_calm(replace(recipe, resume=True, steps=done + 2))
    assert resumed.name == f"step-{done + 2:08d}"
    assert not list(recipe.folder.glob("checkpoints/.*"))  # what the killed save left is swept away


def test_a_folder_in_use_names_its_holder(calm_recipe: CalmRecipe) -> None:
    calm_recipe.folder.mkdir(parents=True)
    lock = calm_recipe.folder / "lock.json"
    lock.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
    with pytest.raises(TrainingError, match=f"process {os.getpid()} on"):
        train_calm(calm_recipe)
    assert lock.exists()


def test_a_finished_run_is_not_started_over(calm_recipe: CalmRecipe) -> None:
    folder = train_calm(calm_recipe)
    before = weights(folder)
    with pytest.raises(TrainingError, match="--resume"):
        train_calm(calm_recipe)
    with pytest.raises(TrainingError, match=r"lr = 0\.004, not 0\.001"):
        train_calm(replace(calm_recipe, resume=True, lr=0.001))
    assert all(torch.equal(before[name], tensor) for name, tensor in weights(folder).items())


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(calm_recipe: CalmRecipe) -> None:
    step = _Run._step

    def exploding(self: _Run, number: int) -> object:
        loss, logs, count = step(self, number)
        return (loss * float("nan") if number >= 4 else loss), logs, count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Run, "_step", exploding)
        with pytest.raises(TrainingError, match=r"loss is nan at step 6.*step-00000003"):
            train_calm(calm_recipe)
    assert checkpoint.resolve(calm_recipe.folder).name == "step-00000003"


@pytest.mark.parametrize(
    "change",
    [{"steps": 0}, {"lr": 0.0}, {"clip": 0.0}, {"rows": 3, "accumulate": 2}, {"preset": "giant"}, {"warmup": -1}],
)
def test_recipes_refuse_what_cannot_be(change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        CalmRecipe(**change)  # type: ignore[arg-type]


def test_accumulation_is_one_large_batch(transformer_recipe: TransformerRecipe, tmp_path: Path) -> None:
    one = weights(train_transformer(replace(transformer_recipe, rows=4)))
    two = weights(train_transformer(replace(transformer_recipe, rows=4, accumulate=2, out=tmp_path / "two")))
    # Rows hold equally many scored tokens up to padding, so the mean of means differs from the mean by little.
    assert max((one[name] - two[name]).abs().max() for name in one) < 5e-3
