"""What the latent map answers when it is asked: one small function a question, plain data in and out.

The drawing calls these from the browser; they are no endpoints of the API. Each takes one object, and answers with an
object or ``{"message": reason}``. All numbers come from ``calm_lab.lab.latent_map``.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from calm_lab.app.limits import MAX_SEED
from calm_lab.app.map_shelf import MapShelf, Shown
from calm_lab.app.refusals import refusal
from calm_lab.errors import CalmLabError, InputError
from calm_lab.lab.latent_map import cloud, cluster, place, views, walk
from calm_lab.lab.latent_map.chunks import tokenizer_of
from calm_lab.model.calm import CALM

Answer = Callable[[Any], dict[str, Any]]
AT_ONCE, IN_LINE, WAIT_SECONDS = 2, 8, 30.0
CROWD = "too many visitors ask at once: try again"
_log = logging.getLogger(__name__)


def answers(shelf: MapShelf) -> list[Answer]:
    """The functions that the drawing may call, over one shelf of maps."""
    turns = _Turns()

    def answer(question: Callable[[MapShelf, dict[str, Any]], dict[str, Any]]) -> Answer:
        @functools.wraps(question)
        def call(asked: Any) -> dict[str, Any]:
            try:
                with turns.one():
                    if not isinstance(asked, dict):
                        raise InputError("a question is an object")
                    return question(shelf, asked)
            except CalmLabError as error:
                return refusal(error)
            except Exception as error:
                _log.error("a question to the map failed", exc_info=error)
                return refusal("something went wrong here; the server's log says what")

        del call.__wrapped__  # gradio reads signatures, and this one takes one argument
        return call

    return [answer(question) for question in QUESTIONS]


class _Turns:
    """Questions do not pass through gradio's queue. Each holds one of the server's threads, so their line is short."""

    def __init__(self) -> None:
        self._line, self._turn = threading.Semaphore(AT_ONCE + IN_LINE), threading.Semaphore(AT_ONCE)

    @contextmanager
    def one(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise CalmLabError(CROWD)
        try:
            if not self._turn.acquire(timeout=WAIT_SECONDS):
                raise CalmLabError(CROWD)
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._line.release()


def map_point(shelf: MapShelf, asked: dict[str, Any]) -> dict[str, Any]:
    """A chunk of the map: ``{key, row}``."""
    shown = shelf.get(asked.get("key"))
    look = place.point(shown.found, shelf.autoencoder(shown), asked.get("row"))  # type: ignore[arg-type]
    return views.look_data(shown.found, look)


def map_spot(shelf: MapShelf, asked: dict[str, Any]) -> dict[str, Any]:
    """A spot between points: ``{key, picture, x, y}``."""
    shown = shelf.get(asked.get("key"))
    x, y, picture = asked.get("x"), asked.get("y"), str(asked.get("picture"))
    spot = place.between(shown.found, x, y, picture)  # type: ignore[arg-type]
    look = views.look_data(shown.found, place.look_at(shown.found, shelf.autoencoder(shown), spot.z))
    look["places"][picture] = [x, y]
    return {**look, **views.spot_data(spot)}


def map_phrase(shelf: MapShelf, asked: dict[str, Any]) -> dict[str, Any]:
    """Where a phrase lands: ``{key, text}``."""
    shown = shelf.get(asked.get("key"))
    text = shelf.bench.limits.check_text(asked.get("text", ""), "phrase")
    looks = place.phrase(shown.found, shelf.autoencoder(shown), text)
    return {"text": text, "looks": [views.look_data(shown.found, look) for look in looks]}


def map_walk(shelf: MapShelf, asked: dict[str, Any]) -> dict[str, Any]:
    """From one vector to another: ``{key, start, end, path, steps}``; the ends are vectors."""
    shown = shelf.get(asked.get("key"))
    model = shelf.autoencoder(shown)
    start, end = (_vector(asked.get(name), model.config.latent_size, name) for name in ("start", "end"))
    found = walk.walk(model, start, end, str(asked.get("path")), asked.get("steps", walk.STEPS))
    return views.walk_data(shown.found, tokenizer_of(model), found)


def map_cloud(shelf: MapShelf, asked: dict[str, Any]) -> dict[str, Any]:
    """Draws of a head: ``{key, model, text, seed}``."""
    shown, lm, text = _context(shelf, asked)
    seed = shelf.bench.limits.check_number(asked.get("seed"), "the seed", 0, MAX_SEED)
    most = 8 * shelf.bench.limits.shown_tokens
    return views.cloud_data(shown.found, cloud.sample_cloud(lm, text, seed=seed, max_tokens=most))


def map_noise(shelf: MapShelf, asked: dict[str, Any]) -> dict[str, Any]:
    """The head's noise along a line: ``{key, model, text, seed, end}``."""
    shown, lm, text = _context(shelf, asked)
    first, last = (shelf.bench.limits.check_number(asked.get(n), "the seed", 0, MAX_SEED) for n in ("seed", "end"))
    most = 8 * shelf.bench.limits.shown_tokens
    context, found = cloud.noise_walk(lm, text, walk.STEPS, first, last, max_tokens=most)
    data = views.walk_data(shown.found, tokenizer_of(lm.autoencoder), found)
    return {**views.context_data(context), **data}


