"""House rules that an import can break: floors point down, heavy libraries and words stay in their place."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "calm_lab"
FLOORS = {"text": 1, "model": 2, "loading": 2, "toolkit": 3, "training": 4, "lab": 5, "app": 6, "cli": 7}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def floor_of(dotted: str) -> int:
    """The floor of ``calm_lab.x.y``: 0 lies below all (errors, device, version), 8 is the package's front door."""
    parts = dotted.split(".")
    return 8 if len(parts) == 1 else FLOORS.get(parts[1], 0)


def dotted_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, package: str) -> set[str]:
    """Every module that ``source`` imports anywhere, as dotted names; ``package`` resolves relative imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(
                    [*package.split(".")[: len(package.split(".")) - node.level + 1], *filter(None, [node.module])]
                )
            found |= (
                {f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base for alias in node.names}
                if base.split(".")[0] == "calm_lab"
                else {base}
            )
    return found


def is_module(dotted: str) -> bool:
    path = ROOT.joinpath(*dotted.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def package_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).parent.parts)


def uphill(path: Path, source: str) -> list[str]:
    """Imports of ``source``, taken as the module at ``path``, that go to a higher floor."""
    own = floor_of(dotted_name(path))
    return sorted(
        name
        for name in imports(source, package_of(path))
        if name.split(".")[0] == "calm_lab"
        and floor_of(name) > own
        and not (own >= FLOORS["app"] and name == "calm_lab")
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: dotted_name(path))
def test_imports_go_down_only(path: Path) -> None:
    assert uphill(path, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("text/x.py", "from calm_lab.model import config", ["calm_lab.model.config"]),
        ("text/x.py", "def f():\n    from calm_lab.toolkit import anything", ["calm_lab.toolkit"]),
        ("text/x.py", "from ..app import launch", ["calm_lab.app"]),
        ("model/heads/x.py", "import calm_lab.training", ["calm_lab.training"]),
        ("training/x.py", "import calm_lab", ["calm_lab"]),
        ("device.py", "from calm_lab import text", ["calm_lab.text"]),
        ("app/x.py", "import calm_lab\nfrom calm_lab import lab\nfrom calm_lab.errors import InputError", []),
        ("app/x.py", "from calm_lab.cli import main", ["calm_lab.cli"]),
        ("lab/x.py", "from . import y\nfrom calm_lab.toolkit import z", []),
    ],
)
def test_the_floor_check_sees_what_it_should(path: str, source: str, expected: list[str]) -> None:
    assert uphill(PACKAGE / path, source) == expected


@pytest.mark.parametrize(
    ("library", "lowest"),
    [
        ("gradio", "app"),
        ("gradio_client", "app"),
        ("matplotlib", "lab"),
        ("umap", "lab"),
        ("accelerate", "training"),
        ("tyro", "cli"),
    ],
)
def test_heavy_libraries_stay_on_their_floor(library: str, lowest: str) -> None:
    guilty = [
        dotted_name(path)
        for path in MODULES
        if floor_of(dotted_name(path)) < FLOORS[lowest] or (library.startswith("gradio") and "app" not in path.parts)
        if library in {name.split(".")[0] for name in imports(path.read_text("utf-8"), package_of(path))}
    ]
    assert guilty == []


FOREIGN = re.compile(r"mock\.patch|matplotlib\.patches|add_patch|Fancy\w+Patch")  # names of other libraries
WORD = re.compile(r"(?<![a-z])patch", re.IGNORECASE)


def says_the_word(source: str) -> bool:
    return WORD.search(FOREIGN.sub("", source)) is not None


def test_only_the_official_loader_knows_the_word_of_the_official_code() -> None:
    guilty = {dotted_name(path) for path in MODULES if says_the_word(path.read_text("utf-8"))}
    assert guilty <= {"calm_lab.model.official"}
    assert says_the_word("num_patches = 4")
    assert says_the_word("a Patch of tokens")
    assert not says_the_word("dispatch(axes.add_patch(FancyBboxPatch()))")


def loaded_after(code: str) -> set[str]:
    """Top-level modules present in a fresh interpreter after ``code`` ran."""
    tail = "\nimport sys; print('MODULES', *{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.rpartition("MODULES")[2].split())


def test_importing_the_package_is_light() -> None:
    assert {"gradio", "umap", "matplotlib", "datasets"} & loaded_after("import calm_lab") == set()


def test_help_needs_no_torch() -> None:
    loaded = loaded_after("from calm_lab.cli import main; main(['--help'])")
    assert "calm_lab" in loaded
    assert {"torch", "gradio", "datasets", "numpy", "tyro"} & loaded == set()
