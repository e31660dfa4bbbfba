"""What a Jira issue says and who said it, whether it came from an export or from its API; and the keys of issues.

Unknown shapes give no text, never an error. Fetching, storing and counting are elsewhere.

Sources: Jira's REST v2 and v3, "Atlassian Document Format".
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

_NESTING = 60
_MILLISECONDS = re.compile(r"\d{10,14}")
_MARKS = {"hardBreak": "\n", "listItem": "- ", "tableCell": " | ", "tableHeader": " | "}
_KEY = re.compile(r"(?<![A-Za-z0-9_-])([A-Z][A-Z0-9_]{1,31}-[1-9]\d{0,9})(?![A-Za-z0-9_-])")
_TYPED = re.compile(r"(?:https?://\S+?/)?([A-Za-z][A-Za-z0-9_]{1,31}-[1-9]\d{0,9})(?:[/?#]\S*)?")

_BLOCKS = frozenset({
    "paragraph", "heading", "blockquote", "codeBlock", "panel", "tableRow", "rule",  "taskItem",
    "decisionItem", "mediaSingle", "mediaGroup", "expand", "nestedExpand", "bulletList", "orderedList", "table",
    "taskList", "decisionList",
})  # fmt: skip


def keys_in(text: str) -> list[str]:
    """List what looks like the key of an issue, as often as it stands there; ``UTF-8`` does too, so hold it against projects."""
    return _KEY.findall(text)


def ticket_key(typed: str) -> str | None:
    """Read the key that a person typed, or the address that they pasted; None where it is none."""
    found = _TYPED.fullmatch(typed.strip())
    return found[1].upper() if found else None


def likely_keys(tickets: Iterable[str], said: Iterable[str]) -> list[str]:
    """Order keys: tickets of the case first, then what people named, the most frequent first."""
    named = Counter(key for text in said for key in keys_in(text))
    return list(dict.fromkeys([*tickets, *sorted(named, key=lambda key: (-named[key], key))]))


def person(value: object) -> str:
    """Give the name a person is shown under."""
    told = value if isinstance(value, dict) else {}
    return next(
        (told[key] for key in ("displayName", "name", "accountId") if isinstance(told.get(key), str)), "unknown"
    )


def browse_url(link: object, key: str) -> str | None:
    """Derive the page a person opens; an API gateway's address leads to no page."""
    if not isinstance(link, str):
        return None
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    base, found, _ = parts.path.partition("/rest/api/")
    if parts.scheme not in {"http", "https"} or not found or parts.hostname == "api.atlassian.com":
        return None
    return f"{parts.scheme}://{parts.netloc}{base}/browse/{quote(key)}"


def change_text(item: Mapping[str, Any]) -> str:
    """Say what one entry of a changelog changed."""
    before, after = (str(item.get(key) or "none") for key in ("fromString", "toString"))
    return f"{item.get('field')}: {before} → {after}"


def document_text(body: object) -> str:
    """Give a body as plain text, whether it is text already (v2) or an Atlassian document (v3)."""
    if isinstance(body, str):
        return body.replace("\r\n", "\n")
    if not isinstance(body, dict):
        return ""
    return "".join(_node(body, 0)).strip("\n")


def _node(node: Mapping[str, Any], depth: int) -> Iterator[str]:
    kind, inner = str(node.get("type")), node.get("content")
    told = node.get("attrs")
    yield _leaf(node, kind, told if isinstance(told, dict) else {})
    if kind == "text":
        yield from _link(node)
    if isinstance(inner, list) and depth < _NESTING:
        for part in inner:
            if isinstance(part, dict):
                yield from _node(part, depth + 1)
    if kind in _BLOCKS:
        yield "\n"


def _leaf(node: Mapping[str, Any], kind: str, attributes: Mapping[str, Any]) -> str:
    """Give the text a node carries itself."""
    if kind == "text":
        return str(node.get("text", ""))
    if kind in {"mention", "emoji", "status", "placeholder"}:
        return str(attributes.get("text") or attributes.get("shortName") or "")
    if kind in {"inlineCard", "blockCard", "embedCard"}:
        return str(attributes.get("url") or "")
    if kind == "date":
        at = str(attributes.get("timestamp") or "")
        return (
            datetime.fromtimestamp(int(at) / 1000, tz=UTC).strftime("%Y-%m-%d") if _MILLISECONDS.fullmatch(at) else at
        )
    return _MARKS.get(kind, "")


def _link(node: Mapping[str, Any]) -> Iterator[str]:
    for mark in node.get("marks") or ():
        if isinstance(mark, dict) and mark.get("type") == "link" and isinstance(mark.get("attrs"), dict):
            href = str(mark["attrs"].get("href") or "")
            if href and href != node.get("text"):
                yield f" ({href})"
