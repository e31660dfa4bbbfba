"""Tells from the masked forms of a case which lines hold a searched text, without opening them.

A form is its lines' text with wildcards in it: what stands between two wildcards stands so in every line of the form, and a
wildcard stands for a run without blanks. So a needle inside a constant piece is in every line; one that could not even be
laid over a wildcard is in none; the rest is in doubt. Left out: lines whose form tells less (``LogReader.uneven_blocks``).
"""

import re

import numpy as np
from numpy.typing import NDArray

from bot.casefile.blocks import ANY_FORM
from bot.casefile.case import Case

States = NDArray[np.uint8]
NONE, DOUBT, ALL = 0, 1, 2

_WILD = b"<*>"
_LONG = 256
_MASKABLE = re.compile(rb"[0-9?]|<\*>|[a-f-]{8,}")
"""What a word must have, or be as long as ``_LONG``, for masking to put a wildcard anywhere into it."""


def forms_holding(case: Case, needle: bytes) -> States:
    """Say of each form whether none, some or all of its lines hold the needle; the last place is "no form"."""
    forms = case.forms()
    states = np.zeros(len(forms) + 1, dtype=np.uint8)
    states[-1] = DOUBT
    words = re.split(rb"[ \t\n\r\f\v]+", needle)
    for number, row in enumerate(forms):
        form = row.form.lower()
        if any(needle in piece for piece in form.split(_WILD)):
            states[number] = ALL
        elif form == ANY_FORM or (_WILD in form and _might_hold(form, words)):
            states[number] = DOUBT
    return states


def _might_hold(form: bytes, words: list[bytes]) -> bool:
    """Tell whether a wildcard could make the form hold words with blanks between them; False is certain."""
    if len(words) == 1:
        return True
    # every word between two blanks is a token as it stands, or one with a wildcard in it
    tokens, inner, first, last = form.split(), words[1:-1], words[0], words[-1]
    for place in range(len(tokens)):
        if not first or _ends(tokens[place], first):
            following = tokens[place + 1 :] if first else tokens[place:]
            if len(following) >= len(inner) and all(map(_equals, following, inner)):
                rest = following[len(inner) :]
                if not last or (rest and _begins(rest[0], last)):
                    return True
    return False


def _ends(token: bytes, word: bytes) -> bool:
    tail = token.rsplit(_WILD, 1)[-1]
    return token.endswith(word) or (_WILD in token and word.endswith(tail))


def _begins(token: bytes, word: bytes) -> bool:
    head = token.split(_WILD, 1)[0]
    return token.startswith(word) or (_WILD in token and word.startswith(head))


def _equals(token: bytes, word: bytes) -> bool:
    if _WILD not in token:
        return token == word
    if not _MASKABLE.search(word) and len(word) <= _LONG:
        return False
    head, tail = token.split(_WILD, 1)[0], token.rsplit(_WILD, 1)[-1]
    return len(word) >= len(head) + len(tail) and word.startswith(head) and word.endswith(tail)
