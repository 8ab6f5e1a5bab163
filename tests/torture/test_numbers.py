"""Numbers stay right: float32 against float64, bfloat16 within bounds, one thread or two, extreme and empty input.

What other tests hold already is not repeated; docs/robustness.md says which test holds what. A bound here is stated in
units of the largest number compared, and is a small multiple of what was measured.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from calm_lab.device import autocast
from calm_lab.errors import InputError
from calm_lab.lab.table1 import table_1
from calm_lab.model.autoencoder import Posterior
from calm_lab.model.calm import CALM
from calm_lab.model.layers import RMSNorm
from calm_lab.text.chunks import document_chunks, pack
from calm_lab.toolkit.brier import BrierEstimate, brier_lm, brier_n, brier_terms
from calm_lab.toolkit.energy import energy_score
from calm_lab.toolkit.evaluation import evaluate_calm
from calm_lab.toolkit.laws import expected_calls
from calm_lab.toolkit.loss import LossNoise, calm_loss
from calm_lab.toolkit.temperature import weights_from_counts
from calm_lab.training.optimizer import learning_rate
from tests.model import small
from tests.toolkit.small_calm import small_calm

CPU = torch.device("cpu")


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=stream(seed))


def gap(found: Tensor, exact: Tensor) -> float:
    """The largest difference, in units of the largest number."""
    return float((found.double() - exact.double()).abs().max() / exact.double().abs().max())


# --- formulas, float32 against float64 or against whole numbers


@pytest.mark.parametrize("alpha", [0.25, 0.5, 1.0, 1.5, 1.9, 2.0])
def test_the_gradient_of_the_energy_score_in_float32(alpha: float) -> None:
    """At the sizes of training, against the definition in float64: measured 4e-7 at most."""
    samples, targets = draws(8, 50, 64), 0.3 * draws(100, 50, 64, seed=1) + draws(50, 64, seed=2)
    single, double = samples.requires_grad_(True), samples.detach().double().requires_grad_(True)
    (ours,) = torch.autograd.grad(energy_score(single, targets, alpha).score.sum(), single)
    between = torch.stack([double[i] - double[j] for i in range(8) for j in range(i)]).norm(dim=-1) ** alpha
    to_targets = (double[:, None] - targets.double()).norm(dim=-1) ** alpha
    score = between.mean(0) - 2 * to_targets.mean((0, 1))
    (exact,) = torch.autograd.grad(score.sum(), double)
    assert ours.dtype == torch.float32
    assert gap(ours, exact) < 2e-6


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e-4, 1.0, 100.0, 1e4])
def test_kl_and_bits_in_float32(scale: float) -> None:
    """Within 1e-6 of 1 + KL: where mean and log_std vanish the terms cancel to a KL of 0, there and nowhere else."""
    mean, log_std = scale * draws(1000, 8), min(scale, 1.0) * draws(1000, 8, seed=1)
    m, s = mean.double(), log_std.double()
    exact = 0.5 * (m.square() + torch.expm1(2 * s) - 2 * s)
    found = Posterior(mean, log_std)
    assert bool(((found.kl() - exact).abs() <= 1e-6 * (1 + exact)).all())
    bits = small.autoencoder(latent_size=8).bits(found)
    whole = exact.sum(-1) / math.log(2)
    assert bool(((bits - whole).abs() <= 1e-6 * (8 + whole)).all())


def test_brier_terms_are_whole_numbers_and_their_mean_loses_nothing() -> None:
    """200,000 positions: sums of 0, 1/2 and 1, held against counts of Python's own."""
    generator = stream()
    first, second, target = (torch.randint(0, 2, (200_000, 4), generator=generator) for _ in range(3))
    terms = brier_terms(first, second, target)
    assert set(terms.accuracy.unique().tolist()) == {0.0, 0.5, 1.0}
    exact = []
    for n in range(1, 5):
        hits, twins = (
            sum(int((a[:, :n] == b[:, :n]).all(-1).sum()) for a, b in pairs)
            for pairs in (((first, target), (second, target)), ((first, second),))
        )
        exact.append(Fraction(hits - twins, 200_000))
    estimate = BrierEstimate.from_terms(terms.score)
    assert [float(value) for value in estimate.values] == pytest.approx([float(value) for value in exact], rel=1e-12)
    assert [float(value) for value in brier_n(first, second, target)] == [
        float(torch.tensor(float(value), dtype=torch.float32)) for value in exact
    ]


@pytest.mark.parametrize("fractions", [[0.5, 0.25, 0.125, 0.0625], [1.0] * 4, [1e-30, 1e-20, 1e-10, 1.0], [1e-300] * 4])
def test_brier_lm_against_roots(fractions: list[float]) -> None:
    exact = 100 * math.prod(value**0.25 for value in fractions)
    assert brier_lm(fractions) == pytest.approx(exact, rel=1e-12)
    single = brier_lm(torch.tensor(fractions, dtype=torch.float32))
    if min(fractions) < 1e-38:
        assert math.isnan(single)  # float32 has no such number: it is 0, and a BrierLM of 0 is none
    else:
        assert single == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 50])
