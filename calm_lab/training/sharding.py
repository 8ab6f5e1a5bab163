"""Tensors that several processes hold in parts (FSDP): whole for a checkpoint, parted again for a run that goes on.

A checkpoint is the same files whoever wrote it, so a run may go on with another number of processes. Without FSDP
nothing here does anything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.checkpoint import Model

Tree = TypeVar("Tree")


def joined(tree: Tree) -> Tree:
    """Every parted tensor in dicts and lists put together; all processes must ask."""
    result: Any = tree
    if isinstance(tree, DTensor):
        result = tree.full_tensor()
    elif isinstance(tree, dict):
        result = {name: joined(part) for name, part in tree.items()}
    elif isinstance(tree, list):
        result = [joined(part) for part in tree]
    return result


def parted(tensor: Tensor, like: Tensor) -> Tensor:
    """A whole tensor, parted as ``like`` is."""
    if isinstance(like, DTensor) and tensor.shape == like.shape:
        return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements)
    return tensor


@torch.no_grad()
def load_weights(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Put whole weights into a model that may be parted.

    Raises:
        KeyError: if the model has no such parameter.
        RuntimeError: if one has another shape.
    """
    parameters = dict(model.named_parameters())
    for name, tensor in weights.items():
        if tensor.shape != parameters[name].shape:
            raise RuntimeError(f"{name} has shape {tuple(tensor.shape)}, not {tuple(parameters[name].shape)}")
        parameters[name].copy_(parted(tensor, parameters[name]))


def load_optimizer(optimizer: torch.optim.Optimizer, saved: dict[str, Any]) -> None:
    """Put the whole state of an optimizer into one whose parameters may be parted."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state = {
        place: {name: parted(t, parameters[place]) if isinstance(t, Tensor) else t for name, t in kept.items()}
        for place, kept in saved["state"].items()
    }
    optimizer.load_state_dict({**saved, "state": state})


def whole_model(model: Model) -> Model:
    """The model itself, or a whole copy of one that is parted; all processes must ask."""
    if not any(isinstance(p, DTensor) for p in model.parameters()):
        return model
    tensors = joined(dict(model.state_dict()))
    with torch.device("meta"):
        if isinstance(model, CALM):
            copy: Model = CALM(model.config, Autoencoder(model.autoencoder.config))
        else:
            copy = type(model)(model.config)  # type: ignore[arg-type]
    copy.load_state_dict(tensors, assign=True)
    if isinstance(copy, CALM):
        copy.autoencoder.tokenizer = model.tokenizer
    else:
        copy.tokenizer = model.tokenizer
    return copy


@contextlib.contextmanager
def gathered(objective: nn.Module) -> Iterator[None]:
    """What the outermost module holds is whole inside this context; layers within gather themselves when they run."""
    unshard, reshard = getattr(objective, "unshard", None), getattr(objective, "reshard", None)
    if unshard is None or reshard is None:
        yield
        return
    unshard()
    try:
        yield
    finally:
        reshard()
