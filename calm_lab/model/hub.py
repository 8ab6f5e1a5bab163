"""Bring a model folder from the Hugging Face hub, put one there, and turn an official checkpoint into one of ours.

Nothing here runs unless it is asked for by name: ``load_model`` never goes to a network. ``CALM_LAB_HUB`` may name a
folder that mirrors the hub (``<folder>/<owner>/<name>/...``, as ``hf download`` writes it); what lies there is taken
from there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from calm_lab.errors import CheckpointError, InputError, TokenizerError
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.official import WEIGHT_FILES, load_official
from calm_lab.model.stored import first_line, read_json
from calm_lab.text import Tokenizer
from calm_lab.text.hub import MIRROR_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

SECONDS = 15  # to wait for the first answer of the hub
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_ALWAYS = re.compile(r"(autoencoder/)?(config|generation_config|card|tokenizer)\.json")


def pull(source: str | os.PathLike[str], revision: str | None = None) -> Path:
    """A local folder with the model called ``source``.

    Args:
        source: a folder, which is returned as it is, or ``owner/name`` on the hub.
        revision: branch, tag or commit; the newest by default.

    Returns:
        The folder: the one given, the mirror's, or a snapshot in the hub client's cache. Of a repository only what a
        model folder needs is fetched: no pickles where there are safetensors, and never code.

    Raises:
        CheckpointError: if there is no such folder and the hub cannot be reached or has no such model.
    """
    name = os.fspath(source)
    local = Path(os.path.expanduser(name))
    if local.is_dir():
        return local
    if not _REPOSITORY.fullmatch(name):
        raise CheckpointError(f"'{name}': no such folder, and no OWNER/NAME of the hub; give one of the two")
    mirror = os.environ.get(MIRROR_VARIABLE)
    if mirror and Path(os.path.expanduser(mirror), name).is_dir():
        return Path(os.path.expanduser(mirror), name)
    import huggingface_hub

    try:
        info = huggingface_hub.HfApi().model_info(name, revision=revision, timeout=SECONDS)
        files = wanted_files(file.rfilename for file in info.siblings or [])
        found = huggingface_hub.snapshot_download(name, revision=info.sha, allow_patterns=files)
    except Exception as error:  # the client raises dozens of kinds: no such model, no network, no permission, no room
        try:
            found = huggingface_hub.snapshot_download(name, revision=revision, local_files_only=True)
        except Exception:
            raise CheckpointError(
                f"cannot fetch '{name}' from the hub ({first_line(error)}): check the name and the connection, or "
                "download the folder elsewhere and give its path"
            ) from error
    return Path(found)


def wanted_files(names: Iterable[str]) -> list[str]:
    """Which files of a repository make the model folder: settings, tokenizer, and one form of the weights."""
    known = set(names)
    chosen = {name for name in known if _ALWAYS.fullmatch(name)}
    for folder in ("", "autoencoder/"):
        for stem in WEIGHT_FILES:
            kind = re.escape(stem.rpartition(".")[2])
            base = re.escape(folder + stem.rpartition(".")[0])
            weights = re.compile(rf"{base}(-\d+-of-\d+)?\.{kind}(\.index\.json)?")
            found = {name for name in known if weights.fullmatch(name)}
            if found:
                chosen |= found
                break
    return sorted(chosen)


def push(
    folder: str | os.PathLike[str], repository: str, *, private: bool = True, message: str = "calm_lab model"
) -> str:
    """Put a model folder on the hub, under the account that ``hf auth login`` knows.

    Args:
        folder: a bundled name, a model folder of ours, or a run (then its newest checkpoint).
        repository: ``owner/name``; made if it is not there.
        private: whether a new repository is hidden from others.
        message: of the commit.

    Returns:
        The address of what was written.

    Raises:
        CheckpointError: if the folder is no model of ours, or the hub cannot be reached or refuses.
        InputError: if ``repository`` is no ``owner/name``.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise InputError(f"'{repository}' is no OWNER/NAME of the hub")
    path = checkpoint.resolve(folder)
    if "format" not in read_json(path / "config.json"):
        raise CheckpointError(f"{path}: is no model of calm_lab; import it first with 'calm-lab import-official'")
    import huggingface_hub

    patterns = [f"{inside}{name}" for inside in ("", "autoencoder/") for name in checkpoint.FILES]
    try:
        api = huggingface_hub.HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        return str(
            api.upload_folder(
                folder_path=path, repo_id=repository, allow_patterns=patterns, commit_message=message
            ).commit_url
        )
    except Exception as error:  # as in pull
        raise CheckpointError(
            f"cannot put {path} on the hub as '{repository}' ({first_line(error)}): log in with 'hf auth login', check "
            "the name and the connection"
        ) from error


def import_official(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    dtype: str = "float32",
    *,
    tokenizer: str | os.PathLike[str] | None = None,
    autoencoder: str | os.PathLike[str] | None = None,
) -> Path:
    """Turn a checkpoint in the official layout into a model folder of ours: self-contained, safetensors only.

    Args:
        source: the folder, or ``owner/name`` on the hub.
        out: the folder to write; it must be new or empty.
        dtype: of the weights on disk: float32, float16 or bfloat16.
        tokenizer: a tokenizer.json to put beside the weights, where the source has none.
        autoencoder: the autoencoder's own folder or ``owner/name``; see ``load_official``.

    Returns:
        The folder written.

    Raises:
        CheckpointError: if something cannot be read or written, or ``out`` is taken.
    """
    target = Path(os.path.expanduser(out))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CheckpointError(f"{target}: exists already; choose a new folder")
    folder = pull(source)
    if "format" in read_json(folder / "config.json"):
        raise CheckpointError(f"{folder}: is a calm_lab model already; it can be used as it is")
    model = load_official(folder, None if autoencoder is None else pull(autoencoder))
    inner = model if isinstance(model, Autoencoder) else model.autoencoder
    if tokenizer is not None:
        try:
            inner.tokenizer = Tokenizer.load(tokenizer)
        except TokenizerError as error:
            raise CheckpointError(str(error)) from error
    name = os.fspath(source) if _REPOSITORY.fullmatch(os.fspath(source)) else folder.resolve().name
    checkpoint.save(model, target, {"imported_from": name, "layout": "official"}, dtype=dtype)
    return target
