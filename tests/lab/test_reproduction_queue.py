"""The queue can be stopped and started again, shared by several processes, and loses no result that was paid for."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from calm_lab.cli import reproduce
from calm_lab.cli.reproduce import listing, verdicts
from calm_lab.errors import CheckpointError, InputError
from calm_lab.lab.reproduction import runs
from calm_lab.lab.reproduction.cells import SCALES, Scale
from calm_lab.lab.reproduction.grid import Claim, Study, studies
from calm_lab.lab.reproduction.queue import order, select, status, work
from calm_lab.lab.reproduction.results import Store, judge, key
from calm_lab.lab.reproduction.runs import Runner
from calm_lab.training.recipes import CalmRecipe, TransformerRecipe
from calm_lab.training.run_folder import FolderTaken, RunFolder

NANO = SCALES["nano"]


def test_the_queue_takes_each_training_once_and_seed_by_seed() -> None:
    everything = select(NANO, [])
    marks = [(key(cell), seed) for cell, seed in order(everything)]
    assert len(marks) == len(set(marks))
    assert [seed for _, seed in marks] == sorted(seed for _, seed in marks)
    assert {mark for mark in marks if mark[1] == 0} == {(key(c), 0) for s in everything for c in s.cells}
    with pytest.raises(InputError, match="did you mean 'heads'"):
        select(NANO, ["head"])
    with pytest.raises(InputError, match="seeds"):
        select(NANO, ["heads"], 0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scale:
    """A scale of seconds, on a text file."""
    path = tmp_path_factory.mktemp("text") / "tales.jsonl"
    words = ("fox", "hen", "owl", "king", "bell", "gate", "moon", "boat")
    tales = [" ".join(f"The {words[(i * j) % 8]} saw the {words[(i + j) % 8]}." for j in range(40)) for i in range(60)]
    path.write_text("\n".join(json.dumps({"text": tale}) for tale in tales), "utf-8")
    return Scale("tiny", "tiny", str(path), None, None, 4, 6, 2, 64, (64, 128), (32, 64, 128), 2, 4)


def test_runs_leave_results_and_a_second_walk_finds_nothing_to_do(tiny: Scale, tmp_path: Path) -> None:
    study = studies(tiny)["chunk-size"]
    cells = tuple(study.cell(name) for name in ("k4-w64", "k8-w64", "k1-w64", "transformer-w32"))
    few = Study("few", "-", "-", 2, cells, (Claim("-", "k4-w64", "k8-w64", "brier_1"),))
    store = Store(tmp_path / "results")
    asked = frozenset((key(cell), 1) for cell in cells)
    runner, said = Runner(store, tmp_path / "runs", asked), list[str]()
    assert status(few, store).done == 0
    assert math.isnan(status(few, store).left)
    assert work([few], runner, said.append) == 8
    assert work([few], runner, said.append) == 0
    found = status(few, store)
    assert (found.done, found.wanted, found.left) == (8, 8, 0.0)
    for cell in cells:
        data = store.read(cell, 1)
        assert data is not None
        check_result(data, cell.recipe)
        first = store.read(cell, 0)
        assert first is not None
        assert first["extras"] == {}
        assert set(data["extras"]) == {"k1-w64": set(), "transformer-w32": {"softmax"}}.get(cell.name, {"temperature"})
    assert judge(few, few.claims[0], store).difference.count == 2
    assert "8 of 8" in listing([few], store)[1]
    assert "2 pairs" in verdicts([few], store)[1]


def check_result(data: dict[str, Any], recipe: CalmRecipe | TransformerRecipe) -> None:
    assert data["tokens"] == 4 * 2 * 64
    assert data["machine"]["device"] == "cpu"
    assert data["training_flops"] > 0
    assert len(data["curve"]) >= 1
    assert len(data["evaluations"]) == 4
    assert {"brier_lm", "brier_1", "brier_4", "accuracy_1", "collision_4"} <= set(data["metrics"])
    if isinstance(recipe, CalmRecipe):
        assert {"clean", "sigma_0.3", "posterior", "collapsed_coordinates"} <= set(data["metrics"])
    else:
        assert data["metrics"]["cross_entropy"] > 0


def test_what_another_process_is_at_is_passed_over_and_waited_for(tiny: Scale, tmp_path: Path) -> None:
    study = studies(tiny)["chunk-size"]
    cells = [study.cell(name) for name in ("transformer-w32", "transformer-w64")]
    runner = Runner(Store(tmp_path / "results"), tmp_path / "runs")
    held = RunFolder(dataclasses.replace(cells[0].recipe, out=runner.folder / f"{key(cells[0])}-s0"))
    said: list[str] = []

    def tell(line: str) -> None:
        said.append(line)
        if "wrote" in line and "w64" in line:
            held.__exit__(None, None, None)  # the other process ends

    with pytest.raises(FolderTaken, match=f"process {os.getpid()}"), held:
        runner.run(cells[0], 0)
    held.__enter__()
    assert work([Study("two", "-", "-", 1, tuple(cells))], runner, tell, wait=0.01) == 2
    assert [line.split(":")[0] for line in said] == [
        "transformer-w32, seed 0",
        "transformer-w64, seed 0",
        "transformer-w32, seed 0",
    ]
    assert "remove lock.json" in said[0]  # the way out if that process is gone


def test_a_run_is_held_while_it_is_judged(tiny: Scale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes by while a finished training is being judged must not judge it again."""
    cell = studies(tiny)["chunk-size"].cell("transformer-w32")
    runner, seen = Runner(Store(tmp_path / "results"), tmp_path / "runs"), list[str]()
    judged = runs.report_brier

    def looked_at(*args: Any, **more: Any) -> dict[str, Any]:
        with pytest.raises(FolderTaken):
            runner.run(cell, 0)
        seen.append("once")
        return judged(*args, **more)

    monkeypatch.setattr(runs, "report_brier", looked_at)
    assert runner.run(cell, 0) == runner.run(cell, 0)
    assert seen == ["once"]
    assert not list((tmp_path / "results").glob("*.tmp"))


