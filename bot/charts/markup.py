"""Elements of HTML and SVG that cannot be broken out of, whatever text they are given.

A page about an incident is full of words that nobody vouches for: log lines, chat, names. Here text becomes markup in one
place only, so that no caller can forget to escape: a string is always text, and only ``element`` makes a ``Markup``.
Handlers, inline styles and links to anything but a place in the page or an http(s) address cannot be said at all.
Characters that steer instead of being read (controls, direction marks) are written out, so that a quote shows what it holds.
Leaves out parsing, templates and anything of a report.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

VOID = frozenset({"br", "hr", "meta", "link", "col"})
"""Elements of HTML that have no end tag."""
_TAG = re.compile(r"[a-z][a-z0-9]*\Z")
_ATTRIBUTE = re.compile(r"(?!on)[a-z][a-zA-Z0-9-]*\Z")
_REFUSED = frozenset({"style", "src", "srcdoc", "action", "formaction"})
# Unicode TR 9 and TR 36: direction marks and zero-width characters; the joiners stay, for scripts and emoji need them
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)


@dataclass(frozen=True, slots=True)
class Markup:
    """Finished markup; made by ``element``, ``raw`` and ``joined`` alone."""

    text: str


Child = Markup | str | None | Iterable["Markup | str | None"]
Value = str | int | float | bool | None


def shown(text: str) -> str:
    """Write out what would steer the page instead of being read: an escape as ``␛``, U+202E as ``⟨U+202E⟩``."""
    return _STEERING.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else f"⟨U+{code:04X}⟩"


def web_address(url: str | None) -> str | None:
    """Give an address back if a browser may be sent there: http or https, a host, no blanks, no name before the host."""
    if not url or re.search(r"[\s\\]", url) or _STEERING.search(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    good = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    return url if good else None


def element(tag: str, *children: Child, **attributes: Value) -> Markup:
    """Make an element; ``class_`` and ``aria_label`` become ``class`` and ``aria-label``, None and False are left out.

    Raises ValueError for a tag or an attribute that could run something, and for a link to anything but a fragment or the web.
    """
    if not _TAG.match(tag) or tag in {"script", "style"}:
        raise ValueError(f"no element for text: {tag!r}")
    head = "".join(
        _attribute(name, value) for name, value in attributes.items() if value is not None and value is not False
    )
    if tag in VOID:
        return Markup(f"<{tag}{head}>")
    return Markup(f"<{tag}{head}>{joined(*children).text}</{tag}>")


def _attribute(name: str, value: Value) -> str:
    name = name.rstrip("_").replace("_", "-")
    if not _ATTRIBUTE.match(name) or name in _REFUSED:
        raise ValueError(f"no attribute for text: {name!r}")
    if value is True:
        return f" {name}"
    text = shown(f"{value:g}" if isinstance(value, float) else str(value))
    if name == "href" and not text.startswith("#") and web_address(text) is None:
        raise ValueError("a link leads to a place in the page, or to the web")
    return f' {name}="{escape(text)}"'


def joined(*children: Child) -> Markup:
    """Put children one after the other: markup as it is, strings as text."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, Markup):
            parts.append(child.text)
        elif isinstance(child, str):
            parts.append(escape(shown(child), quote=False))
        elif child is not None:
            parts.append(joined(*child).text)
    return Markup("".join(parts))


def raw(tag: str, source: str) -> Markup:
    """Make a ``style`` or ``script`` element of this package's own source; raise ValueError if it could end early."""
    if tag not in {"style", "script"} or "</" in source or "<!--" in source:
        raise ValueError(f"this cannot stand in a {tag} element")
    return Markup(f"<{tag}>{source}</{tag}>")
