"""What is fuzzed: every loader that reads a file somebody else may have made, each on its own healthy seeds.

A target damages one thing and loads it. It returns whether the load succeeded; what calm_lab refuses comes as a
``CalmLabError``, and anything else is a find.
"""

from __future__ import annotations

import contextlib
import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import torch

from calm_lab.errors import CalmLabError
from calm_lab.lab.latent_map import store
from calm_lab.lab.latent_map.chunks import UniqueChunks
from calm_lab.lab.latent_map.views import map_data
from calm_lab.model import checkpoint
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.training import loop, run_folder
from calm_lab.training.optimizer import Average, build_optimizers
from calm_lab.training.recipes import CalmRecipe
from tests.model import small
from tests.model.model_folders import make_folders
from tests.model.official_folder import Recipe, write
from tests.torture.app_target import app
from tests.torture.mutate import damage_bytes, damage_json, damage_safetensors, damage_zip, hostile_pickle, weird
from tests.torture.text_targets import TEXT, csv, jsonl, parquet, txt

Try = Callable[[Random], bool]


def use(folder: Path) -> bool:
    """Load a model folder and run it on a few ids."""
    model = checkpoint.load(folder)
    ids = torch.zeros(1, 2 * getattr(model.config, "chunk_size", 1), dtype=torch.int64)
    _ = model.encode(ids) if hasattr(model, "encode") else model.hidden_states(ids)
    return True


def config(home: Path) -> Try:
    """config.json of all kinds."""
    folders = make_folders(home)
    whole = {name: json.loads((folder / "config.json").read_text()) for name, folder in folders.items()}

    def one(rng: Random) -> bool:
        name = rng.choice(sorted(folders))
        (folders[name] / "config.json").write_bytes(damage_json(rng, whole[name]))
        try:
            return use(folders[name])
        finally:
            (folders[name] / "config.json").write_text(json.dumps(whole[name]))

    return one


def safetensors(home: Path) -> Try:
    """model.safetensors, ours and the authors'."""
    folders = {name: folder for name, folder in make_folders(home).items() if (folder / "model.safetensors").exists()}
    whole = {name: (folder / "model.safetensors").read_bytes() for name, folder in folders.items()}

    def one(rng: Random) -> bool:
        name = rng.choice(sorted(folders))
        (folders[name] / "model.safetensors").write_bytes(damage_safetensors(rng, whole[name]))
        try:
            return use(folders[name])
        finally:
            (folders[name] / "model.safetensors").write_bytes(whole[name])

    return one


def pickles(home: Path) -> Try:
    """pytorch_model.bin: torch's zip, its format before 1.6, and bare pickles."""
    folder = home / "model"
    write(folder, Recipe(kind="autoencoder", file="pytorch_model.bin"))
    zipped = (folder / "pytorch_model.bin").read_bytes()
    write(folder, Recipe(kind="autoencoder", file="pytorch_model.bin", legacy_pickle=True))
    legacy = (folder / "pytorch_model.bin").read_bytes()

    def one(rng: Random) -> bool:
        kind = rng.randrange(10)
        content = (
            hostile_pickle(rng) if kind == 0 else damage_bytes(rng, legacy) if kind <= 3 else damage_zip(rng, zipped)
        )
        (folder / "pytorch_model.bin").write_bytes(content)
        return use(folder)

    return one


def index(home: Path) -> Try:
    """The list of shards; good ones lie in the folder, and in one that must not be opened."""
    folder, name = home / "model", "pytorch_model.bin.index.json"
    write(folder, Recipe(kind="flow", layers=1, blocks=1, file="pytorch_model.bin", shards=3))
    whole = json.loads((folder / name).read_text())
    shards = sorted(set(whole["weight_map"].values()))
    for shard in shards:
        shutil.copy(folder / shard, home.parent / "outside")

    def one(rng: Random) -> bool:
        data = copy.deepcopy(whole)
        if rng.random() < 0.5:
            tensor, shard = rng.choice(sorted(data["weight_map"])), rng.choice(shards)
            outside = rng.choice(
                ("../outside/", "../../outside/", "./../outside/", str(home.parent / "outside") + "/", "..\\outside\\")
            )
            data["weight_map"][tensor] = rng.choice((outside + shard, f"{shard}/../../outside/{shard}", shard.upper()))
            (folder / name).write_text(json.dumps(data))
        else:
            (folder / name).write_bytes(damage_json(rng, data))
        return use(folder)

    return one


def latent_map(home: Path) -> Try:
    """The two files of a latent map."""
    model = small.autoencoder()
    model.tokenizer = Tokenizer.train([TEXT] * 4, 290)
    ids = torch.arange(60 * model.config.chunk_size).reshape(60, -1) % model.config.vocab_size
    chunks = UniqueChunks(ids, torch.arange(60, 0, -1), 100, 60)
    made = store.map_chunks(model, chunks, "x")
    made = made.with_umap(made.pictures["pca"], {"n_neighbors": 5, "min_dist": 0.1, "seed": 0})
    trust = {name: asdict(value) for name, value in made.trust.items()}
    corpus = {"name": "x", "chunks": 100, "different": 60}
    folder = store.save_map(made, home / "map", {"corpus": corpus, "trust": trust, "umap": made.settings})
    card, tensors = json.loads((folder / "card.json").read_text()), (folder / "map.safetensors").read_bytes()

    def one(rng: Random) -> bool:
        spoiled = rng.random() < 0.5
        (folder / "card.json").write_bytes(damage_json(rng, card) if spoiled else json.dumps(card).encode())
        (folder / "map.safetensors").write_bytes(tensors if spoiled else damage_safetensors(rng, tensors))
        json.dumps(map_data(store.load_map(model, folder)), allow_nan=False)  # what the page gets
        return True

    return one


