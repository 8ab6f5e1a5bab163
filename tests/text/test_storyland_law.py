"""The exact law of storyland's tokens, against closed forms, against brute force and against drawn stories."""

import itertools
import math
import random
from collections import Counter

import pytest
from scipy import stats
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from calm_lab.errors import InputError
from calm_lab.text import storyland
from calm_lab.text.storyland.program import CHOICE_SLOPE, ENTRY_SLOPE, FORM_SLOPE

EOS, PAD = 2, 0


class BPE:
    """A byte-level BPE of 2,048 entries, trained here."""

    def __init__(self):
        self.backend = Tokenizer(models.BPE())
        self.backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        self.backend.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=2048,
            special_tokens=["<pad>", "<begin>", "<end>", "<mask>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        self.backend.train_from_iterator(storyland.stories("train", 1000), trainer)

    def encode(self, text):
        return self.backend.encode(text).ids


class Letters:
    """One token a character: every word is many tokens, and words share their beginnings."""

    def encode(self, text):
        return [ord(char) for char in text]


@pytest.fixture(scope="module")
def bpe():
    return BPE()


@pytest.fixture(scope="module")
def law(bpe):
    return storyland.TokenLaw(bpe, EOS, PAD)


@pytest.fixture(scope="module")
def walks(bpe, law):
    """Some stories with, at every position, the token, the next-token law and the collision probabilities."""
    walks = []
    for index in range(24):
        state, steps = law.start(), []
        text = storyland.generate(31, index)
        for token in [*bpe.encode(text), EOS]:
            steps.append((token, law.next_tokens(state), law.collision(state), law.entropy(state)))
            state = law.advance(state, token)
        walks.append((text, steps))
    return walks


# A tiny language whose whole law is written down by hand.

TINY_LEXICON = """
[hero ~ kind]
Ann | #she
Bo | #he
[kind ~ hero]
girl | #she
cat
[place]
sea
hill
[spot : place]
sea > sand; sandbank
hill > top
"""
TINY_STORIES = """
shape one: who where? end
[who]
{Hero} was a {kind}.
[where]
@kind On the {spot} of the {place} {he} [sang|sat|].
[end]
Well done, {hero}!
The end.
"""


def tiny_truth():
    """Every story of the tiny language with its probability, by nested loops and the documented weights."""

    def share(place, count, slope):
        return (place + 1) ** -slope / sum((i + 1) ** -slope for i in range(count))

    truth = {}
    heroes = [("Ann", "she", ["girl", "cat"]), ("Bo", "he", ["cat"])]
    spots = [("sea", ["sand", "sandbank"]), ("hill", ["top"])]
    for i, (name, pronoun, kinds) in enumerate(heroes):
        for j, kind in enumerate(kinds):
            p_who = share(i, 2, ENTRY_SLOPE) * share(j, len(kinds), ENTRY_SLOPE)
            wheres = [("", 0.65)]
            for k, (place, names) in enumerate(spots):
                for m, spot in enumerate(names):
                    for n, verb in enumerate([" sang", " sat", ""]):
                        p = share(k, 2, ENTRY_SLOPE) * share(m, len(names), ENTRY_SLOPE) * share(n, 3, CHOICE_SLOPE)
                        wheres.append((f" On the {spot} of the {place} {pronoun}{verb}.", 0.35 * p))
            for where, p_where in wheres:
                for q, end in enumerate([f" Well done, {name}!", " The end."]):
                    story = f"{name} was a {kind}.{where}{end}"
                    truth[story] = p_who * p_where * share(q, 2, FORM_SLOPE)
    return truth


@pytest.fixture(scope="module")
def tiny():
    return storyland.Machine(storyland.build_grammar(TINY_LEXICON, TINY_STORIES))


def test_tiny_language_has_the_law_written_by_hand(tiny):
    truth = tiny_truth()
    assert abs(sum(truth.values()) - 1) < 1e-12
    for story, p in truth.items():
        assert abs(storyland.log_probability(story, tiny) - math.log(p)) < 1e-7  # weights are rounded to 9 digits
        assert storyland.parse(story, tiny).accepted
    assert storyland.log_probability("Bo was a girl. The end.", tiny) == -math.inf
    assert not storyland.parse("Ann was a cat. On the top of the sea she sang. The end.", tiny).accepted


def test_tiny_language_token_by_token_against_brute_force(tiny):
    # Every prefix of every story, with single characters as tokens: several words are open at once ("sand|sandbank").
    law = storyland.TokenLaw(Letters(), EOS, PAD, tiny)
    truth = {(*map(ord, story), EOS, PAD, PAD, PAD, PAD): p for story, p in tiny_truth().items()}
    states = {(): law.start()}
    while states:
        prefix, state = states.popitem()
        here = {ids: p for ids, p in truth.items() if ids[: len(prefix)] == prefix}
        total = sum(here.values())
        for n in range(1, 5):
            brute = Counter()
            for ids, p in here.items():
                brute[ids[len(prefix) : len(prefix) + n]] += p / total
            exact = law.continuations(state, n)
            assert exact.keys() == brute.keys()
            assert all(abs(exact[gram] - p) < 1e-7 for gram, p in brute.items())
            assert abs(law.collision(state)[n - 1] - sum(p * p for p in brute.values())) < 1e-7
        step = law.next_tokens(state)
        assert abs(law.entropy(state) + sum(p * math.log2(p) for p in step.values())) < 1e-12
        if prefix[-1:] != (EOS,):
            states |= {(*prefix, token): law.advance(state, token) for token in step}


def test_tiny_language_ceiling_against_brute_force(tiny):
    truth = tiny_truth()
    law = storyland.TokenLaw(Letters(), EOS, PAD, tiny)
    texts = sorted(truth)[:9]
    offsets = [0, 1, 2, 3]
    found = storyland.ceiling(Letters(), texts, 4, offsets, eos_id=EOS, pad_id=PAD, machine=tiny)
    sums, positions, entropy, tokens = [0.0] * 4, 0, 0.0, 0
    for story, first in zip(texts, itertools.cycle(offsets), strict=False):
        ids = [*map(ord, story), EOS]
        for p in range(len(ids)):
            state = law.advance_ids(law.start(), ids[:p])
            entropy += law.entropy(state)
            tokens += 1
            if p >= first and (p - first) % 4 == 0:
                positions += 1
                for n in range(4):
                    sums[n] += sum(q * q for q in law.continuations(state, n + 1).values())
    assert (found.positions, found.stories) == (positions, 9)
    assert all(abs(found.brier[n] - sums[n] / positions) < 1e-12 for n in range(4))
    assert abs(found.entropy_bits_per_token - entropy / tokens) < 1e-12
    assert abs(found.brier_lm - 100 * math.prod(total / positions for total in sums) ** 0.25) < 1e-9
    assert set(found.standard_errors) == {
        "brier_1",
        "brier_2",
        "brier_3",
        "brier_4",
        "brier_lm",
        "entropy_bits_per_token",
    }
    assert all(0 < error < 50 for error in found.standard_errors.values())
    every = storyland.ceiling(Letters(), texts, 1, eos_id=EOS, machine=tiny)
    assert every.positions == tokens
    late = storyland.ceiling(Letters(), texts, 1, eos_id=EOS, min_context=10, machine=tiny)
    assert late.positions == tokens - 10 * len(texts)


def test_jackknife_error_of_equal_weights_is_the_usual_one(tiny):
    # One position a story gives every story the same weight; then the jackknife is s / sqrt(n).
    texts = sorted(tiny_truth())[::6][:9]
    each = [storyland.ceiling(Letters(), [text], 1000, [16], eos_id=EOS, machine=tiny).brier[1] for text in texts]
    found = storyland.ceiling(Letters(), texts, 1000, [16], eos_id=EOS, machine=tiny)
    assert found.positions == 9
    assert abs(found.standard_errors["brier_2"] - stats.sem(each)) < 1e-12
    assert found.standard_errors["brier_2"] > 0
    alone = storyland.ceiling(Letters(), texts[:1], 4, eos_id=EOS, machine=tiny)
    assert math.isnan(alone.standard_errors["brier_lm"])


# Storyland itself.


def test_terminals_tokenise_alone_as_they_do_in_the_text(bpe):
    rng = random.Random(32)
    for _ in range(300):
        terminals = storyland.machine().sample(rng)
        assert bpe.encode("".join(terminals)) == [token for terminal in terminals for token in bpe.encode(terminal)]


def test_next_tokens_and_continuations_sum_to_one(law, bpe):
    rng = random.Random(33)
    for index in range(12):
        ids = bpe.encode(storyland.generate(33, index))
        state = law.advance_ids(law.start(), ids[: rng.randrange(len(ids))])
        for k in range(5):
            exact = law.continuations(state, k)
            assert abs(sum(exact.values()) - 1) < 1e-12
            if k:
                assert abs(law.collision(state)[k - 1] - sum(p * p for p in exact.values())) < 1e-12
        assert law.next_tokens(state).keys() == {gram[0] for gram in exact}


def test_log_probability_is_the_sum_over_tokens(walks):
    for text, steps in walks:
        total = sum(math.log(following[token]) for token, following, _, _ in steps)
        assert abs(total - storyland.log_probability(text)) < 1e-9


def test_entropy_is_the_mean_of_minus_log_p(walks):
    # The difference is a martingale over tokens, so stories give independent terms of mean zero. 4 standard errors:
    # by the t law of 24 stories a false alarm in 1,800 under a fresh seed; there are five such tests.
    gaps = [sum(entropy + math.log2(following[token]) for token, following, _, entropy in steps) for _, steps in walks]
    mean = sum(gaps) / len(gaps)
    error = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1) / len(gaps))
    assert abs(mean) < 4 * error


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_collision_is_the_expected_probability_of_what_comes(walks, n):
    # E[P(y_1..n | prefix)] = sum_x P(x)^2. Per-story sums are independent of mean zero; 4 standard errors as above.
    gaps = []
    for _, steps in walks:
        truth = [following[token] for token, following, _, _ in steps] + [1.0] * n  # pads are certain
        gaps.append(sum(math.prod(truth[i : i + n]) - collision[n - 1] for i, (_, _, collision, _) in enumerate(steps)))
    mean = sum(gaps) / len(gaps)
    error = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1) / len(gaps))
    assert abs(mean) < 4 * error


