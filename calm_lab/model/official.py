"""Read checkpoints in the layout of the authors' released code (github shaochenze/calm), and only here say "patch".

A folder holds ``config.json`` and either ``model.safetensors`` or ``pytorch_model.bin``, whole or in shards with an
index. What the official code forgets to write is inferred from the tensors: the kind of head (``model_type``), the
key/value heads (its default is 12 whatever the model has), the autoencoder's sizes (its own folder, ``ae_path``, is a
path on the machine that trained it), whether the output matrix is the embedding.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path, PureWindowsPath
from typing import Any

import torch

from calm_lab.errors import CheckpointError
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.config import AutoencoderConfig, BackboneConfig, CalmConfig, HeadConfig, HeadKind, from_dict
from calm_lab.model.official_names import (
    AUTOENCODER_NAMES,
    DENOISER_NAMES,
    ENERGY_NAMES,
    MODEL_NAMES,
    NOT_WEIGHTS,
    rename,
)
from calm_lab.model.stored import Tensors, read_folder, read_json

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


def load_official(folder: Path, autoencoder: Path | None = None) -> Autoencoder | CALM:
    """Load an autoencoder or a CALM from a folder in the official layout.

    Args:
        folder: config.json and weights.
        autoencoder: for a CALM, the official folder of its autoencoder. Only needed where the weights hold none; a
            folder of the name in ``ae_path`` beside or inside ``folder`` is found without it. The weights stored with
            the CALM come first, the folder's config.json then tells what shapes do not (the norms' epsilon).

    Raises:
        CheckpointError: if files are missing, damaged, refused for safety, or do not fit each other.
    """
    config = read_json(folder / "config.json")
    tensors = _weights(folder)
    if any(name.startswith("transformer.") for name in tensors):
        model: Autoencoder | CALM = _calm(folder, config, tensors, autoencoder)
        tokenized: Autoencoder = model.autoencoder  # type: ignore[assignment]
    else:
        model = tokenized = _autoencoder(folder, config, tensors)
    checkpoint.attach_tokenizer(tokenized, folder)
    model.name = str(folder)
    return model.requires_grad_(isinstance(model, Autoencoder))


def _weights(folder: Path) -> Tensors:
    tensors = {name: t for name, t in read_folder(folder, WEIGHT_FILES).items() if not NOT_WEIGHTS.search(name)}
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise CheckpointError(f"{folder}: '{name}' holds {tensor.dtype}, not floating-point numbers")
    return tensors


def _shape(folder: Path, tensors: Tensors, name: str) -> torch.Size:
    if name not in tensors or tensors[name].dim() != 2 or not tensors[name].numel():
        raise CheckpointError(f"{folder}: the matrix '{name}' is missing; these weights are of no official CALM model")
    return tensors[name].shape


def _count(tensors: Tensors, prefix: str) -> int:
    pattern = re.compile(re.escape(prefix) + r"(\d+)\.")
    return len({match.group(1) for name in tensors if (match := pattern.match(name))})


def _field(config: dict[str, Any], name: str, default: object) -> Any:
    """A field of config.json; null means the default, as everywhere in these files."""
    value = config.get(name)
    return default if value is None else value


def _autoencoder(folder: Path, config: dict[str, Any], tensors: Tensors) -> Autoencoder:
    """Build the autoencoder whose tensors these are; sizes come from their shapes, the rest from ``config``."""
    vocab, width = _shape(folder, tensors, "encoder.embed_tokens.weight")
    layers = {side: _count(tensors, f"{side}.{side}_layers.") for side in ("encoder", "decoder")}
    inner = width
    if max(layers.values()):
        side = max(layers, key=lambda name: layers[name])
        inner = _shape(folder, tensors, f"{side}.{side}_layers.0.mlp.gate_proj.weight")[0]
    _check_activation(folder, config)
    dropout = _field(config, "ae_dropout", 0.15)
    ours = from_dict(
        AutoencoderConfig,
        {
            "vocab_size": vocab,
            "chunk_size": _shape(folder, tensors, "encoder.squeeze_layer.weight")[1] // width,
            "latent_size": _shape(folder, tensors, "decoder.latent_to_hidden.weight")[1],
            "hidden_size": width,
            "intermediate_size": inner,
            # Half of the layers run on each side of the squeeze; with an odd number the last is stored but never used.
            "num_encoder_layers": layers["encoder"] // 2 * 2,
            "num_decoder_layers": layers["decoder"] // 2 * 2,
            "mlp_bias": any(name.endswith("mlp.gate_proj.bias") for name in tensors),
            "tied": _tied(tensors),
            "kl_weight": _field(config, "kl_weight", 1e-3),
            "kl_clip": _field(config, "kl_clamp", 0.5),
            "drop_token": dropout,
            "drop_latent": dropout,
            "mask_id": 0,  # the official code hides a token behind id 0, a real token in its vocabulary
            "rms_norm_eps": _field(config, "rms_norm_eps", 1e-6),
            "pad_after_end": False,
            **_special_ids(config, vocab),
        },
        str(folder / "config.json"),
    )
    model = checkpoint.build("autoencoder", ours, folder)
    checkpoint.load_state(model, rename(_in_our_layers(tensors, layers, ours.tied), AUTOENCODER_NAMES), folder)
    assert isinstance(model, Autoencoder)
    return model


def _tied(tensors: Tensors) -> bool:
    """Whether the output matrix is the embedding: not stored, the same memory, or equal."""
    stored, embedding = tensors.get("decoder.lm_head_weight"), tensors["encoder.embed_tokens.weight"]
    if stored is None or stored.data_ptr() == embedding.data_ptr():
        return True
    if stored.dtype != embedding.dtype:
        stored, embedding = stored.float(), embedding.float()
    return torch.equal(stored, embedding)


def _in_our_layers(tensors: Tensors, layers: dict[str, int], tied: bool) -> Tensors:
    """The autoencoder's tensors with each layer under its half, and without what is never used."""
    kept: Tensors = {}
    for name, tensor in tensors.items():
        if name == "decoder.lm_head_weight" and tied:
            continue
        match = re.match(r"(encoder|decoder)\.(?:encoder|decoder)_layers\.(\d+)\.(.*)", name)
        if match:
            side, index, rest = match.group(1), int(match.group(2)), match.group(3)
            half = layers[side] // 2
            if index >= 2 * half:
                continue
            first, second = ("token_layers", "chunk_layers") if side == "encoder" else ("chunk_layers", "token_layers")
            name = f"{side}.{first}.{index}.{rest}" if index < half else f"{side}.{second}.{index - half}.{rest}"
        kept[name] = tensor
    return kept


