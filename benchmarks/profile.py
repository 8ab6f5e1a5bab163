"""``python -m benchmarks.profile``: where a CALM training step's time goes, in the plain formulation and in ours.

Writes ``benchmarks/results/profile.json``: for both sides the seconds of a step and the share of each kind of work, by
the profiler's own time of every operation.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch.profiler import ProfilerActivity, profile

from benchmarks.bench import RESULTS
from benchmarks.cases import CASES, SIDES
from benchmarks.measure import machine

# Kind of work, by the first of these words that the operation's name holds.
KINDS = {
    "matrix products": ("mm", "matmul", "linear", "mkldnn"),
    "attention": ("attention",),
    "distances": ("cdist", "linalg_vector_norm", "norm_backward", "euclidean"),
    "random numbers": ("normal_", "uniform_", "rand", "bernoulli"),
    "norms": ("layer_norm", "rms_norm"),
    "optimizer": ("adam", "foreach"),
    "sums and copies": ("copy_", "cat", "sum", "index", "clone", "fill_", "zero_", "repeat"),
}
OTHER = "elementwise and other"


def kind(name: str) -> str:
    """What an operation is, for the table."""
    low = name.lower()
    return next((label for label, words in KINDS.items() if any(word in low for word in words)), OTHER)


def profiled(side: str, tiny: bool = False, steps: int = 3) -> dict[str, Any]:
    """Seconds of a step and the share of each kind of work and of the dearest operations."""
    work = CASES["calm"].make(side, tiny)
    work.run()
    start = time.perf_counter()
    for _ in range(steps):
        work.run()
    seconds = (time.perf_counter() - start) / steps
    with profile(activities=[ProfilerActivity.CPU]) as record:
        for _ in range(steps):
            work.run()
    shares: Counter[str] = Counter()
    single: Counter[str] = Counter()
    for event in record.key_averages():
        shares[kind(event.key)] += event.self_cpu_time_total
        single[event.key] += event.self_cpu_time_total
    total = sum(shares.values())
    return {
        "seconds": seconds,
        "shares": {name: value / total for name, value in shares.most_common()},
        "dearest": {name: value / total for name, value in single.most_common(12)},
    }


def table(sides: dict[str, dict[str, Any]]) -> str:
    """Seconds a step of each kind of work, plain and ours, as Markdown."""
    names = sorted({name for side in sides.values() for name in side["shares"]}, key=lambda name: -_cost(sides, name))
    lines = ["| of a CALM training step | plain | ours |", "|---|---|---|"]
    for name in names:
        cells = [f"{side['seconds'] * side['shares'].get(name, 0):.3f} s" for side in sides.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    whole = [f"**{side['seconds']:.3f} s**" for side in sides.values()]
    return "\n".join([*lines, f"| **all** | {' | '.join(whole)} |"])


def _cost(sides: dict[str, dict[str, Any]], name: str) -> float:
    return sum(side["seconds"] * side["shares"].get(name, 0) for side in sides.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Profile both sides, write, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--out", type=Path, default=RESULTS / "profile.json")
    options = parser.parse_args(arguments)
    sides = {side: profiled(side, options.tiny) for side in SIDES}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    result = {"machine": machine(), "date": time.strftime("%Y-%m-%d"), "tiny": options.tiny, "sides": sides}
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(table(sides))
    return 0


if __name__ == "__main__":
    sys.exit(main())
