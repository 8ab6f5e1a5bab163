"""littleland: a part of storyland, smaller, with the same truth about it."""

import hashlib
import math

import pytest

from calm_lab.errors import InputError
from calm_lab.text import storyland
from calm_lab.text.corpora import load_corpus
from calm_lab.text.storyland.grammar import build_grammar
from calm_lab.text.storyland.littleland import LITTLELAND, Cut, cut
from calm_lab.text.storyland.statistics import words

TEXTS = [storyland.generate(3, index, "littleland") for index in range(400)]
LITTLE = storyland.machine("littleland")


def test_the_language_is_frozen():
    # A model's card names the version it learned: whoever changes the law must change VERSION, and this hash with it.
    assert storyland.VERSION == "1.0"
    digest = hashlib.sha256("\n".join(TEXTS[:200]).encode()).hexdigest()
    assert digest == "5cecc7c30367bc73fd0a20c5491359f8c9a57c4dbaaba1fd81339f954e577fa6"


def test_its_stories_are_stories_of_storyland():
    assert all(storyland.parse(text, LITTLE).accepted for text in TEXTS)
    assert all(storyland.parse(text).accepted for text in TEXTS)
    told = storyland.acceptance(TEXTS[:50], LITTLE)
    assert told.stories.fraction == told.sentences.fraction == 1


def test_it_tells_them_more_often_and_not_all_of_them():
    for text in TEXTS[:100]:
        assert storyland.log_probability(text, LITTLE) > storyland.log_probability(text) + 5
    other = [storyland.generate(3, index) for index in range(100)]
    assert sum(storyland.parse(text, LITTLE).accepted for text in other) < 5
    assert all(storyland.log_probability(text, LITTLE) == -math.inf for text in other[:3])


def test_it_is_small_and_still_does_not_repeat_itself():
    assert len(set(TEXTS)) == len(TEXTS)
    assert len(words(LITTLE.program.grammar)) == 400
    assert len(LITTLE.program.grammar.shapes) == len(LITTLELAND.shapes) == 3


def test_it_is_a_corpus_of_its_own():
    rows = {split: load_corpus("littleland", split, count=20)["text"] for split in storyland.SPLITS}
    assert all(storyland.split_of(text) == split for split, texts in rows.items() for text in texts)
    assert all(storyland.parse(text, LITTLE).accepted for texts in rows.values() for text in texts)
    assert list(rows["test"]) == list(storyland.stories("test", 20, language="littleland"))
    assert not set(rows["test"]) & set(load_corpus("storyland", "test", count=20)["text"])


LEXICON = """
[hero ~ kind]
Mia | #she
Leo | #he
Anna | #she
[kind ~ hero]
girl | #she
boy | #he
cat
[room : kind]
girl > attic; cellar; hall
boy > shed; barn
cat > roof
"""
STORIES = """
shape a: open end
shape b: open more? end
[open]
@!room {Hero} slept.
{Hero} the {kind} [ran|sat|hid].
{Hero} went to the {room}.
[more]
@room It was in the {room}.
[end]
The end.
"""


def test_a_cut_keeps_the_first_of_everything():
    part = cut(build_grammar(LEXICON, STORIES), Cut(("b",), forms=1, options=2, entries=2, children=1))
    assert [shape.name for shape in part.shapes] == ["b"]
    assert [form.source for form in part.beats["open"]] == ["{Hero} the {kind} [ran|sat|hid]."]
    assert [len(node.options) for node in part.beats["open"][0].parts if hasattr(node, "options")] == [2]
    assert [form.source for form in part.beats["more"]] == ["@room It was in the {room}."]  # all have a condition
    names = {name: [entry.names[""] for entry in slot.entries] for name, slot in part.slots.items()}
    assert names == {"hero": ["Mia", "Leo"], "kind": ["girl", "boy"], "room": ["attic", "shed"]}


def test_a_list_under_a_list_keeps_its_family():
    lexicon = (
        LEXICON
        + "[corner : room]\nattic > beam; trunk\ncellar > tap\nhall > rug\nshed > saw; vice\nbarn > hay\nroof > nest\n"
    )
    part = cut(build_grammar(lexicon, STORIES), Cut(("b",), forms=1, options=2, entries=2, children=1))
    rooms, corners = part.slots["room"].entries, part.slots["corner"].entries
    homes = {corner.names[""]: rooms[corner.parent].names[""] for corner in corners}
    assert homes == {"beam": "attic", "saw": "shed"}


@pytest.mark.parametrize("keep", [Cut(("c",), 1, 1, 1, 1), Cut(("a",), 0, 1, 1, 1), Cut(("a",), 1, 1, 1, 0)])
def test_a_cut_that_cannot_be_is_refused(keep):
    with pytest.raises(InputError):
        cut(build_grammar(LEXICON, STORIES), keep)


def test_an_unknown_language_is_refused():
    with pytest.raises(InputError, match="littleland"):
        storyland.machine("bigland")
    with pytest.raises(InputError, match="littleland"):
        storyland.stories("train", 1, language="bigland")
