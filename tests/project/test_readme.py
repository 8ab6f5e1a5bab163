"""What the READMEs say can be done: commands exist, links lead somewhere, the two languages tell the same."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import calm_lab
from calm_lab.cli.commands import COMMANDS
from calm_lab.cli.train import TRAININGS
from calm_lab.lab.flops import flops
from calm_lab.model.checkpoint import read_card, resolve

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.zh-CN.md")
PAGES = (
    *READMES,
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
)


def text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks(page: str) -> list[str]:
    """The shell and Python blocks of a page, without comments."""
    found = re.findall(r"```(?:sh|python)\n(.*?)```", text(page), re.DOTALL)
    return [re.sub(r"(?<=\s)#.*", "", block) for block in found]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_that_exist(page: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", text(page)) if "://" not in link]
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_the_readmes_have_lists_of_the_same_length() -> None:
    counts = [[len(re.findall(r"^- ", part, re.M)) for part in text(page).split("\n## ")] for page in READMES]
    assert counts[0] == counts[1]
    assert sum(counts[0]) >= 4


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_named_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", text(page), re.MULTILINE))
    assert named - targets == set()


@pytest.mark.parametrize("page", READMES)
def test_every_command_line_exists(page: str) -> None:
    lines = [line for block in blocks(page) for line in block.splitlines() if re.match(r"(\S*/)?calm-lab ", line)]
    assert len(lines) >= 6
    for line in lines:
        words = shlex.split(line)
        assert words[1] in COMMANDS, line
        if words[1] == "train":
            assert words[2] in TRAININGS, line


@pytest.mark.parametrize("page", READMES)
def test_modules_and_notebooks_of_the_map_exist(page: str) -> None:
    paths = re.findall(r"`(calm_lab/[\w/.]*)`", text(page))
    assert len(paths) >= 4
    assert [path for path in paths if not (ROOT / path).exists()] == []
    for notebook in re.findall(r"notebook `(\w+)`", text(page)):
        assert (ROOT / "notebooks" / f"{notebook}.ipynb").exists(), notebook


def test_both_languages_have_the_same_sections_commands_and_numbers() -> None:
    english, chinese = map(text, READMES)
    levels = [re.findall(r"^#+(?= )", page, re.MULTILINE) for page in (english, chinese)]
    assert levels[0] == levels[1]
    assert [" ".join(block.split()) for block in blocks("README.md")] == [
        " ".join(block.split()) for block in blocks("README.zh-CN.md")
    ]
    for number in ("-44%", "-34%", "0.33", "5.72", "6.05", "7860", "3.11", "3.13", "127"):
        assert number in english
        assert number in chinese
    minutes = [
        re.findall(r"^\| `(\d\d)_\w+` \|.*?\| (\d+)(?: to |–)?(\d*) \|", page, re.MULTILINE)
        for page in (english, chinese)
    ]
    assert len(minutes[0]) >= 12
    assert minutes[0] == minutes[1]


def test_the_quoted_saving_is_told_whole() -> None:
    assert re.search(
        r"CALM-M \(371M[^)]*\) with Transformer-S \(281M\), at a\s+BrierLM 0\.33 \*lower\*", text("README.md")
    )


@pytest.mark.parametrize("page", READMES)
def test_what_the_small_language_shows_is_as_its_card_says(page: str) -> None:
    metrics = read_card(resolve("calm-littleland-k4"))["metrics"]
    (written,) = (part for part in re.split(r"^- ", text(page), flags=re.M) if part.count("calm-littleland-k4`") == 1)
    found = metrics["test"]
    assert f"{found['brier_lm']:.1f} ± {found['brier_lm_standard_error']:.1f}" in written
    assert f"{metrics['ceiling']['brier_lm']:.1f}" in written
    assert f"{100 * metrics['share_of_ceiling']:.0f}%" in written
    shares = [f"{100 * metrics['samples'][t]['sentences_accepted']['share']:.0f}%" for t in ("1", "1/2", "1/3")]
    assert re.search("[^.。]*".join(shares), written)
    assert all(sample["stories_accepted"]["accepted"] == 0 for sample in metrics["samples"].values())


@pytest.mark.parametrize("page", READMES)
def test_what_the_main_models_reach_and_cost_is_as_their_cards_and_the_count_say(page: str) -> None:
    calm, transformer = calm_lab.load_model("calm-storyland-k4"), calm_lab.load_transformer("transformer-storyland")
    ours, theirs = (read_card(resolve(name)) for name in ("calm-storyland-k4", "transformer-storyland"))
    baseline = flops(transformer, context=512, attention="causal").per_token
    one, pool = (flops(calm, context=128, attention="causal", pool=n).per_token / baseline for n in (1, 200))
    written = text(page)
    for metrics in (ours["metrics"]["test"], theirs["metrics"]["test_every_4"]):
        assert f"{metrics['brier_lm']:.1f} ± {metrics['brier_lm_standard_error']:.1f}" in written
    assert f"{ours['metrics']['ceiling']['brier_lm']:.1f}" in written
    assert f"{100 * ours['metrics']['share_of_ceiling']:.0f}%" in written
    assert re.search(rf"T = 1[^;；]*{one:.2f}[^;；]*[;；][^.。]*T = 1/2[^.。]*200[^.。]*{pool:.0f}", written)
    assert theirs["tokens"] / ours["tokens"] == pytest.approx(0.1)  # "a tenth of the text"