def map_words(shelf: MapShelf, asked: dict[str, Any]) -> dict[str, Any]:
    """Words typical of some chunks: ``{key, rows}``."""
    found = shelf.get(asked.get("key")).found
    rows = asked.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, int) and not isinstance(row, bool) for row in rows):
        raise InputError("rows must be a list of whole numbers")
    words = cluster.typical_words(found.texts, rows)
    return {
        "words": [
            {
                "word": w.word,
                "inside": w.inside,
                "outside": w.outside,
                "log_odds": round(w.log_odds, 3),
                "z": round(w.z, 2),
            }
            for w in words
        ]
    }


def map_own(shelf: MapShelf, asked: dict[str, Any]) -> dict[str, Any]:
    """A map of one's own text: ``{model, text}``."""
    text, most = asked.get("text"), shelf.bench.limits.map_characters
    if not isinstance(text, str) or not text.strip():
        raise InputError("the file holds no text: choose a text file in UTF-8")
    if len(text) > most:
        raise InputError(f"the text has {len(text):,} characters: shorten it to at most {most:,}")
    return shelf.value(shelf.own(str(asked.get("model")), text))


def map_fit(shelf: MapShelf, asked: dict[str, Any]) -> dict[str, Any]:
    """Start UMAP again: ``{key, n_neighbors, min_dist}``."""
    return {"job": shelf.start(asked.get("key"), asked.get("n_neighbors"), asked.get("min_dist"))}


def map_fit_state(shelf: MapShelf, asked: dict[str, Any]) -> dict[str, Any]:
    """How far a fit is, and once it is done the whole map: ``{job}``."""
    job = shelf.job(asked.get("job"))
    if job.fitting.running:
        stage = job.fitting.stage
        return {"stage": stage.name, "done": stage.done, "total": stage.total}
    return {"map": shelf.value(shelf.finished(str(asked["job"])))}


def map_fit_cancel(shelf: MapShelf, asked: dict[str, Any]) -> dict[str, Any]:
    """Stop a fit: ``{job}``."""
    shelf.cancel(asked.get("job"))
    return {"cancelled": True}


QUESTIONS = (
    map_point,
    map_spot,
    map_phrase,
    map_walk,
    map_cloud,
    map_noise,
    map_words,
    map_own,
    map_fit,
    map_fit_state,
    map_fit_cancel,
)


def _vector(values: object, size: int, name: str) -> Tensor:
    """A vector from the browser; InputError unless it is ``size`` numbers of a sane size."""
    fits = isinstance(values, list) and len(values) == size
    if not fits or not all(isinstance(v, int | float) and abs(v) < 1e4 for v in values):  # type: ignore[attr-defined]
        raise InputError(f"the {name} of a walk must be a vector of {size} numbers")
    return torch.tensor(values, dtype=torch.float32)


def _context(shelf: MapShelf, asked: dict[str, Any]) -> tuple[Shown, CALM, str]:
    """The map, the CALM that draws on it, and the text; InputError if the model writes into another latent space."""
    shown = shelf.get(asked.get("key"))
    text = shelf.bench.limits.check_text(asked.get("text", ""), "text")
    lm = shelf.bench.shelf.calm(str(asked.get("model")))
    own, its = (model.encoder.state_dict() for model in (shelf.autoencoder(shown), lm.autoencoder))
    if own.keys() != its.keys() or not all(torch.equal(own[name], its[name]) for name in own):
        raise InputError("this model writes into the latent space of another autoencoder: choose a map of that one")
    return shown, lm, text
