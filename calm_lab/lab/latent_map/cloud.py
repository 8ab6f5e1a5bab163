"""What a language model would say next, as a cloud on the map; and the chunk that follows its noise.

What: ``sample_cloud`` draws many vectors for one context and sets them beside the posterior of the chunk that came in
truth; ``noise_walk`` holds the context still and moves the head's noise along a line.
Why: the energy head has no probabilities to print (paper sec. 3.2). Its law is this cloud: how wide it is, how many
chunks share it, and whether the truth lies inside.

App tab: Latent map. Notebooks: 04, 06.
"""

from __future__ import annotations

import collections
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.lab.latent_map.chunks import tokenizer_of
from calm_lab.lab.latent_map.store import decode_vectors, encode_chunks
from calm_lab.lab.latent_map.walk import STEPS, Walk, read_walk
from calm_lab.model.calm import CALM
from calm_lab.model.heads.energy import EnergyHead
from calm_lab.text.chunks import prompt_chunks
from calm_lab.toolkit.energy import energy_score

DRAWS = 200
TARGETS = 100


@dataclass(frozen=True, eq=False)
class Context:
    """A text cut into what the model reads and what came next.

    Attributes:
        text: what it reads.
        truth: the last K tokens, shape (K,).
        truth_text: the same as text.
        hidden: the model's state after reading, shape (d,).
    """

    text: str
    truth: Tensor
    truth_text: str
    hidden: Tensor


@torch.no_grad()
def read_context(model: CALM, text: str, max_tokens: int | None = None) -> Context:
    """Read all but the last K tokens of a text.

    Raises:
        InputError: for a text of fewer than K tokens, or more than ``max_tokens``.
    """
    inner = model.autoencoder
    tokenizer, size = tokenizer_of(inner), inner.config.chunk_size
    row = tokenizer.encode(text)
    if len(row) < size:
        raise InputError(
            f"the text has {len(row)} tokens: give at least {size}, because the last {size} are held back as the truth"
        )
    if max_tokens is not None and len(row) > max_tokens:
        raise InputError(f"the text has {len(row):,} tokens: shorten it to at most {max_tokens:,}")
    chunks = prompt_chunks(row[:-size], size, bos_id=inner.config.bos_id)  # (S, K)
    hidden = model.hidden_states(torch.from_numpy(chunks).reshape(1, -1).to(inner.output_weight.device))[0, -1]
    return Context(tokenizer.decode(row[:-size]), torch.tensor(row[-size:]), tokenizer.decode(row[-size:]), hidden)


@dataclass(frozen=True)
class Drawn:
    """One distinct chunk of a cloud.

    Attributes:
        ids: its K tokens.
        text: what it says.
        count: how many draws say it.
        true: whether it is what came next.
    """

    ids: tuple[int, ...]
    text: str
    count: int
    true: bool


@dataclass(frozen=True, eq=False)
class SampleCloud:
    """Draws of a head for one context, and the truth.

    Attributes:
        context: what was read and what came next.
        draws: vectors drawn, shape (N, l).
        ids: what they say, shape (N, K).
        candidates: the distinct chunks, most frequent first.
        truth_mean: posterior mean of the true chunk, shape (l,).
        truth_std: its standard deviations, shape (l,).
        targets: draws of that posterior, shape (M, l).
        score: energy score of the draws against the targets, higher is better.
        diversity: mean distance between two draws.
        fidelity: mean distance from a draw to a target.
        spread: mean distance between two targets: the diversity of a model that knew the truth.
    """

    context: Context
    draws: Tensor
    ids: Tensor
    candidates: list[Drawn]
    truth_mean: Tensor
    truth_std: Tensor
    targets: Tensor
    score: float
    diversity: float
    fidelity: float
    spread: float

    @property
    def hits(self) -> int:
        """Draws that say what came next."""
        return sum(drawn.count for drawn in self.candidates if drawn.true)


