"""The benchmarks run at tiny sizes, write what they say, and the committed page is what the committed results say."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import bench, growth, measure, profile, report, stream
from benchmarks.cases import CASES


@pytest.mark.parametrize("name", CASES)
def test_every_case_runs_on_each_of_its_sides(name: str) -> None:
    row = bench.compare(name, tiny=True, isolated=False)
    for side in CASES[name].sides:
        assert row[side]["seconds"] > 0
        assert row[side]["rate"] > 0
    assert ("speedup" in row) == (len(CASES[name].sides) == 2)
    line = bench.table({name: row}).splitlines()[-1]
    assert CASES[name].title in line
    assert line.count("|") == bench.table({}).splitlines()[0].count("|")


def test_the_exact_sampler_tells_calls_and_draws() -> None:
    ours = bench.worker("exact", "ours", tiny=True)
    assert ours["physical_per_call"] == pytest.approx(ours["physical"] / ours["calls"])
    assert ours["physical_per_call"] <= 1.5


def test_the_gradient_of_the_energy_loss_is_exact() -> None:
    """Relative to the largest entry; at tiny sizes both sides take direct differences."""
    for side in ("plain", "ours"):
        assert bench.worker("energy", side, tiny=True)["gradient_error"] < 1e-5


def test_a_worker_is_a_process_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--tiny", "--only", "energy", "--out", str(tmp_path / "speed.json")]) == 0
    data = json.loads((tmp_path / "speed.json").read_text())
    assert data["tiny"]
    assert data["machine"]["torch"]
    assert set(data["rows"]) == {"energy"}
    assert "energy loss" in capsys.readouterr().out


def test_profile_growth_and_their_pages(tmp_path: Path) -> None:
    assert profile.main(["--tiny", "--out", str(tmp_path / "profile.json")]) == 0
    sides = json.loads((tmp_path / "profile.json").read_text())["sides"]
    for side in sides.values():
        assert sum(side["shares"].values()) == pytest.approx(1)
        assert side["shares"]["matrix products"] > 0
    assert growth.main(["--tiny", "--out", str(tmp_path / "growth.json")]) == 0
    assert (tmp_path / "growth.png").stat().st_size > 5000
    text = report.page(tmp_path)
    assert "Where a CALM training step goes" in text
    assert "How a training step grows" in text
    assert "Beside a plain formulation" not in text, "what was not measured is not on the page"


def test_powers_are_those_of_powers() -> None:
    points = [{"value": v, "seconds": 3.0 * v**2, "extra_mib": 5.0 * v} for v in (2, 4, 8)]
    assert growth.slope(points, "seconds") == pytest.approx(2)
    assert growth.slope(points, "extra_mib") == pytest.approx(1)
    assert growth.slope([*points[:-1], {"value": 8, "seconds": 1.0, "extra_mib": 0}], "extra_mib") is None


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks are read from Linux's /proc")
def test_memory_beyond_the_start_is_seen() -> None:
    """A tensor of 64 MiB is seen, and the one before it, which is gone, is not."""
    import torch

    small = measure.measure(lambda: torch.ones(2**10), 1)
    large = measure.measure(lambda: torch.ones(2**24), 1)
    again = measure.measure(lambda: torch.ones(2**10), 1)
    assert small["extra_mib"] < 32
    assert 60 < large["extra_mib"] < 100
    assert again["extra_mib"] < 32


def test_a_watched_command_leaves_its_curve(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    write = f"open({str(tmp_path / 'train' / 'a.tokens')!r}, 'wb').write(bytes(100))"
    program = f"import time; {write}; time.sleep(1)"
    points = stream.watched([sys.executable, "-c", program], tmp_path, pause=0.05)
    assert points[-1]["token_bytes"] == 100
    assert stream.growth(points)["largest_mib"] > 1
    assert stream.write_corpus(tmp_path / "c.jsonl", 0.02) > 5
    assert 20_000 <= (tmp_path / "c.jsonl").stat().st_size < 23_000


def test_the_committed_page_is_what_the_committed_results_say() -> None:
    assert report.PAGE.read_text("utf-8") == report.page(), "run: python -m benchmarks.report"
    for path in bench.RESULTS.glob("*.json"):
        assert not json.loads(path.read_text()).get("tiny"), f"{path.name} holds tiny sizes"
