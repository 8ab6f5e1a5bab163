"""``calm-lab corpora``: which texts there are, which of them are at hand, and how to bring the others."""

from __future__ import annotations

import itertools
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from calm_lab.cli.commands import COMMANDS
from calm_lab.cli.parsing import parse
from calm_lab.errors import InputError

MAX_SHOWN = 1_000
SECONDS_BETWEEN_LINES = 30


@dataclass(frozen=True)
class CorporaOptions:
    """What to do; without any option, list the corpora.

    Attributes:
        fetch: bring this corpus into the cache.
        show: print documents of this corpus: a name, a file, a folder, or a name on the hub.
        split: train, validation or test.
        count: documents to print.
        text_column: column of the text, where the corpus does not say.
        tokenize: write this corpus as token ids into a folder, as a stream; a stopped command goes on when repeated.
        tokenizer: tokenizer.json, model folder or bundled model whose tokenizer to take.
        out: the folder; afterwards 'calm-lab train ... --corpus FOLDER' reads it.
        documents: at most so many training documents; by default all.
        shard_tokens: tokens in a file.
    """

    fetch: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    show: Annotated[str | None, tyro.conf.arg(metavar="CORPUS")] = None
    split: str = "train"
    count: int = 1
    text_column: Annotated[str | None, tyro.conf.arg(metavar="COLUMN")] = None
    tokenize: Annotated[str | None, tyro.conf.arg(metavar="CORPUS")] = None
    tokenizer: str = "default"
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    documents: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    shard_tokens: int = 2**26


def run(args: list[str]) -> int:
    """List, fetch or show."""
    command = COMMANDS["corpora"]
    options = parse(CorporaOptions, args, prog="calm-lab corpora", summary=command.summary, example=command.example)

    from calm_lab.text.corpora import fetch, load_corpus

    if options.fetch is not None:
        print(f"{options.fetch}: {fetch(options.fetch)}")
    if options.show is not None:
        if not 1 <= options.count <= MAX_SHOWN:
            raise InputError(f"count must be from 1 to {MAX_SHOWN:,}, not {options.count}")
        data = load_corpus(options.show, options.split, text_column=options.text_column, count=options.count)
        for row in itertools.islice(data, options.count):
            print(row["text"].rstrip("\n"), end="\n\n")
    if options.tokenize is not None:
        print(tokenize(options))
    if options.fetch is None and options.show is None and options.tokenize is None:
        print_list()
    return 0


def tokenize(options: CorporaOptions) -> str:
    """Tokenize a corpus into a folder; says what came out."""
    from calm_lab.training.corpus import find_tokenizer
    from calm_lab.training.tokens import tokenize_corpus

    if options.out is None:
        raise InputError("where to? give a folder with --out FOLDER")
    for name in ("documents", "shard_tokens"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise InputError(f"{name} must be at least 1, not {value}")
    assert options.tokenize is not None
    last = time.monotonic()

    def report(documents: int, tokens: int) -> None:
        nonlocal last
        if time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            print(f"{documents:,} documents, {tokens:,} tokens", file=sys.stderr, flush=True)

    shards = tokenize_corpus(
        options.tokenize,
        find_tokenizer(options.tokenizer),
        options.out,
        text_column=options.text_column,
        documents=options.documents,
        shard_tokens=options.shard_tokens,
        report=report,
    )
    return (
        f"{options.out}: {len(shards):,} documents, {shards.tokens:,} tokens in {len(shards.shards)} shard(s)\n"
        f"next: calm-lab train calm --corpus {shlex.quote(str(options.out))}"
    )


def print_list() -> None:
    """One paragraph a corpus: name, whether it is at hand, what it is, its licence, what to know."""
    from calm_lab.text.corpora import corpus_info, corpus_names

    for name in corpus_names():
        info = corpus_info(name)
        print(f"{name}  [{at_hand(name)}]\n    {info.title}\n    licence: {info.licence}\n    {info.note}\n")
    print(
        "A .txt, .jsonl, .csv or .parquet file, a folder, OWNER/NAME or OWNER/NAME:CONFIGURATION on the hub, or several"
        " joined with + will do too."
    )


def at_hand(name: str) -> str:
    """Whether the corpus ``name`` can be read now, and if not, how."""
    from calm_lab.text.corpora import corpus_info, is_cached

    kind = corpus_info(name).kind
    if kind == "hub":
        return "on the hub, read when used"
    if is_cached(name):
        return "generated here" if kind == "generated" else "on this computer"
    return f"not here yet: calm-lab corpora --fetch {name}"
