"""Training survives: kills, a full disk, a folder that cannot be written, a clock set back, a rival, a wild loss."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from calm_lab.errors import CalmLabError, TrainingError
from calm_lab.model import checkpoint
from calm_lab.training import CalmRecipe, TransformerRecipe, train_calm, train_transformer
from calm_lab.training.loop import _Run
from calm_lab.training.recipes import Recipe
from calm_lab.training.run_folder import RunFolder
from tests.torture.kill import SMALL, _start, recipes, same
from tests.torture.watchman import ROOT

NOBODY = 65534


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> tuple[CalmRecipe, TransformerRecipe]:
    """Recipes over one small autoencoder."""
    calm, _, transformer = recipes(tmp_path_factory.mktemp("ready"))
    assert isinstance(calm, CalmRecipe)
    assert isinstance(transformer, TransformerRecipe)
    return replace(calm, steps=12, keep=1), replace(transformer, steps=12, keep=1)


@pytest.mark.timeout(900)
def test_nothing_is_lost_by_kills(tmp_path: Path) -> None:
    """The same harness as ``make torture`` with six kills, at least one of them in saving."""
    tally = tmp_path / "tally.json"
    command = [sys.executable, "-m", "tests.torture.kill", "--kills", "6", "--json", str(tally)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    read = json.loads(tally.read_text())
    assert sum(read["kills"].values()) == 6
    assert read["in_saving"] >= 1
    assert read["steps"] >= 3 * SMALL["steps"]


def in_child(work: Callable[[], object]) -> str:
    """Run ``work`` in a child; what it raised, as ``Type: message``, or nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode()[:4000])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB; where mounting is not allowed, the test is skipped and the limit on files stands in."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("no right to mount a small disk; the test with a limit on the size of files stands in")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_stops_the_run_and_keeps_the_last_checkpoint(
    ready: tuple[CalmRecipe, TransformerRecipe], small_disk: Path
) -> None:
    """The checkpoint of step 3 fits; then the disk fills up, until what can still be written is a part of the next."""
    recipe = replace(ready[0], out=small_disk / "run")
    train_calm(replace(recipe, steps=3))
    kept = RunFolder(recipe).newest()
    assert kept is not None
    before = RunFolder(recipe).load_state(kept)
    room = os.statvfs(small_disk)
    filler = small_disk / "filler"
    for left in (200_000, 20_000, 0):
        filler.write_bytes(bytes(max(0, os.statvfs(small_disk).f_bavail * room.f_bsize + _size(filler) - left)))
        said = in_child(lambda: train_calm(replace(recipe, resume=True)))
        assert said.startswith(("TrainingError: ", "CheckpointError: ")), said
        assert "No space left" in said or "KiB left on this disk" in said, said
        assert "\n" not in said
        assert RunFolder(recipe).newest() == kept
        assert same(RunFolder(recipe).load_state(kept), before)
        assert not (recipe.folder / "lock.json").exists()
    filler.unlink()
    assert train_calm(replace(recipe, resume=True)).name == "step-00000012"
    lines = (recipe.folder / "metrics.jsonl").read_text().splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def test_a_limit_on_the_size_of_files_is_no_different(
    ready: tuple[CalmRecipe, TransformerRecipe], tmp_path: Path
) -> None:
    recipe = replace(ready[1], out=tmp_path / "run")
    train_transformer(replace(recipe, steps=3))
    kept = RunFolder(recipe).newest()
    assert kept is not None

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        train_transformer(replace(recipe, resume=True))

    said = in_child(limited)
    assert re.match(r"(Training|Checkpoint)Error: .*cannot be written", said), said
    assert RunFolder(recipe).newest() == kept
    assert train_transformer(replace(recipe, resume=True)).name == "step-00000012"


def test_a_folder_that_cannot_be_written_is_one_line(
    ready: tuple[CalmRecipe, TransformerRecipe],
) -> None:
    reached = Path(tempfile.mkdtemp(prefix="calm_lab-closed-"))  # nobody may enter pytest's own folders
    reached.chmod(0o711)
    closed = reached / "closed"
    closed.mkdir(mode=0o555)
    closed.chmod(0o555)

    def as_nobody() -> None:
        if os.geteuid() == 0:  # who may write everywhere
            os.setgroups([])
            os.setuid(NOBODY)
        with RunFolder(replace(ready[1], out=closed / "run")):
            raise AssertionError("the folder was written")

    try:
        said = in_child(as_nobody)
    finally:
        found = list(closed.iterdir())
        closed.chmod(0o755)
        shutil.rmtree(reached)
    assert re.fullmatch(r"TrainingError: .*cannot be written \(Permission denied\); choose another --out", said), said
    assert found == []


