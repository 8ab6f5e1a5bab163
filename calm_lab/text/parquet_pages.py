"""What the pages of a parquet file claim to unpack to, read before anything is unpacked.

What: the headers of a column's pages, one after another, in the compact protocol of Apache Thrift.
Why: the Arrow library reserves what a page header claims, up to 2 GiB, before it sees that the page holds a few bytes.
Where: the file format is https://parquet.apache.org/docs/file-format/ (PageHeader: field 2 is the size unpacked, field
3 the size in the file).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_DEEPEST = 8  # structs within structs; a page header has three levels


def unpacked_sizes(data: Any, metadata: Any, column: str) -> Iterator[int]:
    """Bytes that each page of a column claims to unpack to.

    Args:
        data: the whole file, as bytes or a memory map.
        metadata: its ``pyarrow.parquet.FileMetaData``.
        column: name of a top-level column.

    Raises:
        ValueError: where a header is damaged.
    """
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(place)
            if chunk.path_in_schema.split(".")[0] == column:
                starts = [chunk.data_page_offset]
                if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
                    starts.append(chunk.dictionary_page_offset)
                yield from _pages(data, min(starts), min(starts) + chunk.total_compressed_size)


def _pages(data: Any, at: int, end: int) -> Iterator[int]:
    if at < 0 or end > len(data):
        raise ValueError("a column lies outside the file")
    while at < end:
        header = _Header(data, at)
        sizes = header.struct()
        unpacked, packed = sizes.get(2, -1), sizes.get(3, -1)
        if unpacked < 0 or packed < 0:
            raise ValueError("a page has no size")
        yield unpacked
        at = header.at + packed


class _Header:
    """A reader of Thrift's compact protocol; ``at`` is where it stands."""

    def __init__(self, data: Any, at: int):
        self.data, self.at = data, at

    def struct(self, depth: int = 0) -> dict[int, int]:
        """The whole numbers among a struct's own fields, by field id; all else is passed over."""
        if depth > _DEEPEST:
            raise ValueError("a page header is nested too deep")
        found, field = {}, 0
        while (head := self._byte()) != 0:
            field = field + (head >> 4) if head >> 4 else self._number()
            value = self._value(head & 15, depth)
            if value is not None:
                found[field] = value
        return found

    def _value(self, kind: int, depth: int, in_list: bool = False) -> int | None:
        if kind in (1, 2):  # true, false: within a list they take a byte
            self.at += in_list
        elif kind == 3:
            self.at += 1
        elif kind in (4, 5, 6):
            return self._number()
        elif kind == 7:
            self.at += 8
        elif kind == 8:
            size = self._varint()
            self.at += size
        elif kind in (9, 10):
            head = self._byte()
            size = self._varint() if head >> 4 == 15 else head >> 4
            for _ in range(self._checked(size)):
                self._value(head & 15, depth + 1, in_list=True)
        elif kind == 12:
            self.struct(depth + 1)
        else:
            raise ValueError("a page header has a field of no known type")
        return None

    def _checked(self, size: int) -> int:
        if size > len(self.data) - self.at:
            raise ValueError("a list in a page header is longer than the file")
        return size

    def _byte(self) -> int:
        if not 0 <= self.at < len(self.data):
            raise ValueError("a page header lies outside the file")
        value: int = self.data[self.at]
        self.at += 1
        return value

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            part = self._byte()
            value |= (part & 127) << shift
            if part < 128:
                return value
        raise ValueError("a number in a page header has no end")

    def _number(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
