"""The three heads behind one interface: shapes, seeds, N draws that are N separate draws, and each one's formulas."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.config import HeadConfig
from calm_lab.model.heads import DiffusionHead, EnergyHead, FlowHead, Head, build_head
from calm_lab.model.heads.diffusion import Schedule, binned_log_likelihood, gaussian_kl, normal_cdf
from tests.model import small

KINDS = ("energy", "flow", "diffusion")
WIDTH, LATENT, NOISE = 12, 5, 4


def head(kind: str, seed: int = 0, **fields: object) -> Head:
    config = HeadConfig(**({"kind": kind, "num_blocks": 2, "noise_size": NOISE, "num_samples": 3} | fields))
    model: Head = small.filled(build_head(config, WIDTH, LATENT), seed, std=0.3).eval()
    return model


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def hidden(*leading: int, seed: int = 0) -> Tensor:
    return torch.randn(*leading, WIDTH, generator=stream(seed))


def quick(model: Head, *args: object, **kwargs: object) -> Tensor:
    """``sample`` in few steps."""
    steps = {FlowHead: {"steps": 2}, DiffusionHead: {"steps": 4}}.get(type(model), {})
    return model.sample(*args, **steps, **kwargs)  # type: ignore[arg-type]


# --- all


@settings(max_examples=30)
@given(
    st.sampled_from(KINDS),
    st.lists(st.integers(0, 3), max_size=3),
    st.sampled_from([None, 1, 2, 5]),
    st.integers(0, 9),
)
def test_shapes_and_seeds(kind: str, leading: list[int], count: int | None, seed: int) -> None:
    model, states = head(kind), hidden(*leading)
    drawn = quick(model, states, generator=stream(seed), num_samples=count)
    assert drawn.shape == ((*leading, LATENT) if count is None else (count, *leading, LATENT))
    assert bool(drawn.isfinite().all())
    assert torch.equal(drawn, quick(model, states, generator=stream(seed), num_samples=count))
    if drawn.numel():
        assert not torch.equal(drawn, quick(model, states, generator=stream(seed + 1), num_samples=count))
    noise = model.draw_noise(states, count, stream(seed))
    assert noise.shape[-1] == (NOISE if kind == "energy" else LATENT)
    if kind != "diffusion":  # whose steps draw more
        assert torch.equal(drawn, quick(model, states, noise))


@pytest.mark.parametrize("kind", KINDS)
def test_many_draws_are_separate_draws(kind: str) -> None:
    """N noises at once equal N calls, and one state alone equals itself among others."""
    model, states = head(kind), hidden(2, 3)
    noise = model.draw_noise(states, 4, stream())
    steps = torch.randn(4, 24, LATENT, generator=stream(1))
    extra = {"step_noise": steps} if kind == "diffusion" else {}
    together = quick(model, states, noise, **extra)
    for i in range(4):
        mine = {"step_noise": steps[:, 6 * i : 6 * i + 6]} if extra else {}
        assert torch.allclose(together[i], quick(model, states, noise[i], **mine), atol=1e-4)
    one = {"step_noise": steps[:, 4:5]} if extra else {}
    assert torch.allclose(together[0, 1, 1], quick(model, states[1, 1], noise[0, 1, 1], **one), atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_noise_and_state_both_matter(kind: str) -> None:
    model, states = head(kind), hidden(3)
    noise = model.draw_noise(states, None, stream())
    steps = {"step_noise": torch.zeros(4, 3, LATENT)} if kind == "diffusion" else {}
    base = quick(model, states, noise, **steps)
    assert not torch.allclose(base, quick(model, states, noise * 0.5, **steps), atol=1e-3)
    assert not torch.allclose(base, quick(model, hidden(3, seed=1), noise, **steps), atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_noise_of_another_size_is_refused(kind: str) -> None:
    with pytest.raises(InputError, match="noise has"):
        head(kind).sample(hidden(2), torch.zeros(2, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_placement_follows_the_input(kind: str) -> None:
    """Nothing names a device: on the meta device everything stays there (the official sampler calls .cuda())."""
    with torch.device("meta"):
        model = build_head(HeadConfig(kind=kind), 64, 16)  # type: ignore[arg-type]
    states = torch.zeros(2, 3, 64, device="meta")
    assert quick(model, states, num_samples=2).device.type == "meta"
    if not isinstance(model, EnergyHead):
        rows = torch.zeros(6, 16, device="meta")
        time = torch.zeros(6, device="meta", dtype=torch.float32 if kind == "flow" else torch.int64)
        loss = model.loss(rows, states.flatten(0, 1), time, rows)
        assert loss.device.type == "meta"
        assert loss.shape == (6,)


@pytest.mark.parametrize("kind", ["flow", "diffusion"])
def test_losses_are_functions_of_their_draws(kind: str) -> None:
    model = head(kind)
    assert not isinstance(model, EnergyHead)
    targets, states = torch.randn(6, LATENT, generator=stream()), hidden(6)
    first, again, other = (model.loss(targets, states, generator=stream(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert model.loss(targets[:0], states[:0]).shape == (0,)
    model.loss(targets, states, generator=stream()).sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in model.parameters())


# --- energy


def test_the_noise_is_uniform_around_zero() -> None:
    """Mean and variance of 240,000 draws within 5 standard errors (seeded)."""
    noise = head("energy").draw_noise(hidden(300), 200, stream())
    assert -0.5 <= float(noise.min()) < -0.499
    assert 0.499 < float(noise.max()) < 0.5
    count = noise.numel()
    assert abs(float(noise.mean())) < 5 / math.sqrt(12 * count)
    assert abs(float(noise.var()) - 1 / 12) < 5 * math.sqrt(1 / 180 / count)


def test_samples_differ_from_the_start() -> None:
    """The official code starts the last layer at zero: all samples equal, and no gradient in the diversity."""
    torch.manual_seed(0)
    fresh = build_head(HeadConfig(), WIDTH, LATENT)
    drawn = fresh.sample(hidden(50), generator=stream(), num_samples=2)
    assert float((drawn[0] - drawn[1]).norm(dim=-1).min()) > 0
    zero = build_head(HeadConfig(init_std=0.0), WIDTH, LATENT)
    assert float(zero.sample(hidden(5), generator=stream(), num_samples=2).abs().max()) == 0


# --- flow


def test_the_flow_loss_is_its_definition() -> None:
    model = head("flow")
    assert isinstance(model, FlowHead)
    targets, start = torch.randn(6, LATENT, generator=stream()), torch.randn(6, LATENT, generator=stream(1))
    time, states = torch.rand(6, generator=stream(2)), hidden(6)
    here = (1 - time[:, None]) * start + time[:, None] * targets
    exact = (model.velocity(here, time, states) - (targets - start)).square().mean(-1)
    assert torch.equal(model.loss(targets, states, time, start), exact)


def test_solvers_follow_a_known_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """dx/dt = a x: Euler gives (1 + a/n)^n, midpoint (1 + a/n + a^2/2n^2)^n, both tend to e^a at their orders."""
    model = head("flow")
    assert isinstance(model, FlowHead)
    monkeypatch.setattr(model, "velocity", lambda x, time, states: 0.7 * x)
    start = torch.randn(3, LATENT, generator=stream(), dtype=torch.float64)
    for n in (1, 5, 20):
        step = 0.7 / n
        euler = model.sample(hidden(3), start, steps=n, solver="euler")
        midpoint = model.sample(hidden(3), start, steps=n)
        assert torch.allclose(euler, start * (1 + step) ** n, rtol=1e-9)
        assert torch.allclose(midpoint, start * (1 + step + step**2 / 2) ** n, rtol=1e-9)
    assert torch.allclose(midpoint, start * math.exp(0.7), rtol=1e-3)


def test_solvers_ask_at_the_right_times(monkeypatch: pytest.MonkeyPatch) -> None:
    model = head("flow")
    assert isinstance(model, FlowHead)
    seen: list[float] = []
    monkeypatch.setattr(model, "velocity", lambda x, time, states: seen.append(float(time[0])) or 0 * x)
    model.sample(hidden(1), steps=4, generator=stream())
    assert seen == [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875]
    seen.clear()
    model.sample(hidden(1), steps=4, solver="euler", generator=stream())
    assert seen == [0, 0.25, 0.5, 0.75]


def test_time_is_cut_to_thousandths_only_for_official_models() -> None:
    ours, official = head("flow"), head("flow", whole_time_steps=True)
    assert isinstance(ours, FlowHead)
    assert isinstance(official, FlowHead)
    x, states = torch.randn(1, LATENT, generator=stream()), hidden(1)

    def at(model: FlowHead, time: float) -> Tensor:
        return model.velocity(x, torch.tensor([time]), states)

    assert torch.equal(at(official, 0.25), at(official, 0.2509))
    assert not torch.equal(at(ours, 0.25), at(ours, 0.2509))
    assert torch.equal(at(ours, 0.25), at(official, 0.25))


def test_flow_refusals() -> None:
    with pytest.raises(InputError, match="did you mean 'euler'"):
        head("flow").sample(hidden(1), solver="eulr")  # type: ignore[call-arg]
    with pytest.raises(InputError, match="steps must be at least 1"):
        head("flow").sample(hidden(1), steps=0)  # type: ignore[call-arg]


# --- diffusion


@pytest.mark.parametrize("steps", [1, 2, 7, 100, 1000])
def test_any_respacing_is_a_schedule(steps: int) -> None:
    """The signal falls from almost all to almost nothing, and respacing keeps what is left at each kept step."""
    full, schedule = Schedule.cosine(), Schedule.cosine(steps)
    assert schedule.timesteps.tolist() == sorted(set(schedule.timesteps.tolist()))
    assert torch.equal(schedule.alphas_cumprod, full.alphas_cumprod[schedule.timesteps])
    assert torch.allclose(torch.cumprod(1 - schedule.betas, 0), schedule.alphas_cumprod, rtol=1e-9)
    for table in (schedule.betas, schedule.posterior_mean_start, schedule.posterior_mean_here):
        assert bool(table.isfinite().all())
    assert bool(schedule.posterior_log_variance.isfinite().all())
    assert steps == 1 or int(schedule.timesteps[0]) == 0
    assert int(schedule.timesteps[-1]) == 999


def test_the_posterior_is_bayes_rule() -> None:
    """q(x_{t-1} | x_t, x_0) from the two Gaussians it is made of."""
    s = Schedule.cosine(50)
    for t in (1, 20, 49):
        kept, before, beta = float(s.alphas_cumprod[t]), float(s.alphas_cumprod[t - 1]), float(s.betas[t])
        # x_{t-1} ~ N(sqrt(before) x0, 1 - before), x_t | x_{t-1} ~ N(sqrt(1 - beta) x_{t-1}, beta)
        precision = 1 / (1 - before) + (1 - beta) / beta
        assert float(s.posterior_log_variance[t]) == pytest.approx(-math.log(precision), rel=1e-9)
        start = math.sqrt(before) / (1 - before) / precision
        assert float(s.posterior_mean_start[t]) == pytest.approx(start, rel=1e-9)
        assert float(s.posterior_mean_here[t]) == pytest.approx(math.sqrt(1 - beta) / beta / precision, rel=1e-9)
        assert kept == pytest.approx(before * (1 - beta))


def test_gaussian_terms() -> None:
    mean, log_variance = torch.randn(4, generator=stream()), torch.randn(4, generator=stream(1))
    other, its = torch.randn(4, generator=stream(2)), torch.randn(4, generator=stream(3))
    normal = torch.distributions.Normal
    exact = torch.distributions.kl_divergence(normal(mean, (log_variance / 2).exp()), normal(other, (its / 2).exp()))
    assert torch.allclose(gaussian_kl(mean, log_variance, other, its), exact, rtol=1e-5)
    x = torch.linspace(-4, 4, 50)
    assert float((normal_cdf(x) - normal(0.0, 1.0).cdf(x)).abs().max()) < 1e-3
    # the bins between -1 and 1 hold all of the probability
    grid = torch.linspace(-1, 1, 256)
    total = binned_log_likelihood(grid, torch.tensor(0.2), torch.tensor(-1.0)).exp().sum()
    assert float(total) == pytest.approx(1, abs=2e-3)


def test_a_perfect_denoiser_brings_the_latent_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that knows the noise leads from anywhere to the clean latent, in any number of steps."""
    model = head("diffusion")
    assert isinstance(model, DiffusionHead)
    clean, full = torch.randn(2, LATENT, generator=stream()), Schedule.cosine()

    def net(x: Tensor, time: Tensor, states: Tensor) -> Tensor:
        kept = full.alphas_cumprod[time].float()[:, None]
        return torch.cat([(x - kept.sqrt() * clean) / (1 - kept).sqrt(), torch.zeros_like(x)], -1)

    monkeypatch.setattr(model.net, "forward", net)
    for steps in (2, 10, 100):
        drawn = model.sample(hidden(2), steps=steps, generator=stream())
        assert torch.allclose(drawn, clean, atol=0.02)
    terms = model.loss_terms(clean, hidden(2), torch.tensor([5, 900]), torch.randn(2, LATENT, generator=stream(1)))
    assert float(terms.mse.max()) < 1e-4


