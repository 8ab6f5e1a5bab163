"""docs/licences.md has a row for whatever an installation brings along, and the environment fits together."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.test_environment import PINS, PROJECT

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "docs/list_licences.py"))
ROWS = {
    name: (version, licence, askers.split(", "))
    for name, version, licence, askers in re.findall(
        r"^\| ([\w-]+) \| ([\w. ]+) \| ([^|]+) \| ([^|]+) \|$", SCRIPT["PAGE"].read_text("utf-8"), re.MULTILINE
    )
    if name != "package"
}


def test_every_runtime_dependency_has_a_row() -> None:
    direct = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    assert {name for name, (_, _, askers) in ROWS.items() if "calm_lab" in askers} == direct
    for name, (_, licence, askers) in ROWS.items():
        assert licence.strip(), name
        assert all(asker == "calm_lab" or asker in ROWS for asker in askers), name


def test_versions_are_the_pinned_ones() -> None:
    pins = {canonicalize_name(name): str(pin.specifier).removeprefix("==") for name, pin in PINS.items()}
    unpinned = {name for name in ROWS if name not in pins}
    assert unpinned <= set(SCRIPT["UNPINNED"])
    assert {name: version for name, (version, _, _) in ROWS.items() if name not in unpinned} == {
        name: pins[name] for name in ROWS if name not in unpinned
    }


@pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info[:2] != (3, 11) or bool(SCRIPT["differing"]()),
    reason="the page is that of Python 3.11, Linux, the pinned versions and the CPU build of torch",
)
def test_the_page_is_what_the_command_writes() -> None:
    assert SCRIPT["page"]() == SCRIPT["PAGE"].read_text("utf-8")


def test_what_the_pins_do_not_know_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CUDA build of torch has the same version, and brings packages of its own."""
    assert set(SCRIPT["differing"]()) <= set(SCRIPT["needed"]())
    monkeypatch.setitem(SCRIPT["differing"].__globals__, "needed", lambda: {"nvidia-cublas-cu12": {"torch"}})
    monkeypatch.setattr("importlib.metadata.version", lambda name: "12.8")
    assert SCRIPT["differing"]() == ["nvidia-cublas-cu12"]


def test_a_package_without_a_licence_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    from email.message import Message

    silent = Message()
    silent["Name"] = "silent"
    monkeypatch.setattr("importlib.metadata.metadata", lambda name: silent)
    with pytest.raises(SystemExit, match="silent states no licence"):
        SCRIPT["licence"]("silent")


def test_installed_packages_fit_together() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
