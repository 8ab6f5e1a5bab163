"""Tiny models of our own kinds, each with random weights in every layer, made in milliseconds."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.config import AutoencoderConfig, BackboneConfig, CalmConfig, HeadConfig, TransformerConfig
from calm_lab.model.transformer import TokenTransformer


def filled(model: nn.Module, seed: int = 0, std: float = 0.4) -> Any:
    """The same model with normal draws in every parameter, so that no layer is an identity or a zero."""
    stream = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=stream) * std)
    return model


def autoencoder(seed: int = 0, **fields: Any) -> Autoencoder:
    sizes: dict[str, Any] = {"vocab_size": 23, "chunk_size": 3, "latent_size": 5, "hidden_size": 8} | fields
    return filled(Autoencoder(AutoencoderConfig(**({"intermediate_size": 12} | sizes))), seed).eval()


def backbone_config(**fields: Any) -> BackboneConfig:
    return BackboneConfig(**({"hidden_size": 16, "intermediate_size": 20, "num_layers": 2, "num_heads": 4} | fields))


def calm(seed: int = 0, head: str = "energy", input: str = "discrete", **fields: Any) -> CALM:
    """A CALM over ``autoencoder(seed)``; further fields go to its autoencoder."""
    inner = autoencoder(seed, **fields)
    config = CalmConfig(
        vocab_size=inner.config.vocab_size,
        chunk_size=inner.config.chunk_size,
        latent_size=inner.config.latent_size,
        backbone=backbone_config(),
        head=HeadConfig(kind=head, num_blocks=2, noise_size=4, num_samples=3, num_targets=5),  # type: ignore[arg-type]
        input=input,  # type: ignore[arg-type]
        pad_id=inner.config.pad_id,
        bos_id=inner.config.bos_id,
        eos_id=inner.config.eos_id,
    )
    model = CALM(config, inner)
    filled(model, seed)
    return model.eval()


def transformer(seed: int = 0, **fields: Any) -> TokenTransformer:
    config = TransformerConfig(**({"vocab_size": 23, "backbone": backbone_config()} | fields))
    model: TokenTransformer = filled(TokenTransformer(config), seed).eval()
    return model


def rows(model: Autoencoder | CALM | TokenTransformer, batch: int = 2, chunks: int = 4, seed: int = 0) -> torch.Tensor:
    """Random ids (B, S K) of the model's vocabulary."""
    size = getattr(model.config, "chunk_size", 1)
    stream = torch.Generator().manual_seed(seed)
    return torch.randint(0, model.config.vocab_size, (batch, chunks * size), generator=stream)
