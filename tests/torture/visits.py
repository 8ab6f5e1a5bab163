"""What the visitors of the load test share, and the visitors without a browser: sessions of ``gradio_client``."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from random import Random
from typing import Any

BUSY = ("queue is full", "too many requests", "queue full", "busy", "too many visitors")
ACTIONS = ("encode", "encode", "encode", "decode", "score", "score", "map", "map", "page", "generate")


class Visits:
    """What all visitors share; safe for threads.

    Attributes:
        samples: milliseconds of each action, and whether a generation ran beside it.
        busy: calls answered with "busy".
        finds: one line for each thing that went wrong.
        generating: generations that run or wait now.
        question: what a page asked the map.
        calm: set while nobody generates yet.
        stop: set at the end.
    """

    def __init__(self) -> None:
        self.samples: dict[str, list[tuple[float, bool]]] = {}
        self.busy = self.generating = 0
        self.finds: list[str] = []
        self.question: dict[str, Any] | None = None
        self.calm, self.stop, self._lock = threading.Event(), threading.Event(), threading.Lock()

    def add(self, action: str, milliseconds: float, beside: bool) -> None:
        """One answer."""
        with self._lock:
            self.samples.setdefault(action, []).append((milliseconds, beside))

    def find(self, what: str) -> None:
        """One thing that went wrong."""
        with self._lock:
            self.finds.append(what[:300])

    def answered_badly(self, action: str, message: str) -> bool:
        """Count an error: as busy where it says so; whether it does."""
        if not any(word in message.lower() for word in BUSY):
            self.find(f"{action}: {message}")
            return False
        with self._lock:
            self.busy += 1
        return True

    def generates(self, by: int) -> None:
        """One generation more, or less."""
        with self._lock:
            self.generating += by


def visit(url: str, number: int, seed: int, small: bool, visits: Visits) -> None:
    """One visitor without a browser, until the end."""
    from gradio_client import Client

    rng = Random(f"{seed} {number}")
    mark = f"visitor{number:04d}x"
    try:
        client = Client(url, verbose=False, httpx_kwargs={"timeout": 300})
    except Exception as error:
        visits.find(f"a session could not begin: {type(error).__name__}: {error}")
        return
    latent = 5 if small else 64
    while not visits.stop.is_set():
        action = rng.choice(ACTIONS)
        if (action == "generate" and visits.calm.is_set()) or (action == "map" and visits.question is None):
            continue
        words = [rng.choice(("fox", "hen", "river", "home", "<b>sea</b>")) for _ in range(rng.randint(1, 12))]
        text = " ".join([mark, *words])
        began, beside = time.monotonic(), visits.generating
        visits.generates(action == "generate")
        try:
            if action == "map":
                wrong = _map(url, visits.question or {}, rng)
            else:
                wrong = _CALLS[action](client, url, text, mark, rng, latent)
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        finally:
            visits.generates(-(action == "generate"))
        if wrong and visits.answered_badly(action, wrong):
            time.sleep(rng.uniform(0.5, 2))
            continue
        visits.add(action, 1000 * (time.monotonic() - began), bool(beside or visits.generating))
        time.sleep(rng.uniform(0.05, 1.0))


def _map(url: str, question: dict[str, Any], rng: Random) -> str | None:
    """Ask about another point of the map that a page has opened."""
    asked = {**question["data"], "row": rng.randrange(20)}
    body = json.dumps({**question, "data": asked}).encode()
    request = urllib.request.Request(f"{url}gradio_api/component_server", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read()).get("message")


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
