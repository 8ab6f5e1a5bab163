"""Training survives: a resumed run equals one that was never stopped, and a folder is never left half-written."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from calm_lab import training
from calm_lab.errors import CheckpointError, CorpusError, InputError, TrainingError
from calm_lab.model import checkpoint
from calm_lab.training import (
    AutoencoderRecipe,
    CalmRecipe,
    TransformerRecipe,
    train_autoencoder,
    train_calm,
    train_transformer,
)
from calm_lab.training.loop import _Run, noise_seed
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


def test_a_training_can_start_from_a_trained_model(calm_recipe: CalmRecipe, autoencoder: Path, tmp_path: Path) -> None:
    """It starts from those weights, and refuses what they do not fit."""
    first = train_calm(calm_recipe)
    still = replace(calm_recipe, start=str(first), out=tmp_path / "still", lr=1e-12, weight_decay=0.0, seed=5)
    before, after = weights(first), weights(train_calm(still))
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)
    with pytest.raises(CheckpointError, match="not a CALM"):
        train_calm(replace(calm_recipe, start=str(autoencoder), out=tmp_path / "a"))
    with pytest.raises(CheckpointError, match="its layers differ"):
        train_calm(replace(calm_recipe, start=str(first), blocks=1, layers=1, out=tmp_path / "b"))
    other = train_autoencoder(
        AutoencoderRecipe(corpus=calm_recipe.corpus, steps=1, preset="tiny", device="cpu", out=tmp_path / "ae", seed=3)
    )
    with pytest.raises(CheckpointError, match="another autoencoder"):
        train_calm(replace(calm_recipe, start=str(first), autoencoder=str(other), out=tmp_path / "c"))


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


@pytest.fixture
def ctrl_c_counts() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, also in a test worker that was started with the signal ignored."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("ctrl_c_counts")
def test_ctrl_c_inside_a_step_waits_for_its_end_and_the_resumed_run_is_the_same(
    calm_recipe: CalmRecipe, tmp_path: Path
) -> None:
    whole = train_calm(calm_recipe)
    stopped = replace(calm_recipe, out=tmp_path / "stopped")
    backward = Accelerator.backward
    calls = []

    def signalled(self: Accelerator, *args: object) -> None:
        backward(self, *args)
        calls.append(None)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)  # gradients are there, the weights have not moved

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Accelerator, "backward", signalled)
        with pytest.raises(KeyboardInterrupt):
            train_calm(stopped)
    assert checkpoint.resolve(stopped.folder).name == "step-00000002"
    assert checkpoint.read_card(checkpoint.resolve(stopped.folder))["seconds"] > 0
    first, second = weights(whole), weights(train_calm(replace(stopped, resume=True)))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_ctrl_c_during_an_evaluation_does_not_take_the_average_for_the_weights(
    calm_recipe: CalmRecipe, tmp_path: Path
) -> None:
    recipe = replace(calm_recipe, ema=0.9, evaluate_every=4, save_every=0)
    whole = train_calm(recipe)
    stopped = replace(recipe, out=tmp_path / "stopped")

    def interrupted(*args: object) -> object:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.train, "evaluate_calm", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_calm(stopped)
    first, second = weights(whole), weights(train_calm(replace(stopped, resume=True)))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_that_never_began_leaves_nothing_behind(calm_recipe: CalmRecipe, tmp_path: Path) -> None:
    with pytest.raises(CorpusError):
        train_calm(replace(calm_recipe, corpus=str(tmp_path / "none.txt"), out=tmp_path / "deep" / "run"))
    assert not (tmp_path / "deep" / "run").exists()


@pytest.mark.parametrize("name", ["recipe.json", "metrics.jsonl", "lock.json"])
def test_files_of_someone_else_are_not_touched(calm_recipe: CalmRecipe, name: str) -> None:
    calm_recipe.folder.mkdir(parents=True)
    (calm_recipe.folder / name).write_text('{"title": "Apple pie"}\n')
    for resume in (False, True):
        with pytest.raises(TrainingError, match="choose another --out"):
            train_calm(replace(calm_recipe, resume=resume))
    assert {path.name: path.read_text() for path in calm_recipe.folder.iterdir()} == {name: '{"title": "Apple pie"}\n'}


@pytest.mark.parametrize("damaged", [b"", b'{"kind": "ca', b"\xff\xfe\x00", b"[]"])
def test_a_damaged_recipe_is_one_line(calm_recipe: CalmRecipe, damaged: bytes) -> None:
    train_calm(calm_recipe)
    (calm_recipe.folder / "recipe.json").write_bytes(damaged)
    with pytest.raises(TrainingError, match=r"recipe\.json.*choose another --out"):
        train_calm(replace(calm_recipe, resume=True, steps=8))
    assert (calm_recipe.folder / "recipe.json").read_bytes() == damaged


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
        with pytest.raises(TrainingError, match=r"loss is nan at step 5.*step-00000003"):
            train_calm(calm_recipe)
    assert checkpoint.resolve(calm_recipe.folder).name == "step-00000003"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"steps": 0}, "steps"),
        ({"lr": 0.0}, "lr"),
        ({"clip": 0.0}, "clip"),
        ({"clip": math.nan}, "clip"),
        ({"weight_decay": math.nan}, "weight_decay"),
        ({"rows": 3, "accumulate": 2}, "accumulate"),
        ({"preset": "giant"}, "preset"),
        ({"warmup": -1}, "warmup"),
        ({"documents": 0}, "documents"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"ema": 1.0}, "ema"),
        ({"ema": -0.1}, "ema"),
        ({"layers": 0}, "layers"),
        ({"noise_size": 0}, "noise_size"),
    ],
)
def test_recipes_refuse_what_cannot_be(change: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        CalmRecipe(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"latent_size": 0}, "latent_size"),
        ({"vocab_size": 0}, "vocab_size"),
        ({"random_tokens": 1.5}, "random_tokens"),
        ({"random_tokens": math.nan}, "random_tokens"),
    ],
)
def test_autoencoder_recipes_refuse_what_cannot_be(change: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        AutoencoderRecipe(**change)  # type: ignore[arg-type]


def test_a_date_will_do_as_a_seed_and_no_two_seeds_share_their_noise(transformer_recipe: TransformerRecipe) -> None:
    assert train_transformer(replace(transformer_recipe, seed=20251127)).is_dir()
    seeds = [*range(300), 2**23 - 1, 2**23, 2**24 - 1, 2**24, 2**24 + 1, 20251127, 2**62, 2**63 - 1]
    assert len({noise_seed(seed, 7) for seed in seeds}) == len(seeds)
    assert all(0 <= noise_seed(seed, step) < 2**64 for seed in seeds for step in (0, 10**9))
    assert noise_seed(0, 5) == 2**40 + 5  # the runs behind the bundled models began so


def test_accumulation_is_one_large_batch(transformer_recipe: TransformerRecipe, tmp_path: Path) -> None:
    one = weights(train_transformer(replace(transformer_recipe, rows=4)))
    two = weights(train_transformer(replace(transformer_recipe, rows=4, accumulate=2, out=tmp_path / "two")))
    # Rows hold equally many scored tokens up to padding, so the mean of means differs from the mean by little.
    assert max((one[name] - two[name]).abs().max() for name in one) < 5e-3
