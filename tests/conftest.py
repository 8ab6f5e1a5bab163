"""Settings of every test: nothing asserts a time, and what runs under CI is the same every time."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("calm_lab", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("calm_lab")
