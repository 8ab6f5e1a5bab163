"""Text of ids that arrive bit by bit.

What: `TextStream` takes ids a chunk at a time and gives out text as soon as it is certain.
Why: generation streams chunks, and one character may be spread over several tokens, even over two chunks; half a
character must be held back, not shown as a replacement mark.
Where: paper sec. 3 (generation goes one vector, and so K tokens, at a time).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable

from calm_lab.text.tokenizer import Tokenizer

# Tokenizers that are not byte-level are decoded through a window, cut back to its last few ids when it grows long.
_LONGEST_WINDOW = 64
_KEPT = 8


class TextStream:
    """Decode a growing sequence of ids.

    For byte-level tokenizers (our own, GPT-2's, Llama 3's) what `push` and `finish` return, joined, is exactly
    ``tokenizer.decode`` of all ids. Other kinds are decoded through a short window of earlier ids, which gives the
    same unless their decoder rewrites text that was already given out.
    """

    def __init__(self, tokenizer: Tokenizer):
        """Start an empty stream."""
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._window: list[int] = []
        self._shown = ""

    def push(self, ids: Iterable[int]) -> str:
        """Take more ids and return the text that is now certain, possibly none.

        Raises:
            InputError: an id outside [0, V).
        """
        checked = self._tokenizer.check_ids(ids)
        table = self._tokenizer.byte_table
        if table is not None:
            return self._decoder.decode(b"".join([table[index] for index in checked]))
        self._window += checked
        text = self._tokenizer.decode(self._window)
        if text.endswith("\ufffd"):
            return ""
        fresh = text[len(self._shown) :]
        if len(self._window) > _LONGEST_WINDOW:
            self._window = self._window[-_KEPT:]
            text = self._tokenizer.decode(self._window)
        self._shown = text
        return fresh

    def finish(self) -> str:
        """Return what was held back (bytes that never became a character are U+FFFD) and start anew."""
        if self._tokenizer.byte_table is not None:
            rest = self._decoder.decode(b"", final=True)
            self._decoder.reset()
        else:
            rest = self._tokenizer.decode(self._window)[len(self._shown) :]
            self._window, self._shown = [], ""
        return rest
