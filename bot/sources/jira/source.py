"""Read Jira's issues of a window into a case: descriptions, comments and changes, of the configured projects alone.

The bot's account sees more than who asks, so what is restricted is left out and counted: issues with a security level,
comments for a group or role, notes for agents only. Custom fields and attachments are not read.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from bot.domain.bearings import clock_findings, clock_words
from bot.domain.finding import Finding
from bot.domain.items import Gap, TicketEntry
from bot.domain.ports import Progress, Sink
from bot.domain.scope import Scope
from bot.domain.storable import storable
from bot.domain.tickets import change_text, document_text, keys_in, person
from bot.errors import UsageError
from bot.settings.live import JiraSettings
from bot.wire import WireError

if TYPE_CHECKING:  # the client library loads where Jira is read
    from bot.sources.jira.api import JiraApi

MOST_ISSUES = 500
"""The newest ones; a window that touches more is a project's life, not an incident's."""
MOST_COMMENTS = 1000
MOST_KEYS = 20
NAMED_S = 10.0
"""For what chat names: it is asked for when everything else has been read."""
EXAMINED_S = 8.0
KEPT = "issues are kept until somebody deletes them, and then nothing tells of them"
ANY_ZONE = timedelta(hours=26)
"""JQL reads a time in the account's own time zone, which is not known: the search is wider, and entries are held to the window."""


@dataclass(slots=True)
class _Reading:
    """What one reading has met."""

    sink: Sink
    title: str
    seen: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    failed: bool = False

    def lost(self, what: str, count: int = 1) -> None:
        self.sink.add_gap(Gap(source=JiraSource.name, what=what, count=count, path=self.title))

    def odd(self, what: str, count: int = 1) -> None:
        self.counts[what] += count


