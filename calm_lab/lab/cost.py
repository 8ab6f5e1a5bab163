"""The answer to "what does this model cost": amounts by part, and one model's parameters and FLOPs together.

``calm_lab.lab.flops`` fills these; tables, the app's calculator and notebook 11 read them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

Convention = Literal["exact", "paper"]


@dataclass(frozen=True)
class Parts:
    """Amounts by part of the model: parameters, or FLOPs a token.

    Attributes:
        embedding: token embedding of the language model; a lookup, so it stores and does not compute.
        input: compression of a chunk to one position.
        backbone: linear layers and norms of the Transformer.
        attention: products of queries, keys and values over the context; no parameters.
        head: the generative head.
        output: the product with the vocabulary: the baseline's last layer, or the last of CALM's autoencoder.
        encoder: the autoencoder's encoder; its embedding is the matrix under ``output``, unless they are untied.
        decoder: the autoencoder's decoder without ``output``.
        loss: distances of the energy loss.
        autoencoder_training: what training the autoencoder took, spread over the language model's tokens.
    """

    embedding: float = 0
    input: float = 0
    backbone: float = 0
    attention: float = 0
    head: float = 0
    output: float = 0
    encoder: float = 0
    decoder: float = 0
    loss: float = 0
    autoencoder_training: float = 0

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(dataclasses.asdict(self).values())

    def share(self, *parts: str) -> float:
        """The share of ``parts`` in the total, 0 to 1."""
        total = self.total
        return sum(getattr(self, part) for part in parts) / total if total else 0.0

    def to_dict(self) -> dict[str, float]:
        """The parts that are not zero, and ``total``."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value} | {"total": self.total}


@dataclass(frozen=True)
class Flops:
    """The cost of one model under one convention.

    Attributes:
        family: ``calm``, ``transformer`` or ``autoencoder``.
        convention: ``exact`` or ``paper``.
        parameters: numbers stored, by part.
        training: FLOPs a training token, forward and backward.
        inference: FLOPs a generated token.
        chunk_size: K, tokens a step; 1 for the baseline.
        context: positions that attention looks over.
        samples: N, draws of the head a position in training.
        pool: draws of the head a step in generation.
        calls: network calls a draw in generation.
        tokens: tokens of training that ``training_total`` is for.
    """

    family: Literal["calm", "transformer", "autoencoder"]
    convention: Convention
    parameters: Parts
    training: Parts
    inference: Parts
    chunk_size: int
    context: int
    samples: int
    pool: int
    calls: int
    tokens: int

    @property
    def per_token(self) -> float:
        """FLOPs to generate one token."""
        return self.inference.total

    @property
    def per_step(self) -> float:
        """FLOPs to generate one step: K tokens of a CALM, one of the baseline."""
        return self.inference.total * self.chunk_size

    @property
    def training_total(self) -> float:
        """FLOPs of the whole training run, the autoencoder's own training included."""
        return self.training.total * self.tokens

    @property
    def total_parameters(self) -> int:
        """All parameters, the autoencoder's included."""
        return int(self.parameters.total)

    @property
    def autoencoder_parameters(self) -> int:
        """Parameters of the autoencoder; 0 for the baseline."""
        parts = self.parameters
        own = parts.encoder + parts.decoder
        return int(own + parts.output) if own else 0

    @property
    def trained_parameters(self) -> int:
        """Parameters that training the language model changes: all but the frozen autoencoder's."""
        return self.total_parameters - (self.autoencoder_parameters if self.family == "calm" else 0)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        parts = {name: getattr(self, name).to_dict() for name in ("parameters", "training", "inference")}
        return plain | parts | {"training_total": self.training_total, "trained_parameters": self.trained_parameters}
