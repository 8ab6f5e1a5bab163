"""One text, one derivation: proved for storyland over all its forms, and counted on drawn stories.

The proof has four parts. (1) Written one after the other without end, in any order and with any choice of entries,
sentences can be read back in one way only: the automaton of all forms is unambiguous. It says more than stories can
(memory is ignored), so what holds for it holds for them. (2) A form belongs to one beat, a beat occurs once in a shape,
and no two shapes can tell the same beats. (3) An entry that memory takes in is told apart by its words: where several
entries share a wording (the pronouns), the slot was chosen before or the sentence goes on to say the name. (4) Some
form fits whatever memory holds, so no probability is lost.
"""

import itertools

import pytest

from calm_lab.text import storyland
from calm_lab.text.storyland.machine import END
from calm_lab.text.storyland.template import Choice, SlotRef, pre_tokens

START = ("start",)


class FormAutomaton:
    """All forms as one automaton that begins anew after each sentence; a slot may be any of its entries."""

    def __init__(self, machine):
        self.program = machine.program
        self.forms = [(cell,) for cells in self.program.form_cells.values() for cell in cells]
        self.slots = machine.program.grammar.slots
        self.moves_from = {}
        self.rows = {}

    def _row(self, terminals):
        # Rows of our own: a tuple of what is still to say, from its first terminal on.
        return self.rows.setdefault(tuple(terminals), tuple(terminals))

    def moves(self, state):
        """Terminal -> list of states behind it, one for every way there (the same state twice is two ways)."""
        if state not in self.moves_from:
            found = {}
            work = list(self.forms) if state == START else [state]
            while work:
                stack = work.pop()
                top, rest = stack[-1], stack[:-1]
                if isinstance(top, tuple):
                    behind = (*rest, top[1:]) if len(top) > 1 else rest
                    found.setdefault(top[0], []).append(behind or START)
                    continue
                symbol, after = self.program.symbols[top], self.program.after[top]
                rest = (*rest, after) if after else rest
                if isinstance(symbol, str):
                    found.setdefault(symbol, []).append(rest or START)
                elif isinstance(symbol, SlotRef):
                    says = {entry.names[symbol.name] for entry in self.slots[symbol.slot].entries}
                    for text in says:
                        text = text[0].upper() + text[1:] if symbol.capital else text
                        work.append((*rest, self._row(pre_tokens(" " + text if symbol.space else text))))
                else:
                    for _, _, cell in symbol:
                        assert cell or rest, "a form may be silent"
                        work.append((*rest, cell) if cell else rest)
            self.moves_from[state] = found
        return self.moves_from[state]

    def ambiguity(self):
        """Two ways that begin at one state, say the same and meet again: their last state, or None."""
        met = {(START, START)}
        work = [(START, START)]
        while work:
            one, other = work.pop()
            there, too = self.moves(one), self.moves(other)
            for terminal in there.keys() & too.keys():
                if one == other:
                    states = there[terminal]
                    if len(set(states)) < len(states):
                        return terminal, one
                    pairs = itertools.combinations_with_replacement(states, 2)
                else:
                    pairs = itertools.product(there[terminal], too[terminal])
                for a, b in pairs:
                    if a == b and one != other:
                        return terminal, one, other
                    pair = (a, b) if repr(a) <= repr(b) else (b, a)
                    if pair not in met:
                        met.add(pair)
                        work.append(pair)
        return None


def tiny(stories, lexicon="[pet]\ncat\ncat flap\ndog"):
    return storyland.Machine(storyland.build_grammar(lexicon, stories))


@pytest.mark.parametrize(
    "stories",
    [
        "shape s: a\n[a]\nIt ran.\n[It|He] ran.",
        "shape s: a\n[a]\nIt [ran|] [|ran] off.",
        "shape s: a\n[a]\nThe {pet} [flap|] broke.",
        "shape s: a b c\n[a]\nOne. Two.\n[b]\nOne.\n[c]\nTwo.",
    ],
)
def test_the_proof_finds_ambiguous_forms(stories):
    assert FormAutomaton(tiny(stories)).ambiguity()


