"""The picture to have in mind before any formula: CALM's loop, and where its training target comes from.

What: one drawing with real tokens. Chunks go in, a Transformer over chunks gives a hidden state, the head turns it and
some noise into the next vector, the decoder turns that vector into the next chunk, which goes in again.
Where: paper sec. 3 (the loop), sec. 2 (encoder and decoder).

Notebook: 00.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from calm_lab.errors import InputError
from calm_lab.lab.figures import DPI, StillFigure, draw_box, latent_colour_map
from calm_lab.lab.palette import chunk_colour, palette

_STRIP = (0.9, -0.6, 0.1, -0.2, 0.7, -0.9, 0.4, -0.1, 0.6, -0.5, 0.2, -0.8)  # stands for any vector


def loop_figure(chunks: Sequence[str], following: str, theme: str = "light") -> StillFigure:
    """Draw the loop for a text of a few chunks.

    Args:
        chunks: texts of the chunks read so far, two to four of them.
        following: text of the chunk that comes next.
        theme: ``light`` or ``dark``.

    Raises:
        InputError: for fewer than two or more than four chunks.
    """
    if not 2 <= len(chunks) <= 4:
        raise InputError(f"the drawing has room for 2 to 4 chunks, not {len(chunks)}")
    colours = palette(theme)
    figure = StillFigure(figsize=(9.2, 3.5), dpi=DPI, facecolor=colours.paper)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, 92)
    axes.set_ylim(0, 35)
    width, gap = 54 / len(chunks), 1.5
    centres = [1 + width * (i + 0.5) for i in range(len(chunks))]
    for index, (centre, text) in enumerate(zip(centres, chunks, strict=True)):
        _box(axes, centre, 3.5, width - gap, 4, text, chunk_colour(index, theme), theme, mono=True)
        _arrow(axes, (centre, 5.8), (centre, 12.2), theme)
    _box(axes, 28, 15, 54, 5, "Transformer over chunks: one position a chunk, not one a token", colours.well, theme)
    last = centres[-1]
    _arrow(axes, (last, 17.7), (last, 21.8), theme)
    _box(axes, last, 24, 15, 4, "hidden state h", colours.accent_soft, theme)
    _box(axes, 65, 24, 12, 6, "energy\nhead", colours.well, theme)
    _arrow(axes, (last + 7.7, 24), (58.7, 24), theme)
    _box(axes, 65, 32, 12, 3.6, r"noise $\epsilon$", colours.accent_soft, theme)
    _arrow(axes, (65, 30), (65, 27.2), theme)
    _arrow(axes, (71.2, 24), (76, 24), theme)
    _strip(axes, 76.6, 22.4, theme)
    axes.text(83.4, 27, "next vector z", ha="center", color=colours.sample, fontsize=9.5)
    _arrow(axes, (83.4, 21.8), (83.4, 17.8), theme)
    _box(axes, 83.4, 15, 13.6, 5, "decoder", colours.well, theme)
    _arrow(axes, (83.4, 12.2), (83.4, 5.8), theme)
    _box(axes, 73.6, 3.5, 33.4, 4, following, chunk_colour(len(chunks), theme), theme, mono=True)
    note: dict[str, Any] = {"color": colours.muted, "fontsize": 8.5, "style": "italic"}
    axes.text(centres[0] + 1, 8.4, "embed K tokens,\nsqueeze them into one", va="center", **note)
    axes.text(82, 8.4, "the next chunk,\nread in its turn", ha="right", va="center", **note)
    axes.text(1.4, 32, "No softmax over a vocabulary, no probabilities:\nthe head only hands out samples.", va="center")
    return figure


def _box(
    axes: Axes, x: float, y: float, width: float, height: float, text: str, fill: str, theme: str, mono: bool = False
) -> None:
    colours = palette(theme)
    draw_box(axes, (x - width / 2, y - height / 2), (width, height), fill, colours.line)
    family = "monospace" if mono else "sans-serif"
    axes.text(x, y, text, ha="center", va="center", family=family, fontsize=9.5, color=colours.ink)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], theme: str) -> None:
    look = {"arrowstyle": "-|>", "color": palette(theme).muted, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=look)


def _strip(axes: Axes, left: float, bottom: float, theme: str) -> None:
    shades = latent_colour_map(theme)
    step = 13.6 / len(_STRIP)
    for place, value in enumerate(_STRIP):
        draw_box(
            axes, (left + place * step, bottom), (step, 3.2), to_hex(shades((value + 1) / 2)), palette(theme).paper
        )
