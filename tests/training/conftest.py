"""A text file small enough to train on in a second, and recipes for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from calm_lab.training import AutoencoderRecipe, CalmRecipe, TransformerRecipe

SMALL = {"preset": "tiny", "warmup": 2, "rows": 2, "positions": 16, "device": "cpu", "evaluate_every": 0}


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "tale.txt"
    sentences = [f"The {a} {b} saw a {c} by the {d}." for a in ("old", "red") for b in ("fox", "hen", "owl")
                 for c in ("key", "hat", "bell") for d in ("river", "gate", "hill")]  # fmt: skip
    path.write_text("\n\n".join(" ".join(sentences[i::7]) for i in range(7)) * 6, "utf-8")
    return str(path)


@pytest.fixture(scope="session")
def autoencoder(corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from calm_lab.training import train_autoencoder

    out = tmp_path_factory.mktemp("runs") / "ae"
    return train_autoencoder(AutoencoderRecipe(corpus=corpus, steps=30, out=out, **SMALL))  # type: ignore[arg-type]


@pytest.fixture
def calm_recipe(corpus: str, autoencoder: Path, tmp_path: Path) -> CalmRecipe:
    return CalmRecipe(
        corpus=corpus, autoencoder=str(autoencoder), steps=6, save_every=3, samples=2, targets=4,
        out=tmp_path / "calm", **SMALL,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def transformer_recipe(corpus: str, autoencoder: Path, tmp_path: Path) -> TransformerRecipe:
    return TransformerRecipe(
        corpus=corpus, tokenizer=str(autoencoder), steps=4, save_every=2, out=tmp_path / "lm",
        **{**SMALL, "positions": 32},  # type: ignore[arg-type]
    )  # fmt: skip