def test_the_proof_lets_clear_forms_pass():
    assert FormAutomaton(tiny("shape s: a b\n[a]\nThe {pet} [soon|] broke.\n[b]\nIt [ran|slept].")).ambiguity() is None


LANGUAGES = pytest.mark.parametrize("language", storyland.LANGUAGES)


@LANGUAGES
def test_sentences_can_be_read_in_one_way_only(language):
    automaton = FormAutomaton(storyland.machine(language))
    assert automaton.ambiguity() is None
    assert len(automaton.moves_from) > {"storyland": 10_000, "littleland": 500}[language]


@LANGUAGES
def test_beats_and_shapes_can_be_told_apart(language):
    grammar = storyland.machine(language).program.grammar
    for shape in grammar.shapes:
        names = [name for name, _ in shape.beats]
        assert len(set(names)) == len(names)
    for one, other in itertools.combinations(grammar.shapes, 2):
        needs = [{name for name, optional in shape.beats if not optional} for shape in (one, other)]
        has = [{name for name, _ in shape.beats} for shape in (one, other)]
        assert needs[0] - has[1] or needs[1] - has[0]


def _chosen_after(grammar, parts, chosen):
    """Sets of slots that may be chosen behind these parts; checks that a choice is told apart by its words."""
    found = {chosen}
    for place, part in enumerate(parts):
        if isinstance(part, SlotRef):
            slot = grammar.slots[part.slot]
            named = any(
                isinstance(said, SlotRef)
                and said.slot == part.slot
                and len({entry.names[said.name] for entry in slot.entries}) == len(slot.entries)
                for said in parts[place:]
            )
            assert named or all(part.slot in held for held in found), (part, chosen)
            family = {part.slot}
            while slot.parent:
                family.add(slot.parent)
                slot = grammar.slots[slot.parent]
            found = {held | family for held in found}
        elif isinstance(part, Choice):
            found = {
                after for held in found for option in part.options for after in _chosen_after(grammar, option, held)
            }
    return found


@LANGUAGES
def test_memory_is_told_by_words_and_some_form_always_fits(language):
    grammar = storyland.machine(language).program.grammar
    for shape in grammar.shapes:
        open_sets = {frozenset()}
        for name, optional in shape.beats:
            behind = set(open_sets) if optional else set()
            for chosen in open_sets:
                sure = False
                for form in grammar.beats[name]:
                    guard = form.guard
                    if guard and (guard.slot in chosen) != (guard.wanted or bool(guard.tag)):
                        continue
                    sure |= guard is None or not guard.tag
                    behind |= _chosen_after(grammar, form.parts, chosen)
                assert sure, (shape.name, name, chosen)
            open_sets = behind


@LANGUAGES
def test_drawn_stories_have_one_derivation(language):
    machine = storyland.machine(language)

    def ways(state):
        """Every way to a first terminal, none merged."""
        found, work = [], [state]
        while work:
            stack, memory = work.pop()
            symbol = machine.program.symbols[stack[-1]] if stack else END
            if isinstance(symbol, str):
                after = machine.program.after[stack[-1]] if stack else 0
                found.append((symbol, ((*stack[:-1], after) if after else stack[:-1], memory)))
            else:
                work.extend(option for _, option in machine.program.expand(stack, memory))
        return found

    for index in range(60):
        text = storyland.generate(21, index, language)
        counts = {machine.start: 1}
        for terminal in [*pre_tokens(" " + text), END]:
            after = {}
            for state, count in counts.items():
                for word, behind in ways(state):
                    if word == terminal:
                        after[behind] = after.get(behind, 0) + count
            counts = after
        assert sum(counts.values()) == 1, text
