"""A CALM on a language whose law is known: minutes of training, and an exact number to hold the result against.

The language is a Markov chain of three letters, so the law of the next chunk (3^4 = 81 of them at K = 4) and the best
BrierLM are exact (``calm_lab.text.markov``). Autoencoder, backbone, any of the three heads and either kind of input
(paper sec. 3.1 to 3.3, 4.4) are trained by one small recipe, the one that ``tests/toolkit/test_trained.py`` holds to
the ceiling. ``CALM_LAB_FAST=1`` takes the trained ones from ``calm_lab/assets/lessons``;
``python -m calm_lab.lab.known_calm`` trains them again.

Notebooks: 06, 10.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from calm_lab.errors import CheckpointError
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.config import (
    AutoencoderConfig,
    BackboneConfig,
    CalmConfig,
    HeadConfig,
    HeadKind,
    InputKind,
    from_dict,
)
from calm_lab.model.stored import read_json, read_tensors
from calm_lab.text.markov import MarkovLanguage
from calm_lab.toolkit.evaluation import Evaluation, evaluate_calm
from calm_lab.toolkit.loss import calm_loss
from calm_lab.training.optimizer import build_optimizer, learning_rate

LESSONS = Path(__file__).resolve().parents[1] / "assets" / "lessons"
AUTOENCODER = "markov-autoencoder"
KINDS: tuple[tuple[HeadKind, InputKind], ...] = (
    ("energy", "discrete"),
    ("energy", "continuous"),
    ("flow", "discrete"),
    ("diffusion", "discrete"),
)
WIDTH, LATENT = 64, 8
ROWS, POSITIONS = 16, 32  # of a batch
AUTOENCODER_STEPS, STEPS = 200, 800
LOOKS = (10, 25, 50, 100, 200, 400, 800)  # most is learned early
RATE, WARMUP, DECAY = 3e-3, 20, 0.01
CURVE_TEXTS, JUDGED_POSITIONS = 96, 64
JUDGED_TEXTS = {"energy": 768, "flow": 96, "diffusion": 32}  # a draw takes 1, 20 and 100 calls


@dataclass(frozen=True)
class Point:
    """How far a training was.

    Attributes:
        step: steps made.
        loss: mean loss since the point before; of another kind for each head.
        brier_lm: BrierLM on a few unseen texts; nan where a Brier-n is not positive.
        error: its standard error.
    """

    step: int
    loss: float
    brier_lm: float
    error: float


@dataclass(frozen=True)
class KnownCalm:
    """A trained model and the way there."""

    model: CALM
    curve: list[Point]


def known_language() -> MarkovLanguage:
    """The language of these lessons: three letters, ids 4 to 6."""
    return MarkovLanguage.random(3, seed=1, concentration=0.4)


def optimise(
    objective: Callable[[], Tensor], parameters: Iterable[nn.Parameter], steps: int, rate: float = RATE
) -> Iterator[float]:
    """Minimise ``objective``, one step at a time; yields the loss of each."""
    parameters = list(parameters)
    optimizer = build_optimizer(parameters, rate, DECAY)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, rate, WARMUP, steps)
        loss = objective()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        yield float(loss.detach())


def new_autoencoder(language: MarkovLanguage, chunk_size: int = 4) -> Autoencoder:
    """An untrained autoencoder; so few chunks need no regularisers but the KL."""
    return Autoencoder(
        AutoencoderConfig(
            vocab_size=language.vocab_size, chunk_size=chunk_size, latent_size=LATENT, hidden_size=WIDTH,
            intermediate_size=2 * WIDTH, kl_clip=0.0, drop_token=0.0, drop_latent=0.0,
        )
    )  # fmt: skip


def new_calm(autoencoder: Autoencoder, head: HeadKind = "energy", input: InputKind = "discrete") -> CALM:
    """An untrained CALM: a one-layer backbone and two head blocks."""
    config = CalmConfig(
        vocab_size=autoencoder.config.vocab_size, chunk_size=autoencoder.config.chunk_size, latent_size=LATENT,
        backbone=BackboneConfig(WIDTH, 2 * WIDTH, 1, 2),
        head=HeadConfig(kind=head, num_blocks=2, noise_size=16, num_samples=8, num_targets=16), input=input,
    )  # fmt: skip
    return CALM(config, autoencoder)


def train_known(
    head: HeadKind = "energy",
    input: InputKind = "discrete",
    chunk_size: int = 4,
    steps: int = STEPS,
    seed: int = 0,
    looks: Sequence[int] = (),
) -> KnownCalm:
    """Train an autoencoder and a CALM on the known language.

    Args:
        head: energy, flow or diffusion.
        input: discrete, continuous or both.
        chunk_size: K.
        steps: of the CALM.
        seed: of weights, text and noise.
        looks: the steps after which unseen text is scored, for the curve. Looking does not change the training.
    """
    language, stream = known_language(), torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    autoencoder = new_autoencoder(language, chunk_size)

    def batch() -> Tensor:
        return language.sample(ROWS, POSITIONS * chunk_size, stream)

    losses = optimise(
        lambda: autoencoder.loss(batch(), generator=stream).total, autoencoder.parameters(), AUTOENCODER_STEPS
    )
    list(losses)
    model = new_calm(autoencoder, head, input)
    curve: list[Point] = []
    recent: list[float] = []
    losses = optimise(lambda: calm_loss(model, batch(), generator=stream).total, model.trainable().values(), steps)
    for step, loss in enumerate(losses, start=1):
        recent.append(loss)
        if step in looks:
            score = judge_known(model.eval(), CURVE_TEXTS, seed=step).brier
            curve.append(Point(step, sum(recent) / len(recent), score.brier_lm, score.brier_lm_error))
            recent.clear()
            model.train()
    return KnownCalm(model.eval(), curve)


def judge_known(model: CALM, texts: int | None = None, seed: int = 1, repeats: int = 2) -> Evaluation:
    """BrierLM on texts that no training has seen (the language never runs out).

    Args:
        model: a CALM of the known language.
        texts: how many; by default fewer for heads that take many calls a draw.
        seed: of the texts and the draws.
        repeats: pairs of draws a position.
    """
    texts = texts or JUDGED_TEXTS[model.config.head.kind]
    stream = torch.Generator().manual_seed(seed + 1_000_000)
    ids = known_language().sample(texts, JUDGED_POSITIONS * model.config.chunk_size, stream)
    return evaluate_calm(model, ids, stream, repeats=repeats, block=64)


def lesson_folder(head: HeadKind = "energy", input: InputKind = "discrete") -> Path:
    """Where the trained model of a kind lies."""
    return LESSONS / f"markov-{head}-{input}"


def load_known(head: HeadKind = "energy", input: InputKind = "discrete") -> KnownCalm:
    """The model that ``train_known`` gives, as it was bundled.

    Raises:
        CheckpointError: if there is none of this kind, or its card holds no curve.
    """
    folder = lesson_folder(head, input)
    card, config = checkpoint.read_card(folder), read_json(folder / "config.json")
    inner = checkpoint.load(LESSONS / AUTOENCODER)
    assert isinstance(inner, Autoencoder)
    sizes = from_dict(CalmConfig, config.get("config"), str(folder / "config.json"))
    model = checkpoint.build("calm", sizes, folder / "config.json", inner)
    tensors = {f"autoencoder.{name}": tensor for name, tensor in inner.state_dict().items()}
    checkpoint.load_state(model, read_tensors(folder / "model.safetensors") | tensors, folder / "model.safetensors")
    try:
        curve = [
            Point(step, loss, *(math.nan if value is None else value for value in score))
            for step, loss, *score in card["curve"]
        ]
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(f"{folder}: its card holds no curve; run: python -m calm_lab.lab.known_calm") from None
    assert isinstance(model, CALM)
    return KnownCalm(model.eval(), curve)


def make_lessons(
    folder: Path = LESSONS,
    kinds: Sequence[tuple[HeadKind, InputKind]] = KINDS,
    steps: int = STEPS,
    looks: Sequence[int] = LOOKS,
    texts: int | None = None,
) -> None:
    """Train every kind and write its folder, in half precision, with its score on the card and, for energy, its curve.

    All have the same autoencoder, since it is trained first and from the same seed: it is kept once.
    """
    for head, input in kinds:
        known = train_known(head, input, steps=steps, looks=looks if head == "energy" else ())
        card: dict[str, Any] = {
            "command": "python -m calm_lab.lab.known_calm",
            "curve": [[x if math.isfinite(x) else None for x in dataclasses.astuple(p)] for p in known.curve],
            "metrics": judge_known(known.model, texts).to_dict(),
            "ceiling": known_language().brier_ceiling().brier_lm,
        }
        checkpoint.save(known.model.autoencoder, folder / AUTOENCODER, {"command": card["command"]}, dtype="float16")
        target = folder / lesson_folder(head, input).name
        checkpoint.save(known.model, target, card, dtype="float16", autoencoder=AUTOENCODER)


if __name__ == "__main__":
    make_lessons()
