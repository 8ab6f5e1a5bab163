"""The rows of the table of speed: what is timed on both sides, and the target that was set beforehand.

A case makes its models once and gives back what to repeat. ``ours`` is the code that users run; ``plain`` is the
formulation of ``benchmarks/reference.py`` on the same weights. The sizes are those of the targets: V = 4096;
autoencoder 256 wide, 640 inside, l = 64, K = 4, 2 + 2 layers; CALM 256 wide, 4 layers, 4 heads, 688 inside, 2 head
blocks, N = 8, M = 100. ``tiny`` sizes are for the tests.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

import calm_lab
from benchmarks import reference
from calm_lab.lab.flops import flops
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.config import AutoencoderConfig, BackboneConfig, CalmConfig, HeadConfig
from calm_lab.text.chunks import prompt_chunks
from calm_lab.toolkit.decoding import Tape
from calm_lab.toolkit.energy import energy_score
from calm_lab.toolkit.exact_batch import sample_batch_at_temperature
from calm_lab.toolkit.loss import calm_loss
from calm_lab.toolkit.ngrams import draw_ngrams
from calm_lab.toolkit.texts import write_chunk
from calm_lab.training.optimizer import build_optimizer

SIDES = ("plain", "ours")


@dataclass(frozen=True)
class Work:
    """What a case repeats, and what else is worth knowing of it.

    Attributes:
        run: one repetition.
        amount: tokens, draws or chunks that it handles.
        flops: of one repetition, where the case has a share of the matrix product's peak.
        facts: further numbers.
    """

    run: Callable[[], Any]
    amount: float = 1.0
    flops: float | None = None
    facts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes:
        name: for ``--only`` and JSON.
        title: as in the table.
        unit: what ``Work.amount`` counts.
        make: side and tiny -> work.
        target: the factor of speed aimed at, None where there is nothing to compare with.
        memory_target: the share of the plain side's extra memory aimed at.
        limit: seconds aimed at, where the target is a time.
        repeats: repetitions on a full run.
        half: whether the matrix products are in bfloat16.
    """

    name: str
    title: str
    unit: str
    make: Callable[[str, bool], Work]
    target: float | None = None
    memory_target: float | None = None
    limit: float | None = None
    repeats: int = 5
    half: bool = False

    @property
    def sides(self) -> tuple[str, ...]:
        """Plain and ours, or ours alone."""
        return SIDES if self.limit is None and self.target is not None else ("ours",)


def autoencoder(tiny: bool, chunk_size: int = 4, **changes: Any) -> Autoencoder:
    """The autoencoder of the targets, with random weights."""
    torch.manual_seed(0)
    config = AutoencoderConfig(4096, chunk_size, 64, 256, 640)
    if tiny:
        config = AutoencoderConfig(300, chunk_size, 8, 32, 64)
    return Autoencoder(dataclasses.replace(config, **changes))


def calm(tiny: bool, chunk_size: int = 4) -> CALM:
    """The CALM of the targets; the head's last layer is wide enough for draws to differ."""
    inner = autoencoder(tiny, chunk_size)
    backbone = BackboneConfig(32, 64, 1, 2) if tiny else BackboneConfig(256, 688, 4, 4)
    head = HeadConfig(num_blocks=2, noise_size=64, init_std=0.3)
    size = inner.config
    return CALM(CalmConfig(size.vocab_size, chunk_size, size.latent_size, backbone, head), inner)


def rows(model: Any, batch: int, tokens: int) -> Tensor:
    """Random ids without specials."""
    return torch.randint(4, model.config.vocab_size, (batch, tokens), generator=torch.Generator().manual_seed(1))


def precision(half: bool) -> contextlib.AbstractContextManager[object]:
    """Autocast to bfloat16, or nothing."""
    return torch.autocast("cpu", dtype=torch.bfloat16) if half else contextlib.nullcontext()


def energy(side: str, tiny: bool) -> Work:
    """The loss alone, forward and backward."""
    size, positions = (16, 8) if tiny else (128, 2048)
    stream = torch.Generator().manual_seed(0)
    samples = torch.randn(8, positions, size, generator=stream)
    targets = 0.5 * torch.randn(100, positions, size, generator=stream) + torch.randn(positions, size, generator=stream)
    loss = reference.energy_loss if side == "plain" else (lambda x, y: -energy_score(x, y).score)

    def gradient(x: Tensor, y: Tensor) -> Tensor:
        x = x.detach().requires_grad_(True)
        return torch.autograd.grad(loss(x, y).mean(), x)[0]

    few = slice(0, 32)
    exact = torch.autograd.grad(
        reference.energy_loss(x := samples[:, few].double().requires_grad_(True), targets[:, few].double()).mean(), x
    )[0]
    error = (gradient(samples[:, few], targets[:, few]).double() - exact).abs().max() / exact.abs().max()
    return Work(lambda: gradient(samples, targets), positions, facts={"gradient_error": float(error)})


