"""What each step of the tour can be set to, where it leads, and its answer as plain data for the drawing.

Nothing is computed, and no model loaded, for a step that nobody has opened. What the steps compute and draw is in
``calm_lab.app.tour_steps``, the Python to copy in ``calm_lab.app.tour_code``.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from calm_lab.app.bench import Bench
from calm_lab.app.limits import MAX_SEED
from calm_lab.app.refusals import refusal
from calm_lab.app.tour_code import python
from calm_lab.app.tour_steps import ANSWERS, SIGMAS, VOCABS
from calm_lab.errors import CalmLabError, InputError
from calm_lab.lab import tour
from calm_lab.lab.examples import SEED
from calm_lab.lab.table1 import headline

SPREADS = tuple(step / 10 for step in range(16))
AWAY = tuple(step / 4 for step in range(9))
POSITIONS = (30, 100, 300, 1000, 3000, 10_000, 30_000)
REPEATS = (1, 2, 3, 4, 5, 6)
FIRST: dict[str, Any] = {
    "step": 1,
    "vocab": 32_000,
    "text": "The old clock struck 12, and a little girl ran to the sea.",
    "sigma": 0.3,
    "away": 1.5,
    "spread": 0.3,
    "positions": 300,
    "n": 2,
    "chunk_size": 4,
    "pair": 0,
    "seed": SEED,
}


@dataclasses.dataclass(frozen=True)
class Stop:
    """Where a step leads: the tab and the notebook that go deeper, the paper's section, and what can be set here."""

    tab: str
    title: str
    notebook: str
    section: str
    controls: tuple[str, ...]


STOPS = (
    Stop("k-buys", "cost_tab", "01_the_bottleneck", "1", ("vocab",)),
    Stop("vectors", "vectors_tab", "02_tokens_to_a_vector_and_back", "2.1", ("text",)),
    Stop("vectors", "vectors_tab", "02_tokens_to_a_vector_and_back", "2.2", ("text",)),
    Stop("noise", "noise_tab", "03_a_robust_latent_space", "2.2", ("sigma", "seed")),
    Stop("energy", "energy_tab", "05_energy_score", "3.2", ("away", "spread")),
    Stop("brier", "brier_tab", "07_brierlm", "4", ("positions", "seed")),
    Stop("temperature", "tempering_tab", "08_temperature_without_likelihood", "5", ("n", "seed")),
    Stop("generate", "generate_tab", "06_the_next_vector", "3", ("n", "seed")),
    Stop("k-buys", "cost_tab", "09_generating_and_what_it_costs", "3.1", ("chunk_size",)),
    Stop("k-buys", "cost_tab", "09_generating_and_what_it_costs", "7.2", ("pair",)),
)
STEPS: dict[str, tuple[float, ...]] = {
    "vocab": VOCABS,
    "sigma": SIGMAS,
    "away": AWAY,
    "spread": SPREADS,
    "positions": POSITIONS,
    "n": REPEATS,
    "chunk_size": tour.CHUNK_SIZES,
}
"""The sliders and the values they snap to."""


def answer(bench: Bench, settings: Any) -> dict[str, Any]:
    """The value of the answer: picture, sentences, Python and rows of the open step, or the one-line reason why not."""
    try:
        now = _checked(bench, settings)
        return {"step": now["step"], "python": python(bench, now), **ANSWERS[now["step"] - 1](bench, now)}
    except CalmLabError as error:
        return {"step": settings.get("step") if isinstance(settings, dict) else None, **refusal(error)}


def _checked(bench: Bench, settings: Any) -> dict[str, Any]:
    """What the open step reads; what other steps have set is not looked at."""
    if not isinstance(settings, dict):
        raise InputError("the settings must be an object with the step and what it needs")
    check = bench.limits.check_number
    step = check(settings.get("step"), "the step", 1, len(STOPS))
    found: dict[str, Any] = {"step": step}
    wanted = {*STOPS[step - 1].controls, *({"text", "seed"} if step in (2, 3, 4) else ())}
    for key in wanted:
        value = settings.get(key)
        if key == "text":
            found[key] = bench.limits.check_text(value, "text")  # type: ignore[arg-type]
        elif key == "seed":
            found[key] = check(value, "the seed", 0, MAX_SEED)
        elif key == "pair":
            found[key] = check(value, "the pair", 0, len(headline()) - 1)
        elif key in ("sigma", "away", "spread"):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= STEPS[key][-1]:
                raise InputError(f"{key} must be a number from 0 to {STEPS[key][-1]:g}, not {str(value)[:40]}")
            found[key] = float(value)
        else:
            found[key] = check(value, key, int(STEPS[key][0]), int(STEPS[key][-1]))
    if "positions" in found:
        found["positions"] = min(found["positions"], bench.limits.positions)
    return found
