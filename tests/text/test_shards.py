"""Token shards: every id, in order, whatever the shard size, wherever a run was stopped; damage is one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from calm_lab.errors import CorpusError
from calm_lab.text import shards as module
from calm_lab.text.shards import Shards, is_complete, is_tokenized, tokenize_to_shards
from calm_lab.text.tokenizer import Tokenizer

TEXTS = [f"story number {index} of a hen and an owl, " * (index % 7) for index in range(60)]  # some are empty
TOKENIZER = Tokenizer.train(TEXTS, 300)
IDS = [ids for ids in TOKENIZER.encode_batch(TEXTS) if ids]


def after(done: int) -> Iterable[str]:
    return TEXTS[done:]


def write(folder: Path, **options: object) -> Shards:
    arguments = {"corpus": "tales", "shard_tokens": 100, **options}
    return tokenize_to_shards(after, TOKENIZER, folder, **arguments)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_DOCUMENTS", 3)


@pytest.mark.parametrize("shard_tokens", [1, 100, 10**6])
def test_every_document_is_there_in_order(tmp_path: Path, shard_tokens: int) -> None:
    shards = write(tmp_path / "a", shard_tokens=shard_tokens)
    assert [shards[index].tolist() for index in range(len(shards))] == IDS
    assert shards.lengths.tolist() == [len(ids) for ids in IDS]
    assert shards.tokens == sum(map(len, IDS))
    assert sum(shard.read for shard in shards.shards) == len(TEXTS)
    assert len(shards.shards) > 5 if shard_tokens <= 100 else len(shards.shards) == 1
    assert all(isinstance(part, np.memmap) and part.dtype == np.uint16 for part in shards._maps)
    assert not list((tmp_path / "a").glob(".*"))


def test_enough_is_enough(tmp_path: Path) -> None:
    shards = write(tmp_path / "a", enough=200)
    assert 200 <= shards.tokens < 400
    assert shards[0].tolist() == IDS[0]


@pytest.mark.parametrize("fails_after", [0, 1, 10, 35, 59])
def test_it_goes_on_where_it_stopped(tmp_path: Path, fails_after: int) -> None:
    """Stopped anywhere, the second call reads only what no finished shard has, and the files are the same bytes."""
    whole = write(tmp_path / "whole")
    asked: list[int] = []

    def failing(done: int) -> Iterator[str]:
        for number, text in enumerate(TEXTS[done:], start=done):
            if number == fails_after:
                raise RuntimeError("the power is gone")
            yield text

    def noted(done: int) -> Iterable[str]:
        asked.append(done)
        return after(done)

    folder = tmp_path / "stopped"
    with pytest.raises(RuntimeError):
        tokenize_to_shards(failing, TOKENIZER, folder, corpus="tales", shard_tokens=100)
    assert is_tokenized(folder)
    assert not is_complete(folder)
    with pytest.raises(CorpusError, match="not complete"):
        Shards(folder)
    tokenize_to_shards(noted, TOKENIZER, folder, corpus="tales", shard_tokens=100)
    assert asked[0] <= fails_after
    assert asked[0] > 0 or fails_after <= 10, "finished shards are not made again"
    files = {path.name for path in folder.iterdir()}
    assert files == {path.name for path in whole.folder.iterdir()}
    assert all((folder / name).read_bytes() == (whole.folder / name).read_bytes() for name in files)
    tokenize_to_shards(noted, TOKENIZER, folder, corpus="tales", shard_tokens=100)
    assert len(asked) == 1, "a complete folder is not made again"


def test_a_killed_process_leaves_whole_shards(tmp_path: Path) -> None:
    """SIGKILL in the middle of a shard: the index names whole shards only, and the next call gives the same bytes."""
    whole = write(tmp_path / "whole")
    program = f"""
        import os, signal, time
        from pathlib import Path
        from calm_lab.text import shards
        from calm_lab.text.tokenizer import Tokenizer
        texts = {TEXTS!r}
        shards.BATCH_DOCUMENTS = 3
        def stream(done):
            for number, text in enumerate(texts[done:], start=done):
                if number == 31:
                    assert list(Path({str(tmp_path / "killed")!r}).glob(".*.tokens.tmp"))
                    os.kill(os.getpid(), signal.SIGKILL)
                yield text
        folder = Path({str(tmp_path / "killed")!r})
        shards.tokenize_to_shards(stream, Tokenizer.train(texts, 300), folder, corpus="tales", shard_tokens=100)
    """
    env = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=env, timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL
    index = json.loads((tmp_path / "killed" / "index.json").read_text())
    assert 0 < len(index["shards"]) < len(whole.shards)
    assert not index["complete"]
    write(tmp_path / "killed")
    for path in whole.folder.iterdir():
        assert (tmp_path / "killed" / path.name).read_bytes() == path.read_bytes()


def test_memory_does_not_grow_with_the_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own peak while writing eight times the text, in eight times the shards, is the same within a fifth."""
    monkeypatch.setattr(module, "BATCH_DOCUMENTS", 20)
    monkeypatch.setattr(module, "Shards", lambda folder: folder)  # opening holds a length for each document
    text = " ".join(TEXTS)

    def peak(documents: int) -> int:
        tracemalloc.start()
        tokenize_to_shards(
            lambda done: (text for _ in range(documents - done)),
            TOKENIZER,
            tmp_path / str(documents),
            corpus="tales",
            shard_tokens=50_000,
        )
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(list((tmp_path / str(documents)).glob("*.tokens"))) >= documents // 40
        return top

    assert peak(800) < 1.2 * peak(100)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("index.json", b"{", "damaged"),
        ("index.json", b'{"format": "another"}', "damaged"),
        ("index.json", b'{"format": "calm_lab tokens 1", "shards": [{}], "complete": true, "dtype": "<u2"}', "damaged"),
        ("00001.tokens", b"\x00", "cut short"),
        ("00001.lengths", b"", "cut short"),
    ],
)
def test_damage_is_one_line(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    write(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=told):
        Shards(tmp_path)


def test_lengths_that_do_not_fit_are_seen(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "00001.lengths"
    data = np.fromfile(path, "<u4")
    data[0] += 1
    path.write_bytes(data.tobytes())
    with pytest.raises(CorpusError, match="lengths and tokens differ"):
        Shards(tmp_path)


def test_what_does_not_belong_is_refused(tmp_path: Path) -> None:
    other = Tokenizer.train(["another tale altogether " * 9], 270)
    shards = write(tmp_path / "a")
    shards.check_tokenizer(TOKENIZER)
    with pytest.raises(CorpusError, match="another tokenizer"):
        shards.check_tokenizer(other)
    with pytest.raises(CorpusError, match="another tokenizer"):
        tokenize_to_shards(after, other, tmp_path / "a", corpus="tales", shard_tokens=100)
    with pytest.raises(CorpusError, match="begun with corpus = tales"):
        write(tmp_path / "a", corpus="news")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(CorpusError, match="other files"):
        write(tmp_path / "mine")
    with pytest.raises(CorpusError, match="no tokens"):
        Shards(tmp_path / "mine")
    with pytest.raises(CorpusError, match="no text"):
        tokenize_to_shards(lambda done: ["", ""][done:], TOKENIZER, tmp_path / "b", corpus="empty")


def test_a_large_vocabulary_takes_four_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TOKENIZER, "vocab_size", 128_257)
    shards = write(tmp_path)
    assert shards._maps[0].dtype == np.uint32
    assert [shards[index].tolist() for index in range(len(shards))] == IDS
