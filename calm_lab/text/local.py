"""A user's own files as a corpus: ``.txt``, ``.jsonl``, ``.csv``, ``.parquet``, or a folder of them.

What: `read_documents` yields the documents of a path; nothing is ever written beside it.
Why: training on one's own text is the first thing to try, and files are often not what their names say: every damage
becomes one line that names the file, the place in it, and the remedy.
Where: not in the paper.

A ``.txt`` file in a folder is one document; a ``.txt`` file given alone, or alone in its folder, is cut into passages
of about 2,000 characters, so that there is something to validate on. In the other kinds a row is a document.
"""

from __future__ import annotations

import csv
import json
import mmap
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from calm_lab.errors import CalmLabError, CorpusError, choose_from
from calm_lab.text.documents import Document, passages
from calm_lab.text.parquet_pages import unpacked_sizes
from calm_lab.text.tables import one_line

SUFFIXES = (".txt", ".jsonl", ".csv", ".parquet")
_LONGEST_FIELD = 64 * 2**20
_MOST_FILES = 100_000
_ROWS_PER_BYTE = 1_000
_TEXT_PER_BYTE, _TEXT_ALLOWED = 1_000, 64 * 2**20
LARGE = 64 * 2**20  # bytes from which on a file is read as it comes
_BLOCK = 4 * 2**20  # characters of a large text file that are cut into passages together
_SURROGATE = re.compile("[\ud800-\udfff]")


def find_files(path: Path) -> list[Path]:
    """The text files that a path means, in a fixed order.

    Hidden files, other kinds of file, and links that lead out of the folder are passed over.

    Raises:
        CorpusError: nothing there, not a kind we read, or no text file in the folder.
    """
    kinds = ", ".join(SUFFIXES)
    try:
        if path.is_file():
            if path.suffix.lower() not in SUFFIXES:
                raise _refuse(path, f"is not a kind of file calm_lab reads: give one of {kinds}, or a folder of them")
            return [path]
        if not path.is_dir():
            raise CorpusError(f"no file or folder at '{path}': check the path")
        root = path.resolve()
        found = []
        for file in path.rglob("*"):
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if hidden or file.suffix.lower() not in SUFFIXES or not file.is_file():
                continue
            if file.resolve().is_relative_to(root):
                found.append(file)
            if len(found) > _MOST_FILES:
                raise _refuse(path, f"holds more than {_MOST_FILES:,} text files: give a smaller folder")
    except OSError as error:
        raise _refuse(path, f"cannot be read ({error.strerror or error}): check its permissions") from None
    if not found:
        raise _refuse(path, f"holds no text: put {kinds} files into it")
    return sorted(found, key=lambda file: file.relative_to(path).as_posix())


def total_size(files: list[Path]) -> int:
    """Bytes of the files together."""
    return sum(file.stat().st_size for file in files)


def read_documents(path: Path, text_column: str | None = None) -> Iterator[Document]:
    """The documents of a file or folder, in a fixed order; empty ones are left out.

    Args:
        path: the file or folder.
        text_column: where a row holds its text; by default ``text``, or the only column there is.

    Raises:
        CorpusError: missing, unreadable, binary, damaged, no such column, or empty.
    """
    files = find_files(path)
    empty = True
    for file in files:
        reader = _READERS[file.suffix.lower()]
        alone = len(files) == 1 and reader is _read_txt
        try:
            for text in _read_large_txt(file) if alone and file.stat().st_size > LARGE else reader(file, text_column):
                # JSON can spell half a character; no Arrow table can hold one.
                whole = _SURROGATE.sub("\ufffd", text)
                for piece in passages(whole) if alone else [whole]:
                    if piece.strip():
                        empty = False
                        yield Document(piece)
        except CalmLabError:
            raise
        except UnicodeDecodeError:
            raise _refuse(file, "is not UTF-8 text: save it as UTF-8, or give another file") from None
        except OSError as error:
            raise _refuse(file, f"cannot be read ({one_line(error.strerror or error)}): check the file") from None
    if empty:
        raise _refuse(path, "is empty: give a file with text in it")


def _refuse(file: Path, words: str) -> CorpusError:
    return CorpusError(one_line(f"'{file}' {words}", 600))


