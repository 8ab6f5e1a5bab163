"""The tokenizer: exact round trips, foreign files, damaged files, streaming."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as HFTokenizer
from tokenizers import decoders, models, normalizers, pre_tokenizers

from calm_lab.errors import CalmLabError, InputError, TokenizerError
from calm_lab.text.byte_level import BYTE_OF_SYMBOL
from calm_lab.text.stream import TextStream
from calm_lab.text.tokenizer import SPECIALS, Tokenizer

TEXTS = [
    "Once upon a time there was a little mermaid, and the sea was deep. ",
    "The duckling swam away; the duckling was not ugly at all. ",
    "« Où est la mer ? » demanda-t-elle — 海は深い。 😀👩‍👩‍👧 ",
] * 20

ANY_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(
        st.sampled_from([*SPECIALS, "the", " ", "é", "\u0301", "😀", "\u200d", "\x00", "\r\n", "\ufffd", "<"])
    ).map("".join),
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS, vocab_size=360)


def metaspace() -> Tokenizer:
    """A tokenizer in the SentencePiece manner, whose decoder is not byte-level."""
    backend = HFTokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2}
    vocabulary |= {f"<0x{byte:02X}>": 3 + byte for byte in range(256)}
    for letter in "▁abcdefghijklmnopqrstuvwxyz.":
        vocabulary[letter] = len(vocabulary)
    backend = HFTokenizer(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True, unk_token="<unk>"))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return Tokenizer.from_json(backend.to_str())


def named(*specials: str) -> Tokenizer:
    """A byte-level tokenizer that knows only the given special tokens."""
    vocabulary = {symbol: index for index, symbol in enumerate(BYTE_OF_SYMBOL)}
    backend = HFTokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(list(specials))
    return Tokenizer.from_json(backend.to_str())


def test_special_ids_are_fixed_and_all_bytes_are_there(tokenizer: Tokenizer) -> None:
    assert (tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id, tokenizer.mask_id) == (0, 1, 2, 3)
    assert tokenizer.vocab_size == 360
    assert set(BYTE_OF_SYMBOL) == set(pre_tokenizers.ByteLevel.alphabet())
    assert tokenizer.byte_table is not None
    assert {bytes([byte]) for byte in range(256)} <= set(tokenizer.byte_table)


@settings(max_examples=300, deadline=None)
@given(text=ANY_TEXT)
def test_round_trip_is_exact_for_every_unicode_string(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert not set(ids) & {0, 1, 2, 3}, "specials written in a text are ordinary text"
    assert tokenizer.encode_batch([text, ""]) == [ids, []]


@settings(max_examples=300, deadline=None)
@given(ids=st.lists(st.integers(0, 359)), data=st.data())
def test_streaming_gives_the_same_text_as_decoding_at_once(
    tokenizer: Tokenizer, ids: list[int], data: st.DataObject
) -> None:
    stream, text, start = TextStream(tokenizer), "", 0
    while start < len(ids):
        step = data.draw(st.integers(1, 5))
        text += stream.push(ids[start : start + step])
        start += step
    assert text + stream.finish() == tokenizer.decode(ids)
    assert stream.push(tokenizer.encode("again")) == "again", "a finished stream starts anew"


@settings(max_examples=200, deadline=None)
@given(ids=st.lists(st.integers(0, 359)))
def test_decoding_agrees_with_the_library(tokenizer: Tokenizer, ids: list[int]) -> None:
    library = HFTokenizer.from_str(tokenizer.to_json())
    assert tokenizer.decode(ids) == library.decode(ids, skip_special_tokens=True)


def test_a_character_is_never_shown_by_halves(tokenizer: Tokenizer) -> None:
    stream = TextStream(tokenizer)
    ids = tokenizer.encode("a𝔸b")
    assert len(ids) > 3
    shown = [stream.push([index]) for index in ids]
    assert "\ufffd" not in "".join(shown)
    assert "".join(shown) == "a𝔸b"
    stream.push(ids[:2])
    assert stream.finish() == "\ufffd"


def test_pieces_show_every_id(tokenizer: Tokenizer) -> None:
    ids = [1, *tokenizer.encode(" the𝔸"), 2, 0]
    pieces = tokenizer.pieces(ids)
    assert len(pieces) == len(ids)
    assert pieces[0] == "<begin>"
    assert pieces[1] == " the"
    assert pieces[-2:] == ["<end>", "<pad>"]
    assert [piece for piece in pieces if piece.startswith("⟨")][-1].endswith("⟩")


@settings(max_examples=100, deadline=None)
@given(index=st.integers(0, 359))
def test_a_piece_is_never_empty_and_always_printable(tokenizer: Tokenizer, index: int) -> None:
    (piece,) = tokenizer.pieces([index])
    assert piece
    piece.encode("utf-8")


def test_training_is_deterministic_and_order_of_equal_documents_is_irrelevant() -> None:
    first = Tokenizer.train(TEXTS, 350)
    assert first == Tokenizer.train(iter(TEXTS), 350)
    assert first != Tokenizer.train(TEXTS[:1] * 5, 350)


def test_training_does_not_depend_on_the_number_of_threads() -> None:
    script = (
        "from calm_lab.text.tokenizer import Tokenizer; import random; rng = random.Random(0)\n"
        "texts = [' '.join(rng.choices(['fox', 'foxes', 'hen', 'wooden', 'wood', 'of', 'mer', 'maid'], k=50)"
        " + [str(rng.random())]) for _ in range(400)]\n"
        "import hashlib; print(hashlib.sha256(Tokenizer.train(texts, 600).to_json().encode()).hexdigest())\n"
    )
    root = Path(__file__).resolve().parents[2]
    made = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "RAYON_NUM_THREADS": threads, "PYTHONPATH": str(root), "PYTHONHASHSEED": threads},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for threads in ("1", "4")
    }
    assert len(made) == 1


def test_training_does_not_learn_specials_from_text() -> None:
    tokenizer = Tokenizer.train(["<mask> <end> <mask>"] * 50, 300)
    assert 3 not in tokenizer.encode("<mask>")
    assert tokenizer.decode(tokenizer.encode("<mask>")) == "<mask>"


@pytest.mark.parametrize(
    ("texts", "size", "words"),
    [
        ([], 400, "no text"),
        (["", ""], 400, "no text"),
        ("one text", 400, "wrap"),
        (["a"], 259, "260"),
        (["a"], True, "whole number"),
        (["a\ud800"], 400, "U\\+D800"),
        ([b"a"], 400, "str"),
    ],
)
def test_training_refuses_what_cannot_work(texts: object, size: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Tokenizer.train(texts, size)  # type: ignore[arg-type]


def test_lone_surrogates_and_wrong_ids_are_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(InputError, match="U\\+DCFF at character 2"):
        tokenizer.encode("ab\udcff")
    with pytest.raises(InputError, match="str"):
        tokenizer.encode(3)  # type: ignore[arg-type]
    for ids in ([360], [-1], [[1, 2]], [1.5], "12", 5, [None]):
        with pytest.raises(InputError):
            tokenizer.decode(ids)  # type: ignore[arg-type]
    assert tokenizer.decode(np.array(tokenizer.encode("sea"))) == "sea"


def test_hundred_thousand_characters(tokenizer: Tokenizer) -> None:
    for text in ("a" * 100_000, "😀" * 25_000 + " the" * 12_500, " " * 100_000):
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_save_and_load(tokenizer: Tokenizer, tmp_path: Path) -> None:
    file = tokenizer.save(tmp_path / "models" / "one")
    assert file == tmp_path / "models" / "one" / "tokenizer.json"
    assert Tokenizer.load(file.parent) == Tokenizer.load(file) == tokenizer
    assert tokenizer.save(tmp_path / "other.json") == tmp_path / "other.json"
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"tokenizer.json", "other.json"}
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(TokenizerError, match="cannot write"):
        tokenizer.save(blocked / "below")


def test_a_failed_save_leaves_the_old_file(
    tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tokenizer.save(tmp_path)
    before = file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TokenizerError, match="No space left"):
        Tokenizer.train(TEXTS, 300).save(tmp_path)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no tokenizer at"),
        (b"", "not JSON"),
        (b"\xff\xfe\x00binary", "not a text file"),
        (b'{"version": "1.0", "mod', "not JSON"),
        (b"[1, 2]", "no model"),
        (b"{}", "no model"),
        (b"[" * 100_000, "not JSON"),
        (b'{"model": {"type": "BPE", "vocab": {"a": 4294967295}, "merges": []}}', "ids do not fit"),
        (b'{"model": {"type": "BPE", "vocab": {"a": 0.5}, "merges": []}}', "whole number"),
        (b'{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["x", "y"]]}}', "merges do not fit"),
        # A prefix that cuts a character in two ends the process inside the library, so it must never get there.
        (
            b'{"model": {"type": "BPE", "continuing_subword_prefix": "#", "merges": [["a", "\xc4\x9d"]],'
            b' "vocab": {"a": 0, "\xc4\x9d": 1, "a\xc4\x9d": 2}}}',
            "merges do not fit",
        ),
        (b'{"model": {"type": "WordPiece", "vocab": {"a": 0}}}', "does not work"),
        (b'{"model": {"type": "BPE", "vocab": {}, "merges": []}}', "do not fit"),
    ],
)
def test_damaged_files_give_one_line_with_a_remedy(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(TokenizerError, match=words) as caught:
        Tokenizer.load(tmp_path)
    assert "\n" not in str(caught.value)
    assert ":" in str(caught.value)


def test_truncated_anywhere_is_an_error_or_whole(tokenizer: Tokenizer) -> None:
    text = tokenizer.to_json()
    for cut in range(0, len(text), len(text) // 40):
        with pytest.raises(TokenizerError):
            Tokenizer.from_json(text[:cut])


def _mutate(text: str, rng: random.Random) -> str:
    """Damage that keeps the file JSON, so that it reaches the library: values removed, replaced or made absurd."""
    content = json.loads(text)
    absurd = '[null, -1, 7, 1099511627776, 1e300, "", "\\u0000", "\u00e9", [], {}, true, ["a", "b"], {"type": "BPE"}]'
    for _ in range(rng.randint(1, 3)):
        node: Any = content
        key: Any = rng.choice(["model", *content])
        while isinstance(node.get(key) if isinstance(node, dict) else node[key], dict | list) and rng.random() < 0.85:
            child = node[key]
            if not child:
                break
            node, key = child, rng.choice(list(child)) if isinstance(child, dict) else rng.randrange(len(child))
        if rng.random() < 0.2 and isinstance(node, dict):
            node.pop(key, None)
        else:
            node[key] = rng.choice(json.loads(absurd))
    return json.dumps(content)


def _damage_bytes(text: str, rng: random.Random) -> str:
    position, length = rng.randrange(len(text)), rng.randint(1, 40)
    other = rng.randrange(len(text))
    return text[:position] + text[other : other + rng.randint(0, 40)] + text[position + length :]


@pytest.mark.parametrize("seed", range(8))
def test_mutated_files_work_or_raise_our_error(seed: int) -> None:
    """400 damaged files in all: each loads and then encodes and decodes, or raises a CalmLabError."""
    rng = random.Random(seed)
    texts = [Tokenizer.train(TEXTS, 300).to_json(), metaspace().to_json()]
    refusals = []
    for _ in range(50):
        damage = _mutate if rng.random() < 0.7 else _damage_bytes
        try:
            tokenizer = Tokenizer.from_json(damage(rng.choice(texts), rng))
            ids = tokenizer.encode("The little mermaid — 😀 <end>")
            tokenizer.decode(ids)
            tokenizer.pieces(ids)
        except CalmLabError as error:
            refusals.append(str(error))
    assert refusals
    assert not any("\n" in text for text in refusals)


@pytest.mark.parametrize(
    ("specials", "roles", "size"),
    [
        # Llama 3 has no padding: it gets one behind the vocabulary (the official checkpoints have 128,257 entries).
        (("<|begin_of_text|>", "<|end_of_text|>"), (258, 256, 257, None), 259),
        (("<|endoftext|>",), (257, 256, 256, None), 258),
        (("<s>", "</s>", "<pad>", "[MASK]"), (258, 256, 257, 259), 260),
        ((), (256, 257, 258, None), 259),
    ],
)
def test_roles_of_foreign_tokenizers(specials: tuple[str, ...], roles: tuple[int | None, ...], size: int) -> None:
    tokenizer = named(*specials)
    assert (tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id, tokenizer.mask_id) == roles
    assert tokenizer.vocab_size == size
    text = "a " + "".join(specials) + " 😀"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert Tokenizer.from_json(tokenizer.to_json()) == tokenizer


def test_padding_and_truncation_settings_of_a_file_are_not_used(tokenizer: Tokenizer) -> None:
    backend = HFTokenizer.from_str(tokenizer.to_json())
    backend.enable_truncation(2)
    backend.enable_padding(length=50)
    text = "the little mermaid"
    assert Tokenizer.from_json(backend.to_str()).encode(text) == tokenizer.encode(text)


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.sampled_from("abc. é😀"), max_size=150), step=st.integers(1, 7))
def test_a_tokenizer_that_is_not_byte_level_also_streams(text: str, step: int) -> None:
    tokenizer = metaspace()
    assert tokenizer.byte_table is None
    ids = tokenizer.encode(text)
    stream = TextStream(tokenizer)
    shown = [stream.push(ids[start : start + step]) for start in range(0, len(ids), step)]
    assert "".join(shown) + stream.finish() == tokenizer.decode(ids) == text
    assert len(tokenizer.pieces(ids)) == len(ids)
