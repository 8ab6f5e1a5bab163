"""What every tab is built on: the models, the limits, and how its worked example gets on the screen."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradio.components import Component

from calm_lab.app.limits import OPEN, Limits
from calm_lab.app.shelf import Entry, Shelf
from calm_lab.app.words import say

if TYPE_CHECKING:
    from calm_lab.app.links import Field

QUICK = "model"
"""Concurrency id of model calls that answer in a fraction of a second."""
LONG = "generate"
"""Concurrency id of generations, so that one visitor's long text does not hold up another's typing."""
FIT = "fit"
"""Concurrency id of small networks that are trained on the page."""
STUDY = "study"
"""Concurrency id of experiments on laws that need no model."""
MAPS = "maps"
"""Concurrency id of latent maps being opened."""


@dataclass(frozen=True)
class Bench:
    """The models and limits that a tab works with."""

    shelf: Shelf
    limits: Limits = field(default=OPEN)


@dataclass(frozen=True)
class Opening:
    """What puts the worked example on screen when a tab is first opened.

    Attributes:
        fill: called with the values of ``inputs``, returns those of ``outputs``; a generator yields them bit by bit.
        inputs: components it reads.
        outputs: components it fills.
        concurrency: one of the ids above.
        fields: what a link to the tab carries.
    """

    fill: Callable[..., Any]
    inputs: Sequence[Component]
    outputs: Sequence[Component]
    concurrency: str = QUICK
    fields: Sequence[Field] = ()


def sizes(entry: Entry) -> str:
    """The sizes and the headline metric of a model in one line."""
    config = entry.config
    parts = [f"{sign} = {config[key]:,}" for sign, key in _SIZES.items() if isinstance(config.get(key), int)]
    score, ceiling, back = (entry.metrics.get(name) for name in ("brier_lm", "ceiling", "sigma_0.3"))
    if isinstance(score, int | float):
        limit = f" {say('model_ceiling')} {ceiling:.1f}" if isinstance(ceiling, int | float) else ""
        parts.append(f"BrierLM {score:.1f}{limit}")
    if isinstance(back, int | float):
        parts.append(f"{say('model_back')} {100 * back:.2f}%")
    return " · ".join(parts)


_SIZES = {"K": "chunk_size", "l": "latent_size", "V": "vocab_size"}


def plain(value: Any) -> Any:
    """Data classes as dictionaries, numbers to 6 digits; what is no finite number becomes None, for JSON has none."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
