"""The tabs "Energy score" and "Temperature" in a real browser: dragged, trained, cooled, and taken away as files."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, expect

import calm_lab
from calm_lab.lab import energy_training, tempering
from calm_lab.lab.energy_plane import expected_score
from tests.app.visiting import PATIENCE, Visit, both_widths, copied, saved, sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of 40 steps: what is learned is the business of the tests of floor 5."""
    genuine = energy_training.train_two_modes
    monkeypatch.setattr(energy_training, "train_two_modes", lambda *a: genuine(*a, steps=40, snapshots=10))


def ran(visit: Visit, place: Locator) -> dict[str, Any]:
    """Run the Python that the button of ``place`` puts on the clipboard; what it defines."""
    names: dict[str, Any] = {}
    exec(copied(visit, place), names)
    return names


def points(rows: list[dict[str, str]], kind: str, x: str = "x", y: str = "y") -> torch.Tensor:
    return torch.tensor([[float(row[x]), float(row[y])] for row in rows if row["kind"] == kind], dtype=torch.float64)


def check_plane(rows: list[dict[str, str]]) -> None:
    """Hold what JavaScript computed to ``calm_lab.energy_score``, its gradient, and the expectation in closed form."""
    first = rows[0]
    alpha, n = float(first["alpha"]), int(first["n"])
    samples, targets = points(rows, "sample").requires_grad_(), points(rows, "target")
    assert (len(samples), len(targets)) == (n, int(first["m"]))
    result = calm_lab.energy_score(samples, targets, alpha)
    for name in ("diversity", "fidelity", "score"):
        assert float(first[name]) == pytest.approx(float(getattr(result, name).detach()), abs=1e-10)
    (apart,) = torch.autograd.grad(result.diversity, samples, retain_graph=True)
    (closer,) = torch.autograd.grad(-2 * result.fidelity, samples)
    assert torch.allclose(points(rows, "sample", "apart_x", "apart_y"), n * apart, atol=1e-9)
    assert torch.allclose(points(rows, "sample", "closer_x", "closer_y"), n * closer, atol=1e-9)


@both_widths
@pytest.mark.usefixtures("short")
def test_two_clouds_are_dragged_and_a_network_trained(visit: Visit) -> None:
    page = visit.page
    visit.open_tab("Energy score")
    plane, training = page.locator("#energy-plane"), page.locator("#training")
    expect(plane.locator(".cl-stat").first).to_contain_text("diversity", timeout=PATIENCE)
    expect(training.locator(".cl-ready")).to_be_visible(timeout=PATIENCE)
    assert sideways(page) == 0
    check_plane(saved(page, plane))

    score = plane.locator(".cl-stat dd").nth(4)
    before = score.text_content() or ""
    cloud = plane.get_by_role("button", name=re.compile("Centre of the model's cloud"))
    plane.locator(".cl-plane").scroll_into_view_if_needed()
    place = cloud.locator(".cl-knob").bounding_box()
    assert place is not None
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y - 20, steps=3)
    expect(score).not_to_have_text(before)  # while the button is still down
    page.mouse.up()
    dragged = saved(page, plane)
    check_plane(dragged)
    cloud.focus()
    page.keyboard.press("Shift+ArrowUp")
    moved = saved(page, plane)
    assert float(moved[0]["y"]) == pytest.approx(float(dragged[0]["y"]) + 0.5)

    page.locator("#cl-energy-alpha").focus()
    page.keyboard.press("End")
    expect(plane.locator("output").first).to_have_text("α = 2")
    rows = saved(page, plane)
    check_plane(rows)
    curve = {float(row["x"]): float(row["y"]) for row in rows if row["kind"].startswith("expected")}
    assert max(curve.values()) == pytest.approx(min(curve.values()), abs=1e-9)  # alpha = 2 sees no spread
    plane.get_by_role("button", name="both parts").click()
    expect(plane.locator(".cl-arrow-closer").first).to_be_visible()
    names = ran(visit, plane)
    assert names["reading"].score == pytest.approx(float(rows[0]["score"]), abs=1e-9)
    page.get_by_role("button", name="New noise").click()
    expect(score).not_to_have_text(f"{float(rows[0]['score']):.3f}".replace("-", "−"), timeout=PATIENCE)

    page.get_by_role("button", name=re.compile("^Train at")).click()
    run = training.locator(".cl-pane").first
    expect(run).to_have_class(re.compile("cl-done"), timeout=PATIENCE)
    expect(run).to_contain_text("α = 2, N = 16")
    rows = saved(page, run)
    assert [row["step"] for row in rows if row["kind"] == "look"] == [str(4 * i) for i in range(11)]
    page.locator("#cl-energy-alpha").focus()
    page.keyboard.press("Home")
    page.get_by_role("button", name=re.compile("^Train at")).click()
    expect(run).to_contain_text("α = 0.1", timeout=PATIENCE)
    expect(training.locator(".cl-pane").nth(1)).to_contain_text("The run before: α = 2")
    expect(run).to_have_class(re.compile("cl-done"), timeout=PATIENCE)
    assert sideways(page) == 0