def training(
    loss: Callable[[], Tensor], parameters: list[torch.nn.Parameter], side: str, half: bool
) -> Callable[[], None]:
    """One step: forward, backward, AdamW."""
    if side == "plain":
        optimizer = torch.optim.AdamW(parameters, lr=1e-4, betas=(0.9, 0.95))
    else:
        optimizer = build_optimizer(parameters, 1e-4, 0.01)

    def step() -> None:
        with precision(half):
            total = loss()
        total.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def calm_step(half: bool) -> Callable[[str, bool], Work]:
    """A CALM's training step on 4 x 1024 tokens."""

    def make(side: str, tiny: bool) -> Work:
        model = calm(tiny)
        ids = rows(model, 2, 32) if tiny else rows(model, 4, 1024)
        loss = reference.calm_loss if side == "plain" else (lambda *given: calm_loss(*given).total)
        counts = flops(model, context=ids.shape[1] // 4, attention="causal", tokens=1)
        step = training(lambda: loss(model, ids), list(model.trainable().values()), side, half)
        return Work(step, ids.numel(), (counts.training.total - counts.training.autoencoder_training) * ids.numel())

    return make


def autoencoder_step(half: bool) -> Callable[[str, bool], Work]:
    """An autoencoder's training step on 8 x 512 tokens."""

    def make(side: str, tiny: bool) -> Work:
        model = autoencoder(tiny)
        ids = rows(model, 2, 16) if tiny else rows(model, 8, 512)
        loss = reference.autoencoder_loss if side == "plain" else (lambda *given: model.loss(given[1]).total)
        step = training(lambda: loss(model, ids), list(model.parameters()), side, half)
        return Work(step, ids.numel(), flops(model).training.total * ids.numel())

    return make


def large_vocabulary(side: str, tiny: bool) -> Work:
    """An autoencoder's training step on 8 x 512 tokens of a vocabulary of 128,257."""
    model = autoencoder(tiny) if tiny else autoencoder(False, vocab_size=128_257)
    ids = rows(model, 2, 16) if tiny else rows(model, 8, 512)
    return Work(training(lambda: model.loss(ids).total, list(model.parameters()), side, False), ids.numel())


def write(model: CALM, ids: Tensor, steps: int, side: str) -> Callable[[], None]:
    """``steps`` chunks at T = 1/2 from a pool of 200; rows that end go on, so both sides do the same."""
    stream = torch.Generator()

    @torch.inference_mode()
    def run() -> None:
        stream.manual_seed(0)
        if side == "plain":
            reference.generate(model, ids, steps, 2, 200, stream)
            return
        tape = Tape(model, ids, ids.shape[1] // model.config.chunk_size + steps)
        ended = torch.zeros(len(ids), dtype=torch.bool)
        for _ in range(steps):
            _, ended = write_chunk(model, tape, 2, 200, ended, stream)

    return run


def generation(batch: int) -> Callable[[str, bool], Work]:
    """256 tokens behind a prompt of 64, random weights."""

    def make(side: str, tiny: bool) -> Work:
        model = calm(tiny).eval()
        steps = 2 if tiny else 64
        return Work(write(model, rows(model, batch, 16 if tiny else 64), steps, side), batch * steps * 4)

    return make


def storyland(side: str, tiny: bool) -> Work:
    """256 tokens from the bundled model."""
    model = calm_lab.load_model("calm-storyland-k4")
    start = torch.from_numpy(prompt_chunks(model.tokenizer.encode("Once"), 4, bos_id=model.config.bos_id)).reshape(
        1, -1
    )
    steps = 2 if tiny else 64
    return Work(write(model, start, steps, side), steps * 4)


def brier(side: str, tiny: bool) -> Work:
    """BrierLM's draws at K = 2 on 2 x 512 tokens."""
    model = calm(tiny, 2).eval()
    ids = rows(model, 2, 16 if tiny else 512)
    positions = ids.shape[1] // 2
    noise, tail = torch.rand(2, 2, positions - 1, 64) - 0.5, torch.rand(2, 2, positions - 2, 64) - 0.5
    if side == "plain":
        return Work(lambda: reference.brier_k2(model, ids, noise, tail), ids.numel())
    return Work(lambda: draw_ngrams(model, ids, noise=noise, tail_noise=tail[None]).terms().score, ids.numel())


def exact(side: str, tiny: bool) -> Work:
    """Algorithm 1 at T = 0.4 over 64 contexts of the bundled model."""
    model = calm_lab.load_model("calm-storyland-k4")
    contexts = 4 if tiny else 64
    ids = torch.tensor([model.tokenizer.encode("Once upon a time there was a little hen. " * 40)[: 4 * contexts]])
    hidden = model.hidden_states(ids)[0].detach()  # (64, d)
    facts: dict[str, float] = {}

    @torch.inference_mode()
    def draw(index: Tensor, stream: torch.Generator | None) -> Tensor:
        return model.autoencoder.decode(model.head.sample(hidden[index], generator=stream), after_end="pad")

    def run() -> None:
        stream = torch.Generator().manual_seed(0)
        done = sample_batch_at_temperature(draw, len(hidden), 0.4, stream, 2000, on_budget="keep")
        calls, physical = int(done.calls.sum()), int(done.physical.sum())
        facts.update(calls=calls, physical=physical, physical_per_call=physical / calls)
        facts.update(accepted=int(done.accepted.sum()), contexts=len(hidden))

    return Work(run, contexts, facts=facts)


def encode_map(side: str, tiny: bool) -> Work:
    """The vectors of 100,000 chunks."""
    model = calm_lab.load_autoencoder("default")
    ids = rows(model, 1, 400 if tiny else 400_000)

    @torch.inference_mode()
    def run() -> None:
        torch.cat([model.encode(part).mean for part in ids.split(32_768, dim=1)], 1)

    return Work(run, ids.numel() // 4)


def place_one(side: str, tiny: bool) -> Work:
    """A typed chunk's vector and its nearest neighbours among 100,000."""
    model = calm_lab.load_autoencoder("default")
    ids = rows(model, 1, 400 if tiny else 400_000)
    with torch.inference_mode():
        known = torch.cat([model.encode(part).mean for part in ids.split(32_768, dim=1)], 1)[0]

    @torch.inference_mode()
    def run() -> None:
        typed = model.encode(torch.tensor([model.tokenizer.encode("a little red hen met")[:4]])).mean[0]
        torch.cdist(typed, known).topk(10, largest=False)

    return Work(run)


CASES = {
    case.name: case
    for case in (
        Case("energy", "energy loss, N=8, M=100, T=2048, l=128, forward + backward", "positions", energy, 8.0, 1 / 15),
        Case("calm", "CALM training step, float32", "tokens", calm_step(False), 1.6, 0.5),
        Case("calm-bf16", "CALM training step, bfloat16", "tokens", calm_step(True), 2.0, 0.5, half=True),
        Case("ae", "autoencoder training step, float32", "tokens", autoencoder_step(False), 1.0),
        Case("ae-bf16", "autoencoder training step, bfloat16", "tokens", autoencoder_step(True), 1.0, half=True),
        Case("ae-v128k", "autoencoder training step, V=128,257 (under 6 GB)", "tokens", large_vocabulary, repeats=1),
        Case("generate-1", "generate 256 tokens, T=1/2, pool 200, batch 1", "tokens", generation(1), 1.3, repeats=3),
        Case("generate-8", "generate 256 tokens, T=1/2, pool 200, batch 8", "tokens", generation(8), 1.5, repeats=1),
        Case(
            "storyland",
            "generate 256 tokens, T=1/2, pool 200, batch 1, bundled storyland model",
            "tokens",
            storyland,
            3.0,
            repeats=3,
        ),
        Case("brier", "BrierLM at K=2, 2 x 512 tokens", "tokens", brier, 15.0, repeats=3),
        Case(
            "exact",
            "exact sampler, T=0.4, 64 contexts (physical draws at most 1.5 x calls)",
            "chunks",
            exact,
            repeats=1,
        ),
        Case("map", "encode 100,000 chunks", "chunks", encode_map, limit=10.0, repeats=1),
        Case("place", "place one typed chunk among them", "chunks", place_one, limit=0.05),
    )
}
