"""Tokens as a reader sees them: characters that several tokens share, bytes that form none, special tokens."""

from __future__ import annotations

import pytest

from calm_lab.lab.pieces import Part, parts, spread
from calm_lab.text.tokenizer import Tokenizer

TEXTS = ("Once upon a time", "café", "日本 🙂!", "naïve — “señor” Ω", "a\u0301 x\n\ty", "🙂🙂")


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(["Once upon a time there was"] * 4, 270)


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_is_lost_and_nothing_is_said_twice(tokenizer: Tokenizer, text: str) -> None:
    """Read from left to right, a shared character once, the parts are the text."""
    shown = parts(tokenizer, tokenizer.encode(text))
    assert "".join(part.text for token in shown for part in token if part.number == 1) == text
    assert all(token for token in shown)


def test_a_shared_character_names_its_parts(tokenizer: Tokenizer) -> None:
    shown = parts(tokenizer, tokenizer.encode("日é"))
    assert shown == [[Part("日", 1, 3)], [Part("日", 2, 3)], [Part("日", 3, 3)], [Part("é", 1, 2)], [Part("é", 2, 2)]]


def test_bytes_without_a_character_stay_bytes(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("日x")
    assert parts(tokenizer, ids[:2] + ids[3:]) == [[Part("⟨E6⟩")], [Part("⟨97⟩")], [Part("x")]]
    assert spread(tokenizer, ids[:1]) == [None]


def test_a_special_token_ends_a_character(tokenizer: Tokenizer) -> None:
    first, *rest = tokenizer.encode("é")
    shown = parts(tokenizer, [first, tokenizer.eos_id, *rest])
    assert [token[0].text for token in shown] == ["⟨C3⟩", "<end>", "⟨A9⟩"]
    assert all(part.of == 1 for token in shown for part in token)


def test_a_token_may_hold_the_end_of_one_character_and_the_beginning_of_another() -> None:
    tokenizer = Tokenizer.train(["日本日本日本"] * 4, 262)
    two = [bytes_ for bytes_ in tokenizer.byte_table or [] if len(bytes_) > 1]
    assert two, "the tokenizer has learned no pair of bytes"
    text = "日本日本"
    shown = parts(tokenizer, tokenizer.encode(text))
    assert "".join(part.text for token in shown for part in token if part.number == 1) == text


def test_only_shared_characters_are_listed(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("a é")
    assert spread(tokenizer, ids)[:2] == [None, None]
    assert spread(tokenizer, ids)[2:] == [[["é", 1, 2]], [["é", 2, 2]]]
