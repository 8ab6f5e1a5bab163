"""Every word has both languages, the same gaps to fill, and a home."""

from __future__ import annotations

import re

import pytest

from calm_lab.app import example_words
from calm_lab.app.look import STATIC
from calm_lab.app.words import I18N, WORDS, say, table
from calm_lab.lab import examples

GAP = re.compile(r"\{\w+\}")
SCRIPTS = sorted(STATIC.glob("*.js"))


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_it_with_the_same_gaps(key: str) -> None:
    english, chinese = WORDS[key]
    assert english.strip()
    assert chinese.strip()
    if not key.endswith("how_text") and not (key.endswith("_one") and f"{key[:-4]}" in WORDS):
        assert set(GAP.findall(english)) == set(GAP.findall(chinese))


def test_chinese_is_chinese() -> None:
    kept = {"language_code"}
    assert [k for k, (_, chinese) in WORDS.items() if k not in kept and not re.search("[\u4e00-\u9fff]", chinese)] == []


def test_every_worked_example_has_a_name() -> None:
    offered = [*examples.TEXTS, *examples.OTHER_PROMPTS]
    offered += [
        example for kind in (examples.PROMPTS, examples.PASSAGES) for group in kind.values() for example in group
    ]
    names = [example.name for example in offered]
    assert set(example_words.CHINESE) == set(names)
    assert len(example_words.WORDS) == len(set(names))  # no two share a key


def test_drawings_ask_only_for_words_that_exist() -> None:
    for path in SCRIPTS:
        text = path.read_text("utf-8")
        asked = set(re.findall(r'say\("(\w+)"', text)) | {f"token_{r}" for r in ("end", "pad", "begin", "mask")}
        assert asked <= set(WORDS), path.name


def test_words_of_a_drawing() -> None:
    words = table("token_")
    assert words["en"]["token_end"] == "end"
    assert set(words["en"]) == set(words["zh"]) == {k for k in WORDS if k.startswith("token_")}


def test_an_unknown_word_is_a_mistake_of_ours() -> None:
    with pytest.raises(AssertionError):
        say("no_such_word")
    assert set(I18N.translations_dict) == {"en", "zh-CN", "zh-TW"}
