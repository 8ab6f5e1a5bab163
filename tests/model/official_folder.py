"""Random checkpoint folders in the official layout, of any size and in every way of storing them.

``Recipe`` says what to build; ``tensors_of`` makes the raw tensors from the tables of names and shapes, ``write`` puts
them into a folder. Nothing here uses calm_lab.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Recipe:
    """One checkpoint: sizes under their official names, and how it is stored."""

    kind: str = "energy"  # autoencoder, energy, flow, diffusion
    patch_size: int = 4
    vocab_size: int = 37
    latent_size: int = 6
    ae_hidden: int = 10
    ae_inner: int = 14
    encoder_layers: int = 2
    decoder_layers: int = 2
    hidden_size: int = 16
    inner: int = 20
    layers: int = 2
    heads: int = 4
    kv_heads: int = 4
    blocks: int = 2
    noise_size: int = 5
    num_samples: int = 3
    beta: float = 1.0
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
    eps: float = 1e-6
    ae_eps: float = 1e-6
    mlp_bias: bool = False
    ae_mlp_bias: bool = False
    attention_bias: bool = False
    tied: bool = True
    store_output: bool = True
    prefixes: tuple[str, ...] = ("mlp_generator.", "generative_head.")
    extra_buffers: bool = False
    file: str = "model.safetensors"  # or pytorch_model.bin
    shards: int = 1
    legacy_pickle: bool = False
    dtype: torch.dtype = torch.float32
    config: dict[str, Any] = field(default_factory=dict)  # replaces fields of config.json
    absent: tuple[str, ...] = ()  # fields left out of config.json
    seed: int = 0

    def autoencoder_settings(self) -> dict[str, Any]:
        return {
            "patch_size": self.patch_size,
            "latent_size": self.latent_size,
            "num_encoder_layers": self.encoder_layers,
            "num_decoder_layers": self.decoder_layers,
            "rms_norm_eps": self.ae_eps,
        }

    def settings(self) -> dict[str, Any]:
        return {
            "patch_size": self.patch_size,
            "latent_size": self.latent_size,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_mlp_layers": self.blocks,
            "rope_theta": self.rope_theta,
            "rope_scaling": self.rope_scaling,
            "rms_norm_eps": self.eps,
        }


class _Maker:
    """Random tensors under names; sizes such that values stay near 1 through all layers."""

    def __init__(self, seed: int):
        self.stream = torch.Generator().manual_seed(seed)
        self.tensors: Tensors = {}

    def normal(self, name: str, *shape: int, std: float = 1.0) -> None:
        self.tensors[name] = torch.randn(shape, generator=self.stream) * std

    def linear(self, name: str, out: int, inside: int, bias: bool = True) -> None:
        self.normal(f"{name}.weight", out, inside, std=inside**-0.5)
        if bias:
            self.normal(f"{name}.bias", out, std=0.3)

    def gain(self, name: str, size: int, bias: bool = False) -> None:
        self.tensors[f"{name}.weight"] = 1 + 0.3 * torch.randn(size, generator=self.stream)
        if bias:
            self.normal(f"{name}.bias", size, std=0.3)

    def mlp(self, name: str, size: int, inner: int, bias: bool) -> None:
        self.linear(f"{name}.gate_proj", inner, size, bias)
        self.linear(f"{name}.up_proj", inner, size, bias)
        self.linear(f"{name}.down_proj", size, inner, bias)


def autoencoder_tensors(r: Recipe) -> Tensors:
    """An autoencoder under its official names; ``decoder.lm_head_weight`` is the embedding unless it is not tied."""
    m, h, size, latent = _Maker(r.seed), r.ae_hidden, r.patch_size, r.latent_size
    m.normal("encoder.embed_tokens.weight", r.vocab_size, h)
    for side, count in (("encoder", r.encoder_layers), ("decoder", r.decoder_layers)):
        for layer in range(count):
            m.mlp(f"{side}.{side}_layers.{layer}.mlp", h, r.ae_inner, r.ae_mlp_bias)
            m.gain(f"{side}.{side}_layers.{layer}.layernorm", h)
        m.gain(f"{side}.norm", h)
    m.linear("encoder.squeeze_layer", h, size * h)
    m.linear("encoder.hidden_to_latent", 2 * latent, h)
    m.linear("decoder.latent_to_hidden", h, latent)
    m.linear("decoder.expand_layer", size * h, h)
    if not r.tied:
        m.normal("decoder.lm_head_weight", r.vocab_size, h)
    elif r.store_output:
        m.tensors["decoder.lm_head_weight"] = m.tensors["encoder.embed_tokens.weight"]
    return m.tensors


def _energy_head(m: _Maker, r: Recipe) -> None:
    h, p = r.hidden_size, "head"
    m.linear(f"{p}.noise_embd", h, r.noise_size)
    m.linear(f"{p}.hidden_embd", h, h)
    m.gain(f"{p}.norm_noise", h, bias=True)
    m.gain(f"{p}.norm_hidden", h, bias=True)
    for block in range(r.blocks):
        b = f"{p}.mlp_blocks.{block}"
        m.gain(f"{b}.in_ln", h, bias=True)
        m.linear(f"{b}.linears.0", h, 2 * h)
        m.linear(f"{b}.linears.2", h, h)
        m.linear(f"{b}.linears.4", 2 * h, h)
        m.linear(f"{b}.down_proj", h, h)
    m.gain(f"{p}.final_layer.in_ln", h, bias=True)
    m.linear(f"{p}.final_layer.linears.0", h, h)
    m.linear(f"{p}.final_layer.linears.2", r.latent_size, h)


def _denoiser(m: _Maker, r: Recipe) -> None:
    h, p = r.hidden_size, "generative_head.net"
    m.linear(f"{p}.time_embed.mlp.0", h, 256)
    m.linear(f"{p}.time_embed.mlp.2", h, h)
    m.linear(f"{p}.cond_embed", h, h)
    m.linear(f"{p}.input_proj", h, r.latent_size)
    for block in range(r.blocks):
        b = f"{p}.res_blocks.{block}"
        m.gain(f"{b}.in_ln", h, bias=True)
        m.linear(f"{b}.mlp.0", h, h)
        m.linear(f"{b}.mlp.2", h, h)
        m.linear(f"{b}.adaLN_modulation.1", 3 * h, h)
    m.linear(f"{p}.final_layer.adaLN_modulation.1", 2 * h, h)
    m.linear(f"{p}.final_layer.linear", r.latent_size * (2 if r.kind == "diffusion" else 1), h)


def tensors_of(r: Recipe) -> Tensors:
    """All tensors of the checkpoint, in float32."""
    inner = autoencoder_tensors(r)
    if r.kind == "autoencoder":
        return inner
    m, h, size = _Maker(r.seed + 1), r.hidden_size, r.hidden_size // r.heads
    m.normal("transformer.embed_tokens.weight", r.vocab_size, h)
    for layer in range(r.layers):
        name = f"transformer.layers.{layer}"
        m.linear(f"{name}.self_attn.q_proj", r.heads * size, h, r.attention_bias)
        m.linear(f"{name}.self_attn.k_proj", r.kv_heads * size, h, r.attention_bias)
        m.linear(f"{name}.self_attn.v_proj", r.kv_heads * size, h, r.attention_bias)
        m.linear(f"{name}.self_attn.o_proj", h, r.heads * size, r.attention_bias)
        m.mlp(f"{name}.mlp", h, r.inner, r.mlp_bias)
        m.gain(f"{name}.input_layernorm", h)
        m.gain(f"{name}.post_attention_layernorm", h)
    m.gain("transformer.norm", h)
    m.linear("embed_proj.0", 2 * h, r.patch_size * h)
    m.linear("embed_proj.2", h, 2 * h)
    m.gain("embed_proj.3", h, bias=True)
    if r.kind == "energy":
        _energy_head(m, r)
        head = {name.removeprefix("head."): t for name, t in m.tensors.items() if name.startswith("head.")}
        m.tensors = {name: t for name, t in m.tensors.items() if not name.startswith("head.")}
        m.tensors |= {prefix + name: t for prefix in r.prefixes for name, t in head.items()}
    else:
        _denoiser(m, r)
    if r.extra_buffers:
        for layer in range(r.layers):
            m.tensors[f"transformer.layers.{layer}.self_attn.rotary_emb.inv_freq"] = torch.ones(size // 2)
        m.tensors["transformer.rotary_emb.inv_freq"] = torch.ones(size // 2)
        m.tensors["transformer.position_ids"] = torch.arange(9)
    return m.tensors | {f"ae_model.{name}": t for name, t in inner.items()}


def config_of(r: Recipe) -> dict[str, Any]:
    """The config.json that the official code writes; it has no ``model_type``."""
    data: dict[str, Any] = {
        "vocab_size": r.vocab_size,
        "patch_size": r.patch_size,
        "latent_size": r.latent_size,
        "hidden_act": "silu",
        "pad_token_id": 3,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    if r.kind == "autoencoder":
        data |= {
            "architectures": ["Autoencoder"],
            "hidden_size": r.ae_hidden,
            "intermediate_size": r.ae_inner,
            "num_encoder_layers": r.encoder_layers,
            "num_decoder_layers": r.decoder_layers,
            "rms_norm_eps": r.ae_eps,
            "mlp_bias": r.ae_mlp_bias,
            "ae_dropout": 0.15,
            "kl_clamp": 0.5,
            "kl_weight": 0.001,
        }
    else:
        data |= {
            "architectures": [f"{r.kind.capitalize()}Transformer"],
            "ae_path": "/nowhere/on/this/machine",
            "hidden_size": r.hidden_size,
            "intermediate_size": r.inner,
            "num_hidden_layers": r.layers,
            "num_attention_heads": r.heads,
            "num_key_value_heads": r.kv_heads,
            "num_mlp_layers": r.blocks,
            "noise_size": r.noise_size,
            "num_samples": r.num_samples,
            "beta": r.beta,
            "rope_theta": r.rope_theta,
            "rope_scaling": r.rope_scaling,
            "rms_norm_eps": r.eps,
            "mlp_bias": r.mlp_bias,
            "attention_bias": r.attention_bias,
        }
    return {name: value for name, value in (data | r.config).items() if name not in r.absent}


def write(folder: Path, r: Recipe) -> Tensors:
    """Write the folder; returns its tensors as stored, in float64 for the reference to read."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.to(r.dtype) if t.is_floating_point() else t for name, t in tensors_of(r).items()}
    (folder / "config.json").write_text(json.dumps(config_of(r), indent=2))
    names = list(tensors)
    parts = [names[index :: r.shards] for index in range(r.shards)]
    stem, _, kind = r.file.partition(".")
    weight_map = {}
    for index, part in enumerate(parts):
        file = r.file if r.shards == 1 else f"{stem}-{index + 1:05d}-of-{r.shards:05d}.{kind}"
        stored = {name: tensors[name] for name in part}
        if kind == "safetensors":
            save_file({name: t.clone() for name, t in stored.items()}, folder / file)
        else:
            torch.save(stored, folder / file, _use_new_zipfile_serialization=not r.legacy_pickle)
        weight_map |= dict.fromkeys(part, file)
    if r.shards > 1:
        index_file = {"metadata": {"total_size": 1}, "weight_map": weight_map}
        (folder / f"{r.file}.index.json").write_text(json.dumps(index_file))
    return {name: t.double() for name, t in tensors.items()}
