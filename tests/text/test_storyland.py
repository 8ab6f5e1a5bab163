"""storyland: generation, splits, size, and what the parser says about right and wrong texts."""

import hashlib
import itertools
import math
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from calm_lab.errors import InputError
from calm_lab.text import storyland
from calm_lab.text.storyland.parse import THE_END
from calm_lab.text.storyland.statistics import words
from calm_lab.text.storyland.template import parse_nodes, pre_tokens

BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)


def test_the_language_is_frozen():
    # A model's card names the version it learned: whoever changes the law must change VERSION, and this hash with it.
    texts = "\n".join(storyland.generate(0, index) for index in range(200))
    assert storyland.VERSION == "1.0"
    digest = hashlib.sha256(texts.encode()).hexdigest()
    assert digest == "51d79d477389ab1498d5e13d29244bc19eeb397e02e6d449df5b4de178a11eb9"


def test_stories_are_ascii_paragraphs_of_a_readable_length():
    texts = [storyland.generate(11, index) for index in range(500)]
    lengths = [len(text.split()) for text in texts]
    assert all(text.isascii() and "\n" not in text and "  " not in text and text == text.strip() for text in texts)
    assert all(text[0].isupper() and text[-1] in '.!?"' for text in texts)
    assert min(lengths) >= 45
    assert max(lengths) <= 200
    assert 80 <= sum(lengths) / 500 <= 120
    assert len(set(texts)) == 500


def test_articles_agree_with_their_words():
    # "a" before a vowel is wrong in all of storyland, which says no "a unicorn"; "an" before a consonant always is.
    texts = " ".join(storyland.generate(12, index) for index in range(1000))
    assert not re.search(r"\b[Aa] [aeio]", texts)
    assert not re.search(r"\b[Aa]n [^aeiouh]", texts)


