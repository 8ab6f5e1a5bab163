"""The app under load, small: eight visitors for twenty seconds. The large one: ``python -m tests.torture.load``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture.watchman import ROOT


@pytest.mark.timeout(900)
def test_eight_visitors_for_twenty_seconds(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "tests.torture.load", "--sessions", "8", "--seconds", "20", "--small-models"]
    done = subprocess.run([*command, "--json", str(report)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    read = json.loads(report.read_text())
    assert read["finds"] == []
    assert sum(read["answers"].values()) > 0  # how many depends on the machine
    assert read["memory_mib"][0][1] > 50
