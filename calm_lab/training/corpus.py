"""From a corpus name to tokenized documents: the one place where training meets text sources."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from calm_lab.model import checkpoint
from calm_lab.text.corpora import load_corpus
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.training.recipes import Recipe
from calm_lab.training.rows import Documents

TOKENIZER_DOCUMENTS = 20_000


@dataclass(frozen=True)
class Texts:
    """Tokenized training and validation documents, and what a card says of them."""

    train: Documents
    validation: Documents
    sha256: str

    def to_dict(self, corpus: str) -> dict[str, object]:
        """What the card records of the data."""
        return {
            "corpus": corpus,
            "train_documents": len(self.train),
            "train_tokens": len(self.train.ids),
            "validation_documents": len(self.validation),
            "sha256": self.sha256,
        }


def split_texts(recipe: Recipe, split: str, limit: int | None) -> list[str]:
    """Texts of one split of the recipe's corpus, at most ``limit`` from each of its parts."""
    return _texts(recipe.corpus, split, recipe.text_column, limit)


def _texts(corpus: str, split: str, text_column: str | None, limit: int | None) -> list[str]:
    return [row["text"] for row in load_corpus(corpus, split, text_column=text_column, count=limit)]


def read_texts(recipe: Recipe, tokenizer: Tokenizer, validation_documents: int = 500) -> Texts:
    """Tokenize the recipe's corpus; what is generated, and so never changes, is kept for the next run that asks."""
    tokenize = _generated if recipe.corpus == "storyland" else _tokenize
    return tokenize(recipe.corpus, recipe.text_column, recipe.documents, tokenizer, validation_documents)


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
    if source is None:
        return Tokenizer.train(split_texts(recipe, "train", recipe.documents or TOKENIZER_DOCUMENTS), vocab_size)
    path = Path(source).expanduser()
    if path.is_file():
        return Tokenizer.load(path)
    folder = checkpoint.resolve(source)
    return checkpoint.load_tokenizer(folder)
