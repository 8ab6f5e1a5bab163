"""The models a visitor may choose from: the bundled ones and those in one folder, each loaded when first used.

A name from the page or the API is looked up on the shelf and never taken as a path.
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import torch

from calm_lab.device import pick_device
from calm_lab.errors import CheckpointError, choose_from
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.transformer import TokenTransformer

Kind = Literal["autoencoder", "calm", "transformer"]
FIRST = {
    "autoencoder": ("autoencoder-k4",),
    "calm": ("calm-littleland-k4", "calm-storyland-k4", "calm-andersen-k4"),
    "transformer": (),
}
_NONE = {
    "autoencoder": "there is no autoencoder: train one (calm-lab train autoencoder) and give its folder with --models",
    "calm": "there is no CALM: train one (calm-lab train calm) and give its folder with --models",
    "transformer": "there is no Transformer: train one (calm-lab train transformer), give its folder with --models",
}
_loading = threading.Lock()


@dataclass(frozen=True)
class Entry:
    """A model on the shelf.

    Attributes:
        name: what the page and the API call it.
        folder: where it lies.
        kind: autoencoder, calm or transformer.
        config: its config.json as read.
        card: its card.json, or nothing.
        autoencoder: of a CALM, the bundled autoencoder that it names; nothing where it brings its own.
    """

    name: str
    folder: Path
    kind: Kind
    config: dict[str, Any] = field(repr=False)
    card: dict[str, Any] = field(repr=False)
    autoencoder: str | None = None

    @property
    def corpus(self) -> str:
        """The corpus its card names, else its own name."""
        data = self.card.get("data")
        corpus = data.get("corpus") if isinstance(data, dict) else None
        return str(corpus or self.name)

    @property
    def address(self) -> str:
        """What ``calm_lab.load_autoencoder`` and ``load_model`` take: the name of a bundled model, else its folder."""
        return self.name if self.folder.parent == checkpoint.ASSETS else str(self.folder)

    @property
    def metrics(self) -> dict[str, Any]:
        """The headline metrics of its card."""
        metrics = self.card.get("metrics")
        metrics = metrics if isinstance(metrics, dict) else {}
        headline = metrics.get("headline", metrics)
        return headline if isinstance(headline, dict) else {}


class Shelf:
    """Bundled models, and those in ``folder`` (model folders and run folders).

    Raises:
        CheckpointError: if ``folder`` is given and is no folder.
        InputError: if the device cannot be used.
    """

    def __init__(self, folder: Path | None = None, device: str = "auto"):
        if folder is not None and not folder.is_dir():
            raise CheckpointError(f"{folder}: no such folder; give the one that holds your model folders")
        self.folder = folder
        self.device = pick_device(device)

    def entries(self, kind: Kind) -> dict[str, Entry]:
        """What can be chosen, best first choice first. The folder is read anew: a run may have ended since."""
        found = dict(checkpoint.bundled())
        if self.folder is not None:
            own = [self.folder] if (self.folder / "config.json").is_file() else sorted(self.folder.iterdir())
            found |= {path.name: path for path in own if path.is_dir() and not path.name.startswith(".")}
        entries = (_entry(name, path) for name, path in found.items())
        kept = {entry.name: entry for entry in entries if entry is not None and entry.kind == kind}
        first = [name for name in FIRST[kind] if name in kept]
        return {name: kept[name] for name in [*first, *(name for name in kept if name not in first)]}

    def entry(self, kind: Kind, name: str = "default") -> Entry:
        """The model called ``name``; "default" is the first.

        Raises:
            CheckpointError: if there is none.
        """
        entries = self.entries(kind)
        if not entries:
            raise CheckpointError(_NONE[kind])
        if name is None or name in ("default", ""):
            return next(iter(entries.values()))
        if not isinstance(name, str) or name not in entries:  # a raw call may send anything
            raise CheckpointError(choose_from(str(name)[:80], entries, "model"))
        return entries[name]

    def autoencoder(self, name: str = "default") -> Autoencoder:
        """Load an autoencoder, once."""
        return cast(Autoencoder, self._load(self.entry("autoencoder", name)))

    def calm(self, name: str = "default") -> CALM:
        """Load a CALM, once."""
        return cast(CALM, self._load(self.entry("calm", name)))

    def transformer(self, name: str = "default") -> TokenTransformer:
        """Load a token Transformer, once."""
        return cast(TokenTransformer, self._load(self.entry("transformer", name)))

    def _load(self, entry: Entry) -> checkpoint.Model:
        with _loading:  # two visitors at once must not load it twice
            return _load(entry.folder, (entry.folder / "config.json").stat().st_mtime_ns, self.device)


@functools.lru_cache(maxsize=8)
def _load(folder: Path, changed: int, device: torch.device) -> checkpoint.Model:
    return checkpoint.load(folder, device)


@functools.lru_cache(maxsize=256)
def _read(folder: Path, changed: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
    try:
        return checkpoint.read_json(folder / "config.json"), checkpoint.read_card(folder)
    except CheckpointError:
        return None  # a damaged folder beside good ones must not hide them


def _entry(name: str, path: Path) -> Entry | None:
    try:
        folder = checkpoint.resolve(path)
        read = _read(folder, (folder / "config.json").stat().st_mtime_ns)
    except (CheckpointError, OSError):
        return None
    if read is None or read[0].get("kind") not in FIRST:
        return None
    config, inner = read[0].get("config"), read[0].get("autoencoder")
    known = config if isinstance(config, dict) else {}
    return Entry(name, folder, read[0]["kind"], known, read[1], inner if isinstance(inner, str) else None)
