"""``calm-lab models``: the models at hand, and what their cards say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from calm_lab.cli.commands import COMMANDS
from calm_lab.cli.parsing import parse


@dataclass(frozen=True)
class ModelsOptions:
    """Which models to show.

    Attributes:
        card: show the whole card of this model: a bundled name or a folder.
        folder: list the model and run folders in here as well.
        make: train and measure this bundled model again, by its own recipe.
        out: where --make or --map writes its folder; by default among the bundled ones.
        resume: go on with a --make that was interrupted.
        noise: measure the noise sweep (tab Noise dial) of every bundled autoencoder that has read tales and lacks one.
        map: compute the latent map of this bundled autoencoder again.
        page: write the page of the bundled models, Markdown, to this file.
    """

    card: Annotated[str | None, tyro.conf.arg(metavar="MODEL")] = None
    folder: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    make: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    resume: bool = False
    noise: bool = False
    map: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    page: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None


def run(args: list[str]) -> int:
    """List the models, or print one card as JSON."""
    command = COMMANDS["models"]
    options = parse(ModelsOptions, args, prog="calm-lab models", summary=command.summary, example=command.example)

    if options.make is not None:
        from calm_lab.lab.bundled import make

        print(f"wrote {make(options.make, options.out, resume=options.resume)}")
        return 0

    if options.noise:
        from calm_lab.lab.noise_measure import measure_missing

        for path in measure_missing():
            print(f"wrote {path}", flush=True)
        print("every bundled autoencoder that has read tales has its noise sweep")
        return 0

    if options.map is not None:
        from calm_lab.lab.latent_map.make import make_map

        print(f"wrote {make_map(options.map, options.out, _progress)}")
        return 0

    if options.page is not None:
        from calm_lab.lab.models_page import models_page

        options.page.write_text(models_page(), "utf-8")
        print(f"wrote {options.page}")
        return 0

    from calm_lab.errors import CheckpointError
    from calm_lab.model.checkpoint import bundled, read_card, resolve

    if options.card is not None:
        print(json.dumps(read_card(resolve(options.card)), indent=1, ensure_ascii=False))
        return 0
    found: dict[str, Path] = dict(bundled())
    if options.folder is not None:
        if not options.folder.is_dir():
            raise CheckpointError(f"{options.folder}: no such folder; give the one that holds your model folders")
        for path in sorted(options.folder.iterdir()):
            try:
                found[str(path)] = resolve(path)
            except CheckpointError:
                continue  # something else may lie between the models
    for name, folder in found.items():
        print(f"{name:<24} {describe(folder)}")
    if not found:
        print("no models: reinstall calm_lab for the bundled ones, or train one: calm-lab train --help")
    return 0


def _progress(stage: str, done: int, total: int) -> None:
    """One line a stage that counts up where it stands."""
    print(f"\r{stage} {done:,} of {total:,}", end="\n" if done == total else "", flush=True)


def describe(folder: Path) -> str:
    """One line about the model in ``folder``: kind, sizes, corpus and the metrics of its card.

    Raises:
        CheckpointError: if its config or card is damaged.
    """
    from calm_lab.model.checkpoint import read_card, read_json

    data, card = read_json(folder / "config.json"), read_card(folder)
    config: Any = data.get("config")
    config = config if isinstance(config, dict) else data
    sizes = [f"{letter}={config[key]}" for letter, key in SIZES.items() if key in config]
    corpus = card.get("data", {}).get("corpus") if isinstance(card.get("data"), dict) else None
    metrics = card.get("metrics") if isinstance(card.get("metrics"), dict) else {}
    headline = (metrics or {}).get("headline", metrics)
    shown = [f"{name} {value:.4g}" for name, value in _headline(headline if isinstance(headline, dict) else {})]
    parts = [
        str(data.get("kind", "official layout")),
        " ".join(sizes),
        f"on {corpus}" if corpus else "",
        ", ".join(shown),
    ]
    return "; ".join(part for part in parts if part)


SIZES = {"K": "chunk_size", "l": "latent_size", "V": "vocab_size"}
HEADLINE = ("brier_lm", "ceiling", "share_of_ceiling", "clean", "sigma_0.3")


def _headline(metrics: dict[str, Any]) -> list[tuple[str, float]]:
    return [(name, float(metrics[name])) for name in HEADLINE if isinstance(metrics.get(name), int | float)]