@torch.no_grad()
def sample_cloud(
    model: CALM, text: str, draws: int = DRAWS, targets: int = TARGETS, seed: int = 0, max_tokens: int | None = None
) -> SampleCloud:
    """Draw the vector after a context many times, and hold the draws against the chunk that came in truth.

    Args:
        model: a CALM with any head.
        text: context and truth in one; its last K tokens are the truth.
        draws: N, from 2 to 2,000.
        targets: M, draws of the true chunk's posterior, from 2 to 2,000.
        seed: of the draws; the targets have a stream of their own.
        max_tokens: refuse longer texts.

    Raises:
        InputError: for a text too short or too long, or numbers out of range.
    """
    for what, count in (("draws", draws), ("targets", targets)):
        if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= 2000:
            raise InputError(f"{what} must be a whole number from 2 to 2,000, not {count!r}")
    context = read_context(model, text, max_tokens)
    device = context.hidden.device
    z = head_draws(model, context.hidden, draws, seed).float().cpu()  # (N, l)
    ids = decode_vectors(model.autoencoder, z)
    mean, std = encode_chunks(model.autoencoder, context.truth[None])
    stream = generator(seed + 1)
    drawn_truth = mean + std * torch.randn(targets, mean.shape[1], generator=stream)  # (M, l)
    found = energy_score(z.to(device).double(), drawn_truth.to(device).double())
    spread = energy_score(drawn_truth.double(), drawn_truth.double()).diversity
    return SampleCloud(
        context=context,
        draws=z,
        ids=ids,
        candidates=_candidates(model, ids, context.truth),
        truth_mean=mean[0],
        truth_std=std[0],
        targets=drawn_truth,
        score=float(found.score),
        diversity=float(found.diversity),
        fidelity=float(found.fidelity),
        spread=float(spread),
    )


def head_draws(model: CALM, hidden: Tensor, count: int, seed: int) -> Tensor:
    """Draw ``count`` vectors for every state; the noise that a head starts from is the same on every device.

    Args:
        model: a CALM with any head.
        hidden: states, shape (..., d).
        count: N.
        seed: of the draws.

    Returns:
        Vectors, shape (N, ..., l).
    """
    stream = generator(seed + 2, hidden.device)  # diffusion adds fresh noise at every step
    return model.head.sample(hidden, _noise(model, hidden, count, seed), stream)


def _noise(model: CALM, hidden: Tensor, count: int, seed: int) -> Tensor:
    """Noise for ``count`` draws, the same on every device."""
    return model.head.draw_noise(hidden.cpu(), count, generator(seed)).to(hidden)


def _candidates(model: CALM, ids: Tensor, truth: Tensor) -> list[Drawn]:
    tokenizer = tokenizer_of(model.autoencoder)
    counts = collections.Counter(tuple(row) for row in ids.tolist())
    true = tuple(truth.tolist())
    return [Drawn(row, tokenizer.decode(row), count, row == true) for row, count in counts.most_common()]


@torch.no_grad()
def noise_walk(
    model: CALM, text: str, steps: int = STEPS, start: int = 0, end: int = 1, max_tokens: int | None = None
) -> tuple[Context, Walk]:
    """Hold a context and move the energy head's noise from one draw to another along a line.

    The noise lies in the cube [-0.5, 0.5]^s, and so does the line; but the middle of the line is no typical draw,
    because its coordinates are smaller.

    Args:
        model: a CALM with an energy head.
        text: the context and, as for ``sample_cloud``, the K tokens after it.
        steps: draws in all, ends included, from 2 to 200.
        start: seed of the first noise.
        end: seed of the last.
        max_tokens: refuse longer texts.

    Raises:
        InputError: for another head, a text too short or too long, or steps out of range.
    """
    if not isinstance(model.head, EnergyHead):
        raise InputError("only the energy head turns noise into a vector in one pass: choose a model that has one")
    if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= 200:
        raise InputError(f"steps must be a whole number from 2 to 200, not {steps!r}")
    context = read_context(model, text, max_tokens)
    first, last = (_noise(model, context.hidden, 1, seed)[0] for seed in (start, end))  # (s,) each
    t = torch.linspace(0, 1, steps)
    noise = torch.lerp(first, last, t[:, None].to(first))  # (n, s)
    z = model.head.sample(context.hidden.expand(steps, -1), noise).float().cpu()
    return context, read_walk(model.autoencoder, t, z)
