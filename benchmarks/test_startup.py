"""How long a newcomer waits: seconds from a fresh interpreter to help, to the package, to the app's modules."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

STARTS = {
    "help": "from calm_lab.cli import main; main(['--help'])",
    "package": "import calm_lab",
    "recipe": "from calm_lab.cli.train import read_recipe; read_recipe('calm', [])",
    "app": "import calm_lab.app",
}


@pytest.mark.parametrize("name", STARTS)
def test_start(name: str, benchmark: Any) -> None:
    command = [sys.executable, "-c", STARTS[name]]
    benchmark.pedantic(subprocess.run, (command,), {"check": True, "capture_output": True}, rounds=3, warmup_rounds=1)
