"""What to show for a token: its text, or the part it plays where it is no text (begin, end, padding, mask)."""

from __future__ import annotations

from collections.abc import Sequence

from calm_lab.text.tokenizer import Tokenizer


def roles(tokenizer: Tokenizer, ids: Sequence[int]) -> list[str | None]:
    """``begin``, ``end``, ``pad`` or ``mask`` for special ids, None for ordinary ones, one entry an id."""
    known = {tokenizer.mask_id: "mask", tokenizer.pad_id: "pad", tokenizer.bos_id: "begin", tokenizer.eos_id: "end"}
    known.pop(None, None)
    return [known.get(index) for index in ids]
