"""Two processes train to the loss of one: same rows, same noise, one writer. The usual launchers start them."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate.utils import DistributedType
from hypothesis import given, settings
from hypothesis import strategies as st

from calm_lab import training
from calm_lab.errors import InputError
from calm_lab.model import checkpoint
from calm_lab.toolkit.share import Share, share_rows
from calm_lab.training import AutoencoderRecipe, CalmRecipe, Recipe, TransformerRecipe
from calm_lab.training.batches import Batches
from tests.training.test_rows import rows

ROOT = Path(__file__).resolve().parents[2]
SET_BY_LAUNCHERS = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}
# Eight rows: two micro-batches of two rows for each of two processes.
SHAPE = {"preset": "tiny", "warmup": 2, "positions": 16, "device": "cpu", "evaluate_every": 0, "rows": 8,
         "accumulate": 2, "steps": 12, "save_every": 6, "optimizer": "adamw"}  # fmt: skip


def launch(launcher: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Start a program in two processes on this machine's CPU."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = {
        "torchrun": ["torch.distributed.run", "--nproc-per-node", "2", "--master-port", port],
        "accelerate": [
            "accelerate.commands.launch",
            "--multi_gpu",
            "--num_processes",
            "2",
            "--main_process_port",
            port,
        ],
    }[launcher]
    env = {name: value for name, value in os.environ.items() if name not in SET_BY_LAUNCHERS}
    env |= {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *command, *words], env=env, capture_output=True, text=True, timeout=500
    )


@pytest.fixture(scope="module")
def recipes(corpus: str, autoencoder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recipe]:
    """Recipes for two processes, by name."""
    out = tmp_path_factory.mktemp("together")
    both = {"corpus": corpus, **SHAPE}
    calm = CalmRecipe(autoencoder=str(autoencoder), samples=2, targets=4, **both)  # type: ignore[arg-type]
    made: dict[str, Recipe] = {
        "energy": replace(calm, ema=0.9),
        "both inputs": replace(calm, input="both", optimizer="muon"),
        "flow": replace(calm, head="flow"),
        "diffusion": replace(calm, head="diffusion"),
        "transformer": TransformerRecipe(tokenizer=str(autoencoder), gradient_checkpointing=True, **both),  # type: ignore[arg-type]
        "autoencoder": AutoencoderRecipe(tokenizer=str(autoencoder), **both),  # type: ignore[arg-type]
    }
    return {name: replace(recipe, out=out / name.replace(" ", "-")) for name, recipe in made.items()}


def follow(recipes: list[Recipe], folder: Path, *words: str) -> None:
    """Train recipes by two processes that ``torchrun`` started."""
    path = folder / "recipes.json"
    rows = [(r.kind, {f.name: getattr(r, f.name) for f in dataclasses.fields(r)}) for r in recipes]
    path.write_text(json.dumps(rows, default=str))
    done = launch("torchrun", str(ROOT / "tests/training/many.py"), str(path), *words)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def together(recipes: dict[str, Recipe], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recipe]:
    """The same, trained by two processes."""
    follow(list(recipes.values()), tmp_path_factory.mktemp("list"))
    return recipes


def metrics(recipe: Recipe) -> list[dict[str, float]]:
    return [json.loads(line) for line in (recipe.folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", ["energy", "both inputs", "flow", "diffusion", "transformer", "autoencoder"])
def test_two_processes_train_as_one(together: dict[str, Recipe], tmp_path: Path, name: str) -> None:
    """Losses, logs and weights within 1e-4 at the same global batch; every line written once."""
    two = together[name]
    one = replace(two, out=tmp_path / "one", gradient_checkpointing=False)
    getattr(training, f"train_{one.kind}")(one)
    mine, theirs = metrics(one), metrics(two)
    assert [line["step"] for line in theirs] == [line["step"] for line in mine] == [6, 10, 12, 12]
    for alone, shared in zip(mine, theirs, strict=True):
        for key in alone.keys() - {"step", "tokens_per_second", "evaluation"}:
            assert shared[key] == pytest.approx(alone[key], rel=1e-4), (key, alone["step"])
    places = [checkpoint.resolve(recipe.folder) for recipe in (one, two)]
    first, second = (checkpoint.read_tensors(place / "model.safetensors") for place in places)
    assert max((first[key] - second[key]).abs().max() for key in first) < 1e-4
    cards = [checkpoint.read_card(place) for place in places]
    assert [card["machine"]["processes"] for card in cards] == [1, 2]
    assert cards[0]["tokens"] == cards[1]["tokens"]
    assert not (two.folder / "lock.json").exists()


@pytest.mark.slow
def test_sharded_weights_train_as_whole_ones_and_go_on_from_them(recipes: dict[str, Recipe], tmp_path: Path) -> None:
    """FSDP by configs/fsdp.yaml: losses, evaluations and checkpoints of one process, also resumed from one's."""
    one = replace(recipes["energy"], out=tmp_path / "one", evaluate_every=6)
    baseline = replace(recipes["transformer"], out=tmp_path / "baseline")
    training.train_calm(one)  # type: ignore[arg-type]
    training.train_transformer(baseline)  # type: ignore[arg-type]
    began = replace(one, out=tmp_path / "began", resume=True)
    shutil.copytree(one.folder, began.folder)
    shutil.rmtree(began.folder / "checkpoints" / "step-00000012")
    whole = replace(one, out=tmp_path / "sharded")
    follow([whole, began, replace(baseline, out=tmp_path / "sharded-baseline")], tmp_path, "--fsdp")
    for mine, theirs in ((one, whole), (one, began), (baseline, replace(baseline, out=tmp_path / "sharded-baseline"))):
        first, second = (checkpoint.resolve(recipe.folder) for recipe in (mine, theirs))
        assert first.name == second.name == "step-00000012"
        tensors, others = (checkpoint.read_tensors(place / "model.safetensors") for place in (first, second))
        assert tensors.keys() == others.keys()
        assert max((tensors[key] - others[key]).abs().max() for key in tensors) < 1e-4
        assert metrics(theirs)[-2]["loss"] == pytest.approx(metrics(mine)[-2]["loss"], rel=1e-4)
        found, wanted = (checkpoint.read_card(place)["metrics"]["accuracy"] for place in (second, first))
        assert found == pytest.approx(wanted, abs=1e-3)


