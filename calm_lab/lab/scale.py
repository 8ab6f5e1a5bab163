"""The one line by which a notebook changes scale: a laptop's CPU, or a GPU."""

from __future__ import annotations

import os
from dataclasses import dataclass

from calm_lab.device import pick_device
from calm_lab.errors import InputError, choose_from


@dataclass(frozen=True)
class Scale:
    """How large a notebook's experiments are.

    Attributes:
        name: cpu or gpu.
        preset: model sizes, see ``calm_lab.model.presets``.
        device: where models live.
        corpus: what they read.
        steps: training steps of a lesson's main model.
        rows: rows in a batch.
        seeds: repetitions behind an error bar.
        fast: whether CALM_LAB_FAST=1 asks for bundled models instead of training.
    """

    name: str
    preset: str
    device: str
    corpus: str
    steps: int
    rows: int
    seeds: int
    fast: bool


def lab_scale(name: str = "cpu") -> Scale:
    """The scale of a notebook.

    Args:
        name: ``"cpu"`` (nano models, minutes) or ``"gpu"`` (lab models on TinyStories; needs CUDA or MPS).

    Raises:
        InputError: for another name, or ``"gpu"`` where there is none.
    """
    fast = os.environ.get("CALM_LAB_FAST", "0") not in ("", "0")
    if name == "cpu":
        return Scale("cpu", "nano", "cpu", "storyland", steps=300, rows=8, seeds=3, fast=fast)
    if name != "gpu":
        raise InputError(choose_from(str(name), ("cpu", "gpu"), "scale"))
    device = pick_device("auto")
    if device.type == "cpu":
        raise InputError("lab_scale('gpu') finds no GPU here: use lab_scale('cpu')")
    return Scale("gpu", "lab", str(device), "tinystories", steps=20_000, rows=64, seeds=5, fast=fast)
