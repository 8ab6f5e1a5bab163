"""The alphabet of byte-level tokenizers: one printable symbol for each of the 256 bytes.

What: from the symbols in which a vocabulary is written back to bytes, and bytes shown to a reader.
Why: a token may hold part of a character only; joined as bytes, tokens give back any text exactly.
Where: not in the paper; the convention is GPT-2's, kept by every byte-level ``tokenizer.json``.
"""

from __future__ import annotations

import codecs


def _byte_of_symbol() -> dict[str, int]:
    # Printable Latin-1 stands for itself, the other 68 bytes, in order, for U+0100 and on.
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(printable)]
    table = {chr(byte): byte for byte in printable}
    table.update({chr(0x100 + index): byte for index, byte in enumerate(hidden)})
    return table


BYTE_OF_SYMBOL = _byte_of_symbol()


def token_bytes(name: str) -> bytes:
    """The bytes that a token stands for.

    Args:
        name: the token as the vocabulary spells it. One with a symbol outside the alphabet is an added token, written
            in plain text, and stands for its own UTF-8.
    """
    try:
        return bytes([BYTE_OF_SYMBOL[symbol] for symbol in name])
    except KeyError:
        return name.encode("utf-8")


def show_bytes(data: bytes) -> str:
    """Bytes as text for a reader; those that are no character of their own as ``⟨E2 80⟩``."""
    return data.decode("utf-8", errors="calm_lab.show_bytes")


def _hexadecimal(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "⟨" + error.object[error.start : error.end].hex(" ").upper() + "⟩", error.end


codecs.register_error("calm_lab.show_bytes", _hexadecimal)
