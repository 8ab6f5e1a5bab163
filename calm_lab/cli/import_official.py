"""``calm-lab import-official``: a checkpoint in the layout of the paper's authors becomes a calm_lab folder.

Every command also loads such a folder as it is; importing makes it self-contained, safetensors only, and quick to open.
The two places may be written without their names: ``calm-lab import-official cccczshao/CALM-M runs/calm-m``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from calm_lab.cli.commands import COMMANDS
from calm_lab.cli.parsing import parse


@dataclass(frozen=True)
class ImportOptions:
    """What to read and where to write.

    Attributes:
        source: folder with config.json and model.safetensors or pytorch_model.bin, whole or in shards; or OWNER/NAME on
            the Hugging Face hub.
        out: folder to write; it must be new or empty.
        tokenizer: tokenizer.json to put beside the weights, where the source has none.
        autoencoder: folder or OWNER/NAME of a CALM's autoencoder, where the source holds none.
        dtype: of the weights on disk.
    """

    source: Annotated[str, tyro.conf.arg(metavar="FOLDER|OWNER/NAME")]
    out: Annotated[Path, tyro.conf.arg(metavar="FOLDER")]
    tokenizer: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    autoencoder: Annotated[str | None, tyro.conf.arg(metavar="FOLDER|OWNER/NAME")] = None
    dtype: Literal["float32", "float16", "bfloat16"] = "float32"


def run(args: list[str]) -> int:
    """Load, check, and write; nothing is overwritten."""
    command = COMMANDS["import-official"]
    options = parse(
        ImportOptions,
        with_names(args),
        prog="calm-lab import-official",
        summary=command.summary,
        example=command.example,
    )
    from calm_lab.model.checkpoint import load
    from calm_lab.model.hub import import_official

    place = import_official(
        options.source,
        options.out,
        options.dtype,
        tokenizer=options.tokenizer,
        autoencoder=options.autoencoder,
    )
    model = load(place)
    hint = "" if model.tokenizer else "; it has no tokenizer, so add one with --tokenizer to read and write text"
    print(f"wrote {place}: {sum(p.numel() for p in model.parameters()):,} parameters{hint}")
    return 0


def with_names(args: list[str]) -> list[str]:
    """``FOLDER OUT ...`` as ``--source FOLDER --out OUT ...``; arguments that have their names stay as they are."""
    first = next((index for index, word in enumerate(args) if word.startswith("-")), len(args))
    named = [word for pair in zip(("--source", "--out"), args[: min(first, 2)], strict=False) for word in pair]
    return [*named, *args[min(first, 2) :]]
