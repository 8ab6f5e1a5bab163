"""calm_lab: a laboratory for CALM, Continuous Autoregressive Language Models (arXiv:2510.27688).

The public names live here and load on first use, so that ``import calm_lab`` is quick.

>>> import calm_lab
>>> lm = calm_lab.load_model("calm-storyland-k4")                      # doctest: +SKIP
>>> print("".join(step.text for step in calm_lab.generate(lm, seed=1)))  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from calm_lab.version import __version__

if TYPE_CHECKING:
    from calm_lab.lab.flops import flops
    from calm_lab.lab.scale import lab_scale
    from calm_lab.loading import load_autoencoder, load_model, load_transformer
    from calm_lab.toolkit.brier import brier_lm, brier_n
    from calm_lab.toolkit.energy import EnergyScore, energy_score
    from calm_lab.toolkit.exact import ExactSample, sample_at_temperature
    from calm_lab.toolkit.generate import ChunkStep, generate
    from calm_lab.toolkit.laws import expected_calls
    from calm_lab.toolkit.temperature import temperature_weights

_HOMES = {
    "load_autoencoder": "calm_lab.loading",
    "load_model": "calm_lab.loading",
    "load_transformer": "calm_lab.loading",
    "energy_score": "calm_lab.toolkit.energy",
    "EnergyScore": "calm_lab.toolkit.energy",
    "brier_n": "calm_lab.toolkit.brier",
    "brier_lm": "calm_lab.toolkit.brier",
    "temperature_weights": "calm_lab.toolkit.temperature",
    "sample_at_temperature": "calm_lab.toolkit.exact",
    "ExactSample": "calm_lab.toolkit.exact",
    "expected_calls": "calm_lab.toolkit.laws",
    "generate": "calm_lab.toolkit.generate",
    "ChunkStep": "calm_lab.toolkit.generate",
    "flops": "calm_lab.lab.flops",
    "lab_scale": "calm_lab.lab.scale",
}

__all__ = [
    "ChunkStep",
    "EnergyScore",
    "ExactSample",
    "__version__",
    "brier_lm",
    "brier_n",
    "energy_score",
    "expected_calls",
    "flops",
    "generate",
    "lab_scale",
    "load_autoencoder",
    "load_model",
    "load_transformer",
    "sample_at_temperature",
    "temperature_weights",
]


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'calm_lab' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value  # the next access does not come here; a submodule of the same name cannot shadow it
    return value


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
