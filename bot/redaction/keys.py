"""Private keys that stand over many lines: which lines belong to one, though each is looked at alone.

A key that software prints becomes as many log lines as it has rows, each behind whatever the software writes before a line.
Its rows of full length give themselves away (``rules.key_rows``); its last, short one does not, so the lines between a key's
beginning and its end are told by where they stand. Bounded: a key has at most so many rows.
"""

from collections.abc import Sequence

from bot.redaction.rules import PEM_BEGIN, PEM_END, key_rows

MOST_ROWS = 120
"""Of a key: 8,192 bits of RSA take 100 rows of 64 characters."""


def touches_key(text: str) -> bool:
    """Tell whether a line begins or ends a private key, without doing both."""
    return (PEM_BEGIN.search(text) is None) != (PEM_END.search(text) is None)


def rows_after(texts: Sequence[str]) -> int:
    """Give how many of the lines behind a key's beginning belong to it, its end included.

    Without an end in sight they are those that look like rows, and the one behind them.
    """
    for number, text in enumerate(texts[:MOST_ROWS]):
        if PEM_END.search(text):
            return number + 1
        if PEM_BEGIN.search(text):
            return number
    return _rows(texts)


def rows_before(texts: Sequence[str]) -> int:
    """Give how many of the lines before a key's end belong to it, counted backwards; its beginning is not among them."""
    if not texts:
        return 0
    # the last row is short, so it tells nothing by itself
    return 1 + _rows(texts[1:], spare=0)


def _rows(texts: Sequence[str], spare: int = 1) -> int:
    count = 0
    for text in texts[:MOST_ROWS]:
        if not any(key_rows(text)):
            break
        count += 1
    return min(count + spare, len(texts)) if count else 0


def key_lines(texts: Sequence[str]) -> frozenset[int]:
    """Give the positions of the lines, neighbours in one stream, that belong to a private key and do not say so."""
    found: set[int] = set()
    for at, text in enumerate(texts):
        begins, ends = PEM_BEGIN.search(text) is not None, PEM_END.search(text) is not None
        if begins and not ends:
            found.update(range(at + 1, at + 1 + rows_after(texts[at + 1 : at + 1 + MOST_ROWS])))
        elif ends and not begins and at - 1 not in found:
            found.update(range(at - rows_before(texts[max(0, at - MOST_ROWS) : at][::-1]), at))
    return frozenset(found)
