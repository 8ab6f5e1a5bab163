"""Properties of public functions whatever they are given: shapes, dtypes, bounds, seeds, empty and single batches.

Functions whose law or formula is tested elsewhere have their property test beside it; here stand the others.
``test_every_public_function_has_a_property_test`` holds the whole public surface to it.
"""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

import calm_lab
from calm_lab import toolkit
from calm_lab.errors import CallBudgetExceeded, CheckpointError, InputError
from calm_lab.model.checkpoint import save
from calm_lab.toolkit.brier import brier_lm
from calm_lab.toolkit.evaluation import evaluate_calm, evaluate_transformer
from calm_lab.toolkit.exact import sample_at_temperature
from calm_lab.toolkit.exact_many import draws_from
from calm_lab.toolkit.generate import estimate_price
from calm_lab.toolkit.laws import acceptance_rate, batch_bias, expected_calls, tempered
from calm_lab.toolkit.loss import calm_loss
from calm_lab.toolkit.pool import choose_by_repeats
from calm_lab.toolkit.reconstruction import token_accuracy
from calm_lab.toolkit.softmax import write_tokens
from calm_lab.toolkit.temperature import choose_from_pool, reciprocal, split_exponent, weights_from_counts
from calm_lab.toolkit.texts import write_texts
from tests.model import small
from tests.toolkit.small_calm import small_calm

TESTS = Path(__file__).resolve().parents[1]
SEEDS = st.integers(0, 999)
LAWS = st.lists(st.floats(0, 1), min_size=1, max_size=6).filter(lambda weights: sum(weights) > 0.01)
HEADS = st.sampled_from(["energy", "flow", "diffusion"])


def stream(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def law_of(weights: list[float]) -> Tensor:
    law = torch.tensor(weights, dtype=torch.float64)
    return law / law.sum()


# --- samplers


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40), st.floats(0.2, 1.0), st.integers(1, 60), SEEDS)
def test_sample_at_temperature(draws: list[int], temperature: float, budget: int, seed: int) -> None:
    """Any black box: a sample that was drawn, or the budget's error; every call counted; a seed is an outcome."""
    n, a = split_exponent(temperature)

    def attempt() -> tuple[object, ...]:
        made: list[int] = []
        counts: tuple[int, ...] = ()

        def draw() -> int:
            made.append(draws[len(made) % len(draws)])
            return made[-1]

        try:
            sample = sample_at_temperature(draw, temperature, stream(seed), budget)
        except CallBudgetExceeded as spent:
            counts = (spent.calls, spent.trials, spent.stage1_accepts)
        if counts:
            assert counts[0] == len(made) == budget
            assert counts[2] <= counts[1] <= budget
            return (None, *counts)
        assert sample.accepted
        assert sample.calls == len(made) <= budget
        assert sample.value == made[-1]
        assert 1 <= sample.stage1_accepts <= sample.trials
        assert sample.calls >= n * sample.trials + (a > 0) * sample.stage1_accepts
        assert 0 < sample.acceptance_rate <= 1
        return (sample.value, sample.calls, sample.trials, sample.stage1_accepts)

    assert attempt() == attempt()


@given(LAWS, st.floats(0.05, 1.0))
def test_laws_at_a_temperature(weights: list[float], temperature: float) -> None:
    law = law_of(weights)
    sharper, z, calls = tempered(law, temperature), acceptance_rate(law, temperature), expected_calls(law, temperature)
    assert sharper.dtype == torch.float64
    assert float(sharper.sum()) == pytest.approx(1)
    assert bool((sharper[law == 0] == 0).all())
    assert 0 <= z <= 1
    assert calls >= 1
    assert math.isclose(tempered(law, 1.0).sub(law).abs().max(), 0, abs_tol=1e-12)