def card(home: Path) -> Try:
    """card.json."""
    folder = checkpoint.save(
        small.autoencoder(), home / "model", {"metrics": {"headline": {"a": 1.5}}, "data": {"corpus": "x"}}
    )
    whole = json.loads((folder / "card.json").read_text())

    def one(rng: Random) -> bool:
        (folder / "card.json").write_bytes(damage_json(rng, whole))
        return isinstance(checkpoint.read_card(folder), dict)

    return one


def tokenizer(home: Path) -> Try:
    """tokenizer.json: our own, and three of other kinds."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, pre_tokenizers

    words = {"<unk>": 0, "<s>": 1, "</s>": 2, "the": 3, "fox": 4, "##es": 5, "f": 6, "o": 7, "x": 8}
    piece = Backend(models.WordPiece(words, unk_token="<unk>"))
    piece.pre_tokenizer, piece.decoder = pre_tokenizers.Whitespace(), decoders.WordPiece()
    unigram = Backend(
        models.Unigram([("<unk>", 0.0), ("▁the", -1.0), ("▁f", -2.0), ("ox", -2.5), ("o", -3.0)], 0, True)
    )
    unigram.pre_tokenizer, unigram.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    seeds = [
        json.loads(text)
        for text in (
            Tokenizer.train([TEXT] * 4, 290).to_json(),
            piece.to_str(),
            unigram.to_str(),
            Backend(models.WordLevel(words, "<unk>")).to_str(),
        )
    ]
    file = home / "tokenizer.json"

    def one(rng: Random) -> bool:
        file.write_bytes(damage_json(rng, rng.choice(seeds)))
        made = Tokenizer.load(file)
        made.pieces(made.encode(TEXT))
        return True

    return one


def state(home: Path) -> Try:
    """training.pt, read by a run that resumes."""
    recipe = CalmRecipe(out=home / "run", resume=True)
    place = home / "run" / "checkpoints" / "step-00000004"
    place.mkdir(parents=True)
    model = small.calm()
    healthy = copy.deepcopy(model.state_dict())
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}

    def fresh() -> tuple[Any, Average]:
        return build_optimizers(trained, "muon", 1e-3, 0.1), Average(trained, 0.9)

    optimizers, average = fresh()
    for p in trained.values():
        p.grad = torch.ones_like(p)
    for optimizer in optimizers:
        optimizer.step()
    saved = {
        "step": 4,
        "weights": {name: p.detach().clone() for name, p in trained.items()},
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "average": dict(average.values),
        "seconds": 1.5,
        "history": [{"step": 4, "brier_lm": 1.0}],
    }
    torch.save(saved, place / run_folder.STATE)
    content = (place / run_folder.STATE).read_bytes()
    folder = run_folder.RunFolder(recipe)

    def one(rng: Random) -> bool:
        if rng.random() < 0.4:
            other = dict(saved)
            key = rng.choice(sorted(other))
            other[key] = weird(rng)
            torch.save(other, place / run_folder.STATE)
        else:
            (place / run_folder.STATE).write_bytes(damage_zip(rng, content))
        optimizers, average = fresh()
        job = loop.Job(recipe, model, torch.nn.Identity(), None, dict, {})  # type: ignore[arg-type]
        try:
            loop._resume(job, folder, optimizers, average)
            return True
        finally:
            model.load_state_dict(healthy)

    return one


def run(home: Path) -> Try:
    """recipe.json and lock.json of a run folder."""
    recipe = CalmRecipe(out=home / "run", resume=True)
    whole = {
        "recipe.json": json.loads(json.dumps(recipe.to_dict())),
        "lock.json": {"pid": 2**22 + 7, "host": "elsewhere"},
    }
    run_folder.time = _NoWaiting()  # type: ignore[assignment]

    def one(rng: Random) -> bool:
        (home / "run").mkdir(exist_ok=True)
        for name, data in whole.items():
            if rng.random() < 0.7:
                (home / "run" / name).write_bytes(damage_json(rng, data))
        try:
            with run_folder.RunFolder(recipe):
                return True
        finally:
            shutil.rmtree(home / "run")

    return one


class _NoWaiting:
    """A clock for the run folder that does not wait for a lock to be written."""

    @staticmethod
    def sleep(seconds: float) -> None:
        """Go on at once."""


def warm_up(home: Path) -> None:
    """Import, once and in the parent, what libraries import when they are first used."""
    for folder in make_folders(home).values():
        use(folder)
    with contextlib.suppress(CalmLabError):
        state(home / "state")(Random(0))
    with contextlib.suppress(CalmLabError):
        pickles(home / "pickle")(Random(0))


TARGETS: dict[str, tuple[Callable[[Path], Try], int]] = {
    "config": (config, 14), "safetensors": (safetensors, 14), "pickle": (pickles, 12), "shard index": (index, 6),
    "card": (card, 5), "tokenizer": (tokenizer, 8), "training state": (state, 3), "run folder": (run, 6),
    "txt": (txt, 6), "jsonl": (jsonl, 7), "csv": (csv, 7), "parquet": (parquet, 7), "app": (app, 5),
    "latent map": (latent_map, 4),
}  # fmt: skip
"""Each target, and its share of 104 inputs."""
