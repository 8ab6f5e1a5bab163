"""The causal Transformer under CALM and under the token baseline: LLaMA's, with a preallocated key/value cache.

A position here is a chunk for CALM and a token for the baseline; the backbone does not know which (paper sec. 3, 4.1).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from calm_lab.errors import InputError
from calm_lab.model.config import BackboneConfig
from calm_lab.model.layers import RMSNorm, SwiGLU, init_linear


class KVCache:
    """Keys and values of the positions seen so far, in tensors allocated once.

    Attributes:
        length: positions filled.
        capacity: positions there is room for.
    """

    def __init__(self, config: BackboneConfig, batch: int, capacity: int, like: Tensor):
        shape = (config.num_layers, batch, config.kv_heads, capacity, config.head_size)
        self.keys = like.new_empty(shape)
        self.values = like.new_empty(shape)
        self.length = 0
        self.capacity = capacity

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write (B, G, S, D) keys and values after those present; return all of them."""
        end = self.length + keys.shape[2]
        if end > self.capacity:
            raise InputError(f"the cache holds {self.capacity} positions, {end} are needed: allocate a larger one")
        self.keys[layer, :, :, self.length : end] = keys
        self.values[layer, :, :, self.length : end] = values
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]


class Attention(nn.Module):
    """Causal self-attention with rotary positions and grouped key/value heads."""

    def __init__(self, config: BackboneConfig):
        super().__init__()
        width, size, bias = config.hidden_size, config.head_size, config.attention_bias
        self.config = config
        self.query = nn.Linear(width, config.num_heads * size, bias=bias)
        self.key = nn.Linear(width, config.kv_heads * size, bias=bias)
        self.value = nn.Linear(width, config.kv_heads * size, bias=bias)
        self.out = nn.Linear(config.num_heads * size, width, bias=bias)

    def forward(
        self, x: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor | None, cache: KVCache | None, layer: int
    ) -> Tensor:
        """(B, S, d) -> (B, S, d); ``mask`` (S, positions) is true where attention is allowed, None is causal."""
        size = self.config.head_size
        q, k, v = (part(x).unflatten(-1, (-1, size)).transpose(1, 2) for part in (self.query, self.key, self.value))
        q, k = rotate(q, *rotary), rotate(k, *rotary)  # (B, A, S, D), (B, G, S, D)
        if cache is not None:
            k, v = cache.extend(layer, k, v)
        groups = self.config.num_heads // self.config.kv_heads
        if groups > 1:
            k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
        causal = mask is None and q.shape[2] > 1
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)  # (B, A, S, D)
        return self.out(mixed.transpose(1, 2).flatten(-2))


class Block(nn.Module):
    """One layer: attention, then SwiGLU, each behind a norm and beside a residual path."""

    def __init__(self, config: BackboneConfig):
        super().__init__()
        self.attention_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.attention = Attention(config)
        self.mlp_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = SwiGLU(config.hidden_size, config.intermediate_size, config.mlp_bias)

    def forward(
        self, x: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor | None, cache: KVCache | None, layer: int
    ) -> Tensor:
        """(B, S, d) -> (B, S, d)."""
        x = x + self.attention(self.attention_norm(x), rotary, mask, cache, layer)
        return x + self.mlp(self.mlp_norm(x))


class Backbone(nn.Module):
    """Embedded positions to hidden states; position i sees positions 0..i."""

    def __init__(self, config: BackboneConfig):
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.checkpointing = False  # recompute activations in the backward pass: less memory, a third more time
        init_linear(self)

    def forward(
        self, x: Tensor, cache: KVCache | None = None, positions: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Run the stack.

        Args:
            x: embedded positions, shape (B, S, d).
            cache: earlier positions; x continues after them and is added to them.
            positions: the place of each entry of x, shape (S,); by default the next S places.
            mask: true where an entry of x may look, shape (S, earlier + S); by default all earlier ones and itself.

        Returns:
            Hidden states after the final norm, shape (B, S, d).
        """
        seen = 0 if cache is None else cache.length
        count = x.shape[1]
        if positions is None:
            positions = torch.arange(seen, seen + count, device=x.device)
        if mask is None and seen and count > 1:
            columns = torch.arange(seen + count, device=x.device)
            mask = columns[None, :] <= torch.arange(seen, seen + count, device=x.device)[:, None]
        rotary = rotary_table(self.config, positions)
        for index, layer in enumerate(self.layers):
            if self.checkpointing and self.training and cache is None:
                x = torch.utils.checkpoint.checkpoint(layer, x, rotary, mask, None, index, use_reentrant=False)
            else:
                x = layer(x, rotary, mask, cache, index)
        if cache is not None:
            cache.length = seen + count
        return self.norm(x)

    def cache(self, batch: int, capacity: int) -> KVCache:
        """An empty cache for ``batch`` rows of up to ``capacity`` positions."""
        return KVCache(self.config, batch, capacity, self.norm.weight)


def rotary_table(config: BackboneConfig, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary embedding at ``positions`` (S,): two tensors (S, D)."""
    half = config.head_size // 2
    steps = torch.arange(half, device=positions.device, dtype=torch.float32) / half
    frequency = scaled_frequencies(config.rope_theta**-steps, config.rope_scaling)  # (D / 2,)
    angle = positions[:, None].float() * frequency
    angle = torch.cat([angle, angle], dim=-1)  # (S, D)
    return angle.cos(), angle.sin()


def scaled_frequencies(frequency: Tensor, scaling: dict[str, object] | None) -> Tensor:
    """Stretch rotary frequencies (D/2,) by the rule that a checkpoint's config.json names (none, linear, llama3)."""
    if not scaling:
        return frequency
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    factor = float(scaling.get("factor", 1.0))  # type: ignore[arg-type]
    if kind == "default":
        return frequency
    if kind == "linear":
        return frequency / factor
    if kind != "llama3":
        raise InputError(f"rope_scaling of type '{kind}' is not known here: use default, linear or llama3")
    low, high = float(scaling["low_freq_factor"]), float(scaling["high_freq_factor"])  # type: ignore[arg-type]
    original = float(scaling["original_max_position_embeddings"])  # type: ignore[arg-type]
    turns = original * frequency / (2 * math.pi)  # full turns within the original context
    share = ((turns - low) / (high - low)).clamp(0, 1)  # 1 keeps a frequency, 0 divides it by the factor
    return frequency * (share + (1 - share) / factor)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (i, i + D/2) of the last axis by its position's angle: (B, A, S, D) -> the same shape."""
    first, second = x.chunk(2, dim=-1)
    turned = torch.cat([-second, first], dim=-1)
    return (x * cos + turned * sin).to(x.dtype)
