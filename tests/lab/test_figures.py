"""Still figures: every token is on the picture, marks are where they belong, and bad input is answered."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from calm_lab.errors import InputError
from calm_lab.lab import figures
from calm_lab.lab.figures import (
    CHAR,
    DPI,
    ChunkRow,
    apply_style,
    chunk_figure,
    latent_colour_map,
    printable,
    reading_figure,
)
from calm_lab.lab.palette import palette
from calm_lab.lab.schematic import loop_figure
from calm_lab.lab.vectors import Reading


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@dataclass
class Box:
    left: float
    right: float
    top: float
    fill: tuple[float, ...]


def boxes(figure: Figure) -> list[Box]:
    found = []
    for shape in figure.axes[0].patches:
        (left, top), (right, _) = shape.get_path().get_extents().get_points()
        found.append(Box(left, right, top, shape.get_facecolor()))
    return found


def reading(sigma: float = 0.0, decoded: list[list[int]] | None = None) -> Reading:
    """Two chunks of two tokens, a padding at the end, three numbers a vector."""
    ids = torch.tensor([[4, 5], [6, 0]])
    back = torch.tensor(decoded) if decoded else ids
    names = {0: "<pad>", 4: "one", 5: " day", 6: ".", 7: " night"}
    shown = [[names[i] for i in chunk] for chunk in ids.tolist()]
    shown_back = [[names[i] for i in chunk] for chunk in back.tolist()]
    vectors = torch.tensor([[0.5, -1.0, 0.0], [2.0, 0.1, -0.3]])
    return Reading(
        vocab_size=8,
        sigma=sigma,
        ids=ids,
        tokens=shown,
        roles=[[None, None], [None, "pad"]],
        counted=ids != 0,
        mean=vectors,
        std=vectors.abs(),
        bits=vectors.abs(),
        z=vectors,
        decoded=back,
        decoded_tokens=shown_back,
        decoded_roles=[[None, None], [None, "pad"]],
        spread=[[None, None], [None, None]],
        decoded_spread=[[None, None], [None, None]],
        confidence=torch.ones(2, 2),
        decoded_text="".join(shown_back[0]),
    )


def test_every_label_and_token_is_drawn_and_every_chunk_has_its_box() -> None:
    rows = [ChunkRow("T = 1", [["a ", "b "], ["c ", "d "]]), ChunkRow("T = 1/2", [["e "]])]
    figure = chunk_figure(rows)
    assert texts(figure) == ["T = 1", "a ", "b ", "c ", "d ", "T = 1/2", "e "]
    assert len(boxes(figure)) == 3


def test_a_token_is_no_wider_than_its_place() -> None:
    """Fonts are hinted to whole pixels; at another size the letters of two tokens would be drawn over each other."""
    apply_style()
    figure = chunk_figure([ChunkRow("", [["mmmmmmmmmm" * 4]])])
    FigureCanvasAgg(figure).draw()
    drawn = next(text for text in figure.axes[0].texts if text.get_text().startswith("m"))
    assert drawn.get_window_extent().width <= 40 * CHAR * DPI + 1  # pixels


def test_chunks_are_wrapped_whole_within_the_columns() -> None:
    figure = chunk_figure([ChunkRow("", [["12345 "]] * 9)], columns=20)
    lines = {round(box.top, 3) for box in boxes(figure)}
    assert max(box.right for box in boxes(figure)) <= 20 + 2 < figure.get_figwidth() / CHAR
    assert len(lines) == 5  # two of 7 columns a line
    assert chunk_figure([ChunkRow("", [["x" * 50]])], columns=20).get_figwidth() == pytest.approx(22.5 * CHAR)


def test_wrong_tokens_are_red_and_underlined_without_their_spaces() -> None:
    figure = chunk_figure([ChunkRow("", [["ab ", " cd "], ["ef "]], wrong=[[False, True], [False]])])
    (line,) = figure.axes[0].lines
    left, right = line.get_xdata()
    assert right - left == 2
    red = [t.get_text() for t in figure.axes[0].texts if t.get_color() == palette().error]
    assert red == [" cd "]


def test_given_chunks_are_not_filled() -> None:
    figure = chunk_figure([ChunkRow("", [["a "], ["b "]], given=1)])
    given, written = (box.fill for box in boxes(figure))
    assert given != written


def test_what_breaks_a_line_or_begins_a_formula_is_harmless() -> None:
    assert [printable(token) for token in ("a\nb", "\r\n", "\t", "", " ")] == ["a↵b", "↵", "→", "∅", " "]
    figure = chunk_figure([ChunkRow("", [["$x", "^2$"]])])
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_a_reading_shows_text_vectors_and_what_came_back() -> None:
    figure = reading_figure([reading(), reading(0.3, [[4, 7], [6, 0]])])
    drawn = texts(figure)
    assert "its vector: 3 numbers" in drawn
    assert {"back, noise 0", "back, noise 0.3"} <= set(drawn)
    assert drawn.count(" night") == 1
    (image,) = figure.axes[0].images
    assert image.get_array().tolist() == reading().mean.tolist()
    red = [t.get_text() for t in figure.axes[0].texts if t.get_color() == palette().error]
    assert red == [" night"]


def test_zero_is_the_middle_of_the_latent_colours() -> None:
    shades = latent_colour_map()
    middle = [int(palette().latent_zero[i : i + 2], 16) for i in (1, 3, 5)]
    assert [255 * c for c in shades(0.5)[:3]] == pytest.approx(middle, abs=2)


def test_pictures_are_the_same_every_time_and_in_both_themes_differ() -> None:
    light, again, dark = (
        loop_figure(["a", "b"], "c"),
        loop_figure(["a", "b"], "c"),
        loop_figure(["a", "b"], "c", "dark"),
    )
    assert light._repr_png_() == again._repr_png_()
    assert light._repr_png_() != dark._repr_png_()


def test_the_style_is_the_palettes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures.mpl, "rcParams", {})
    figures.apply_style("dark")
    assert figures.mpl.rcParams["figure.facecolor"] == palette("dark").paper
    assert figures.mpl.rcParams["figure.dpi"] == figures.DPI


@pytest.mark.parametrize(
    "call",
    [
        lambda: chunk_figure([]),
        lambda: reading_figure([]),
        lambda: chunk_figure([ChunkRow("", [["a"]])], theme="sepia"),
        lambda: figures.apply_style("sepia"),
        lambda: loop_figure(["a"], "b"),
        lambda: loop_figure(["a"] * 5, "b"),
    ],
)
def test_bad_input_is_an_input_error(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        call()


def test_readings_of_different_texts_are_refused() -> None:
    other = Reading(**{**reading().__dict__, "ids": torch.tensor([[5, 4], [6, 0]])})
    with pytest.raises(InputError, match="different texts"):
        reading_figure([reading(), other])
