"""From a corpus name to tokenized documents: the one place where training meets text sources."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from calm_lab.model import checkpoint
from calm_lab.text.corpora import load_corpus
from calm_lab.text.storyland.source import LANGUAGES
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.training.recipes import Recipe
from calm_lab.training.rows import Documents, Tokenized
from calm_lab.training.tokens import open_tokens, tokenize_corpus, tokenized_folder, wait_for_tokens

TOKENIZER_DOCUMENTS = 20_000


@dataclass(frozen=True)
class Texts:
    """Tokenized training and validation documents, and what a card says of them."""

    train: Tokenized
    validation: Tokenized
    sha256: str

    def to_dict(self, corpus: str) -> dict[str, object]:
        """What the card records of the data."""
        return {
            "corpus": corpus,
            "train_documents": len(self.train),
            "train_tokens": self.train.tokens,
            "validation_documents": len(self.validation),
            "sha256": self.sha256,
        }


def split_texts(recipe: Recipe, split: str, limit: int | None) -> list[str]:
    """Texts of one split of the recipe's corpus, at most ``limit`` from each of its parts."""
    return _texts(recipe.corpus, split, recipe.text_column, limit)


def _texts(corpus: str, split: str, text_column: str | None, limit: int | None) -> list[str]:
    return [row["text"] for row in load_corpus(corpus, split, text_column=text_column, count=limit)]


def read_texts(
    recipe: Recipe,
    tokenizer: Tokenizer,
    validation_documents: int = 500,
    *,
    tokens: int | None = None,
    main: bool = True,
) -> Texts:
    """Tokenize the recipe's corpus; what is generated, and so never changes, is kept for the next run that asks.

    A corpus that is tokenized already is read where it lies. One that streams goes to disk in the run folder, unless
    the recipe limits its documents.

    Args:
        recipe: names the corpus.
        tokenizer: what encodes it.
        validation_documents: how many to validate on.
        tokens: how many the run will read: a stream is tokenized so far.
        main: whether this process writes; the others wait for it.
    """
    folder = tokenized_folder(recipe.corpus)
    if folder is None and recipe.documents is None and _streams(recipe):
        folder = recipe.folder / "tokens"
        if main:
            tokenize_corpus(recipe.corpus, tokenizer, folder, text_column=recipe.text_column, enough=tokens)
        else:
            wait_for_tokens(folder)
    if folder is not None:
        train, validation = open_tokens(folder, tokenizer)
        return Texts(train, validation, train.sha256)
    tokenize = _generated if recipe.corpus in LANGUAGES else _tokenize
    return tokenize(recipe.corpus, recipe.text_column, recipe.documents, tokenizer, validation_documents)


def _streams(recipe: Recipe) -> bool:
    """Whether the corpus comes as a stream, whose length nobody knows."""
    if recipe.corpus in LANGUAGES:
        return False
    return not hasattr(load_corpus(recipe.corpus, "train", text_column=recipe.text_column), "num_rows")


def _tokenize(
    corpus: str, text_column: str | None, documents: int | None, tokenizer: Tokenizer, validation_documents: int
) -> Texts:
    train = _texts(corpus, "train", text_column, documents)
    validation = _texts(corpus, "validation", text_column, validation_documents)
    digest = hashlib.sha256("\x00".join(train).encode()).hexdigest()
    return Texts(Documents.tokenize(train, tokenizer), Documents.tokenize(validation or train[-1:], tokenizer), digest)


_generated = functools.lru_cache(maxsize=4)(_tokenize)


def get_tokenizer(source: str | None, recipe: Recipe, vocab_size: int) -> Tokenizer:
    """The tokenizer that ``source`` names, or one trained on the recipe's training documents."""
    folder = tokenized_folder(recipe.corpus)
    if source is None and folder is not None:
        return Tokenizer.load(folder / "train")
    if source is None:
        return Tokenizer.train(split_texts(recipe, "train", recipe.documents or TOKENIZER_DOCUMENTS), vocab_size)
    return find_tokenizer(source)


def find_tokenizer(source: str) -> Tokenizer:
    """The tokenizer of a tokenizer.json, a model folder or a bundled model."""
    path = Path(source).expanduser()
    if path.is_file():
        return Tokenizer.load(path)
    return checkpoint.load_tokenizer(checkpoint.resolve(source))
