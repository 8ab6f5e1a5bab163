"""The page's start: what takes seconds to import and is not needed to show the page is not imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from calm_lab.app.swift import GRAMMAR, import_jsonschema

SEEN = f"""
import sys
import calm_lab.app
print(*(name for name in ("jsonschema", "{GRAMMAR}", "accelerate", "torch.distributed.tensor") if name in sys.modules))
"""


def test_no_needless_import() -> None:
    pytest.importorskip("mcp")  # else nobody imports jsonschema
    told = subprocess.run([sys.executable, "-c", SEEN], check=True, capture_output=True, text=True).stdout
    assert told.split() == ["jsonschema"]


def test_without_jsonschema_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "jsonschema"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, GRAMMAR, raising=False)
    monkeypatch.setitem(sys.modules, "jsonschema._format", None)  # its import fails
    import_jsonschema()
    assert GRAMMAR not in sys.modules
