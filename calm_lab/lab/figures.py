"""Still figures in the app's visual language: chunks as coloured boxes, vectors as strips, wrong tokens underlined.

What: matplotlib twins of what the app draws in the browser, so that a chunk is the same thing on a page, in a notebook
and in print. Text is set in a monospaced font, which makes the width of a box known without asking a renderer.
Why: a notebook's picture must survive on a page that runs nothing, GitHub for example.
Where: colours come from ``calm_lab.lab.palette``; the readings from ``calm_lab.lab.vectors``.

Notebooks: 00 and on. App tabs: Tokens and vectors, Generate.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from calm_lab.errors import InputError
from calm_lab.lab.palette import chunk_colour, palette
from calm_lab.lab.vectors import Reading

DPI = 80  # a notebook is committed with its pictures: small files
FONT_SIZE = 9.0  # points: a character is 6 pixels then, with hinting or without, and tokens do not run together
CHAR = 0.602 * FONT_SIZE / 72  # inches; DejaVu Sans Mono is 0.602 em wide
LINE = 0.27  # inches from one line of boxes to the next
STRIP = 3.0  # inches of a heat strip
PAD = 0.5  # columns between a box's edge and its text


@dataclass(frozen=True)
class ChunkRow:
    """One text to draw: its chunks, each a list of tokens.

    Attributes:
        label: what stands to the left of it.
        chunks: what to show for each token, spaces included.
        wrong: true for tokens to underline, one list a chunk; empty for none.
        given: how many leading chunks were given rather than written; they are drawn without a fill.
    """

    label: str
    chunks: Sequence[Sequence[str]]
    wrong: Sequence[Sequence[bool]] = field(default=())
    given: int = 0


class StillFigure(Figure):
    """A figure that a notebook shows as a small PNG, whatever pyplot is set to."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})  # the same picture, the same bytes
        return buffer.getvalue()


def apply_style(theme: str = "light") -> None:
    """Give every later matplotlib figure of this process the palette's colours and the notebooks' size.

    Args:
        theme: ``light`` or ``dark``.

    Raises:
        InputError: for another name.
    """
    colours = palette(theme)
    mpl.rcParams.update(
        {
            "figure.dpi": DPI,
            "savefig.dpi": DPI,
            "figure.facecolor": colours.paper,
            "savefig.facecolor": colours.paper,
            "axes.facecolor": colours.card,
            "axes.edgecolor": colours.line,
            "axes.labelcolor": colours.muted,
            "axes.titlecolor": colours.ink,
            "axes.titlesize": 10.5,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=[colours.accent, colours.sample, colours.target, colours.sigma]),
            "font.size": 9.5,
            "text.color": colours.ink,
            "xtick.color": colours.muted,
            "ytick.color": colours.muted,
            "grid.color": colours.line,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
        }
    )


def latent_colour_map(theme: str = "light") -> LinearSegmentedColormap:
    """The colours of a latent coordinate: negative, zero, positive."""
    colours = palette(theme)
    stops = [colours.latent_negative, colours.latent_zero, colours.latent_positive]
    return LinearSegmentedColormap.from_list("calm_latent", stops)


def printable(token: str) -> str:
    """A token in one line: what would break the line or show nothing is drawn as a sign."""
    shown = token.replace("\r", "").replace("\n", "↵").replace("\t", "→")
    return shown if shown else "∅"


def chunk_figure(rows: Sequence[ChunkRow], columns: int = 88, theme: str = "light") -> StillFigure:
    """Texts as coloured chunks, one below the other, each with its label.

    Args:
        rows: the texts.
        columns: characters in a line; chunks are wrapped whole.
        theme: ``light`` or ``dark``.

    Raises:
        InputError: for no rows, or a theme that does not exist.
    """
    if not rows:
        raise InputError("there is nothing to draw: give at least one row")
    margin = max(len(row.label) for row in rows) + 2
    placed = [list(_places(row.chunks, columns)) for row in rows]
    heights = [max((line for _, line, _ in places), default=0) + 1.35 for places in placed]
    figure, axes = _canvas(margin + columns + 0.5, sum(heights), theme)  # a full line keeps its last edge
    top = 0.0
    for row, places, height in zip(rows, placed, heights, strict=True):
        axes.text(0, top + 0.5, row.label, va="center", color=palette(theme).muted, fontsize=FONT_SIZE)
        for index, line, column in places:
            wrong = row.wrong[index] if row.wrong else ()
            _draw_chunk(axes, row.chunks[index], wrong, index, (margin + column, top + line), index < row.given, theme)
        top += height
    return figure


