"""Fixtures of the toolkit's tests."""

from __future__ import annotations

import pytest

from calm_lab.model.calm import CALM
from tests.toolkit.small_calm import small_calm


@pytest.fixture(scope="session")
def calm() -> CALM:
    return small_calm()