def test_continuations_agree_with_drawn_stories(law, bpe):
    # Chi-square on the next tokens, at the beginning and after the most frequent opening. Cells expected fewer than 5
    # times are pooled. Two tests at 1e-5: under a fresh seed a false alarm in 50,000.
    drawn = [bpe.encode(storyland.generate(34, index)[:120])[:12] for index in range(2000)]
    for prefix, k in (([], 3), (bpe.encode("Once upon a time there was a"), 1)):
        after = Counter(tuple(ids[len(prefix) : len(prefix) + k]) for ids in drawn if ids[: len(prefix)] == prefix)
        count = sum(after.values())
        exact = law.continuations(law.advance_ids(law.start(), prefix), k)
        assert after.keys() <= exact.keys()
        cells = [(after[gram], count * p) for gram, p in exact.items() if count * p >= 5]
        rest = (count - sum(seen for seen, _ in cells), count - sum(expected for _, expected in cells))
        cells += [rest] if rest[1] > 0.5 else []
        assert len(cells) >= 8
        statistic = sum((seen - expected) ** 2 / expected for seen, expected in cells)
        assert stats.chi2.sf(statistic, len(cells) - 1) > 1e-5


def test_the_end_is_certain_and_pads_follow(law, bpe):
    text = storyland.generate(35, 0)
    state = law.advance_text(law.start(), text)
    assert law.continuations(state, 3) == {(EOS, PAD, PAD): 1.0}
    assert law.collision(state) == [1.0] * 4
    assert law.entropy(law.advance_ids(state, [EOS, PAD])) == 0


