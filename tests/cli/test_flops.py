"""``calm-lab flops``: a thin cover over ``calm_lab.lab.flops``, whose numbers are tested there."""

from __future__ import annotations

import pytest

from calm_lab import cli


def test_a_preset_is_shown_beside_its_transformer(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["flops", "--preset", "tiny", "--chunk-size", "2", "--pool", "200"]) == 0
    shown = capsys.readouterr().out
    assert "CALM, preset tiny (K = 2, N = 8, pool 200" in shown
    assert "token Transformer, preset tiny" in shown
    assert "Table 1" not in shown


def test_the_papers_table_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["flops", "--preset", "M", "--convention", "paper", "--paper"]) == 0
    assert "Table 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["--preset", "huge"], ["--chunk-size", "0"], ["--context", "0"], ["--head", "flaw"], ["--model", "none"]]
)
def test_what_cannot_be_counted_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["flops", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