@given(LAWS, st.integers(1, 5), st.integers(1, 12), st.booleans(), SEEDS)
def test_batch_bias(weights: list[float], n: int, pool: int, enumerate_all: bool, seed: int) -> None:
    law = law_of(weights)
    options = {"simulations": 50, "enumerate_up_to": 10_000 if enumerate_all else 0}
    found, again = (batch_bias(law, n, pool, generator=stream(seed), **options) for _ in range(2))  # type: ignore[arg-type]
    assert found.exact == enumerate_all
    assert torch.equal(found.probabilities, again.probabilities)
    assert float(found.probabilities.sum()) == pytest.approx(1)
    assert bool((found.probabilities[law == 0] == 0).all())
    assert bool((found.standard_errors >= 0).all())
    assert 0 <= found.n_reached <= 1
    if n == 1 and enumerate_all:
        assert torch.allclose(found.probabilities, law, atol=1e-9)


@given(LAWS, st.integers(0, 50), SEEDS)
def test_draws_from(weights: list[float], count: int, seed: int) -> None:
    law = law_of(weights)
    draw = draws_from(law)
    ids = draw(torch.zeros(count, dtype=torch.int64), stream(seed))
    assert ids.shape == (count, 1)
    assert ids.dtype == torch.int64
    assert bool((law[ids] > 0).all())
    assert torch.equal(ids, draw(torch.zeros(count, dtype=torch.int64), stream(seed)))