def test_terminals_are_the_pre_tokens_of_gpt_2():
    rng = random.Random(5)
    machine = storyland.machine()
    for _ in range(500):
        terminals = machine.sample(rng)
        text = "".join(terminals)
        gpt_2 = [text[start:end] for _, (start, end) in BYTE_LEVEL.pre_tokenize_str(text)]
        assert terminals == gpt_2 == pre_tokens(text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_pre_tokens_are_gpt_2s_for_any_ascii_text(text):
    assert pre_tokens(text) == [text[start:end] for _, (start, end) in BYTE_LEVEL.pre_tokenize_str(text)]


def test_splits_are_disjoint_whatever_the_seed():
    kept = {split: set(storyland.stories(split, 20, seed=seed)) for seed, split in enumerate(storyland.SPLITS)}
    assert all(storyland.split_of(text) == split for split, texts in kept.items() for text in texts)
    assert not any(a & b for a, b in itertools.combinations(kept.values(), 2))


def test_split_shares_are_90_5_5():
    # 1,200 draws; the bounds are 4.5 standard errors wide: under a fresh seed a false alarm in 100,000.
    splits = [storyland.split_of(storyland.generate(13, index)) for index in range(1200)]
    for split, share in (("train", 0.9), ("validation", 0.05), ("test", 0.05)):
        assert abs(splits.count(split) / 1200 - share) < 4.5 * math.sqrt(share * (1 - share) / 1200)


def test_stories_go_on_from_a_start_and_without_end():
    first = list(storyland.stories("train", 20, seed=3))
    skipped = next(i for i in itertools.count() if storyland.generate(3, i) == first[5])
    assert list(storyland.stories("train", 15, seed=3, start=skipped)) == first[5:]
    assert list(itertools.islice(storyland.stories("train", seed=3), 20)) == first
    assert list(storyland.stories("test", 0)) == []


def test_bad_arguments_are_refused_with_the_remedy():
    with pytest.raises(InputError, match="choose one of test, train, validation; did you mean 'validation'"):
        next(storyland.stories("valid"))
    with pytest.raises(InputError, match="count and start must not be negative"):
        next(storyland.stories("train", -1))
    with pytest.raises(InputError, match="at least 2"):
        storyland.statistics(1)


def test_the_language_is_as_large_as_promised():
    size = storyland.statistics(stories=60)
    assert size.shapes >= 12
    assert size.forms >= 400
    assert size.words >= 1000
    assert size.bits_per_sentence >= 8
    assert 80 <= size.words_per_story <= 120


def test_a_thousand_words_are_really_said():
    texts = " ".join(storyland.generate(14, index) for index in range(800))
    said = {terminal.strip().lower() for terminal in pre_tokens(texts) if terminal.strip().isalpha()}
    assert len(said) >= 1000
    assert said <= words()


def test_every_form_and_every_shape_is_told():
    machine, rng = storyland.machine(), random.Random(15)
    cells = {cell for row in machine.program.form_cells.values() for cell in row}
    met: set[int] = set()
    for _ in range(2500):
        stack, memory = machine.program.start
        while stack:
            met.add(stack[-1])
            if isinstance(machine.program.symbols[stack[-1]], str):
                after = machine.program.after[stack[-1]]
                stack = (*stack[:-1], after) if after else stack[:-1]
            else:
                options = machine.program.expand(stack, memory)
                stack, memory = rng.choices([state for _, state in options], [p for p, _ in options])[0]
    assert cells <= met


def test_a_thousand_stories_are_accepted():
    for index in range(1000):
        text = storyland.generate(16, index)
        assert storyland.parse(text).accepted, text


def test_sentences_of_stories_are_accepted_and_those_of_others_are_not():
    texts = [storyland.generate(17, index) for index in range(40)]
    found = storyland.acceptance(texts)
    assert found.stories.accepted == found.stories.total == 40
    assert found.sentences.accepted == found.sentences.total > 300
    assert storyland.acceptance([" " + texts[0] + "\n"]).stories.fraction == 1
    broken = texts[0].replace(" ", " not ", 1)
    share = storyland.accepted_sentences(broken)
    assert share.accepted == share.total - 1
    assert not storyland.sentence_accepted("")
    assert not storyland.sentence_accepted("Colourless green ideas sleep furiously.")
    assert not storyland.sentence_accepted("Mia ")


def test_a_sentence_must_agree_with_itself_only():
    assert storyland.sentence_accepted("Olivia hugged Vera and held the trumpet tight.")
    assert storyland.sentence_accepted('So Mia went to Tilly and said, "I am so sorry."')
    assert storyland.sentence_accepted('"It is mine!" cried Leo, and "No, mine!" shouted Sam with all his might.')
    assert not storyland.sentence_accepted('"It is mine!" cried Leo, and "No, mine!" shouted Sam with all her might.')


def test_sentences_are_cut_where_a_reader_cuts_them():
    text = (
        'There was a note: "Please come. Yours, Flora." "Oh no!" cried Mia. "Why are you so sad?" wondered Sam. '
        'Crash! went the kite. Was it "mine!" or not? She said, "Let us go." The end'
    )
    assert storyland.split_sentences(text) == [
        'There was a note: "Please come. Yours, Flora."',
        '"Oh no!" cried Mia.',
        '"Why are you so sad?" wondered Sam.',
        "Crash! went the kite.",
        'Was it "mine!" or not?',
        'She said, "Let us go."',
        "The end",
    ]
    assert storyland.split_sentences("") == []


def test_wilson_interval():
    # Wilson's interval is where the score test's z equals 1.96, which is how it is defined.
    for accepted, total in ((0, 10), (3, 10), (190, 200), (200, 200)):
        share = storyland.Share(accepted, total)
        for end in share.interval:
            if 0 < end < 1:
                z = (share.fraction - end) / math.sqrt(end * (1 - end) / total)
                assert abs(abs(z) - 1.959963984540054) < 1e-9
        assert share.interval[0] <= share.fraction <= share.interval[1]
    assert storyland.Share(0, 0).interval == (0.0, 1.0)
    assert math.isnan(storyland.Share(0, 0).fraction)


def _hero(text: str) -> str:
    names = {entry.names[""] for entry in storyland.load_grammar().slots["hero"].entries}
    return next(terminal.strip() for terminal in pre_tokens(" " + text) if terminal.strip() in names)


def test_a_swapped_name_is_found_where_it_stands():
    names = [entry.names[""] for entry in storyland.load_grammar().slots["hero"].entries]
    checked = 0
    for index in range(120):
        text = storyland.generate(18, index)
        hero = _hero(text)
        places = [match.start() for match in re.finditer(rf"\b{hero}\b", text)]
        if len(places) < 2:
            continue
        wrong = next(name for name in names if name != hero)
        result = storyland.parse(text[: places[-1]] + wrong + text[places[-1] + len(hero) :])
        assert not result.accepted
        assert result.position == places[-1]
        assert hero in result.expected
        assert f'came "{wrong}"' in result.reason
        assert storyland.log_probability(text.replace(hero, wrong, 1)) == -math.inf
        checked += 1
    assert checked > 80


def test_a_dropped_word_breaks_a_story_unless_it_was_optional():
    # Some words may be left out ("very", an adverb): then the shorter text is a story too, and must have a probability.
    rng = random.Random(19)
    rejected = 0
    for index in range(150):
        text = storyland.generate(19, index)
        terminals = pre_tokens(text)
        at = rng.randrange(len(terminals))
        shorter = "".join(terminals[:at] + terminals[at + 1 :])
        result = storyland.parse(shorter)
        assert result.accepted == (storyland.log_probability(shorter) > -math.inf)
        if not result.accepted:
            rejected += 1
            assert result.position >= len("".join(terminals[:at]).rstrip(' "'))
            assert result.expected
            assert "\n" not in result.reason
    assert rejected > 120


def test_unfinished_overlong_and_empty_texts():
    text = storyland.generate(20, 0)
    cut = text[: text.index(" ", len(text) // 2)]
    unfinished = storyland.parse(cut)
    assert not unfinished.accepted
    assert unfinished.position == len(cut)
    following = text[len(cut) :].split()[0]
    assert any(following.startswith(word) for word in unfinished.expected)
    overlong = storyland.parse(text + " Hello.")
    assert (overlong.accepted, overlong.position, overlong.expected) == (False, len(text) + 1, (THE_END,))
    assert "the story is over" in overlong.reason
    empty = storyland.parse("")
    assert not empty.accepted
    assert "Once" in empty.expected
    assert storyland.parse("Hello!").reason.startswith('at the beginning came "Hello" where a story goes on with')


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_answered(text):
    result = storyland.parse(text)
    assert not result.accepted
    assert 0 <= result.position <= len(text)
    assert storyland.log_probability(text) == -math.inf
    assert storyland.acceptance([text]).stories.accepted == 0


def test_templates_that_do_not_parse_are_refused():
    with pytest.raises(InputError, match="unbalanced"):
        parse_nodes("a [b|c")
    with pytest.raises(InputError, match="bad slot"):
        parse_nodes("a {b c}")


@pytest.mark.parametrize(
    ("lexicon", "stories", "message"),
    [
        ("Mia", "shape s: a\n[a]\nHi.", "put a \\[slot\\] line before it"),
        ("[hero]\nMia", "shape s: a b\n[a]\nHi.", "beats without forms"),
        ("[hero]\nMia", "shape s: a\n[a]\nHi.\n[a]\nHo.", "twice"),
        ("[place]\nsea\n[spot : place]\nwood > here", "shape s: a\n[a]\nHi.", "no entry 'wood'"),
        ("[hero]\nMia", "shape s: a\n[a]\nHi {pet}.", "not in the lexicon"),
        ("[hero]\nMia", "shape s: a\n[a]\nHi {hero.short}.", "no wording 'short'"),
    ],
)
def test_grammars_that_make_no_sense_are_refused(lexicon, stories, message):
    with pytest.raises(InputError, match=message):
        storyland.Machine(storyland.build_grammar(lexicon, stories))
