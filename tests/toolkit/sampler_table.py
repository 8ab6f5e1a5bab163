"""The exact sampler against its theory: one row for each law and temperature.

``python -m tests.toolkit.sampler_table`` prints the table at 10^6 accepted samples a row. Every row but one takes
seconds to a minute; the Zipf law at T = 0.15 costs 20,000 calls a sample, and so half an hour. ``--count 20000`` is a
quick look. test_exact.py holds the same rows to their bounds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from calm_lab.toolkit.exact_batch import BatchExactSample
from calm_lab.toolkit.exact_many import sample_many
from calm_lab.toolkit.laws import expected_calls, tempered

THREE = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
ZIPF = 1 / torch.arange(1, 17, dtype=torch.float64)
ZIPF = ZIPF / ZIPF.sum()
LAWS = {"three": THREE, "zipf": ZIPF}
TEMPERATURES = (0.15, 0.3, 0.4, 0.5, 0.7, 0.9)
NEARBY = 0.05  # a law this far in temperature must be told apart
CALLS_AT_ONCE = 1 << 30  # of the samples that are drawn together, so that a long row can be watched


@dataclass(frozen=True)
class Row:
    """One law at one temperature.

    Attributes:
        law: its name in ``LAWS``.
        temperature: T.
        count: accepted samples.
        calls: mean calls charged to a sample.
        calls_error: standard error of that mean.
        theory: mean calls by Theorem 2.
        physical: mean draws really made for a sample.
        p: chi-square p-value against the law at T.
        p_below: the same against the law at T - 0.05.
        p_above: the same against the law at T + 0.05.
        seconds: wall-clock time of all samples.
    """

    law: str
    temperature: float
    count: int
    calls: float
    calls_error: float
    theory: float
    physical: float
    p: float
    p_below: float
    p_above: float
    seconds: float

    @property
    def ratio(self) -> float:
        """Calls measured over Theorem 2."""
        return self.calls / self.theory


def p_value(observed: Tensor, law: Tensor) -> float:
    """Chi-square of counts against a law; outcomes expected fewer than 5 times are taken together."""
    expected = law.numpy() * int(observed.sum())
    seen = observed.numpy().astype(float)
    rare = expected < 5
    if rare.any():
        seen, expected = np.append(seen[~rare], seen[rare].sum()), np.append(expected[~rare], expected[rare].sum())
        if expected[-1] < 1:  # too few for a cell of its own
            seen, expected = np.append(seen[:-2], seen[-2:].sum()), np.append(expected[:-2], expected[-2:].sum())
    return float(stats.chisquare(seen, expected).pvalue)


def measure(name: str, temperature: float, count: int, seed: int) -> Row:
    """Draw ``count`` samples of ``LAWS[name]`` at a temperature, and hold them against the theory."""
    law, began = LAWS[name], time.perf_counter()
    theory = expected_calls(law, temperature)
    observed = torch.zeros(law.numel(), dtype=torch.int64)
    total = squares = physical = 0.0
    for part in _parts(law, temperature, count, seed):
        observed += torch.bincount(part.values.squeeze(1), minlength=law.numel())
        calls = part.calls.double()
        total, squares = total + float(calls.sum()), squares + float(calls.square().sum())
        physical += float(part.physical.sum())
    mean = total / count
    return Row(
        law=name,
        temperature=temperature,
        count=int(observed.sum()),
        calls=mean,
        calls_error=((squares / count - mean**2) / count) ** 0.5,
        theory=theory,
        physical=physical / count,
        p=p_value(observed, tempered(law, temperature)),
        p_below=p_value(observed, tempered(law, temperature - NEARBY)),
        p_above=p_value(observed, tempered(law, temperature + NEARBY)),
        seconds=time.perf_counter() - began,
    )


def _parts(law: Tensor, temperature: float, count: int, seed: int) -> Iterator[BatchExactSample]:
    stream = torch.Generator().manual_seed(seed)
    size = max(1, int(CALLS_AT_ONCE / expected_calls(law, temperature)))
    for start in range(0, count, size):
        yield sample_many(law, temperature, min(size, count - start), stream)


HEAD = ("law", "T", "samples", "calls", "Theorem 2", "ratio", "p", "p, T-0.05", "p, T+0.05", "physical", "sec.")
WIDTHS = (5, 4, 9, 9, 9, 16, 7, 9, 9, 8, 5)


def line(cells: Sequence[str]) -> str:
    """Cells as a line of a Markdown table."""
    return f"| {' | '.join(cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True))} |"


def shown(row: Row) -> str:
    """The row as a line of the table."""
    calls = (f"{row.calls:.2f}", f"{row.theory:.2f}", f"{row.ratio:.4f} +- {row.calls_error / row.theory:.4f}")
    chances = (f"{p:.2g}" for p in (row.p, row.p_below, row.p_above))
    costs = (f"{row.physical:.2f}", f"{row.seconds:.0f}")
    return line((row.law, f"{row.temperature:g}", f"{row.count:,}", *calls, *chances, *costs))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description="the exact sampler against its theory")
    parser.add_argument("--count", type=int, default=1_000_000, help="accepted samples a row")
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--laws", nargs="+", choices=LAWS, default=list(LAWS))
    parser.add_argument("--temperatures", nargs="+", type=float, default=TEMPERATURES)
    chosen = parser.parse_args(arguments)
    print(line(HEAD))
    print(line(["-" * width for width in WIDTHS]))
    for name in chosen.laws:
        for temperature in chosen.temperatures:
            print(shown(measure(name, temperature, chosen.count, chosen.seed)), flush=True)


if __name__ == "__main__":
    main()
