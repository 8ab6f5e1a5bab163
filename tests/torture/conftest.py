"""Marks everything here as ``faults``: make test runs it, make test-fast does not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A hook sees the tests of the whole session, so only those of this folder are marked."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)
            if sys.platform != "linux":
                item.add_marker(pytest.mark.skip(reason="asks /proc, inotify and 127.0.0.2, which Linux has"))
