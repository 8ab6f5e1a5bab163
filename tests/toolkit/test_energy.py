"""The energy score: equal to its definition, finite in every gradient, strictly proper below alpha = 2 and not at 2."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from calm_lab.errors import InputError
from calm_lab.toolkit import distances
from calm_lab.toolkit.energy import EnergyScore, energy_score

ALPHAS = [0.1, 0.5, 1.0, 1.3, 1.9, 2.0]


def naive(samples: Tensor, targets: Tensor, alpha: float) -> EnergyScore:
    """The definition with all differences at once, (N, N, ..., l) and (N, M, ..., l), in float64."""
    x, y = samples.double(), targets.double()
    n = x.shape[0]
    apart = torch.stack([(x[i] - x[j]).norm(dim=-1) ** alpha for i in range(n) for j in range(n) if i != j])
    diversity = apart.sum(0) / (n * (n - 1))
    fidelity = ((x[:, None] - y[None]).norm(dim=-1) ** alpha).mean((0, 1))
    return EnergyScore(diversity - 2 * fidelity, diversity, fidelity)


def draws(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


class Largest(TorchDispatchMode):
    """Remember the most numbers that any operation put into one tensor of its own."""

    numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else [out]:
            if isinstance(tensor, Tensor):
                self.numbers = max(self.numbers, tensor.untyped_storage().nbytes() // tensor.element_size())
        return out


# --- small

N, M, FEW = 8, 100, 32


@pytest.mark.parametrize("alpha", [0.7, 1.0, 2.0])
@pytest.mark.parametrize("size", [16, 128])
def test_no_tensor_holds_all_differences(size: int, alpha: float) -> None:
    samples, targets = draws(N, FEW, size).requires_grad_(), draws(M, FEW, size, seed=1)
    with Largest() as seen:
        energy_score(samples, targets, alpha).score.sum().backward()
    # The inputs themselves, with a column or two beside their l, and one number for each pair of a position.
    assert seen.numbers <= max(M * FEW * (size + 2), N * M * FEW)
    with Largest() as seen:
        (samples[:, None] - targets[None]).norm(dim=-1)
    assert seen.numbers == N * M * FEW * size, "the counter sees what it should"


# --- equal


@given(
    st.integers(2, 5),
    st.integers(1, 6),
    st.lists(st.integers(0, 3), max_size=2),
    st.integers(1, 7),
    st.floats(0.05, 2.0),
    st.floats(0.01, 100.0),
    st.integers(0, 999),
)
def test_equals_the_definition(
    n: int, m: int, leading: list[int], size: int, alpha: float, scale: float, seed: int
) -> None:
    samples = scale * draws(n, *leading, size, seed=seed)
    targets = scale * (draws(m, *leading, size, seed=seed + 1000) + 0.5)
    ours, theirs = energy_score(samples, targets, alpha), naive(samples, targets, alpha)
    for name in ("score", "diversity", "fidelity"):
        mine, exact = getattr(ours, name), getattr(theirs, name)
        assert mine.shape == tuple(leading)
        assert mine.dtype == torch.float32
        assert torch.allclose(mine.double(), exact, rtol=1e-4, atol=1e-4 * scale**alpha)
    assert torch.equal(ours.score, ours.diversity - 2 * ours.fidelity)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_agrees_with_float64(alpha: float) -> None:
    """At the sizes of training: float32 within 1e-5, and float64 in, float64 out, to its own precision."""
    samples, targets = draws(8, 50, 64), 0.3 * draws(100, 50, 64, seed=1) + draws(50, 64, seed=2)
    exact = naive(samples, targets, alpha)
    single, double = energy_score(samples, targets, alpha), energy_score(samples.double(), targets.double(), alpha)
    for name in ("score", "diversity", "fidelity"):
        scale = getattr(exact, name).abs().max()
        assert (getattr(single, name) - getattr(exact, name)).abs().max() < 1e-5 * scale
        assert (getattr(double, name) - getattr(exact, name)).abs().max() < 1e-10 * scale


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_gradients_are_those_of_the_definition(alpha: float) -> None:
    samples = draws(4, 3, 5, dtype=torch.float64).requires_grad_(True)
    targets = draws(6, 3, 5, seed=1, dtype=torch.float64).requires_grad_(True)
    ours = torch.autograd.grad(energy_score(samples, targets, alpha).score.sum(), (samples, targets))
    theirs = torch.autograd.grad(naive(samples, targets, alpha).score.sum(), (samples, targets))
    for mine, exact in zip(ours, theirs, strict=True):
        assert torch.allclose(mine, exact, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("size", [16, 128])
def test_blocks_of_positions_change_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven positions three at a time, each with a weight of its own, against the definition in float64."""
    samples, targets = draws(N, 11, size).requires_grad_(), draws(M, 11, size, seed=1).requires_grad_()
    monkeypatch.setattr(distances, "CACHED", 3 * (N + M) * size)
    weight = torch.arange(1.0, 12.0)
    ours = torch.autograd.grad((weight * energy_score(samples, targets).score).sum(), (samples, targets))
    exact = torch.autograd.grad((weight * naive(samples, targets, 1.0).score).sum(), (samples, targets))
    for mine, theirs in zip(ours, exact, strict=True):
        assert (mine - theirs).abs().max() < 1e-5 * theirs.abs().max()


