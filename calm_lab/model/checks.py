"""What a number in a config may be: every check that a damaged or mistyped config.json can fail.

Each check reads fields of a config by name and raises ``InputError`` with the class and the field in its message.
"""

from __future__ import annotations

import math

from calm_lab.errors import InputError

LARGEST_ID = 1 << 31


def shown(value: object) -> str:
    """A value for a one-line message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def check_positive(config: object, *names: str) -> None:
    """Whole numbers of at least 1."""
    for name in names:
        value = getattr(config, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InputError(f"{type(config).__name__}.{name} must be a whole number of at least 1, not {shown(value)}")


def check_number(config: object, *names: str, zero: bool = True) -> None:
    """Finite numbers that are not negative; above 0 where ``zero`` is off."""
    for name in names:
        value = getattr(config, name)
        if not isinstance(value, int | float) or not math.isfinite(value) or value < 0 or (value == 0 and not zero):
            least = "not negative" if zero else "above 0"
            raise InputError(f"{type(config).__name__}.{name} must be a finite number, {least}, not {shown(value)}")


def check_ids(config: object, *names: str) -> None:
    """Token ids. They may lie outside the vocabulary: some published models pad with an id behind it."""
    for name in names:
        value = getattr(config, name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LARGEST_ID:
            raise InputError(f"{type(config).__name__}.{name} must be a token id, not {shown(value)}")


def check_fraction(config: object, *names: str) -> None:
    """Numbers in [0, 1)."""
    for name in names:
        value = getattr(config, name)
        if not isinstance(value, int | float) or not 0 <= value < 1:
            raise InputError(f"{type(config).__name__}.{name} must lie in [0, 1), not {shown(value)}")


_ROPE_FIELDS = {
    "default": (),
    "linear": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"),
}


def check_rope_scaling(scaling: object) -> None:
    """Refuse a rule for rotary frequencies that ``backbone.scaled_frequencies`` could not follow."""
    if scaling is None:
        return
    kind = scaling.get("rope_type", scaling.get("type", "default")) if isinstance(scaling, dict) else scaling
    if not isinstance(scaling, dict) or not isinstance(kind, str) or kind not in _ROPE_FIELDS:
        raise InputError(f"rope_scaling {shown(kind)} is not known here: use null, default, linear or llama3")
    for name in _ROPE_FIELDS[kind]:
        value = scaling.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise InputError(f"rope_scaling.{name} must be a finite number above 0, not {shown(value)}")
    if kind == "llama3" and not scaling["low_freq_factor"] < scaling["high_freq_factor"]:
        raise InputError("rope_scaling.low_freq_factor must be below high_freq_factor")
