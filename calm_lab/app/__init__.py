"""The browser laboratory (floor 6): ``build_app()`` and ``launch()``.

One module a tab; every number and picture on a tab comes from floor 5 (``calm_lab.lab``), so that a notebook can show
the same. What is drawn in the browser lives in ``static/``. No other floor imports gradio.
"""

from __future__ import annotations

from calm_lab.app.swift import import_jsonschema

import_jsonschema()

from calm_lab.app.main import build_app, launch  # noqa: E402  (gradio comes with it)

__all__ = ["build_app", "launch"]
