"""Container and Spaces files, checked without a container engine: they parse, agree, and copy files that exist."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import tomllib
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, as (name, arguments)."""
    lines = [
        line for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if not line.lstrip().startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line.strip())]


def argument(name: str) -> str:
    (found,) = [rest for instruction, rest in dockerfile() if instruction == name]
    return found


def front_matter() -> dict[str, object]:
    _, matter, _ = (ROOT / "deploy/spaces/README.md").read_text("utf-8").split("---\n", 2)
    return dict(yaml.safe_load(matter))


def test_base_image_has_a_python_we_support() -> None:
    version = re.fullmatch(r"python:(\d+\.\d+)-slim", argument("FROM"))
    assert version
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{version[1]}.0")


def test_image_copies_files_that_exist_and_are_let_through() -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert ignored[0] == "*"
    let_through = {line[1:] for line in ignored if line.startswith("!")}
    copied = {source for name, rest in dockerfile() if name == "COPY" for source in rest.split()[:-1]}
    assert copied == let_through
    assert all((ROOT / source).exists() for source in copied)
    assert {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]} <= copied
    assert any(fnmatch.fnmatch("calm_lab/text/__pycache__", line.replace("**", "*")) for line in ignored)


def test_image_takes_the_cpu_build_of_torch_before_the_package() -> None:
    installs = [rest for name, rest in dockerfile() if name == "RUN" and "pip install" in rest]
    assert "torch --extra-index-url https://download.pytorch.org/whl/cpu" in installs[0]
    assert installs[-1].endswith(" .")
    assert all("-c constraints.txt" in install for install in installs)


def test_image_runs_as_nobody_special() -> None:
    instructions = [name for name, _ in dockerfile()]
    assert argument("USER") not in ("root", "0")
    assert instructions.index("USER") < instructions.index("CMD")
    assert "--uid 1000" in " ".join(rest for name, rest in dockerfile() if name == "RUN")


def test_image_starts_the_app_on_the_port_it_exposes() -> None:
    command = json.loads(argument("CMD"))
    assert command[:2] == ["calm-lab", "app"]
    assert command.pop() == "--share-safe"  # a Space is open to strangers
    options = dict(zip(command[2::2], command[3::2], strict=True))
    assert options == {"--host": "0.0.0.0", "--port": argument("EXPOSE")}
    assert f":{argument('EXPOSE')}'" in json.loads(argument("HEALTHCHECK").partition("CMD ")[2])[-1]


def test_the_documented_docker_run_keeps_to_loopback() -> None:
    first = (ROOT / "Dockerfile").read_text("utf-8").splitlines()[0]
    words = shlex.split(first.partition("docker run")[2])
    assert words[words.index("-p") + 1] == f"127.0.0.1:{argument('EXPOSE')}:{argument('EXPOSE')}"


def test_spaces_metadata() -> None:
    matter = front_matter()
    assert {"title", "emoji", "colorFrom", "colorTo", "sdk"} <= set(matter)
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {matter["colorFrom"], matter["colorTo"]} <= colours
    assert matter["license"] == PROJECT["license"].lower()
    assert len(str(matter["short_description"])) <= 60
    assert matter["sdk"] == "docker"  # a gradio Space would need sdk_version as well, kept inside pyproject's range
    assert str(matter["app_port"]) == argument("EXPOSE")


def test_workflow_runs_what_everybody_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    job = workflow["jobs"]["test"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert workflow["permissions"] == {"contents": "read"}
    assert job["timeout-minutes"] <= 60
