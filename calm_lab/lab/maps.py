"""Maps in the house's visual language: thousands of points in a plane, some of them named, ringed or joined.

What: a ``MapView`` is one picture of points; ``maps_figure`` draws several in a row. The same rows can be ringed in all
of them, which is what a linked view is: neighbours of the vectors need not be neighbours in every picture.
Where: the points come from ``calm_lab.lab.latent_map``.

Notebook: 04.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.lab.figures import DPI, StillFigure, apply_style
from calm_lab.lab.palette import palette

DOT = 1.2  # area of a dot on a map of FULL points, square points; fewer points get larger dots
FULL = 24_000


@dataclass(frozen=True, eq=False)
class MapView:
    """One picture of many points.

    Attributes:
        title: above it.
        places: where the points are, (R, 2).
        group: which of ``names`` each point belongs to, (R,); None for one colour.
        names: what the groups are called, at most seven.
        rings: rows to ring, the first of them large.
        path: places joined by a line, (n, 2).
        note: below it, for numbers.
        quiet: whether the first group is most of the points and stays in the background.
    """

    title: str
    places: Tensor
    group: Tensor | None = None
    names: Sequence[str] = field(default=())
    rings: Sequence[int] = field(default=())
    path: Tensor | None = None
    note: str = ""
    quiet: bool = True


def maps_figure(views: Sequence[MapView], height: float = 3.6, theme: str = "light") -> StillFigure:
    """Draw maps in a row; the names of groups stand once, below them.

    Args:
        views: one to three of them.
        height: inches.
        theme: ``light`` or ``dark``.

    Raises:
        InputError: for no view or more than three, points that do not lie in a plane, more than seven groups, or a
            group without a name.
    """
    if not 1 <= len(views) <= 3:
        raise InputError(f"a row has room for 1 to 3 maps, not {len(views)}")
    for view in views:
        if view.places.ndim != 2 or view.places.shape[1] != 2:
            raise InputError(f"map '{view.title}' holds points of shape {tuple(view.places.shape)}: give (R, 2)")
        if len(view.names) > len(_colours(theme)):
            raise InputError(
                f"a map tells at most {len(_colours(theme))} groups apart, not {len(view.names)}: join some"
            )
        if view.group is not None and int(view.group.max()) >= len(view.names):
            raise InputError(f"map '{view.title}' has a group without a name: give one name for each group")
    apply_style(theme)
    colours = palette(theme)
    figure = StillFigure(figsize=(min(9.2, 4.6 * len(views)), height), dpi=DPI, layout="constrained")
    for axes, view in zip(figure.subplots(1, len(views), squeeze=False)[0], views, strict=True):
        places = view.places.tolist()
        dot = DOT * max(1.0, FULL / len(places)) ** 0.5
        if view.group is None:
            axes.scatter(*zip(*places, strict=True), s=dot, color=colours.line, linewidths=0)
        for number, (name, colour) in enumerate(zip(view.names, _colours(theme, view.quiet), strict=False)):
            rows = [] if view.group is None else (view.group == number).nonzero().flatten().tolist()
            if rows:
                axes.scatter(
                    *zip(*[places[row] for row in rows], strict=True), s=4 / 3 * dot, color=colour, linewidths=0
                )
                axes.scatter([], [], s=22, color=colour, label=name)  # what the legend shows
        for order, row in enumerate(view.rings):
            size, width = (110, 2.2) if order == 0 else (34, 1.4)
            axes.scatter(*places[row], s=size, facecolors="none", edgecolors=colours.ink, linewidths=width)
        if view.path is not None:
            axes.plot(*view.path.T.tolist(), color=colours.ink, marker="o", markersize=2.5, linewidth=1.2)
        axes.set(title=view.title, xticks=[], yticks=[])
        axes.set_xlabel(view.note)
    if views[0].names:
        figure.legend(*figure.axes[0].get_legend_handles_labels(), fontsize=8, loc="outside lower center", ncols=7)
    return figure


def _colours(theme: str, quiet: bool = True) -> tuple[str, ...]:
    """Seven colours that stay apart; the first may be quiet, for the group that most points belong to."""
    found = palette(theme)
    return (
        found.line if quiet else found.muted,
        found.accent,
        found.sample,
        found.target,
        found.sigma,
        found.error,
        found.chunk_edge[1],
    )
