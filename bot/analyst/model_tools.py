"""The read-only tools a model is given over a case, and over live sources where somebody registered a query.

What a tool gives is evidence: rows of JSON, which no text inside can end. Every call has a bound, and says when it cut.
Nothing here changes anything, and no tool takes a query language: a search is for words, a series for a name.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from bot.analyst.model_match import same_place
from bot.analyst.subjects import Hits
from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId, Series
from bot.domain.link import LinkTest
from bot.domain.model import Tool, ToolCall, ToolResult
from bot.domain.ports import Evidenced, Stored
from bot.domain.report import AnswerTest
from bot.domain.signal import Kind, Signal, Topology
from bot.domain.window import Window, rfc3339
from bot.errors import RootcauseError

MOST_ROWS = 40
MOST_CHARS = 16_000
"""Characters that one call gives: some 8,000 tokens of logs, so that ten calls do not fill a context."""
LONGEST_TEXT = 500
MOST_POINTS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a live query gave: rows with the ids they are kept under, their texts, and sentences on what it could not give."""

    rows: Sequence[Mapping[str, object]]
    texts: Sequence[str] = ()
    gaps: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveQuery:
    """A read-only query of a live source that somebody allowed: its name, what it tells, its arguments, and who runs it.

    ``run`` raises RootcauseError with a sentence where it cannot.
    """

    name: str
    description: str
    schema: Mapping[str, object]
    run: Callable[[Mapping[str, object]], Looked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A case as the tools read it."""

    window: Window
    signals: Sequence[Signal]
    topology: Topology
    evidence: Evidenced
    test: Callable[[Signal, Signal], LinkTest]
    search: Callable[[str, datetime | None, datetime | None, int], Hits]
    around: Callable[[ItemId, int, int], Sequence[Stored]]
    lines_between: Callable[[datetime, datetime, str, int], Sequence[Stored]]
    """Log lines between two times, of streams whose name holds a text (empty: all), at most so many."""
    events: Callable[[], Iterable[tuple[ItemId, ClusterEvent]]]
    series: Callable[[], Iterable[tuple[ItemId, Series]]]
    live: tuple[LiveQuery, ...] = ()


@dataclass(slots=True)
class Asked:
    """What a model has looked up so far: how many calls, and the tests it had made, by the pair of signals."""

    calls: int = 0
    tests: list[tuple[Signal, Signal, LinkTest]] = field(default_factory=list)
    live: list[str] = field(default_factory=list)
    """Texts that live queries gave."""
    gaps: list[str] = field(default_factory=list)
    """What live queries could not give."""

    def last_test(self) -> AnswerTest | None:
        """Give the numbers of the latest test, as an answer carries them."""
        if not self.tests:
            return None
        test = self.tests[-1][2]
        return AnswerTest(hits=test.hits, misses=test.misses, lag=test.lag, p_value=test.p_value, name=test.test)


def _schema(required: Sequence[str], **parts: str) -> Mapping[str, object]:
    kinds = {"limit": "integer", "before": "integer", "after": "integer", "seconds": "integer"}
    return {
        "type": "object",
        "properties": {name: {"type": kinds.get(name, "string"), "description": what} for name, what in parts.items()},
        "required": list(required),
    }


_FROM, _UNTIL = "RFC 3339 time; from then on", "RFC 3339 time; before then"
TOOLS: tuple[Tool, ...] = (
    Tool(
        name="search",
        description="Find exact words in log lines, events, objects, chat and tickets, either case. Gives the first hits by time and how many there are in all.",
        schema=_schema(
            ["words"], words="the words, as they stand there", since=_FROM, until=_UNTIL, limit="at most 40"
        ),
    ),
    Tool(
        name="lines_around",
        description="Give the neighbours of an item (of its log stream, object, channel or ticket), or the log lines around a time.",
        schema=_schema(
            [],
            item="an item's id",
            before="how many before it",
            after="how many after it",
            at="instead of an item: RFC 3339 time",
            seconds="so many before and after that time",
            stream="only of streams whose name holds this",
        ),
    ),
    Tool(
        name="events_of",
        description="Give the Kubernetes events of an entity, and of the pods it owns, by its name.",
        schema=_schema(["name"], name="name or beginning of a name", since=_FROM, until=_UNTIL, limit="at most 40"),
    ),
    Tool(
        name="series",
        description="Give a metric's samples: its name or a part of it, and a text that its labels hold.",
        schema=_schema(["metric"], metric="name or part", labels="a text in the labels", since=_FROM, until=_UNTIL),
    ),
    Tool(
        name="signals",
        description="List what was measured to have happened: id, kind, entity, how often, first and last time.",
        schema=_schema([], kind="one of the kinds", name="name or part of a name of the entity"),
    ),
    Tool(
        name="test_link",
        description="Test whether one signal follows another in this case, by their ids: hits, misses, lags, p-value.",
        schema=_schema(
            ["cause", "effect"],
            cause="id of a signal, or its kind and entity: oom_kill of Deployment shop/api",
            effect="the same",
        ),
    ),
)


def tools_for(lookup: Lookup) -> tuple[Tool, ...]:
    """Give the tools of a case, in a fixed order, the allowed live queries behind them."""
    live = (Tool(name=f"live_{one.name}", description=one.description, schema=one.schema) for one in lookup.live)
    return (*TOOLS, *live)


def answered(call: ToolCall, lookup: Lookup, asked: Asked) -> ToolResult:
    """Carry out one call; whatever is wrong with it is told to the model, never raised."""
    asked.calls += 1
    if call.arguments is None:
        return ToolResult(call=call.id, text="The arguments are no JSON object.", failed=True)
    try:
        text = _carried_out(call.name, call.arguments, lookup, asked)
    except (_WrongCallError, RootcauseError) as error:
        return ToolResult(call=call.id, text=str(error), failed=True)
    return ToolResult(call=call.id, text=text)


class _WrongCallError(ValueError):
    """An argument that cannot be used; the message is for the model."""


def _carried_out(name: str, arguments: Mapping[str, object], lookup: Lookup, asked: Asked) -> str:
    if name == "test_link":
        return _test_link(arguments, lookup, asked)
    rows = _ROWS.get(name)
    if rows is not None:
        return _bounded(rows(arguments, lookup))
    for query in lookup.live:
        if name == f"live_{query.name}":
            found = query.run(arguments)
            asked.live += found.texts
            asked.gaps += [gap for gap in found.gaps if gap not in asked.gaps]
            return _bounded(iter([*found.rows, *({"missing": gap} for gap in found.gaps)]))
    raise _WrongCallError(f"There is no tool {name[:60]!r}.")


def _bounded(rows: Iterator[Mapping[str, object]]) -> str:
    """Write rows as lines of JSON up to the bound, and say where it cut."""
    lines: list[str] = []
    size = 0
    for row in rows:
        line = json.dumps(row, ensure_ascii=False)
        if size + len(line) > MOST_CHARS:
            if not lines:
                lines.append(json.dumps({"cut": line[:MOST_CHARS]}, ensure_ascii=False))
            lines.append('{"cut": "there is more: ask for less at a time"}')
            break
        lines.append(line)
        size += len(line)
    return "\n".join(lines) if lines else '{"found": 0}'


def _search(arguments: Mapping[str, object], lookup: Lookup) -> Iterator[Mapping[str, object]]:
    words = _text(arguments, "words")
    if len(words.strip()) < 2:
        raise _WrongCallError("words is too short: give at least two characters.")
    since, until = _span(arguments, lookup)
    found = lookup.search(words, since, until, _count(arguments, "limit", 20, MOST_ROWS))
    yield {"found": found.total}
    yield from map(_row, found.hits)


def _lines_around(arguments: Mapping[str, object], lookup: Lookup) -> Iterator[Mapping[str, object]]:
    if item := _text(arguments, "item", ""):
        before, after = _count(arguments, "before", 5, MOST_ROWS), _count(arguments, "after", 5, MOST_ROWS)
        near = lookup.around(ItemId(item), before, after)
        if not near:
            raise _WrongCallError(f"There is no item {item[:40]!r}.")
        yield from map(_row, near)
        return
    at = _time(arguments, "at")
    if at is None:
        raise _WrongCallError("Give item or at.")
    reach = timedelta(seconds=_count(arguments, "seconds", 5, 600))
    yield from map(_row, lookup.lines_between(at - reach, at + reach, _text(arguments, "stream", ""), MOST_ROWS))


def _events_of(arguments: Mapping[str, object], lookup: Lookup) -> Iterator[Mapping[str, object]]:
    name, (since, until) = _text(arguments, "name"), _span(arguments, lookup)
    chosen = [
        (item, event)
        for item, event in lookup.events()
        if event.entity.name.startswith(name) and since <= event.at < until
    ]
    yield {"found": len(chosen)}
    for item, event in chosen[: _count(arguments, "limit", 20, MOST_ROWS)]:
        yield {
            "item": item,
            "at": rfc3339(event.at),
            "of": str(event.entity),
            "reason": event.reason,
            "text": event.message[:LONGEST_TEXT],
            "count": event.count,
        }


def _series(arguments: Mapping[str, object], lookup: Lookup) -> Iterator[Mapping[str, object]]:
    metric, labels = _text(arguments, "metric"), _text(arguments, "labels", "")
    since, until = (at.timestamp() for at in _span(arguments, lookup))
    found = [
        (item, series)
        for item, series in lookup.series()
        if metric in series.metric and labels in json.dumps(dict(series.labels), ensure_ascii=False)
    ]
    yield {"found": len(found)}
    for item, series in found[:6]:
        points = [
            (at, value)
            for at, value in zip(series.times_s, series.values, strict=True)
            if since <= at < until and math.isfinite(value)
        ]
        stride = max(1, -(-len(points) // MOST_POINTS))
        yield {
            "item": item,
            "metric": series.metric,
            "labels": dict(series.labels),
            "samples": len(points),
            "one_in": stride,
            "points": [
                [rfc3339(datetime.fromtimestamp(at, UTC)), float(f"{value:.4g}")] for at, value in points[::stride]
            ],
        }


def _signals(arguments: Mapping[str, object], lookup: Lookup) -> Iterator[Mapping[str, object]]:
    kind, name = _text(arguments, "kind", ""), _text(arguments, "name", "")
    if kind and kind not in set(Kind):
        raise _WrongCallError(f"{kind[:40]!r} is none of the kinds.")
    for signal in lookup.signals:
        if signal.occurrences and kind in ("", signal.kind.value) and name in str(signal.entity):
            yield {
                "signal": signal.id,
                "kind": signal.kind.value,
                "of": str(signal.entity),
                "times": len(signal.occurrences),
                "first": rfc3339(datetime.fromtimestamp(signal.occurrences[0].start_s, UTC)),
                "last": rfc3339(datetime.fromtimestamp(signal.occurrences[-1].start_s, UTC)),
                "items": list(signal.occurrences[0].refs[:2]),
            }


def _test_link(arguments: Mapping[str, object], lookup: Lookup, asked: Asked) -> str:
    cause, effect = (_signal(_text(arguments, end), lookup) for end in ("cause", "effect"))
    test = lookup.test(cause, effect)
    asked.tests.append((cause, effect, test))
    return json.dumps(
        {
            "status": test.status,
            "hits": test.hits,
            "misses": test.misses,
            "effects_without_the_cause": test.unexplained,
            "lag_s": [test.lag.p10, test.lag.median, test.lag.p90] if test.lag else None,
            "p_value": test.p_value,
            "test": test.test,
            "reason": test.reason,
        },
        ensure_ascii=False,
    )


def _signal(name: str, lookup: Lookup) -> Signal:
    """Find a signal by its id, or by kind and entity where they name only one: ``job_run of CronJob data/rollup``."""
    by_id = next((signal for signal in lookup.signals if signal.id == name), None)
    if by_id is not None:
        return by_id
    kind, _, place = name.replace(" of ", "|").partition("|")
    words = place.split("#", 1)[0].split(" ", 1)
    if kind in set(Kind) and len(words) == 2:
        namespace, _, bare = words[1].rpartition("/")
        entity = Entity(words[0], bare, namespace or None)
        found = [s for s in lookup.signals if s.kind.value == kind and same_place(s, entity, lookup.topology)]
        if len(found) == 1:
            return found[0]
    raise _WrongCallError(f"There is no signal {name[:80]!r}: the tool signals lists them with their ids.")


_ROWS: Mapping[str, Callable[[Mapping[str, object], Lookup], Iterator[Mapping[str, object]]]] = {
    "search": _search,
    "lines_around": _lines_around,
    "events_of": _events_of,
    "series": _series,
    "signals": _signals,
}


def _row(item: Stored) -> Mapping[str, object]:
    at = rfc3339(item.at) if item.at else None
    return {"item": item.id, "at": at, "source": item.source, "of": item.entity, "text": item.text[:LONGEST_TEXT]}


def _text(arguments: Mapping[str, object], name: str, default: str | None = None) -> str:
    value = arguments.get(name, default)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise _WrongCallError(f"{name} is missing, or no text.")
    return value[:300]


def _count(arguments: Mapping[str, object], name: str, default: int, most: int) -> int:
    value: Any = arguments.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _WrongCallError(f"{name} is no count.")
    return min(value, most)


def _time(arguments: Mapping[str, object], name: str) -> datetime | None:
    value = arguments.get(name)
    if value in (None, ""):
        return None
    try:
        read = datetime.fromisoformat(cast("str", value))
    except (ValueError, TypeError):
        raise _WrongCallError(f"{name} is no time as RFC 3339.") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _span(arguments: Mapping[str, object], lookup: Lookup) -> tuple[datetime, datetime]:
    return _time(arguments, "since") or lookup.window.start, _time(arguments, "until") or lookup.window.end
