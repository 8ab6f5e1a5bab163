"""The section on samples repeats the cards, and only those of models whose language has a parser."""

from __future__ import annotations

import pytest

from calm_lab.lab.reproduction import writing
from calm_lab.model.checkpoint import bundled, read_card


def test_every_card_with_a_parsers_verdict_has_three_rows() -> None:
    rows = [line.split(" | ") for line in writing.writing() if line.startswith("| `")]
    judged = [name for name, folder in bundled().items() if writing._samples(read_card(folder))]
    assert [row[0].strip("| `") for row in rows] == [name for name in judged for _ in range(3)]
    assert set(writing.MAIN) <= set(judged)
    assert not any("andersen" in name for name in judged)


@pytest.mark.parametrize("name", writing.MAIN)
def test_shares_are_those_of_the_card(name: str) -> None:
    found = read_card(bundled()[name])["metrics"]["samples"]["1/3"]["sentences_accepted"]
    (row,) = [line for line in writing.writing() if line.startswith(f"| `{name}` | 1/3 ")]
    assert f"{found['accepted']:,} of {found['total']:,} [" in row


def test_a_long_sample_ends_at_a_word() -> None:
    short = writing._shortened("word " * 100)
    assert short.endswith("word …")
    assert len(short) <= writing._LONGEST + 2
    assert writing._shortened("a  few\nwords") == "a few words"
