"""The maps that visitors look at, and the UMAP fits that run for them: kept while in use, bounded in number.

The map that an autoencoder begins with is made when it is first opened, and kept: there are no more than autoencoders.
A map of a visitor's own text, or with UMAP computed again, lives in memory only, under a key made from what it is of,
so that two visitors with one text share it; the oldest of these goes when there are too many.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from calm_lab.app import map_code
from calm_lab.app.bench import Bench
from calm_lab.app.map_code import Making
from calm_lab.app.shelf import Entry
from calm_lab.errors import InputError
from calm_lab.lab.latent_map import store
from calm_lab.lab.latent_map.again import Fitting
from calm_lab.lab.latent_map.store import LatentMap
from calm_lab.lab.latent_map.views import map_data
from calm_lab.model import checkpoint
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.text.corpora import load_corpus

KEPT = 6
FIRST = "first-"
SAMPLE_STORIES = 100
ABANDONED_SECONDS = 30.0
SAMPLE_NAME = f"storyland, {SAMPLE_STORIES} stories"


@dataclass(frozen=True, eq=False)
class Shown:
    """A map, its key, the autoencoder it is of, and what the drawing needs of it."""

    key: str
    model: str
    found: LatentMap
    data: dict[str, Any]
    making: Making


@dataclass(eq=False)
class Job:
    """A UMAP fit, the map it will change, and when somebody last asked for it."""

    fitting: Fitting
    shown: Shown
    settings: dict[str, object]
    asked: float = field(default_factory=time.monotonic)


class MapShelf:
    """Maps by key; made once even when two visitors ask at the same moment."""

    def __init__(self, bench: Bench):
        self.bench = bench
        self._maps: OrderedDict[str, Shown] = OrderedDict()
        self._jobs: dict[str, Job] = {}
        self._lock = threading.RLock()
        self._making = threading.Lock()  # whoever looks at another map need not wait for it
        self._started = 0

    def autoencoder(self, shown: Shown) -> Autoencoder:
        """The model that a map is of."""
        return self.bench.shelf.autoencoder(shown.model)

    def opened(self, model: str) -> Shown:
        """The map to begin with: the bundled one, or for another autoencoder a small one of storyland by PCA."""
        entry = self.bench.shelf.entry("autoencoder", model)
        changed = (entry.folder / "config.json").stat().st_mtime_ns
        key = f"{FIRST}{entry.name}-{changed}"
        with self._making:
            if (known := self._known(key)) is not None:
                return known
            loaded = self.bench.shelf.autoencoder(entry.name)
            if checkpoint.bundled().get(entry.name) == entry.folder and entry.name in store.bundled_maps():
                found, making = store.bundled_map(loaded, entry.name, entry.folder), map_code.bundled(entry.name)
            else:
                stories = [row["text"] for row in load_corpus("storyland", "test", count=SAMPLE_STORIES)]
                found = store.map_texts(loaded, stories, SAMPLE_NAME)
                making = map_code.stories(SAMPLE_STORIES, SAMPLE_NAME)
            return self._put(key, entry, found, making)

    def own(self, model: str, text: str) -> Shown:
        """The map of a visitor's own text."""
        entry = self.bench.shelf.entry("autoencoder", model)
        key = f"own-{entry.name}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:24]}"
        with self._making:
            if (known := self._known(key)) is not None:
                return known
            loaded = self.bench.shelf.autoencoder(entry.name)
            return self._put(key, entry, store.map_texts(loaded, [text]), map_code.own(text))

    def get(self, key: object) -> Shown:
        """The map of a key; InputError if it is gone."""
        known = self._known(key)
        if known is None:
            raise InputError("this map is no longer kept: open it again")
        return known

    def _known(self, key: object) -> Shown | None:
        with self._lock:
            if not isinstance(key, str) or key not in self._maps:
                return None
            self._maps.move_to_end(key)
            return self._maps[key]

    def value(self, shown: Shown) -> dict[str, Any]:
        """What the drawing is given: the map, its Python, and the CALMs that draw on it now."""
        return {**shown.data, "calms": self._calms(shown.model)}

    def _calms(self, model: str) -> list[str]:
        """CALMs over an autoencoder, by the name of a bundled one, else by sizes; a question compares weights."""
        entry = self.bench.shelf.entry("autoencoder", model)
        keys = ("vocab_size", "chunk_size", "latent_size")

        def fits(calm: Entry) -> bool:
            named = checkpoint.bundled().get(calm.autoencoder or "")
            sizes = all(calm.config.get(key) == entry.config.get(key) for key in keys)
            return sizes if named is None else named == entry.folder

        return [name for name, calm in self.bench.shelf.entries("calm").items() if fits(calm)]

    def _put(self, key: str, entry: Entry, found: LatentMap, making: Making) -> Shown:
        data = {**map_data(found), "key": key, "model": entry.name, "python": making.python(entry.address)}
        shown = Shown(key, entry.name, found, data, making)
        with self._lock:
            self._maps[key] = shown
            if key.startswith(FIRST):  # the model may have been trained on since
                gone = [old for old in self._maps if old.startswith(f"{FIRST}{entry.name}-") and old != key]
            else:
                gone = [old for old in self._maps if not old.startswith(FIRST)][:-KEPT]
            for old in gone:
                del self._maps[old]
        return shown

    # UMAP again

    def start(self, key: object, n_neighbors: object, min_dist: object, seed: int = 0) -> str:
        """Start a fit and give back its name; InputError if too many run or a setting is out of its domain."""
        shown = self.get(key)
        if isinstance(n_neighbors, bool) or not isinstance(n_neighbors, int):
            raise InputError(f"n_neighbors must be a whole number, not {str(n_neighbors)[:40]}")
        if isinstance(min_dist, bool) or not isinstance(min_dist, int | float):
            raise InputError(f"min_dist must be a number from 0 to 1, not {str(min_dist)[:40]}")
        with self._lock:
            self._drop_abandoned()
            if len(self._jobs) >= self.bench.limits.fits:
                raise InputError("UMAP is already being computed for somebody: try again in a minute")
            fitting = Fitting(shown.found.mean, n_neighbors, float(min_dist), seed)
            self._started += 1
            name = f"fit-{self._started}-{hashlib.sha256(f'{time.time_ns()}'.encode()).hexdigest()[:12]}"
            settings: dict[str, object] = {"n_neighbors": n_neighbors, "min_dist": float(min_dist), "seed": seed}
            self._jobs[name] = Job(fitting, shown, settings)
        threading.Thread(target=self._watch, args=(name,), daemon=True).start()
        return name

    def _watch(self, name: str) -> None:
        """Stop a fit that nobody asks for any more: its visitor has left."""
        while (job := self._jobs.get(name)) is not None:
            if time.monotonic() - job.asked > ABANDONED_SECONDS:
                self.cancel(name)
            job.fitting.wait(1.0)
            if not job.fitting.running:
                time.sleep(1.0)

    def _drop_abandoned(self) -> None:
        now = time.monotonic()
        for name in [name for name, job in self._jobs.items() if now - job.asked > ABANDONED_SECONDS]:
            self.cancel(name)

    def job(self, name: object) -> Job:
        """A fit by its name; InputError if there is none."""
        job = self._jobs.get(name) if isinstance(name, str) else None
        if job is None:
            raise InputError("this computation is no longer there: start it again")
        job.asked = time.monotonic()
        return job

    def finished(self, name: str) -> Shown:
        """The map with the new layout, once the fit has ended; the fit is forgotten."""
        job = self.job(name)
        with self._lock:
            self._jobs.pop(name, None)
        found = job.shown.found.with_umap(job.fitting.layout(), dict(job.settings))
        key = f"{job.shown.key.split('|')[0]}|{'-'.join(str(value) for value in job.settings.values())}"
        entry = self.bench.shelf.entry("autoencoder", job.shown.model)
        return self._put(key, entry, found, job.shown.making.again(dict(job.settings)))

    def cancel(self, name: object) -> None:
        """Stop a fit; one that is not there is left alone."""
        with self._lock:
            job = self._jobs.pop(name, None) if isinstance(name, str) else None
        if job is not None:
            job.fitting.cancel()
