"""What the official code does in training mode and ours does not, for the comparisons that need it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from calm_lab.model.autoencoder import Autoencoder


@contextlib.contextmanager
def rounded_embeddings(model: Autoencoder) -> Iterator[None]:
    """The official encoder in training mode: embeddings are rounded to bfloat16 on entry.

    The first norm then works on bfloat16 numbers, so its result is rounded before its weight; the rest is float32.
    """

    def round_embedding(module: torch.nn.Module, inputs: object, output: Tensor) -> Tensor:
        return output.bfloat16().float()

    def round_norm(module: torch.nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        (x,) = inputs
        return F.rms_norm(x, x.shape[-1:], eps=model.config.rms_norm_eps).bfloat16().float() * module.weight

    first = model.encoder.token_layers[0]
    hooks = [
        model.encoder.embed.register_forward_hook(round_embedding),
        first.norm.register_forward_hook(round_norm),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
