"""Fuzz every loader: ``python -m tests.torture.fuzz --inputs 100000``.

Each target runs in a child process of its own with a limit on its memory. The child writes down the number of the input
it is at, so that one that kills the process (a crash of a C++ or Rust library) is known and the next child goes on
behind it. The seed and the number give an input again: ``--only TARGET --first NUMBER --inputs 1``.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import resource
import signal
import struct
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import torch

from calm_lab.errors import CalmLabError
from tests.torture import targets
from tests.torture.watchman import Watchman, asks_for_memory

ROOM = 1 << 30  # address space a child may take on top of what it starts with
PATIENCE = 10  # seconds of processor time an input may take
KEPT_FINDS = 20


@dataclass
class Tally:
    """What became of the inputs of one target.

    Attributes:
        tried: inputs read.
        accepted: loaded in spite of their damage.
        refused: refused with one of our own errors.
        finds: one line for each input that did anything else.
    """

    tried: int = 0
    accepted: int = 0
    refused: int = 0
    finds: list[str] = field(default_factory=list)


class Slow(BaseException):
    """An input took too long."""


def main(argv: list[str] | None = None) -> int:
    """Run it; exit code 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input of each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=sorted(targets.TARGETS))
    parser.add_argument("--json", type=Path, help="write the tallies here")
    options = parser.parse_args(argv)
    chosen = [options.only] if options.only else list(targets.TARGETS)
    whole = sum(targets.TARGETS[name][1] for name in chosen)
    tallies = {}
    warnings.simplefilter("ignore")  # torch and zipfile warn about what is damaged here on purpose
    with tempfile.TemporaryDirectory() as folder:
        targets.warm_up(Path(folder))
    for name in chosen:
        began, count = time.monotonic(), -(-options.inputs * targets.TARGETS[name][1] // whole)
        tally = tallies[name] = fuzz(name, options.first, count, options.seed)
        line = f"{name:<15} {tally.tried:>7,} tried, {tally.accepted:>6,} loaded, {tally.refused:>7,} refused"
        print(f"{line}, {len(tally.finds)} finds, {time.monotonic() - began:.0f} s", flush=True)
        for found in tally.finds[:KEPT_FINDS]:
            print(f"    {found}", flush=True)
    if options.json:
        options.json.write_text(json.dumps({name: asdict(tally) for name, tally in tallies.items()}, indent=1))
    total = sum(tally.tried for tally in tallies.values())
    found = sum(len(tally.finds) for tally in tallies.values())
    print(f"{total:,} inputs, {found} finds", flush=True)
    return int(found > 0)


def fuzz(name: str, first: int, count: int, seed: int) -> Tally:
    """Damage and load ``count`` inputs of one target, in as many children as it takes."""
    tally, place = Tally(), first
    with tempfile.TemporaryDirectory(prefix="calm_lab-fuzz-") as folder:
        while place < first + count:
            shared = mmap.mmap(-1, 8)
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reading)
                _child(name, Path(folder), place, first + count, seed, shared, writing)
            os.close(writing)
            with os.fdopen(reading) as pipe:
                lines = [json.loads(line) for line in pipe]
            _, status = os.waitpid(child, 0)
            for line in lines:
                tally.tried += line["tried"]
                tally.accepted += line["accepted"]
                tally.refused += line["refused"]
                tally.finds += line["finds"]
            place += sum(line["tried"] for line in lines)
            if os.WIFSIGNALED(status) or os.WEXITSTATUS(status):
                what = (
                    signal.Signals(os.WTERMSIG(status)).name
                    if os.WIFSIGNALED(status)
                    else f"exit {os.WEXITSTATUS(status)}"
                )
                (number,) = struct.unpack("q", shared[:8])
                tally.finds.append(f"#{number}: the process died ({what})")
                tally.tried += number + 1 - place
                place = number + 1
    return tally


def _child(name: str, folder: Path, place: int, end: int, seed: int, shared: mmap.mmap, writing: int) -> None:
    """Run the inputs from ``place`` on; report in lines of JSON, and never come back."""
    code = 3
    try:
        torch.set_num_threads(1)
        home, secret = folder / "home", folder / "outside"
        home.mkdir(exist_ok=True)
        secret.mkdir(exist_ok=True)
        os.chdir(home)
        attempt = targets.TARGETS[name][0](home)
        watchman = Watchman(home, secret)
        _limit_memory()
        signal.signal(signal.SIGVTALRM, _too_slow)
        with os.fdopen(writing, "w") as pipe:
            for start in range(place, end, 200):
                counts: Counter[str] = Counter()
                finds: list[str] = []
                for number in range(start, min(start + 200, end)):
                    shared[:8] = struct.pack("q", number)
                    _one(attempt, Random(f"{seed} {name} {number}"), watchman, counts, finds, number)
                    if (home / "harm").exists():
                        finds.append(f"#{number}: code ran")
                        (home / "harm").rmdir()
                pipe.write(
                    json.dumps({**{k: counts[k] for k in ("tried", "accepted", "refused")}, "finds": finds}) + "\n"
                )
                pipe.flush()
        code = 0
    except BaseException as error:  # the last words of a child whose own set-up failed
        print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def _one(attempt: Any, rng: Random, watchman: Watchman, counts: Counter[str], finds: list[str], number: int) -> None:
    counts["tried"] += 1
    found: str | None = None
    try:
        with watchman.watching():
            signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
            try:
                attempt(rng)
                counts["accepted"] += 1
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except CalmLabError as error:
        counts["refused"] += 1
        message = str(error)
        if "\n" in message or not message or len(message) > 1000:
            found = f"an error of {len(message)} characters, not of one line: {message[:100]!r}"
        elif asks_for_memory(error):
            found = f"memory was asked for before it was refused: {message[:200]}"
    except Slow:
        found = f"took more than {PATIENCE} s"
    except BaseException as error:
        found = f"{type(error).__name__}: {str(error)[:200]}"
    for what in ([found] if found else []) + watchman.seen:
        finds.append(f"#{number}: {what}")


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise Slow


if __name__ == "__main__":
    sys.exit(main())
