"""``calm-lab train``: options from the recipes, and the whole way from a folder of text to generated text."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from calm_lab import cli
from calm_lab.cli.train import TRAININGS, read_recipe
from calm_lab.training import AutoencoderRecipe, CalmRecipe, TransformerRecipe

SMALL = ["--preset", "tiny", "--positions", "16", "--rows", "4", "--warmup", "2", "--device", "cpu"]


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("calm-lab: error: ")
    assert err.count("\n") == 1
    return err


def test_help_lists_the_three_trainings(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["train"], ["train", "--help"]):
        assert cli.main(words) == 0
        out = capsys.readouterr().out
        assert all(training.example in out for training in TRAININGS.values())


@pytest.mark.parametrize(
    ("name", "kind"), [("autoencoder", AutoencoderRecipe), ("calm", CalmRecipe), ("transformer", TransformerRecipe)]
)
def test_every_field_of_a_recipe_is_an_option(name: str, kind: type, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", name, "--help"]) == 0
    out = capsys.readouterr().out
    for field in dataclasses.fields(kind):
        assert f"--{field.name.replace('_', '-')}" in out
    assert read_recipe(name, []) == kind()


@pytest.mark.parametrize("name", TRAININGS)
def test_the_examples_are_accepted(name: str) -> None:
    words = TRAININGS[name].example.split()[3:]
    assert read_recipe(name, words).corpus == "andersen"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["clam"], "did you mean 'calm'"),
        (["calm", "--preset", "nanno"], "did you mean 'nano'"),
        (["calm", "--head", "flaw"], "--head"),
        (["autoencoder", "--steps", "0"], "steps must be at least 1"),
        (["autoencoder", "--lr", "fast"], "--lr"),
        (["transformer", "--learning-rate", "1"], "--learning-rate"),
        (["autoencoder", "--corpus", "no/such/folder"], "no/such/folder"),
        (["calm", "--autoencoder", "no/such/model"], "no/such/model"),
    ],
)
def test_a_wrong_recipe_is_one_line(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told in refused(capsys, "train", *words)


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe" * 40, b" \n \n"])
def test_a_corpus_without_text_is_one_line(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "corpus.txt"
    path.write_bytes(content)
    words = ["train", "autoencoder", "--corpus", str(path), "--out", str(tmp_path / "run"), *SMALL]
    assert str(path) in refused(capsys, *words)


def test_from_a_folder_of_text_to_generated_text(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ae, calm = tmp_path / "runs/ae", tmp_path / "runs/calm"
    words = ["--corpus", str(corpus), *SMALL]
    assert cli.main(["train", "autoencoder", *words, "--steps", "6", "--vocab-size", "300", "--out", str(ae)]) == 0
    out = capsys.readouterr().out
    assert f"next: calm-lab train calm --corpus '{corpus}' --autoencoder {ae}" in out
    assert "of unseen tokens come back" in out  # six steps are too few
    words += ["--steps", "4", "--samples", "2", "--targets", "4", "--autoencoder", str(ae), "--out", str(calm)]
    assert cli.main(["train", "calm", *words]) == 0
    assert "next: calm-lab generate" in capsys.readouterr().out
    (card,) = calm.glob("checkpoints/*/card.json")
    assert json.loads(card.read_text())["recipe"]["corpus"] == str(corpus)
    assert cli.main(["generate", "--model", str(calm), "--prompt", "the", "--max-tokens", "8", "--pool", "10"]) == 0
    assert capsys.readouterr().out.startswith("the")

    before = {path: path.read_bytes() for path in calm.rglob("*") if path.is_file()}
    assert "--resume" in refused(capsys, "train", "calm", *words)
    assert {path: path.read_bytes() for path in calm.rglob("*") if path.is_file()} == before
