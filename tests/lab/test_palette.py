"""The palette: text can be read on every fill, and neighbouring chunks differ for every kind of colour vision."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from calm_lab.errors import InputError
from calm_lab.lab.palette import chunk_colour, css_variables, palette

# Full colour-vision deficiency on linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.
VISION = {
    "typical": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_LMS = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
          [0.0883024619, 0.2817188376, 0.6299787005]]  # fmt: skip
TO_OKLAB = [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660]]  # fmt: skip
THEMES = ("light", "dark")


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (first, second))
    return (high + 0.05) / (low + 0.05)


def difference(first: str, second: str, vision: str) -> float:
    """Distance in 100 * Oklab; 2 can just be told apart side by side."""
    seen = [np.clip(np.array(VISION[vision]) @ linear(c), 0, 1) for c in (first, second)]
    one, two = (np.array(TO_OKLAB) @ np.cbrt(np.array(TO_LMS) @ rgb) for rgb in seen)
    return float(100 * np.linalg.norm(one - two))


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read(theme: str) -> None:
    p = palette(theme)
    for ground in (p.paper, p.card, p.well, *p.chunk):
        assert contrast(p.ink, ground) >= 7
    for ground in (p.paper, p.card):
        for text in (p.muted, p.accent, p.error):
            assert contrast(text, ground) >= 4.5, (text, ground)
    assert contrast(p.on_accent, p.accent) >= 4.5
    for mark in (p.sample, p.target, p.latent_negative, p.latent_positive, p.sigma):
        assert contrast(mark, p.card) >= 3, mark


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("vision", "least"), [("typical", 10), ("protan", 10), ("deutan", 10), ("tritan", 3)])
def test_neighbouring_chunks_differ(theme: str, vision: str, least: float) -> None:
    fills = [chunk_colour(index, theme) for index in range(9)]
    assert all(difference(a, b, vision) >= least for a, b in itertools.pairwise(fills))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", VISION)
def test_what_means_different_things_looks_different(theme: str, vision: str) -> None:
    p = palette(theme)
    for a, b in ((p.sample, p.target), (p.latent_negative, p.latent_positive), (p.target, p.error)):
        assert difference(a, b, vision) >= 8, (a, b)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("vision", "least"), [("typical", 15), ("protan", 7), ("deutan", 7), ("tritan", 6)])
def test_categories_differ(theme: str, vision: str, least: float) -> None:
    colours = palette(theme).category
    assert all(difference(a, b, vision) >= least for a, b in itertools.combinations(colours, 2))
    assert all(contrast(colour, palette(theme).card) >= 2 for colour in colours)


def test_both_themes_have_the_same_names() -> None:
    light, dark = css_variables("light"), css_variables("dark")
    assert set(light) == set(dark)
    assert light["--cl-chunk-0"] == chunk_colour(0) == chunk_colour(4)
    assert light["--cl-ink"] != dark["--cl-ink"]


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(InputError, match="unknown theme 'sepia'"):
        palette("sepia")