def test_the_order_of_draws_does_not_matter() -> None:
    samples, targets = draws(5, 4, 3), draws(7, 4, 3, seed=1)
    one, other = energy_score(samples, targets), energy_score(samples.flip(0), targets.roll(2, 0))
    assert torch.allclose(one.score, other.score, atol=1e-5)


@given(st.floats(0.1, 2.0), st.floats(0.1, 10.0), st.integers(0, 99))
def test_moving_and_stretching(alpha: float, stretch: float, seed: int) -> None:
    """S(aX + b, aY + b) = a^alpha S(X, Y)."""
    samples, targets = draws(3, 2, 4, seed=seed).double(), draws(5, 2, 4, seed=seed + 100).double()
    moved = energy_score(stretch * samples + 3, stretch * targets + 3, alpha).score
    assert torch.allclose(moved, stretch**alpha * energy_score(samples, targets, alpha).score, rtol=1e-6)


# --- finite


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("case", ["all equal", "samples equal", "a sample on a target", "nearly equal", "far", "tiny"])
def test_gradients_are_finite_where_points_meet(alpha: float, case: str) -> None:
    """The official code gives NaN below alpha = 1, where the slope of a distance of zero has no bound."""
    samples, targets = draws(4, 3, 5), draws(6, 3, 5, seed=1)
    if case == "all equal":
        samples, targets = torch.ones(4, 3, 5), torch.ones(6, 3, 5)
    elif case == "samples equal":
        samples = samples[:1].repeat(4, 1, 1)
    elif case == "a sample on a target":
        samples[0] = targets[0]
    elif case == "nearly equal":
        samples = samples[:1] + 1e-7 * draws(4, 3, 5, seed=2)
    elif case == "far":
        samples, targets = 1e6 * samples, 1e6 * targets
    else:
        samples, targets = 1e-6 * samples, 1e-6 * targets
    samples.requires_grad_(True)
    targets.requires_grad_(True)
    result = energy_score(samples, targets, alpha)
    result.score.sum().backward()
    for value in (result.score, result.diversity, result.fidelity, samples.grad, targets.grad):
        assert value is not None
        assert bool(value.isfinite().all())
    if case == "all equal":
        assert float(result.score.detach().abs().max()) == 0
        assert float(samples.grad.abs().max()) == 0  # type: ignore[union-attr]


def test_half_precision_and_autocast_count_in_float32() -> None:
    samples, targets = draws(4, 3, 64).bfloat16(), draws(6, 3, 64, seed=1).bfloat16()
    plain = energy_score(samples.float(), targets.float()).score
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = energy_score(samples, targets).score
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, plain)


# --- proper


