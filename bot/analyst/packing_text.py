"""How foreign text stands in a packed case: on one line, without hidden characters, and unable to end its section.

Every line of a data section begins with a mark of ours (an id, a digit, a template's name), and a line end inside foreign
text is a picture of itself, so nothing foreign can begin a line; the word that fences sections is broken up besides.
``unescape`` gives the text back as it was. Leaves out: what may be said at all, which is the egress gate's.
"""

import re

FENCE = "rootcause-data"
"""The name of the element around every data section."""

_ESCAPE = "\u2410"  # the picture of DLE, "data link escape"
_PICTURES = {code: chr(0x2400 + code) for code in (*range(9), *range(10, 16), *range(17, 32))} | {127: "\u2421"}
_FROM_PICTURE = {picture: chr(code) for code, picture in _PICTURES.items()}
_HIDDEN = (
    "\u0080-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff\ue000-\uf8ff"
)
"""Unicode's invisible, directional, tag, private and surrogate characters (UAX 9, UTR 36)."""

_SPECIAL = re.compile(f"[\x00-\x08\x0a-\x1f\x7f\u2400-\u2426{_HIDDEN}]|(?i:{FENCE})")
_WRITTEN = re.compile(f"{_ESCAPE}(?:\\(([0-9a-f]{{2,6}})\\)|(.))|[\u2400-\u2426]", re.DOTALL)


def escape(text: str) -> str:
    """Give foreign text as it may stand behind a mark of ours: one line, all of it visible."""
    # most lines are plain, and for those this is all
    if text.isascii() and text.isprintable() and FENCE not in text.lower():
        return text
    return _SPECIAL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    sign = found[0]
    if len(sign) > 1:
        return f"{sign[0]}{_ESCAPE}{sign[1:]}"
    code = ord(sign)
    if code in _PICTURES:
        return _PICTURES[code]
    return _ESCAPE + sign if 0x2400 <= code <= 0x2426 else f"{_ESCAPE}({code:x})"


def unescape(written: str) -> str:
    """Undo ``escape``; anything else, such as a model's own words, stays as it is."""
    return _WRITTEN.sub(_unescaped, written)


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        code = int(found[1], 16)
        return chr(code) if code < 0x110000 else found[0]
    return found[2] or _FROM_PICTURE.get(found[0], found[0])


def attribute(text: str) -> str:
    """Give foreign text as the value of an attribute of a section's opening element."""
    return escape(text).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
