"""``calm-lab doctor``: what is there, what is missing, and what to do about it.

Every check ends as OK, WARN (something is off, the rest works) or FAIL (calm_lab cannot work so), each with its remedy.
Checks that need a heavy library import it themselves, so that a broken torch is a line of the report and not its end.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from calm_lab.cli.commands import COMMANDS
from calm_lab.cli.parsing import parse
from calm_lab.errors import CorpusError
from calm_lab.version import __version__

DISTRIBUTION = "calm-lab"
REINSTALL = "pip install -c constraints.txt -e .   (or: make app)"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HUB = "https://huggingface.co"
LOW_DISK, FULL_DISK = 2e9, 2e8  # bytes: room for a few runs; room for one small checkpoint


@dataclass(frozen=True)
class Check:
    """One line of the report.

    Attributes:
        status: OK, WARN or FAIL.
        what: the thing looked at.
        found: what was found.
        remedy: what to do; empty when OK.
    """

    status: Literal["OK", "WARN", "FAIL"]
    what: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"\n{'':<34}-> {self.remedy}" if self.remedy else ""
        return f"{self.status:<5} {self.what:<27} {self.found}{remedy}"


@dataclass(frozen=True)
class DoctorOptions:
    """What the doctor looks at.

    Attributes:
        network: ask whether the data hub answers; everything else is looked up on this computer.
    """

    network: bool = True


def run(args: list[str]) -> int:
    """Print every check as it is made; 1 if any of them failed, else 0."""
    command = COMMANDS["doctor"]
    options = parse(DoctorOptions, args, prog="calm-lab doctor", summary=command.summary, example=command.example)
    failed = False
    for check in examine(options):
        print(check, flush=True)
        failed = failed or check.status == "FAIL"
    print("\nSomething must be mended first; see FAIL above." if failed else "\nReady.")
    return int(failed)


def examine(options: DoctorOptions) -> Iterator[Check]:
    """Make every check. One that breaks itself is reported as FAIL and does not stop the others."""
    checks: list[Callable[[], Iterator[Check]]] = [python, packages, device, models, corpora, cache, disk, browser]
    if options.network:
        checks.append(hub)
    for check in checks:
        try:
            yield from check()
        except Exception as error:  # a doctor reports whatever ails
            yield Check("FAIL", check.__name__, f"{type(error).__name__}: {error}", REINSTALL)


def python() -> Iterator[Check]:
    """The interpreter's version against what the package asks for, and the package's own version."""
    found = platform.python_version()
    wanted = importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"] or ""
    fits = SpecifierSet(wanted).contains(found, prereleases=True)
    yield Check("OK", "calm_lab", __version__)
    remedy = "" if fits else f"use a Python {wanted}: make distclean, then make app PYTHON=/path/to/it"
    yield Check("OK" if fits else "FAIL", "python", f"{found} on {platform.system()} {platform.machine()}", remedy)


def packages() -> Iterator[Check]:
    """Every library that calm_lab needs: installed, and inside its range?"""
    for line in importlib.metadata.requires(DISTRIBUTION) or []:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            yield Check("FAIL", requirement.name, "not installed", REINSTALL)
            continue
        if requirement.specifier.contains(found, prereleases=True):
            yield Check("OK", requirement.name, found)
        else:
            yield Check("FAIL", requirement.name, f"{found}, but {requirement.specifier} is needed", REINSTALL)


def device() -> Iterator[Check]:
    """Where models would run, and with how many threads."""
    import torch

    from calm_lab.device import pick_device

    picked = pick_device()
    if picked.type == "cuda":
        properties = torch.cuda.get_device_properties(picked)
        yield Check("OK", "device", f"{picked}: {properties.name}, {properties.total_memory / 2**30:.0f} GiB")
    else:
        yield Check("OK", "device", f"{picked}, {os.cpu_count()} cores, torch uses {torch.get_num_threads()} threads")


def models() -> Iterator[Check]:
    """The bundled models: each is loaded, with its tokenizer and its card."""
    from calm_lab.errors import CheckpointError
    from calm_lab.model import checkpoint

    shelf = checkpoint.ASSETS
    folders = sorted(path for path in shelf.iterdir() if path.is_dir()) if shelf.is_dir() else []
    if not folders:
        yield Check("WARN", "bundled models", f"none in {shelf}", "reinstall calm_lab, or train one: calm-lab train")
    for folder in folders:
        try:
            checkpoint.read_json(folder / "card.json")
            if checkpoint.load(folder).tokenizer is None:
                raise CheckpointError(f"{folder}: has no tokenizer.json")
        except CheckpointError as error:
            yield Check("FAIL", folder.name, f"damaged: {error}", "reinstall calm_lab, or restore it from git")
        else:
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            yield Check("OK", folder.name, f"bundled model, {size / 2**20:.1f} MiB")


def corpora() -> Iterator[Check]:
    """The named corpora that are fetched once: are they in the cache?"""
    from calm_lab.text.corpora import corpus_info, corpus_names, is_cached

    for name in corpus_names():
        kind = corpus_info(name).kind
        if kind == "generated":
            yield Check("OK", f"corpus {name}", "generated here, needs no network")
        elif kind != "hub" and is_cached(name):
            yield Check("OK", f"corpus {name}", "in the cache")
        elif kind != "hub":
            yield Check("WARN", f"corpus {name}", "not fetched yet", f"calm-lab corpora --fetch {name}")


def cache() -> Iterator[Check]:
    """The cache folder: can a file be written there?"""
    from calm_lab.text.cache import CACHE_VARIABLE, cache_folder, writable_cache

    try:
        with tempfile.TemporaryFile(dir=writable_cache()):
            yield Check("OK", "cache", str(cache_folder()))
    except (CorpusError, OSError) as error:
        remedy = f"set {CACHE_VARIABLE} to a folder that you may write to"
        yield Check("WARN", "cache", f"{cache_folder()} cannot be written: {error}", remedy)


def disk() -> Iterator[Check]:
    """Free space where corpora are kept and where runs are written."""
    from calm_lab.text.cache import cache_folder

    folders = {"cache": cache_folder(), "this folder": Path.cwd()}
    for name, folder in folders.items():
        there = next(parent for parent in [folder, *folder.parents] if parent.exists())
        free = shutil.disk_usage(there).free
        status: Literal["OK", "WARN", "FAIL"] = "FAIL" if free < FULL_DISK else "WARN" if free < LOW_DISK else "OK"
        remedy = "" if status == "OK" else f"make room on the disk of {there}: a run writes its checkpoints there"
        yield Check(status, f"disk, {name}", f"{free / 1e9:.1f} GB free", remedy)


def browser() -> Iterator[Check]:
    """Chromium, which only the browser tests and the screenshots need."""
    found = find_browser()
    if found:
        yield Check("OK", "chromium", found)
    else:
        yield Check("WARN", "chromium", "not found; the browser tests are skipped", "sudo apt install chromium")


def find_browser() -> str | None:
    """The path of the first Chromium-like browser on this computer, or ``None``."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def hub() -> Iterator[Check]:
    """The corpora of the hub: in the user's mirror of it, or else does the hub answer?"""
    from calm_lab.text.hub import MIRROR_VARIABLE, mirror_of
    from calm_lab.text.sources import REGISTRY

    asked = []
    for name, source in REGISTRY.items():
        folder = mirror_of(source.hub.repo) if source.hub is not None else None
        if folder is not None:
            yield Check("OK", f"corpus {name}", str(folder))
        elif source.hub is not None:
            asked.append(name)
    try:
        with urllib.request.urlopen(urllib.request.Request(HUB, method="HEAD"), timeout=3):
            yield Check("OK", "data hub", f"{HUB} answers")
    except urllib.error.HTTPError as error:
        yield Check("OK", "data hub", f"{HUB} answers ({error.code})")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        remedy = (
            f"only hub corpora ({', '.join([*asked, 'OWNER/NAME'])}) need it: go online, or set {MIRROR_VARIABLE} to"
            " a folder with copies of them; all other corpora and your own files work offline"
        )
        yield Check("WARN", "data hub", f"{HUB} cannot be reached: {reason}", remedy)