def test_an_error_of_the_first_step_is_held_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that knows the noise but for 1% leaves the latent space in one step; with the limit it comes home."""
    model = head("diffusion")
    assert isinstance(model, DiffusionHead)
    clean, full = torch.randn(64, LATENT, generator=stream()), Schedule.cosine()

    def net(x: Tensor, time: Tensor, states: Tensor) -> Tensor:
        kept = full.alphas_cumprod[time].float()[:, None]
        wrong = torch.where(time[:, None] == 999, 1.01, 1.0)
        return torch.cat([wrong * (x - kept.sqrt() * clean) / (1 - kept).sqrt(), torch.zeros_like(x)], -1)

    monkeypatch.setattr(model.net, "forward", net)
    hundred = Schedule.cosine(100).tables(torch.device("cpu"))
    assert float((hundred["posterior_mean_start"] * hundred["inverse_noise"])[-1]) == pytest.approx(316, abs=1)
    start, step = torch.randn(64, LATENT, generator=stream(1)), torch.full((64,), 99)
    free = model.denoise(Schedule.cosine(100), start, step, hidden(64))
    held = model.denoise(Schedule.cosine(100), start, step, hidden(64), limit=5.0)
    assert float(free.mean.abs().max()) > 5
    assert float(held.clean.abs().max()) <= 5
    assert torch.allclose(model.sample(hidden(64), start, stream(2), limit=5.0), clean, atol=0.02)
    with pytest.raises(InputError, match="must be above 0"):
        model.sample(hidden(1), limit=0.0)


def test_the_noise_temperature() -> None:
    model, states = head("diffusion"), hidden(2)
    start, noise = torch.randn(2, LATENT, generator=stream()), torch.randn(4, 2, LATENT, generator=stream(1))
    cold = model.sample(states, start, steps=4, temperature=0.0, step_noise=noise)  # type: ignore[call-arg]
    assert torch.equal(cold, model.sample(states, start, steps=4, step_noise=0 * noise))  # type: ignore[call-arg]
    last = noise.clone()
    last[-1] = 100.0  # the last step adds no noise
    warm = model.sample(states, start, steps=4, step_noise=noise)  # type: ignore[call-arg]
    assert torch.equal(warm, model.sample(states, start, steps=4, step_noise=last))  # type: ignore[call-arg]


def test_diffusion_refusals() -> None:
    model = head("diffusion")
    for arguments, words in (
        ({"steps": 0}, "between 1 and 1000"),
        ({"steps": 1001}, "between 1 and 1000"),
        ({"temperature": -0.1}, "must not be negative"),
        ({"steps": 3, "step_noise": torch.zeros(3, 2, LATENT)}, "step_noise must have shape"),
    ):
        with pytest.raises(InputError, match=words):
            model.sample(hidden(1), **arguments)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "enrgy"}, "did you mean 'energy'"),
        ({"kind": "energy", "alpha": 0.0}, r"alpha must lie in \(0, 2\]"),
        ({"kind": "energy", "alpha": math.nan}, r"alpha must lie in \(0, 2\]"),
        ({"kind": "energy", "diversity": 0.0}, r"diversity must lie in \(0, 1\]"),
        ({"kind": "energy", "diversity": math.nan}, r"diversity must lie in \(0, 1\]"),
        ({"kind": "energy", "num_samples": 10**12}, "must not pass"),
        ({"kind": "energy", "init_std": math.inf}, "init_std"),
        ({"kind": "energy", "num_blocks": 0}, "num_blocks"),
        ({"kind": "energy", "noise_size": 2.0}, "noise_size"),
    ],
)
def test_configs_that_cannot_be(fields: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        HeadConfig(**fields)  # type: ignore[arg-type]
