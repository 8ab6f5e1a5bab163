"""A second, slow reading of the official layout: obvious code, straight from the tables of names and shapes.

Every function takes the raw tensors under their official names, in float64, and plain settings. It goes one position,
one head, one token at a time where a loop says it best, and shares no line with calm_lab.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

Tensors = dict[str, Tensor]
Settings = dict[str, Any]


def silu(x: Tensor) -> Tensor:
    return x / (1 + torch.exp(-x))


def linear(t: Tensors, name: str, x: Tensor) -> Tensor:
    y = x @ t[f"{name}.weight"].T
    return y + t[f"{name}.bias"] if f"{name}.bias" in t else y


def rms_norm(t: Tensors, name: str, x: Tensor, eps: float) -> Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * t[f"{name}.weight"]


def plain_layer_norm(x: Tensor, eps: float = 1e-6) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / torch.sqrt((centred * centred).mean(-1, keepdim=True) + eps)


def layer_norm(t: Tensors, name: str, x: Tensor) -> Tensor:
    return plain_layer_norm(x) * t[f"{name}.weight"] + t[f"{name}.bias"]


def swiglu(t: Tensors, name: str, x: Tensor) -> Tensor:
    return linear(t, f"{name}.down_proj", silu(linear(t, f"{name}.gate_proj", x)) * linear(t, f"{name}.up_proj", x))


# --- autoencoder


def autoencoder_layer(t: Tensors, name: str, x: Tensor, eps: float) -> Tensor:
    return x + swiglu(t, f"{name}.mlp", rms_norm(t, f"{name}.layernorm", x, eps))


def encode(t: Tensors, s: Settings, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Ids (B, T) -> mean and log std, each (B, S, l)."""
    size, half, eps = s["patch_size"], s["num_encoder_layers"] // 2, s["rms_norm_eps"]
    rows = []
    for row in ids.tolist():
        features = []
        for start in range(0, len(row), size):
            tokens = [t["encoder.embed_tokens.weight"][index] for index in row[start : start + size]]
            for layer in range(half):
                tokens = [autoencoder_layer(t, f"encoder.encoder_layers.{layer}", x, eps) for x in tokens]
            x = linear(t, "encoder.squeeze_layer", torch.cat(tokens))
            for layer in range(half, 2 * half):
                x = autoencoder_layer(t, f"encoder.encoder_layers.{layer}", x, eps)
            features.append(linear(t, "encoder.hidden_to_latent", rms_norm(t, "encoder.norm", x, eps)))
        rows.append(torch.stack(features))
    both = torch.stack(rows)
    return both[..., : s["latent_size"]], both[..., s["latent_size"] :]


def decode_logits(t: Tensors, s: Settings, z: Tensor) -> Tensor:
    """One latent vector (l,) -> logits (K, V)."""
    size, half, eps = s["patch_size"], s["num_decoder_layers"] // 2, s["rms_norm_eps"]
    x = linear(t, "decoder.latent_to_hidden", z.double())
    for layer in range(half):
        x = autoencoder_layer(t, f"decoder.decoder_layers.{layer}", x, eps)
    wide = linear(t, "decoder.expand_layer", x)
    output = t.get("decoder.lm_head_weight", t["encoder.embed_tokens.weight"])
    logits = []
    for index in range(size):
        y = wide[index * len(x) : (index + 1) * len(x)]
        for layer in range(half, 2 * half):
            y = autoencoder_layer(t, f"decoder.decoder_layers.{layer}", y, eps)
        logits.append(output @ rms_norm(t, "decoder.norm", y, eps))
    return torch.stack(logits)


# --- backbone


