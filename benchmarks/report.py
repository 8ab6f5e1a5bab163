"""``python -m benchmarks.report``: docs/speed.md from ``benchmarks/results/``; what was not measured is not on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import bench, growth, latency, profile

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "speed.md"
PREFACE = """# Speed and memory

Written by `python -m benchmarks.report` from the files in `benchmarks/results/`, which say on what machine and when.
`make bench` measures everything again. *Plain* is a straightforward formulation of our own on the same weights
(`benchmarks/reference.py`, held against recorded data of the official code): all differences of the energy loss in one
tensor, the head run N times, all logits at once, whole pools decoded and counted in Python, one pass a start position.
A ratio compares two times of one run. Extra memory is the peak of resident memory beyond the start.
"""


def page(results: Path = bench.RESULTS) -> str:
    """The page as Markdown."""
    parts = [PREFACE]
    for name, section in SECTIONS.items():
        path = results / f"{name}.json"
        if path.is_file():
            data = json.loads(path.read_text("utf-8"))
            parts += ["\n".join([*section(data), "", _where(data)])]
    return "\n\n".join(parts) + "\n"


def _where(data: dict[str, Any]) -> str:
    m = data["machine"]
    return (
        f"*{m['processor']}, {m['threads']} thread(s) of {m['cores']} cores, {m['capability']}, torch {m['torch']},"
        f" Python {m['python']}, load {m['load'][0]:g}, {data['date']}.*"
    )


def _speed(data: dict[str, Any]) -> Iterator[str]:
    yield "## Beside a plain formulation\n"
    yield bench.table(data["rows"])
    error = data["rows"].get("energy", {}).get("ours", {}).get("gradient_error")
    if error is not None:
        yield f"\nThe energy loss's gradient differs from float64 by {error:.1e} of its largest entry."
    missed = [row["title"] for row in data["rows"].values() if row["target"] and row["speedup"] < row["target"]]
    yield f"\nTargets of speed that were missed: {'; '.join(missed)}." if missed else "\nNo target of speed was missed."


def _profile(data: dict[str, Any]) -> Iterator[str]:
    yield "## Where a CALM training step goes\n"
    yield "`python -m benchmarks.profile`, float32; seconds by the profiler's share of each kind of operation.\n"
    yield profile.table(data["sides"])


def _growth(data: dict[str, Any]) -> Iterator[str]:
    yield "## How a training step grows\n"
    yield "`python -m benchmarks.growth`: one size doubled at a time; the power over the last doubling.\n"
    yield growth.table(data["sweeps"])
    yield "\n![time and memory against each size, on logarithmic axes](../benchmarks/results/growth.png)"


def _stream(data: dict[str, Any]) -> Iterator[str]:
    yield "## Tokenizing a large corpus\n"
    yield (
        f"`python -m benchmarks.stream --megabytes {data['megabytes']:.0f}`: {data['stories']:,} stories, of which"
        f" {data['documents']:,} train; {data['tokens']:,} tokens in {data['shards']} shards. Resident memory was"
        f" {data['at_a_tenth_mib']:.0f} MiB at a tenth of the tokens and {data['at_the_end_mib']:.0f} MiB at the end,"
        f" at most {data['largest_mib']:.0f} MiB."
    )
    yield "\n![resident memory against tokens on disk](../benchmarks/results/stream.png)"


def _latency(data: dict[str, Any]) -> Iterator[str]:
    yield "## How long the page takes to answer\n"
    yield (
        "`python -m benchmarks.latency`: the app with its bundled models in headless Chromium on the same machine, from"
        " the slider, click or key to the frame that shows the answer.\n"
    )
    yield latency.table(data["rows"])
    over = [row for row in data["rows"] if row["target"] and row["seconds"] > row["target"]]
    missed = [": ".join(part for part in (row["tab"], row["what"]) if part) for row in over]
    yield f"\nOver the target: {'; '.join(missed)}." if missed else "\nEvery median lies within its target."


SECTIONS: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "speed": _speed,
    "profile": _profile,
    "growth": _growth,
    "stream": _stream,
    "latency": _latency,
}


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"wrote {PAGE}")
