"""A model at a temperature from its draws alone: held against laws that are known."""

from __future__ import annotations

import math

import pytest
import torch

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.lab.tempering_model import POOLS, prompt_draws, study_draws
from calm_lab.toolkit.laws import acceptance_rate, batch_bias, expected_calls, tempered
from tests.app.small_models import calm

LAW = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)


def known_draws(count: int = 20_000) -> torch.Tensor:
    """Draws of LAW as chunks of four tokens of the small model's vocabulary."""
    picked = torch.multinomial(LAW, count, replacement=True, generator=generator(3))
    return torch.stack([picked + 10, picked + 20, picked + 30, picked + 40], 1)


def test_a_known_law_has_its_price_and_its_bias() -> None:
    study = study_draws(calm(), known_draws(), n=3, pool=20, seed=1)
    assert (study.draws, study.distinct, study.n) == (20_000, 3, 3)
    for price in study.prices:
        calls = expected_calls(LAW, 1 / price.n)
        assert price.estimate.low <= calls <= price.estimate.high
        assert price.accepted == pytest.approx(acceptance_rate(LAW, 1 / price.n), rel=0.1)
    goal = tempered(LAW, 1 / 3)
    for place, outcome in enumerate(study.outcomes):  # the most frequent first, as in LAW
        assert outcome.aim == pytest.approx(float(goal[place]), abs=0.02)
        assert outcome.count / 20_000 == pytest.approx(float(LAW[place]), abs=0.02)
    assert [gap.pool for gap in study.gaps] == [pool for pool in POOLS if pool <= 5000]
    for gap in study.gaps:
        law = batch_bias(LAW, 3, gap.pool, generator=generator(0))
        wanted = float(goal[0] - law.probabilities[0])  # only the first outcome becomes likelier
        assert gap.shortfall.value == pytest.approx(wanted, abs=4 * gap.shortfall.error + 0.02)
        assert gap.reached == pytest.approx(law.n_reached, abs=4 * math.sqrt(0.25 / 200))


def test_without_repeats_nothing_stands_for_the_aim() -> None:
    rows = torch.arange(400)[:, None].expand(400, 4).contiguous() % 390
    study = study_draws(calm(), rows, n=3, pool=50)
    assert study.gaps == []
    assert all(math.isnan(outcome.aim) for outcome in study.outcomes)
    assert study.prices[2].estimate.lower_bound
    assert study.prices[2].accepted == 0


def test_draws_are_those_of_the_seed() -> None:
    first, again = (prompt_draws(calm(), "Once upon", 150, seed=4, block=64) for _ in range(2))
    assert first.shape == (150, 4)
    assert torch.equal(first, again)
    assert not torch.equal(first, prompt_draws(calm(), "Once upon", 150, seed=5, block=64))
    study = study_draws(calm(), first, n=2, pool=30)
    assert sum(outcome.count for outcome in study.outcomes) <= 150


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"n": 0}, "n must be a whole number from 1 to 6"),
        ({"n": 7}, "n must be"),
        ({"n": 2.0}, "n must be"),
        ({"pool": 0}, "pool must be a whole number from 1 to 25"),
        ({"pool": 26}, "pool must be"),
    ],
)
def test_bad_questions_are_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        study_draws(calm(), known_draws(100), **{"n": 2, "pool": 20, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize("draws", [99, 20_001, True, 1e3])
def test_too_few_or_too_many_draws_are_refused(draws: object) -> None:
    with pytest.raises(InputError, match="draws must be a whole number from 100 to 20,000"):
        prompt_draws(calm(), "", draws)  # type: ignore[arg-type]