def _autoencoder_of(folder: Path, config: dict[str, Any], tensors: Tensors, given: Path | None) -> Autoencoder:
    """The autoencoder under a CALM: its weights from ``tensors``, else from its own folder; its config from there."""
    inner = {name.removeprefix("ae_model."): t for name, t in tensors.items() if name.startswith("ae_model.")}
    places = [given] if given else _places(folder, config.get("ae_path"))
    place = next((place for place in places if (place / "config.json").is_file()), None)
    if place is None and given is not None:
        raise CheckpointError(f"{given}: no config.json here; give the official folder of the autoencoder")
    if not inner:
        if place is None:
            raise CheckpointError(
                f"{folder}: holds no autoencoder (no tensor named ae_model.*); give its own folder besides"
            )
        return _autoencoder(place, read_json(place / "config.json"), _weights(place))
    shared = ("rms_norm_eps", "pad_token_id", "bos_token_id", "eos_token_id", "hidden_act")
    fields = {name: config[name] for name in shared if name in config}
    if place is not None:
        own = read_json(place / "config.json")
        if _fits(own, folder, inner):
            fields = own
        elif given is not None:
            raise CheckpointError(f"{given}: is another autoencoder than the one stored in {folder}")
    return _autoencoder(folder, fields, inner)


def _places(folder: Path, ae_path: object) -> list[Path]:
    """Where the autoencoder's folder may lie on this machine: beside or inside the model's, under its own name."""
    name = PureWindowsPath(ae_path).name if isinstance(ae_path, str) else ""  # splits at both kinds of slash
    return [folder.parent / name, folder / name] if name not in ("", ".", "..") and "\0" not in name else []


def _fits(config: dict[str, Any], folder: Path, tensors: Tensors) -> bool:
    """Whether ``config`` is of the autoencoder whose tensors these are, by its sizes."""
    vocab, width = _shape(folder, tensors, "encoder.embed_tokens.weight")
    sizes = {
        "vocab_size": vocab,
        "hidden_size": width,
        "patch_size": _shape(folder, tensors, "encoder.squeeze_layer.weight")[1] // width,
        "latent_size": _shape(folder, tensors, "decoder.latent_to_hidden.weight")[1],
    }
    return all(config.get(name) == size for name, size in sizes.items())