def test_memory_is_in_the_law(law):
    # Once a name is said, the story's other heroes are out; a pronoun of the wrong kind is, too.
    state = law.advance_text(law.start(), "Once upon a time there was a little girl named Mia.")
    heard = law.continuations(state, 1)
    assert not set(law.tokenizer.encode(" He")) & {ids[0] for ids in heard}
    assert set(law.tokenizer.encode(" She")) & {ids[0] for ids in heard}


def test_bad_tokens_and_numbers_are_refused_with_the_remedy(law, bpe):
    state = law.advance_text(law.start(), "Once upon")
    with pytest.raises(InputError, match=r"no story goes on with token 3 after 2 tokens: choose one of next_tokens"):
        law.advance(state, 3)
    with pytest.raises(InputError, match="no story goes on"):
        law.advance_text(law.start(), "Colourless green ideas")
    with pytest.raises(InputError, match="k must not be negative"):
        law.continuations(state, -1)
    with pytest.raises(InputError, match="n_max"):
        law.collision(state, 0)
    with pytest.raises(InputError, match="at least one story"):
        storyland.ceiling(bpe, [])
    with pytest.raises(InputError, match="chunk_size must be at least 1"):
        storyland.ceiling(bpe, ["x"], 0)

    class Deaf:
        def encode(self, text):
            return []

    with pytest.raises(InputError, match="use byte-level BPE"):
        storyland.TokenLaw(Deaf()).start()


def test_ceiling_of_storyland_is_within_reach_of_a_model(bpe):
    texts = list(storyland.stories("validation", 12))
    found = storyland.ceiling(bpe, texts, 4, offsets=[0, 1, 2, 3], eos_id=EOS, pad_id=PAD)
    assert 1 > found.brier[0] > found.brier[1] > found.brier[2] > found.brier[3] > 0
    assert 35 < found.brier_lm < 75
    assert 0.3 < found.entropy_bits_per_token < 1.6
