"""A handout for a class: the notebooks with open exercises, without outputs, without answers, as a folder and a zip.

What: ``handout/NN_name.ipynb`` for every source, and ``handout.zip`` beside the folder. Solutions are neither in it nor
pointed at.
Why: a student should meet an exercise before its answer, and a figure before somebody else's run of it.

    python notebooks/handout.py            # handout/ and handout.zip
    python notebooks/handout.py my/folder  # my/folder/ and my/folder.zip

``make handout`` does the same. How to teach with it: ``docs/teaching.md``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import nbformat
from build import SOURCES, read_source, sources
from nbformat import NotebookNode

POINTER = re.compile(r" The answers are in\n`notebooks/solutions/[\w]+\.py`\.")
EPOCH = (2025, 10, 31, 0, 0, 0)  # the same content, the same zip
README = """# calm_lab: notebooks for the class

    pip install "calm-lab[notebooks]"    # or, in a checkout of the repository: make lab
    jupyter lab

Start with `00_calm_in_one_screen.ipynb`. Exercises are cells that end in `return None`: replace it, run the cell, run
the check below it. On a slow machine set CALM_LAB_FAST=1 before you start: bundled models in place of training.
"""


def open_notebook(source: Path) -> NotebookNode:
    """The notebook of a source without outputs, and without a word of where its answers are."""
    notebook = read_source(source)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = POINTER.sub("", cell.source)
    return notebook


def write_handout(folder: Path) -> list[Path]:
    """Write the folder and ``folder.zip``; an older handout there is replaced.

    Args:
        folder: where; it must be new, empty, or hold an older handout and nothing else.

    Returns:
        The files written, the zip last.

    Raises:
        ValueError: if the folder holds something that is not of a handout.
    """
    names = {"README.md", *(f"{path.stem}.ipynb" for path in sources())}
    if folder.exists():
        foreign = {path.name for path in folder.iterdir()} - names
        if foreign:
            raise ValueError(f"{folder} holds {sorted(foreign)[0]}, which is not of a handout: give another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(README, "utf-8")
    for source in sorted(SOURCES.glob("*.py")):
        nbformat.write(open_notebook(source), folder / f"{source.stem}.ipynb")
    files = sorted(folder.iterdir())
    packed = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(f"{folder.name}/{file.name}", EPOCH), file.read_bytes())
    return [*files, packed]


def main(arguments: list[str] | None = None) -> int:
    """Write the handout named on the command line."""
    parser = argparse.ArgumentParser(description="Notebooks with open exercises, as a folder and a zip.")
    parser.add_argument("folder", nargs="?", default="handout", type=Path, help="where to write; by default handout")
    try:
        *files, packed = write_handout(parser.parse_args(arguments).folder)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(files)} files in {files[0].parent}/, and {packed} ({packed.stat().st_size / 1000:.0f} kB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
