"""``.ci/run`` on a pretended bare machine: it installs what is missing, then runs ``make test`` and nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHELL_TOOLS = ("bash", "env", "dirname", "mktemp", "tail", "grep", "rm", "cat")
STANDINS = {
    "git": "true",
    "make": 'echo "make $* CI=$CI" >> "$LOG"',
    "g++": "true",
    "chromium": "true",
    "fc-list": "echo /usr/share/fonts/NotoSansCJK.ttc",
    "python3": "true",
    "id": "echo 0",
    "apt-get": 'echo "apt-get $*" >> "$LOG"',
}

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


def run(tmp_path: Path, *absent: str, **changed: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run .ci/run where only the stand-ins exist, without the ``absent`` ones; the process and what was called."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in SHELL_TOOLS:
        (tools / name).symlink_to(str(shutil.which(name)))
    for name, body in {**STANDINS, **changed}.items():
        if name not in absent:
            (tools / name).write_text(f"#!/bin/sh\n{body}\n")
            (tools / name).chmod(0o755)
    log = tmp_path / "log"
    log.touch()
    done = subprocess.run(
        [ROOT / ".ci/run"],
        env={"PATH": str(tools), "LOG": str(log)},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    return done, log.read_text().splitlines()


def test_nothing_missing_means_only_make_test(tmp_path: Path) -> None:
    done, calls = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert calls == ["make test CI=true"]
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("absent", "package"), [("chromium", "chromium"), ("g++", "g++"), ("git", "git"), ("fc-list", "fonts-noto-cjk")]
)
def test_what_is_missing_is_installed_first(tmp_path: Path, absent: str, package: str) -> None:
    done, calls = run(tmp_path, absent)
    assert done.returncode == 0, done.stderr
    assert calls[0] == "apt-get -qq update"
    assert package in calls[1].split()
    assert calls[2:] == ["make test CI=true"]


def test_a_google_chrome_will_do(tmp_path: Path) -> None:
    _, calls = run(tmp_path, "chromium", **{"google-chrome": "true"})
    assert calls == ["make test CI=true"]


def test_python_without_venv_gets_it(tmp_path: Path) -> None:
    _, calls = run(tmp_path, python3='case "$*" in *ensurepip*) exit 1;; esac')
    assert "python3-venv" in calls[1].split()


def test_failed_install_stops_and_shows_why(tmp_path: Path) -> None:
    done, calls = run(tmp_path, "chromium", **{"apt-get": 'echo "E: no such mirror"; exit 100'})
    assert done.returncode == 1
    assert "E: no such mirror" in done.stdout
    assert calls == []


def test_failed_tests_fail_the_run(tmp_path: Path) -> None:
    done, _ = run(tmp_path, make="exit 2")
    assert done.returncode == 2
