"""How much a JSON text grows when it is decoded: ``{}`` is two bytes there and sixty-four in memory.

A limit of its bytes alone lets 64 MiB become more than 1.5 GB. Counted, not parsed: an estimate from above but for text in texts.
"""

MOST_DECODED_BYTES = 384 * 1024 * 1024
"""Of one document; far beyond a page of any API, whose values are mostly text."""

OBJECT_BYTES = 184
LIST_BYTES = 88
ELEMENT_BYTES = 64
"""A value in a list or object, with its place there (CPython 3.11 to 3.13, 64 bits)."""


def crowded(text: str | bytes | bytearray, start: int = 0) -> bool:
    """Tell whether a JSON text is, from ``start`` on, too much to be decoded in one go."""
    if isinstance(text, str):
        counts = [text.count(sign, start) for sign in "{[,"]
    else:
        counts = [text.count(sign, start) for sign in (b"{", b"[", b",")]
    values = OBJECT_BYTES * counts[0] + LIST_BYTES * counts[1] + ELEMENT_BYTES * counts[2]
    return len(text) - start + values > MOST_DECODED_BYTES