def _calm(folder: Path, config: dict[str, Any], tensors: Tensors, given: Path | None) -> CALM:
    """Build the CALM whose tensors these are, over the autoencoder stored among them."""
    _check_activation(folder, config)
    autoencoder = _autoencoder_of(folder, config, tensors, given)
    vocab, width = _shape(folder, tensors, "transformer.embed_tokens.weight")
    source = str(folder / "config.json")
    kind, prefix = _head_kind(folder, tensors)
    head = from_dict(
        HeadConfig,
        {
            "kind": kind,
            "num_blocks": _count(tensors, f"{prefix}mlp_blocks." if kind == "energy" else f"{prefix}res_blocks."),
            "noise_size": _shape(folder, tensors, f"{prefix}noise_embd.weight")[1] if kind == "energy" else 64,
            "num_samples": _field(config, "num_samples", 8),
            "alpha": _field(config, "beta", 1.0),
            "whole_time_steps": True,
        },
        source,
    )
    ours = from_dict(
        CalmConfig,
        {
            "vocab_size": vocab,
            "chunk_size": autoencoder.config.chunk_size,
            "latent_size": autoencoder.config.latent_size,
            **_special_ids(config, vocab),
        },
        source,
    )
    ours = dataclasses.replace(ours, backbone=_backbone(folder, config, tensors, width), head=head)
    model = checkpoint.build("calm", ours, folder, autoencoder)
    assert isinstance(model, CALM)
    kept = {n: t for n, t in tensors.items() if not n.startswith("ae_model.") and _in_one_head(n, prefix)}
    names = rename(kept, MODEL_NAMES, ENERGY_NAMES if kind == "energy" else DENOISER_NAMES)
    own = {f"autoencoder.{name}": t for name, t in autoencoder.state_dict().items()}
    checkpoint.load_state(model, names | own, folder)
    return model


def _backbone(folder: Path, config: dict[str, Any], tensors: Tensors, width: int) -> BackboneConfig:
    heads = config.get("num_attention_heads")
    if heads is None:
        raise CheckpointError(
            f"{folder / 'config.json'}: num_attention_heads is missing, and no tensor's shape tells it"
        )
    if not isinstance(heads, int) or isinstance(heads, bool) or heads < 1 or width % heads:
        raise CheckpointError(f"{folder / 'config.json'}: num_attention_heads must divide the width {width}")
    rope = config.get("rope_parameters")  # where later versions of transformers write what follows
    rope = rope if isinstance(rope, dict) else {}
    scaling = config.get("rope_scaling")
    return from_dict(
        BackboneConfig,
        {
            "hidden_size": width,
            "intermediate_size": _shape(folder, tensors, "transformer.layers.0.mlp.gate_proj.weight")[0],
            "num_layers": _count(tensors, "transformer.layers."),
            "num_heads": heads,
            "num_kv_heads": _shape(folder, tensors, "transformer.layers.0.self_attn.k_proj.weight")[0]
            // (width // heads),
            "rope_theta": _field(config, "rope_theta", _field(rope, "rope_theta", 10000.0)),
            "rope_scaling": scaling if scaling is not None else rope or None,
            "rms_norm_eps": _field(config, "rms_norm_eps", 1e-6),
            "attention_bias": any(name.endswith("self_attn.q_proj.bias") for name in tensors),
            "mlp_bias": any(name.startswith("transformer.") and name.endswith("gate_proj.bias") for name in tensors),
        },
        str(folder / "config.json"),
    )


def _in_one_head(name: str, prefix: str) -> bool:
    """Whether ``name`` is outside the head or under ``prefix``: the energy head is stored under two names."""
    return name.startswith(prefix) or not name.startswith(("mlp_generator.", "generative_head."))


def _head_kind(folder: Path, tensors: Tensors) -> tuple[HeadKind, str]:
    """The kind of head and the prefix of its tensors, from their names and shapes alone."""
    for prefix in ("mlp_generator.", "generative_head."):
        if f"{prefix}noise_embd.weight" in tensors:
            return "energy", prefix
    prefix = "generative_head.net."
    final, start = (tensors.get(f"{prefix}{name}.weight") for name in ("final_layer.linear", "input_proj"))
    if final is None or start is None or final.dim() != 2 or start.dim() != 2:
        raise CheckpointError(f"{folder}: these weights hold no energy, flow or diffusion head")
    return ("diffusion" if final.shape[0] == 2 * start.shape[1] else "flow"), prefix


def _special_ids(config: dict[str, Any], vocab: int) -> dict[str, Any]:
    """Our names for the special ids: of a list of end tokens the first; the end token pads where nothing else does."""

    def known(name: str, default: int) -> int:
        value = config.get(name)
        value = value[0] if isinstance(value, list) and value else value
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default

    eos = known("eos_token_id", min(2, vocab - 1))
    return {"bos_id": known("bos_token_id", min(1, vocab - 1)), "eos_id": eos, "pad_id": known("pad_token_id", eos)}


def _check_activation(folder: Path, config: dict[str, Any]) -> None:
    if _field(config, "hidden_act", "silu") not in ("silu", "swish"):
        raise CheckpointError(f"{folder / 'config.json'}: this hidden_act is not supported, only silu")
