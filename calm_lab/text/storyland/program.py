"""A grammar, compiled into cells that a stack machine can run.

What: `Program` numbers every symbol of a `Grammar`. A cell is one symbol and the number of the cell after it (0: none);
a symbol is a terminal (str), a `SlotRef`, or a list of weighted options. `Program.expand` replaces the symbol on top of
a state by each of its options, with their probabilities.
Why: a state is then two small tuples of numbers, quick to compare and to keep.
Where: known-truth languages are ours. Terminals are whole pre-tokens, see `calm_lab.text.storyland.template`.

Probabilities: option i of a list of any kind weighs ``(i + 1) ** -s``, so what is written first is what is heard most;
what memory rules out is left out and the rest is scaled to one. Beats marked ``?`` are told with probability 0.35.
"""

from __future__ import annotations

from collections.abc import Iterable

from calm_lab.errors import InputError
from calm_lab.text.storyland.grammar import Grammar, Slot
from calm_lab.text.storyland.template import Choice, Form, Guard, Literal, Node, SlotRef, pre_tokens

State = tuple[tuple[int, ...], tuple[int, ...]]
"""A state between two terminals: (stack of cells, memory). An empty stack is the end of the story."""

Options = list[tuple[float, Guard | None, int]]

# How steeply frequency falls with the place in a list: story shapes, sentence forms, choices inside one, entries.
SHAPE_SLOPE, FORM_SLOPE, CHOICE_SLOPE, ENTRY_SLOPE = 0.0, 0.3, 0.35, 0.5
_TOLD = 0.35


def _weight(place: int, slope: float) -> float:
    # Rounded, so that a last bit of some machine's pow() cannot change a story.
    return round((place + 1) ** -slope, 9)


def _weights(count: int, slope: float) -> list[float]:
    return [_weight(i, slope) for i in range(count)]