def test_what_was_measured_of_an_autoencoder_is_read_again_and_damage_is_named(tiny: Scale, tmp_path: Path) -> None:
    cell = studies(tiny)["chunk-size"].cell("k4-w64")
    runner = Runner(Store(tmp_path / "results"), tmp_path / "runs")
    trained = runner.autoencoder(cell.autoencoder, 0)
    report = trained.parent.parent / "report.json"
    first = runner.judged(trained)
    report.write_text(json.dumps(first | {"clean": 0.5}), "utf-8")
    assert runner.judged(trained) == first | {"clean": 0.5}
    report.write_text(json.dumps(first)[:-5], "utf-8")
    with pytest.raises(CheckpointError, match=r"report\.json"):
        runner.judged(trained)


def test_a_commit_is_named_only_in_a_checkout_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its checkout, installed into someone else's, outside any, and on a machine without git."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}.items():
        monkeypatch.setenv(name, value)  # signing, hooks and the like are not this test's business
    other = tmp_path / "checkout"
    other.mkdir()
    for words in (
        ["init", "-q"],
        ["-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *words], cwd=other, check=True)
    for folder, committed in ((other, False), (other, True), (tmp_path, False)):
        source = folder / "runs.py"
        source.touch()
        if committed:
            for words in (["add", "runs.py"], ["-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "-m", "y"]):
                subprocess.run(["git", *words], cwd=other, check=True)
        monkeypatch.setattr(runs, "__file__", str(source))
        assert bool(runs.commit()) is committed
    monkeypatch.setattr(runs, "__file__", str(other / "runs.py"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert runs.commit() == ""


def test_results_that_cannot_be_kept_are_refused_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "nano").write_text("", "utf-8")
    with pytest.raises(InputError, match="choose another --results"):
        reproduce.run(["heads", "--results", str(tmp_path), "--runs", str(tmp_path / "runs")])
    assert not (tmp_path / "runs").exists()


def test_a_scale_without_a_tokenizer_asks_for_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--tokenizer"):
        reproduce.run(["heads", "--scale", "S", "--results", str(tmp_path)])


@pytest.mark.parametrize(("codes", "code"), [([0, 0], 0), ([0, 1], 1), ([0, -9], 9), ([-9, 0], 9)])
def test_a_worker_that_is_killed_is_no_success(codes: list[int], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    left = list(codes)

    class Worker:
        def __init__(self, command: list[str], **_: Any):
            assert command[-2:] == ["--jobs", "1"]
            self.code = left.pop()

        def wait(self) -> int:
            return self.code

    monkeypatch.setattr(subprocess, "Popen", Worker)
    assert reproduce.side_by_side(["heads", "--jobs", "2"], 2) == code


def test_a_curve_is_short_and_knows_a_resumed_step_once(tmp_path: Path) -> None:
    lines = [{"step": step, "loss": float(step)} for step in [*range(10, 1010, 10), 990, 1000]]
    (tmp_path / "metrics.jsonl").write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    points = runs.curve(tmp_path)
    assert len(points) <= runs.CURVE_POINTS
    assert points[-1][0] == 1000
    assert [step for step, _ in points] == sorted({step for step, _ in points})
