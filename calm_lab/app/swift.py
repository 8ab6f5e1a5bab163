"""A start without six needless seconds: importing gradio imports jsonschema, which builds a grammar nobody here needs.

gradio imports mcp where it is installed, mcp imports jsonschema, and jsonschema looks for ``rfc3987_syntax`` (it comes
with JupyterLab), whose import builds a parser of international web addresses. Without that package jsonschema merely
leaves the format "iri" unchecked; no schema of this page has one.
"""

from __future__ import annotations

import sys
from contextlib import suppress

GRAMMAR = "rfc3987_syntax"


def import_jsonschema() -> None:
    """Import jsonschema, if it is there, with the grammar's package hidden from it; does nothing the second time."""
    if "jsonschema" in sys.modules or GRAMMAR in sys.modules:
        return
    sys.modules[GRAMMAR] = None  # type: ignore[assignment]  # for the import system: there is none
    try:
        with suppress(ImportError):
            import jsonschema  # noqa: F401
    finally:
        del sys.modules[GRAMMAR]
