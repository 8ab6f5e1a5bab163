"""Markov languages: text whose every probability is known (the project's own yardstick; paper sec. 4 for the score).

A Markov chain over a small alphabet writes endless text in which the law of the next K tokens depends on the last token
alone and is a plain product. So the best BrierLM that any model can reach, its entropy, and the law of each chunk at
each temperature are exact numbers, and scores, samplers and a trained CALM can be held against the truth.

With P the transition matrix and s the last token, the chance that two independent continuations agree in their first
n tokens is row s of ``(P * P)^n 1`` (entries squared, then a matrix power): that is Brier-n of the true model. For a
model Q it is ``2 (P * Q)^n 1 - (Q * Q)^n 1``.

Letters 0..A-1 become ids from ``offset`` on, behind the special tokens. Everything public speaks in ids.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from calm_lab.errors import InputError

FIRST_ID = 4  # behind pad, begin, end and mask
EVEN_SHARE = 1e-3  # of a random row is spread evenly, so that every letter can follow every letter
MAX_TABLE = 1 << 22  # entries of a law of chunks


@dataclass(frozen=True, eq=False)
class BrierCeiling:
    """Mean scores of a model that is itself a Markov chain, over the stationary law of the last token.

    Attributes:
        values: Brier-1..Brier-n, fractions, float64 (n,).
        brier_lm: 100 times the geometric mean of the first four; nan if one is not above 0 or there are fewer.
    """

    values: Tensor
    brier_lm: float


class MarkovLanguage:
    """A first-order Markov chain that writes token ids.

    Attributes:
        transition: P(next letter | letter), float64 (A, A); rows sum to 1.
        initial: law of the first letter, float64 (A,).
        stationary: the law of a letter far inside a text, float64 (A,).
        offset: id of letter 0.
    """

    def __init__(self, transition: Tensor, initial: Tensor | None = None, offset: int = FIRST_ID):
        """Take a language.

        Args:
            transition: (A, A), entries >= 0, rows summing to 1 within 1e-6, with one stationary law.
            initial: (A,), law of the first letter. None: the stationary law, which makes all positions alike.
            offset: id of letter 0, at least 0.

        Raises:
            InputError: if the numbers are not such laws.
        """
        self.transition = _laws(transition, 2, "transition")
        if self.transition.shape[0] != self.transition.shape[1]:
            raise InputError(f"transition has shape {tuple(self.transition.shape)}: one row and column for each letter")
        if offset < 0:
            raise InputError(f"offset {offset} gives negative ids: choose 0 or more")
        self.offset = offset
        self.stationary = _stationary(self.transition)
        self.initial = self.stationary if initial is None else _laws(initial, 1, "initial")
        if self.initial.shape[0] != self.states:
            raise InputError(
                f"initial has {self.initial.shape[0]} letters and transition {self.states}: make them equal"
            )

    @classmethod
    def random(cls, states: int, seed: int, concentration: float = 0.5, offset: int = FIRST_ID) -> MarkovLanguage:
        """Make up a language.

        Args:
            states: A, letters, at least 1.
            seed: of the rows.
            concentration: of the Dirichlet law of each row; small means that few letters are likely after each.
            offset: id of letter 0.

        Returns:
            The language, started from its stationary law.

        Raises:
            InputError: if ``states`` or ``concentration`` is not above 0.
        """
        if states < 1 or not 0 < concentration < math.inf:
            raise InputError(f"states = {states} and concentration = {concentration} must be above 0")
        rows = np.random.default_rng(seed).dirichlet(np.full(states, concentration), size=states)  # (A, A)
        return cls(torch.from_numpy((1 - EVEN_SHARE) * rows + EVEN_SHARE / states), offset=offset)

    @property
    def states(self) -> int:
        """A, the size of the alphabet."""
        return self.transition.shape[0]

    @property
    def vocab_size(self) -> int:
        """V, one above the largest id."""
        return self.offset + self.states

    def sample(self, batch: int, length: int, generator: torch.Generator | None = None) -> Tensor:
        """Write texts.

        Args:
            batch: B, independent texts.
            length: T, tokens each.
            generator: stream of all randomness, on the CPU. None: torch's default stream.

        Returns:
            ids, int64 (B, T).

        Raises:
            InputError: if a size is negative.
        """
        if batch < 0 or length < 0:
            raise InputError(f"{batch} texts of {length} tokens cannot be written: sizes must not be negative")
        uniform = torch.rand(batch, length, dtype=torch.float64, generator=generator)
        if not length:
            return torch.zeros(batch, 0, dtype=torch.int64)
        start = _inverse(self.initial.cumsum(0).expand(batch, -1), uniform[:, 0])
        return torch.cat([start.unsqueeze(1), self._walk(start, uniform[:, 1:])], dim=1) + self.offset

    def continue_from(self, last: Tensor, length: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw one continuation behind each token: the true model as a black box.

        Args:
            last: ids of the tokens before, shape (R,).
            length: K, tokens to draw.
            generator: stream of all randomness, on the CPU. None: torch's default stream.

        Returns:
            ids, int64 (R, K).

        Raises:
            InputError: for an id outside the alphabet or a negative length.
        """
        letters = self._letters(last)
        if letters.ndim != 1 or length < 0:
            raise InputError(
                f"cannot continue ids of shape {tuple(last.shape)} by {length} tokens: give (R,) and K >= 0"
            )
        uniform = torch.rand(letters.numel(), length, dtype=torch.float64, generator=generator)
        return self._walk(letters, uniform) + self.offset

    def _walk(self, letters: Tensor, uniform: Tensor) -> Tensor:
        """Letters (R,) and uniforms (R, K) to the next letters (R, K)."""
        cumulative = self.transition.cumsum(1)
        path = torch.empty_like(uniform, dtype=torch.int64)
        for step in range(uniform.shape[1]):
            letters = _inverse(cumulative[letters], uniform[:, step])
            path[:, step] = letters
        return path

    def chunk_probabilities(self, state: int | None, chunk_size: int) -> Tensor:
        """The exact law of the next K tokens.

        Args:
            state: id of the last token; None for the beginning of a text.
            chunk_size: K, at least 1.

        Returns:
            float64 (A^K,), in the order of ``chunks``; sums to 1.

        Raises:
            InputError: for an id outside the alphabet, K < 1, or a law of more than 4 million chunks.
        """
        self._check_table(chunk_size)
        law = self.initial if state is None else self.transition[self._letters(torch.tensor(state))]
        for _ in range(chunk_size - 1):
            # (A^k) and the rows of its last letters make (A^(k+1)).
            law = (law.view(-1, self.states, 1) * self.transition).flatten()
        return law

    def chunks(self, chunk_size: int) -> Tensor:
        """All chunks of K letters, in the order of ``chunk_probabilities``: ids, int64 (A^K, K)."""
        self._check_table(chunk_size)
        number = torch.arange(self.states**chunk_size)
        powers = torch.tensor([self.states ** (chunk_size - 1 - k) for k in range(chunk_size)])
        return number.unsqueeze(1) // powers % self.states + self.offset

    def log_probability(self, ids: Tensor) -> Tensor:
        """Natural logarithm of P of whole texts.

        Args:
            ids: texts from their beginning, shape (..., T) with T >= 1.

        Returns:
            float64 (...); -inf for what cannot be written.

        Raises:
            InputError: for an id outside the alphabet or T = 0.
        """
        letters = self._letters(ids)
        if letters.ndim == 0 or letters.shape[-1] == 0:
            raise InputError(f"ids of shape {tuple(ids.shape)} hold no text: give (..., T) with T >= 1")
        steps = self.transition[letters[..., :-1], letters[..., 1:]].log().sum(-1)
        return self.initial[letters[..., 0]].log() + steps

    def entropy_bits(self) -> float:
        """Entropy rate: bits a token of a long text holds, ``-sum_s pi(s) sum_x P(x|s) log2 P(x|s)``."""
        per_letter = -torch.special.xlogy(self.transition, self.transition).sum(1)  # (A,)
        return float(self.stationary @ per_letter) / math.log(2)

    def brier_ceiling(self, n_max: int = 4) -> BrierCeiling:
        """The best Brier-1..Brier-n_max any model can have on this language, and its BrierLM.

        Args:
            n_max: the longest n-gram, at least 1.

        Returns:
            The scores of the language itself, at positions whose last token follows the stationary law.

        Raises:
            InputError: if ``n_max`` is below 1.
        """
        return self.expected_brier(self, n_max)

    def expected_brier(self, model: MarkovLanguage, n_max: int = 4) -> BrierCeiling:
        """The Brier scores that a model which is a Markov chain has on this language.

        Args:
            model: a language over the same ids.
            n_max: the longest n-gram, at least 1.

        Returns:
            Exact scores; at most those of ``brier_ceiling``.

        Raises:
            InputError: if the alphabets differ or ``n_max`` is below 1.
        """
        if (model.states, model.offset) != (self.states, self.offset):
            raise InputError("a model can only be scored on a language over the same ids: make states and offset equal")
        if n_max < 1:
            raise InputError(f"n_max = {n_max} scores nothing: choose 1 or more")
        hit = collision = torch.ones(self.states, dtype=torch.float64)
        values = []
        for _ in range(n_max):
            hit = (self.transition * model.transition) @ hit
            collision = model.transition.square() @ collision
            values.append(float(self.stationary @ (2 * hit - collision)))
        defined = n_max >= 4 and min(values[:4]) > 0
        score = 100 * math.prod(values[:4]) ** 0.25 if defined else math.nan
        return BrierCeiling(torch.tensor(values, dtype=torch.float64), score)

    def _letters(self, ids: Tensor) -> Tensor:
        letters = ids.to("cpu", torch.int64) - self.offset
        if letters.numel() and not 0 <= int(letters.min()) <= int(letters.max()) < self.states:
            raise InputError(f"an id lies outside this language: its ids are {self.offset} to {self.vocab_size - 1}")
        return letters

    def _check_table(self, chunk_size: int) -> None:
        if chunk_size < 1:
            raise InputError(f"chunk_size = {chunk_size} holds no token: choose 1 or more")
        if self.states**chunk_size > MAX_TABLE:
            raise InputError(
                f"{self.states}^{chunk_size} chunks are too many to list: choose a smaller alphabet or chunk_size"
            )


