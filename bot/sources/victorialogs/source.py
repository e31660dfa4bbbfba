"""VictoriaLogs as a source: LogsQL counts and selects, and answers stream as one JSON object a line, in no order.

Sources: docs.victoriametrics.com/victorialogs, "Querying" (HTTP API) and "LogsQL": the pipes ``stats``, ``collapse_nums``,
``copy``, ``sort`` and ``limit``, and the function ``row_min``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import requests

from bot.domain.scope import Scope
from bot.stores.address import StoreAddress
from bot.stores.lines import NAMES, TROUBLE, Batch, quoted
from bot.stores.rows import RowReader, known_fields
from bot.stores.source import LogStoreSource
from bot.stores.span import NS, Span
from bot.stores.store import MOST_KINDS, MOST_ORIGINS, KindCount, LogStore, Measured, Pick, Told, by_kind
from bot.stores.times import nanoseconds
from bot.wire import BrokenError, RejectedError, WireSession, decoded, json_of

LONGEST_LINE = 16 * 1024 * 1024
AT_ONCE_BYTES = 512 * 1024
"""Rows that are decoded together."""
KINDS = ("namespace", "pod", "container", "node")


class VictoriaLogsSource(LogStoreSource):
    """The lines of the scope's namespaces in its window."""

    name = "victorialogs"
    title = "VictoriaLogs"

    def store(self, session: WireSession, address: StoreAddress, scope: Scope) -> LogStore:
        """Ask through its HTTP API."""
        return _VictoriaLogs(session, address, scope)


