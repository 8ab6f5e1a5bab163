"""The grid says what it means, the rule is the rule, and the committed page is what the results say."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from calm_lab.errors import CheckpointError, InputError
from calm_lab.lab.reproduction.cells import BUNDLED_VOCAB, SCALES, autoencoder_sizes, check_runnable, cost, find_scale
from calm_lab.lab.reproduction.correlation import correlate, pearson, spearman
from calm_lab.lab.reproduction.grid import Claim, studies
from calm_lab.lab.reproduction.page import page
from calm_lab.lab.reproduction.results import ASSETS, BESIDE_THE_RESULT, T_975, Interval, Store, digest, judge, key
from calm_lab.training.corpus import find_tokenizer
from calm_lab.training.recipes import AutoencoderRecipe, CalmRecipe, TransformerRecipe

NANO = SCALES["nano"]


@pytest.mark.parametrize("scale", SCALES)
def test_every_claim_names_cells_of_its_study_and_every_training_can_be_built(scale: str) -> None:
    for study in studies(find_scale(scale)).values():
        names = [cell.name for cell in study.cells]
        assert len(names) == len(set(names))
        for claim in study.claims:
            assert {claim.first, claim.second, *(claim.per or ())} <= set(names)
        for cell in study.cells:
            assert cost(cell).training_total > 0


def test_cells_differ_in_what_their_study_is_about() -> None:
    """No two cells of a study are the same training."""
    for study in studies(NANO).values():
        assert len({key(cell) for cell in study.cells}) == len(study.cells)


def test_the_base_is_one_training_in_every_study() -> None:
    grid = studies(NANO)
    holders = [name for name, study in grid.items() for cell in study.cells if cell.name == "base"]
    assert set(holders) >= {"start", "regularisers", "heads", "samples", "alpha", "input"}
    assert len({key(grid[name].cell("base")) for name in holders}) == 1
    assert key(grid["chunk-size"].cell("k4-w128")) == key(grid["start"].cell("base"))


@pytest.mark.parametrize("scale", ["nano", "lab"])
def test_equal_flops_are_equal(scale: str) -> None:
    """To a step in training; in inference as near as a width that is a multiple of 16 can come, 15%."""
    size = find_scale(scale)
    study = studies(size)["table-1"]
    for width in size.widths:
        calm, trained, written = (
            cost(study.cell(f"{name}-w{width}")) for name in ("k4", "equal-training", "equal-inference")
        )
        step = trained.training_total / study.cell(f"equal-training-w{width}").recipe.steps
        assert abs(trained.training_total - calm.training_total) <= step
        assert abs(written.per_token / calm.per_token - 1) < 0.15


def test_keys_follow_what_decides_a_result() -> None:
    cell = studies(NANO)["start"].cell("base")
    other = dataclasses.replace(
        cell, name="another name", recipe=dataclasses.replace(cell.recipe, out=Path("x"), seed=3)
    )
    assert key(other) == key(cell)
    for change in ({"lr": 1e-3}, {"steps": 7}, {"documents": None}):
        assert key(dataclasses.replace(cell, recipe=dataclasses.replace(cell.recipe, **change))) != key(cell)
    below = dataclasses.replace(cell.autoencoder, kl_weight=0.5)
    assert key(dataclasses.replace(cell, autoencoder=below)) != key(cell)
    baseline = studies(NANO)["chunk-size"].cell("transformer-w64")
    assert key(dataclasses.replace(baseline, autoencoder=below)) == key(baseline)  # it stands on no autoencoder


def test_what_the_kept_results_do_not_say_has_not_moved() -> None:
    """A result names what differs from the defaults, so a default that moves would give old runs another meaning.

    If this fails: leave the default, or write its old value into ``cells.py`` and ``bundled.py``; then a new digest.
    """
    defaults = {
        recipe.__name__: {f.name: f.default for f in dataclasses.fields(recipe) if f.name not in BESIDE_THE_RESULT}
        for recipe in (AutoencoderRecipe, CalmRecipe, TransformerRecipe)
    }
    assert digest(defaults) == "f8de0eb0bc23"


def test_the_quantiles_are_students() -> None:
    for freedom, quantile in enumerate(T_975, 1):
        assert quantile == pytest.approx(stats.t.ppf(0.975, freedom), abs=5e-4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=10, unique=True))
def test_the_interval_is_that_of_a_t_test(values: list[int]) -> None:
    found = Interval.of(values)
    known = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert found.mean - found.half == pytest.approx(known.low, rel=1e-3, abs=0.5)
    assert found.mean + found.half == pytest.approx(known.high, rel=1e-3, abs=0.5)


def test_intervals_say_when_there_is_nothing_to_say() -> None:
    assert str(Interval.of([])) == "-"
    assert str(Interval.of([1.0])) == "1.00"
    assert str(Interval.of([1.0, 1.0])) == "1.00 ± 0.00"


@pytest.mark.parametrize(
    ("first", "second", "above", "verdict"),
    [
        ([5.0, 6.0, 7.0], [4.0, 5.1, 5.9], True, "holds"),
        ([5.0, 6.0, 7.0], [4.0, 5.1, 5.9], False, "does not hold"),
        ([5.0, 6.0, 7.0], [5.4, 5.1, 7.9], True, "can't tell"),
        ([5.0], [4.0], True, "missing"),
        ([5.0, None, 7.0], [4.0, 5.0, 6.1], True, "can't tell"),  # where A fell apart, A must not win
        ([5.0, 6.0, 7.0], [4.0, None, 6.1], True, "holds"),  # where B fell apart, it may
        ([5.0, 6.0, 7.0], [4.0, None, 6.1], False, "does not hold"),
        ([4.0, 5.1, 5.9], [5.1, None, 7.0], True, "can't tell"),
        ([4.0, 5.1, 5.9], [5.1, None, 7.0], False, "can't tell"),
        ([4.0, None, 5.9], [5.0, 6.0, 7.0], False, "holds"),
    ],
)
def test_the_rule(
    tmp_path: Path, first: list[float | None], second: list[float | None], above: bool, verdict: str
) -> None:
    """Paired differences: one interval that excludes zero on the claimed side holds, on the other side does not."""
    study = studies(NANO)["start"]
    store = Store(tmp_path)
    for name, values in (("base", first), ("zero", second)):
        for seed, value in enumerate(values):
            store.write(study.cell(name), seed, {"metrics": {"brier_lm": value}, "seconds": 1.0})
    found = judge(study, Claim("", "base", "zero", above=above), store)
    assert found.verdict == verdict
    assert found.undefined == sum(value is None for value in [*first, *second])


def test_the_rule_for_shares(tmp_path: Path) -> None:
    """A claim with ``per`` compares quotients, from the seeds at which all four runs have ended."""
    study, store = studies(NANO)["chunk-size"], Store(tmp_path)
    scores = {
        "k8-w192": (6.0, 7.0, 8.0, 9.0),
        "k4-w192": (12.0, 14.0, 16.0, None),
        "k8-w128": (2.0, 2.0, 3.0, 3.0),
        "k4-w128": (8.0, 10.0, 10.0),
    }
    for name, values in scores.items():
        for seed, value in enumerate(values):
            store.write(study.cell(name), seed, {"metrics": {"brier_lm": value}, "seconds": 1.0})
    claim = next(claim for claim in study.claims if claim.per)
    assert claim.difference == "BrierLM of k8-w192 / k4-w192 - k8-w128 / k4-w128"
    found = judge(study, claim, store)
    assert found.difference == Interval.of([0.5 - 0.25, 0.5 - 0.2, 0.5 - 0.3])  # the fourth has no K = 4
    assert (found.verdict, found.undefined) == ("holds", 0)
    store.write(study.cell("k4-w128"), 3, {"metrics": {"brier_lm": 10.0}, "seconds": 1.0})
    assert judge(study, claim, store).undefined == 1


def test_brier_n_is_told_in_percent_and_pairs_are_counted(tmp_path: Path) -> None:
    study, store = studies(NANO)["alpha"], Store(tmp_path)
    claim = next(claim for claim in study.claims if claim.metric == "brier_1")
    for name, values in ((claim.first, (0.30, 0.32)), (claim.second, (0.25, 0.26))):
        for seed, value in enumerate(values):
            store.write(study.cell(name), seed, {"metrics": {"brier_1": value}})
    found = judge(study, claim, store)
    assert found.measured.startswith("Brier-1 (%) of base - alpha-2.0: 5.50 ±")
    assert (found.pairs, found.complete) == ("2 of 3", False)
    store.write(study.cell(claim.first), 2, {"metrics": {"brier_1": None}})
    store.write(study.cell(claim.second), 2, {"metrics": {"brier_1": 0.2}})
    assert (judge(study, claim, store).pairs, judge(study, claim, store).complete) == ("2, 1 undefined", True)


@pytest.mark.parametrize("scale", SCALES)
def test_all_models_of_a_scale_share_a_tokenizer(scale: str) -> None:
    """Scores over different tokens do not compare, and FLOPs are counted with the tokenizer's V."""
    assert find_tokenizer("default").vocab_size == BUNDLED_VOCAB
    for named in (None, "autoencoder-k8"):  # the bundled ones all have the same
        size = find_scale(scale, named)
        cells = [cell for study in studies(size).values() for cell in study.cells]
        used = {cell.autoencoder.tokenizer for cell in cells}
        used |= {cell.recipe.tokenizer for cell in cells if isinstance(cell.recipe, TransformerRecipe)}
        if size.tokenizer is not None:
            assert used == {named or "default"}
            assert {autoencoder_sizes(cell.autoencoder).vocab_size for cell in cells} == {BUNDLED_VOCAB}
            check_runnable(size)
            continue
        with pytest.raises(InputError, match="--tokenizer"):
            check_runnable(size)


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    cell, store = studies(NANO)["start"].cell("base"), Store(tmp_path)
    store.path(cell, 0).write_text("{}", "utf-8")
    with pytest.raises(CheckpointError, match="holds no metrics"):
        store.read(cell, 0)


