"""What the tab Latent map says of the bundled models: which draw on which map, and the code of the map that ships."""

from __future__ import annotations

from typing import Any

from calm_lab.app import map_code
from calm_lab.app.bench import Bench
from calm_lab.app.map_shelf import MapShelf
from calm_lab.app.shelf import Shelf


def test_a_map_offers_the_calms_over_its_own_autoencoder() -> None:
    """The bundled ones name it; those of equal sizes write into another space."""
    shelf = MapShelf(Bench(Shelf(None, "cpu")))
    assert "calm-storyland-k4" in shelf._calms("autoencoder-k4")
    assert shelf._calms("autoencoder-k8") == ["calm-storyland-k8"]
    assert shelf._calms("autoencoder-k4-kl") == []


def test_the_code_of_a_bundled_map_makes_it() -> None:
    names: dict[str, Any] = {}
    code = map_code.bundled("autoencoder-k4").python("autoencoder-k4")
    exec(compile(code[: code.index("x, y =")], "copied", "exec"), names)
    assert len(names["found"]) > 20_000
    assert names["found"].picture("umap").shape == (len(names["found"]), 2)
