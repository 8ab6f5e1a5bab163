"""The app under load, small: eight visitors for twenty seconds. The large one: ``python -m tests.torture.load``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture.load import Report, _sum_up
from tests.torture.visits import Visits
from tests.torture.watchman import ROOT


@pytest.mark.timeout(900)
def test_eight_visitors_for_twenty_seconds(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--sessions", "8", "--seconds", "20", "--small-models", "--pages", "0"]
    command = [sys.executable, "-m", "tests.torture.load", *options]
    done = subprocess.run([*command, "--json", str(report)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    read = json.loads(report.read_text())
    assert read["finds"] == []
    assert sum(read["answers"].values()) > 0  # how many depends on the machine
    assert read["memory_mib"][0][1] > 50


@pytest.mark.parametrize(("a_minute", "found"), [(0.0, 0), (-50.0, 0), (20.0, 0), (60.0, 1)])
def test_memory_that_keeps_growing_is_a_find(a_minute: float, found: int) -> None:
    """Five minutes around 900 MiB, with the ups and downs of an allocator; the first minute is warm-up."""
    curve = [(t, 300 + 10 * min(t, 60) + a_minute * t / 60 + 30 * (t % 7 == 0)) for t in map(float, range(300))]
    report = Report(50, 300, memory_mib=curve)
    _sum_up(report, Visits())
    assert report.growth_mib_per_minute == pytest.approx(a_minute, abs=1)
    assert len(report.finds) == found


def test_the_map_beside_a_generation_is_told_apart() -> None:
    report, visits = Report(2, 1), Visits()
    for took, beside in ((10, False), (20, False), (3000, True)):
        visits.add("map click", took, beside)
    _sum_up(report, visits)
    assert report.map_milliseconds["alone"]["max"] == 20
    assert report.map_milliseconds["beside a generation"] == {"p50": 3000, "p95": 3000, "max": 3000, "answers": 1}