def frequencies(s: Settings, size: int) -> list[float]:
    """Rotary frequencies of one head of ``size``, with the linear and the Llama-3 stretching rule."""
    plain = [s["rope_theta"] ** (-2 * pair / size) for pair in range(size // 2)]
    scaling = s.get("rope_scaling")
    if not scaling:
        return plain
    factor = scaling["factor"]
    if scaling.get("rope_type", scaling.get("type")) == "linear":
        return [f / factor for f in plain]
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    original = scaling["original_max_position_embeddings"]
    stretched = []
    for f in plain:
        wavelength = 2 * math.pi / f
        if wavelength < original / high:
            stretched.append(f)
        elif wavelength > original / low:
            stretched.append(f / factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            stretched.append((1 - smooth) * f / factor + smooth * f)
    return stretched


def turn(x: Tensor, position: int, frequency: list[float]) -> Tensor:
    """Rotate each pair (i, i + D/2) of a vector (D,) by its angle."""
    turned, half = x.clone(), len(frequency)
    for i, f in enumerate(frequency):
        cos, sin = math.cos(position * f), math.sin(position * f)
        turned[i] = x[i] * cos - x[i + half] * sin
        turned[i + half] = x[i + half] * cos + x[i] * sin
    return turned


def attention(t: Tensors, s: Settings, name: str, x: Tensor) -> Tensor:
    """(S, H) -> (S, H), one head and one position at a time."""
    heads = s["num_attention_heads"]
    size = x.shape[1] // heads
    query, key, value = (linear(t, f"{name}.{part}_proj", x) for part in "qkv")
    groups = key.shape[1] // size
    frequency = frequencies(s, size)
    out = torch.zeros(x.shape[0], heads * size, dtype=torch.float64)
    for head in range(heads):
        mine, shared = slice(head * size, (head + 1) * size), head // (heads // groups)
        theirs = slice(shared * size, (shared + 1) * size)
        keys = [turn(key[j, theirs], j, frequency) for j in range(x.shape[0])]
        for i in range(x.shape[0]):
            q = turn(query[i, mine], i, frequency)
            scores = torch.stack([q @ keys[j] for j in range(i + 1)]) / math.sqrt(size)
            out[i, mine] = torch.softmax(scores, 0) @ value[: i + 1, theirs]
    return linear(t, f"{name}.o_proj", out)


def hidden_states(t: Tensors, s: Settings, ids: Tensor) -> Tensor:
    """Ids (B, T) -> hidden states (B, S, H)."""
    eps, rows = s["rms_norm_eps"], []
    for row in ids:
        x = t["transformer.embed_tokens.weight"][row].reshape(len(row) // s["patch_size"], -1)
        x = layer_norm(t, "embed_proj.3", linear(t, "embed_proj.2", silu(linear(t, "embed_proj.0", x))))
        for layer in range(s["num_hidden_layers"]):
            name = f"transformer.layers.{layer}"
            x = x + attention(t, s, f"{name}.self_attn", rms_norm(t, f"{name}.input_layernorm", x, eps))
            x = x + swiglu(t, f"{name}.mlp", rms_norm(t, f"{name}.post_attention_layernorm", x, eps))
        rows.append(rms_norm(t, "transformer.norm", x, eps))
    return torch.stack(rows)


# --- heads


def energy_sample(t: Tensors, s: Settings, hidden: Tensor, noise: Tensor) -> Tensor:
    """Hidden state (H,), centred noise (s,) -> latent (l,)."""
    p = "mlp_generator" if "mlp_generator.noise_embd.weight" in t else "generative_head"
    x = layer_norm(t, f"{p}.norm_noise", linear(t, f"{p}.noise_embd", noise.double()))
    y = layer_norm(t, f"{p}.norm_hidden", linear(t, f"{p}.hidden_embd", hidden.double()))
    for block in range(s["num_mlp_layers"]):
        b = f"{p}.mlp_blocks.{block}"
        h = linear(t, f"{b}.linears.0", torch.cat([layer_norm(t, f"{b}.in_ln", x), y]))
        h = linear(t, f"{b}.linears.4", silu(linear(t, f"{b}.linears.2", silu(h))))
        gate, up = h[: len(x)], h[len(x) :]
        x = x + linear(t, f"{b}.down_proj", silu(gate) * up)
    x = layer_norm(t, f"{p}.final_layer.in_ln", x)
    return linear(t, f"{p}.final_layer.linears.2", silu(linear(t, f"{p}.final_layer.linears.0", x)))


def denoiser(t: Tensors, s: Settings, x: Tensor, time: float, hidden: Tensor) -> Tensor:
    """Noised latent (l,), time in thousandths, hidden state (H,) -> (l,) or (2 l,)."""
    p = "generative_head.net"
    angles = [time * 10000.0 ** (-i / 128) for i in range(128)]
    features = torch.tensor([math.cos(a) for a in angles] + [math.sin(a) for a in angles], dtype=torch.float64)
    c = linear(t, f"{p}.time_embed.mlp.2", silu(linear(t, f"{p}.time_embed.mlp.0", features)))
    c = silu(c + linear(t, f"{p}.cond_embed", hidden.double()))
    h = linear(t, f"{p}.input_proj", x.double())
    for block in range(s["num_mlp_layers"]):
        b = f"{p}.res_blocks.{block}"
        shift, scale, gate = linear(t, f"{b}.adaLN_modulation.1", c).chunk(3)
        y = layer_norm(t, f"{b}.in_ln", h) * (1 + scale) + shift
        h = h + gate * linear(t, f"{b}.mlp.2", silu(linear(t, f"{b}.mlp.0", y)))
    shift, scale = linear(t, f"{p}.final_layer.adaLN_modulation.1", c).chunk(2)
    return linear(t, f"{p}.final_layer.linear", plain_layer_norm(h) * (1 + scale) + shift)


def flow_sample(t: Tensors, s: Settings, hidden: Tensor, start: Tensor, steps: int, solver: str) -> Tensor:
    """Integrate the velocity from a start (l,) at time 0 to time 1; time is seen in whole thousandths."""

    def velocity(x: Tensor, numerator: int, denominator: int) -> Tensor:
        return denoiser(t, s, x, 1000 * numerator // denominator, hidden)

    x = start.double()
    for step in range(steps):
        v = velocity(x, step, steps)
        if solver == "midpoint":
            v = velocity(x + v / (2 * steps), 2 * step + 1, 2 * steps)
        x = x + v / steps
    return x


def diffusion_sample(t: Tensors, s: Settings, hidden: Tensor, start: Tensor, noise: Tensor) -> Tensor:
    """Walk back through len(noise) evenly placed steps of the cosine schedule: start (l,), noise (steps, l)."""
    kept = [1.0]
    for i in range(1000):
        a, b = (math.cos((j / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for j in (i, i + 1))
        kept.append(kept[-1] * (1 - min(1 - b / a, 0.999)))
    steps = len(noise)
    places = [round(i * 999 / (steps - 1)) for i in range(steps)]
    cumulative = [kept[place + 1] for place in places]
    x, size = start.double(), len(start)
    for turn_index, i in enumerate(reversed(range(steps))):
        now, before = cumulative[i], cumulative[i - 1] if i else 1.0
        beta = 1 - now / before
        posterior = beta * (1 - before) / (1 - now)
        if i == 0:
            floor = 1 - cumulative[1] / cumulative[0]
            posterior = floor * (1 - cumulative[0]) / (1 - cumulative[1])
        answer = denoiser(t, s, x, places[i], hidden)
        clean = x / math.sqrt(now) - math.sqrt(1 / now - 1) * answer[:size]
        share = (answer[size:] + 1) / 2
        log_variance = share * math.log(beta) + (1 - share) * math.log(posterior)
        mean = math.sqrt(before) * beta / (1 - now) * clean
        mean = mean + (1 - before) * math.sqrt(1 - beta) / (1 - now) * x
        x = mean if i == 0 else mean + torch.exp(log_variance / 2) * noise[turn_index].double()
    return x
