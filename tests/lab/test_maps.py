"""Maps of many points: what is drawn, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from calm_lab.errors import InputError
from calm_lab.lab.maps import MapView, maps_figure

PLACES = torch.rand(40, 2, generator=torch.Generator().manual_seed(0))
GROUP = torch.arange(40) % 2


def test_groups_rings_and_paths_are_drawn_and_named_once() -> None:
    views = [
        MapView("one", PLACES, GROUP, ("even", "odd"), rings=(3, 5), note="a note"),
        MapView("two", PLACES, path=PLACES[:4]),
    ]
    figure = maps_figure(views)
    first, second = figure.axes
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["even", "odd"]
    assert first.get_legend() is second.get_legend() is None
    assert first.get_xlabel() == "a note"
    assert len(first.collections) == 2 * 2 + 2  # a cloud and its legend for each group, two rings
    assert sum(len(np.asarray(cloud.get_offsets())) for cloud in first.collections) == 40 + 2
    assert np.asarray(second.lines[0].get_xdata()).shape == (4,)


@pytest.mark.parametrize(
    ("views", "reason"),
    [
        ([], "room for 1 to 3"),
        ([MapView("x", PLACES)] * 4, "room for 1 to 3"),
        ([MapView("x", torch.rand(5, 3))], "shape"),
        ([MapView("x", PLACES, GROUP, tuple("abcdefgh"))], "at most 7"),
        ([MapView("x", PLACES, GROUP, ("a",))], "without a name"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(views: list[MapView], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        maps_figure(views)


def test_a_picture_comes_out_in_both_themes() -> None:
    for theme in ("light", "dark"):
        assert maps_figure([MapView("x", PLACES, GROUP, ("a", "b"))], theme=theme)._repr_png_().startswith(b"\x89PNG")
