"""Read Jira issues as REST gives them: description, comments and changelog, v2 text or v3 documents (ADF).

Comments restricted to a role or group are skipped and counted: who asks here may not be in it. Custom fields are
counted, not read.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from bot.domain.items import TicketEntry
from bot.domain.storable import storable
from bot.domain.tickets import browse_url, change_text, document_text, person
from bot.sources.export.jsonstream import JsonCutError, JsonStream, as_bytes
from bot.sources.export.ledger import Reading
from bot.sources.export.timestamps import moment

SOURCE = "jira"


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
        url = browse_url(self.told.get("self"), key)
        self._store_description(key, url)
        restricted = 0
        for comment, text in self._comments:
            if comment.get("visibility"):
                restricted += 1
                continue
            at = moment(comment.get("created"))
            link = f"{url}?focusedCommentId={quote(str(comment.get('id')))}" if url and comment.get("id") else url
            self._add(
                at, key, "comment", (person(comment.get("author")), document_text(comment.get("body"))), link, text
            )
        self._reading.ledger.odd(SOURCE, "comments restricted to a group or role, left out", restricted, self._path)
        for change, text in self._changes:
            what = "\n".join(change_text(item) for item in change.get("items") or () if isinstance(item, dict))
            self._add(moment(change.get("created")), key, "change", (person(change.get("author")), what), url, text)

    def _store_description(self, key: str, url: str | None) -> None:
        def field(name: str) -> Any:  # noqa: ANN401 - any JSON value
            return self._fields.get(name, (None, ""))[0]

        if not self._fields:
            return
        parts = [str(field("summary") or ""), document_text(field("description"))]
        raw = "\n".join(self._fields[name][1] for name in ("summary", "description") if name in self._fields)
        author = person(field("reporter")) if field("reporter") else person(field("creator"))
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
            TicketEntry(
                at=at, key=key, part=part, author=storable(author), text=storable(text), url=url, raw=as_bytes(raw)
            )
        )
