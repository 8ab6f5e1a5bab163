"""The code behind a name, to read in a notebook: what is imported should not have to be believed.

What: ``source_of`` gives a function or class as it stands in the package, without its docstring, under a line that says
where it lives.

Notebooks: all from 01 on.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from calm_lab.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def source_of(thing: Callable[..., Any]) -> str:
    """The source of a function or class, docstrings left out.

    Args:
        thing: a function, method or class of the package.

    Returns:
        A comment with the file's path inside the repository, then the code.

    Raises:
        InputError: for something that has no Python source.
    """
    try:
        lines = textwrap.dedent(inspect.getsource(thing)).splitlines()
        file = Path(inspect.getsourcefile(thing) or "")
    except (TypeError, OSError):
        raise InputError(f"{thing!r} has no Python source to show: give a function or a class") from None
    hidden: set[int] = set()
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            first = node.body[0]
            hidden |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
            if len(node.body) > 1 and not lines[first.end_lineno or 0].strip():
                hidden.add((first.end_lineno or 0) + 1)  # the empty line below a docstring
    kept = [line for number, line in enumerate(lines, start=1) if number not in hidden]
    place = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else file.name
    return "\n".join([f"# {place}", *kept])
