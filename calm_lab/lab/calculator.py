"""The FLOPs calculator: a CALM of any size beside the token Transformer of the same width and depth, at once.

One dial each for K, width, layers, vocabulary, N, pool and context; everything else follows the paper's rules (SwiGLU
of about 8/3 width, a head block for every four layers, a latent of 32 K coordinates, the paper's autoencoder). The
counts are ``calm_lab.lab.flops``, so a paper size gives the numbers of ``calm_lab.lab.table1``.

App tab: What K buys. Notebook: 11.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from calm_lab.errors import InputError
from calm_lab.lab.cost import Convention, Flops
from calm_lab.lab.flops import PAPER_CONTEXT, flops, paper_autoencoder
from calm_lab.model.config import BackboneConfig, CalmConfig, HeadConfig, TransformerConfig
from calm_lab.model.presets import preset

HEAD_SIZE = 64
LATENT_PER_TOKEN = 32  # paper sec. 7.2
LAYERS_PER_BLOCK = 4  # of the backbone, for one block of the head (paper sec. 7.1)
INNER_STEP = 32
LARGEST = {
    "chunk_size": 64,
    "hidden_size": 65_536,
    "layers": 1024,
    "vocab_size": 4_194_304,
    "samples": 1024,
    "pool": 100_000,
    "context": 1_048_576,
}
CHUNK_SIZES = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Sizes:
    """What the calculator is set to.

    Attributes:
        chunk_size: K.
        hidden_size: d, width of the backbone; a multiple of 64.
        layers: of the backbone.
        vocab_size: V.
        samples: N, draws of the head a position in training.
        pool: draws a step in generation; 1 is enough at temperature 1.
        context: positions that attention looks over: chunks of the CALM, tokens of the Transformer.
    """

    chunk_size: int = 4
    hidden_size: int = 1024
    layers: int = 16
    vocab_size: int = 128_257
    samples: int = 8
    pool: int = 1
    context: int = PAPER_CONTEXT

    def __post_init__(self) -> None:
        for name, largest in LARGEST.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
                raise InputError(f"{name} must be a whole number from 1 to {largest:,}, not {value!r}")
        if self.hidden_size % HEAD_SIZE:
            raise InputError(f"hidden_size {self.hidden_size} must be a multiple of {HEAD_SIZE}")

    @property
    def intermediate_size(self) -> int:
        """Inner width of a SwiGLU: the paper's where it has this width, else 8/3 of it, rounded up to 32."""
        return _PAPER_INNER.get(self.hidden_size, INNER_STEP * math.ceil(8 * self.hidden_size / 3 / INNER_STEP))

    @property
    def backbone(self) -> BackboneConfig:
        """The backbone that both models share."""
        heads = self.hidden_size // HEAD_SIZE
        return BackboneConfig(self.hidden_size, self.intermediate_size, self.layers, heads)

    @property
    def calm(self) -> CalmConfig:
        """The CALM."""
        head = HeadConfig(num_blocks=max(1, self.layers // LAYERS_PER_BLOCK), noise_size=64, num_samples=self.samples)
        return CalmConfig(self.vocab_size, self.chunk_size, LATENT_PER_TOKEN * self.chunk_size, self.backbone, head)

    @property
    def transformer(self) -> TransformerConfig:
        """The token Transformer of the same width and depth."""
        return TransformerConfig(self.vocab_size, self.backbone)


_PAPER_INNER = {
    sizes.backbone.hidden_size: sizes.backbone.intermediate_size for sizes in map(preset, ("S", "M", "L", "XL"))
}
PAPER_SIZES = {
    f"CALM-{name}": Sizes(hidden_size=backbone.hidden_size, layers=backbone.num_layers)
    for name in ("M", "L", "XL")
    for backbone in [preset(name).backbone]
}
"""The paper's CALMs as settings of the calculator (K = 4, N = 8, one draw a step)."""


@dataclass(frozen=True)
class Answer:
    """What the calculator says.

    Attributes:
        sizes: what it was asked.
        calm: the CALM's cost.
        transformer: that of the Transformer of the same width and depth.
        by_chunk_size: the CALM's cost at other K, all else equal.
        even_pool: the most draws a step with which a token costs no more than the Transformer's; 0 if even one draw
            costs more.
    """

    sizes: Sizes
    calm: Flops
    transformer: Flops
    by_chunk_size: dict[int, Flops]
    even_pool: int

    @property
    def training(self) -> float:
        """Change of training FLOPs against the Transformer, -0.44 for 44% less."""
        return self.calm.training_total / self.transformer.training_total - 1

    @property
    def inference(self) -> float:
        """Change of FLOPs a generated token against the Transformer, the pool counted."""
        return self.calm.per_token / self.transformer.per_token - 1


def calculate(sizes: Sizes, convention: Convention = "exact") -> Answer:
    """Count a CALM and its Transformer.

    Args:
        sizes: the settings.
        convention: how to count the head; see ``calm_lab.lab.flops``.
    """
    transformer = flops(sizes.transformer, convention=convention, context=sizes.context)
    others = sorted({*CHUNK_SIZES, sizes.chunk_size})
    costs = {k: cost(dataclasses.replace(sizes, chunk_size=k), convention) for k in others}
    return Answer(sizes, costs[sizes.chunk_size], transformer, costs, even_pool(sizes, convention))


def cost(sizes: Sizes, convention: Convention = "exact") -> Flops:
    """The CALM alone."""
    config = sizes.calm
    inner = paper_autoencoder(config)
    return flops(config, inner, convention=convention, context=sizes.context, pool=sizes.pool)


def even_pool(sizes: Sizes, convention: Convention = "exact") -> int:
    """The largest pool at which a token of the CALM costs no more than one of the Transformer; 0 if there is none.

    A token's cost is a line in the pool: every draw adds one pass of the head and one of the decoder.
    """
    one, two = (cost(dataclasses.replace(sizes, pool=pool), convention).per_token for pool in (1, 2))
    goal = flops(sizes.transformer, convention=convention, context=sizes.context).per_token
    return max(0, math.floor(1 + (goal - one) / (two - one) + 1e-9))
