"""Damaged, hostile and absurd model folders: one line of a CalmLabError, never anything else, and nothing allocated."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from calm_lab.errors import CalmLabError, CheckpointError
from calm_lab.model import checkpoint
from calm_lab.model.checkpoint import load
from tests.model.model_folders import make_folders
from tests.model.official_folder import Recipe, write

SLOW_FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One folder of each kind, ours and official."""
    return make_folders(tmp_path_factory.mktemp("folders"))


KINDS = ("autoencoder", "calm", "transformer", "official", "official-bin", "official-autoencoder")


def refused(folder: Path) -> str:
    """The one line with which loading ``folder`` fails; nothing but a CalmLabError may come."""
    with pytest.raises(CalmLabError) as caught:
        load(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1000
    return message


# --- files


def _missing(path: Path) -> None:
    path.unlink()


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _last_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _text(path: Path) -> None:
    path.write_text("Once upon a time\n" * 20)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _list(path: Path) -> None:
    path.write_text("[1, 2, 3]")


def _deep(path: Path) -> None:
    path.write_text("[" * 100_000)


def _latin(path: Path) -> None:
    path.write_bytes(b'{"format": "caf\xe9"}')


@pytest.mark.parametrize(
    "damage",
    [_missing, _half, _last_byte, _empty, _zeros, _text, _folder, _list, _deep, _latin],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("kind", KINDS)
def test_every_file_in_every_state(
    kind: str, damage: Callable[[Path], None], folders: dict[str, Path], tmp_path: Path
) -> None:
    needed = [path for path in folders[kind].rglob("*") if path.is_file() and path.name != "card.json"]
    for path in needed:
        copy = tmp_path / f"{path.parent.name}-{path.name}"
        shutil.copytree(folders[kind], copy)
        damage(copy / path.relative_to(folders[kind]))
        if damage is _last_byte and path.suffix != ".safetensors":
            continue  # a newline, or the end of a zip's comment: may well still be read
        assert str(copy) in refused(copy) or damage is _missing


def test_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("{}")
    for name in (
        "nowhere",
        "empty",
        "file",
        "file/below",
        "x" * 300,
        "~nobody-of-this-name/model",
        "nul\0byte",
        "a\nb",
    ):
        refused(tmp_path / name if not name.startswith("~") else Path(name))
    assert "import-official" in refused(Path("owner/model-of-the-hub"))


# --- pickles


class Harm:
    """Unpickling this makes a folder."""

    def __init__(self, place: Path):
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.place),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_with_code_is_refused_and_not_run(legacy: bool, folders: dict[str, Path], tmp_path: Path) -> None:
    folder, harm = tmp_path / "model", tmp_path / "harm"
    shutil.copytree(folders["official-autoencoder"], folder)
    (folder / "model.safetensors").unlink()
    data = {"encoder.embed_tokens.weight": torch.zeros(3, 3), "extra": Harm(harm)}
    torch.save(data, folder / "pytorch_model.bin", _use_new_zipfile_serialization=not legacy)
    assert "refused for safety" in refused(folder)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(data))
    assert "refused for safety" in refused(folder)
    assert not harm.exists()


