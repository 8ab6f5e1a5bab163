"""Write docs/licences.md: what an installation without extras brings along, and under which licence.

``.venv/bin/python docs/list_licences.py`` reads the metadata of the packages installed beside it, nothing else. Run it
again after constraints.txt has changed; a test holds the page against both.
"""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/licences.md"
SHORT = 100  # characters: a longer License field is the text of the licence and not its name
OPENING = """# Licences

Every package that `pip install calm-lab` brings along, without extras, with the version that `constraints.txt` pins and
the licence that the package states: an expression where it has one, else its field, else its classifiers. Written
by `python docs/list_licences.py` on Linux with the CPU build of torch; its CUDA build brings NVIDIA's libraries, which
come under NVIDIA's own terms. calm_lab itself is under the [MIT licence](../LICENSE).

| package | version | licence | needed by |
|---|---|---|---|
"""


UNPINNED = ("setuptools",)  # which pip's freeze leaves out


def needed() -> dict[str, set[str]]:
    """The names of all packages that calm_lab needs, each with those that ask for it, as installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found: dict[str, set[str]] = {}
    read: set[tuple[str, str]] = set()
    waiting = [(Requirement(line), "calm_lab") for line in project["dependencies"]]
    while waiting:
        requirement, asker = waiting.pop()
        name = canonicalize_name(requirement.name)
        found.setdefault(name, set()).add(asker)
        for extra in {"", *requirement.extras}:
            if (name, extra) in read:
                continue
            read.add((name, extra))
            for line in metadata.requires(name) or []:
                inner = Requirement(line)
                if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                    waiting.append((inner, name))
    return found


def licence(name: str) -> str:
    """What a package says of its licence."""
    data = metadata.metadata(name)
    field = " ".join((data["License"] or "").split())
    marks = [mark.rpartition(" :: ")[2] for mark in data.get_all("Classifier", []) if mark.startswith("License ::")]
    named = [mark for mark in marks if mark != "OSI Approved"]
    stated: str = data["License-Expression"] or (field if 0 < len(field) <= SHORT else "") or "; ".join(named)
    if not stated:
        raise SystemExit(f"{name} states no licence in its metadata: look it up and decide whether to depend on it")
    return stated.replace("|", "/")


def pinned() -> dict[str, str]:
    """The version of each package that constraints.txt pins."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and line[0] != "#")
    return {canonicalize_name(name): version for name, version in pairs}


def differing() -> list[str]:
    """Packages of another version than the pinned one, whose licence may be another too, or that the pins do not know.

    The latter are NVIDIA's, which the CUDA build of torch brings along.
    """
    pins = pinned() | {name: metadata.version(name) for name in UNPINNED}
    # a local build such as 2.13.0+cpu is the version it is built from
    return [name for name in needed() if metadata.version(name).partition("+")[0] != pins.get(name)]


def page() -> str:
    """The whole page."""
    pins = pinned()
    rows = [
        f"| {name} | {pins.get(name, 'not pinned')} | {licence(name)} | {', '.join(sorted(askers))} |"
        for name, askers in sorted(needed().items())
    ]
    return OPENING + "\n".join(rows) + f"\n\n{len(rows)} packages.\n"


if __name__ == "__main__":
    if other := differing():
        what = "not as constraints.txt pins it, for the CPU build of torch"
        raise SystemExit(f"{what}: {', '.join(other)}; run it in a fresh .venv")
    PAGE.write_text(page(), "utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(needed())} packages")
