"""VictoriaLogs as a source: LogsQL counts and selects, and answers stream as one JSON object a line, in no order.

Sources: docs.victoriametrics.com/victorialogs, "Querying" (HTTP API) and "LogsQL".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import requests

from bot.domain.finding import Finding
from bot.domain.ports import Progress, Sink
from bot.domain.scope import Scope
from bot.stores.address import StoreAddress
from bot.stores.lines import NAMES, TROUBLE, Batch, Entry
from bot.stores.reading import Measured, Pick, Span, StoreReading, quoted, window_span
from bot.stores.times import nanoseconds
from bot.wire import BrokenError, Deadline, Limits, RejectedError, WireError, WireSession, json_of

EXAMINE_S = 8.0
AT_ONCE = 2000
"""Lines gathered by stream before they are handed on."""
LONGEST_LINE = 16 * 1024 * 1024
_OWN = frozenset({"_time", "_msg", "_stream", "_stream_id"})


class VictoriaLogsSource:
    """The lines of the scope's namespaces in its window."""

    name = "victorialogs"

    def __init__(self, address: StoreAddress, scope: Scope) -> None:
        self._address = address
        self._scope = scope
        self.deadline_s = address.deadline_s

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Read the lines that matter into the sink."""
        progress("discover", 0, None)
        with Deadline(self.deadline_s) as deadline, _session(deadline, self._address) as session:
            reading = StoreReading(
                source=self.name, path=self.name, sink=sink, progress=progress, fields=self._address.fields
            )
            store = _VictoriaLogs(session, self._address, self._scope)
            reading.read(store, self._scope.window, self._address.most_bytes)
            if store.undated:
                reading.lost("lines without a time or a message, left out", store.undated)

    def examine(self) -> Sequence[Finding]:
        """Say whether it answers."""
        with Deadline(EXAMINE_S) as deadline, _session(deadline, self._address) as session:
            try:
                store = _VictoriaLogs(session, self._address, self._scope)
                measured = store.measure(window_span(self._scope.window))
            except WireError as error:
                fix = "Look at url, tenant and credentials under `logs` in rootcause.yaml."
                return [Finding(name=self.name, state="wrong", what=f"VictoriaLogs cannot be read: {error}", fix=fix)]
        return [Finding(name=self.name, state="ok", what=f"{measured.lines or 0:,} lines in the window")]


def _session(deadline: Deadline, address: StoreAddress) -> WireSession:
    return WireSession(deadline, login=address.login, limits=Limits(total_bytes=8 * 1024**3))


class _VictoriaLogs:
    """Implements ``LogStore``."""

    def __init__(self, session: WireSession, address: StoreAddress, scope: Scope) -> None:
        self._session = session
        self._url = f"{address.url.rstrip('/')}/select/logsql"
        self._given = (address.selector or "").strip()
        self._fields = dict(address.fields)
        self._scope = scope
        self._where: str | None = None
        self.undated = 0

    def measure(self, span: Span) -> Measured:
        """Count lines and bytes, having found out what this store calls a namespace."""
        self._where = self._filter(span)
        lines = list(self._rows(f"{self._where} | stats count() lines, sum_len(_msg) bytes", span))
        told = lines[0] if lines else {}
        try:
            return Measured(lines=int(told.get("lines") or 0), bytes=int(float(told.get("bytes") or 0)))
        except (TypeError, ValueError) as error:
            raise BrokenError("its count is no number") from error

    def lines(self, span: Span, pick: Pick, hint: int) -> Iterator[Batch]:
        """Stream the lines of a span; whoever has enough closes the stream."""
        words = json.dumps(f"(?i){TROUBLE}")
        message = self._fields.get("message", "_msg")
        filtered = {"all": "", "trouble": f" {message}:~{words}", "rest": f" !{message}:~{words}"}[pick]
        waiting: dict[tuple[tuple[str, str], ...], list[Entry]] = {}
        count = 0
        for row in self._rows(f"{self._where or self._filter(span)}{filtered}", span):
            at = nanoseconds(row.get(self._fields.get("time", "_time")))
            text = row.get(message)
            if at is None or not isinstance(text, str):
                self.undated += 1
                continue
            waiting.setdefault(_labels(row, message), []).append((at, text))
            count += 1
            if count >= min(AT_ONCE, max(hint, 1)):
                yield from _batches(waiting)
                waiting, count = {}, 0
        yield from _batches(waiting)

    def _filter(self, span: Span) -> str:
        """Give the filter of every query: the configured one, and the namespaces."""
        given = [f"({self._given})"] if self._given else []
        scope = self._scope
        wanted = {"namespace": quoted(scope.namespaces), "pod": scope.pods}
        kinds = [kind for kind, which in wanted.items() if which]
        named = self._names(span, kinds)
        given += [f'{json.dumps(named[kind])}:~"^({wanted[kind]})$"' for kind in kinds]
        return " ".join(given) or "*"

    def _names(self, span: Span, kinds: Sequence[str]) -> Mapping[str, str]:
        """Find out what this store calls a namespace or a pod, where no setting says it."""
        if all(self._fields.get(kind) for kind in kinds):
            return self._fields
        told = self._session.post(f"{self._url}/field_names", data={"query": self._given or "*", **_times(span)})
        _checked(told)
        try:
            present = {str(each["value"]) for each in json_of(told)["values"]}
        except (KeyError, TypeError) as error:
            raise BrokenError("its list of fields is none") from error
        found = {kind: next((name for name in NAMES[kind] if name in present), kind) for kind in kinds}
        return found | {kind: name for kind, name in self._fields.items() if name}

    def _rows(self, query: str, span: Span) -> Iterator[Mapping[str, Any]]:
        """Decode an answer line by line; a line that is cut or no object ends it."""
        begun: list[bytes] = []
        size = 0
        for chunk in self._answer("query", query=query, **_times(span)):
            head, ended, rest = chunk.partition(b"\n")
            begun.append(head)
            size += len(head)
            if size > LONGEST_LINE:
                raise BrokenError("a line of its answer does not end")
            if not ended:
                continue
            *whole, rest = rest.split(b"\n")
            for line in (b"".join(begun), *whole):
                if line:
                    yield _object(line)
            begun, size = [rest], len(rest)
        if last := b"".join(begun).strip():
            yield _object(last)

    def _answer(self, what: str, **asked: str) -> Iterator[bytes]:
        with self._session.streamed("POST", f"{self._url}/{what}", data=asked) as chunks:
            yield from chunks


def _checked(answer: requests.Response) -> None:
    if not answer.ok:
        raise RejectedError(f"it refuses the question (HTTP {answer.status_code})", status=answer.status_code)


def _times(span: Span) -> dict[str, str]:
    """Give a span as the API takes it: both ends belong to it there."""
    return {"start": _rfc3339(span.start), "end": _rfc3339(span.end - 1)}


def _rfc3339(at: int) -> str:
    seconds, rest = divmod(at, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def _labels(row: Mapping[str, Any], message: str) -> tuple[tuple[str, str], ...]:
    """Give what tells streams apart: the origin of a line, not every field of it."""
    wanted = (name for names in NAMES.values() for name in names)
    named = [(name, row[name]) for name in wanted if name != message and isinstance(row.get(name), str)]
    return tuple(named) or ((("stream", str(row["_stream"])),) if row.get("_stream") else ())


def _batches(waiting: Mapping[tuple[tuple[str, str], ...], list[Entry]]) -> Iterator[Batch]:
    for key, entries in waiting.items():
        yield Batch(dict(key), sorted(entries))


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BrokenError("the answer is not whole JSON") from error
    if not isinstance(told, dict):
        raise BrokenError("a line of its answer is no JSON object")
    return told