@pytest.mark.parametrize(
    "content",
    [
        [torch.zeros(2, 2)],
        {"encoder.embed_tokens.weight": 3},
        {3: torch.zeros(2, 2)},
        {"encoder.embed_tokens.weight": torch.zeros(4, 4).to_sparse()},
        {"encoder.embed_tokens.weight": torch.zeros(1).expand(10**6, 10**6)},  # 4 bytes that look like 4 TB
        {"encoder.embed_tokens.weight": torch.zeros(2, 2, device="meta")},
        {"encoder.embed_tokens.weight": torch.zeros(2, 2, dtype=torch.complex64)},
        {"encoder.embed_tokens.weight": torch.zeros(())},
        {},
    ],
)
def test_pickles_of_other_things(content: object, folders: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(folders["official-autoencoder"], tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    torch.save(content, tmp_path / "model" / "pytorch_model.bin")
    refused(tmp_path / "model")


class Filling:
    """Unpickling this makes a megabyte out of a few bytes."""

    def __reduce__(self) -> tuple[Any, ...]:
        return bytearray, (1 << 16,)


@pytest.mark.parametrize("name", ["data.pkl", "DATA.PKL", None])
def test_a_pickle_that_makes_much_of_little_is_refused(
    name: str | None, folders: dict[str, Path], tmp_path: Path
) -> None:
    """Torch's loader calls bytearray as often as it is told to, and finds its pickle whatever the case of its name."""
    folder, whole = tmp_path / "model", tmp_path / "whole.bin"
    shutil.copytree(folders["official-autoencoder"], folder)
    (folder / "model.safetensors").unlink()
    torch.save([Filling() for _ in range(50)], whole, _use_new_zipfile_serialization=name is not None)
    if name is None:
        shutil.copy(whole, folder / "pytorch_model.bin")
    else:
        with zipfile.ZipFile(whole) as old, zipfile.ZipFile(folder / "pytorch_model.bin", "w") as new:
            for entry in old.infolist():
                new.writestr(entry.filename.replace("data.pkl", name), old.read(entry))
    assert "bytearray" in refused(folder)


# --- shards


@pytest.mark.parametrize(
    "weight_map",
    [
        {"a": "../official/model.safetensors"},
        {"a": "/etc/passwd"},
        {"a": "sub/model.safetensors"},
        {"a": "..\\model.safetensors"},
        {"a": ".."},
        {"a": ""},
        {"a": "config.json"},
        {"a": "not-there.safetensors"},
        {"a": 3},
        {},
        None,
        "model.safetensors",
    ],
)
def test_an_index_that_points_elsewhere_is_refused(
    weight_map: object, folders: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "secret.safetensors").write_text("x")
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copy(folders["official"] / "config.json", folder)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    refused(folder)


def test_a_shard_too_few(folders: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(folders["official-bin"], tmp_path / "model")
    path = tmp_path / "model" / "pytorch_model.bin.index.json"
    index = json.loads(path.read_text())
    first = min(index["weight_map"].values())
    index["weight_map"] = {name: file for name, file in index["weight_map"].items() if file == first}
    path.write_text(json.dumps(index))
    refused(tmp_path / "model")


# --- numbers


def changed(folder: Path, copy: Path, path: tuple[str, ...], value: object) -> Path:
    """A copy of a folder whose config.json has ``value`` at ``path``."""
    if not copy.exists():
        shutil.copytree(folder, copy)
    data = json.loads((folder / "config.json").read_text())
    place = data
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    (copy / "config.json").write_text(json.dumps(data))
    return copy


SIZES = [
    ("autoencoder", ("config", name))
    for name in (
        "vocab_size",
        "chunk_size",
        "latent_size",
        "hidden_size",
        "intermediate_size",
        "num_encoder_layers",
        "num_decoder_layers",
    )
] + [
    ("calm", ("config", *path))
    for path in (
        ("vocab_size",),
        ("chunk_size",),
        ("latent_size",),
        ("backbone", "hidden_size"),
        ("backbone", "intermediate_size"),
        ("backbone", "num_layers"),
        ("backbone", "num_heads"),
        ("backbone", "num_kv_heads"),
        ("head", "num_blocks"),
        ("head", "noise_size"),
        ("head", "num_samples"),
        ("head", "num_targets"),
    )
]


@pytest.mark.parametrize(("kind", "path"), SIZES, ids=lambda value: value if isinstance(value, str) else value[-1])
def test_absurd_sizes_fail_before_anything_is_allocated(
    kind: str, path: tuple[str, ...], folders: dict[str, Path], tmp_path: Path
) -> None:
    """10^12 of anything would take terabytes, or years; on the meta device and by counting tensors it takes neither."""
    for value in (10**12, 2**62, 2**63, 10**30, -1, 0, 3.5, "3", None, True, [3], float("nan"), float("inf")):
        if value is None and path[-1] == "num_kv_heads":
            continue  # as many as query heads: right here
        if value == 0 and path[-1].endswith(("coder_layers",)):
            continue  # refused below, by its tensors
        assert "config" in refused(changed(folders[kind], tmp_path / "copy", path, value))
    for value in (0, 1) if path[-1].endswith("coder_layers") else ():
        refused(changed(folders[kind], tmp_path / "copy", path, value))


NUMBERS = {
    "autoencoder": ("kl_weight", "kl_clip", "drop_token", "drop_latent", "rms_norm_eps"),
    "calm": (("head", "alpha"), ("head", "init_std"), ("backbone", "rope_theta"), ("backbone", "rms_norm_eps")),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_that_are_none(kind: str, folders: dict[str, Path], tmp_path: Path) -> None:
    for name in NUMBERS[kind]:
        path = ("config", name) if isinstance(name, str) else ("config", *name)
        for value in (float("nan"), float("inf"), -float("inf"), -1.0, 10**400, "0.1", None, True, []):
            refused(changed(folders[kind], tmp_path / "copy", path, value))


@pytest.mark.parametrize(
    ("kind", "path", "value", "words"),
    [
        ("calm", ("format",), 2, "format 2 is not known"),
        ("calm", ("format",), "one\ntwo", "not known"),
        ("calm", ("format",), None, "not known"),
        ("calm", ("kind",), "clam", "did you mean 'calm'"),
        ("calm", ("kind",), ["calm"], "unknown kind"),
        ("calm", ("kind",), "k" * 10_000, "unknown kind"),
        ("calm", ("kind",), "autoencoder", "config"),
        ("calm", ("config",), [], "expected a JSON object"),
        ("calm", ("config", "backbone"), 3, "expected a JSON object"),
        ("calm", ("config", "head", "kind"), "flow", "lacks"),
        ("calm", ("config", "head", "kind"), "engery", "did you mean 'energy'"),
        ("calm", ("config", "input"), "both", "lacks"),
        ("calm", ("config", "new\nfield"), 1, "unknown field"),
        ("calm", ("config", "pad_id"), -1, "token id"),
        ("calm", ("config", "eos_id"), 10**12, "token id"),
        ("calm", ("config", "backbone", "rope_scaling"), {"type": "dynamic"}, "rope_scaling"),
        ("calm", ("autoencoder",), "../autoencoder", "unknown bundled autoencoder"),
        ("calm", ("autoencoder",), 3, "unknown bundled autoencoder"),
        ("autoencoder", ("config", "tied"), 1, "tied must be bool"),
        ("autoencoder", ("config", "tied"), False, "lacks 'decoder.output.weight'"),
    ],
)
def test_fields_of_a_wrong_kind(
    kind: str, path: tuple[str, ...], value: object, words: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    assert words in refused(changed(folders[kind], tmp_path / "copy", path, value))


def test_tensors_of_another_shape_or_kind(folders: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folders["transformer"], copy)
    tensors = checkpoint.read_tensors(folders["transformer"] / "model.safetensors")
    for name, value, words in (
        ("embed.weight", torch.zeros(23, 15), "has shape (23, 15), the config says (23, 16)"),
        ("embed.weight", torch.zeros(0), "has shape (0,)"),
        ("embed.weight", torch.zeros(23, 16, dtype=torch.int32), "not floating-point"),
        ("new.weight", torch.zeros(1), "unknown tensor 'new.weight'"),
    ):
        save_file(tensors | {name: value}, copy / "model.safetensors")
        assert words in refused(copy)
    shutil.copy(folders["autoencoder"] / "model.safetensors", copy)
    refused(copy)
    shutil.copytree(folders["transformer"], tmp_path / "calm")
    shutil.copytree(folders["calm"], tmp_path / "calm", dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "calm" / "autoencoder")
    shutil.copytree(folders["transformer"], tmp_path / "calm" / "autoencoder")
    assert "holds a TokenTransformer" in refused(tmp_path / "calm")


# --- mutations

WEIRD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 1, 2, 3, 4, 7, 10**6, 10**12, 2**31, 2**63, 10**30, -(10**30)]),
    st.integers(-5, 60),
    st.floats(allow_nan=True),
    st.text(max_size=5),
    st.sampled_from(["energy", "flow", "both", "llama3", "../x", "\0", "silu"]),
    st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(st.sampled_from(["type", "factor", "kind", "weight"]), st.integers(0, 3), max_size=2),
)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path of a JSON object."""
    found = []
    for name, value in data.items():
        found.append((*path, name))
        if isinstance(value, dict):
            found += places(value, (*path, name))
    return found


def survives(folder: Path) -> bool:
    """Load and, where that works, use; True if it worked. Anything but a CalmLabError escapes."""
    try:
        model = load(folder)
        ids = torch.zeros(1, 2 * getattr(model.config, "chunk_size", 1), dtype=torch.int64)
        _ = model.encode(ids) if hasattr(model, "encode") else model.hidden_states(ids)
    except CalmLabError as error:
        message = str(error)
    else:
        return True
    assert "\n" not in message
    return False


@pytest.mark.parametrize(("kind", "examples"), [("autoencoder", 600), ("calm", 400), ("official", 400)])
def test_no_mutation_of_a_config_escapes(kind: str, examples: int, folders: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folders[kind], copy)
    whole = json.loads((copy / "config.json").read_text())
    paths = places(whole)
    worked = []

    @settings(max_examples=examples, suppress_health_check=SLOW_FIXTURES, database=None)
    @given(st.data())
    def mutate(data: st.DataObject) -> None:
        mutated = json.loads(json.dumps(whole))
        for _ in range(data.draw(st.integers(1, 2))):
            path = data.draw(st.sampled_from(paths))
            place = mutated
            for name in path[:-1]:
                place = place.get(name) if isinstance(place, dict) else None
            if not isinstance(place, dict):
                continue
            action = data.draw(st.sampled_from(["replace", "replace", "remove", "rename"]))
            if action == "replace":
                place[path[-1]] = data.draw(WEIRD)
            elif action == "remove":
                place.pop(path[-1], None)
            else:
                place[data.draw(st.text(max_size=4))] = place.pop(path[-1], None)
        (copy / "config.json").write_text(json.dumps(mutated))
        worked.append(survives(copy))

    mutate()
    assert 0 < sum(worked) < len(worked)  # some changes are harmless, most are not: both roads were walked


@pytest.mark.parametrize("examples", [600])
def test_no_mutation_of_a_safetensors_header_escapes(examples: int, folders: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folders["autoencoder"], copy)
    file = copy / "model.safetensors"
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])

    @settings(max_examples=examples, suppress_health_check=SLOW_FIXTURES, database=None)
    @given(st.data())
    def mutate(data: st.DataObject) -> None:
        if data.draw(st.booleans()):  # bytes
            damaged = bytearray(content)
            for _ in range(data.draw(st.integers(1, 3))):
                damaged[data.draw(st.integers(0, length + 16))] = data.draw(st.integers(0, 255))
            end = data.draw(st.sampled_from([len(damaged), len(damaged), length, 4, len(damaged) - 3]))
            file.write_bytes(bytes(damaged[:end]))
        else:  # fields
            mutated = json.loads(json.dumps(header))
            name = data.draw(st.sampled_from(sorted(mutated)))
            if isinstance(mutated[name], dict):
                field = data.draw(st.sampled_from(["shape", "dtype", "data_offsets"]))
                mutated[name][field] = data.draw(
                    st.one_of(
                        WEIRD,
                        st.lists(st.sampled_from([-1, 0, 1, 23, 8, 10**12, 2**63]), max_size=3),
                        st.sampled_from(["F32", "F64", "BF16", "I64", "BOOL", "F8_E4M3", "C64", "U8"]),
                    )
                )
            text = json.dumps(mutated).encode()
            file.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
        survives(copy)

    mutate()


def test_a_pickle_cut_or_changed_anywhere(folders: dict[str, Path], tmp_path: Path) -> None:
    """200 damages of a zip: bytes changed in its first and last kilobyte, and cuts."""
    shutil.copytree(folders["official-autoencoder"], tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    write(tmp_path / "model", Recipe(kind="autoencoder", file="pytorch_model.bin"))
    file = tmp_path / "model" / "pytorch_model.bin"
    content = file.read_bytes()
    stream = torch.Generator().manual_seed(0)
    for place in torch.randint(0, 2048, (200,), generator=stream).tolist():
        damaged = bytearray(content)
        damaged[place if place < 1024 else place - 2048] ^= 1 + place % 255
        file.write_bytes(bytes(damaged) if place % 5 else content[:-place])
        survives(tmp_path / "model")


def test_damage_inside_a_run_folder(folders: dict[str, Path], tmp_path: Path) -> None:
    newest = tmp_path / "run" / "checkpoints" / "step-00000010"
    shutil.copytree(folders["autoencoder"], newest)
    assert checkpoint.resolve(tmp_path / "run") == newest
    _half(newest / "model.safetensors")
    assert str(newest) in refused(tmp_path / "run")
    with pytest.raises(CheckpointError, match=r"no config\.json here"):
        load(tmp_path)
