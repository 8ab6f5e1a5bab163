"""The handout: every notebook, exercises open, no output, no answer and no way to one."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "notebooks/source").glob("*.py"))


@pytest.fixture(scope="module")
def handout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class") / "handout"
    for _ in range(2):  # the second replaces the first
        done = make(folder)
        assert done.returncode == 0, done.stderr
    return folder


def make(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "notebooks/handout.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_notebook_is_in_it_and_nothing_else(handout: Path) -> None:
    wanted = {"README.md", *(f"{path.stem}.ipynb" for path in SOURCES)}
    assert {path.name for path in handout.iterdir()} == wanted
    with zipfile.ZipFile(handout.with_name("handout.zip")) as archive:
        assert {Path(name).name for name in archive.namelist()} == wanted


@pytest.mark.parametrize("name", [path.stem for path in SOURCES])
def test_exercises_are_open_and_answers_out_of_sight(handout: Path, name: str) -> None:
    cells = json.loads((handout / f"{name}.ipynb").read_text("utf-8"))["cells"]
    assert not any(cell.get("outputs") for cell in cells)
    text = "\n".join("".join(cell["source"]) for cell in cells)
    assert "notebooks/solutions" not in text
    exercises = [cell for cell in cells if any(t.startswith("exercise-") for t in cell["metadata"].get("tags", []))]
    assert exercises
    assert all("return None" in "".join(cell["source"]) for cell in exercises)


def test_the_same_content_gives_the_same_zip(handout: Path, tmp_path: Path) -> None:
    make(tmp_path / "handout")
    assert (tmp_path / "handout.zip").read_bytes() == handout.with_name("handout.zip").read_bytes()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = make(tmp_path)
    assert done.returncode == 2
    assert "thesis.txt" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"