def test_weights_of_a_temperature_against_binomials(n: int) -> None:
    counts = [0, 1, 2, 3, 49, 50, 51, 200, 1000]
    found, used = weights_from_counts(torch.tensor([counts]), n)
    exact = [math.comb(count, n) if count else 0 for count in counts]
    assert int(used) == n
    assert found[0].tolist() == pytest.approx([float(Fraction(e, sum(exact))) for e in exact], rel=1e-12, abs=0)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20])
def test_expected_calls_against_fractions(n: int) -> None:
    """Whole 1/T: n over the sum of P^n. A law given in float32 costs what its own digits cost: n of them."""
    weights = [Fraction(1, k) for k in range(1, 200)]
    law = [weight / sum(weights) for weight in weights]
    exact = float(n / sum(p**n for p in law))
    numbers = [float(p) for p in law]
    assert expected_calls(torch.tensor(numbers, dtype=torch.float64), 1 / n) == pytest.approx(exact, rel=1e-12)
    assert expected_calls(torch.tensor(numbers, dtype=torch.float32), 1 / n) == pytest.approx(exact, rel=n * 1e-6)


def test_flops_at_the_papers_sizes_are_whole_numbers() -> None:
    """Of a step, K tokens; all below 2^53, where float64 would begin to leave out whole numbers."""
    for row in table_1():
        cost = row.exact
        for parts in (cost.inference, cost.parameters):
            for field in fields(parts):
                amount = getattr(parts, field.name) * (cost.chunk_size if parts is cost.inference else 1)
                assert amount == int(amount) < 2**53, (row.paper.model, field.name)


