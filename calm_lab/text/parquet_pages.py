"""What the pages of a parquet file claim to unpack to, read before anything is unpacked.

What: the footer's places of a column, then the headers of its pages, in the compact protocol of Apache Thrift.
Why: the Arrow library reserves what a page header claims, up to 2 GiB, before it sees that the page holds a few bytes;
and asked for a column's place in a damaged footer, it ends the process.
Where: https://parquet.apache.org/docs/file-format/ and its parquet.thrift, whose field numbers these are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

_DEEPEST = 16  # structs and lists within each other; a footer has about eight levels
_MAGIC = b"PAR1"
_ROW_GROUPS, _COLUMNS, _METADATA = 4, 1, 3  # of the file's, a row group's, a column chunk's struct
_PATH, _PACKED_SIZE, _PAGES, _DICTIONARY = 3, 7, 9, 11  # of a column's metadata
_PAGE_UNPACKED, _PAGE_PACKED = 2, 3  # of a page header


def unpacked_sizes(data: Any, column: str) -> Iterator[int]:
    """Bytes that each page of a column claims to unpack to.

    Args:
        data: the whole file, as bytes or a memory map.
        column: name of a top-level column.

    Raises:
        ValueError: where the footer or a header is damaged.
    """
    for at, end in _places(data, column):
        while at < end:
            header = _Reader(data, at)
            page = header.struct()
            unpacked, packed = (_whole(page.get(field)) for field in (_PAGE_UNPACKED, _PAGE_PACKED))
            yield unpacked
            at = header.at + packed


def _places(data: Any, column: str) -> Iterator[tuple[int, int]]:
    """Where the column's pages begin and end, row group by row group."""
    length = struct.unpack("<I", data[-8:-4])[0] if len(data) >= 12 and data[-4:] == _MAGIC else len(data)
    if length > len(data) - 12:
        raise ValueError("the file has no footer")
    footer = _Reader(data, len(data) - 8 - length).struct()
    for group in _dicts(footer.get(_ROW_GROUPS)):
        for chunk in _dicts(group.get(_COLUMNS)):
            about = chunk.get(_METADATA)
            if not isinstance(about, dict) or not isinstance(path := about.get(_PATH), list):
                raise ValueError("a column has no place in the file")
            if path[:1] != [column.encode()]:
                continue
            starts = [_whole(about[field]) for field in (_PAGES, _DICTIONARY) if about.get(field)]
            start = min(starts, default=0)
            end = start + _whole(about.get(_PACKED_SIZE))
            if end > len(data):
                raise ValueError("a column lies outside the file")
            yield start, end


def _whole(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError("a size or a place is missing or negative")
    return value


def _dicts(value: Any) -> list[dict[int, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError("the footer lists no columns")
    return value


class _Reader:
    """A reader of Thrift's compact protocol; ``at`` is where it stands."""

    def __init__(self, data: Any, at: int):
        self.data, self.at = data, at

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """A struct's fields by number: whole numbers, bytes, lists, structs; None for truth values and fractions."""
        found: dict[int, Any] = {}
        field = 0
        while (head := self._byte()) != 0:
            field = field + (head >> 4) if head >> 4 else self._number()
            found[field] = None if head & 15 in (1, 2) else self._value(head & 15, depth + 1)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("fields are nested too deep")
        if kind in (4, 5, 6):
            return self._number()
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (9, 10):
            head = self._byte()
            size = self._varint() if head >> 4 == 15 else head >> 4
            if size > len(self.data) - self.at:
                raise ValueError("a list is longer than the file")
            return [self._value(head & 15, depth + 1) for _ in range(size)]
        if kind == 12:
            return self.struct(depth)
        if kind in (1, 2, 3, 7):  # in a list a truth value takes a byte
            self._bytes(8 if kind == 7 else 1)
            return None
        raise ValueError("a field has no known type")

    def _bytes(self, size: int) -> bytes:
        start, self.at = self.at, self.at + size
        if self.at > len(self.data):
            raise ValueError("a field ends outside the file")
        return bytes(self.data[start : self.at])

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            part = self._byte()
            value |= (part & 127) << shift
            if part < 128:
                return value
        raise ValueError("a number has no end")

    def _number(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