def expected(model: Tensor, truth: Tensor, alpha: float) -> tuple[float, float]:
    """The mean score of many independent positions (N, R, l), (M, R, l) and its standard error."""
    return mean_and_error(energy_score(model, truth, alpha).score)


def mean_and_error(values: Tensor) -> tuple[float, float]:
    return values.double().mean().item(), values.double().std().item() / math.sqrt(values.numel())


POSITIONS = 40_000
MODELS = {
    "moved": lambda x: x + 0.3,
    "too wide": lambda x: 1.5 * x,
    "too narrow": lambda x: 0.6 * x,
    "a point": lambda x: 0 * x,
    "another shape": lambda x: x.sign() * x.abs() ** 0.25,
    "depending": lambda x: x[..., :1].expand_as(x),
}


@pytest.mark.parametrize("alpha", [0.3, 1.0, 1.5])
def test_strictly_proper_below_two(alpha: float) -> None:
    """The truth scores above every other law, by more than 4.5 standard errors of the paired difference.

    Eighteen comparisons at fixed seeds. Were a law no worse than the truth, it would pass by chance once in 300,000
    runs; the true gaps here are more than 9 such errors, so that a fresh seed would fail about as rarely.
    """
    truth, samples = draws(2, POSITIONS, 2, seed=1), draws(2, POSITIONS, 2, seed=2)
    best = energy_score(samples, truth, alpha).score
    for name, model in MODELS.items():
        gap, error = mean_and_error(best - energy_score(model(samples), truth, alpha).score)
        assert gap > 4.5 * error, name


def test_at_two_only_the_mean_counts() -> None:
    """score = -2 |m_x - m_y|^2 - const: spread is free, so no law is preferred to another of the same mean.

    Every comparison at 4.5 standard errors: false alarm about once in 10^5 runs each.
    """
    truth, samples = draws(2, POSITIONS, 2, seed=1), draws(2, POSITIONS, 2, seed=2)
    constant = 2.0 * 2  # twice the variance of the truth, over two coordinates
    for spread in (0.0, 0.5, 1.0, 2.0):
        for shift in (0.0, 0.3, 1.0):
            score, error = expected(spread * samples + shift, truth, 2.0)
            exact = -2 * (2 * shift**2) - constant
            assert abs(score - exact) < 4.5 * error, (spread, shift)
            assert error < 0.15  # or the line above would accept anything


def test_the_estimate_is_unbiased_for_any_number_of_draws() -> None:
    """N = 2 and M = 1 tell the same on average as N = 8 and M = 100, at 4.5 standard errors of the difference."""
    few, error = expected(draws(2, POSITIONS, 2, seed=3), draws(1, POSITIONS, 2, seed=4), 1.0)
    many, other = expected(draws(8, 4000, 2, seed=5), draws(100, 4000, 2, seed=6), 1.0)
    assert abs(few - many) < 4.5 * math.hypot(error, other)
    # E|x - x'| of two standard normals in the plane is sqrt(pi), so the score of the truth is sqrt(pi) - 2 sqrt(pi)
    assert abs(many + math.sqrt(math.pi)) < 4.5 * other


# --- refused


@pytest.mark.parametrize(
    ("samples", "targets", "alpha", "words"),
    [
        ((1, 3), (4, 3), 1.0, "at least 2 samples"),
        ((2, 3), (0, 3), 1.0, "at least 1 target"),
        ((2, 3), (4, 2), 1.0, "must agree"),
        ((2, 5, 3), (4, 3), 1.0, "must agree"),
        ((2,), (4,), 1.0, "must agree"),
        ((2, 3), (4, 3), 0.0, "alpha must lie"),
        ((2, 3), (4, 3), 2.1, "alpha must lie"),
        ((2, 3), (4, 3), math.nan, "alpha must lie"),
        ((2, 3), (4, 3), -1.0, "alpha must lie"),
    ],
)
def test_refusals(samples: tuple[int, ...], targets: tuple[int, ...], alpha: float, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        energy_score(torch.zeros(samples), torch.zeros(targets), alpha)
    assert isinstance(caught.value, ValueError)
