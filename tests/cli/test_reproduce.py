"""``calm-lab reproduce``: a thin cover over ``calm_lab.lab.reproduction``, which is tested there."""

from __future__ import annotations

from pathlib import Path

import pytest

from calm_lab import cli


def test_the_list_has_every_study(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["reproduce", "--list", "--results", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [
        "start", "regularisers", "chunk-size", "table-1", "heads",
        "temperature", "samples", "alpha", "input", "diversity", "andersen",
    ]  # fmt: skip
    assert all(" 0 of " in line for line in lines[1:-1])


def test_verdicts_are_asked_for_by_study(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["reproduce", "heads", "--verdicts", "--results", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("heads (Figs 5, 8, 9)\n")
    assert out.count("missing") == 2


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["hds"], "did you mean 'heads'?"),
        (["--scale", "huge"], "nano"),
        (["--seeds", "0", "--list"], "at least 1"),
        (["--jobs", "0"], "at least 1"),
    ],
)
def test_mistakes_are_one_line(words: list[str], remedy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reproduce", *words]) == 2
    err = capsys.readouterr().err
    assert remedy in err
    assert err.count("\n") == 1
