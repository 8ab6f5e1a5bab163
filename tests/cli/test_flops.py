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


def test_every_part_of_the_price_has_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    """Each option moves the count to what the function says of it."""

    def cells(part: str, *words: str) -> list[str]:
        assert cli.main(["flops", "--preset", "tiny", *words]) == 0
        shown = capsys.readouterr().out.split("token Transformer, preset")[0]
        (line,) = [line for line in shown.splitlines() if line.startswith(part)]
        return line.removeprefix(part).split()

    head = "generative head"  # parameters, training, generation, share
    flow = float(cells(head, "--head", "flow")[2])
    assert float(cells(head, "--head", "flow", "--solver", "euler")[2]) == pytest.approx(flow / 2, rel=0.01)
    assert float(cells(head, "--head", "flow", "--steps", "5")[2]) == pytest.approx(flow / 2, rel=0.01)
    assert float(cells(head, "--samples", "3")[1]) < float(cells(head)[1])
    assert cells("input compression", "--input", "both")[0] != cells("input compression")[0]


@pytest.mark.parametrize(
    "words",
    [
        ["--preset", "huge"],
        ["--chunk-size", "0"],
        ["--context", "0"],
        ["--head", "flaw"],
        ["--model", "none"],
        ["--steps", "0"],
    ],
)
def test_what_cannot_be_counted_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["flops", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
