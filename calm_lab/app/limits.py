"""How much one visitor may ask for, so that an answer takes seconds and a page stays small."""

from __future__ import annotations

from dataclasses import dataclass

from calm_lab.errors import InputError


@dataclass(frozen=True)
class Limits:
    """Sizes that the tabs and the API accept.

    Attributes:
        characters: of a text or prompt.
        shown_tokens: of a text whose chunks are drawn one by one.
        new_tokens: of one generation.
        pool: draws a step.
        calls: draws a step that exact sampling may charge.
        vectors: decoded in one API call.
        samples: on each side of an energy score.
        coordinates: of each of them.
        positions: of a study of BrierLM on a known language.
        map_characters: of a text whose map is drawn.
        fits: UMAP layouts computed at the same time.
        waiting: requests in the queue; None for no limit.
        request_bytes: sent by one request; a page sends its drawings back when a run is stopped.
    """

    characters: int = 20_000
    shown_tokens: int = 320
    new_tokens: int = 512
    pool: int = 1000
    calls: int = 50_000
    vectors: int = 256
    samples: int = 512
    coordinates: int = 1024
    positions: int = 100_000
    map_characters: int = 2_000_000
    fits: int = 2
    waiting: int | None = None
    request_bytes: int = 64 << 20

    def check_text(self, text: str, what: str) -> str:
        """``text`` itself; InputError if it is no text or too long."""
        if not isinstance(text, str):
            raise InputError(f"the {what} must be text, not {type(text).__name__}")
        if len(text) > self.characters:
            raise InputError(f"the {what} has {len(text):,} characters: shorten it to at most {self.characters:,}")
        return text

    def check_number(self, value: object, what: str, low: int, high: int) -> int:
        """``value`` as a whole number; InputError if it is none or lies outside [low, high]."""
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        if number is None or number != number or not low <= number <= high or int(number) != number:
            raise InputError(f"{what} must be a whole number from {low:,} to {high:,}, not {repr(value)[:40]}")
        return int(number)


OPEN = Limits()
"""For one's own computer."""

SHARED = Limits(
    characters=4_000,
    shown_tokens=160,
    new_tokens=256,
    pool=200,
    calls=5_000,
    vectors=64,
    samples=128,
    positions=30_000,
    map_characters=200_000,
    fits=1,
    waiting=32,
    request_bytes=8 << 20,
)
"""For a public host."""
MAX_SEED = 2**32 - 1