class _VictoriaLogs:
    """Implements ``LogStore``; which fields it has is found out by the first ``measure``."""

    def __init__(self, session: WireSession, address: StoreAddress, scope: Scope) -> None:
        self._session = session
        self._url = f"{address.url.rstrip('/')}/select/logsql"
        self._given = (address.selector or "").strip()
        self._fields = {"time": "_time", "message": "_msg", **address.fields}
        self._scope = scope
        self._where = "*"
        self.told = Told()
        self._reader = RowReader(self._fields, self.told.lost)

    def measure(self, span: Span, pick: Pick) -> Measured:
        """Count lines and bytes, having found out what this store calls a namespace."""
        if pick == "all":
            self._find_fields(span)
        message = json.dumps(self._fields["message"])
        query = f"{self._where}{self._filter(pick)} | stats count() lines, sum_len({message}) bytes"
        told = next(self._rows(query, span), {})
        return Measured(lines=_whole(told.get("lines")), bytes=_whole(told.get("bytes")))

    def kinds(self, span: Span, step_s: int) -> Iterator[KindCount]:
        """Count lines that are alike but for their numbers, container by container; by container alone in older versions."""
        by = [self._fields[kind] for kind in ("namespace", "container") if kind in self._fields]

        def ask(origin: Mapping[str, Any]) -> Iterator[KindCount]:
            same = (f"{json.dumps(name)}:={json.dumps(str(origin.get(name) or ''))}" for name in by)
            return self._kinds_of(" ".join([self._where, *same]), span, step_s)

        origins = self._origins(by, span)
        return by_kind(origins, ask, lambda: self._by_origin(by, span, step_s), self.told, "knows no collapse_nums")

    def _origins(self, by: Sequence[str], span: Span) -> list[Mapping[str, Any]]:
        if not by:
            return [{}]
        query = f"{self._where} | stats by ({_names(by)}) count() lines | sort by (lines desc) | limit {MOST_ORIGINS}"
        return list(self._rows(query, span))

    def _kinds_of(self, narrowed: str, span: Span, step_s: int) -> Iterator[KindCount]:
        """Ask for each kind's count and first line, then for its counts by step."""
        message = self._fields["message"]
        origin = [self._fields[kind] for kind in KINDS if kind in self._fields]
        alike = f"{narrowed} | copy {json.dumps(message)} as raw | collapse_nums at {json.dumps(message)}"
        kept = _names([self._fields["time"], "raw", *origin])
        query = (
            f"{alike} | stats by ({json.dumps(message)}) count() lines, row_min({json.dumps(self._fields['time'])}, {kept}) first"
            f" | sort by (lines desc) | limit {MOST_KINDS}"
        )
        kinds = {str(row.get(message) or ""): row for row in self._rows(query, span)}
        self.told.note_kinds(len(kinds))
        counts: dict[str, list[tuple[int, int]]] = {pattern: [] for pattern in kinds}
        for row in self._rows(f"{alike} | stats by (_time:{step_s}s, {json.dumps(message)}) count() lines", span):
            at = nanoseconds(row.get("_time"))
            if at is not None and (steps := counts.get(str(row.get(message) or ""))) is not None:
                steps.append((at // NS, _whole(row.get("lines"))))
        for pattern, row in kinds.items():
            first = _first(row.get("first"))
            labels = {
                kind: told for kind, told in self._reader.labels(first).items() if kind in {"namespace", "container"}
            }
            entry = self._first_line(first, message)
            yield KindCount(
                labels=labels, pattern=pattern, lines=_whole(row.get("lines")), counts=counts[pattern], first=entry
            )

    def _first_line(self, row: Mapping[str, Any], message: str) -> Batch | None:
        return next(self._reader.batches([{**row, message: row["raw"]}]), None) if "raw" in row else None

    def _by_origin(self, by: Sequence[str], span: Span, step_s: int) -> Iterator[KindCount]:
        counts: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        for row in self._rows(f"{self._where} | stats by (_time:{step_s}s, {_names(by)}) count() lines", span):
            at = nanoseconds(row.get("_time"))
            if at is not None:
                key = tuple(str(row.get(name) or "") for name in by)
                counts.setdefault(key, []).append((at // NS, _whole(row.get("lines"))))
        for key, steps in counts.items():
            labels = self._reader.labels(dict(zip(by, key, strict=True)))
            yield KindCount(labels=labels, pattern="", lines=sum(lines for _, lines in steps), counts=steps)

    def lines(self, span: Span, pick: Pick, hint: int) -> Iterator[Batch]:  # noqa: ARG002 - an answer streams
        """Stream the lines of a span; whoever has enough closes the stream."""
        for rows in self._pieces(f"{self._where}{self._filter(pick)}", span):
            yield from self._reader.batches(rows)

    def oldest(self, span: Span) -> int | None:
        """Ask for the least time of what is configured."""
        query = f"{self._given or '*'} | stats min({json.dumps(self._fields['time'])}) oldest"
        return nanoseconds(next(self._rows(query, span), {}).get("oldest"))

    def close(self) -> None:
        """VictoriaLogs holds nothing."""

    def _filter(self, pick: Pick) -> str:
        words, message = json.dumps(f"(?i){TROUBLE}"), self._fields["message"]
        return {"all": "", "trouble": f" {message}:~{words}", "rest": f" !{message}:~{words}"}[pick]

    def _find_fields(self, span: Span) -> None:
        """Ask for the names of fields, and make the filter of every query: the configured one, and the namespaces."""
        told = self._session.post(f"{self._url}/field_names", data={"query": self._given or "*", **_times(span)})
        _checked(told)
        try:
            present = {str(each["value"]) for each in json_of(told)["values"]}
        except (KeyError, TypeError) as error:
            raise BrokenError("its list of fields is none") from error
        self._fields = known_fields(self._fields, present, {})
        if not any(kind in self._fields for kind in NAMES):
            self._fields["container"] = "_stream"
        self._reader = RowReader(self._fields, self.told.lost)
        given = [f"({self._given})"] if self._given else []
        wanted = {"namespace": quoted(self._scope.namespaces), "pod": self._scope.pods}
        given += [
            f'{json.dumps(self._fields.get(kind, kind))}:~"^({which})$"' for kind, which in wanted.items() if which
        ]
        self._where = " ".join(given) or "*"

    def _rows(self, query: str, span: Span) -> Iterator[Mapping[str, Any]]:
        for rows in self._pieces(query, span):
            yield from rows

    def _pieces(self, query: str, span: Span) -> Iterator[list[Mapping[str, Any]]]:
        """Decode an answer, many lines at once; a line that is cut or no object ends it."""
        begun: list[bytes] = []
        size = 0
        asked = {"query": query, **_times(span)}
        with self._session.streamed("POST", f"{self._url}/query", data=asked) as chunks:
            for chunk in chunks:
                begun.append(chunk)
                size += len(chunk)
                if size >= AT_ONCE_BYTES:
                    whole, ended, rest = b"".join(begun).rpartition(b"\n")
                    if ended:
                        yield _objects(whole)
                    begun, size = [rest], len(rest) if ended else size
                if size > LONGEST_LINE:
                    raise BrokenError("a line of its answer does not end")
        if last := b"".join(begun).strip():
            whole, ended, rest = last.rpartition(b"\n")
            if ended:
                yield _objects(whole)
            yield _objects(rest)  # apart, for it may be cut


def _checked(answer: requests.Response) -> None:
    if not answer.ok:
        raise RejectedError(f"it refuses the question (HTTP {answer.status_code})", status=answer.status_code)


def _times(span: Span) -> dict[str, str]:
    """Give a span as the API takes it: both ends belong to it there."""
    return {"start": _rfc3339(span.start), "end": _rfc3339(span.end - 1)}


def _rfc3339(at: int) -> str:
    seconds, rest = divmod(at, NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def _names(fields: Sequence[str]) -> str:
    return ", ".join(json.dumps(name) for name in fields)


def _whole(told: Any) -> int:  # noqa: ANN401 - decoded JSON
    """Read a number, which VictoriaLogs writes as text; nothing is none."""
    try:
        return int(float(told or 0))
    except (TypeError, ValueError) as error:
        raise BrokenError("its count is no number") from error


def _first(told: Any) -> Mapping[str, Any]:  # noqa: ANN401 - decoded JSON
    """Read what ``row_min`` gives: a JSON object within a text."""
    row = decoded(told.encode()) if isinstance(told, str) and told else {}
    return row if isinstance(row, dict) else {}


def _objects(lines: bytes) -> list[Mapping[str, Any]]:
    """Decode lines as one array: a line end stands nowhere within a JSON object's line."""
    told = decoded(b"[" + lines.strip().replace(b"\n", b",") + b"]")
    if not all(isinstance(row, dict) for row in told):
        raise BrokenError("a line of its answer is no JSON object")
    return told  # type: ignore[no-any-return] # as was just seen
