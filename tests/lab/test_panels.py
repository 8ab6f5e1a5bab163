"""Panels, clouds, sliders and shown source: everything given is drawn, and bad input is answered."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from calm_lab.errors import InputError, choose_from
from calm_lab.lab import sliders
from calm_lab.lab.clouds import Cloud, clouds_figure
from calm_lab.lab.palette import palette
from calm_lab.lab.panels import Panel, Series, panels_figure
from calm_lab.lab.sliders import Choice, slide
from calm_lab.lab.source import source_of
from calm_lab.toolkit.exact import ExactSample


def test_a_line_and_dots_are_where_they_belong_and_named() -> None:
    lines = Series("formula", [1, 2], [3.0, 4.0], "target")
    dots = Series("measured", [1, 2], [3.1, 3.9], "sample", "dots", error=[0.2, 0.1])
    (axes,) = panels_figure([Panel("title", [lines, dots], "x", "y", log="x", x_ticks=[1, 2])]).axes
    drawn, points = axes.lines[0], axes.lines[1]
    assert drawn.get_xydata().tolist() == [[1, 3], [2, 4]]
    assert points.get_xydata().tolist() == [[1, 3.1], [2, 3.9]]
    assert (drawn.get_color(), points.get_color()) == (palette().target, palette().sample)
    assert (drawn.get_linestyle(), points.get_linestyle()) == ("-", "None")
    ends = axes.containers[0].lines[2][0].get_segments()
    assert [round(float(bar[1][1] - bar[0][1]), 6) for bar in ends] == [0.4, 0.2]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["formula", "measured"]
    assert (axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()) == ("title", "x", "y")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2"]


def test_a_path_joins_its_points_and_writes_their_names() -> None:
    path = Series("runs", [2, 1, 3], [1.0, 2.0, 0.5], "sample", "path", error=[0.0, 0.5, 0.1], names=["a", "b", "c"])
    (axes,) = panels_figure([Panel("", [path])]).axes
    assert axes.lines[0].get_xydata().tolist() == [[2, 1], [1, 2], [3, 0.5]]  # in the order given
    assert (axes.lines[0].get_linestyle(), axes.lines[0].get_marker()) == ("-", "o")
    assert [(text.get_text(), text.xy) for text in axes.texts] == [("a", (2, 1.0)), ("b", (1, 2.0)), ("c", (3, 0.5))]
    with pytest.raises(InputError, match="3 points and 2 names"):
        panels_figure([Panel("", [Series("runs", [1, 2, 3], [1, 2, 3], mark="path", names=["a", "b"])])])


def test_nothing_written_on_a_short_logarithmic_axis_overlaps() -> None:
    first = Series("first", [4.5e12, 4.5e13], [15.0, 43.0], "target", "path", names=["a", "b"])
    second = Series("second", [4.6e12, 4.4e13], [15.1, 42.0], "sample", "path", names=["c", "d"])
    figure = panels_figure([Panel("", [first, second], log="x"), Panel("", [first, second], log="x")])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    for axes in figure.axes:
        ticks = [*axes.get_xticklabels(), *axes.get_xticklabels(minor=True)]
        boxes = [text.get_window_extent() for text in (*ticks, *axes.texts) if text.get_text() and text.get_visible()]
        inside = [box for box in boxes if axes.bbox.x0 - 40 < box.x0 < axes.bbox.x1]
        assert len(inside) >= 4 + 3  # four names, three numbers or more
        assert not [1 for i, one in enumerate(inside) for other in inside[:i] if one.overlaps(other)]


def test_bars_of_two_series_stand_side_by_side_over_the_same_names() -> None:
    first = Series("P", ["a", "b"], [0.7, 0.3], "accent", "bars")
    second = Series("T", ["b", "a"], [0.1, 0.9], "target", "bars")
    dots = Series("drawn", ["a", "b"], [0.89, 0.11], "sample", "dots")
    (axes,) = panels_figure([Panel("", [first, second, dots], y_limits=(0, 1))]).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]
    heights = {round(bar.get_x() + bar.get_width() / 2): [] for bar in axes.patches}
    for bar in axes.patches:
        heights[round(bar.get_x() + bar.get_width() / 2)].append(bar.get_height())
    assert heights == {0: [0.7, 0.9], 1: [0.3, 0.1]}
    assert len({round(bar.get_x(), 6) for bar in axes.patches}) == 4
    assert axes.get_ylim() == (0, 1)


def test_a_panel_without_names_has_no_legend() -> None:
    (axes,) = panels_figure([Panel("", [Series("", [0, 1], [0, 1], mark="dotted")])]).axes
    assert axes.get_legend() is None
    assert axes.lines[0].get_linestyle() == ":"


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ([], "not 0"),
        ([Panel("", [])] * 5, "not 5"),
        ([Panel("", [Series("a", [1], [1, 2])])], "1 places, 2 heights"),
        ([Panel("", [Series("a", [1], [1], error=[1, 2])])], "2 error bars"),
        ([Panel("", [Series("a", [1], [1], role="sampel")])], "did you mean 'sample'"),  # type: ignore[arg-type]
        ([Panel("", [Series("a", [1], [1], mark="dot")])], "mark 'dot'"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_drawn_is_named(panels: list[Panel], message: str) -> None:
    with pytest.raises(InputError, match=message):
        panels_figure(panels)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_samples_are_dots_targets_are_rings_and_arrows_start_at_samples(theme: str) -> None:
    samples, targets = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([[2.0, 2.0]])
    arrows = torch.tensor([[0.5, 0.0], [0.0, -0.5]])
    cloud = Cloud("title", samples, targets, arrows, "note")
    (axes,) = clouds_figure([cloud], limit=3, theme=theme).axes
    dots, rings, pulls = axes.collections  # rings above dots
    assert rings.get_offsets().tolist() == targets.tolist()
    assert rings.get_facecolor().size == 0
    assert dots.get_offsets().tolist() == samples.tolist()
    assert to_hex(dots.get_facecolor()[0]) == palette(theme).sample
    assert (pulls.XY.tolist(), pulls.U.tolist(), pulls.V.tolist()) == (samples.tolist(), [0.5, 0.0], [0.0, -0.5])
    assert (axes.get_title(loc="left"), axes.get_xlabel(), axes.get_xlim()) == ("title", "note", (-3, 3))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_titles_and_notes_of_clouds_lie_within_the_picture(count: int) -> None:
    cloud = Cloud("title", torch.zeros(1, 2), torch.zeros(1, 2), note="note")
    figure = clouds_figure([cloud] * count, limit=1)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    for axes in figure.axes:
        box = axes.get_tightbbox(renderer)
        assert box is not None
        assert figure.bbox.y0 <= box.y0
        assert box.y1 <= figure.bbox.y1


def test_clouds_that_do_not_lie_in_a_plane_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(3, 5\)"):
        clouds_figure([Cloud("deep", torch.zeros(3, 5), torch.zeros(3, 2))], limit=1)
    with pytest.raises(InputError, match="not 0"):
        clouds_figure([], limit=1)


def draw(a: int, b: str) -> str:
    return f"{a}{b}"


def test_without_widgets_the_figure_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALM_LAB_STILL", "1")
    assert slide(draw, a=Choice([1, 2], 2), b=Choice("xy", "x")) == "2x"
    monkeypatch.delenv("CALM_LAB_STILL")
    monkeypatch.setattr(sliders.importlib.util, "find_spec", lambda name: None)
    assert slide(draw, a=Choice([1, 2], 1), b=Choice("xy", "y")) == "1y"


def test_with_widgets_there_is_a_slider_for_every_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}

    def interactive(function: Any, **arguments: Any) -> str:
        made.update(arguments, function=function)
        return "a widget"

    fake = SimpleNamespace(SelectionSlider=lambda **options: options, interactive=interactive)
    monkeypatch.setitem(sys.modules, "ipywidgets", fake)  # type: ignore[arg-type]
    monkeypatch.setattr(sliders, "has_sliders", lambda: True)
    assert slide(draw, a=Choice((1, 2), 2), b=Choice("xy", "x")) == "a widget"
    assert made["function"] is draw
    assert made["a"] == {"options": [1, 2], "value": 2, "description": "a", "continuous_update": False}
    assert made["b"]["options"] == ["x", "y"]


def test_a_start_that_is_not_a_choice_is_refused() -> None:
    with pytest.raises(InputError, match="a cannot start at 3"):
        slide(draw, a=Choice([1, 2], 3))


def test_source_is_shown_with_its_place_and_without_docstrings() -> None:
    shown = source_of(choose_from).splitlines()
    assert shown[0] == "# calm_lab/errors.py"
    assert shown[1] == "def choose_from(name: str, options: object, what: str) -> str:"
    assert shown[2] == "    import difflib"
    compile("\n".join(shown), "shown", "exec")
    methods = source_of(ExactSample)
    assert methods.count('"""') == 0
    assert "def acceptance_rate(self) -> float:\n        return int(self.accepted) / self.trials" in methods


def test_what_has_no_source_is_refused() -> None:
    with pytest.raises(InputError, match="has no Python source"):
        source_of(len)
