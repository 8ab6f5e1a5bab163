"""The pages for teachers: complete in both languages, true to the notebooks, and their numbers those of our counts."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from calm_lab.lab.cheatsheet import SIZE, cheatsheet_figure, columns, write_cheatsheet
from calm_lab.lab.fine_print import decoder_share, frontier, low_temperature_cost
from calm_lab.lab.table1 import headline, table_1

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
HAN = re.compile("[\u4e00-\u9fff]")


def text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def rows(page: str) -> list[list[str]]:
    """The cells of a page's tables, headings left out."""
    lines = text(page).splitlines()
    bodies = [line for line in lines if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in bodies]
    return [row for row in cells if not set("".join(row)) <= set("-")]


def test_every_term_has_both_languages() -> None:
    found = rows("docs/glossary.md")
    assert len(found) >= 50
    for row in found:
        if row[0] in ("letter", "English"):
            continue
        assert len(row) == 3, row
        assert HAN.search(row[1] + row[2]) or row[0].startswith("Brier"), row
        if "·" in row[2]:
            english, chinese = row[2].rsplit("·", 1)
            assert re.search("[A-Za-z]", english), row
            assert HAN.search(chinese), row


def test_every_letter_of_the_architecture_page_is_in_the_glossary() -> None:
    lines = [line for line in text("docs/architecture.md").splitlines() if line.startswith("|")]
    letters = {letter for line in lines for letter in re.findall(r"(?<=\| )[A-Za-z](?= \|)", line)}
    assert letters == set("BTSKldsVNMn")
    assert letters <= {row[0] for row in rows("docs/glossary.md")}


def test_the_numbers_of_the_errata_are_our_counts() -> None:
    page = text("docs/errata.md")
    calm, large, medium, _ = headline()
    assert (calm.calm, calm.transformer) == ("CALM-M", "Transformer-S")
    assert f"**{-calm.brier_lm:.2f} lower**" in page
    assert f"takes {large.training:.0%} *more* training and {large.inference:.0%} more inference" in page
    assert f"takes {-medium.inference:.0%} less" in page
    assert f"BrierLM {-medium.brier_lm:.2f} lower" in page
    share = {row.model: row for row in decoder_share()}["CALM-M"].vocabulary_share
    assert f"in the decoder: {share:.0%} of a token" in page
    assert f"takes {low_temperature_cost(200)[0].over_one_draw:.0f} times the FLOPs" in page
    counts = {row.paper.model: row for row in table_1()}
    assert f"{counts['CALM-M'].exact.trained_parameters / 1e6:.1f}M, " in page
    assert f"{counts['CALM-L'].exact.trained_parameters / 1e6:.1f}M and " in page
    largest = counts["CALM-XL"]
    assert f"gives {largest.gap('training'):.1%} (training) and {largest.gap('inference'):.1%} (inference) more" in page
    gap = next(row for row in frontier() if row.model == "CALM-XL" and row.at == "training")
    assert f"stands {gap.log - gap.brier_lm:.2f} below" in page


def test_the_teaching_page_names_what_exists() -> None:
    page = text("docs/teaching.md")
    named = set(re.findall(r"\b(0\d|1\d)\b", page.split("## Before the day")[0]))
    assert named <= {name[:2] for name in NOTEBOOKS}
    for minutes in re.findall(r"## 90 minutes\n(.*?)\n## ", page, re.DOTALL):
        assert sum(int(cell) for cell in re.findall(r"^\| (\d+) \|", minutes, re.MULTILINE)) == 90


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_map_lists_every_notebook(page: str) -> None:
    for name in NOTEBOOKS:
        assert re.search(rf"^\| \[?`{name}`\]?", text(page), re.MULTILINE), f"{page} has no row for {name}"


def test_the_sheet_is_one_small_page_and_its_boxes_hold_their_text(tmp_path: Path) -> None:
    written = write_cheatsheet(tmp_path / "sheet.pdf").read_bytes()
    if f"matplotlib=={version('matplotlib')}\n" in (ROOT / "constraints.txt").read_text("utf-8"):
        assert written == (ROOT / "docs/cheatsheet.pdf").read_bytes(), "run: make cheatsheet"
    assert written.count(b"/Type /Page ") == 1
    assert len(written) <= 100_000
    figure = cheatsheet_figure()
    (axes,) = figure.axes
    renderer = FigureCanvasAgg(figure).get_renderer()
    width = (SIZE[0] - 2 * 0.35 - 2 * 0.22) / 3
    for drawn in axes.texts[2:]:
        box = drawn.get_window_extent(renderer).transformed(axes.transData.inverted())
        place = int((drawn.get_position()[0] - 0.35) // (width + 0.22))
        assert box.x1 <= 0.35 + place * (width + 0.22) + width, drawn.get_text()
    for column in columns():
        assert 0.78 + sum(block.height for block in column) <= SIZE[1] - 0.35