def pick_column(columns: list[str], wanted: str | None, source: object) -> str:
    """The column that holds the text.

    Raises:
        CorpusError: the wanted one does not exist, or none was named and none is plainly it.
    """
    names = [one_line(column, 40) for column in columns[:20]]
    if wanted is not None:
        if wanted in columns:
            return wanted
        raise CorpusError(one_line(f"'{source}': {choose_from(wanted, names, 'text column')}", 600))
    if "text" in columns:
        return "text"
    if len(columns) == 1:
        return columns[0]
    known = ", ".join(names)
    raise CorpusError(
        one_line(f"'{source}' has no column 'text': name one of {known} as text_column (--text-column)", 600)
    )


def _check_text_file(file: Path) -> None:
    with file.open("rb") as stream:
        if b"\x00" in stream.read(65536):
            raise _refuse(file, "is a binary file, not UTF-8 text: save it as UTF-8, or give another file")


def _read_txt(file: Path, text_column: str | None) -> Iterator[str]:
    _check_text_file(file)
    yield file.read_text(encoding="utf-8-sig")


def _read_large_txt(file: Path) -> Iterator[str]:
    """A text file in blocks that end with a paragraph, else a line, else a word."""
    _check_text_file(file)
    held = ""
    with file.open(encoding="utf-8-sig") as stream:
        while block := stream.read(_BLOCK):
            held += block
            cut = next((at for mark in ("\n\n", "\n", " ") if (at := held.rfind(mark) + len(mark)) > len(mark)), 0)
            if cut:
                yield held[:cut]
                held = held[cut:]
    yield held


def _read_jsonl(file: Path, text_column: str | None) -> Iterator[str]:
    _check_text_file(file)
    column: str | None = None
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                raise _refuse(file, f"has no JSON in line {number}: repair or remove that line") from None
            if not isinstance(row, dict):
                raise _refuse(file, f'needs an object such as {{"text": "..."}} in line {number}: repair that line')
            column = pick_column(list(row), text_column, file) if column is None else column
            if column not in row:
                raise _refuse(file, f"has no '{one_line(column, 40)}' in line {number}: repair or remove that line")
            yield from _text_of(row[column], file, f"line {number}")


def _read_csv(file: Path, text_column: str | None) -> Iterator[str]:
    _check_text_file(file)
    csv.field_size_limit(_LONGEST_FIELD)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        try:
            header = next((row for row in reader if "".join(row).strip()), None)
            if header is None:
                return
            place = header.index(pick_column(header, text_column, file))
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    where = f"line {reader.line_num}"
                    raise _refuse(
                        file, f"has {len(row)} fields instead of {len(header)} in {where}: quote texts with commas"
                    )
                yield row[place]
        except csv.Error as error:
            raise _refuse(file, f"is damaged in line {reader.line_num} ({one_line(error)}): repair that line") from None


def _read_parquet(file: Path, text_column: str | None) -> Iterator[str]:
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(file) as table:
            if table.metadata.num_rows > _ROWS_PER_BYTE * os.path.getsize(file):
                raise _refuse(
                    file, f"claims {table.metadata.num_rows:,} rows, more than it can hold: give another file"
                )
            column = pick_column(list(table.schema_arrow.names), text_column, file)
            row = read = 0
            most = max(_TEXT_ALLOWED, _TEXT_PER_BYTE * os.path.getsize(file))
            with file.open("rb") as raw, mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as data:
                for size in unpacked_sizes(data, column):
                    if size > 4 * most:  # bytes of that many characters
                        raise _refuse(file, f"claims a page of {size:,} bytes: give another file")
            for batch in table.iter_batches(batch_size=32, columns=[column]):  # few: one long text may fill them all
                for value in batch.column(0).to_pylist():
                    row += 1
                    for text in _text_of(value, file, f"row {row}"):
                        read += len(text)
                        if read > most:
                            raise _refuse(file, f"unpacks to more than {most:,} characters: give another file")
                        yield text
    except CalmLabError:
        raise
    except Exception as error:
        # A damaged file fails anywhere in the Arrow library, with many kinds of exception.
        raise _refuse(file, f"is damaged or no parquet file ({one_line(error, 120)}): write it again") from None


def _text_of(value: Any, file: Path, where: str) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif value is not None:
        kind = type(value).__name__
        raise _refuse(
            file, f"holds a {kind} instead of text in {where}: name another column as text_column (--text-column)"
        )


_READERS: dict[str, Callable[[Path, str | None], Iterator[str]]] = {
    ".txt": _read_txt,
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
