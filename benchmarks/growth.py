"""``python -m benchmarks.growth``: how time and memory of a training step grow with N, M, K, l, T and V.

Each size is doubled from a base while the others stay. On two logarithmic axes a cost that grows as a power is a line,
and its slope is the power. Writes ``benchmarks/results/growth.json`` and ``growth.png``. One thread, so that the sizes
and not the threads are seen.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.bench import RESULTS
from benchmarks.cases import rows, training
from benchmarks.measure import machine, measure
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.config import AutoencoderConfig, BackboneConfig, CalmConfig, HeadConfig
from calm_lab.toolkit.loss import calm_loss


@dataclass(frozen=True)
class Sweep:
    """One letter.

    Attributes:
        letter: as in the paper.
        what: in words.
        values: sizes, doubled each time.
        power: of the fastest growing term of its formula.
        why: the formula's term.
    """

    letter: str
    what: str
    values: tuple[int, ...]
    power: float
    why: str


SWEEPS = (
    Sweep("N", "samples a position", (2, 4, 8, 16, 32), 2, "N passes of the noise path; N (N - 1) / 2 distances"),
    Sweep("M", "targets a position", (25, 50, 100, 200, 400, 800), 1, "N M distances"),
    Sweep("K", "tokens a chunk, positions fixed", (1, 2, 4, 8, 16), 1, "K embeddings, K token layers of the encoder"),
    Sweep("l", "size of the vector", (16, 32, 64, 128, 256), 1, "N M l multiply-adds"),
    Sweep("T", "tokens a row", (256, 512, 1024, 2048, 4096), 2, "S = T / K positions; S^2 pairs in attention"),
    Sweep("V", "vocabulary, autoencoder", (2048, 4096, 8192, 16384, 32768), 1, "V products a token"),
)
BASE = {"N": 8, "M": 100, "K": 4, "l": 64, "T": 512, "V": 2048}
TINY = {"N": 2, "M": 4, "K": 2, "l": 8, "T": 32, "V": 64}


def measured(letter: str, value: int, tiny: bool = False) -> dict[str, float | int | None]:
    """Seconds and extra MiB of a step with one size changed."""
    sizes = {**(TINY if tiny else BASE), letter: value}
    width = 16 if tiny else 128
    torch.manual_seed(0)
    config = AutoencoderConfig(sizes["V"], sizes["K"], sizes["l"], width, 2 * width)
    autoencoder = Autoencoder(config)
    if letter == "V":
        ids = rows(autoencoder, 2, sizes["T"])
        step = training(lambda: autoencoder.loss(ids).total, list(autoencoder.parameters()), "ours", False)
    else:
        head = HeadConfig(num_blocks=2, noise_size=32, num_samples=sizes["N"], num_targets=sizes["M"])
        backbone = BackboneConfig(width, 3 * width, 2, 2)
        model = CALM(CalmConfig(sizes["V"], sizes["K"], sizes["l"], backbone, head), autoencoder)
        tokens = sizes["T"] * sizes["K"] // (TINY if tiny else BASE)["K"] if letter == "K" else sizes["T"]
        ids = rows(model, 1, tokens)
        step = training(lambda: calm_loss(model, ids).total, list(model.trainable().values()), "ours", False)
    found = measure(step, 1 if tiny else 3)
    return {"value": value, "seconds": found["seconds"], "extra_mib": found["extra_mib"]}


def alone(letter: str, value: int) -> dict[str, float | int | None]:
    """``measured`` in a process of its own: what an earlier size has left behind would hide what this one takes."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return pool.submit(measured, letter, value).result()


def slope(points: list[dict[str, Any]], name: str) -> float | None:
    """The power by which a cost grows over the last doubling."""
    (first, last) = points[-2:]
    if not first[name] or not last[name]:
        return None
    return math.log(last[name] / first[name]) / math.log(last["value"] / first["value"])


def sweep(one: Sweep, tiny: bool = False) -> dict[str, Any]:
    """All points of a letter, and the powers."""
    values = [2, 4] if tiny else one.values
    if tiny and one.letter in ("T", "V"):
        values = [64, 128]
    points = [measured(one.letter, value, tiny) if tiny else alone(one.letter, value) for value in values]
    powers = {name: slope(points, name) for name in ("seconds", "extra_mib")}
    return {"what": one.what, "why": one.why, "power": one.power, "points": points, "slopes": powers}


def table(sweeps: dict[str, dict[str, Any]]) -> str:
    """The powers beside those of the formulas, as Markdown."""
    lines = ["| letter | what | time grows as | memory grows as | at most | since |", "|---|---|---|---|---|---|"]
    for letter, found in sweeps.items():
        powers = [
            "" if value is None else f"{letter}^{value:.2f}"
            for value in (found["slopes"]["seconds"], found["slopes"]["extra_mib"])
        ]
        lines.append(
            f"| {letter} | {found['what']} | {' | '.join(powers)} | {letter}^{found['power']:g} | {found['why']} |"
        )
    return "\n".join(lines)


def draw(sweeps: dict[str, dict[str, Any]], path: Path) -> None:
    """One log-log panel a letter: seconds and MiB."""
    from matplotlib.figure import Figure

    from calm_lab.lab.figures import apply_style
    from calm_lab.lab.palette import palette

    apply_style()
    figure = Figure(figsize=(11, 6), layout="constrained")
    for axes, (letter, found) in zip(figure.subplots(2, 3).flat, sweeps.items(), strict=False):
        values = [point["value"] for point in found["points"]]
        for name, label, color in (
            ("seconds", "seconds", palette().accent),
            ("extra_mib", "extra MiB", palette().sample),
        ):
            axes.loglog(values, [point[name] for point in found["points"]], "o-", label=label, color=color, base=2)
        axes.set(title=f"{letter}: {found['what']}", xlabel=letter)
        axes.legend()
    figure.savefig(path, dpi=100)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all letters, write, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--out", type=Path, default=RESULTS / "growth.json")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    sweeps = {one.letter: sweep(one, options.tiny) for one in SWEEPS}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    result = {"machine": machine(), "date": time.strftime("%Y-%m-%d"), "tiny": options.tiny, "sweeps": sweeps}
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    draw(sweeps, options.out.with_suffix(".png"))
    print(table(sweeps))
    return 0


if __name__ == "__main__":
    sys.exit(main())