class Program:
    """A grammar, compiled.

    A cell is one symbol and the number of the cell after it (0: none). A symbol is a terminal (str), a `SlotRef`, or a
    list of weighted options ``(weight, guard, first cell)``. Pushing a cell pushes the whole rest of its row.

    Args:
        grammar: What to compile.
    """

    def __init__(self, grammar: Grammar):
        self.grammar = grammar
        self._slots: list[Slot] = list(grammar.slots.values())
        self._number = {name: i for i, name in enumerate(grammar.slots)}
        self._entry_weights = [self._weigh_entries(slot) for slot in self._slots]
        self.symbols: list[str | SlotRef | Options] = [""]
        self.after: list[int] = [0]
        self._rows: dict[tuple[str, ...], int] = {}
        self._says: dict[tuple[int, int], int] = {}
        self._available: dict[tuple[int, int, int], list[tuple[int, float]]] = {}
        self._reads_of: dict[int, tuple[int, ...]] = {}
        self.form_cells = {
            name: [self._compile(form.parts, 0) for form in forms] for name, forms in grammar.beats.items()
        }
        beats = {name: self._beat_cell(forms, self.form_cells[name]) for name, forms in grammar.beats.items()}
        options: Options = []
        for shape, weight in zip(grammar.shapes, _weights(len(grammar.shapes), SHAPE_SLOPE), strict=True):
            cell = 0
            for name, optional in reversed(shape.beats):
                options_here = self.symbols[beats[name]]
                symbol: Options | str | SlotRef = (
                    [(_TOLD, None, beats[name]), (1 - _TOLD, None, 0)] if optional else options_here
                )
                cell = self._cell(symbol, cell)
            options.append((weight, None, cell))
        self.empty_memory: tuple[int, ...] = (0,) * len(self._slots)
        self.start: State = ((self._cell(options, 0),), self.empty_memory)

    def _weigh_entries(self, slot: Slot) -> list[float]:
        if not slot.parent:
            return _weights(len(slot.entries), ENTRY_SLOPE)
        seen: dict[int, int] = {}
        result = []
        for entry in slot.entries:
            place = seen.get(entry.parent, 0)
            seen[entry.parent] = place + 1
            result.append(_weight(place, ENTRY_SLOPE))
        return result

    # Compiling.

    def _cell(self, symbol: str | SlotRef | Options, after: int) -> int:
        self.symbols.append(symbol)
        self.after.append(after)
        return len(self.symbols) - 1

    def _row(self, terminals: Iterable[str]) -> int:
        key = tuple(terminals)
        if key not in self._rows:
            cell = 0
            for terminal in reversed(key):
                cell = self._cell(terminal, cell)
            self._rows[key] = cell
        return self._rows[key]

    def _compile(self, parts: tuple[Node, ...], after: int) -> int:
        cell = after
        for part in reversed(parts):
            if isinstance(part, Literal):
                for terminal in reversed(pre_tokens(part.text)):
                    cell = self._cell(terminal, cell)
            elif isinstance(part, SlotRef):
                self._check(part)
                cell = self._cell(part, cell)
            elif isinstance(part, Choice):
                weights = _weights(len(part.options), CHOICE_SLOPE)
                options: Options = [(w, None, self._compile(o, 0)) for w, o in zip(weights, part.options, strict=True)]
                cell = self._cell(options, cell)
        return cell

    def _check(self, ref: SlotRef) -> None:
        if ref.slot not in self._number:
            raise InputError(f"a form uses the list '{ref.slot}', which is not in the lexicon: add it")
        for entry in self._slots[self._number[ref.slot]].entries:
            if ref.name not in entry.names:
                raise InputError(f"'{entry.names['']}' has no wording '{ref.name}': add it to the list '{ref.slot}'")

    def _beat_cell(self, forms: tuple[Form, ...], cells: list[int]) -> int:
        weights = _weights(len(forms), FORM_SLOPE)
        return self._cell([(w, f.guard, c) for w, f, c in zip(weights, forms, cells, strict=True)], 0)

    # Memory.

    def _holds(self, guard: Guard, memory: tuple[int, ...]) -> bool:
        slot = self._number[guard.slot]
        value = memory[slot]
        if not guard.tag:
            return bool(value) == guard.wanted
        return bool(value) and (guard.tag in self._slots[slot].entries[value - 1].tags) == guard.wanted

    def _choices(self, slot: int, memory: tuple[int, ...]) -> list[tuple[int, float]]:
        """The entries that fit memory, with their probabilities."""
        relations = self._slots[slot]
        partner = memory[self._number[relations.partner]] if relations.partner else 0
        parent = memory[self._number[relations.parent]] if relations.parent else 0
        key = (slot, partner, parent)
        if key not in self._available:
            tags = self._slots[self._number[relations.partner]].entries[partner - 1].tags if partner else frozenset()
            fits = [
                (i, weight)
                for i, (entry, weight) in enumerate(zip(relations.entries, self._entry_weights[slot], strict=True))
                if (not tags or not entry.tags or tags & entry.tags)
                and (not relations.parent or entry.parent == parent - 1)
            ]
            total = sum(weight for _, weight in fits)
            self._available[key] = [(i, weight / total) for i, weight in fits]
        return self._available[key]

    def _bind(self, slot: int, memory: tuple[int, ...]) -> list[tuple[float, tuple[int, ...]]]:
        """Choose an entry of an unchosen slot (and first of its parent, which the entry will give away)."""
        parent = self._slots[slot].parent
        if parent and not memory[self._number[parent]]:
            return [
                (p * q, after)
                for p, between in self._bind(self._number[parent], memory)
                for q, after in self._bind(slot, between)
            ]
        return [(p, (*memory[:slot], i + 1, *memory[slot + 1 :])) for i, p in self._choices(slot, memory)]

    def _wording(self, cell: int, ref: SlotRef, value: int) -> int:
        """The row of terminals by which the reference in this cell says entry ``value - 1``."""
        if (cell, value) not in self._says:
            text = self._slots[self._number[ref.slot]].entries[value - 1].names[ref.name]
            if ref.capital:
                text = text[0].upper() + text[1:]
            self._says[cell, value] = self._row(pre_tokens(" " + text if ref.space else text))
        return self._says[cell, value]

    # Running.

    def expand(self, stack: tuple[int, ...], memory: tuple[int, ...]) -> list[tuple[float, State]]:
        """Replace the top symbol, which is not a terminal, by each of its options."""
        top, rest = stack[-1], stack[:-1]
        symbol = self.symbols[top]
        if self.after[top]:
            rest = (*rest, self.after[top])
        if isinstance(symbol, SlotRef):
            slot = self._number[symbol.slot]
            if memory[slot]:
                return [(1.0, ((*rest, self._wording(top, symbol, memory[slot])), memory))]
            return [(p, ((*rest, self._wording(top, symbol, m[slot])), m)) for p, m in self._bind(slot, memory)]
        assert isinstance(symbol, list)
        fits = [(w, cell) for w, guard, cell in symbol if guard is None or self._holds(guard, memory)]
        total = sum(w for w, _ in fits)
        return [(w / total, ((*rest, cell) if cell else rest, memory)) for w, cell in fits]

    def reads(self, row: int) -> tuple[int, ...]:
        """Slots that may decide the first terminal of a row."""
        if row not in self._reads_of:
            slots: set[int] = set()
            self._collect_reads(row, slots)
            self._reads_of[row] = tuple(sorted(slots))
        return self._reads_of[row]

    def _collect_reads(self, row: int, slots: set[int]) -> bool:
        """Add the slots read before the first terminal of a row; say whether the row may say nothing."""
        silent = row == 0
        while row:
            symbol = self.symbols[row]
            silent = False
            if isinstance(symbol, SlotRef):
                slots |= self._relatives(self._number[symbol.slot])
            elif not isinstance(symbol, str):
                for _, guard, option in symbol:
                    if guard:
                        slots.add(self._number[guard.slot])
                    silent |= self._collect_reads(option, slots)
            if not silent:
                break
            row = self.after[row]
        return silent

    def _relatives(self, slot: int) -> set[int]:
        """The slot and all whose choice its own depends on."""
        relations = self._slots[slot]
        found = {slot}
        if relations.partner:
            found.add(self._number[relations.partner])
        if relations.parent:
            found |= self._relatives(self._number[relations.parent])
        return found