def test_a_clock_set_back_changes_nothing(ready: tuple[CalmRecipe, TransformerRecipe], tmp_path: Path) -> None:
    """Every look at the clock shows an earlier time, and every new checkpoint bears an older date than the last."""
    straight = replace(ready[1], out=tmp_path / "straight")
    train_transformer(straight)
    recipe = replace(ready[1], keep=3, out=tmp_path / "back")
    now = time.time()

    def backwards() -> float:
        nonlocal now
        now -= 3600.0
        return now

    save = _Run.save

    def dated(self: _Run) -> Path:
        place = save(self)
        os.utime(place, (backwards(), now))
        return place

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", backwards)
        patch.setattr(_Run, "save", dated)
        train_transformer(replace(recipe, steps=6))
        last = train_transformer(replace(recipe, resume=True))
    assert last == RunFolder(recipe).newest()
    assert last.name == "step-00000012"
    schedule = replace(recipe, out=tmp_path / "straight-6")  # the same two pieces under a straight clock
    train_transformer(replace(schedule, steps=6))
    other = train_transformer(replace(schedule, resume=True))
    assert (last / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()


def test_a_rival_is_told_who_trains_here(ready: tuple[CalmRecipe, TransformerRecipe], tmp_path: Path) -> None:
    recipe: Recipe = replace(ready[1], out=tmp_path / "run", steps=100_000)
    child = _start(recipe, tmp_path, "first")
    try:
        deadline = time.monotonic() + 120
        while RunFolder(recipe).newest() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        for resume in (False, True):
            with pytest.raises(
                TrainingError, match=f"process {child} on {re.escape(socket.gethostname())} trains here"
            ):
                train_transformer(replace(recipe, resume=resume))  # type: ignore[arg-type]
        assert json.loads((recipe.folder / "lock.json").read_text())["pid"] == child
        assert os.waitpid(child, os.WNOHANG) == (0, 0)  # and the first goes on
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    newest = RunFolder(recipe).newest()
    assert newest is not None
    assert checkpoint.load(newest) is not None


def test_two_that_find_a_dead_lock_do_not_both_take_it(
    ready: tuple[CalmRecipe, TransformerRecipe], tmp_path: Path
) -> None:
    """Ten processes at once, five times: exactly one gets in."""
    recipe = replace(ready[1], out=tmp_path / "run")
    recipe.folder.mkdir()
    for _ in range(5):
        (recipe.folder / "lock.json").write_text(json.dumps({"pid": 2**30, "host": socket.gethostname()}))
        start, said = os.pipe(), os.pipe()
        children = []
        for _ in range(10):
            child = os.fork()
            if child == 0:
                try:
                    os.close(start[1])
                    os.read(start[0], 1)  # all begin when the pipe is closed
                    with RunFolder(recipe):
                        os.write(said[1], b"in")
                        time.sleep(1.0)
                except TrainingError:
                    os.write(said[1], b"no")
                finally:
                    os._exit(0)
            children.append(child)
        os.close(start[0])
        os.close(start[1])
        for child in children:
            os.waitpid(child, 0)
        answers = os.read(said[0], 100).decode()
        os.close(said[0])
        os.close(said[1])
        assert sorted(re.findall("..", answers)) == ["in"] + ["no"] * 9
        (recipe.folder / "recipe.json").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("factor", "words"), [(1e6, r"the loss is \S+ at step 5"), (float("inf"), "the loss is inf at step 5")]
)
def test_a_loss_that_explodes_says_at_which_step_and_what_to_try(
    ready: tuple[CalmRecipe, TransformerRecipe], tmp_path: Path, factor: float, words: str
) -> None:
    step = _Run._step

    def exploding(self: _Run, number: int) -> object:
        loss, logs, count = step(self, number)
        return (loss * factor if number >= 4 else loss), logs, count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Run, "_step", exploding)
        with pytest.raises(TrainingError, match=words + r".*step-00000003; try a lower --lr"):
            train_transformer(replace(ready[1], out=tmp_path / "run"))
    assert checkpoint.load(tmp_path / "run") is not None


def test_weights_that_are_not_finite_are_never_saved(
    ready: tuple[CalmRecipe, TransformerRecipe], tmp_path: Path
) -> None:
    """The step before a checkpoint ruins a weight; its own loss was still good, so only the weights can tell."""
    step = _Run._step

    def ruining(self: _Run, number: int) -> object:
        result = step(self, number)
        if number == 5:
            with torch.no_grad():
                next(p for p in self.job.model.parameters() if p.requires_grad).view(-1)[0] = torch.nan
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Run, "_step", ruining)
        with pytest.raises(CalmLabError, match=r"step 6 made weights that are not finite.*step-00000003"):
            train_transformer(replace(ready[1], out=tmp_path / "run"))
    kept = RunFolder(replace(ready[1], out=tmp_path / "run")).newest()
    assert kept is not None
    assert kept.name == "step-00000003"


def test_the_harness_notices_a_difference() -> None:
    """Equality to the last bit is what ``same`` says it is."""
    state = {"a": [torch.ones(2), 1.0], "b": {"c": (1, 2)}}
    assert same(state, {"a": [torch.ones(2), 1.0], "b": {"c": (1, 2)}})
    assert not same(state, {"a": [torch.tensor([1.0, 1.0 + 2**-23]), 1.0], "b": {"c": (1, 2)}})
    assert not same(state, {"a": [torch.ones(2), 1.0]})
    assert not same(state, {"a": [torch.ones(2)], "b": {"c": (1, 2)}})
