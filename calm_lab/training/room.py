"""Whether a training can fit, before anything is built: weights, what goes with each of them, and one batch.

The count of parameters is the model's own, taken on the meta device, where tensors have shapes and no memory. A model
of many layers is counted from one and two of them. ``calm_lab.lab.resources`` estimates closely what a step takes;
here a lower bound is enough, so that nothing is refused that would have run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from calm_lab.device import pick_device
from calm_lab.errors import InputError
from calm_lab.memory import require_bytes
from calm_lab.model.config import AutoencoderConfig, CalmConfig, TransformerConfig
from calm_lab.training.recipes import Recipe

Config = TypeVar("Config", AutoencoderConfig, CalmConfig, TransformerConfig)
FLOAT, ID = 4, 8  # bytes
REMEDY = "choose smaller sizes, such as --preset nano, or fewer --rows and --positions"


def check_room(recipe: Recipe, config: Config, build: Callable[[Config], nn.Module]) -> None:
    """Refuse a training that cannot fit on its device.

    Args:
        recipe: for the batch, the optimizer and the device.
        config: what is to be trained.
        build: makes the model of a config.

    Raises:
        InputError: if it cannot, or if no model can have these sizes.
    """
    weights = parameters(config, build)
    copies = {"adamw": 2, "muon": 1}[recipe.optimizer] + 2  # the weights, their gradients, and what is kept of those
    if getattr(recipe, "ema", 0.0):
        copies += 1
    batch = recipe.rows * recipe.positions * getattr(config, "chunk_size", 1)
    width = config.hidden_size if isinstance(config, AutoencoderConfig) else config.backbone.hidden_size
    places = recipe.rows // recipe.accumulate * recipe.positions
    if isinstance(config, AutoencoderConfig):
        kept = places * (config.chunk_size * width + config.latent_size)
    else:
        kept = places * width * config.backbone.num_layers
    if isinstance(config, CalmConfig):
        draws, targets = config.head.num_samples, config.head.num_targets
        kept += places * draws * (width + config.latent_size)
        if config.head.kind == "energy":
            kept += places * targets * config.latent_size
    needed = FLOAT * (copies * weights + kept) + ID * batch
    require_bytes(
        needed, f"training {weights:,} parameters on {batch:,} tokens a step", REMEDY, pick_device(recipe.device)
    )


def parameters(config: Config, build: Callable[[Config], nn.Module]) -> int:
    """Parameters that the model of ``config`` trains.

    Raises:
        InputError: if no model can have these sizes.
    """
    backbone, head = getattr(config, "backbone", None), getattr(config, "head", None)
    layers = 1 if backbone is None else backbone.num_layers
    blocks = 1 if head is None else head.num_blocks

    def count(layers: int, blocks: int) -> int:
        changes = {}
        if backbone is not None:
            changes["backbone"] = dataclasses.replace(backbone, num_layers=layers)
        if head is not None:
            changes["head"] = dataclasses.replace(head, num_blocks=blocks)
        with torch.device("meta"):
            model = build(dataclasses.replace(config, **changes))
        return sum(p.numel() for p in model.parameters() if p.requires_grad)

    try:
        one = count(1, 1)
        more = (layers - 1) * (count(2, 1) - one) if layers > 1 else 0
        return one + more + ((blocks - 1) * (count(1, 2) - one) if blocks > 1 else 0)
    except (RuntimeError, OverflowError, TypeError, ValueError, MemoryError) as error:  # sizes beyond 64 bits
        raise InputError(f"these sizes make no model, they are too large: {REMEDY}") from error
