"""The baseline's own dial: a token Transformer has probabilities, so temperature divides its logits (paper sec. 5).

``softmax(logits / T)`` is P^(1/T) / Z for every T above 0, also above 1: what CALM's samplers need repeated draws for
is one division here. ``generate_tokens`` continues prompts in a batch, ids in and ids out; ``write_tokens`` streams
text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from calm_lab.device import generator as random_stream
from calm_lab.errors import InputError
from calm_lab.memory import require_bytes
from calm_lab.model.transformer import TokenTransformer
from calm_lab.text.stream import TextStream


def check_softmax_temperature(temperature: float) -> float:
    """Refuse a temperature that logits cannot be divided by: it must be a finite number above 0."""
    if isinstance(temperature, bool) or not isinstance(temperature, int | float) or not 0 < temperature < math.inf:
        raise InputError(f"a softmax takes a temperature above 0, such as 0.5 or 1, not {temperature!r}")
    return float(temperature)


def log_law(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Log of the next token's law at a temperature: logits (..., V) -> float32 (..., V)."""
    logits = logits.float()
    if temperature != 1:
        # The largest becomes 0 first, so that a tiny T makes -inf of the others and never inf - inf.
        logits = (logits - logits.amax(-1, keepdim=True)) / temperature
    return torch.log_softmax(logits, -1)


@torch.no_grad()
def generate_tokens(
    model: TokenTransformer,
    ids: Tensor,
    max_length: int,
    *,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Continue prompts token by token until every row has ended or is full.

    Args:
        model: the baseline.
        ids: prompts of equal length behind their begin token, shape (B, T), T >= 1.
        max_length: ids a row may hold, the prompt's included.
        temperature: T above 0.
        generator: the random stream.

    Returns:
        Prompt and continuation, shape (B, at most ``max_length``); rows that ended are filled with padding.

    Raises:
        InputError: for an empty prompt, one longer than ``max_length``, or a temperature that is not above 0.
    """
    check_softmax_temperature(temperature)
    if ids.dim() != 2 or not 1 <= ids.shape[1] <= max_length:
        raise InputError(f"prompts must have shape (B, T) with 1 to {max_length} tokens, not {tuple(ids.shape)}")
    parts = [ids, *_steps(model, ids, max_length - ids.shape[1], temperature, generator)]
    return torch.cat(parts, -1)


def write_tokens(
    model: TokenTransformer,
    prompt: str = "",
    temperature: float = 1.0,
    max_tokens: int = 256,
    seed: int | None = None,
) -> Iterator[str]:
    """Continue a prompt, and give out text as soon as it is certain.

    Args:
        model: the baseline, with a tokenizer.
        prompt: the text to continue; "" starts a document.
        temperature: T above 0.
        max_tokens: stop after so many tokens, or at the end token.
        seed: of all randomness; ``None`` draws one.

    Yields:
        Pieces of text, one a token; a piece may be empty.

    Raises:
        InputError: if the model has no tokenizer, or an argument is out of its domain.
    """
    check_softmax_temperature(temperature)
    if model.tokenizer is None:
        raise InputError("this model has no tokenizer: add its tokenizer.json to the folder")
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 1:
        raise InputError(f"max_tokens must be a whole number of at least 1, not {max_tokens!r}")
    backbone = model.config.backbone
    kept = 8 * max_tokens * backbone.num_layers * backbone.kv_heads * backbone.head_size
    require_bytes(kept, f"writing {max_tokens:,} tokens", "choose a smaller max_tokens", model.output_weight.device)
    device = model.output_weight.device
    ids = torch.tensor([[model.config.bos_id, *model.tokenizer.encode(prompt)]], device=device)
    return _texts(model, ids, temperature, max_tokens, random_stream(seed, device))


def _texts(
    model: TokenTransformer, ids: Tensor, temperature: float, max_tokens: int, stream: torch.Generator
) -> Iterator[str]:
    assert model.tokenizer is not None
    text = TextStream(model.tokenizer)
    for token in _steps(model, ids, max_tokens, temperature, stream):
        yield text.push(token[0].tolist())
    yield text.finish()


def _steps(
    model: TokenTransformer, ids: Tensor, count: int, temperature: float, generator: torch.Generator | None
) -> Iterator[Tensor]:
    """Up to ``count`` next tokens of each row, (B, 1) each, padding after its end token."""
    cache = model.backbone.cache(ids.shape[0], ids.shape[1] + count)
    ended = torch.zeros(ids.shape[0], 1, dtype=torch.bool, device=ids.device)
    for _ in range(count):
        with torch.no_grad():
            hidden = model.hidden_states(ids, cache)[:, -1]
            law = log_law(F.linear(hidden, model.output_weight), temperature).exp()
            drawn = torch.multinomial(law, 1, generator=generator)  # (B, 1)
        ids = drawn.masked_fill(ended, model.config.pad_id)
        ended = ended | (ids == model.config.eos_id)
        yield ids
        if bool(ended.all()):
            return
