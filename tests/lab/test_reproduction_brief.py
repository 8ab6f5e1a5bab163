"""A study in a few lines: what has run is counted, what has not is said to be missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from calm_lab.errors import InputError
from calm_lab.lab.reproduction.brief import brief, brier_of, find_study
from calm_lab.lab.reproduction.results import Store


def test_nothing_run_names_the_command(tmp_path: Path) -> None:
    assert brief("heads", Store(tmp_path)) == (
        "heads (Figs 5, 8, 9), this laboratory's runs: none yet; calm-lab reproduce heads makes them"
    )


def test_what_has_run_has_its_interval_and_its_verdict(tmp_path: Path) -> None:
    store, study = Store(tmp_path), find_study("heads")
    for seed, (energy, flow) in enumerate([(10.0, 8.0), (11.0, 9.1), (12.0, 9.9)]):
        store.write(study.cell("base"), seed, {"metrics": {"brier_lm": energy}})
        store.write(study.cell("flow"), seed, {"metrics": {"brier_lm": flow}})
    store.write(study.cell("diffusion"), 0, {"metrics": {"brier_lm": None}})
    lines = brief("heads", store).splitlines()
    assert lines[3].split() == ["base", "3", "of", "3", "11.00", "±", "2.48"]
    assert lines[5].split() == ["diffusion", "1", "of", "3", "-", "(1", "undefined)"]
    assert lines[6].startswith("holds: energy beats flow (4.70 against about 4.1); BrierLM of base - flow: 2.00 ±")
    assert lines[6].endswith("(3 pairs)")
    assert lines[7].startswith("missing: flow beats diffusion")
    assert " ".join(lines[9:]) == study.remark != ""
    assert brier_of(study.cell("flow"), study, store).mean == pytest.approx(9.0)


def test_an_unknown_study_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="did you mean 'heads'"):
        brief("head")