@pytest.mark.parametrize(("warmup", "steps"), [(0, 1), (0, 7), (1, 7), (3, 10), (10, 10), (500, 20_000), (20, 10)])
def test_the_learning_rate_is_two_straight_lines(warmup: int, steps: int) -> None:
    peak = 3e-4
    rates = [learning_rate(step, peak, warmup, steps) for step in range(steps + 2)]
    for step in range(0, steps + 2, max(1, steps // 1000)):
        exact = (
            Fraction(step + 1, warmup) if step < warmup
            else Fraction(max(0, steps - step), max(1, steps - warmup))
        )  # fmt: skip
        assert rates[step] == pytest.approx(peak * float(exact), rel=1e-14, abs=0)
    assert max(rates) <= peak
    assert min(rates) >= 0
    if warmup < steps:
        assert rates[warmup] == peak
        assert rates[steps] == rates[steps + 1] == 0
        assert rates[warmup:] == sorted(rates[warmup:], reverse=True)
    assert rates[:warmup] == sorted(rates[:warmup])


# --- the model whole: precision and threads


@dataclass(frozen=True)
class Pass:
    """What one forward and backward pass gives, each flat."""

    hidden: Tensor
    loss: Tensor
    gradient: Tensor
    latent: Tensor
    logits: Tensor


def one_pass(model: CALM, precision: str = "float32", batch: int = 2, chunks: int = 6) -> Pass:
    """A pass with fixed draws, whatever the kind of number."""
    head, rows = model.config.head, batch * (chunks - 1)
    ids = torch.randint(4, model.config.vocab_size, (batch, chunks * model.config.chunk_size), generator=stream(1))
    kind = next(model.parameters()).dtype
    noise = LossNoise(
        draws(head.num_targets, rows, model.config.latent_size).to(kind),
        (torch.rand(head.num_samples, rows, head.noise_size, generator=stream(2)) - 0.5).to(kind),
    )
    model.zero_grad()
    with autocast(CPU, precision):
        hidden = model.hidden_states(ids)
        loss = calm_loss(model, ids, noise=noise).total
        latent = model.autoencoder.encode(ids).mean
        logits = model.autoencoder.decode_logits(latent)
    loss.backward()
    gradient = torch.cat([p.grad.flatten() for p in model.trainable().values() if p.grad is not None])
    return Pass(hidden.detach(), loss.detach(), gradient, latent.detach(), logits.detach())


def gaps(found: Pass, exact: Pass) -> dict[str, float]:
    return {field.name: gap(getattr(found, field.name), getattr(exact, field.name)) for field in fields(Pass)}


@pytest.mark.parametrize("kind", ["small", "tiny"])
def test_a_model_in_float32_against_float64(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small.calm() if kind == "small" else small_calm()
    single = one_pass(model)
    double = copy.deepcopy(model).double()

    def norm(self: RMSNorm, x: Tensor) -> Tensor:  # ours takes its statistics in float32 whatever the input
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)

    monkeypatch.setattr(RMSNorm, "forward", norm)
    exact = one_pass(double)
    assert exact.loss.dtype == torch.float64
    found = gaps(single, exact)
    assert max(found.values()) < 5e-6, found


@pytest.mark.parametrize("kind", ["small", "tiny"])
def test_a_model_in_bfloat16_is_within_its_bounds_and_its_loss_is_float32(kind: str) -> None:
    """Eight bits of a number are 4e-3 of it; measured 2e-2 at most, gradients included."""
    model = small.calm() if kind == "small" else small_calm()
    single, mixed = one_pass(model), one_pass(model, "bfloat16")
    assert mixed.loss.dtype == torch.float32
    assert mixed.gradient.dtype == torch.float32
    found = gaps(mixed, single)
    assert max(found.values()) < 6e-2, found
    assert found["hidden"] > 1e-4, "bfloat16 was at work"


@pytest.fixture
def threads() -> Iterator[None]:
    """Puts the number of threads back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_same_bits_again_and_close_with_another_number_of_threads(threads: None) -> None:
    """Equal bits from run to run; from one thread to two a sum may be taken in another order, and no more than that."""
    runs = []
    for count in (1, 1, 2, 2):
        torch.set_num_threads(count)
        runs.append(one_pass(small_calm(), batch=8, chunks=64))
    for one, again in (runs[:2], runs[2:]):
        assert all(torch.equal(getattr(one, field.name), getattr(again, field.name)) for field in fields(Pass))
    found = gaps(runs[2], runs[0])
    assert max(found.values()) < 5e-6, found


# --- extreme, least and longest


@pytest.mark.parametrize("scale", [0.0, 1e-45, 1e-30, 1e4, 1e18])
def test_extreme_vectors_decode_and_score(scale: float) -> None:
    model = small.calm()
    z = scale * torch.cat([torch.ones(1, 5), -torch.ones(1, 5), draws(6, 5)])
    assert bool(model.autoencoder.decode_logits(z).isfinite().all())
    ids = model.autoencoder.decode(z)
    assert int(ids.min()) >= 0
    assert int(ids.max()) < 23
    samples = z[:, None].requires_grad_(True)
    result = energy_score(samples, z[:3, None] / 2)
    result.score.sum().backward()
    assert samples.grad is not None
    for value in (result.score, result.diversity, result.fidelity, samples.grad):
        assert bool(value.isfinite().all())


@pytest.mark.parametrize("vocab", [5, 6])
@pytest.mark.parametrize("chunk_size", [1, 2])
def test_the_least_vocabulary_and_chunk(vocab: int, chunk_size: int) -> None:
    """Four ids are special, so a language has at least one more."""
    model = small.calm(vocab_size=vocab, chunk_size=chunk_size)
    ids = torch.randint(4, vocab, (2, 8 * chunk_size), generator=stream())
    assert math.isfinite(float(calm_loss(model, ids, generator=stream()).total.detach()))
    found = evaluate_calm(model, ids, stream())
    assert bool(found.brier.values.isfinite().all())
    with pytest.raises(InputError, match="vocabulary"):
        model.hidden_states(ids + vocab)


def test_one_chunk_and_no_rows() -> None:
    """One chunk has a state and nothing to be judged at; no rows have no states, and a loss of nothing is refused."""
    model = small.calm()
    one = small.rows(model, batch=2, chunks=1)
    assert model.hidden_states(one).shape == (2, 1, 16)
    for ids in (one, one[:0], one[:, :0]):
        with pytest.raises(InputError, match="no position"):
            calm_loss(model, ids, generator=stream())
        with pytest.raises(InputError):
            evaluate_calm(model, ids, stream())
    none = one[:0]
    assert model.hidden_states(none).shape == (0, 1, 16)
    assert model.autoencoder.encode(none).mean.shape == (0, 1, 5)
    assert model.autoencoder.decode(torch.zeros(0, 5)).shape == (0, 3)


def test_a_document_of_a_hundred_thousand_tokens() -> None:
    """Read, cut, packed, encoded and evaluated; rows keep the work linear in its length."""
    model = small_calm()
    tokenizer, config = model.tokenizer, model.config
    assert tokenizer is not None
    words = ("the old fox sat by the gate ", "the red hen sat by the hill ")
    text = "".join(words[i % 3 % 2] for i in range(15_000))
    ids = tokenizer.encode(text)[:100_000]
    assert len(ids) == 100_000
    assert text.startswith(tokenizer.decode(ids))
    special = {"bos_id": config.bos_id, "eos_id": config.eos_id, "pad_id": config.pad_id}
    chunks = document_chunks(ids, config.chunk_size, **special, remainder=3)
    assert chunks.shape == (1 + -(-(100_000 - 3 + 1) // 4), 4)
    kept = chunks[(chunks != config.bos_id) & (chunks != config.eos_id) & (chunks != config.pad_id)]
    assert kept.tolist() == ids
    posterior = model.autoencoder.encode(torch.from_numpy(chunks).reshape(1, -1))
    assert posterior.mean.shape[:2] == (1, len(chunks))
    assert bool(posterior.kl().isfinite().all())
    packed = torch.stack([torch.from_numpy(row).flatten() for row in pack([chunks], 512)])
    found = evaluate_calm(model, packed, stream())
    assert found.brier.positions == len(packed) * 511
    assert bool(found.brier.values.isfinite().all())
