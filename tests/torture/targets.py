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
from pathlib import Path
from random import Random
from typing import Any

import torch

from calm_lab.errors import CalmLabError
from calm_lab.model import checkpoint
from calm_lab.text.local import read_documents
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.training import loop, run_folder
from calm_lab.training.optimizer import Average, build_optimizers
from calm_lab.training.recipes import CalmRecipe
from tests.model import small
from tests.model.official_folder import Recipe, write
from tests.torture.app_target import app
from tests.torture.mutate import damage_bytes, damage_json, damage_safetensors, damage_zip, hostile_pickle, weird

Try = Callable[[Random], bool]
TEXT = "The old fox saw a red hen by the river, and went home. Émile counted 12 ships.\n\n"


def use(folder: Path) -> bool:
    """Load a model folder and run it on a few ids."""
    model = checkpoint.load(folder)
    ids = torch.zeros(1, 2 * getattr(model.config, "chunk_size", 1), dtype=torch.int64)
    _ = model.encode(ids) if hasattr(model, "encode") else model.hidden_states(ids)
    return True


def make_folders(home: Path) -> dict[str, Path]:
    """One healthy model folder of each kind, ours and the authors'."""
    made = {
        "autoencoder": checkpoint.save(small.autoencoder(), home / "autoencoder", {"metrics": {"clean": 0.5}}),
        "calm": checkpoint.save(small.calm(), home / "calm", {}),
        "transformer": checkpoint.save(small.transformer(), home / "transformer"),
        "official": home / "official",
        "official-bin": home / "official-bin",
        "official-autoencoder": home / "official-autoencoder",
    }
    write(made["official"], Recipe(layers=1, blocks=1))
    write(made["official-bin"], Recipe(kind="flow", layers=1, blocks=1, file="pytorch_model.bin", shards=2))
    write(made["official-autoencoder"], Recipe(kind="autoencoder", file="pytorch_model.bin"))
    return made


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


def _corpus(home: Path, suffix: str, seeds: list[bytes]) -> Try:
    file = home / f"text{suffix}"

    def one(rng: Random) -> bool:
        file.write_bytes(damage_bytes(rng, rng.choice(seeds), rng.choice(seeds)))
        for document in read_documents(file, rng.choice((None, None, "text", "a"))):
            document.text.encode()
        return True

    return one


def txt(home: Path) -> Try:
    """Text files."""
    return _corpus(
        home, ".txt", [(TEXT * 20).encode(), TEXT.encode("utf-16"), b"\xef\xbb\xbf" + TEXT.encode(), b"a" * 9000]
    )


def jsonl(home: Path) -> Try:
    """A JSON object a line."""
    rows = [json.dumps({"text": TEXT, "a": n, "b": [None, {"c": 1.5}]}) for n in range(5)]
    return _corpus(home, ".jsonl", ["\n".join(rows).encode(), b'{"a": "\\ud83d half"}\n' * 3, b"[" * 5000])


def csv(home: Path) -> Try:
    """Comma-separated values."""
    return _corpus(home, ".csv", [b'text,a\n"one, two",1\nthree,2\n' * 6, b"text\nplain\n", b'a,"b\nc"\n"x""y",2\r\n'])


def parquet(home: Path) -> Try:
    """Parquet, in five codecs and with nested columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"text": [TEXT, None, "x" * 300, TEXT], "a": [1, 2, 3, 4], "n": [[1], [], None, [2, 3]]})
    seeds = []
    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        file = home / f"seed-{codec}.parquet"
        pq.write_table(
            table,
            file,
            compression=codec,
            use_dictionary=codec != "zstd",
            data_page_version="2.0" if codec == "gzip" else "1.0",
        )
        seeds.append(file.read_bytes())
    return _corpus(home, ".parquet", seeds)


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
}  # fmt: skip
"""Each target, and its share of a hundred inputs."""
