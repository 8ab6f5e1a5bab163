"""Training on a corpus that lies on disk as tokens: the same rows and weights as from memory, and no stream is held."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from calm_lab import cli
from calm_lab.errors import CorpusError
from calm_lab.model import checkpoint
from calm_lab.text.shards import Shards, tokenize_to_shards
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.training import CalmRecipe, train_calm
from calm_lab.training.corpus import read_texts
from calm_lab.training.rows import Documents, Rows
from calm_lab.training.tokens import wait_for_tokens


@pytest.fixture
def pile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror of the hub in which the Pile is small."""
    folder = tmp_path / "hub" / "monology" / "pile-uncopyrighted"
    folder.mkdir(parents=True)
    rows = [{"text": f"The old fox number {index} saw a key by the river. " * (1 + index % 5)} for index in range(400)]
    for split in ("train", "validation", "test"):
        (folder / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    monkeypatch.setenv("CALM_LAB_HUB", str(tmp_path / "hub"))
    monkeypatch.setenv("CALM_LAB_CACHE", str(tmp_path / "cache"))
    return folder


def test_rows_from_disk_are_the_rows_from_memory(tmp_path: Path) -> None:
    texts = [f"story number {index} of a hen and an owl " * (index % 6) for index in range(50)]
    tokenizer = Tokenizer.train(texts, 300)
    memory = Documents.tokenize(texts, tokenizer)
    disk = tokenize_to_shards(lambda done: texts[done:], tokenizer, tmp_path, corpus="x", shard_tokens=99)
    one, two = (Rows(documents, 4, 8, tokenizer, 3) for documents in (memory, disk))
    for step in range(30):
        assert torch.equal(one.batch(step, 3), two.batch(step, 3))
    assert torch.equal(one.evaluation(5), two.evaluation(5))
    assert torch.equal(one.one_each(5), two.one_each(5))


def test_the_command_tokenizes_and_training_reads_it(
    corpus: str,
    calm_recipe: CalmRecipe,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("calm_lab.text.shards.BATCH_DOCUMENTS", 4)
    out = tmp_path / "tokens"
    words = ["corpora", "--tokenize", corpus, "--tokenizer", calm_recipe.autoencoder, "--out", str(out)]
    assert cli.main([*words, "--shard-tokens", "50"]) == 0
    assert f"--corpus {out}" in capsys.readouterr().out
    assert len(Shards(out / "train").shards) > 3
    plain = train_calm(calm_recipe)
    stored = train_calm(replace(calm_recipe, corpus=str(out), out=tmp_path / "stored"))
    first, second = (checkpoint.read_tensors(place / "model.safetensors") for place in (plain, stored))
    assert all(torch.equal(first[name], second[name]) for name in first)
    cards = [checkpoint.read_card(place)["data"] for place in (plain, stored)]
    assert cards[0]["train_tokens"] == cards[1]["train_tokens"]
    with pytest.raises(CorpusError, match="another tokenizer"):
        train_calm(replace(calm_recipe, corpus=str(out), autoencoder="default", out=tmp_path / "wrong"))


def test_a_stream_goes_to_disk_as_far_as_the_run_reads(
    pile: Path, calm_recipe: CalmRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``--corpus pile`` without ``--documents``: no list of its texts is made, no more is read than is used."""
    monkeypatch.setattr(Documents, "tokenize", lambda *_: pytest.fail("collected the stream in memory"))
    recipe = replace(calm_recipe, corpus="pile", steps=4)
    folder = train_calm(recipe)
    need = recipe.steps * recipe.rows * recipe.positions * 4
    shards = Shards(recipe.folder / "tokens" / "train")
    assert need <= shards.tokens < sum(len(json.loads(line)["text"]) for line in (pile / "train.jsonl").open())
    card = checkpoint.read_card(folder)
    assert card["data"]["train_tokens"] == shards.tokens
    assert card["data"]["corpus"] == "pile"
    again = train_calm(replace(recipe, steps=6, resume=True))
    assert checkpoint.read_card(again)["data"]["sha256"] == card["data"]["sha256"], "a resumed run reads the same"


def test_other_processes_wait_for_the_main_one(
    pile: Path, calm_recipe: CalmRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(calm_recipe, corpus="pile")
    tokenizer = checkpoint.load_tokenizer(checkpoint.resolve(recipe.autoencoder))
    waits: Iterator[int] = iter(range(2))

    def meanwhile(_: float) -> None:
        if next(waits) == 1:
            read_texts(recipe, tokenizer, tokens=100)  # the main process is done

    monkeypatch.setattr("calm_lab.training.tokens.time.sleep", meanwhile)
    texts = read_texts(recipe, tokenizer, tokens=100, main=False)
    assert texts.train.tokens >= 100
    monkeypatch.undo()
    with pytest.raises(CorpusError, match="not ready in time"):
        wait_for_tokens(recipe.folder / "nothing", longest=0.01, pause=0.01)
