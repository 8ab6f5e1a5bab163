"""Write docs/notebooks.md: how long each notebook takes, how large it is, and every claim it asserts.

    python notebooks/report.py           # from the committed notebooks and notebooks/times.json
    python notebooks/report.py --fast    # first run all of them with CALM_LAB_FAST=1 and note the times

Claims are read from what the last cell of each notebook printed when it was built.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import build
import nbformat

PAGE = build.FOLDER.parent / "docs" / "notebooks.md"
CLAIM = re.compile(r"^(?P<text>\S.*?)\s+(?P<value>\S+)\s+in \[(?P<low>\S+), (?P<high>\S+)\]$")

PREFACE = """# The notebooks: time, size, claims

Written by `python notebooks/report.py` from the committed notebooks. *Full* trains everything in the notebook, *fast*
(`CALM_LAB_FAST=1`) loads bundled models or trains shorter, and asserts the same claims. Seconds are wall time, kernel
start included; a load above the number of cores means that the machine had other work.
"""


@dataclass(frozen=True)
class Claim:
    """A number that a notebook asserts.

    Attributes:
        text: what it is.
        value: what was found when the notebook was built, as printed.
        low: the smallest value that passes.
        high: the largest.
    """

    text: str
    value: str
    low: str
    high: str


def claims(name: str) -> list[Claim]:
    """What the last cell of the committed notebook ``name`` printed, claim by claim."""
    notebook = nbformat.read(build.FOLDER / f"{name}.ipynb", as_version=4)
    last = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    lines = "".join(output.get("text", "") for output in last.outputs).splitlines()
    return [Claim(**found.groupdict()) for line in lines if (found := CLAIM.match(line))]


def page() -> str:
    """docs/notebooks.md."""
    return "\n".join([PREFACE, *_table(), "", *_claims()])


def _table() -> Iterator[str]:
    times = build.read_times()
    yield "| notebook | full, s | load | fast, s | load | kB | claims |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for source in build.sources():
        name = source.stem
        cells = [str(times.get(name, {}).get(mode, {}).get(key, "")) for mode in ("full", "fast") for key in _TIMED]
        size = round((build.FOLDER / f"{name}.ipynb").stat().st_size / 1000)
        yield f"| [{name}](../notebooks/{name}.ipynb) | {' | '.join(cells)} | {size} | {len(claims(name))} |"


_TIMED = ("seconds", "load")


def _claims() -> Iterator[str]:
    yield "## What they assert\n"
    for source in build.sources():
        yield f"### {source.stem}\n"
        yield "| claim | found | must lie in |"
        yield "|---|--:|---|"
        for claim in claims(source.stem):
            text = claim.text.replace("|", "\\|")
            yield f"| {text} | {claim.value} | {claim.low} to {claim.high} |"
        yield ""


def main(arguments: list[str] | None = None) -> int:
    """Write the page, after timing the fast runs if asked to."""
    parser = argparse.ArgumentParser(description="Write docs/notebooks.md.")
    parser.add_argument(
        "--fast", action="store_true", help="run every notebook with CALM_LAB_FAST=1 and note the times"
    )
    parser.add_argument("prefix", nargs="*", help="with --fast: how the names begin; all of them by default")
    options = parser.parse_args(arguments)
    if options.prefix and not options.fast:
        parser.error("a beginning of names goes with --fast")
    for source in build.sources(options.prefix) if options.fast else []:
        began = time.perf_counter()
        build.execute(build.read_source(source), build.FAST)
        build.note_time(source.stem, "fast", time.perf_counter() - began)
    PAGE.write_text(page(), "utf-8")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
