"""Curves side by side in the house's visual language, for every lesson that plots a number against a number.

What: a ``Panel`` holds ``Series``; ``panels_figure`` draws panels in a row. A series takes its colour from the palette
by its role: ``sample`` for what a model drew or a computer simulated, ``target`` for the truth.
Why: the same colour and sign must mean the same thing in every notebook; measured points are dots with error bars,
formulas are lines, limits are dotted.

Notebooks: 01 and on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

from calm_lab.errors import InputError, choose_from
from calm_lab.lab.figures import DPI, StillFigure, apply_style
from calm_lab.lab.palette import palette

Role = Literal["accent", "sample", "target", "sigma", "error", "muted"]
Mark = Literal["line", "dots", "path", "dotted", "bars"]
ROLES: tuple[Role, ...] = ("accent", "sample", "target", "sigma", "error", "muted")
MARKS: tuple[Mark, ...] = ("line", "dots", "path", "dotted", "bars")


@dataclass(frozen=True)
class Series:
    """Numbers to draw together.

    Attributes:
        label: what they are; empty for no name.
        x: places, or the names of bars.
        y: heights, as many as places.
        role: whose colour they have.
        mark: ``line`` for a formula, ``dots`` for measurements, ``path`` for measurements in an order, ``dotted`` for a
            limit, ``bars`` for shares.
        error: half lengths of error bars, as many as heights; empty for none.
        names: what to write beside each point of ``dots`` or a ``path``; empty for nothing.
    """

    label: str
    x: Sequence[float] | Sequence[str]
    y: Sequence[float]
    role: Role = "accent"
    mark: Mark = "line"
    error: Sequence[float] = field(default=())
    names: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        title: what it shows.
        series: what is drawn, later ones above earlier ones.
        x_label: under the horizontal axis.
        y_label: beside the vertical axis.
        log: which axes are logarithmic: ``""``, ``"x"``, ``"y"`` or ``"xy"``.
        y_limits: lowest and highest height shown; by default what fits.
        x_ticks: places to name on the horizontal axis; by default round numbers.
    """

    title: str
    series: Sequence[Series]
    x_label: str = ""
    y_label: str = ""
    log: Literal["", "x", "y", "xy"] = ""
    y_limits: tuple[float, float] | None = None
    x_ticks: Sequence[float] = field(default=())


def panels_figure(panels: Sequence[Panel], height: float = 2.9, theme: str = "light") -> StillFigure:
    """Draw panels in a row.

    Args:
        panels: one to four of them.
        height: inches.
        theme: ``light`` or ``dark``.

    Raises:
        InputError: for no panel or more than four, an unknown role or mark, or lengths that do not agree.
    """
    if not 1 <= len(panels) <= 4:
        raise InputError(f"a row has room for 1 to 4 panels, not {len(panels)}")
    for panel in panels:
        for series in panel.series:
            _check(series)
    apply_style(theme)
    figure = StillFigure(figsize=(6.2 if len(panels) == 1 else 9.2, height), dpi=DPI, layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw(axes, panel, theme)
    return figure


def _check(series: Series) -> None:
    for what, word, known in (("role", series.role, ROLES), ("mark", series.mark, MARKS)):
        if word not in known:
            raise InputError(choose_from(word, known, what))
    if len(series.x) != len(series.y) or (series.error and len(series.error) != len(series.y)):
        raise InputError(
            f"series '{series.label}' has {len(series.x)} places, {len(series.y)} heights and {len(series.error)} "
            "error bars: give one of each a point, or no error bars"
        )
    if series.names and len(series.names) != len(series.y):
        raise InputError(f"series '{series.label}' has {len(series.y)} points and {len(series.names)} names")


def _draw(axes: Axes, panel: Panel, theme: str) -> None:
    bars = [series for series in panel.series if series.mark == "bars"]
    names = list(dict.fromkeys(name for series in bars for name in series.x))
    above = False  # where the last series has its names
    for series in panel.series:
        colour = getattr(palette(theme), series.role)
        label = series.label or "_nolegend_"  # matplotlib's own word for a series without a name
        x: Sequence[float] | Sequence[str] = series.x
        if bars:
            x = [names.index(name) if name in names else float(name) for name in series.x]
        if series.mark == "bars":
            width = 0.8 / len(bars)
            shift = (bars.index(series) - (len(bars) - 1) / 2) * width
            places = [float(place) + shift for place in x]
            axes.bar(places, series.y, width * 0.9, color=colour, label=label, yerr=series.error or None)
        elif series.mark in ("dots", "path"):
            errors = series.error or None
            sign = "o-" if series.mark == "path" else "o"
            thin = 1.2  # a path only leads the eye; the dots are what was measured
            axes.errorbar(
                x, series.y, yerr=errors, fmt=sign, markersize=4.5, color=colour, label=label, capsize=2, linewidth=thin
            )
            above = not above
            for place, height, name in zip(map(float, x), series.y, series.names, strict=False):
                beside = (4, 4) if above else (4, -10)  # by turns, or lines that cross would hide each other's names
                axes.annotate(name, (place, height), beside, textcoords="offset points", fontsize=7.5, color=colour)
        else:
            axes.plot(x, series.y, color=colour, label=label, linestyle=":" if series.mark == "dotted" else "-")
    if bars:
        axes.set_xticks(range(len(names)), [str(name) for name in names])
    if "x" in panel.log:
        axes.set_xscale("log")
        if not panel.x_ticks:
            _few_ticks(axes)
    if any(series.names for series in panel.series):
        axes.margins(x=0.1)  # room for the last name
    if panel.x_ticks:
        axes.set_xticks(list(panel.x_ticks), [f"{place:g}" for place in panel.x_ticks])
        axes.set_xticks([], minor=True)
    if "y" in panel.log:
        axes.set_yscale("log")
    if panel.y_limits:
        axes.set_ylim(*panel.y_limits)
    axes.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label)
    if sum(bool(series.label) for series in panel.series):
        axes.legend(fontsize=8.5)


def _few_ticks(axes: Axes) -> None:
    """On a logarithmic axis of one or two decades 1, 2 and 5 have numbers and no others: all of them would overlap."""
    low, high = axes.get_xlim()
    if 5 * low < high < 100 * low:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(LogFormatterSciNotation(labelOnlyBase=False, minor_thresholds=(inf, inf)))
        axes.xaxis.set_minor_formatter(NullFormatter())
