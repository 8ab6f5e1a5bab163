"""``--compile`` changes the speed of a run and nothing else; precision can change between runs of one Python."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from calm_lab.model import checkpoint
from calm_lab.training import CalmRecipe, TransformerRecipe, train_calm, train_transformer


def losses(folder: Path) -> list[float]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


@pytest.mark.slow
def test_a_compiled_calm_trains_to_the_same_loss(calm_recipe: CalmRecipe, tmp_path: Path) -> None:
    plain = train_calm(replace(calm_recipe, steps=3, save_every=1))
    fast = train_calm(replace(calm_recipe, steps=3, save_every=1, compile=True, out=tmp_path / "fast"))
    assert losses(tmp_path / "fast") == pytest.approx(losses(calm_recipe.folder), rel=1e-4)
    first, second = (checkpoint.read_tensors(place / "model.safetensors") for place in (plain, fast))
    assert first.keys() == second.keys(), "names without the compiler's prefix"
    assert max((first[name] - second[name]).abs().max() for name in first) < 1e-3


@pytest.mark.slow
def test_a_compiled_transformer_trains_to_the_same_loss(transformer_recipe: TransformerRecipe, tmp_path: Path) -> None:
    train_transformer(transformer_recipe)
    train_transformer(replace(transformer_recipe, compile=True, out=tmp_path / "fast"))
    assert losses(tmp_path / "fast") == pytest.approx(losses(transformer_recipe.folder), rel=1e-4)


def test_precision_may_change_from_run_to_run(transformer_recipe: TransformerRecipe, tmp_path: Path) -> None:
    train_transformer(transformer_recipe)
    half = train_transformer(replace(transformer_recipe, precision="bfloat16", out=tmp_path / "half"))
    assert checkpoint.read_card(half)["machine"]["precision"] == "bf16"
    assert losses(tmp_path / "half") == pytest.approx(losses(transformer_recipe.folder), rel=0.02)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_training_on_a_gpu_learns_as_on_a_cpu(
    transformer_recipe: TransformerRecipe, tmp_path: Path, precision: str
) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device here")
    train_transformer(transformer_recipe)
    options = {"device": "cuda", "precision": precision, "out": tmp_path / "gpu"}
    train_transformer(replace(transformer_recipe, **options))  # type: ignore[arg-type]
    assert losses(tmp_path / "gpu") == pytest.approx(losses(transformer_recipe.folder), rel=0.02)
