"""From text to token ids and back: byte-level BPE, exact for every Unicode string.

What: `Tokenizer` wraps one Hugging Face ``tokenizers.Tokenizer``: it trains, saves and loads, and it knows four special
ids. (Ids that arrive a chunk at a time are decoded by `calm_lab.text.stream`.)
Why: CALM packs K *tokens* into a vector, so everything above starts from ids. Bytes underneath mean that no text is out
of reach; 2,048 entries keep the autoencoder's vocabulary product small enough for a laptop. The mask is a symbol of its
own, where the official code overwrites with id 0, which is a real token there.
Where: paper sec. 2 (tokens in, tokens out, DropToken's mask) and sec. 7.1 (Llama 3's tokenizer, which loads here too).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as HFTokenizer
from tokenizers import decoders, models, pre_tokenizers, trainers

from calm_lab.errors import InputError
from calm_lab.text.byte_level import show_bytes, token_bytes
from calm_lab.text.tokenizer_file import check_tokenizer_json, file_of, read_tokenizer, rust_errors, write_atomically

PAD, BEGIN, END, MASK = "<pad>", "<begin>", "<end>", "<mask>"
SPECIALS = (PAD, BEGIN, END, MASK)

# Names that published tokenizers give to the same four roles, most specific first.
_NAMES = {
    "pad": (PAD, "[PAD]", "<|finetune_right_pad_id|>", "<|pad|>", "<|padding|>", "<PAD>"),
    "begin": (BEGIN, "<|begin_of_text|>", "<s>", "<bos>", "[BOS]", "<|startoftext|>", "<|im_start|>", "[CLS]"),
    "end": (END, "<|end_of_text|>", "</s>", "<eos>", "[EOS]", "<|endoftext|>", "<|im_end|>", "[SEP]"),
    "mask": (MASK, "[MASK]", "<|mask|>", "<MASK>"),
}

_SMALLEST_VOCABULARY = len(SPECIALS) + 256
_LARGEST_VOCABULARY = 1_000_000


def _check_text(text: object) -> str:
    if not isinstance(text, str):
        raise InputError(f"text must be a str, not {type(text).__name__}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"the text holds a lone surrogate, U+{ord(text[error.start]):04X} at character {error.start}, which is half"
            " a character: remove it, or read the file again with errors='replace'"
        ) from None
    return text


def _known_name(backend: HFTokenizer, known: tuple[str, ...]) -> str | None:
    return next((name for name in known if backend.token_to_id(name) is not None), None)


class Tokenizer:
    """A trained tokenizer: ``encode`` to ids, ``decode`` to text, and the ids of the four special tokens.

    Build one with `Tokenizer.train` or `Tokenizer.load`. Special tokens written in a text are ordinary text; they
    never come out of ``encode``.

    Attributes:
        vocab_size: V, the largest id plus one.
        pad_id: fills the last chunk of a document; 0 in our own tokenizers.
        bos_id: fills the begin chunk; 1.
        eos_id: ends a document; 2.
        mask_id: what DropToken writes; 3. None where a foreign tokenizer has no such symbol.
        byte_table: the bytes of each id, none for specials; None where the tokenizer is not byte-level.
    """

    def __init__(self, backend: HFTokenizer, source: str = "this tokenizer"):
        """Wrap a ready ``tokenizers.Tokenizer``; roles it has no name for are completed.

        Begin and end may stand in for one another (GPT-2 has one symbol for both). A missing pad is added behind the
        vocabulary, as the official code does with Llama 3's: padding is never scored, so it must not be the end token.

        Args:
            backend: what does the work; it is changed (no padding, no truncation, specials as above).
            source: name of its file, for error messages.
        """
        backend.no_padding()
        backend.no_truncation()
        known = {role: _known_name(backend, options) for role, options in _NAMES.items()}
        begin = known["begin"] or known["end"] or BEGIN
        end = known["end"] or (END if begin == BEGIN else begin)
        pad, mask = known["pad"] or PAD, known["mask"]
        backend.add_special_tokens([name for name in (pad, begin, end, mask) if name])
        backend.encode_special_tokens = True
        self._backend = backend
        self._source = source
        vocabulary = backend.get_vocab(with_added_tokens=True)
        self.pad_id: int = vocabulary[pad]
        self.bos_id: int = vocabulary[begin]
        self.eos_id: int = vocabulary[end]
        self.mask_id: int | None = vocabulary[mask] if mask else None
        self._special = {index for index, token in backend.get_added_tokens_decoder().items() if token.special}
        self.vocab_size = max(vocabulary.values()) + 1
        self._names: list[str] = [""] * self.vocab_size
        for name, index in vocabulary.items():
            self._names[index] = name
        self.byte_table: list[bytes] | None = None
        if isinstance(backend.decoder, decoders.ByteLevel):
            names = enumerate(self._names)
            self.byte_table = [b"" if index in self._special else token_bytes(name) for index, name in names]

    # ------------------------------------------------------------------------------------------------ build and keep

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int = 2048) -> Tokenizer:
        """Learn a byte-level BPE from training documents; the same texts give the same tokenizer.

        Texts are cut into words first (GPT-2's pattern, the space kept with the word that follows it), merges stay
        inside words and are learned from pairs seen at least twice. A small text may run out of such pairs before
        ``vocab_size`` is reached; ``Tokenizer.vocab_size`` says what came out.

        Args:
            texts: documents, in any order; only training documents, never those kept for testing.
            vocab_size: V wanted, with the 4 specials and the 256 bytes; at least 260.

        Raises:
            InputError: vocab_size out of range, no text at all, or a text with a lone surrogate.
        """
        if isinstance(vocab_size, bool) or not isinstance(vocab_size, int):
            raise InputError(f"vocab_size must be a whole number, not {vocab_size!r}")
        if not _SMALLEST_VOCABULARY <= vocab_size <= _LARGEST_VOCABULARY:
            raise InputError(
                f"vocab_size must lie between {_SMALLEST_VOCABULARY} (256 bytes and {len(SPECIALS)} special tokens)"
                f" and {_LARGEST_VOCABULARY:,}, not {vocab_size}"
            )
        if isinstance(texts, str):
            raise InputError("Tokenizer.train takes several texts: wrap a single one in a list")
        checked = (_check_text(text) for text in texts)
        first = next((text for text in checked if text), None)
        if first is None:
            raise InputError("there is no text to train a tokenizer on: give at least one document that is not empty")
        backend = HFTokenizer(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        backend.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=2,
            show_progress=False,
            special_tokens=list(SPECIALS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )
        backend.train_from_iterator(itertools.chain([first], checked), trainer)
        return cls(backend)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tokenizer:
        """Read a ``tokenizer.json``, ours or any Hugging Face one, from the file or from the folder that holds it.

        Raises:
            TokenizerError: nothing there, or the file is truncated, damaged, too large or not a tokenizer.
        """
        return cls.from_json(*read_tokenizer(path))

    @classmethod
    def from_json(cls, text: str, source: str = "tokenizer.json") -> Tokenizer:
        """Build from the text of a ``tokenizer.json``.

        Args:
            text: the JSON.
            source: name of the file, for error messages.

        Raises:
            TokenizerError: the text is no tokenizer, or the library cannot work with it.
        """
        check_tokenizer_json(text, source)
        with rust_errors(source):
            tokenizer = cls(HFTokenizer.from_str(text), source)
        # A damaged file may load and fail only when used: use it once, here.
        tokenizer.decode(tokenizer.encode("Once upon a time, 7 éà…\n"))
        return tokenizer

    def to_json(self) -> str:
        """The tokenizer as text, the content of ``tokenizer.json``."""
        return str(self._backend.to_str(pretty=False))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write ``tokenizer.json`` under a temporary name, then rename: a reader never meets half a file.

        Args:
            path: a folder (made where missing), or a file whose name ends in ``.json``.

        Returns:
            The file written.

        Raises:
            TokenizerError: the place cannot be written.
        """
        target = file_of(path)
        write_atomically(target, self.to_json())
        return target

    # -------------------------------------------------------------------------------------------------------- use it

    def encode(self, text: str) -> list[int]:
        """Ids of a text, with no special tokens added.

        Raises:
            InputError: not a str, or a str with a lone surrogate.
        """
        checked = _check_text(text)
        with rust_errors(self._source):
            return list(self._backend.encode(checked, add_special_tokens=False).ids)

    def encode_batch(self, texts: Iterable[str]) -> list[list[int]]:
        """Ids of several texts, in parallel where the machine allows; equal to `encode` on each.

        Raises:
            InputError: an entry is not a str, or holds a lone surrogate.
        """
        checked = [_check_text(text) for text in texts]
        with rust_errors(self._source):
            return [list(one.ids) for one in self._backend.encode_batch_fast(checked, add_special_tokens=False)]

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ids. Special ids leave no text; bytes that are no UTF-8 become U+FFFD.

        ``decode(encode(text)) == text`` for every text, with our own tokenizers and any byte-level one that has no
        normaliser (GPT-2, Llama 3).

        Raises:
            InputError: an id outside [0, V).
        """
        checked = self.check_ids(ids)
        if self.byte_table is None:
            kept = [index for index in checked if index not in self._special]
            with rust_errors(self._source):
                return str(self._backend.decode(kept, skip_special_tokens=False))
        table = self.byte_table
        return b"".join([table[index] for index in checked]).decode("utf-8", errors="replace")

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """What to show for each id, one string per id.

        A special id shows its name. A token that holds only part of a character shows those bytes, as ``⟨E2 80⟩``.

        Raises:
            InputError: an id outside [0, V).
        """
        return [self._piece(index) for index in self.check_ids(ids)]

    def _piece(self, index: int) -> str:
        if index in self._special:
            return self._names[index]
        if self.byte_table is None:
            return self._names[index].replace("\u2581", " ")
        return show_bytes(self.byte_table[index])

    def check_ids(self, ids: Iterable[int]) -> list[int]:
        """Ids as a flat list of int, each in [0, V).

        Raises:
            InputError: an id outside [0, V), or not a flat sequence of whole numbers.
        """
        values: Any = ids.tolist() if hasattr(ids, "tolist") else ids
        try:
            checked = [value.__index__() for value in values]
        except (TypeError, AttributeError):
            raise InputError("ids must be a flat sequence of whole numbers") from None
        if checked and not (min(checked) >= 0 and max(checked) < self.vocab_size):
            wrong = next(value for value in checked if not 0 <= value < self.vocab_size)
            raise InputError(f"id {wrong} is outside this tokenizer's vocabulary of {self.vocab_size} entries")
        return checked

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tokenizer) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.vocab_size, self.pad_id, self.bos_id, self.eos_id, self.mask_id))

    def __repr__(self) -> str:
        return (
            f"Tokenizer(vocab_size={self.vocab_size}, pad_id={self.pad_id}, bos_id={self.bos_id}, eos_id={self.eos_id})"
        )
