"""``calm-lab train autoencoder | calm | transformer``: one recipe dataclass each, and every field of it an option.

The recipes and what they mean live in ``calm_lab/training/recipes.py``; nothing is decided here.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calm_lab.cli.parsing import parse
from calm_lab.errors import InputError, choose_from

ENOUGH = 0.99  # share of tokens that an autoencoder should bring back before a CALM is built on it


@dataclass(frozen=True)
class Training:
    """One of the three trainings.

    Attributes:
        recipe: name of the recipe class in ``calm_lab.training``.
        function: name of the function there that follows it.
        summary: what it does, one line.
        example: a whole command line.
        afterwards: the command line to try next; {model} and {corpus} are filled in.
    """

    recipe: str
    function: str
    summary: str
    example: str
    afterwards: str


DRY_RUN = "--dry-run"

TRAININGS = {
    "autoencoder": Training(
        "AutoencoderRecipe",
        "train_autoencoder",
        "learn to pack K tokens into one vector and back (paper sec. 2)",
        "calm-lab train autoencoder --corpus andersen --preset nano --out runs/ae",
        "calm-lab train calm --corpus {corpus} --autoencoder {model}",
    ),
    "calm": Training(
        "CalmRecipe",
        "train_calm",
        "learn to predict the next vector, over a frozen autoencoder (paper sec. 3)",
        "calm-lab train calm --corpus andersen --autoencoder runs/ae --out runs/calm",
        'calm-lab generate --model {model} --prompt "" --temperature 0.5',
    ),
    "transformer": Training(
        "TransformerRecipe",
        "train_transformer",
        "train the token-level baseline on the same backbone (paper sec. 7.1)",
        "calm-lab train transformer --corpus andersen --tokenizer runs/ae --out runs/transformer",
        "calm-lab evaluate --model {model} --corpus {corpus}",
    ),
}


def run(args: list[str]) -> int:
    """Train what the first word names, by the recipe that the other words change."""
    if not args or args[0] in ("-h", "--help"):
        print(overview())
        return 0
    name, rest = args[0], args[1:]
    if name not in TRAININGS:
        raise InputError(choose_from(name, TRAININGS, "training"))
    training = TRAININGS[name]
    recipe = read_recipe(name, [word for word in rest if word != DRY_RUN])
    if DRY_RUN in rest:
        from calm_lab.lab.dry_run import dry_run
        from calm_lab.lab.scale_page import format_dry_run

        print(format_dry_run(dry_run(recipe)))
        return 0

    import calm_lab.training

    place = getattr(calm_lab.training, training.function)(recipe)
    if os.environ.get("RANK", "0") == "0":  # under torchrun every process comes by here
        words = {"model": shlex.quote(str(recipe.folder)), "corpus": shlex.quote(recipe.corpus)}
        print("\n".join([f"saved {place}", *advice(place), f"next: {training.afterwards.format(**words)}"]))
    return 0


def advice(place: Path) -> list[str]:
    """What whoever goes on from this checkpoint should know first: an autoencoder that loses tokens caps its CALM."""
    from calm_lab.model.checkpoint import read_card

    clean = read_card(place).get("metrics", {}).get("clean", 1.0)
    if clean >= ENOUGH:
        return []
    return [f"note: {clean:.1%} of unseen tokens come back, and no CALM on top can do better; train longer (--steps)"]


def read_recipe(name: str, args: Sequence[str]) -> Any:
    """The recipe of the training ``name`` with the options in ``args``.

    Raises:
        InputError: for an unknown option or a value out of its domain.
    """
    import calm_lab.training

    training = TRAININGS[name]
    kind = getattr(calm_lab.training, training.recipe)
    summary = f"{training.summary}; with {DRY_RUN}: plan it, train nothing"
    return parse(kind, args, prog=f"calm-lab train {name}", summary=summary, example=training.example)


def overview() -> str:
    """The text of ``calm-lab train --help``."""
    lines = ["usage: calm-lab train KIND [OPTIONS]      calm-lab train KIND --help", ""]
    for name, training in TRAININGS.items():
        lines += [f"  {name:<13} {training.summary}", f"  {'':<13} $ {training.example}", ""]
    lines.append("Ctrl-C saves and stops; the same command with --resume goes on.")
    lines.append(f"{DRY_RUN} builds the model in shapes alone and prints what the training would take.")
    return "\n".join(lines)
