"""Seeded damage: bytes, JSON trees, safetensors headers and pickles, changed the way disks, editors and enemies do."""

from __future__ import annotations

import copy
import io
import json
import struct
import zipfile
from random import Random
from typing import Any

NUMBERS = (
    -1,
    0,
    1,
    2,
    3,
    7,
    255,
    2**16,
    2**31 - 1,
    2**31,
    2**32,
    10**9,
    10**12,
    2**62,
    2**63,
    2**64,
    10**30,
    -(10**30),
)
FLOATS = (0.0, 0.5, -1.5, 1e-300, 1e308, float("nan"), float("inf"), float("-inf"))
TEXTS = (
    "", " ", "\0", "..", "../outside/model.safetensors", "/etc/passwd", "..\\x", "é" * 3, "\ud800", "x" * 5000,
    "energy", "flow", "both", "llama3", "model.safetensors", "autoencoder", "<script>alert(1)</script>", "%s{}", "\n",
    "true", "1e999",
)  # fmt: skip


def weird(rng: Random, depth: int = 0) -> Any:
    """A value that is probably wrong wherever it is put."""
    kind = rng.randrange(8 if depth < 2 else 6)
    if kind == 0:
        return rng.choice((None, True, False))
    if kind <= 2:
        return rng.choice(NUMBERS) if rng.random() < 0.6 else rng.randint(-5, 70)
    if kind == 3:
        return rng.choice(FLOATS)
    if kind <= 5:
        return rng.choice(TEXTS)
    if kind == 6:
        return [weird(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(TEXTS): weird(rng, depth + 1) for _ in range(rng.randrange(4))}


def damage_bytes(rng: Random, content: bytes, other: bytes = b"") -> bytes:
    """One to four of: a bit flipped, bytes overwritten, inserted, cut out, repeated, cut off, taken from ``other``."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        size = len(data)
        place = rng.randrange(size + 1) if rng.random() < 0.6 else rng.randrange(min(size, 256) + 1)
        length = rng.choice((1, 2, 4, 8, 64, 1024))
        kind = rng.randrange(8)
        if kind == 0 and size:
            data[min(place, size - 1)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[place : place + 8] = struct.pack("<q", rng.choice(NUMBERS[:14]))
        elif kind == 2:
            data[place : place + 4] = struct.pack(
                rng.choice("<>") + "I", rng.choice((0, 1, 2**31 - 1, 2**32 - 1, 10**9))
            )
        elif kind == 3:
            data[place:place] = rng.randbytes(length)
        elif kind == 4:
            del data[place : place + length]
        elif kind == 5:
            data[place:place] = data[place : place + length] * rng.randint(1, 5)
        elif kind == 6 and rng.random() < 0.5:
            del data[place:]
        elif other:
            start = rng.randrange(len(other))
            data[place : place + length] = other[start : start + length]
    return bytes(data)


def damage_tree(rng: Random, data: Any) -> Any:
    """One to three changes anywhere in a JSON value: replaced, removed, renamed, added, moved, doubled."""
    tree = [copy.deepcopy(data)]
    for _ in range(rng.randint(1, 3)):
        places = list(_places(tree))
        holder, key = rng.choice(places)
        kind = rng.randrange(6)
        if kind <= 1 or holder is tree:
            holder[key] = weird(rng)
        elif kind == 2:
            del holder[key]
        elif kind == 3 and isinstance(holder, dict):
            holder[rng.choice(TEXTS)] = holder.pop(key)
        elif kind == 4:
            there, name = rng.choice(places)
            holder[key] = copy.deepcopy(there[name]) if there is not tree else weird(rng)
        elif isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        else:
            holder[rng.choice(TEXTS)] = weird(rng)
    return tree[0]


def _places(tree: Any) -> Any:
    """Every (container, key) of a JSON value."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


def damage_json(rng: Random, data: Any) -> bytes:
    """A JSON file: three in four with its tree changed, the others with their bytes changed."""
    if rng.random() < 0.75:
        return json.dumps(damage_tree(rng, data)).encode()
    text = json.dumps(data)
    kind = rng.randrange(12)
    if kind == 0:
        return (rng.choice("[{") * 100_000).encode()
    if kind == 1:
        return text.replace("1", "1" * 5000).encode()
    if kind == 2:
        return text.encode(rng.choice(("utf-16", "utf-8-sig", "utf-32")))
    return damage_bytes(rng, text.encode())


def damage_safetensors(rng: Random, content: bytes) -> bytes:
    """A safetensors file: its header's fields changed, or its bytes."""
    (length,) = struct.unpack("<Q", content[:8])
    if rng.random() < 0.3:
        return damage_bytes(rng, content)
    header = json.loads(content[8 : 8 + length])
    name = rng.choice([name for name in header if name != "__metadata__"])
    kind = rng.randrange(5)
    if kind == 0:
        header[name]["shape"] = [rng.choice(NUMBERS) for _ in range(rng.randrange(4))]
    elif kind == 1:
        header[name]["data_offsets"] = [rng.choice(NUMBERS), rng.choice(NUMBERS)]
    elif kind == 2:
        header[name]["dtype"] = rng.choice(("F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "C64", "X", "F32"))
    else:
        header = damage_tree(rng, header)
    text = json.dumps(header).encode()
    claimed = len(text) if rng.random() < 0.9 else rng.choice((0, 1, 2**32, 2**40, 2**63))
    return struct.pack("<Q", claimed) + text + content[8 + length :]


def damage_zip(rng: Random, content: bytes) -> bytes:
    """A zip of torch's: bytes changed outside, or the pickle inside changed and the zip made whole again."""
    if rng.random() < 0.35:
        return damage_bytes(rng, content)
    made = io.BytesIO()
    packing = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", packing) as new:
        for entry in old.infolist():
            inside = old.read(entry)
            if entry.filename.endswith("data.pkl"):
                inside = damage_pickle(rng, inside)
            elif rng.random() < 0.05:
                inside = damage_bytes(rng, inside)
            name = entry.filename if rng.random() < 0.98 else rng.choice(("../outside/x", "/etc/x", "data.pkl"))
            new.writestr(name, inside)
    return made.getvalue()


CALLS = (
    ("os", "mkdir", ("harm",)), ("posix", "mkdir", ("harm",)), ("os", "system", ("mkdir harm",)),
    ("builtins", "eval", ("__import__('os').mkdir('harm')",)), ("builtins", "exec", ("import os; os.mkdir('harm')",)),
    ("subprocess", "Popen", (["mkdir", "harm"],)), ("builtins", "getattr", ("x", "y")), ("torch", "load", ("x",)),
    ("torch.utils.collect_env", "run", ("mkdir harm",)), ("torch.serialization", "os.mkdir", ("harm",)),
    ("shutil", "rmtree", ("harm",)), ("torch", "hub.load", ("a/b", "c")),
    ("socket", "create_connection", (("127.0.0.1", 9),)),
)  # fmt: skip
"""What a hostile pickle would call; whatever runs leaves a folder ``harm`` or rings the watchman's bell."""


def hostile_pickle(rng: Random) -> bytes:
    """A pickle, written opcode by opcode, that calls one of ``CALLS`` in one of the ways the format knows."""
    import pickle

    module, name, arguments = rng.choice(CALLS)
    what = pickle.dumps(arguments, 2)[2:-1]  # without protocol and stop
    way = rng.randrange(5)
    if way == 0:
        call = f"c{module}\n{name}\n".encode() + what + b"R"
    elif way == 1:
        call = (
            b"\x8c"
            + bytes([len(module)])
            + module.encode()
            + b"\x8c"
            + bytes([len(name)])
            + name.encode()
            + b"\x93"
            + what
            + b"R"
        )
    elif way == 2:
        call = b"(" + b"".join(pickle.dumps(one, 2)[2:-1] for one in arguments) + f"i{module}\n{name}\n".encode()
    elif way == 3:
        call = b"(" + f"c{module}\n{name}\n".encode() + b"".join(pickle.dumps(one, 2)[2:-1] for one in arguments) + b"o"
    else:
        call = f"c{module}\n{name}\n".encode() + what + b"\x81"
    return b"\x80" + bytes([rng.choice((2, 2, 4, 5))]) + b"}X\x01\x00\x00\x00a" + call + b"s."


def damage_pickle(rng: Random, content: bytes) -> bytes:
    """A pickle with its bytes changed, or a hostile one in its place, or in its middle."""
    kind = rng.randrange(10)
    if kind <= 2:
        return hostile_pickle(rng)
    if kind <= 4:
        evil, place = hostile_pickle(rng)[2:-1], rng.randrange(len(content))
        return content[:place] + evil + content[place:]
    return damage_bytes(rng, content)
