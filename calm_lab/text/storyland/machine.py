"""The stack machine that tells a story: its states are small, hashable and exact.

What: a state is ``(stack, memory)``: a tuple of cell numbers, the top last, and a tuple with one number per slot (0:
not chosen yet, i + 1: entry i). `Machine.step` gives every next terminal with its probability and the state behind it;
`Machine.sample` draws one story.
Why: everything exact (the law of the next token, the entropy, the BrierLM ceiling) is a sum over such steps.
Where: known-truth languages are ours; `calm_lab.text.storyland.law` does the sums.
"""

from __future__ import annotations

import random

from calm_lab.text.storyland.grammar import Grammar
from calm_lab.text.storyland.program import Program, State

Step = tuple[float, str, State]
Bound = tuple[tuple[int, int], ...]
"""What a step puts into memory: (slot, value) pairs."""
RowStep = tuple[float, str, tuple[int, ...], Bound]
"""(probability, terminal, cells it leaves on the stack, what it puts into memory)."""

END = ""
"""The terminal that ends a story."""

_CACHE_LIMIT = 50_000


def _changes(before: tuple[int, ...], now: tuple[int, ...]) -> Bound:
    return tuple((i, new) for i, (old, new) in enumerate(zip(before, now, strict=True)) if old != new)


def _behind(state: State, pushed: tuple[int, ...], bound: Bound) -> State:
    stack, memory = state
    for slot, value in bound:
        memory = (*memory[:slot], value, *memory[slot + 1 :])
    return stack[:-1] + pushed, memory


class Machine:
    """A grammar, ready to run.

    Args:
        grammar: What to run.
    """

    def __init__(self, grammar: Grammar):
        self.program = Program(grammar)
        self.start: State = self.program.start
        self._row_steps: dict[tuple[int, ...], list[RowStep]] = {}
        self._row_index: dict[tuple[int, ...], dict[str, list[RowStep]]] = {}

    def step(self, state: State) -> list[Step]:
        """Give every next terminal: (probability, terminal, state behind it).

        A story that is over, or may be, gives the terminal `END`. Two ways to the same terminal and state are one item;
        the same terminal may lead to several states.
        """
        stack, memory = state
        if not stack:
            return [(1.0, END, state)]
        found: list[Step] = []
        for p, terminal, pushed, bound in self.row_steps(stack[-1], memory):
            behind = _behind(state, pushed, bound)
            if terminal != END:
                found.append((p, terminal, behind))
            else:
                found += [(p * q, word, later) for q, word, later in self.step(behind)]
        return found

    def step_on(self, state: State, terminal: str) -> list[tuple[float, State]]:
        """Give the steps of `step` that say one terminal: (probability, state behind it)."""
        stack, memory = state
        if not stack:
            return [(1.0, state)] if terminal == END else []
        index = self.row_index(stack[-1], memory)
        found = [
            (p, _behind(state, pushed, bound)) for p, _, pushed, bound in index.get(terminal, ()) if terminal != END
        ]
        for p, _, pushed, bound in index.get(END, ()):
            found += [(p * q, later) for q, later in self.step_on(_behind(state, pushed, bound), terminal)]
        return found

    def row_index(self, row: int, memory: tuple[int, ...]) -> dict[str, list[RowStep]]:
        """Give `row_steps` sorted by terminal."""
        key = self.row_key(row, memory)
        if key not in self._row_index:
            if len(self._row_index) > _CACHE_LIMIT:
                self._row_index.clear()
            index: dict[str, list[RowStep]] = {}
            for step in self.row_steps(row, memory):
                index.setdefault(step[1], []).append(step)
            self._row_index[key] = index
        return self._row_index[key]

    def row_steps(self, row: int, memory: tuple[int, ...]) -> list[RowStep]:
        """Give every first terminal of one row; `END` where the row may say nothing.

        What is returned depends on few slots of memory (`row_key`) and is kept, for the sums over many states.
        """
        key = self.row_key(row, memory)
        if key not in self._row_steps:
            if len(self._row_steps) > _CACHE_LIMIT:
                self._row_steps.clear()
            self._row_steps[key] = self._first_terminals(row, memory)
        return self._row_steps[key]

    def row_key(self, row: int, memory: tuple[int, ...]) -> tuple[int, ...]:
        """Return the row with the part of memory that decides its first terminal."""
        return (row, *[memory[slot] for slot in self.program.reads(row)])

    def _first_terminals(self, row: int, memory: tuple[int, ...]) -> list[RowStep]:
        symbol, after = self.program.symbols[row], self.program.after[row]
        if isinstance(symbol, str):
            return [(1.0, symbol, (after,) if after else (), ())]
        found: dict[tuple[str, tuple[int, ...], Bound], float] = {}
        for p, (stack, now) in self.program.expand((row,), memory):
            # An entry is chosen by the words that say it: where memory changes, a terminal follows and binds no more.
            new = () if now is memory else _changes(memory, now)
            for q, word, pushed, bound in self._stack_steps(stack, now):
                found[word, pushed, new or bound] = found.get((word, pushed, new or bound), 0.0) + p * q
        return [(p, word, pushed, bound) for (word, pushed, bound), p in found.items()]

    def _stack_steps(self, stack: tuple[int, ...], memory: tuple[int, ...]) -> list[RowStep]:
        """`row_steps` of a few rows, the top one last."""
        if not stack:
            return [(1.0, END, (), ())]
        found: list[RowStep] = []
        for p, word, pushed, bound in self.row_steps(stack[-1], memory):
            if word != END:
                found.append((p, word, stack[:-1] + pushed, bound))
            else:
                found += [(p * q, *step) for q, *step in self._stack_steps(stack[:-1], memory)]  # type: ignore[misc]
        return found

    def sample(self, rng: random.Random) -> list[str]:
        """Draw one story as its list of terminals; the first has lost the space that separates sentences."""
        stack, memory = self.start
        terminals: list[str] = []
        while stack:
            symbol = self.program.symbols[stack[-1]]
            if isinstance(symbol, str):
                terminals.append(symbol)
                after = self.program.after[stack[-1]]
                stack = (*stack[:-1], after) if after else stack[:-1]
                continue
            options = self.program.expand(stack, memory)
            draw = rng.random()
            for p, state in options:
                stack, memory = state
                draw -= p
                if draw < 0:
                    break
        return [terminals[0].removeprefix(" "), *terminals[1:]]
