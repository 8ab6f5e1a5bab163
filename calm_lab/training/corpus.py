"""From a corpus name to tokenized documents: the one place where training meets text sources."""

from __future__ import annotations

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
    return [row["text"] for row in load_corpus(recipe.corpus, split, text_column=recipe.text_column, count=limit)]


def read_texts(recipe: Recipe, tokenizer: Tokenizer, validation_documents: int = 500) -> Texts:
    """Tokenize the recipe's corpus."""
    train = split_texts(recipe, "train", recipe.documents)
    validation = split_texts(recipe, "validation", validation_documents)
    digest = hashlib.sha256("\x00".join(train).encode()).hexdigest()
    return Texts(Documents.tokenize(train, tokenizer), Documents.tokenize(validation or train[-1:], tokenizer), digest)


def get_tokenizer(source: str | None, recipe: Recipe, vocab_size: int) -> Tokenizer:
    """The tokenizer that ``source`` names, or one trained on the recipe's training documents."""
    if source is None:
        return Tokenizer.train(split_texts(recipe, "train", recipe.documents or TOKENIZER_DOCUMENTS), vocab_size)
    path = Path(source).expanduser()
    if path.is_file():
        return Tokenizer.load(path)
    folder = checkpoint.resolve(source)
    return checkpoint.load_tokenizer(folder)
