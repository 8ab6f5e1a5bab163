"""Recorded inputs and outputs of the official implementation, where they lie beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the recorded data (../shared/golden) is not here")


def folder(name: str) -> Path:
    return GOLDEN / name


def arrays(name: str, file: str = "io.safetensors") -> dict[str, torch.Tensor]:
    return load_file(GOLDEN / name / file)


def settings(name: str) -> dict[str, Any]:
    return json.loads((GOLDEN / name / "io.json").read_text())


def gap(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Largest absolute difference."""
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return (ours - theirs).abs().max().item() if ours.numel() else 0.0


def relative(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Largest difference, relative to the largest entry of what was recorded."""
    return gap(ours, theirs) / theirs.abs().max().item()
