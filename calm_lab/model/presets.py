"""The presets that fill the configs from one dial.

``chunk_size`` (the paper's K) and a preset set everything else. ``nano`` learns in minutes on a laptop's two cores,
``lab`` in an hour on one GPU, and ``S M L XL`` are the paper's own sizes (paper sec. 7.1 and Table 1).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from calm_lab.errors import InputError, choose_from
from calm_lab.model.config import (
    AutoencoderConfig,
    BackboneConfig,
    CalmConfig,
    HeadConfig,
    HeadKind,
    InputKind,
    TransformerConfig,
)


@dataclass(frozen=True)
class Preset:
    """Sizes that go together: one name for an autoencoder, a backbone and a head."""

    autoencoder: AutoencoderConfig
    backbone: BackboneConfig
    head: HeadConfig

    def calm(self, head: HeadKind = "energy", input: InputKind = "discrete") -> CalmConfig:
        """The CALM of this preset, over this preset's autoencoder."""
        ae = self.autoencoder
        return CalmConfig(
            vocab_size=ae.vocab_size,
            chunk_size=ae.chunk_size,
            latent_size=ae.latent_size,
            backbone=self.backbone,
            head=dataclasses.replace(self.head, kind=head),
            input=input,
            pad_id=ae.pad_id,
            bos_id=ae.bos_id,
            eos_id=ae.eos_id,
        )

    def transformer(self) -> TransformerConfig:
        """The token-level baseline of the same width and depth."""
        ae = self.autoencoder
        return TransformerConfig(ae.vocab_size, self.backbone, pad_id=ae.pad_id, bos_id=ae.bos_id, eos_id=ae.eos_id)


# name: V, autoencoder (width, inner, latent per token), backbone (width, inner, layers, heads), head (blocks, noise)
_PRESETS: dict[str, tuple[int, tuple[int, int, int], tuple[int, int, int, int], tuple[int, int]]] = {
    "tiny": (512, (64, 160, 8), (64, 160, 2, 2), (1, 16)),
    "nano": (2048, (192, 512, 16), (192, 512, 4, 3), (2, 32)),
    "lab": (8192, (512, 1280, 32), (512, 1376, 8, 8), (2, 64)),
    "S": (128_257, (512, 1280, 32), (768, 2048, 12, 16), (3, 64)),
    "M": (128_257, (512, 1280, 32), (1024, 2752, 16, 16), (4, 64)),
    "L": (128_257, (512, 1280, 32), (1536, 4096, 16, 16), (4, 64)),
    "XL": (128_257, (512, 1280, 32), (2560, 6880, 16, 20), (4, 64)),
}
PRESETS = tuple(_PRESETS)


def preset(name: str, chunk_size: int = 4, vocab_size: int | None = None) -> Preset:
    """The preset called ``name``.

    Args:
        name: ``tiny`` (for tests), ``nano``, ``lab``, or the paper's ``S``, ``M``, ``L``, ``XL``.
        chunk_size: K.
        vocab_size: V, where the tokenizer at hand differs from the preset's.

    Returns:
        The configs, with l = (latent per token) * K as in the paper (sec. 7.2: l = 32 K at its scale).

    Raises:
        InputError: for an unknown name or a chunk size below 1.
    """
    if name not in _PRESETS:
        raise InputError(choose_from(name, _PRESETS, "preset"))
    vocab, (ae_width, ae_inner, latent), (width, inner, layers, heads), (blocks, noise) = _PRESETS[name]
    return Preset(
        autoencoder=AutoencoderConfig(
            vocab_size=vocab_size or vocab,
            chunk_size=chunk_size,
            latent_size=latent * chunk_size,
            hidden_size=ae_width,
            intermediate_size=ae_inner,
        ),
        backbone=BackboneConfig(width, inner, layers, heads),
        head=HeadConfig(num_blocks=blocks, noise_size=noise),
    )