@given(st.integers(1, 500), st.floats(-0.0099, 0.0099))
def test_reciprocal(n: int, off: float) -> None:
    """Within 1% of 1/n means 1/n; for n above 50 neighbours lie closer than that, and the nearest is taken."""
    found = reciprocal(min(1.0, (1 + off) / n))
    assert found == n or (n > 50 and abs(found - n) <= n // 50)


@given(st.integers(0, 3), st.integers(1, 6), st.integers(1, 9), SEEDS)
def test_weights_from_counts(rows: int, size: int, n: int, seed: int) -> None:
    counts = torch.randint(0, 5, (rows, size), generator=stream(seed))
    counts[:, 0] += 1  # no pool is empty
    weights, used = weights_from_counts(counts, n)
    assert weights.shape == (rows, size)
    assert weights.dtype == torch.float64
    assert used.shape == (rows,)
    assert torch.allclose(weights.sum(-1), torch.ones(rows, dtype=torch.float64))
    assert torch.equal(weights > 0, counts >= used.unsqueeze(-1))
    assert torch.equal(used, counts.amax(-1).clamp(max=n) if rows else used)


@given(st.integers(0, 3), st.integers(1, 9), st.integers(1, 3), st.integers(1, 4), SEEDS)
def test_choose_from_pool(batch: int, size: int, width: int, n: int, seed: int) -> None:
    pools = torch.randint(0, 2, (batch, size, width), generator=stream(seed))
    ids, index, weights = choose_from_pool(pools, n, stream(seed))
    assert ids.shape == (batch, width)
    assert torch.equal(pools[torch.arange(batch), index], ids)
    assert bool((weights.probabilities.gather(1, index.unsqueeze(1)) > 0).all())
    assert torch.equal(ids, choose_from_pool(pools, n, stream(seed))[0])


@settings(max_examples=20)
@given(st.integers(1, 3), st.integers(1, 8), st.integers(1, 3), SEEDS)
def test_choose_by_repeats(batch: int, size: int, n: int, seed: int) -> None:
    model = small.autoencoder()
    latents = torch.randn(batch, size, model.config.latent_size, generator=stream(seed))
    choice = choose_by_repeats(model, latents, n, stream(seed))
    assert choice.ids.shape == (batch, model.config.chunk_size)
    decoded = model.decode(latents, after_end="pad")
    assert torch.equal(decoded[torch.arange(batch), choice.index], choice.ids)
    assert bool(((choice.n_used >= 1) & (choice.n_used <= n)).all())
    assert choice.decoded <= batch * (size + 1) * model.config.chunk_size
    assert torch.equal(choice.ids, choose_by_repeats(model, latents, n, stream(seed)).ids)


@settings(max_examples=10)
@given(st.integers(1, 4), st.text("the old sea", max_size=8), st.sampled_from([1.0, 0.5, 0.33]), SEEDS)
def test_writers_and_their_price(count: int, prompt: str, temperature: float, seed: int) -> None:
    model = small_calm()
    options = {"prompt": prompt, "temperature": temperature, "seed": seed}
    texts = [write_texts(model, count, pool=4, max_tokens=8, rows=2, **options) for _ in range(2)]  # type: ignore[arg-type]
    assert texts[0] == texts[1]
    assert len(texts[0]) == count
    price = estimate_price(model, pool=9, **options)  # type: ignore[arg-type]
    assert 1 <= price.low <= price.calls <= price.high
    baseline = small.transformer(vocab_size=model.config.vocab_size)
    baseline.tokenizer = model.tokenizer
    pieces = [list(write_tokens(baseline, prompt, temperature, 8, seed)) for _ in range(2)]
    assert pieces[0] == pieces[1]
    assert 2 <= len(pieces[0]) <= 9  # a piece a token, and what was held back


# --- scores and losses


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_brier_lm(values: list[float]) -> None:
    score = brier_lm(values)
    if min(values) <= 0:
        assert math.isnan(score)
    else:
        assert 100 * min(values) * (1 - 1e-9) <= score <= 100 * max(values) * (1 + 1e-9)
    again = brier_lm(torch.tensor(values, dtype=torch.float64))
    assert score == again or (math.isnan(score) and math.isnan(again))


@settings(max_examples=25)
@given(st.sampled_from([1, 2, 3, 4, 5]), HEADS, st.integers(1, 3), st.integers(0, 3), st.integers(1, 2), SEEDS)
def test_evaluate_calm(chunk_size: int, head: str, batch: int, more: int, repeats: int, seed: int) -> None:
    model = small.calm(seed % 3, head if chunk_size == 3 else "energy", chunk_size=chunk_size)
    ids = torch.randint(4, 23, (batch, (-(-4 // chunk_size) + 1 + more) * chunk_size), generator=stream(seed))
    found, again = (evaluate_calm(model, ids, stream(seed), repeats, block=2) for _ in range(2))
    assert found.brier.positions == batch * (1 + more)
    assert torch.equal(found.brier.values, again.brier.values)
    assert bool(((found.brier.values >= -1) & (found.brier.values <= 1)).all())
    assert math.isnan(found.brier.brier_lm) == (found.brier.reason is not None)
    for share in (*found.accuracy, *found.collision):
        assert 0 <= share <= 1
    assert found.collision == sorted(found.collision, reverse=True)


@settings(max_examples=25)
@given(st.integers(1, 3), st.integers(5, 9), st.integers(1, 3), st.sampled_from([0.5, 1.0, 2.0]), SEEDS)
def test_evaluate_transformer(batch: int, length: int, every: int, temperature: float, seed: int) -> None:
    model = small.transformer(seed % 3)
    ids = torch.randint(4, 23, (batch, length), generator=stream(seed))
    options = {"every": every, "offset": 1, "temperature": temperature, "block": 2}
    found, again = (evaluate_transformer(model, ids, stream(seed), **options) for _ in range(2))  # type: ignore[arg-type]
    assert found.brier.positions == batch * -(-(length - 4) // every)
    assert torch.equal(found.brier.values, again.brier.values)
    for share in (*found.accuracy, *found.collision):
        assert 0 <= share <= 1 + 1e-6
    assert found.cross_entropy is not None
    assert math.isfinite(found.cross_entropy)


@settings(max_examples=25)
@given(HEADS, st.integers(1, 3), st.integers(2, 4), SEEDS)
def test_calm_loss(head: str, batch: int, chunks: int, seed: int) -> None:
    """Finite, one number a seed, a gradient for every trained parameter, and for any mask its count."""
    model = small.calm(head=head)
    ids = small.rows(model, batch, chunks, seed)
    scored = torch.rand(batch, chunks, generator=stream(seed)) < 0.7
    scored[0, 1] = True
    loss, again = (calm_loss(model, ids, scored, generator=stream(seed)) for _ in range(2))
    assert loss.total.shape == ()
    assert torch.equal(loss.total, again.total)
    assert int(loss.positions) == int(scored[:, 1:].sum())
    loss.total.backward()
    for name, parameter in model.trainable().items():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
    assert all(parameter.grad is None for parameter in model.autoencoder.parameters())


@settings(max_examples=20)
@given(st.integers(1, 3), st.integers(1, 3), st.sampled_from([None, 0.0, 0.3]), SEEDS)
def test_token_accuracy(batch: int, chunks: int, sigma: float | None, seed: int) -> None:
    model = small.autoencoder()
    ids = small.rows(model, batch, chunks, seed).clamp(min=4)
    share, again = (token_accuracy(model, ids, sigma, stream(seed)) for _ in range(2))
    assert share == again or math.isnan(share.standard_error)
    assert 0 <= share.value <= 1
    assert share.total == ids.numel()


# --- models and scales


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chunk_size=st.sampled_from([1, 2, 4]), head=HEADS, read=st.sampled_from(["discrete", "continuous", "both"]),
    dtype=st.sampled_from(["float32", "bfloat16"]), seed=SEEDS,
)  # fmt: skip
def test_what_is_saved_is_loaded(
    chunk_size: int, head: str, read: str, dtype: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("models")
    model = small.calm(seed, head, read, chunk_size=chunk_size)
    loaded = calm_lab.load_model(save(model, folder / "calm", dtype=dtype))
    inner = calm_lab.load_autoencoder(folder / "calm")
    baseline = small.transformer(seed)
    again = calm_lab.load_transformer(save(baseline, folder / "baseline", dtype=dtype))
    assert (loaded.config, inner.config, again.config) == (model.config, model.autoencoder.config, baseline.config)
    rounded = getattr(torch, dtype)
    for one, other in ((loaded, model), (inner, model.autoencoder), (again, baseline)):
        for (name, mine), theirs in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
            assert mine.dtype == torch.float32
            assert torch.equal(mine, theirs.to(rounded).float()), name


@given(st.text(max_size=20))
def test_any_name_is_loaded_or_refused_in_a_line(name: str) -> None:
    for load in (calm_lab.load_model, calm_lab.load_autoencoder, calm_lab.load_transformer):
        with pytest.raises(CheckpointError, match=r"\A[^\n]+\Z"):
            load(f"no-such-{name}")


@given(st.text(max_size=10))
def test_lab_scale(name: str) -> None:
    if name == "cpu":
        return
    with pytest.raises(InputError):
        calm_lab.lab_scale(f"{name} ")
    assert calm_lab.lab_scale("cpu") == calm_lab.lab_scale()


# --- the whole surface


def _property_tests() -> list[str]:
    """The source of every test under ``@given``, with the functions of its own file that it calls."""
    found = []
    for path in TESTS.rglob("test_*.py"):
        functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
        source = {node.name: ast.unparse(node) for node in functions}
        for node in functions:
            if any("given(" in ast.unparse(decorator) for decorator in node.decorator_list):
                called = [text for name, text in source.items() if re.search(rf"\b{name}\(", source[node.name])]
                found.append("\n".join([source[node.name], *called]))
    return found


def test_every_public_function_has_a_property_test() -> None:
    names = {name for name in (*calm_lab.__all__, *toolkit.__all__) if name[0].islower()}
    tests = _property_tests()
    missing = {name for name in names if not any(re.search(rf"\b{name}\(", text) for text in tests)}
    assert missing - {"load_autoencoder", "load_model", "load_transformer"} == set()  # called by another name above
