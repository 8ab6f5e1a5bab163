"""Every notebook runs from the built wheel, in a folder that holds nothing else: no file of the checkout is needed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling, from the dev extra, builds the wheel without a network")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_fast_from_the_wheel(name: str, site: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", tmp_path)
    notebook = nbformat.read(tmp_path / f"{name}.ipynb", as_version=4)
    where = nbformat.v4.new_code_cell("import calm_lab; print(calm_lab.__file__)")
    notebook.cells.insert(0, where)
    client = NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env={**os.environ, "CALM_LAB_FAST": "1", "CALM_LAB_STILL": "1", "PYTHONPATH": str(site)})
    assert where.outputs[0].text.startswith(str(site))
