"""What is fuzzed of the texts: files of a corpus, in each of the formats that are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from calm_lab.text.local import read_documents
from tests.torture.mutate import damage_bytes

TEXT = "The old fox saw a red hen by the river, and went home. Émile counted 12 ships.\n\n"


def _corpus(home: Path, suffix: str, seeds: list[bytes]) -> Callable[[Random], bool]:
    file = home / f"text{suffix}"

    def one(rng: Random) -> bool:
        file.write_bytes(damage_bytes(rng, rng.choice(seeds), rng.choice(seeds)))
        for document in read_documents(file, rng.choice((None, None, "text", "a"))):
            document.text.encode()
        return True

    return one


def txt(home: Path) -> Callable[[Random], bool]:
    """Text files."""
    return _corpus(
        home, ".txt", [(TEXT * 20).encode(), TEXT.encode("utf-16"), b"\xef\xbb\xbf" + TEXT.encode(), b"a" * 9000]
    )


def jsonl(home: Path) -> Callable[[Random], bool]:
    """A JSON object a line."""
    rows = [json.dumps({"text": TEXT, "a": n, "b": [None, {"c": 1.5}]}) for n in range(5)]
    return _corpus(home, ".jsonl", ["\n".join(rows).encode(), b'{"a": "\\ud83d half"}\n' * 3, b"[" * 5000])


def csv(home: Path) -> Callable[[Random], bool]:
    """Comma-separated values."""
    return _corpus(home, ".csv", [b'text,a\n"one, two",1\nthree,2\n' * 6, b"text\nplain\n", b'a,"b\nc"\n"x""y",2\r\n'])


def parquet(home: Path) -> Callable[[Random], bool]:
    """Parquet, in five codecs and with nested columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"text": [TEXT, None, "x" * 300, TEXT], "a": [1, 2, 3, 4], "n": [[1], [], None, [2, 3]]})
    seeds = []
    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        file = home / f"seed-{codec}.parquet"
        pq.write_table(
            table,
            file,
            compression=codec,
            use_dictionary=codec != "zstd",
            data_page_version="2.0" if codec == "gzip" else "1.0",
        )
        seeds.append(file.read_bytes())
    return _corpus(home, ".parquet", seeds)
