"""Model folders: written whole or not at all, read with suspicion.

A folder holds ``config.json`` (kind and sizes), ``model.safetensors``, ``tokenizer.json`` and ``card.json`` (how it was
made and what it reaches). A CALM folder holds its autoencoder in ``autoencoder/``, or names a bundled one. A run folder
holds ``checkpoints/step-N/`` folders; loading it takes the newest. Folders in the official layout are recognised and
handed to ``calm_lab.model.official``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from calm_lab.errors import CheckpointError, InputError, TokenizerError, choose_from
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.checks import shown
from calm_lab.model.config import AutoencoderConfig, CalmConfig, TransformerConfig, from_dict, to_dict
from calm_lab.model.replacing import replacing, set_aside
from calm_lab.model.stored import Tensors, first_line, read_json, read_tensors, write_tensors
from calm_lab.model.transformer import TokenTransformer
from calm_lab.text.tokenizer import Tokenizer

Model = Autoencoder | CALM | TokenTransformer
ASSETS = Path(__file__).resolve().parent.parent / "assets" / "models"
DEFAULT_AUTOENCODER = "autoencoder-k4"
FORMAT = 1
FILES = ("config.json", "model.safetensors", "tokenizer.json", "card.json", "autoencoder")
_KINDS = {"autoencoder": AutoencoderConfig, "calm": CalmConfig, "transformer": TransformerConfig}
_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def bundled() -> dict[str, Path]:
    """Names of the models that come with calm_lab, and their folders."""
    if not ASSETS.is_dir():
        return {}
    return {path.parent.name: path.parent for path in sorted(ASSETS.glob("*/config.json"))}


def resolve(name_or_path: str | os.PathLike[str]) -> Path:
    """The folder that holds a model's ``config.json``.

    Args:
        name_or_path: a bundled name, a model folder, or a run folder (then its newest checkpoint).

    Raises:
        CheckpointError: if there is none.
    """
    name = os.fspath(name_or_path)
    name = DEFAULT_AUTOENCODER if name == "default" else name
    if name in bundled():
        return bundled()[name]
    try:
        path = Path(name).expanduser()
        if (path / "config.json").is_file():
            return path
        steps = sorted((path / "checkpoints").glob("step-*/config.json"))
        if steps:
            return steps[-1].parent
        interrupted = set_aside(path)
        if interrupted is not None:
            return interrupted
        exists = path.is_dir()
    except (OSError, RuntimeError, ValueError) as error:  # no such user, no permission, a name too long for the disk
        raise CheckpointError(f"{shown(name)}: cannot be read ({first_line(error)}); give a model folder") from error
    if exists:
        raise CheckpointError(f"{path}: no config.json here; give the folder that 'calm-lab train' wrote")
    remedy = " (or give the path of a model folder; 'calm-lab import-official OWNER/NAME OUT' fetches one from the hub)"
    raise CheckpointError(choose_from(name, bundled(), "model") + remedy)


def load_state(model: nn.Module, tensors: Tensors, source: Path) -> None:
    """Put ``tensors`` into ``model``, after checking that names and shapes are exactly the model's."""
    expected = model.state_dict()
    missing = sorted(set(expected) - set(tensors))
    extra = sorted(set(tensors) - set(expected))
    if missing or extra:
        what = f"lacks '{missing[0]}'" if missing else f"has the unknown tensor '{extra[0]}'"
        raise CheckpointError(f"{source}: {what}; config and weights are not of the same model")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            shapes = f"{tuple(tensor.shape)}, the config says {tuple(expected[name].shape)}"
            raise CheckpointError(f"{source}: '{name}' has shape {shapes}")
        if not tensor.is_floating_point():
            raise CheckpointError(f"{source}: '{name}' holds {tensor.dtype}, not floating-point numbers")
    # assign: the tensors read become the parameters, so that large vocabularies are never held twice
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)


def build(kind: str, config: Any, source: Path, autoencoder: Autoencoder | None = None) -> Model:
    """A model of ``kind`` on the meta device: shapes without memory, to be filled by ``load_state``.

    Raises:
        CheckpointError: if no such model can be built; the message names ``source``.
    """
    try:
        with torch.device("meta"):
            if kind == "autoencoder":
                return Autoencoder(config)
            if kind == "transformer":
                return TokenTransformer(config)
            assert autoencoder is not None
            return CALM(config, autoencoder)
    except (TypeError, ValueError, RuntimeError, OverflowError, MemoryError) as error:  # sizes beyond 64 bits do these
        raise CheckpointError(f"{source}: these sizes make no model ({first_line(error)})") from error


def _check_depth(config: Any, tensors: Tensors, source: Path) -> None:
    """Refuse more layers than tensors before anything is built: a damaged number could ask for 10^12 of them."""
    parts = [getattr(config, "backbone", None), getattr(config, "head", None), config]
    fields = ("num_layers", "num_blocks", "num_encoder_layers", "num_decoder_layers")
    depth = max(getattr(part, name, 0) for part in parts for name in fields)
    if depth > len(tensors):
        raise CheckpointError(f"{source}: {depth} layers do not fit the {len(tensors)} tensors beside it")


