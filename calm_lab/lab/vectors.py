"""A text as the autoencoder sees it: chunks, one vector each, and what the decoder makes of a noisy vector.

For each chunk: its K tokens, the posterior's mean and sigma, the bits the vector carries, and the tokens that come back
when Gaussian noise of a chosen size is added to the mean. It shows three claims of the paper in one table: a chunk
survives the trip through l numbers (sec. 2.1), it still does under noise (sec. 2.2), and it needs few bits for it.

App tab: Tokens and vectors. Notebooks: 01, 02, 03.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from calm_lab.device import generator as random_stream
from calm_lab.errors import InputError
from calm_lab.lab.pieces import roles, spread
from calm_lab.model.autoencoder import Autoencoder, pad_after_end
from calm_lab.model.vocabulary import BLOCK_ELEMENTS

MAX_SIGMA = 10.0
Spread = list[list[str | int]] | None


@dataclass(frozen=True)
class Reading:
    """A text, its vectors, and what came back from them. Everything lies on the CPU.

    Attributes:
        vocab_size: V.
        sigma: standard deviation of the noise that was added to the means.
        ids: the tokens, the end token and padding, shape (S, K).
        tokens: what to show for each id, S lists of K.
        roles: end or pad for special tokens, None for ordinary ones, S lists of K.
        spread: characters that neighbouring tokens share, as ``calm_lab.lab.pieces.spread`` gives them, S lists of K.
        counted: true for tokens of the text and the end token, false for padding, shape (S, K).
        mean: posterior means, shape (S, l).
        std: posterior standard deviations, shape (S, l).
        bits: KL to N(0, I) of each coordinate in bits, shape (S, l).
        z: the vectors that were decoded, ``mean + sigma * noise``, shape (S, l).
        decoded: the ids that came back, shape (S, K).
        decoded_tokens: what to show for each of them.
        decoded_roles: their roles.
        decoded_spread: characters they share.
        confidence: probability of the decoder's first choice, shape (S, K).
        decoded_text: the text that came back.
    """

    vocab_size: int
    sigma: float
    ids: Tensor
    tokens: list[list[str]]
    roles: list[list[str | None]]
    spread: list[list[Spread]]
    counted: Tensor
    mean: Tensor
    std: Tensor
    bits: Tensor
    z: Tensor
    decoded: Tensor
    decoded_tokens: list[list[str]]
    decoded_roles: list[list[str | None]]
    decoded_spread: list[list[Spread]]
    confidence: Tensor
    decoded_text: str

    @property
    def wrong(self) -> Tensor:
        """True where a counted token did not come back, shape (S, K)."""
        return (self.decoded != self.ids) & self.counted

    @property
    def total(self) -> int:
        """Tokens counted."""
        return int(self.counted.sum())

    @property
    def correct(self) -> int:
        """Tokens that came back."""
        return self.total - int(self.wrong.sum())

    @property
    def bits_to_name(self) -> float:
        """K log2 V: bits that are enough to name any K tokens."""
        return self.ids.shape[1] * math.log2(self.vocab_size)

    def to_dict(self, digits: int = 4) -> dict[str, Any]:
        """Plain data, numbers rounded to ``digits`` places after the point."""
        chunks = [
            {
                "ids": self.ids[i].tolist(),
                "tokens": self.tokens[i],
                "roles": self.roles[i],
                "spread": self.spread[i],
                "counted": self.counted[i].tolist(),
                "mean": _rounded(self.mean[i], digits),
                "std": _rounded(self.std[i], digits),
                "bits": _rounded(self.bits[i], digits),
                "z": _rounded(self.z[i], digits),
                "decoded": self.decoded_tokens[i],
                "decoded_roles": self.decoded_roles[i],
                "decoded_spread": self.decoded_spread[i],
                "confidence": _rounded(self.confidence[i], digits),
                "wrong": self.wrong[i].tolist(),
            }
            for i in range(self.ids.shape[0])
        ]
        return {
            "chunk_size": self.ids.shape[1],
            "latent_size": self.mean.shape[1],
            "vocab_size": self.vocab_size,
            "bits_to_name": round(self.bits_to_name, digits),
            "sigma": self.sigma,
            "total": self.total,
            "correct": self.correct,
            "decoded_text": self.decoded_text,
            "chunks": chunks,
        }


def _rounded(values: Tensor, digits: int) -> list[float]:
    return [round(value, digits) for value in values.tolist()]


@torch.no_grad()
def read_text(
    model: Autoencoder, text: str, sigma: float = 0.0, seed: int = 0, max_tokens: int | None = None
) -> Reading:
    """Encode a text, add noise to every vector, and decode.

    The noise of a chunk depends on the seed and the chunk's place only: turning sigma up moves every vector along a
    straight line, and typing on leaves earlier chunks as they were.

    Args:
        model: an autoencoder with a tokenizer.
        text: at least one character.
        sigma: standard deviation of the noise, in [0, 10].
        seed: of the noise.
        max_tokens: refuse longer texts.

    Returns:
        The reading; S = ceil((T + 1) / K) for a text of T tokens, as the end token follows the last one.

    Raises:
        InputError: for an empty or too long text, a sigma out of range, or a model without a tokenizer.
    """
    if not 0 <= sigma <= MAX_SIGMA:
        raise InputError(f"sigma must lie between 0 and {MAX_SIGMA:g}, not {sigma:g}")
    ids = text_ids(model, text, max_tokens)
    tokenizer = model.tokenizer
    assert tokenizer is not None  # text_ids has refused a model without one
    posterior = model.encode(ids)  # (1, S, l)
    mean, std = posterior.mean[0], posterior.std[0]  # (S, l)
    z = mean + sigma * chunk_noise(seed, *mean.shape).to(mean)
    decoded, confidence = decode_with_confidence(model, z)  # (S, K) each
    chunks = model.chunked(ids)[0]  # (S, K)
    size = model.config.chunk_size
    return Reading(
        vocab_size=model.config.vocab_size,
        sigma=float(sigma),
        ids=chunks.cpu(),
        tokens=[tokenizer.pieces(chunk) for chunk in chunks.tolist()],
        roles=[roles(tokenizer, chunk) for chunk in chunks.tolist()],
        spread=_rows(spread(tokenizer, ids[0].tolist()), size),
        counted=(chunks != model.config.pad_id).cpu(),
        mean=mean.cpu(),
        std=std.cpu(),
        bits=(posterior.kl()[0] / math.log(2)).cpu(),
        z=z.cpu(),
        decoded=decoded.cpu(),
        decoded_tokens=[tokenizer.pieces(chunk) for chunk in decoded.tolist()],
        decoded_roles=[roles(tokenizer, chunk) for chunk in decoded.tolist()],
        decoded_spread=_rows(spread(tokenizer, decoded.flatten().tolist()), size),
        confidence=confidence.cpu(),
        decoded_text=tokenizer.decode(decoded.flatten().tolist()),
    )


def text_ids(model: Autoencoder, text: str, max_tokens: int | None = None) -> Tensor:
    """The ids of a text, the end token and padding to a whole chunk, shape (1, T).

    Raises:
        InputError: for an empty or too long text, or a model without a tokenizer.
    """
    if model.tokenizer is None:
        raise InputError("this autoencoder has no tokenizer: add its tokenizer.json to the folder")
    if not text:
        raise InputError("there is no text to encode: type at least one character")
    tokens = model.tokenizer.encode(text)
    if max_tokens is not None and len(tokens) > max_tokens:
        raise InputError(f"the text has {len(tokens):,} tokens: shorten it to at most {max_tokens:,}")
    row = [*tokens, model.config.eos_id]
    row += [model.config.pad_id] * (-len(row) % model.config.chunk_size)
    return torch.tensor([row], device=model.output_weight.device)


def chunk_noise(seed: int, chunks: int, size: int) -> Tensor:
    """Standard normal noise (chunks, size): that of a chunk depends on the seed and its place only."""
    stream = random_stream(seed)
    return torch.stack([torch.randn(size, generator=stream) for _ in range(chunks)])


def _rows(values: list[Spread], size: int) -> list[list[Spread]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


@torch.no_grad()
def decode_with_confidence(model: Autoencoder, z: Tensor) -> tuple[Tensor, Tensor]:
    """The most probable tokens behind vectors, and how probable they are.

    Args:
        model: the autoencoder.
        z: vectors, shape (R, l).

    Returns:
        Ids (R, K), as ``Autoencoder.decode`` gives them, and their probabilities (R, K).
    """
    config = model.config
    rows = max(1, BLOCK_ELEMENTS // (config.vocab_size * config.chunk_size))
    ids, confidence = [], []
    for part in z.split(rows):
        largest, found = model.decode_logits(part).float().softmax(-1).max(-1)  # (rows, K) each
        ids.append(pad_after_end(found, config.eos_id, config.pad_id) if config.pad_after_end else found)
        confidence.append(largest)
    return torch.cat(ids), torch.cat(confidence)
