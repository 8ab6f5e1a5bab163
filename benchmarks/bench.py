"""``python -m benchmarks.bench``: every row of the table of speed in one run, each side in a process of its own.

Writes ``benchmarks/results/speed.json`` with the machine's description and prints the table. A figure is a ratio of two
times measured in the same run; nothing is asserted. The sides of a case run one after the other, so that a machine that
grows busy slows both.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.cases import CASES
from benchmarks.measure import machine, matmul_peak, measure

RESULTS = Path(__file__).resolve().parent / "results"


def worker(name: str, side: str, tiny: bool) -> dict[str, Any]:
    """Measure one side of a case in this process."""
    case = CASES[name]
    work = case.make(side, tiny)
    measured = measure(work.run, 1 if tiny else case.repeats)
    measured["rate"] = work.amount / measured["seconds"]
    if work.flops is not None:
        peak = matmul_peak(64 if tiny else 2048, torch.bfloat16 if case.half else torch.float32)
        measured |= {"flops": work.flops, "peak": peak, "share_of_peak": work.flops / measured["seconds"] / peak}
    return measured | work.facts


def apart(name: str, side: str, tiny: bool) -> dict[str, Any]:
    """The same in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.bench", "--worker", name, side, *(["--tiny"] if tiny else [])]
    done = subprocess.run(command, capture_output=True, text=True, cwd=RESULTS.parents[1], check=False)
    if done.returncode:
        raise RuntimeError(f"{name}, {side}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(name: str, tiny: bool = False, isolated: bool = True) -> dict[str, Any]:
    """Both sides of a case, their ratio, and whether the target is met."""
    case, measured = CASES[name], {}
    for side in case.sides:
        measured[side] = (apart if isolated else worker)(name, side, tiny)
    row: dict[str, Any] = {"title": case.title, "unit": case.unit, "target": case.target, "limit": case.limit}
    row |= {"memory_target": case.memory_target, **measured}
    if "plain" in measured:
        plain, ours = measured["plain"], measured["ours"]
        row["speedup"] = plain["seconds"] / ours["seconds"]
        if plain["extra_mib"] and ours["extra_mib"]:
            row["memory_share"] = ours["extra_mib"] / plain["extra_mib"]
    return row


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The rows as Markdown, each beside its target."""
    header = [
        "work",
        "plain",
        "ours",
        "ratio",
        "target",
        "extra memory, plain -> ours",
        "of the matmul peak, plain -> ours",
    ]
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    for row in rows.values():
        plain, ours = row.get("plain"), row["ours"]
        target = f"{row['target']:g}x" if row["target"] else f"{row['limit']:g} s" if row["limit"] else ""
        if row["memory_target"]:
            target += f"; memory {row['memory_target']:.2g}"
        sides = [side for side in (plain, ours) if side is not None]
        memory = " -> ".join(f"{side['extra_mib']:,.0f} MiB" for side in sides if side["extra_mib"] is not None)
        memory += f" ({row['memory_share']:.2f})" if "memory_share" in row else ""
        shares = " -> ".join(f"{side['share_of_peak']:.0%}" for side in sides if "share_of_peak" in side)
        ratio = f"{row['speedup']:.2f}x" if "speedup" in row else _facts(ours)
        cells = [row["title"], _time(plain, row["unit"]), _time(ours, row["unit"]), ratio, target, memory, shares]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _facts(ours: dict[str, Any]) -> str:
    if "physical" in ours:
        return f"{ours['physical']:,.0f} draws for {ours['calls']:,.0f} calls ({ours['physical_per_call']:.2f})"
    return ""


def _time(side: dict[str, Any] | None, unit: str) -> str:
    if side is None:
        return ""
    return f"{side['seconds']:.3g} s ({side['rate']:,.0f} {unit}/s)"


def worth_it() -> list[str]:
    """All cases; without those in bfloat16 where the CPU has no instructions for it: one step takes minutes there."""
    half = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return [name for name, case in CASES.items() if half or not case.half]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=worth_it())
    parser.add_argument("--tiny", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--out", type=Path, default=RESULTS / "speed.json")
    parser.add_argument("--worker", nargs=2, metavar=("CASE", "SIDE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        print(json.dumps(worker(*options.worker, options.tiny)))
        return 0
    began = time.monotonic()
    rows: dict[str, dict[str, Any]] = {}
    for name in options.only:
        rows[name] = compare(name, options.tiny)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    result = {"machine": machine(), "date": time.strftime("%Y-%m-%d"), "tiny": options.tiny, "rows": rows}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
