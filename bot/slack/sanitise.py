"""The one gate for text on its way to Slack: nothing foreign may ping, link, hide, colour or format, and no secret is posted.

Log lines, object names, chat and tickets are written by strangers. What leaves here is either mrkdwn in which foreign text
is inert, or plain text for places that Slack does not parse. Escaping follows
https://docs.slack.dev/messaging/formatting-message-text ; the hidden characters are those of Unicode TR 36 and TR 9. What
it leaves out: judging what a text says.
"""

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

from bot.redaction.posted import POSTING, Posting

# ECMA-48 control sequences with their bodies, so that "[31m" or the target of an OSC 8 link does not stay behind
_ESCAPE_SEQUENCES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"
    "|\x1b[PX^_].*?(?:\x1b\\\\|$)"
    "|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)
# fillers and selectors that show nothing although Unicode does not class them as format characters
_BLANK_LETTERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Slack links whatever looks like an address, also without a scheme; a word joiner after the dot or colon stops that
_ADDRESS = re.compile(
    r"(?i)\b(?P<scheme>[a-z][a-z0-9+.-]{1,20})(?P<colon>:)(?=//|[^\s:]*@)"
    r"|(?P<mail>@)(?=[a-z0-9-]+\.[a-z])"
    r"|(?<=[\w-])(?P<dot>\.)(?=(?:[a-z0-9-]+\.)*(?:[a-z]{2,24}|xn--[a-z0-9-]+)\b)"
)
_JOINER = "\u2060"
_MRKDWN = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "\u02cb"})
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore inside a name formats nothing and stays, so that names can be copied."""
_BROADCAST = re.compile(r"(?i)@(?=(?:channel|here|everyone|group)\b)")
_EMOJI = re.compile(r":(?=[a-z0-9_+'-]{1,60}:)", re.IGNORECASE)
_LONGEST_URL = 3000
"""https://docs.slack.dev/reference/block-kit/block-elements/button-element"""


def visible(text: str, *, keep_lines: bool = False) -> str:
    """Take out everything a reader cannot see: escapes, controls, direction marks, zero-width, tag and private characters.

    Line ends and tabs become blanks; with ``keep_lines`` line ends stay.
    """
    text = _BLANK_LETTERS.sub("", _ESCAPE_SEQUENCES.sub("", text))
    shown: list[str] = []
    for each in text:
        if each == "\n" and keep_lines:
            shown.append(each)
        elif each in "\n\t\r\v\f\u2028\u2029\x85":
            shown.append(" ")
        elif unicodedata.category(each) not in _HIDDEN_CATEGORIES:
            shown.append(each)
    return "".join(shown)


def escaped(text: str) -> str:
    """Escape the three characters that carry meaning in Slack's text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, longest: int) -> str:
    """Cut a text to ``longest`` characters and say so by how many were cut."""
    if len(text) <= longest:
        return text
    note = f" … +{len(text) - longest:,} characters"
    kept = text[: max(longest - len(note) - 4, 0)].rstrip()
    return f"{kept} … +{len(text) - len(kept):,} characters"[:longest]


class Sanitiser:
    """Makes foreign text inert; links lead only to ``hosts`` (exact names, https, no port and no user in them)."""

    def __init__(self, hosts: Iterable[str] = (), posting: Posting = POSTING) -> None:
        self._posted = posting.text
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins: set[str] = set()

    def allow_workspace(self, address: str) -> None:
        """Let links lead to the workspace itself, by the address that Slack told: scheme, host and port as they are."""
        parts = urlsplit(address)
        if parts.scheme in ("https", "http") and parts.hostname and "@" not in parts.netloc:
            self._origins.add(f"{parts.scheme}://{parts.netloc.lower()}")

    def text(self, foreign: str, longest: int = 600) -> str:
        """Give foreign text as mrkdwn that shows its words and does nothing: no mention, link, emphasis, emoji."""
        shown = cut(" ".join(self._posted(visible(foreign)).split()), longest)
        return escaped(_EDGE_UNDERSCORE.sub("\uff3f", _unlinked(shown).translate(_MRKDWN)))

    def code(self, foreign: str, longest: int = 200) -> str:
        """Give foreign text as inline code, for names and commands that are to be read letter by letter."""
        shown = cut(" ".join(self._posted(visible(foreign)).split()), longest).replace("`", "\u02cb")
        return f"`{escaped(_unlinked(shown))}`" if shown else ""

    def verbatim(self, foreign: str, longest: int = 2500) -> str:
        """Give foreign text for a place Slack does not parse (preformatted rich text, plain text, alt text, input)."""
        return cut(self._posted(visible(foreign, keep_lines=True)), longest)

    def url(self, address: str | None) -> str | None:
        """Give an address that may be linked, or None: https, a configured host, nothing that pretends to be another."""
        if not address or len(address) > _LONGEST_URL or not address.isascii() or visible(address) != address:
            return None
        if re.search(r"[\s<>|\\\"'`{}^]", address):
            return None
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            return None
        if f"{parts.scheme}://{parts.netloc.lower()}" in self._origins:
            return address
        plain = parts.scheme == "https" and port is None and "@" not in parts.netloc
        return address if plain and (parts.hostname or "") in self._hosts else None

    def link(self, address: str | None, label: str) -> str:
        """Give a link where the address may be linked, else the label alone."""
        safe, shown = self.url(address), self.text(label, 120).replace("|", "\u2223")
        return f"<{escaped(safe)}|{shown}>" if safe else shown


def _unlinked(text: str) -> str:
    text = _BROADCAST.sub(f"@{_JOINER}", text)
    text = _EMOJI.sub(f":{_JOINER}", text)
    return _ADDRESS.sub(lambda match: match[0] + _JOINER, text)
