"""One visual language for every picture: the same colour means the same thing in the app and in the notebooks.

Chunks are soft fills that alternate between a cool and a warm one, so that neighbours stay apart for readers who do not
tell red from green; the tests simulate that. A latent vector runs from orange (negative) over paper (zero) to blue
(positive), its sigma from paper to violet. What the model drew (a sample) and what was true (a target) have one colour
each, and a wrong token a third. Colour is never the only sign: samples are dots, targets are rings, errors underlined.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from calm_lab.errors import InputError, choose_from

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Palette:
    """Colours of one theme, as ``#rrggbb``.

    Attributes:
        paper: the page.
        card: what lies on the page.
        well: a quiet area inside a card.
        ink: text.
        muted: secondary text.
        line: borders.
        accent: what can be pressed, and focus.
        on_accent: text on the accent.
        accent_soft: the accent as a background.
        chunk: fills of consecutive chunks, taken in turn; ink is legible on each.
        chunk_edge: their outlines.
        latent_negative: a coordinate far below 0.
        latent_zero: a coordinate at 0, also sigma 0.
        latent_positive: a coordinate far above 0.
        sigma: a large sigma.
        sample: what a model drew.
        target: what was true.
        error: a wrong token.
        category: points of a map by a property that has names, most frequent first; what is left is ``muted``.
    """

    paper: str
    card: str
    well: str
    ink: str
    muted: str
    line: str
    accent: str
    on_accent: str
    accent_soft: str
    chunk: tuple[str, str, str, str]
    chunk_edge: tuple[str, str, str, str]
    latent_negative: str
    latent_zero: str
    latent_positive: str
    sigma: str
    sample: str
    target: str
    error: str
    category: tuple[str, str, str, str, str, str, str]


LIGHT = Palette(
    paper="#faf8f5",
    card="#ffffff",
    well="#f4f1ec",
    ink="#1c1f26",
    muted="#5b6270",
    line="#e4dfd7",
    accent="#3b4cb8",
    on_accent="#ffffff",
    accent_soft="#e9ebf9",
    chunk=("#cbdcf9", "#ffe2a0", "#efcdee", "#d6e9a3"),
    chunk_edge=("#5a82c8", "#b98516", "#a95fa7", "#728f1f"),
    latent_negative="#c2560c",
    latent_zero="#f1ede6",
    latent_positive="#1d5fae",
    sigma="#6a45a8",
    sample="#c2410c",
    target="#0f766e",
    error="#b4232c",
    category=("#0072b2", "#d55e00", "#009e73", "#b04a8a", "#56b4e9", "#e69f00", "#5b3a1e"),
)

DARK = Palette(
    paper="#121419",
    card="#1a1d23",
    well="#23272f",
    ink="#eceae5",
    muted="#a3a8b3",
    line="#343943",
    accent="#9fb0ff",
    on_accent="#12142a",
    accent_soft="#2a2f4d",
    chunk=("#21406b", "#5e4711", "#552c5c", "#41521a"),
    chunk_edge=("#7ba3e6", "#d9a93c", "#c98acb", "#a3bd54"),
    latent_negative="#f59b52",
    latent_zero="#2b3038",
    latent_positive="#6db0ff",
    sigma="#bba2f5",
    sample="#fb923c",
    target="#2dd4bf",
    error="#ff8a80",
    category=("#2a83c4", "#e0671b", "#1aa87c", "#d68bb8", "#7cc8f5", "#e8a91a", "#f4ec6a"),
)

THEMES: dict[str, Palette] = {"light": LIGHT, "dark": DARK}


def palette(theme: str = "light") -> Palette:
    """The colours of a theme.

    Args:
        theme: ``light`` or ``dark``.

    Raises:
        InputError: for another name.
    """
    if theme not in THEMES:
        raise InputError(choose_from(theme, THEMES, "theme"))
    return THEMES[theme]


def chunk_colour(index: int, theme: str = "light") -> str:
    """The fill of chunk number ``index``."""
    fills = palette(theme).chunk
    return fills[index % len(fills)]


def css_variables(theme: str = "light") -> dict[str, str]:
    """A theme as CSS custom properties: ``--cl-ink``, ``--cl-chunk-0``, ..."""
    found: dict[str, str] = {}
    for field in dataclasses.fields(Palette):
        value = getattr(palette(theme), field.name)
        name = "--cl-" + field.name.replace("_", "-")
        if isinstance(value, tuple):
            found |= {f"{name}-{index}": colour for index, colour in enumerate(value)}
        else:
            found[name] = value
    return found