def test_muon_is_refused_where_matrices_are_parted(calm_recipe: CalmRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accelerate.Accelerator.distributed_type", DistributedType.FSDP)
    with pytest.raises(InputError, match="--optimizer adamw"):
        training.train_calm(replace(calm_recipe, optimizer="muon"))


@pytest.mark.slow
def test_accelerate_launch_resumes_what_one_process_began(
    transformer_recipe: TransformerRecipe, tmp_path: Path
) -> None:
    """The command line as a user types it; the resumed run ends where one process would have."""
    one = replace(transformer_recipe, optimizer="adamw", save_every=2)
    training.train_transformer(replace(one, steps=6))
    began = replace(one, out=tmp_path / "two", steps=6)
    with pytest.MonkeyPatch.context() as patch:
        step = training.loop._Run._step  # type: ignore[attr-defined]

        def stopping(self: object, number: int) -> object:
            if number == 3:
                raise KeyboardInterrupt
            return step(self, number)

        patch.setattr(training.loop._Run, "_step", stopping)  # type: ignore[attr-defined]
        with pytest.raises(KeyboardInterrupt):
            training.train_transformer(began)
    words = ["--corpus", one.corpus, "--tokenizer", one.tokenizer, "--out", str(began.folder), "--preset", "tiny"]
    words += ["--warmup", "2", "--rows", "2", "--positions", "32", "--device", "cpu", "--evaluate-every", "0"]
    words += ["--steps", "6", "--save-every", "2", "--optimizer", "adamw", "--resume"]
    done = launch("accelerate", "-m", "calm_lab.cli", "train", "transformer", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("saved ") == 1
    places = [checkpoint.resolve(folder) for folder in (one.folder, began.folder)]
    first, second = (checkpoint.read_tensors(place / "model.safetensors") for place in places)
    assert max((first[key] - second[key]).abs().max() for key in first) < 1e-4


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 6), st.integers(0, 2), st.integers(0, 999))
def test_shares_hold_every_scored_position_once(world: int, each: int, width: int, extra: int, seed: int) -> None:
    """What the ranks score together is what one process scores, and their places number it."""
    scored = torch.rand(world * each, width, generator=torch.Generator().manual_seed(seed)) < 0.7
    length = width + extra
    alone = share_rows(scored, length)
    values = torch.arange(world * each * length).view(-1, length)
    seen = torch.full((alone.total,), -1)
    for rank in range(world):
        share = share_rows(scored, length, rank, world)
        assert share.positions is not None
        places = torch.arange(alone.total) if share.places is None else share.places
        seen[places] = share.rows(values).flatten()[share.positions]
        assert share.total == alone.total
    assert alone.positions is not None
    assert torch.equal(seen, values.flatten()[alone.positions])


def test_a_weighted_mean_over_processes_is_the_mean_of_the_batch() -> None:
    scored = torch.tensor([[1, 1, 1], [1, 0, 0], [0, 1, 1], [0, 0, 1]]).bool()
    values = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    means = []
    for rank in range(2):
        share = share_rows(scored, 3, rank, 2)
        means.append(share.weight * share.rows(values).flatten()[share.positions].mean())
    assert torch.allclose(torch.stack(means).mean(), values[scored].mean())
    plain = torch.stack([values[rank::2][scored[rank::2]].mean() for rank in range(2)]).mean()
    assert not torch.allclose(plain, values[scored].mean()), "without weights it is not"


def test_ranks_part_the_rows_of_a_step_without_overlap_or_loss() -> None:
    source, device = rows(), torch.device("cpu")
    for step in range(6):
        parts = [Batches(source, 8, 2, lambda ids, rank, world: Share(None, None, 0, rank, world), device, rank, 4)
                 for rank in range(4)]  # fmt: skip
        held = torch.cat([ids for part in parts for ids, _ in part.step(step)])
        assert sorted(held.tolist()) == sorted(source.batch(step, 8).tolist())


def test_rows_that_cannot_be_parted_are_refused(calm_recipe: CalmRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accelerate.Accelerator.num_processes", 3)
    with pytest.raises(InputError, match="multiple of accumulate x processes"):
        training.train_calm(replace(calm_recipe, rows=4))