class JiraSource:
    """The issues of a window, and those that the question names; with ``keys`` those alone.

    Implements ``NamedSource``: keys that chat names are looked up when both have been read.
    """

    name = "jira"

    def __init__(self, settings: JiraSettings, scope: Scope, keys: Sequence[str] = ()) -> None:
        self._settings = settings
        self._scope = scope
        self._keys = tuple(keys)
        self._brought: set[str] | None = None
        self.deadline_s = min(settings.deadline_s, NAMED_S) if keys else settings.deadline_s

    def named(self, keys: Sequence[str]) -> "JiraSource | None":
        """Give a source of issues that were named and not brought; none where Jira could not be read just now."""
        if self._brought is None:
            return None
        wanted = [key for key in dict.fromkeys(keys) if self._may(key) and key not in self._brought]
        return JiraSource(self._settings, self._scope, wanted) if wanted else None

    def _may(self, key: str) -> bool:
        return key.partition("-")[0] in self._settings.projects

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Read issues into the sink; what Jira does not give is a Gap."""
        from bot.sources.jira.api import JiraApi  # noqa: PLC0415 - loads the Atlassian client

        reading = _Reading(sink=sink, title=self._settings.url)
        if not self._settings.projects:
            reading.lost("no project may be read: name some under `jira: projects` in rootcause.yaml")
            return
        progress("discover", 0, None)
        with JiraApi(self._settings, self.deadline_s) as api:
            try:
                for issue in self._issues(api, reading):
                    self._store(api, reading, issue)
                    progress("read", api.session.transfer.bytes, None)
            except WireError as error:
                where = f" after {reading.stored} entries" if reading.stored else ""
                reading.lost(f"Jira could not be read to the end{where}: {error}")
                reading.failed = True
            for what, count in sorted(reading.counts.items()):
                sink.add_gap(Gap(source=self.name, what=what, count=count, path=reading.title, lost=False))
            self._brought = None if reading.failed else reading.seen
            if reading.stored or not reading.failed:
                sink.add_read(self.name, reading.title, api.session.transfer.bytes)
                sink.add_detail(self.name, KEPT)
            if clock := clock_words(api.session.clock_offset_s):
                sink.add_detail(self.name, clock)

    def examine(self) -> Sequence[Finding]:
        """Say whose the token is and which projects it reads."""
        from bot.sources.jira.api import JiraApi  # noqa: PLC0415 - loads the Atlassian client

        try:
            with JiraApi(self._settings, EXAMINED_S) as api:
                api.me()
                unseen = [key for key in self._settings.projects if not _may_read(api, key)]
        except (WireError, UsageError) as error:
            fix = "Look at url, user, token and deployment under `jira` in rootcause.yaml."
            return [Finding(name="jira", state="wrong", what=f"Jira cannot be read: {error}", fix=fix)]
        if unseen or not self._settings.projects:
            what = f"not readable: {', '.join(unseen)}" if unseen else "no project is named"
            fix = "Give the account Browse Projects there, or name other projects under `jira` in rootcause.yaml."
            return [Finding(name="jira", state="warning", what=what, fix=fix)]
        well = Finding(name="jira", state="ok", what=f"reads {', '.join(self._settings.projects)}; {KEPT}")
        return [well, *clock_findings("jira", api.session.clock_offset_s)]

    def _issues(self, api: "JiraApi", reading: _Reading) -> Iterator[Mapping[str, Any]]:
        """Give the issues that the question names, then those that changed in the window; or those that chat names."""
        if self._keys:
            yield from self._by_key(api, reading, self._keys, "chat")
            if len(self._keys) > MOST_KEYS:
                reading.lost("issues that chat names beyond the first, not looked up", len(self._keys) - MOST_KEYS)
            return
        yield from self._by_key(api, reading, tuple(dict.fromkeys(keys_in(self._scope.question))), "the question")
        for number, issue in enumerate(api.search(self._jql())):
            if number >= MOST_ISSUES:
                reading.lost(f"more than {MOST_ISSUES} issues changed around the window; the latest were read")
                return
            yield issue

    def _by_key(self, api: "JiraApi", reading: _Reading, keys: Sequence[str], who: str) -> Iterator[Mapping[str, Any]]:
        """Give issues one by one: a search for several keys fails as a whole where one of them is none."""
        for key in keys[:MOST_KEYS]:
            if not self._may(key):
                continue
            issue = api.issue(key)
            if issue is None:
                reading.odd(f"issues that {who} names and Jira does not show to this account")
            else:
                yield issue

    def _jql(self) -> str:
        window = self._scope.window
        projects = ", ".join(json.dumps(key) for key in self._settings.projects)
        since, until = (f"{at:%Y-%m-%d %H:%M}" for at in (window.start - ANY_ZONE, window.end + ANY_ZONE))
        return f'project in ({projects}) AND updated >= "{since}" AND created <= "{until}" ORDER BY updated DESC'

    def _store(self, api: "JiraApi", reading: _Reading, issue: Mapping[str, Any]) -> None:
        from bot.sources.jira.api import listed, mapping, restricted  # noqa: PLC0415 - in the module with the Atlassian client

        key, fields = issue.get("key"), mapping(issue.get("fields"))
        if not isinstance(key, str) or key.partition("-")[0] not in self._settings.projects or key in reading.seen:
            return
        reading.seen.add(key)
        if restricted(issue):
            reading.odd("issues with a security level, left out")
            return
        entries = _Entries(reading, self._scope, key, f"{api.url}/browse/{quote(key)}")
        entries.description(fields)
        comments = _whole_of(mapping(fields.get("comment")), "comments", lambda: api.comments(key, MOST_COMMENTS))
        for comment in comments:
            if comment.get("visibility") or comment.get("jsdPublic") is False:
                reading.odd("comments restricted to a group or role, left out")
            else:
                entries.comment(comment)
        for change in _whole_of(
            mapping(issue.get("changelog")),
            "histories",
            lambda: api.changes(key, MOST_COMMENTS),
            complete=not api.cloud,
        ):
            entries.change(change, listed(change.get("items")))


def _whole_of(
    page: Mapping[str, Any], name: str, rest: Callable[[], Iterable[Mapping[str, Any]]], *, complete: bool = False
) -> Iterator[Mapping[str, Any]]:
    """Give what came with an issue where that is all, else ask for all of it."""
    came = [each for each in page.get(name) or () if isinstance(each, dict)]
    total = page.get("total")
    if complete or not isinstance(total, int) or total <= len(came):
        yield from came
    else:
        yield from rest()


class _Entries:
    """Stores what belongs to one issue and to the window."""

    def __init__(self, reading: _Reading, scope: Scope, key: str, url: str) -> None:
        self._reading = reading
        self._window = scope.window
        self._key = key
        self._url = url

    def description(self, fields: Mapping[str, Any]) -> None:
        """Store summary and description: also of an older issue that was spoken of in the window."""
        told = [str(fields.get("summary") or ""), document_text(fields.get("description"))]
        text = "\n\n".join(part for part in told if part.strip())
        raw = {name: fields.get(name) for name in ("summary", "description")}
        author = person(fields.get("reporter") or fields.get("creator"))
        at = _moment(fields.get("created"))
        if at is None or at < self._window.end:
            self._add("description", at, (author, text), raw, self._url)

    def comment(self, comment: Mapping[str, Any]) -> None:
        """Store one comment."""
        url = f"{self._url}?focusedCommentId={quote(str(comment.get('id')))}" if comment.get("id") else self._url
        at = _moment(comment.get("created"))
        if at is None or self._window.start <= at < self._window.end:
            self._add("comment", at, (person(comment.get("author")), document_text(comment.get("body"))), comment, url)

    def change(self, change: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> None:
        """Store one change."""
        at = _moment(change.get("created"))
        if items and (at is None or self._window.start <= at < self._window.end):
            said = "\n".join(change_text(item) for item in items)
            self._add("change", at, (person(change.get("author")), said), change, self._url)

    def _add(
        self,
        part: Literal["description", "comment", "change"],
        at: datetime | None,
        said: tuple[str, str],
        raw: Mapping[str, Any],
        url: str,
    ) -> None:
        if at is None:
            self._reading.lost(f"a {part} without a time, left out")
            return
        author, text = storable(said[0]), storable(said[1])
        kept = storable(json.dumps(raw, ensure_ascii=False)).encode()
        entry = TicketEntry(at=at, key=self._key, part=part, author=author, text=text, url=url, raw=kept)
        self._reading.sink.add_ticket(entry)
        self._reading.stored += 1


def _may_read(api: "JiraApi", key: str) -> bool:
    try:
        api.get(f"project/{quote(key)}")
    except WireError as error:
        if error.status not in {403, 404}:
            raise
        return False
    return True


def _moment(told: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
