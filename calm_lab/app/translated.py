"""Sentences of the library in another language: one entry for all that differ only in a number or a name."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

GAP = re.compile(r"\\\{(\w+)\\\}")


def translated(said: str, table: Mapping[str, str]) -> str | None:
    """A sentence in the table's language, or None if it is not there.

    Args:
        said: what the library says.
        table: its sentences and their translations, both with gaps such as ``{n}``.
    """
    for english, other in table.items():
        if found := _pattern(english).fullmatch(said):
            return other.format(**found.groupdict())
    return None


@functools.cache
def _pattern(english: str) -> re.Pattern[str]:
    return re.compile(GAP.sub(r"(?P<\1>.+?)", re.escape(english)), re.DOTALL)
