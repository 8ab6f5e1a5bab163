"""``python -m benchmarks.stream``: resident memory while a large corpus is tokenized to disk.

Writes a file of stories of the wanted size, tokenizes it as a user would (``calm-lab corpora --tokenize``) in a process
of its own, looks at that process's memory twice a second and at the tokens on disk. Writes
``benchmarks/results/stream.json`` and ``stream.png``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.bench import RESULTS
from benchmarks.measure import MIB, machine
from calm_lab.text.shards import Shards
from calm_lab.text.storyland import stories

STORIES = 20_000  # made once; a larger file repeats them


def write_corpus(path: Path, megabytes: float) -> int:
    """Stories as JSON lines up to a size; returns how many."""
    lines = [json.dumps({"text": f"{text} "}) + "\n" for text in stories("train", min(STORIES, int(megabytes * 2000)))]
    written = count = 0
    with path.open("w", encoding="utf-8") as file:
        for line in itertools.cycle(lines):
            file.write(line)
            written, count = written + len(line), count + 1
            if written >= megabytes * 1e6:
                return count
    raise AssertionError("a cycle has no end")


def watched(command: list[str], folder: Path, pause: float = 0.5) -> list[dict[str, float]]:
    """Run a command; its seconds, MiB of resident memory and bytes of tokens on disk, time after time."""
    points = []
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        process = psutil.Process(running.pid)
        while running.poll() is None:
            try:
                held = process.memory_info().rss / MIB
            except psutil.NoSuchProcess:
                break
            if not held:  # it has just ended
                break
            disk = sum(file.stat().st_size for file in folder.glob("train/*tokens*") if file.exists())
            points.append({"seconds": time.monotonic() - began, "mib": held, "token_bytes": disk})
            time.sleep(pause)
    if running.returncode:
        raise RuntimeError(f"{command} ended with {running.returncode}")
    return points


def growth(points: list[dict[str, float]]) -> dict[str, float]:
    """Memory over the run: at the first tenth of the tokens, at the end, and the largest."""
    last = points[-1]["token_bytes"]
    working = [point for point in points if point["token_bytes"] > 0.1 * last]
    return {"at_a_tenth_mib": working[0]["mib"], "at_the_end_mib": working[-1]["mib"],
            "largest_mib": max(point["mib"] for point in points)}  # fmt: skip


def draw(result: dict[str, Any], path: Path) -> None:
    """Memory against the tokens written."""
    from matplotlib.figure import Figure

    from calm_lab.lab.figures import apply_style

    apply_style()
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    points = result["points"]
    axes.plot([p["token_bytes"] / 1e6 for p in points], [p["mib"] for p in points])
    axes.set(xlabel="megabytes of tokens on disk", ylabel="resident MiB", ylim=(0, None))
    axes.set_title(f"tokenizing {result['megabytes']:.0f} MB of text")
    figure.savefig(path, dpi=100)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the corpus, tokenize it, write what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=200.0)
    parser.add_argument("--shard-tokens", type=int, default=2**22)
    parser.add_argument("--out", type=Path, default=RESULTS / "stream.json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        corpus, folder = Path(scratch) / "stories.jsonl", Path(scratch) / "tokens"
        count = write_corpus(corpus, options.megabytes)
        command = [sys.executable, "-m", "calm_lab.cli", "corpora", "--tokenize", str(corpus), "--out", str(folder)]
        points = watched([*command, "--shard-tokens", str(options.shard_tokens)], folder)
        shards = Shards(folder / "train")
        made = {"documents": len(shards), "tokens": shards.tokens, "shards": len(shards.shards)}
    result = {"machine": machine(), "date": time.strftime("%Y-%m-%d"), "megabytes": options.megabytes}
    result |= {"stories": count, "seconds": points[-1]["seconds"], **made, **growth(points), "points": points}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    draw(result, options.out.with_suffix(".png"))
    print({name: value for name, value in result.items() if name not in ("machine", "points")})
    return 0


if __name__ == "__main__":
    sys.exit(main())
