"""``make`` for real, in a folder with spaces and foreign letters, with stand-ins for Python, pip and the app.

The stand-ins write down how they are called: what is installed, when, and how the app is opened can be read off.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = ("app", "lab", "test", "test-fast", "test-full", "bench", "screenshots", "doctor", "format", "clean")

FAKE_PYTHON = r"""#!/bin/sh
echo "python $*" >> calls.log
if [ "$1 $2" = "-m venv" ]; then
    mkdir -p "$3/bin"
    cp "$0" "$3/bin/python"
    printf '#!/bin/sh\necho "calm-lab $*" >> calls.log\n[ "$1" != corpora ] || [ ! -e offline ]\n' > "$3/bin/calm-lab"
    chmod +x "$3/bin/calm-lab"
fi
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


class Desk:
    """A copy of what make reads, and the record of what it called."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True)
        for name in ("Makefile", "pyproject.toml", "constraints.txt", "constraints-oldest.txt"):
            shutil.copy(ROOT / name, folder / name)
        (folder / "python").write_text(FAKE_PYTHON)
        (folder / "python").chmod(0o755)

    def make(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "calls.log").unlink(missing_ok=True)
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
        return subprocess.run(
            ["make", *words, "PYTHON=./python"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**clean, **environment},
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        log = self.folder / "calls.log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def installs(self) -> list[str]:
        return [call for call in self.calls if "-m pip install" in call]

    @property
    def openings(self) -> list[str]:
        return [call for call in self.calls if call.startswith("calm-lab app")]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "a desk für 页")


def test_help_lists_every_documented_target(desk: Desk) -> None:
    listed = set(re.findall(r"^  make ([a-z-]+) ", desk.make("help").stdout, re.MULTILINE))
    assert listed >= set(TARGETS)
    assert listed == set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))


def test_plain_make_is_help(desk: Desk) -> None:
    assert desk.make().stdout == desk.make("help").stdout
    assert desk.calls == []


def test_every_phony_target_has_a_rule() -> None:
    phony = " ".join(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)).split()
    assert set(phony) >= set(TARGETS)
    assert set(phony) == set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


def test_app_installs_once_and_opens_on_loopback(desk: Desk) -> None:
    done = desk.make("app")
    assert done.returncode == 0, done.stderr
    assert [call.split(" -m pip ")[1] for call in desk.installs] == [
        "install --disable-pip-version-check -c constraints.txt -e ."
    ]
    assert desk.calls[-2:] == ["calm-lab corpora --fetch andersen", "calm-lab app --host 127.0.0.1 --port 7860"]
    assert desk.make("app").returncode == 0
    assert desk.calls == ["calm-lab app --host 127.0.0.1 --port 7860"]


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_changed_declaration_installs_again(desk: Desk, changed: str) -> None:
    desk.make("app")
    later = (desk.folder / ".venv/.app").stat().st_mtime + 5
    os.utime(desk.folder / changed, (later, later))
    desk.make("app")
    assert len(desk.installs) == 1


def test_port_and_host_are_options_but_not_taken_from_the_shell(desk: Desk) -> None:
    desk.make("app", "PORT=8123", "HOST=localhost", HOST="0.0.0.0", PORT="1")
    assert desk.openings == ["calm-lab app --host localhost --port 8123"]
    desk.make("app", HOST="0.0.0.0", PORT="1")
    assert desk.openings == ["calm-lab app --host 127.0.0.1 --port 7860"]


def test_offline_is_a_warning_and_the_fetch_is_tried_again(desk: Desk) -> None:
    (desk.folder / "offline").touch()
    done = desk.make("app", CI="")
    assert done.returncode == 0
    assert "warning: the corpus 'andersen' could not be fetched" in done.stdout
    assert len(desk.openings) == 1
    (desk.folder / "offline").unlink()
    desk.make("app")
    assert "calm-lab corpora --fetch andersen" in desk.calls
    desk.make("app")
    assert desk.calls == desk.openings


def test_offline_fails_in_continuous_integration(desk: Desk) -> None:
    """There a test that cannot have its corpus must not pass by being skipped."""
    (desk.folder / "offline").touch()
    assert desk.make("app", CI="true").returncode != 0
    assert desk.openings == []


def test_test_runs_lint_types_tests_notebooks_and_browser_in_this_order(desk: Desk) -> None:
    (desk.folder / "notebooks").mkdir()
    (desk.folder / "notebooks/00_calm.ipynb").touch()
    (desk.folder / "calm_lab").mkdir()
    done = desk.make("test")
    assert done.returncode == 0, done.stderr
    assert len(desk.installs) == 1
    assert desk.installs[0].endswith("-e .[dev]")
    order = [
        "ruff check",
        "ruff format --check",
        "mypy",
        "not slow and not browser and not faults",
        "faults and not slow",
        "--nbmake",
        "-m browser",
    ]
    position = [next(i for i, call in enumerate(desk.calls) if word in call) for word in order]
    assert position == sorted(position)


def test_fast_tests_need_neither_browser_nor_notebooks(desk: Desk) -> None:
    assert desk.make("test-fast").returncode == 0
    assert not any("nbmake" in call or "-m browser" in call for call in desk.calls)
    assert any("not slow and not browser" in call for call in desk.calls)


def test_the_oldest_versions_are_tested_in_an_environment_of_their_own(desk: Desk) -> None:
    assert desk.make("oldest").returncode == 0
    (installed,) = desk.installs
    assert installed.endswith("-c constraints-oldest.txt -e .[dev]")
    assert (desk.folder / ".venv-oldest").is_dir()
    assert not (desk.folder / ".venv").exists()
    assert any("not slow and not browser" in call for call in desk.calls)
    desk.make("distclean")
    assert not (desk.folder / ".venv-oldest").exists()


def test_a_failing_step_fails_the_whole(desk: Desk) -> None:
    desk.make("lint")
    tool = desk.folder / ".venv/bin/python"
    tool.write_text('#!/bin/sh\ncase "$*" in *mypy*) exit 1;; esac\n')
    assert desk.make("test").returncode != 0


def test_clean_keeps_the_environment_and_the_runs(desk: Desk) -> None:
    desk.make("app")
    for name in ("runs/a", "build", "calm_lab/__pycache__", ".venv/lib/__pycache__"):
        (desk.folder / name).mkdir(parents=True)
    assert desk.make("clean").returncode == 0
    kept = {
        name
        for name in ("runs/a", "build", "calm_lab/__pycache__", ".venv/lib/__pycache__")
        if (desk.folder / name).exists()
    }
    assert kept == {"runs/a", ".venv/lib/__pycache__"}


def test_no_python_says_what_to_do(desk: Desk) -> None:
    done = subprocess.run(["make", "app", "PYTHON="], cwd=desk.folder, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "calm_lab needs Python 3.11, 3.12 or 3.13" in done.stdout
