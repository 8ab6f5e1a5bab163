"""Every event handler and API endpoint of the app, called with values that no page would send."""

from __future__ import annotations

import inspect
import itertools
import logging
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import gradio as gr

from calm_lab.app.limits import SHARED
from calm_lab.app.main import build_app
from calm_lab.errors import InputError
from calm_lab.model import checkpoint
from calm_lab.text.tokenizer import Tokenizer
from tests.model import small
from tests.torture.mutate import weird

TEXT = "The old fox saw a red hen by the river, and went home."
LOOKS = 3  # answers taken of a stream
FITTING = (
    "default",
    "small-calm",
    "small-autoencoder",
    TEXT,
    "",
    1,
    2,
    3,
    0.5,
    7,
    [[0.5] * 5],
    [[0.0, 1.0], [2.0, 3.0]],
    {},
)


class Careless(Exception):
    """A handler failed with something else than one of our errors."""


def save_models(folder: Path) -> Path:
    """An autoencoder and a CALM with random weights and a tokenizer, in milliseconds."""
    tokenizer = Tokenizer.train([TEXT] * 4, 290)
    calm = small.calm(vocab_size=tokenizer.vocab_size)
    calm.autoencoder.tokenizer = tokenizer
    checkpoint.save(calm.autoencoder, folder / "small-autoencoder", {})
    checkpoint.save(calm, folder / "small-calm", {})
    return folder


def app(home: Path) -> Any:
    """All handlers; gradio's own checks of a value are left out, so that ours stand alone."""
    checkpoint.bundled = dict  # type: ignore[assignment]
    logging.getLogger("calm_lab").setLevel(logging.CRITICAL)
    built = build_app(save_models(home / "models"), "cpu", SHARED)
    handlers = [(block.fn, len(block.inputs), block.api_name) for block in built.fns.values() if callable(block.fn)]

    def one(rng: Random) -> bool:
        handler, count, name = rng.choice(handlers)
        values = [rng.choice(FITTING) if rng.random() < 0.6 else weird(rng) for _ in range(count)]
        if "event" in inspect.signature(handler).parameters:  # what was clicked, as the browser tells it
            values.append(gr.EventData(None, {rng.choice(("n", "m")): weird(rng)}))
        if "request" in inspect.signature(handler).parameters:  # the address of the page
            query = {rng.choice(("tab", "seed", "n", "model")): str(weird(rng))[:200] for _ in range(3)}
            values.append(SimpleNamespace(query_params=query))
        try:
            if inspect.isgeneratorfunction(inspect.unwrap(handler)):
                for _ in itertools.islice(handler(*values), LOOKS):
                    pass
            else:
                handler(*values)
        except gr.Error as error:
            if "server's log" in error.message:
                raise Careless(f"{name or handler}{str(values)[:300]}: {error.__context__!r}") from None
            raise InputError(error.message) from None
        except Exception as error:
            raise Careless(f"{name or handler}{str(values)[:300]}: {error!r}") from None
        return True

    return one
