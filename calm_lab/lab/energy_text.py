"""The energy score of a trained CALM on real text, chunk by chunk: both terms, and the most that any law could have.

What: at every position of a text the head draws N vectors for the next chunk, and they are scored against M draws of
the posterior of the chunk that came. Why: the loss curve of a training is one number; here is where the model scores
well, where it hedges (much diversity), and where it is wrong (little diversity, far from the truth). Where: paper
sec. 3.2; the chunks are those of training and evaluation, behind an empty begin chunk and with the end token last.

A model that draws from the posterior itself scores ``E|y - y'| - 2 E|y - y'| = -E|y - y'|``: no law does better.

App tab: Energy score. Notebook: 06.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.lab.figures import DPI, StillFigure, apply_style, printable
from calm_lab.lab.latent_map.cloud import head_draws
from calm_lab.lab.palette import palette
from calm_lab.lab.pieces import roles, spread
from calm_lab.lab.vectors import Spread, text_ids
from calm_lab.model.calm import CALM
from calm_lab.toolkit.energy import energy_score

DRAWS = 64
MOST_DRAWS = 512
GROUPS = 8  # of draws, for the standard error
STRIDE = 1_000_003  # between the seeds of two places


@dataclass(frozen=True)
class ScoredChunk:
    """One chunk of the text and what the model expected in its place.

    Attributes:
        text: what it says.
        tokens: what to show for each of its K tokens.
        roles: end or pad for special tokens, None for ordinary ones.
        spread: for each token the characters that it shares with its neighbours, or None.
        diversity: mean distance^alpha between two draws of the model.
        fidelity: mean distance^alpha from a draw to a draw of the true chunk's posterior.
        score: diversity - 2 fidelity.
        error: standard error of the score over groups of draws.
        best: the score of a model that draws from the posterior itself.
        hits: draws that say this very chunk.
        likeliest: what most draws say.
        likeliest_hits: how many they are.
    """

    text: str
    tokens: list[str]
    roles: list[str | None]
    spread: list[Spread]
    diversity: float
    fidelity: float
    score: float
    error: float
    best: float
    hits: int
    likeliest: str
    likeliest_hits: int


@dataclass(frozen=True)
class TextScore:
    """A text scored at every position.

    Attributes:
        alpha: exponent of the distance.
        draws: N = M, draws of the model and of each posterior.
        seed: of both.
        chunks: the text, chunk by chunk.
    """

    alpha: float
    draws: int
    seed: int
    chunks: list[ScoredChunk]

    def mean(self, name: str) -> float:
        """The mean of a number over all positions."""
        return sum(float(getattr(chunk, name)) for chunk in self.chunks) / len(self.chunks)

    def rows(self) -> list[dict[str, Any]]:
        """One row a chunk: plain numbers and texts."""
        return [{"chunk": place + 1, **vars(chunk)} for place, chunk in enumerate(self.chunks)]

    def __str__(self) -> str:
        names = ("score", "diversity", "fidelity", "best")
        score, diversity, fidelity, best = (self.mean(name) for name in names)
        return (
            f"{len(self.chunks)} chunks: diversity {diversity:.2f} - 2 x fidelity {fidelity:.2f} = score {score:.2f}; "
            f"the most any law could have is {best:.2f}; {self.mean('hits') / self.draws:.1%} of draws say the truth"
        )


@torch.no_grad()
def score_chunks(
    model: CALM, text: str, alpha: float = 1.0, draws: int = DRAWS, seed: int = 0, max_tokens: int | None = None
) -> Iterator[ScoredChunk]:
    """Score a text chunk by chunk against what the model draws in its place.

    The noise of a chunk depends on the seed and its place only: what is added to a text leaves the chunks before it.

    Args:
        model: a CALM with any head.
        text: at least one character; it is read as a whole document.
        alpha: exponent of the distance, in (0, 2].
        draws: N = M, from 16 to 512, a multiple of 8.
        seed: of the head's noise and of the posteriors'.
        max_tokens: refuse longer texts.

    Yields:
        The chunks in their order, the one with the end token last.

    Raises:
        InputError: for an empty or too long text, numbers out of range, or a model without a tokenizer.
    """
    if isinstance(draws, bool) or not isinstance(draws, int) or draws % GROUPS or not 16 <= draws <= MOST_DRAWS:
        raise InputError(f"draws must be a multiple of {GROUPS} from 16 to {MOST_DRAWS}, not {draws!r}")
    inner = model.autoencoder
    ids = text_ids(inner, text, max_tokens)  # (1, T)
    tokenizer = inner.tokenizer
    assert tokenizer is not None  # text_ids has refused a model without one
    begin = ids.new_full((1, inner.config.chunk_size), model.config.bos_id)
    hidden = model.hidden_states(torch.cat([begin, ids], 1))[0, :-1]  # (S, d)
    posterior = inner.encode(ids)  # (1, S, l)
    shared = spread(tokenizer, ids[0].tolist())
    for place, row in enumerate(ids.view(-1, inner.config.chunk_size).tolist()):
        own = STRIDE * place + seed
        samples = head_draws(model, hidden[place], draws, own)  # (N, l)
        mean, std = posterior.mean[0, place].cpu(), posterior.std[0, place].cpu()  # (l,)
        y = (mean + std * torch.randn(draws, len(mean), generator=generator(own + 1))).double()  # (M, l)
        x = samples.cpu().double()
        found = energy_score(x, y, alpha)
        said = collections.Counter(tuple(one) for one in inner.decode(samples, after_end="pad").tolist())
        first, often = said.most_common(1)[0]
        yield ScoredChunk(
            text=tokenizer.decode(row),
            tokens=tokenizer.pieces(row),
            roles=roles(tokenizer, row),
            spread=shared[place * len(row) : (place + 1) * len(row)],
            diversity=float(found.diversity),
            fidelity=float(found.fidelity),
            score=float(found.score),
            error=_standard_error(x, y, alpha),
            best=-float(energy_score(y, y, alpha).diversity),
            hits=said[tuple(row)],
            likeliest=tokenizer.decode(first),
            likeliest_hits=often,
        )


def score_text(
    model: CALM, text: str, alpha: float = 1.0, draws: int = DRAWS, seed: int = 0, max_tokens: int | None = None
) -> TextScore:
    """All of ``score_chunks``, whose arguments and errors it shares."""
    return TextScore(float(alpha), draws, seed, list(score_chunks(model, text, alpha, draws, seed, max_tokens)))


def _standard_error(x: Tensor, y: Tensor, alpha: float) -> float:
    """Of the score, from groups of draws (N, l) and (M, l) that share none."""
    parts = [energy_score(a, b, alpha).score for a, b in zip(x.chunk(GROUPS), y.chunk(GROUPS), strict=True)]
    return float(torch.stack(parts).std()) / math.sqrt(GROUPS)


def score_figure(found: TextScore, theme: str = "light") -> StillFigure:
    """Both terms and the score of every chunk, one chunk a line, the text running down.

    Args:
        found: what ``score_text`` gave.
        theme: ``light`` or ``dark``.
    """
    apply_style(theme)
    colours = palette(theme)
    chunks, count = found.chunks, len(found.chunks)
    figure = StillFigure(figsize=(9.2, 0.9 + 0.24 * count), dpi=DPI, layout="constrained")
    terms, scores = figure.subplots(1, 2, sharey=True)
    lines = range(count)
    fidelity, diversity = [chunk.fidelity for chunk in chunks], [chunk.diversity for chunk in chunks]
    terms.barh([line - 0.2 for line in lines], fidelity, 0.36, color=colours.target, label="fidelity")
    terms.barh([line + 0.2 for line in lines], diversity, 0.36, color=colours.sample, label="diversity")
    scores.errorbar(
        [chunk.score for chunk in chunks],
        lines,
        xerr=[2 * chunk.error for chunk in chunks],
        fmt="o",
        markersize=4.5,
        color=colours.sample,
        label="score, 2 standard errors",
    )
    best = [chunk.best for chunk in chunks]
    scores.plot(best, lines, "o", markersize=6, fillstyle="none", color=colours.target, label="the most any law has")
    terms.set_yticks(lines, [printable(chunk.text) or "end" for chunk in chunks], fontfamily="monospace")
    terms.invert_yaxis()
    terms.set(xlabel=f"mean distance, alpha = {found.alpha:g}")
    scores.set(xlabel="diversity - 2 x fidelity")
    for axes in (terms, scores):
        axes.legend(fontsize=8.5, loc="upper center", bbox_to_anchor=(0.5, 1 + 0.6 / (0.24 * count + 0.9)), ncols=2)
    return figure
