"""Many visitors at once: ``python -m tests.torture.load --sessions 50 --seconds 300``.

Starts the app in a process of its own, lets that many ``gradio_client`` sessions do what visitors do (encode, decode,
score, generate), and reports how long each action took, what went wrong, and how the app's memory went. Every visitor
types words that no other types; an answer that holds another's is a find. "Busy", from a full queue, is an answer.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psutil

from tests.torture.app_target import save_models
from tests.torture.watchman import ROOT

BUSY = ("queue is full", "too many requests", "queue full", "busy")
ACTIONS = ("encode", "encode", "encode", "decode", "score", "score", "page", "generate")
SAMPLE_EVERY = 1.0
GROWTH = 0.10  # of the memory after warm-up that the rest of the run may add


@dataclass
class Report:
    """What the visitors saw.

    Attributes:
        sessions: visitors at a time.
        seconds: how long they stayed.
        answers: calls answered, by action.
        busy: calls answered with "busy".
        milliseconds: p50, p95 and the longest, by action.
        memory_mib: the app's resident memory, (second, MiB).
        finds: one line for each error, and each text of another visitor.
    """

    sessions: int
    seconds: float
    answers: dict[str, int] = field(default_factory=dict)
    busy: int = 0
    milliseconds: dict[str, dict[str, float]] = field(default_factory=dict)
    memory_mib: list[tuple[float, float]] = field(default_factory=list)
    finds: list[str] = field(default_factory=list)


def main(argv: list[str] | None = None) -> int:
    """Run it; exit code 1 for any error, mixed-up answer, or memory that keeps growing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small-models", action="store_true", help="random tiny models instead of the bundled ones")
    parser.add_argument("--json", type=Path, help="write the report here")
    options = parser.parse_args(argv)
    report = load(options.sessions, options.seconds, options.seed, options.small_models)
    for action, times in sorted(report.milliseconds.items()):
        print(
            f"{action:<9} {report.answers[action]:>6} answers, p50 {times['p50']:>7.0f} ms, p95 {times['p95']:>7.0f} ms"
        )
    curve = [f"{mib:.0f}" for _, mib in report.memory_mib[:: max(1, len(report.memory_mib) // 10)]]
    print(f"{report.busy} times busy; memory {', '.join(curve)} MiB")
    for found in report.finds[:20]:
        print(f"    {found}")
    print(f"{sum(report.answers.values()):,} answers to {report.sessions} visitors, {len(report.finds)} finds")
    if options.json:
        options.json.write_text(json.dumps(asdict(report), indent=1))
    return int(bool(report.finds))


def load(sessions: int, seconds: float, seed: int, small_models: bool) -> Report:
    """Start the app, send the visitors, stop the app."""
    report = Report(sessions, seconds)
    with tempfile.TemporaryDirectory(prefix="calm_lab-load-") as home:
        process, url = serve(Path(home), small_models)
        try:
            times: dict[str, list[float]] = {}
            lock, stop = threading.Lock(), threading.Event()
            visitors = [
                threading.Thread(target=_visit, args=(url, number, seed, small_models, stop, times, report, lock))
                for number in range(sessions)
            ]
            for visitor in visitors:
                visitor.start()
            began = time.monotonic()
            app = psutil.Process(process.pid)
            while time.monotonic() - began < seconds and process.poll() is None:
                report.memory_mib.append((round(time.monotonic() - began, 1), app.memory_info().rss / 2**20))
                time.sleep(SAMPLE_EVERY)
            stop.set()
            if process.poll() is not None:
                report.finds.append(f"the app ended with code {process.returncode}")
            for visitor in visitors:
                visitor.join(timeout=120)
                if visitor.is_alive():
                    report.finds.append("a call was not answered within two minutes of the end")
        finally:
            process.kill()
            process.wait()
    for action, values in times.items():
        values.sort()
        report.answers[action] = len(values)
        report.milliseconds[action] = {"p50": _quantile(values, 0.5), "p95": _quantile(values, 0.95), "max": values[-1]}
    late = [mib for second, mib in report.memory_mib if second > seconds / 2]
    if seconds >= 120 and late and late[-1] > (1 + GROWTH) * late[0]:  # a shorter run is all warm-up
        report.finds.append(f"memory grew from {late[0]:.0f} to {late[-1]:.0f} MiB in the second half")
    return report


def _quantile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


def serve(home: Path, small_models: bool) -> tuple[subprocess.Popen[bytes], str]:
    """The app as ``calm-lab app --share-safe`` starts it; with small models, those hide the bundled ones."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    models = save_models(home / "models")
    hide = "from calm_lab.model import checkpoint; checkpoint.bundled = dict; " if small_models else ""
    given = f"models={str(models)!r}, " if small_models else ""
    code = f"{hide}from calm_lab.app import launch; launch(port={port}, {given}device='cpu', share_safe=True)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CALM_LAB_CACHE": str(home / "cache"), "TMPDIR": str(home)}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=home, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return process, url
        except (OSError, urllib.error.URLError):
            if process.poll() is not None:
                raise RuntimeError(f"the app ended with code {process.returncode}") from None
            time.sleep(0.3)
    process.kill()
    raise RuntimeError("the app did not answer within five minutes")


def _visit(
    url: str, number: int, seed: int, small: bool, stop: threading.Event,
    times: dict[str, list[float]], report: Report, lock: threading.Lock,
) -> None:  # fmt: skip
    """One visitor, until ``stop``."""
    from gradio_client import Client

    rng = Random(f"{seed} {number}")
    mark = f"visitor{number:04d}x"
    try:
        client = Client(url, verbose=False, httpx_kwargs={"timeout": 300})
    except Exception as error:
        with lock:
            report.finds.append(f"a session could not begin: {type(error).__name__}: {error}"[:300])
        return
    latent = 5 if small else 64
    while not stop.is_set():
        action = rng.choice(ACTIONS)
        text = " ".join(
            [mark, *(rng.choice(("fox", "hen", "river", "home", "<b>sea</b>")) for _ in range(rng.randint(1, 12)))]
        )
        began = time.monotonic()
        try:
            wrong = _CALLS[action](client, url, text, mark, rng, latent)
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
            if any(word in wrong.lower() for word in BUSY):
                with lock:
                    report.busy += 1
                time.sleep(rng.uniform(0.5, 2))
                continue
        took = 1000 * (time.monotonic() - began)
        with lock:
            times.setdefault(action, []).append(took)
            if wrong:
                report.finds.append(f"{action}: {wrong}"[:300])
        time.sleep(rng.uniform(0.05, 1.0))


def _encode(client: Any, url: str, text: str, mark: str, rng: Random, latent: int) -> str | None:
    answer = client.predict(text=text, api_name="/encode")
    written = "".join(token for chunk in answer["chunks"] for token in chunk["tokens"])
    return None if mark in written and written.count("visitor") == 1 else f"{mark} was answered with {written!r}"


def _decode(client: Any, url: str, text: str, mark: str, rng: Random, latent: int) -> str | None:
    vectors = [[rng.gauss(0, 1) for _ in range(latent)] for _ in range(rng.randint(1, 8))]
    answer = client.predict(vectors=vectors, api_name="/decode")
    return None if len(answer["chunks"]) == len(vectors) else f"{len(vectors)} vectors, {len(answer['chunks'])} chunks"


def _score(client: Any, url: str, text: str, mark: str, rng: Random, latent: int) -> str | None:
    shift = rng.uniform(1, 1000)  # two samples that far apart: a score that tells whose they are
    answer = client.predict(samples=[[0.0], [shift]], targets=[[0.0]], api_name="/score")
    return None if abs(answer["diversity"] - shift) < 1e-3 * shift else f"diversity {answer['diversity']}, not {shift}"


def _generate(client: Any, url: str, text: str, mark: str, rng: Random, latent: int) -> str | None:
    tokens = rng.randint(8, 48)
    answer = client.predict(prompt=text, seed=rng.randrange(1000), max_tokens=tokens, pool=50, api_name="/generate")
    return (
        None if answer["steps"] and "visitor" not in answer["text"].replace(mark, "") else "no steps, or another's text"
    )


def _page(client: Any, url: str, text: str, mark: str, rng: Random, latent: int) -> str | None:
    with urllib.request.urlopen(url, timeout=120) as answer:
        page = answer.read()
    return "the page holds a visitor's text" if b"visitor0" in page else None


_CALLS: dict[str, Callable[..., str | None]] = {
    "encode": _encode, "decode": _decode, "score": _score, "generate": _generate, "page": _page,
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
