"""Build the committed notebooks from their sources: run every cell, keep small outputs.

What: ``notebooks/source/NN_name.py`` (jupytext's percent format: plain Python that ruff checks and a review can read)
is the one source of truth. This script turns it into ``notebooks/NN_name.ipynb`` with the outputs of a full run in it.
Why: a notebook edited by hand drifts away from its outputs. ``tests/notebooks`` holds the two files together.

    python notebooks/build.py            # all of them
    python notebooks/build.py 00 05      # those whose names begin so
    python notebooks/build.py --prose 05 # no cell is run: only text and checks of exercises changed, outputs are kept

How long a full run took goes to ``notebooks/times.json``, from which ``notebooks/report.py`` writes docs/notebooks.md.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

FOLDER = Path(__file__).resolve().parent
SOURCES = FOLDER / "source"
SOLUTIONS = FOLDER / "solutions"
TIMES = "times.json"
FAST = {"CALM_LAB_FAST": "1", "CALM_LAB_STILL": "1"}
FULL = {"CALM_LAB_FAST": "", "CALM_LAB_STILL": "1"}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def sources(prefixes: list[str] | None = None) -> list[Path]:
    """The sources whose names begin with one of ``prefixes``; all of them for none."""
    found = sorted(SOURCES.glob("*.py"))
    return [path for path in found if not prefixes or path.name.startswith(tuple(prefixes))]


def read_source(path: Path) -> NotebookNode:
    """A source as a notebook without outputs: the same file always gives the same notebook, cell ids included."""
    notebook = jupytext.read(path, fmt="py:percent")
    notebook.metadata = NotebookNode(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for index, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        cell.metadata = NotebookNode({"tags": tags} if tags else {})
        cell.id = f"cell-{index:02d}"
    return notebook


def solved(notebook: NotebookNode, solutions: Path) -> NotebookNode:
    """The notebook with the answers of a solutions file in place of its open exercises (cells of the same tag)."""
    answers = {tag: cell.source for cell in read_source(solutions).cells for tag in cell.metadata.get("tags", [])}
    for cell in notebook.cells:
        for tag in cell.metadata.get("tags", []):
            cell.source = answers.pop(tag, cell.source)
    if answers:
        raise ValueError(f"{solutions.name} answers {sorted(answers)}, which the notebook does not ask")
    return notebook


def execute(notebook: NotebookNode, environment: Mapping[str, str] | None = None, timeout: int = 1800) -> NotebookNode:
    """Run every cell in a fresh kernel, in the notebooks' folder.

    Args:
        notebook: changed in place.
        environment: variables to set or, where empty, to unset for the kernel.
        timeout: seconds a cell may take, generous for a busy machine.

    Raises:
        CellExecutionError: from nbclient, if a cell fails.
    """
    wanted = dict(os.environ)
    for name, value in (environment or {}).items():
        wanted.pop(name, None)
        if value:
            wanted[name] = value
    here = {"metadata": {"path": str(FOLDER)}}
    client = NotebookClient(notebook, timeout=timeout, record_timing=False, resources=here)
    client.execute(env=wanted)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _tidy(cell.outputs)
    notebook.metadata = NotebookNode(METADATA)
    return notebook


def _tidy(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join the pieces in which a cell's text arrived, and leave out a figure's ``<Figure size ...>``."""
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1].text += output.text
            continue
        data = output.get("data", {})
        if "image/png" in data:
            data.pop("text/plain", None)
            data["image/png"] = _smaller(data["image/png"])
        if "metadata" in output:
            output.metadata = NotebookNode()  # the size of a picture is in the picture
        kept.append(output)
    return kept


def _smaller(png: str) -> str:
    """A base64 PNG redrawn with a palette of its own 64 colours: a figure needs no more, and a third of the bytes."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    packed = io.BytesIO()
    picture.quantize(64, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()


def write(notebook: NotebookNode, source: Path) -> Path:
    """Write the notebook of a source in one move: a failure leaves the old one as it was."""
    target = FOLDER / f"{source.stem}.ipynb"
    nbformat.validate(notebook)
    part = target.with_suffix(".part")
    nbformat.write(notebook, part)
    part.replace(target)
    return target


def build(source: Path) -> Path:
    """Run one source in full and write its notebook.

    Returns:
        The notebook written.
    """
    quiet = "ignore:IProgress not found"  # what tqdm says where there are no widgets, with a path of this machine
    return write(execute(read_source(source), {**FULL, "PYTHONWARNINGS": quiet}), source)


def reword(source: Path) -> Path:
    """Write the notebook of a source with the outputs that it has, for changes of prose and of exercises' checks.

    A check says no more than that its exercise is open, whatever it would ask of an answer.

    Returns:
        The notebook written.

    Raises:
        ValueError: if a code cell is not the one whose output is there; the notebook has to be built then.
    """
    old = nbformat.read(FOLDER / f"{source.stem}.ipynb", as_version=4)
    ran = [cell for cell in old.cells if cell.cell_type == "code"]
    notebook = read_source(source)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [_told(cell) for cell in cells] != [_told(cell) for cell in ran]:
        raise ValueError(f"{source.name}: code has changed; run python notebooks/build.py {source.name[:2]}")
    for cell, before in zip(cells, ran, strict=True):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count
    return write(notebook, source)


def _told(cell: NotebookNode) -> str:
    """The part of a code cell that its output hangs on."""
    tags = cell.metadata.get("tags", [])
    return ", ".join(tags) if any(tag.startswith("check-") for tag in tags) else cell.source


def read_times() -> dict[str, Any]:
    """How long runs took, by notebook and mode, as ``note_time`` kept it."""
    path = FOLDER / TIMES
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def note_time(name: str, mode: str, seconds: float) -> None:
    """Keep how long a run of notebook ``name`` took; ``mode`` is fast or full."""
    times = read_times()
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None  # Windows has none
    found = {"seconds": round(seconds), "cores": os.cpu_count(), "load": load, "date": f"{date.today()}"}
    times.setdefault(name, {})[mode] = found
    (FOLDER / TIMES).write_text(json.dumps(times, indent=1, sort_keys=True) + "\n", "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Build the notebooks named on the command line."""
    parser = argparse.ArgumentParser(description="Run notebooks in full and write their outputs.")
    parser.add_argument("prefix", nargs="*", help="how the names begin, 00 for instance; all of them by default")
    parser.add_argument("--prose", action="store_true", help="keep the outputs; no code may have changed")
    options = parser.parse_args(arguments)
    chosen = sources(options.prefix)
    if not chosen:
        print(f"no such notebook: choose from {', '.join(path.stem for path in sources())}", file=sys.stderr)
        return 2
    for source in chosen:
        began = time.perf_counter()
        target = reword(source) if options.prose else build(source)
        seconds = time.perf_counter() - began
        if not options.prose:
            note_time(source.stem, "full", seconds)
        print(f"{target.name}: {seconds:.0f} s, {target.stat().st_size / 1000:.0f} kB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
