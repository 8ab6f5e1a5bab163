"""The app with small models, launched once for all tests of a file; what is hidden for it comes back afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.small_models import save_into
from tests.app.visiting import browser, running, visit

__all__ = ["browser", "visit"]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one autoencoder and one CALM."""
    return save_into(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def no_bundled() -> Iterator[None]:
    """Hide the bundled models, so that the tests see the same models whatever is bundled."""
    from calm_lab.model import checkpoint

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "bundled", dict)
        yield


@pytest.fixture(scope="module")
def url(models: Path, no_bundled: None) -> Iterator[str]:
    """Address of the running app."""
    with running(models) as address:
        yield address
