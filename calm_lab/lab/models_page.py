"""docs/models.md, written from the bundled models' cards: what each is, reaches, weighs, and how to make it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from calm_lab.model.checkpoint import bundled, read_card
from calm_lab.model.stored import read_json
from calm_lab.text.storyland import LANGUAGES

ASSETS = Path(__file__).resolve().parents[1] / "assets"
BUDGET = 64 * 2**20
PREFACE = """# Bundled models

Written by `calm-lab models --page docs/models.md` from the cards in `calm_lab/assets/models/`. Every model was trained
by this project with the one command in its row, which puts what it makes in the bundled one's place; `--out FOLDER`
puts it elsewhere. A card (`calm-lab models --card NAME`) holds recipe, corpus and hash, tokens, seconds, machine,
metrics with standard errors, and of a CALM, samples at T = 1, 1/2 and 1/3.

A CALM is scored where its chunks begin, a Transformer where chunks of four do, so the ceiling differs from K to K. It
is exact for the documents judged: 200 stories here, 400 in [reproduction](reproduction.md), where it is a little other.
"""


def models_page() -> str:
    """The whole page, Markdown."""
    return "\n".join([PREFACE, *_models(), *_bytes()])


def _models() -> Iterator[str]:
    yield "| model | what it is | sizes | trained on | it reaches | made by |"
    yield "|---|---|---|---|---|---|"
    for name, folder in bundled().items():
        card, config = read_card(folder), read_json(folder / "config.json")["config"]
        tokens, minutes = card["tokens"] / 1e6, card["seconds"] / 60
        trained = f"{card['data']['corpus']}, {tokens:.1f} M tokens, {minutes:.0f} min on {card['machine']['device']}"
        row = [f"`{name}`", card["title"], sizes(config), trained, reaches(card), f"`{card['command']}`"]
        yield f"| {' | '.join(row)} |"
    yield ""


def sizes(config: dict[str, Any]) -> str:
    """K, l, V and width of a model's config."""
    inner = config.get("backbone", config)
    letters = {"K": config.get("chunk_size"), "l": config.get("latent_size"), "V": config["vocab_size"]}
    letters["d"] = inner["hidden_size"]
    return ", ".join(f"{letter} = {value:,}" for letter, value in letters.items() if value is not None)


def reaches(card: dict[str, Any]) -> str:
    """The headline of a card, in words."""
    metrics = card["metrics"]
    for corpus, what in (("andersen", "tales"), *((language, "stories") for language in LANGUAGES)):
        if corpus in metrics:
            shares = [f"{100 * metrics[corpus][name]['value']:.2f}%" for name in ("clean", "sigma_0.3")]
            return f"tokens of unseen {what} back: {shares[0]} clean, {shares[1]} at sigma 0.3"
    test = metrics.get("test_every_4", metrics["test"])  # a Transformer where a CALM of K = 4 is judged
    if test["brier_lm"] is None:
        reason = str(test.get("reason", "undefined")).split(",")[0]
        return f"Brier-1 {100 * test['brier'][0]:.1f}%; no BrierLM, since {reason}"
    found = f"BrierLM {test['brier_lm']:.1f} ± {test['brier_lm_standard_error']:.1f}"
    if "ceiling" in metrics:
        found += f" of at most {metrics['ceiling']['brier_lm']:.1f} ({100 * metrics['share_of_ceiling']:.0f}%)"
    return found


def _bytes() -> Iterator[str]:
    yield "## Bytes\n"
    yield f"Everything in `calm_lab/assets/` stays below {BUDGET // 2**20} MiB; history keeps every version.\n"
    yield "| folder | bytes |"
    yield "|---|---|"
    total = 0
    split = ("models", "maps")  # one row each model and map; every other folder counts as a whole
    folders = sorted(path for part in split for path in (ASSETS / part).glob("*") if path.is_dir())
    others = {path for path in ASSETS.iterdir() if path.is_dir() and path.name not in split} | {ASSETS / "results"}
    folders += sorted(others)
    for folder in folders:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        total += size
        yield f"| `{folder.relative_to(ASSETS).as_posix()}` | {size:,} |"
    yield f"| **in all** | **{total:,}** ({total / 2**20:.1f} MiB of {BUDGET // 2**20}) |"
    yield ""