def test_correlations_are_those_of_scipy() -> None:
    generator = np.random.default_rng(0)
    points = generator.normal(size=(40, 2)).round(1)  # rounded: some values are equal
    points[:, 1] -= points[:, 0]
    assert pearson(points) == pytest.approx(stats.pearsonr(*points.T).statistic)
    assert spearman(points) == pytest.approx(stats.spearmanr(*points.T).statistic)


def test_intervals_of_correlations_resample_runs() -> None:
    """The interval holds the value; one run alone has none."""
    generator = np.random.default_rng(1)
    many = []
    for level in range(6):
        nats = generator.uniform(2, 3, 8) + level / 10
        many.append(np.stack([nats, 20 - 5 * nats + generator.normal(size=8)], 1))
    found = correlate(many)
    assert found is not None
    assert found.pearson.low < found.pearson.value < found.pearson.high < 0
    assert found.spearman.low <= found.spearman.value <= found.spearman.high
    assert (found.runs, len(found.points)) == (6, 48)
    assert correlate(many[:1]) is None


def test_the_committed_page_is_what_the_committed_results_say() -> None:
    root = Path(__file__).resolve().parents[2]
    committed = (root / "docs" / "reproduction.md").read_text("utf-8")
    assert committed == page(NANO, Store(ASSETS / "nano")), "run: calm-lab reproduce --page docs/reproduction.md"