def load(name_or_path: str | os.PathLike[str], device: torch.device | str = "cpu") -> Model:
    """Load any model folder, in evaluation mode.

    Args:
        name_or_path: see ``resolve``.
        device: where to put it.

    Raises:
        CheckpointError: if the folder is missing, damaged, or of an unknown kind.
    """
    folder = resolve(name_or_path)
    data = read_json(folder / "config.json")
    if "format" not in data:
        from calm_lab.model.official import load_official

        return load_official(folder).to(device).eval()
    if data["format"] != FORMAT:
        raise CheckpointError(f"{folder}: format {shown(data['format'])} is not known to this version; update calm_lab")
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise CheckpointError(f"{folder / 'config.json'}: " + choose_from(str(kind), _KINDS, "kind"))
    config = from_dict(_KINDS[kind], data.get("config"), str(folder / "config.json"))
    autoencoder = _autoencoder_of(folder, data) if kind == "calm" else None
    tensors = read_tensors(folder / "model.safetensors")
    _check_depth(config, tensors, folder / "config.json")
    model = build(kind, config, folder / "config.json", autoencoder)
    if isinstance(model, CALM):
        tensors |= {f"autoencoder.{name}": t for name, t in model.autoencoder.state_dict().items()}
    load_state(model, tensors, folder / "model.safetensors")
    if not isinstance(model, CALM):
        attach_tokenizer(model, folder)
    model.name = folder.name if folder.parent == ASSETS else str(folder)
    return model.requires_grad_(not isinstance(model, CALM)).to(device).eval()


def attach_tokenizer(model: Autoencoder | TokenTransformer, folder: Path) -> None:
    """Give ``model`` the folder's tokenizer, if it has one.

    Raises:
        CheckpointError: if the file is damaged, or a text could get an id that the model has no row for.
    """
    if not (folder / "tokenizer.json").exists():
        return
    tokenizer = load_tokenizer(folder)
    # Padding may lie behind the vocabulary, where our tokenizer puts it if the file has none; no text contains it.
    largest = tokenizer.vocab_size - 1
    used = largest - 1 if largest == tokenizer.pad_id else largest
    if used >= model.config.vocab_size:
        raise CheckpointError(
            f"{folder}: the tokenizer has {tokenizer.vocab_size} entries, the model {model.config.vocab_size}; "
            "they are not of the same model"
        )
    model.tokenizer = tokenizer


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a model folder."""
    try:
        return Tokenizer.load(folder / "tokenizer.json")
    except TokenizerError as error:
        raise CheckpointError(str(error)) from error


def _autoencoder_of(folder: Path, data: dict[str, Any]) -> Autoencoder:
    """The autoencoder a CALM folder brings or names; a name is looked up among bundled models only, never as a path."""
    name = data.get("autoencoder")
    if name is None:
        inner = load(folder / "autoencoder")
    elif isinstance(name, str) and name in bundled():
        inner = load(name)
    else:
        raise CheckpointError(f"{folder}: " + choose_from(str(name), bundled(), "bundled autoencoder"))
    if not isinstance(inner, Autoencoder):
        raise CheckpointError(f"{folder}: its autoencoder folder holds a {type(inner).__name__}")
    return inner


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a model folder; empty where there is none."""
    return read_json(folder / "card.json") if (folder / "card.json").exists() else {}


def save(
    model: Model,
    folder: str | os.PathLike[str],
    card: dict[str, Any] | None = None,
    *,
    dtype: str = "float32",
    autoencoder: str | None = None,
    extra: Callable[[Path], None] | None = None,
) -> Path:
    """Write a model folder; an existing model there is replaced only when the new one is complete.

    Args:
        model: what to save.
        folder: where.
        card: recipe, data, machine and metrics, as JSON data.
        dtype: of the weights on disk: float32, float16 or bfloat16.
        autoencoder: for a CALM, the bundled name to refer to instead of writing its autoencoder.
        extra: writes more files into the folder before it takes its place.

    Raises:
        CheckpointError: if the folder holds something else, cannot be written, or the disk is full.
        InputError: for an unknown dtype, or a card that is no JSON data.
    """
    if dtype not in _DTYPES:
        raise InputError(choose_from(str(dtype), _DTYPES, "dtype"))
    kind = "autoencoder" if isinstance(model, Autoencoder) else "calm" if isinstance(model, CALM) else "transformer"
    with replacing(Path(folder), FILES) as target:
        data: dict[str, Any] = {"format": FORMAT, "kind": kind, "config": to_dict(model.config)}
        if isinstance(model, CALM):
            data["autoencoder"] = autoencoder
            if autoencoder is None:
                save(model.autoencoder, target / "autoencoder", dtype=dtype)
        write_json(target / "config.json", data)
        if card is not None:
            write_json(target / "card.json", card)
        if model.tokenizer is not None and not isinstance(model, CALM):
            model.tokenizer.save(target / "tokenizer.json")
        parts = {n: t for n, t in model.state_dict().items() if kind != "calm" or not n.startswith("autoencoder.")}
        tensors = {n: t.detach().to("cpu", _DTYPES[dtype]) for n, t in parts.items()}
        write_tensors(target / "model.safetensors", tensors)
        if extra is not None:
            extra(target)
    return Path(folder)


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write ``data`` as indented JSON, whole or not at all; InputError if it is no JSON data."""
    try:
        text = json.dumps(data, indent=1, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path.name} takes JSON data only: {first_line(error)}") from error
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    unfinished.write_text(text + "\n", "utf-8")
    unfinished.replace(path)
