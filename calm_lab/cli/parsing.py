"""From words to a frozen dataclass: tyro reads the fields, their types and their docstrings.

tyro answers a mistake with a box of several lines. Our promise is one line, so what it prints is caught and reduced to
its message; ``--help`` stays as tyro draws it.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from typing import TypeVar

import tyro

from calm_lab.errors import InputError

Options = TypeVar("Options")

_SIDES = re.compile(r"^[│\s]+|[│\s]+$")
_EDGE = re.compile(r"^[╭╰]|^[\s│]*[─-]{3,}")  # the frame's top, its bottom, and the rules inside
_CLASS = re.compile(r"^Error parsing [A-Z]\w*: ")  # the dataclass is our affair; an option's name stays


def parse(kind: type[Options], args: Sequence[str], *, prog: str, summary: str, example: str) -> Options:
    """Read ``args`` into the dataclass ``kind``.

    Args:
        kind: a frozen dataclass; its fields become options, its ``Attributes:`` their help.
        args: the words after the command's name.
        prog: the command as typed, for the usage line.
        summary: what the command does, shown by ``--help``.
        example: one command line, shown by ``--help``.

    Returns:
        An instance of ``kind``.

    Raises:
        InputError: for an unknown option, a missing one, or a value that does not fit; one line.
        SystemExit: with code 0 after ``--help``.
    """
    caught = io.StringIO()
    try:
        with contextlib.redirect_stderr(caught):
            return tyro.cli(
                kind,
                args=list(args),
                prog=prog,
                description=f"{summary[0].upper()}{summary[1:]}.\n\nExample: {example}",
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        message = _first_paragraph(caught.getvalue())
        raise InputError(f"{message} (see {prog} --help)") from None


def _first_paragraph(box: str) -> str:
    """The message in tyro's error box, as one line.

    The box is a title, the message, a rule, then advice. Drawn with line characters, the title is part of the upper
    edge; on a terminal without them, it stands in a section of its own.
    """
    sections: list[list[str]] = [[]]
    for line in box.splitlines():
        if _EDGE.match(line):
            sections.append([])
        elif text := _SIDES.sub("", line):
            sections[-1].append(text)
    sections = [section for section in sections if section]
    message = sections[0 if "╭" in box else 1 :][:1]
    if not message:
        return "the arguments could not be understood"
    return _CLASS.sub("", " ".join(" ".join(*message).split()).rstrip("."))
