"""Files are not trusted: a few thousand damaged ones, and files of 10 kB that claim a terabyte."""

from __future__ import annotations

import io
import json
import os
import pickle
import pickletools
import resource
import signal
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from calm_lab.errors import CalmLabError
from calm_lab.model import checkpoint
from calm_lab.model.pickles import read_pickle
from calm_lab.text.local import read_documents
from calm_lab.text.tokenizer import Tokenizer
from tests.model.official_folder import Recipe, write
from tests.torture.fuzz import ROOM
from tests.torture.watchman import ROOT, asks_for_memory

HUGE = 10**12
SECONDS = 5  # of processor time, imports included


@pytest.mark.timeout(900)
def test_no_damaged_file_does_more_than_be_refused(tmp_path: Path) -> None:
    """The same harness as ``make torture`` with fewer inputs: no crash, no code, no other folder, no memory."""
    tallies = tmp_path / "tallies.json"
    command = [sys.executable, "-m", "tests.torture.fuzz", "--inputs", "3000", "--json", str(tallies)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    read = json.loads(tallies.read_text())
    assert sum(tally["tried"] for tally in read.values()) >= 3000
    for name, tally in read.items():  # both roads are walked: some damage is harmless, most is not
        assert tally["accepted"] > 0, name
        assert tally["refused"] > 0, name


def _safetensors(folder: Path) -> Callable[[], object]:
    write(folder, Recipe(kind="autoencoder"))
    header = json.dumps(
        {"encoder.embed_tokens.weight": {"dtype": "F32", "shape": [HUGE], "data_offsets": [0, 4 * HUGE]}}
    )
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(10_000))
    return lambda: checkpoint.load(folder)


def _safetensors_header(folder: Path) -> Callable[[], object]:
    write(folder, Recipe(kind="autoencoder"))
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", HUGE) + bytes(10_000))
    return lambda: checkpoint.load(folder)


def _pickle_of(folder: Path, change: Callable[[bytes], bytes], legacy: bool = False) -> Callable[[], object]:
    write(folder, Recipe(kind="autoencoder"))
    (folder / "model.safetensors").unlink()
    file = folder / "pytorch_model.bin"
    torch.save({"encoder.embed_tokens.weight": torch.zeros(2500)}, file, _use_new_zipfile_serialization=not legacy)
    content = file.read_bytes()
    if legacy:
        file.write_bytes(change(content))
    else:
        made = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
            for entry in old.infolist():
                new.writestr(
                    entry.filename, change(old.read(entry)) if entry.filename.endswith("data.pkl") else old.read(entry)
                )
        file.write_bytes(made.getvalue())
    return lambda: checkpoint.load(folder)


def _grow(content: bytes) -> bytes:
    """Every mention of the 2,500 elements says 10^12."""
    small, large = b"M" + struct.pack("<H", 2500), b"\x8a\x06" + HUGE.to_bytes(6, "little")
    assert small in content
    return content.replace(small, large)


def _pickle(folder: Path) -> Callable[[], object]:
    return _pickle_of(folder, _grow)


def _old_pickle(folder: Path) -> Callable[[], object]:
    return _pickle_of(folder, _grow, legacy=True)


def _long_string(folder: Path) -> Callable[[], object]:
    write(folder, Recipe(kind="autoencoder"))
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04\x8e" + struct.pack("<Q", HUGE) + bytes(10_000))
    return lambda: checkpoint.load(folder)


def _call_for_bytes(folder: Path) -> Callable[[], object]:
    """bytearray(10^12): a call that torch's restricted loader allows."""
    return _pickle_of(
        folder, lambda old: b"\x80\x02c__builtin__\nbytearray\n\x8a\x06" + HUGE.to_bytes(6, "little") + b"\x85R."
    )


def _zip_bomb(folder: Path) -> Callable[[], object]:
    write(folder, Recipe(kind="autoencoder"))
    (folder / "model.safetensors").unlink()
    with zipfile.ZipFile(folder / "pytorch_model.bin", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}, 2))
        archive.writestr("archive/data/0", bytes(10_000_000))  # 1000 times its size
        archive.writestr("archive/version", "3\n")
    return lambda: checkpoint.load(folder)


def _tokenizer(folder: Path) -> Callable[[], object]:
    folder.mkdir()
    data = json.loads(Tokenizer.train(["the fox and the hen"] * 4, 270).to_json())
    data["model"]["vocab"]["the"] = HUGE
    (folder / "tokenizer.json").write_text(json.dumps(data))
    return lambda: Tokenizer.load(folder)


def _config(folder: Path) -> Callable[[], object]:
    from tests.model import small

    checkpoint.save(small.autoencoder(), folder)
    data = json.loads((folder / "config.json").read_text())
    data["config"]["hidden_size"] = HUGE
    (folder / "config.json").write_text(json.dumps(data))
    return lambda: checkpoint.load(folder)


def _parquet(folder: Path) -> Callable[[], object]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    rows = pa.array(np.zeros(10_000_000, np.int32))  # all of them the same long text: 23 kilobytes, one terabyte
    table = pa.table({"text": pa.DictionaryArray.from_arrays(rows, ["a" * 100_000])})
    pq.write_table(table, folder / "rows.parquet", row_group_size=10_000_000, compression="zstd")
    assert (folder / "rows.parquet").stat().st_size < 30_000
    return lambda: list(read_documents(folder / "rows.parquet"))


CLAIMS = (
    _safetensors,
    _safetensors_header,
    _pickle,
    _old_pickle,
    _long_string,
    _call_for_bytes,
    _zip_bomb,
    _tokenizer,
    _config,
    _parquet,
)


@pytest.mark.parametrize("make", CLAIMS, ids=lambda make: make.__name__.strip("_"))
def test_a_small_file_that_claims_a_terabyte_fails_at_once(
    make: Callable[[Path], Callable[[], object]], tmp_path: Path
) -> None:
    """In a child that may take 1 GiB: refused by us, not by the allocator, and in seconds of processor time."""
    load = make(tmp_path / "claim")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM,) * 2)
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)  # the signal ends the child
            load()
        except CalmLabError as error:
            code = 2 if asks_for_memory(error) else 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFEXITED(status), f"killed by signal {status}"
    assert os.WEXITSTATUS(status) == 0, ("", "was read, or failed in another way", "the allocator refused, not we")[
        os.WEXITSTATUS(status)
    ]


def test_a_storage_larger_than_its_record_is_not_read_beyond_it(tmp_path: Path) -> None:
    """torch takes a storage's size from the pickle: without a mapped file it would read what lies behind in memory."""
    file = tmp_path / "training.pt"
    torch.save({"weights": torch.arange(2500.0)}, file)
    made = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("data.pkl"):
                content = content.replace(b"M" + struct.pack("<H", 2500), b"M" + struct.pack("<H", 25_000))
                assert any(value == 25_000 for _, value, _ in pickletools.genops(content))
            new.writestr(entry.filename, content)
    file.write_bytes(made.getvalue())
    with pytest.raises(Exception, match=r"size|storage|bounds"):
        read_pickle(file)
