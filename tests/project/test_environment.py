"""What is declared twice must agree: versions, Python ranges, extras, pins."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import calm_lab.version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def pins(name: str) -> dict[str, Requirement]:
    """The lines of a constraints file, by package."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and line[0] != "#"]
    return {pin.name.lower().replace("_", "-"): pin for pin in found}


PINS = pins("constraints.txt")


def declared() -> list[Requirement]:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    return [Requirement(line) for line in [*PROJECT["dependencies"], *extras]]


def test_conda_installs_what_pyproject_declares() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    plain = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert environment["name"] == PROJECT["name"]
    assert set(plain) == {f"python{PROJECT['requires-python']}", "pip"}
    (editable,) = pip
    found = re.fullmatch(r"-e \.\[(.+)\]", editable)
    assert found
    assert set(found[1].split(",")) == set(PROJECT["optional-dependencies"]) == {"notebooks", "mcp", "dev"}


@pytest.mark.parametrize("requirement", declared(), ids=lambda requirement: requirement.name)
def test_every_dependency_is_pinned_inside_its_range(requirement: Requirement) -> None:
    pin = PINS[requirement.name.lower().replace("_", "-")]
    (exact,) = pin.specifier
    assert exact.operator == "=="
    assert requirement.specifier.contains(exact.version)


def test_the_oldest_versions_are_the_lower_bounds() -> None:
    oldest = {
        name: Version(str(pin.specifier).removeprefix("==")) for name, pin in pins("constraints-oldest.txt").items()
    }
    lower = {
        requirement.name: Version(bound.version)
        for requirement in map(Requirement, PROJECT["dependencies"])
        for bound in requirement.specifier
        if bound.operator == ">="
    }
    assert oldest == lower
    assert set(lower) == {Requirement(line).name for line in PROJECT["dependencies"]}, "each has a lower bound"


def test_pins_are_exact_and_carry_no_local_build() -> None:
    assert {str(pin) for pin in PINS.values() if not re.fullmatch(r"==[\w.]+", str(pin.specifier))} == set()


def test_python_versions_agree() -> None:
    allowed = SpecifierSet(PROJECT["requires-python"])
    listed = {
        entry.rpartition(" ")[2]
        for entry in PROJECT["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", entry)
    }
    assert listed == {f"3.{minor}" for minor in range(8, 20) if allowed.contains(f"3.{minor}.0")}
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    assert set(workflow["jobs"]["test"]["strategy"]["matrix"]["python"]) == listed


def test_one_version_everywhere() -> None:
    version = calm_lab.version.__version__
    assert "version" in PROJECT["dynamic"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"] == version
    newest = re.findall(r"^## \[([^]]+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest[0] in ("Unreleased", version)
    assert all(Version(entry) <= Version(version) for entry in newest if entry != "Unreleased")


def test_licence_is_the_one_declared() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.startswith(f"{PROJECT['license']} License\n\nCopyright (c) 2026 {PROJECT['authors'][0]['name']}")
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["license"] == PROJECT["license"]


def test_citation_names_the_paper() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors", "type"} <= set(citation)
    (paper,) = citation["references"]
    assert [author["family-names"] for author in paper["authors"]] == ["Shao", "Li", "Meng", "Zhou"]
    assert PROJECT["urls"]["Paper"] == paper["url"]


def test_hooks_use_the_tools_of_the_environment() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {hook["id"] for hook in hooks} == {"ruff-check", "ruff-format", "mypy"}
    assert all(hook["language"] == "system" and hook["entry"].startswith(".venv/bin/") for hook in hooks)