def reading_figure(readings: Sequence[Reading], theme: str = "light") -> StillFigure:
    """A text, its vectors, and what came back: one line a chunk, one column more for every reading.

    Args:
        readings: the same text read with different noise; the vectors shown are the first one's posterior means.
        theme: ``light`` or ``dark``.

    Raises:
        InputError: for no readings, or readings of different texts.
    """
    if not readings:
        raise InputError("there is nothing to draw: give at least one reading")
    first = readings[0]
    if any(reading.ids.tolist() != first.ids.tolist() for reading in readings):
        raise InputError("readings of different texts cannot stand side by side: read the same text each time")
    colours = palette(theme)
    columns = [first.tokens, *(reading.decoded_tokens for reading in readings)]
    widths = [max(_width(chunk) for chunk in column) + 2 for column in columns]
    strip = round(STRIP / CHAR)
    lefts = np.cumsum([0, widths[0], strip + 3, *widths[1:]]).tolist()
    size = first.ids.shape[0]
    figure, axes = _canvas(lefts[-1], size + 1.5, theme)
    titles = ["text", f"its vector: {first.mean.shape[1]} numbers", *(f"back, noise {r.sigma:g}" for r in readings)]
    for left, title in zip(lefts, titles, strict=False):
        axes.text(left, 0.5, title, va="center", color=colours.muted, fontsize=FONT_SIZE)
    limit = float(first.mean.abs().max())
    axes.imshow(
        first.mean.numpy(),
        cmap=latent_colour_map(theme),
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
        extent=(lefts[1], lefts[1] + strip, size + 1.5, 1.5),
    )
    for edge in range(size + 1):  # paper between the strips: every chunk has its own
        axes.plot([lefts[1], lefts[1] + strip], [edge + 1.5] * 2, color=colours.paper, linewidth=3)
    axes.set_xlim(0, lefts[-1])
    axes.set_ylim(size + 1.5, 0)
    for index in range(size):
        _draw_chunk(axes, first.tokens[index], (), index, (0, 1.5 + index), False, theme)
        for left, reading in zip(lefts[2:], readings, strict=False):
            wrong = reading.wrong[index].tolist()
            _draw_chunk(axes, reading.decoded_tokens[index], wrong, index, (left, 1.5 + index), False, theme)
    return figure


def draw_box(axes: Axes, corner: tuple[float, float], size: tuple[float, float], fill: str, edge: str) -> None:
    """Draw a filled rectangle from its corner with the smallest coordinates, in the units of the axes."""
    (x, y), (width, height) = corner, size
    outline = ([x, x + width, x + width, x], [y, y, y + height, y + height])
    axes.fill(*outline, facecolor=fill, edgecolor=edge, linewidth=0.7)


def _canvas(columns: float, lines: float, theme: str) -> tuple[StillFigure, Axes]:
    """A figure whose unit is a character across and a line down."""
    figure = StillFigure(figsize=(columns * CHAR, lines * LINE), dpi=DPI, facecolor=palette(theme).paper)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, columns)
    axes.set_ylim(lines, 0)
    return figure, axes


def _places(chunks: Sequence[Sequence[str]], columns: int) -> Iterator[tuple[int, int, float]]:
    """Index, line and column of every chunk, wrapped whole."""
    line, column = 0, 0.0
    for index, chunk in enumerate(chunks):
        width = _width(chunk)
        if column and column + width > columns:
            line, column = line + 1, 0.0
        yield index, line, column
        column += width


def _draw_chunk(
    axes: Axes,
    tokens: Sequence[str],
    wrong: Sequence[bool],
    index: int,
    corner: tuple[float, float],
    given: bool,
    theme: str,
) -> None:
    colours = palette(theme)
    left, top = corner
    shown = [printable(token) for token in tokens]
    edge = colours.line if given else colours.chunk_edge[index % len(colours.chunk_edge)]
    fill = colours.card if given else chunk_colour(index, theme)
    draw_box(axes, (left + 0.1, top + 0.07), (_width(tokens) - 0.2, 0.86), fill, edge)
    left += PAD
    marks = [*wrong, *[False] * (len(shown) - len(wrong))]
    for text, bad in zip(shown, marks, strict=True):
        ink = colours.error if bad else colours.muted if given else colours.ink
        drawn = text.replace("$", r"\$")  # a dollar sign would begin a formula
        axes.text(left, top + 0.5, drawn, va="center", family="monospace", fontsize=FONT_SIZE, color=ink)
        if bad:
            start = left + len(text) - len(text.lstrip())
            axes.plot([start, left + len(text.rstrip())], [top + 0.84] * 2, color=colours.error, linewidth=1.4)
        left += len(text)


def _width(tokens: Sequence[str]) -> float:
    """Columns that the box of a chunk takes."""
    return sum(len(printable(token)) for token in tokens) + 2 * PAD
