"""Read Jira issues as REST gives them: description, comments and changelog, v2 text or v3 documents (ADF).

Comments restricted to a role or group are skipped and counted: who asks here may not be in it. Custom fields are
counted, not read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from bot.domain.items import TicketEntry
from bot.sources.export.jsonstream import JsonCutError, JsonStream, as_bytes, storable
from bot.sources.export.ledger import Reading
from bot.sources.export.timestamps import moment

SOURCE = "jira"
_NESTING = 60
_MILLISECONDS = re.compile(r"\d{10,14}")
_MARKS = {"hardBreak": "\n", "listItem": "- ", "tableCell": " | ", "tableHeader": " | "}

_BLOCKS = frozenset({
    "paragraph", "heading", "blockquote", "codeBlock", "panel", "tableRow", "rule",  "taskItem",
    "decisionItem", "mediaSingle", "mediaGroup", "expand", "nestedExpand", "bulletList", "orderedList", "table",
    "taskList", "decisionList",
})  # fmt: skip


def read_issues(reading: Reading, path: str, texts: Iterable[str]) -> None:
    """Store the entries of one issue, several issues, or a search result."""
    stream = JsonStream(texts)
    try:
        while stream.peek():
            if stream.peek() == "[":
                _issues(reading, stream, path)
            else:
                _document(reading, stream, path)
    except JsonCutError as cut:
        reading.ledger.tear(SOURCE, cut, "what came before was read", path)


def _issues(reading: Reading, stream: JsonStream, path: str) -> None:
    for value, text in stream.elements():
        if isinstance(value, dict):
            _document(reading, JsonStream([text]), path)


def _document(reading: Reading, stream: JsonStream, path: str) -> None:
    issue = _Issue(reading, path)
    try:
        for key in stream.members():
            if key == "issues" and stream.peek() == "[":
                _issues(reading, stream, path)
            elif key == "fields" and stream.peek() == "{":
                issue.read_fields(stream)
            elif key == "changelog" and stream.peek() == "{":
                issue.read_changes(stream)
            else:
                issue.told[key], _ = stream.value()
    finally:
        issue.store()  # also what came before a cut


class _Issue:
    """Gathers one issue while its JSON goes by, since its key may stand behind its fields."""

    def __init__(self, reading: Reading, path: str) -> None:
        self._reading = reading
        self._path = path
        self.told: dict[str, Any] = {}
        self._fields: dict[str, tuple[Any, str]] = {}
        self._comments: list[tuple[Mapping[str, Any], str]] = []
        self._changes: list[tuple[Mapping[str, Any], str]] = []

    def read_fields(self, stream: JsonStream) -> None:
        custom = 0
        for key in stream.members():
            if key == "comment" and stream.peek() == "{":
                self._read_page(stream, "comments", self._comments, "comments of an issue that are not in the file")
                continue
            value, text = stream.value()
            if key.startswith("customfield_"):
                custom += value is not None
            else:
                self._fields[key] = value, text
        self._reading.ledger.odd(SOURCE, "custom fields, left out", custom, self._path)

    def read_changes(self, stream: JsonStream) -> None:
        self._read_page(stream, "histories", self._changes, "changes of an issue that are not in the file")

    def _read_page(
        self, stream: JsonStream, wanted: str, into: list[tuple[Mapping[str, Any], str]], missing: str
    ) -> None:
        total: object = 0
        for key in stream.members():
            if key == wanted and stream.peek() == "[":
                into.extend((value, text) for value, text in stream.elements() if isinstance(value, dict))
            else:
                value, _ = stream.value()
                total = value if key == "total" else total
        if isinstance(total, int) and total > len(into):
            self._reading.ledger.lost(SOURCE, missing, self._path, total - len(into))

    def store(self) -> None:
        """Write the description, the comments and the changes."""
        key = self.told.get("key")
        if not isinstance(key, str):
            return
        url = _browse(self.told.get("self"), key)
        self._store_description(key, url)
        restricted = 0
        for comment, text in self._comments:
            if comment.get("visibility"):
                restricted += 1
                continue
            at = moment(comment.get("created"))
            link = f"{url}?focusedCommentId={quote(str(comment.get('id')))}" if url and comment.get("id") else url
            self._add(
                at, key, "comment", (_person(comment.get("author")), document_text(comment.get("body"))), link, text
            )
        self._reading.ledger.odd(SOURCE, "comments restricted to a group or role, left out", restricted, self._path)
        for change, text in self._changes:
            what = "\n".join(_change(item) for item in change.get("items") or () if isinstance(item, dict))
            self._add(moment(change.get("created")), key, "change", (_person(change.get("author")), what), url, text)

    def _store_description(self, key: str, url: str | None) -> None:
        def field(name: str) -> Any:  # noqa: ANN401 - any JSON value
            return self._fields.get(name, (None, ""))[0]

        if not self._fields:
            return
        parts = [str(field("summary") or ""), document_text(field("description"))]
        raw = "\n".join(self._fields[name][1] for name in ("summary", "description") if name in self._fields)
        author = _person(field("reporter")) if field("reporter") else _person(field("creator"))
        text = "\n\n".join(part for part in parts if part.strip())
        self._add(moment(field("created")), key, "description", (author, text), url, raw)

    def _add(
        self,
        at: datetime | None,
        key: str,
        part: Literal["description", "comment", "change"],
        said: tuple[str, str],
        url: str | None,
        raw: str,
    ) -> None:
        if at is None:
            self._reading.ledger.lost(SOURCE, f"a {part} without a time, left out", self._path)
            return
        self._reading.saw(at.timestamp())
        author, text = said
        self._reading.sink.add_ticket(
            TicketEntry(at=at, key=key, part=part, author=author, text=storable(text), url=url, raw=as_bytes(raw))
        )


def _person(value: object) -> str:
    told = value if isinstance(value, dict) else {}
    found = next(
        (told[key] for key in ("displayName", "name", "accountId") if isinstance(told.get(key), str)), "unknown"
    )
    return str(storable(found))


def _browse(link: object, key: str) -> str | None:
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


def _change(item: Mapping[str, Any]) -> str:
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
