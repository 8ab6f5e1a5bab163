"""Agreement with the official implementation on every recorded array, at the tolerances the record asks for."""

from __future__ import annotations

import pytest

from tests.model.golden import GOLDEN, needs_golden
from tests.model.parity_table import SOURCES, Row, by_file, compared, main

pytestmark = needs_golden


@pytest.mark.parametrize("name", SOURCES)
def test_every_recorded_array_agrees(name: str) -> None:
    worst = [row for _, rows in compared(name) for row in rows if not row.error <= row.tolerance]  # nan fails too
    assert worst == []
    assert {(record.file, left) for record, _ in compared(name) for left in record.unread} == set()


def test_no_recorded_file_is_left_out() -> None:
    read = {record.file for name in SOURCES for record, _ in compared(name)}
    files = {str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*.safetensors")}
    weights = {file for file in files if file.endswith("/model.safetensors")}  # every row of a folder reads these
    assert files - weights - read == set()


def test_the_table_can_fail() -> None:
    """The energy head's noise is centred; without that, the comparison must see it."""
    from calm_lab.model.heads import EnergyHead
    from tests.model.parity_table import Record, load_calm

    record, model = Record(GOLDEN / "energy_k4" / "io.safetensors"), load_calm("energy_k4")
    assert isinstance(model.head, EnergyHead)
    row = record.absolute("head_latents", model.head.sample(record["hidden_states"], record["head_noise_u"]))
    assert isinstance(row, Row)
    assert row.error > 100 * row.tolerance


@pytest.mark.parametrize(("options", "least"), [([], 91), (["--by-file"], 10)])
def test_the_table_prints(options: list[str], least: int, capsys: pytest.CaptureFixture[str]) -> None:
    main(options)
    head, _, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= least
    assert {line.count("|") for line in lines} == {head.count("|")} == {6}
    if options:
        assert len({line.split("|")[1] for line in lines}) == len(lines)


def test_the_worst_of_a_file_is_the_one_nearest_to_its_tolerance() -> None:
    rows = [Row("f", "c", 0, "exact", 0), Row("f", "a", 2e-5, "absolute", 1e-4), Row("f", "b", 9e-6, "relative", 1e-5)]
    assert by_file(rows) == [Row("f", "worst of 3: b", 9e-6, "relative", 1e-5)]
    (wrong,) = by_file([*rows, Row("f", "d", 1, "exact", 0)])
    assert wrong.quantity == "worst of 4: d"
