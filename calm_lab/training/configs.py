"""From a recipe to the configs of its model. Plain data: nothing here imports torch."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from calm_lab.model.config import AutoencoderConfig, BackboneConfig, CalmConfig, HeadConfig
from calm_lab.model.presets import preset
from calm_lab.training.recipes import AutoencoderRecipe, CalmRecipe, TransformerRecipe


class Vocabulary(Protocol):
    """The size of a vocabulary and its special ids: a tokenizer, or a config that repeats them."""

    @property
    def vocab_size(self) -> int: ...  # noqa: D102
    @property
    def mask_id(self) -> int | None: ...  # noqa: D102
    @property
    def pad_id(self) -> int: ...  # noqa: D102
    @property
    def bos_id(self) -> int: ...  # noqa: D102
    @property
    def eos_id(self) -> int: ...  # noqa: D102


def autoencoder_config(recipe: AutoencoderRecipe, tokenizer: Vocabulary) -> AutoencoderConfig:
    """The autoencoder that ``recipe`` describes, for this tokenizer."""
    base = preset(recipe.preset, recipe.chunk_size, tokenizer.vocab_size).autoencoder
    width = recipe.hidden_size or base.hidden_size
    return dataclasses.replace(
        base,
        latent_size=recipe.latent_size or base.latent_size,
        hidden_size=width,
        intermediate_size=_scaled(base.intermediate_size, width, base.hidden_size),
        kl_weight=recipe.kl_weight,
        kl_clip=recipe.kl_clip,
        drop_token=recipe.drop_token,
        drop_latent=recipe.drop_latent,
        mask_id=tokenizer.pad_id if tokenizer.mask_id is None else tokenizer.mask_id,
        pad_id=tokenizer.pad_id,
        bos_id=tokenizer.bos_id,
        eos_id=tokenizer.eos_id,
    )


def backbone_config(recipe: CalmRecipe | TransformerRecipe) -> BackboneConfig:
    """The backbone that ``recipe`` describes: the preset's, scaled to another width or depth where one is given."""
    base = preset(recipe.preset).backbone
    width = recipe.hidden_size or base.hidden_size
    heads = range(max(1, width // base.head_size), 0, -1)  # heads of the preset's size or a little larger
    return dataclasses.replace(
        base,
        hidden_size=width,
        intermediate_size=_scaled(base.intermediate_size, width, base.hidden_size),
        num_layers=recipe.layers or base.num_layers,
        num_heads=next((count for count in heads if width % (2 * count) == 0), 1),
    )


def _scaled(inner: int, width: int, reference: int) -> int:
    """``inner`` in proportion to ``width``, rounded up to a multiple of 8."""
    return -(-inner * width // reference // 8) * 8


def calm_config(recipe: CalmRecipe, autoencoder: AutoencoderConfig) -> CalmConfig:
    """The CALM that ``recipe`` describes, over an autoencoder of this config."""
    base = preset(recipe.preset).head
    head: HeadConfig = dataclasses.replace(
        base,
        kind=recipe.head,
        num_blocks=recipe.blocks or base.num_blocks,
        noise_size=recipe.noise_size or base.noise_size,
        num_samples=recipe.samples,
        num_targets=recipe.targets,
        alpha=recipe.alpha,
        diversity=recipe.diversity,
        init_std=recipe.init_std,
    )
    return CalmConfig(
        vocab_size=autoencoder.vocab_size,
        chunk_size=autoencoder.chunk_size,
        latent_size=autoencoder.latent_size,
        backbone=backbone_config(recipe),
        head=head,
        input=recipe.input,
        pad_id=autoencoder.pad_id,
        bos_id=autoencoder.bos_id,
        eos_id=autoencoder.eos_id,
    )
