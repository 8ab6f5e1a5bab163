"""The exact law of the next tokens: what a perfect language model of storyland would say.

What: `TokenLaw` follows a prefix of token ids by filtering: it keeps every state of the machine that the prefix leaves
open, with its probability. From there the law of the next token, of the next k tokens, its entropy, and the chance that
two independent continuations agree are finite sums, computed without sampling and without leaving anything out.
Why: CALM has no likelihood and is judged by samples (BrierLM). Here the judge itself can be judged: the best Brier-n
that any model can reach at a position is known, see `TokenLaw.collision`.
Where: the paper's likelihood-free evaluation (Brier-n, BrierLM); the language is ours.

A token belongs to one terminal: terminals are whole pre-tokens, which BPE never crosses. So a hypothesis is the tokens
still to come of the terminal begun, and the state of the machine behind that terminal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from calm_lab.errors import InputError
from calm_lab.text.storyland.machine import END, Machine
from calm_lab.text.storyland.program import State
from calm_lab.text.storyland.source import machine as storyland_machine

_CACHE_LIMIT = 50_000


class Encoder(Protocol):
    """Anything that turns text into token ids, adding no special tokens."""

    def encode(self, text: str) -> list[int]:
        """Encode text."""
        ...


Place = tuple[tuple[int, ...], State | None]
"""Where a hypothesis stands: (tokens still to come of this terminal, state behind it; ``None``: after the end)."""

Mixture = dict[Place, float]


@dataclass(frozen=True)
class LawState:
    """What a prefix of tokens leaves open: every place with its probability given the prefix (they sum to one)."""

    places: tuple[tuple[Place, float], ...]
    length: int


class TokenLaw:
    """The law of storyland's token stream: a story, the end token, and pads for ever after.

    Args:
        tokenizer: Has ``encode(text) -> list[int]``. Byte-level BPE with GPT-2's pre-tokenizer and no prefix space.
        eos_id: Id of the end token.
        pad_id: Id of the pad token.
        machine: Another language on the same machinery; storyland if left out.
    """

    def __init__(self, tokenizer: Encoder, eos_id: int = 2, pad_id: int = 0, machine: Machine | None = None):
        self.tokenizer = tokenizer
        self.eos_id = eos_id
        self.pad_id = pad_id
        self.machine = machine or storyland_machine()
        self._tokens: dict[str, tuple[int, ...]] = {END: (eos_id,)}
        self._branches_of: dict[State, list[tuple[int, float, Place]]] = {}
        self._first_of: dict[tuple[int, ...], tuple[dict[int, float], float]] = {}
        self._collision_of: dict[tuple[State, int], list[float]] = {}

    # Following a prefix.

    def start(self) -> LawState:
        """Return the state before the first token."""
        places: Mixture = {}
        for p, terminal, behind in self.machine.step(self.machine.start):
            place = (self._encode(terminal.removeprefix(" ")), behind if terminal != END else None)
            places[place] = places.get(place, 0.0) + p
        return LawState(tuple(places.items()), 0)

    def advance(self, state: LawState, token: int) -> LawState:
        """Go on by one token.

        Raises:
            InputError: If no story goes on with this token.
        """
        after: Mixture = {}
        for (pending, behind), weight in state.places:
            if pending or behind is None:
                if token == (pending[0] if pending else self.pad_id):
                    place = (pending[1:], behind)
                    after[place] = after.get(place, 0.0) + weight
            else:
                for p, place in self._branches_on(behind, token):
                    after[place] = after.get(place, 0.0) + weight * p
        total = sum(after.values())
        if not total:
            raise InputError(
                f"no story goes on with token {token} after {state.length} tokens: choose one of next_tokens(state), "
                "and a tokenizer with GPT-2's pre-tokenizer"
            )
        return LawState(tuple((place, weight / total) for place, weight in after.items()), state.length + 1)

    def advance_ids(self, state: LawState, ids: Iterable[int]) -> LawState:
        """Go on by several tokens."""
        for token in ids:
            state = self.advance(state, token)
        return state

    def advance_text(self, state: LawState, text: str) -> LawState:
        """Go on by the tokens of a text; cut it between words, where BPE cuts it too."""
        return self.advance_ids(state, self.tokenizer.encode(text))

    # What comes next.

    def next_tokens(self, state: LawState) -> dict[int, float]:
        """Return the exact probability of every possible next token."""
        return self._next(dict(state.places))

    def continuations(self, state: LawState, k: int) -> dict[tuple[int, ...], float]:
        """Return the exact law of the next k tokens (K of them: of the next chunk).

        Args:
            state: Where to start.
            k: How many tokens, at least 0. The number of continuations grows quickly with k.

        Returns:
            A probability for every possible continuation of k tokens; they sum to one.
        """
        if k < 0:
            raise InputError(f"k must not be negative, got {k}: ask for 0 or more tokens")
        law: dict[tuple[int, ...], Mixture] = {(): dict(state.places)}
        for _ in range(k):
            law = {
                (*ids, token): after
                for ids, mixture in law.items()
                for token, (_, after) in self._split(mixture).items()
            }
        return {ids: sum(mixture.values()) for ids, mixture in law.items()}

    def entropy(self, state: LawState) -> float:
        """Return the entropy of the next token in bits."""
        return -sum(p * math.log2(p) for p in self.next_tokens(state).values())

    def collision(self, state: LawState, n_max: int = 4) -> list[float]:
        """Return the best Brier-n that any model can expect here, for n = 1..n_max.

        A model that draws n-grams with probabilities q scores ``2 q(y) - sum q**2`` in expectation over its draws. Over
        the true y this is greatest for q = P, and then equals ``sum_x P(x_1..n)**2``: the chance that two independent
        continuations agree in their first n tokens.

        Args:
            state: Where to start.
            n_max: Longest n-gram.

        Returns:
            n_max numbers in (0, 1], falling.
        """
        if n_max < 1:
            raise InputError(f"n_max must be at least 1, got {n_max}: ask for Brier-1 or more")
        return self._collide(dict(state.places), n_max)

    # Machinery.

    def _encode(self, terminal: str) -> tuple[int, ...]:
        if terminal not in self._tokens:
            tokens = tuple(self.tokenizer.encode(terminal))
            if not tokens:
                raise InputError(
                    f"the tokenizer has no token for '{terminal}': use byte-level BPE, which knows all text"
                )
            self._tokens[terminal] = tokens
        return self._tokens[terminal]

    def _branches(self, state: State) -> list[tuple[int, float, Place]]:
        """The next tokens at the end of a terminal: (token, probability, place behind it)."""
        if state not in self._branches_of:
            if len(self._branches_of) > _CACHE_LIMIT:
                self._branches_of.clear()
            found = []
            for p, terminal, behind in self.machine.step(state):
                tokens = self._encode(terminal)
                found.append((tokens[0], p, (tokens[1:], behind if terminal != END else None)))
            self._branches_of[state] = found
        return self._branches_of[state]

    def _branches_on(self, state: State, token: int) -> list[tuple[float, Place]]:
        """The branches that begin with one token: (probability, place behind it)."""
        stack, memory = state
        terminals = {END} if token == self.eos_id else set()
        while stack:
            index = self.machine.row_index(stack[-1], memory)
            terminals |= {terminal for terminal in index if terminal != END and self._encode(terminal)[0] == token}
            stack = stack[:-1] if END in index else ()
        return [
            (p, (self._encode(terminal)[1:], behind if terminal != END else None))
            for terminal in sorted(terminals)
            for p, behind in self.machine.step_on(state, terminal)
        ]

    def _first_tokens(self, state: State) -> dict[int, float]:
        """The law of the next token at the end of a terminal, without the places behind it."""
        stack, memory = state
        if not stack:
            return {self.eos_id: 1.0}
        key = self.machine.row_key(stack[-1], memory)
        if key not in self._first_of:
            law: dict[int, float] = {}
            silent = 0.0
            for p, terminal, _, _ in self.machine.row_steps(stack[-1], memory):
                if terminal == END:
                    silent += p
                else:
                    token = self._encode(terminal)[0]
                    law[token] = law.get(token, 0.0) + p
            self._first_of[key] = (law, silent)
        law, silent = self._first_of[key]
        if not silent:
            return law
        law = dict(law)
        for token, p in self._first_tokens((stack[:-1], memory)).items():
            law[token] = law.get(token, 0.0) + silent * p
        return law

    def _next(self, mixture: Mapping[Place, float]) -> dict[int, float]:
        """The law of the next token, for a mixture of total weight one."""
        law: dict[int, float] = {}
        for (pending, state), weight in mixture.items():
            if pending or state is None:
                token = pending[0] if pending else self.pad_id
                law[token] = law.get(token, 0.0) + weight
            else:
                for token, p in self._first_tokens(state).items():
                    law[token] = law.get(token, 0.0) + weight * p
        return law

    def _split(self, mixture: Mapping[Place, float]) -> dict[int, tuple[float, Mixture]]:
        """Sort what can come by the next token: token -> (its weight, the places behind it)."""
        found: dict[int, Mixture] = {}
        for (pending, state), weight in mixture.items():
            if pending:
                branches = [(pending[0], 1.0, (pending[1:], state))]
            elif state is None:
                branches = [(self.pad_id, 1.0, ((), None))]
            else:
                branches = self._branches(state)
            for token, p, place in branches:
                places = found.setdefault(token, {})
                places[place] = places.get(place, 0.0) + weight * p
        return {token: (sum(places.values()), places) for token, places in found.items()}

    def _collide(self, mixture: Mixture, n: int) -> list[float]:
        """Collision probabilities of a mixture of any total weight, given that it happened."""
        if n == 0:
            return []
        if len(mixture) > 1:
            return self._collide_split(mixture, n)
        ((pending, state),) = mixture
        if pending:
            return [1.0, *self._collide({(pending[1:], state): 1.0}, n - 1)]
        if state is None:
            return [1.0] * n
        if n == 1:
            return [sum(p * p for p in self._first_tokens(state).values())]
        if (state, n) not in self._collision_of:
            if len(self._collision_of) > _CACHE_LIMIT:
                self._collision_of.clear()
            self._collision_of[state, n] = self._collide_split({(pending, state): 1.0}, n)
        return self._collision_of[state, n]

    def _collide_split(self, mixture: Mixture, n: int) -> list[float]:
        total = sum(mixture.values())
        if n == 1:
            return [sum(p * p for p in self._next(mixture).values()) / total**2]
        result = [0.0] * n
        for p, places in self._split(mixture).values():
            square = (p / total) ** 2
            result[0] += square
            for i, agree in enumerate(self._collide(places, n - 1), start=1):
                result[i] += square * agree
        return result
