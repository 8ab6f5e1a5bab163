"""One process or many: accelerate says which, and only the main one writes.

``torchrun`` and ``accelerate launch`` start the same command once a device. Every process trains on its part of each
batch; the first takes the run folder's lock, writes what is written and talks.
"""

from __future__ import annotations

import platform
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType

from calm_lab.device import pick_device
from calm_lab.errors import InputError
from calm_lab.training.recipes import Recipe
from calm_lab.version import __version__


def join(recipe: Recipe) -> Accelerator:
    """Meet the other processes of this run, if there are any.

    Raises:
        InputError: if the device is not there, or the rows of a batch cannot be parted equally.
    """
    device = pick_device(recipe.device)
    precision = recipe.precision
    if precision == "auto":
        precision = "bfloat16" if device.type == "cuda" else "float32"
    AcceleratorState._reset_state()  # an earlier run of this Python may have had another precision
    accelerator = Accelerator(
        cpu=device.type == "cpu",
        mixed_precision="bf16" if precision == "bfloat16" else "no",
        gradient_accumulation_steps=recipe.accumulate,
    )
    if accelerator.distributed_type == DistributedType.FSDP and recipe.optimizer == "muon":
        raise InputError("Muon moves whole matrices, which no process has under FSDP: take --optimizer adamw")
    parts = recipe.accumulate * accelerator.num_processes
    if recipe.rows % parts:
        raise InputError(
            f"rows {recipe.rows} must be a multiple of accumulate x processes = {recipe.accumulate} x"
            f" {accelerator.num_processes}, so that all have equally much to do"
        )
    return accelerator


def machine(accelerator: Accelerator) -> dict[str, Any]:
    """What the run ran on."""
    device = accelerator.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    return {
        "device": device.type,
        "name": name,
        "processes": accelerator.num_processes,
        "threads": torch.get_num_threads(),
        "precision": accelerator.mixed_precision,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "calm_lab": __version__,
    }