def _laws(numbers: Tensor, ndim: int, name: str) -> Tensor:
    laws = torch.as_tensor(numbers).detach().to("cpu", torch.float64)
    if laws.ndim != ndim or laws.numel() == 0:
        raise InputError(f"{name} has shape {tuple(laws.shape)}: it needs {ndim} axes and at least one letter")
    total = laws.sum(-1, keepdim=True)
    if not bool((laws >= 0).all()) or not bool(((total - 1).abs() < 1e-6).all()):
        raise InputError(f"{name} must hold laws: entries not negative, each row summing to 1")
    return laws / total


def _stationary(transition: Tensor) -> Tensor:
    """The one law pi with pi P = pi, by least squares together with sum pi = 1."""
    states = transition.shape[0]
    system = torch.cat(
        [transition.T - torch.eye(states, dtype=torch.float64), torch.ones(1, states, dtype=torch.float64)]
    )
    if int(torch.linalg.matrix_rank(system[:-1], atol=1e-10)) != states - 1:  # rows sum to 1 only up to rounding
        raise InputError("this transition has several stationary laws: let every letter be reached from every other")
    wanted = torch.zeros(states + 1, dtype=torch.float64)
    wanted[-1] = 1
    law = torch.linalg.lstsq(system, wanted.unsqueeze(1)).solution.squeeze(1).clamp(min=0)
    return law / law.sum()


def _inverse(cumulative: Tensor, uniform: Tensor) -> Tensor:
    """One index for each row of running sums (R, A) and uniform (R,); a letter of probability 0 is never drawn."""
    total = cumulative[:, -1:]
    last = (cumulative >= total).to(torch.uint8).argmax(1)
    found = torch.searchsorted(cumulative.contiguous(), (uniform.unsqueeze(1) * total), right=True).squeeze(1)
    return torch.minimum(found, last)
