"""Many visitors at once: ``python -m tests.torture.load --sessions 50 --seconds 300``.

Starts the app in a process of its own, lets that many visitors do what visitors do, and reports how long each action
took, what went wrong, and how the app's memory went. Most are ``gradio_client`` sessions (encode, decode, score, map,
generate), a few are pages in Chromium (``tests.torture.pages``). For the first two fifths nobody generates, so that
the map's answers can be compared with those beside a generation. Every visitor types words that no other types; an
answer that holds another's is a find. "Busy", from a full queue, is an answer.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from calm_lab.cli.doctor import find_browser
from tests.torture.app_target import save_models
from tests.torture.pages import browse, closing
from tests.torture.visits import Visits, visit
from tests.torture.watchman import ROOT

QUIET = 0.4  # of the time, before anybody generates
SAMPLE_EVERY = 1.0
GROWTH = 0.10  # of the memory after warm-up that the fitted line may add in the rest of the run


@dataclass
class Report:
    """What the visitors saw.

    Attributes:
        sessions: visitors at a time.
        seconds: how long they stayed.
        pages: how many of them came with a browser.
        answers: calls answered, by action.
        busy: calls answered with "busy".
        milliseconds: p50, p95 and the longest, by action.
        map_milliseconds: the map's p50, p95 and the longest, alone and beside a running generation.
        memory_mib: the app's resident memory, (second, MiB).
        growth_mib_per_minute: slope of a line through the second half of that.
        freed_seconds: from closing a page that generates to the answer of the next generation; None without a browser.
        finds: one line for each error, and each text of another visitor.
    """

    sessions: int
    seconds: float
    pages: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    busy: int = 0
    milliseconds: dict[str, dict[str, float]] = field(default_factory=dict)
    map_milliseconds: dict[str, dict[str, float]] = field(default_factory=dict)
    memory_mib: list[tuple[float, float]] = field(default_factory=list)
    growth_mib_per_minute: float = 0.0
    freed_seconds: float | None = None
    finds: list[str] = field(default_factory=list)


def main(argv: list[str] | None = None) -> int:
    """Run it; exit code 1 for any error, mixed-up answer, or memory that keeps growing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small-models", action="store_true", help="random tiny models instead of the bundled ones")
    parser.add_argument("--pages", type=int, default=3, help="visitors who come with Chromium")
    parser.add_argument("--json", type=Path, help="write the report here")
    parser.add_argument("--plot", type=Path, help="draw the report here")
    options = parser.parse_args(argv)
    pages = options.pages if find_browser() else 0
    report = load(options.sessions, options.seconds, options.seed, options.small_models, pages)
    for action, times in sorted(report.milliseconds.items()):
        print(
            f"{action:<9} {report.answers[action]:>6} answers, p50 {times['p50']:>7.0f} ms, p95 {times['p95']:>7.0f} ms"
        )
    for name, times in report.map_milliseconds.items():
        print(f"the map {name}: {times['answers']} answers, p50 {times['p50']:.0f} ms, p95 {times['p95']:.0f} ms")
    curve = [f"{mib:.0f}" for _, mib in report.memory_mib[:: max(1, len(report.memory_mib) // 10)]]
    print(f"{report.busy} times busy; memory {', '.join(curve)} MiB, {report.growth_mib_per_minute:+.1f} MiB a minute")
    if report.freed_seconds is not None:
        print(f"a closed page's generation made room within {report.freed_seconds} s")
    for found in report.finds[:20]:
        print(f"    {found}")
    print(f"{sum(report.answers.values()):,} answers to {report.sessions} visitors, {len(report.finds)} finds")
    if options.json:
        options.json.write_text(json.dumps(asdict(report), indent=1) + "\n")
    if options.plot:
        draw(report, options.plot)
    return int(bool(report.finds))


def load(sessions: int, seconds: float, seed: int, small_models: bool, pages: int = 0) -> Report:
    """Start the app, send the visitors, ``pages`` of them with a browser, stop the app."""
    report, visits = Report(sessions, seconds, pages), Visits()
    with tempfile.TemporaryDirectory(prefix="calm_lab-load-") as home:
        process, url = serve(Path(home), small_models)
        try:
            visitors = [
                threading.Thread(target=visit, args=(url, number, seed, small_models, visits))
                for number in range(sessions - pages)
            ]
            if pages:
                visitors.append(threading.Thread(target=browse, args=(url, len(visitors), pages, seed, visits)))
            visits.calm.set()
            for visitor in visitors:
                visitor.start()
            began = time.monotonic()
            app = psutil.Process(process.pid)
            while (second := time.monotonic() - began) < seconds and process.poll() is None:
                report.memory_mib.append((round(second, 1), app.memory_info().rss / 2**20))
                if second > QUIET * seconds:
                    visits.calm.clear()
                time.sleep(SAMPLE_EVERY)
            visits.stop.set()
            if process.poll() is not None:
                visits.find(f"the app ended with code {process.returncode}")
            for visitor in visitors:
                visitor.join(timeout=180)
                if visitor.is_alive():
                    visits.find("a call was not answered within three minutes of the end")
            if pages:
                report.freed_seconds = round(closing(url, lambda: _short(url)), 1)
        finally:
            process.kill()
            process.wait()
    _sum_up(report, visits)
    return report


def _short(url: str) -> None:
    """One chunk, which waits for its place like any other text."""
    from gradio_client import Client

    client = Client(url, verbose=False, httpx_kwargs={"timeout": 600})
    client.predict(prompt="the", max_tokens=1, pool=1, api_name="/generate")


def _sum_up(report: Report, visits: Visits) -> None:
    report.busy, report.finds = visits.busy, visits.finds
    for action, samples in visits.samples.items():
        report.answers[action] = len(samples)
        report.milliseconds[action] = _times([took for took, _ in samples])
    for name, beside in (("alone", False), ("beside a generation", True)):
        asked = [took for action in ("map", "map click") for took, b in visits.samples.get(action, ()) if b is beside]
        if asked:
            report.map_milliseconds[name] = {**_times(asked), "answers": len(asked)}
    late = [(second, mib) for second, mib in report.memory_mib if second > report.seconds / 2]
    if len(late) >= 3:
        slope = statistics.linear_regression(*zip(*late, strict=True)).slope
        report.growth_mib_per_minute = round(60 * slope, 2)
        grown, level = slope * report.seconds / 2, statistics.median(mib for _, mib in late)
        if report.seconds >= 120 and grown > GROWTH * level:  # a shorter run is all warm-up
            report.finds.append(f"memory grows by {60 * slope:.1f} MiB a minute, at {level:.0f} MiB")


def draw(report: Report, path: Path) -> None:
    """Two small charts: what each action took, and the app's memory."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
    names = sorted(report.milliseconds, key=lambda name: report.milliseconds[name]["p95"])
    for name, marker in (("p50", "o"), ("p95", "D")):
        left.plot([report.milliseconds[action][name] for action in names], names, marker, label=name)
    left.set(xscale="log", xlabel="milliseconds", title=f"{report.sessions} visitors, {report.seconds:.0f} s")
    left.grid(axis="x", alpha=0.3)
    left.legend()
    right.plot(*zip(*report.memory_mib, strict=True))
    right.axvline(QUIET * report.seconds, linestyle=":", color="gray")
    right.set(xlabel="seconds; from the dotted line on, with generations", ylabel="MiB", title="memory of the app")
    right.set_ylim(bottom=0)
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)


def _times(values: list[float]) -> dict[str, float]:
    values = sorted(values)
    p50, p95 = (values[min(len(values) - 1, int(share * len(values)))] for share in (0.5, 0.95))
    return {"p50": round(p50, 1), "p95": round(p95, 1), "max": round(values[-1], 1)}


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


if __name__ == "__main__":
    sys.exit(main())