@pytest.mark.parametrize("alpha", [0.1, 0.7, 1.0, 1.9])
def test_the_browser_knows_the_expected_score(visit: Visit, alpha: float) -> None:
    page = visit.page
    visit.open_tab("Energy score")
    slider = page.locator("#cl-energy-alpha")
    slider.fill(str(alpha), timeout=PATIENCE)
    rows = saved(page, page.locator("#energy-plane"))
    assert float(rows[0]["alpha"]) == alpha
    curve = {float(row["x"]): float(row["y"]) for row in rows if row["kind"].startswith("expected")}
    assert len(curve) == 76
    distance = (1.9**2 + 1.1**2) ** 0.5
    for spread, score in curve.items():
        assert score == pytest.approx(expected_score(distance, spread, 0.6, alpha), abs=1e-8)


def test_a_training_can_be_stopped(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = energy_training.train_two_modes
    monkeypatch.setattr(energy_training, "train_two_modes", lambda *a: genuine(*a, steps=100_000, snapshots=10_000))
    page = visit.page
    visit.open_tab("Energy score")
    run = page.locator("#training .cl-pane").first
    expect(run).to_have_class(re.compile("cl-ready"), timeout=PATIENCE)
    page.get_by_role("button", name=re.compile("^Train at")).click()
    expect(run).to_contain_text(re.compile(r"step [1-9]\d* of"), timeout=PATIENCE)
    page.locator("#training-stop").click()
    expect(run).to_have_class(re.compile("cl-stopped"), timeout=PATIENCE)
    there = run.locator("h2").text_content()
    page.wait_for_timeout(1000)
    assert run.locator("h2").text_content() == there


@both_widths
def test_a_law_is_cooled(visit: Visit) -> None:
    page = visit.page
    visit.open_tab("Temperature")
    board, curves = page.locator("#tempering"), page.locator("#prices")
    expect(board.locator(".cl-stat").first).to_contain_text("Z_T = 16%", timeout=PATIENCE)
    expect(curves.locator(".cl-chart")).to_have_count(3, timeout=PATIENCE)
    expect(page.locator("#heat output")).to_have_text("T = 1/3")
    assert sideways(page) == 0
    rows = saved(page, board)
    assert [float(row["p_t"]) for row in rows] == pytest.approx([0.125 / 0.16, 0.027 / 0.16, 0.008 / 0.16])
    names = ran(visit, board)
    assert names["exact"].shares == pytest.approx([float(row["exact"]) for row in rows], abs=1e-6)
    assert names["batch"].shares == pytest.approx([float(row["batch"]) for row in rows], abs=1e-6)
    measured = [row for row in saved(page, curves) if row["kind"] == "measured"]
    assert len(measured) == len(tempering.MEASURED_AT)

    page.locator("#heat input").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#heat output")).to_have_text(re.compile(r"T = 0\.3[0-3]"))
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#heat output")).to_have_text(re.compile(r"T = 0\.3[4-9]"))
    expect(board).to_contain_text("No batch sampler at this temperature", timeout=PATIENCE)
    expect(board.locator(".cl-batch")).to_have_count(0)
    board.get_by_role("button", name="T = 1/2").click()
    expect(page.locator("#heat output")).to_have_text("T = 1/2", timeout=PATIENCE)
    expect(board.locator(".cl-batch")).to_have_count(3, timeout=PATIENCE)

    page.get_by_role("button", name="Zipf, 16 outcomes").click()
    expect(board.locator(".cl-batch")).to_have_count(16, timeout=PATIENCE)
    expect(curves.locator(".cl-prices")).not_to_have_attribute("aria-busy", "true", timeout=PATIENCE)
    assert {row["n"] for row in saved(page, curves) if row["kind"] == "shortfall"} == {"2"}
    bar = page.get_by_role("slider", name=re.compile("Outcome A"))
    share = float(bar.get_attribute("aria-valuenow") or 0)
    bar.focus()
    page.keyboard.press("PageUp")
    expect(bar).to_have_attribute("aria-valuenow", f"{share + 10:.1f}")
    expect(bar).to_be_focused()
    page.locator("#law").scroll_into_view_if_needed()
    place = page.get_by_role("slider", name=re.compile("Outcome B")).locator("i").bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] - 4)
    page.mouse.down()
    page.mouse.up()
    second = page.get_by_role("slider", name=re.compile("Outcome B"))
    expect(second).to_have_attribute("aria-valuenow", re.compile(r"^[0-2]\."))
    law = [float(row["p"]) for row in saved(page, board)]
    assert sum(law) == pytest.approx(1, abs=1e-5)
    assert sideways(page) == 0


@pytest.mark.parametrize("visit", [{"locale": "zh-CN", "width": 390}], indirect=True)
def test_both_tabs_in_chinese(visit: Visit) -> None:
    page = visit.page
    visit.open_tab("能量评分")
    expect(page.locator("#energy-plane")).to_contain_text("多样性", timeout=PATIENCE)
    expect(page.locator("#training")).to_contain_text("未训练", timeout=PATIENCE)
    assert sideways(page) == 0
    visit.open_tab("温度")
    expect(page.locator("#prices")).to_contain_text("定理 2", timeout=PATIENCE)
    assert sideways(page) == 0
