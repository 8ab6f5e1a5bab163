"""Clouds of points in a plane: what a model drew as dots, what is true as rings, and the pull on every dot as an arrow.

Why: the energy score compares two clouds (paper sec. 3.2), and in two dimensions a cloud can be looked at.

Notebook: 05.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.lab.figures import DPI, StillFigure, apply_style
from calm_lab.lab.palette import palette


@dataclass(frozen=True, eq=False)
class Cloud:
    """One picture of samples and targets.

    Attributes:
        title: above it.
        samples: what the model drew, (N, 2).
        targets: what is true, (M, 2).
        arrows: a vector from every sample, (N, 2); None for none.
        note: below it, for numbers.
    """

    title: str
    samples: Tensor
    targets: Tensor
    arrows: Tensor | None = None
    note: str = ""


def clouds_figure(clouds: Sequence[Cloud], limit: float, height: float = 3.3, theme: str = "light") -> StillFigure:
    """Draw clouds in a row, all to the same scale.

    Args:
        clouds: one to four of them.
        limit: both coordinates are shown from ``-limit`` to ``limit``.
        height: inches.
        theme: ``light`` or ``dark``.

    Raises:
        InputError: for no cloud or more than four, or points that do not lie in a plane.
    """
    if not 1 <= len(clouds) <= 4:
        raise InputError(f"a row has room for 1 to 4 clouds, not {len(clouds)}")
    for cloud in clouds:
        for points in (cloud.samples, cloud.targets, cloud.samples if cloud.arrows is None else cloud.arrows):
            if points.ndim != 2 or points.shape[1] != 2:
                raise InputError(f"cloud '{cloud.title}' holds points of shape {tuple(points.shape)}: give (N, 2)")
    apply_style(theme)
    colours = palette(theme)
    size = (min(9.2, 3.05 * len(clouds)), height)
    figure = StillFigure(figsize=size, dpi=DPI, layout="compressed")  # leaves room for titles over square axes
    for axes, cloud in zip(figure.subplots(1, len(clouds), squeeze=False)[0], clouds, strict=True):
        axes.scatter(*cloud.samples.T.tolist(), s=14, color=colours.sample, alpha=0.95, linewidths=0)
        axes.scatter(
            *cloud.targets.T.tolist(), s=40, facecolors="none", edgecolors=colours.target, alpha=0.5, linewidths=0.9
        )
        if cloud.arrows is not None:
            places, lengths = cloud.samples.T.tolist(), cloud.arrows.T.tolist()
            axes.quiver(*places, *lengths, color=colours.accent, angles="xy", scale_units="xy", scale=1, width=0.008)
        axes.set(title=cloud.title, xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[], aspect="equal")
        axes.set_xlabel(cloud.note)
    return figure
