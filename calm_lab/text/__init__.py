"""Floor 1: corpora, tokenizer, chunks, and languages whose truth is known.

Text comes in here and leaves as chunks of token ids. Nothing on this floor knows a model. What takes long to import
(``datasets``) is imported by the functions that need it.
"""

from calm_lab.text.chunks import begin_chunk, chunk_documents, document_chunks, pack, prompt_chunks
from calm_lab.text.corpora import (
    CorpusInfo,
    corpus_hash,
    corpus_info,
    corpus_names,
    fetch,
    is_cached,
    load_corpus,
)
from calm_lab.text.stream import TextStream
from calm_lab.text.tokenizer import Tokenizer

__all__ = [
    "CorpusInfo",
    "TextStream",
    "Tokenizer",
    "begin_chunk",
    "chunk_documents",
    "corpus_hash",
    "corpus_info",
    "corpus_names",
    "document_chunks",
    "fetch",
    "is_cached",
    "load_corpus",
    "pack",
    "prompt_chunks",
]
