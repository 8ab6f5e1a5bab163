"""Load a model by name or path: the first line of every notebook."""

from __future__ import annotations

import os
from typing import cast

from calm_lab.device import pick_device
from calm_lab.errors import CheckpointError
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.transformer import TokenTransformer

DEFAULTS = {
    Autoencoder: checkpoint.DEFAULT_AUTOENCODER,
    CALM: "calm-storyland-k4",
    TokenTransformer: "transformer-storyland",
}
_NAMES = {Autoencoder: "an autoencoder", CALM: "a CALM", TokenTransformer: "a token Transformer"}


def load_autoencoder(name_or_path: str | os.PathLike[str] = "default", device: str = "cpu") -> Autoencoder:
    """Load an autoencoder.

    Args:
        name_or_path: ``"default"``, a bundled name, a folder of ours or a run, or one in the official layout.
        device: ``cpu``, ``cuda``, ``mps`` or ``auto``.

    Raises:
        CheckpointError: if it is missing, damaged, or another kind of model (a CALM gives its autoencoder).
    """
    model = _load(name_or_path, device, Autoencoder)
    if isinstance(model, CALM):
        return model.autoencoder
    return cast(Autoencoder, _checked(model, Autoencoder, name_or_path))


def load_model(name_or_path: str | os.PathLike[str] = "default", device: str = "cpu") -> CALM:
    """Load a CALM, with any of the three heads.

    Args:
        name_or_path: ``"default"``, a bundled name, a folder of ours or a run, or one in the official layout.
        device: ``cpu``, ``cuda``, ``mps`` or ``auto``.

    Raises:
        CheckpointError: if it is missing, damaged, or another kind of model.
    """
    return cast(CALM, _checked(_load(name_or_path, device, CALM), CALM, name_or_path))


def load_transformer(name_or_path: str | os.PathLike[str] = "default", device: str = "cpu") -> TokenTransformer:
    """Load a token-level baseline; arguments and errors as for ``load_model``."""
    model = _load(name_or_path, device, TokenTransformer)
    return cast(TokenTransformer, _checked(model, TokenTransformer, name_or_path))


def load_writer(name_or_path: str | os.PathLike[str] = "default", device: str = "cpu") -> CALM | TokenTransformer:
    """Load whatever can write text, a CALM or the baseline; arguments and errors as for ``load_model``."""
    model = _load(name_or_path, device, CALM)
    return model if isinstance(model, TokenTransformer) else cast(CALM, _checked(model, CALM, name_or_path))


def _load(name_or_path: str | os.PathLike[str], device: str, kind: type) -> checkpoint.Model:
    name = DEFAULTS[kind] if os.fspath(name_or_path) == "default" else name_or_path
    return checkpoint.load(name, pick_device(device))


def _checked(model: checkpoint.Model, kind: type, name: str | os.PathLike[str]) -> checkpoint.Model:
    if not isinstance(model, kind):
        example = f", such as '{DEFAULTS[kind]}'" if DEFAULTS[kind] in checkpoint.bundled() else ""
        raise CheckpointError(
            f"{os.fspath(name)}: this is {_NAMES[type(model)]}, not {_NAMES[kind]}; give one of those{example}"
        )
    return model
