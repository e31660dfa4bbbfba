"""Live queries that a model may ask for: what they take comes from the case alone, never a query of the model's own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.analyst.model_tools import LiveQuery
from bot.domain.items import ItemId, Series
from bot.domain.window import Window
from bot.errors import UsageError

LONGEST = timedelta(days=7)
"""Of one live query."""
BEFORE = timedelta(days=30)
"""How far before the case's window it may reach."""

ReadRange = Callable[[str, Sequence[str], datetime, datetime], str]
"""Reads a metric in namespaces between two times; gives lines of text, raises RootcauseError where it cannot."""


def metrics_of(series: Iterable[tuple[ItemId, Series]]) -> Mapping[str, frozenset[str]]:
    """Give the metrics that a case has, each with the namespaces it has it of; none for what belongs to no namespace."""
    found: dict[str, set[str]] = {}
    for _, one in series:
        namespace = one.labels.get("namespace") or one.labels.get("exported_namespace")
        found.setdefault(one.metric, set()).update({namespace} if namespace else ())
    return {metric: frozenset(namespaces) for metric, namespaces in found.items()}


def metric_range(known: Mapping[str, frozenset[str]], window: Window, now: datetime, read: ReadRange) -> LiveQuery:
    """Give the query of a range of a metric that the case has, in the namespaces that the case has it of."""

    def run(arguments: Mapping[str, object]) -> str:
        metric = arguments.get("metric")
        if not isinstance(metric, str) or metric not in known:
            raise UsageError("metric is no metric of this case: the tool series shows their names.")
        namespaces = known[metric]
        only = arguments.get("namespace") or ""
        if not isinstance(only, str) or (only and only not in namespaces):
            raise UsageError("namespace is none that this case has the metric of.")
        start, end = _span(arguments, window, now)
        return read(metric, [only] if only else sorted(namespaces), start, end)

    return LiveQuery(
        name="metric_range",
        description=(
            "Read a metric of this case from the live server, as it is now: also before or after the case's window. "
            "What it gives is not kept with the case: it can be told, and no verdict rests on it."
        ),
        schema={
            "type": "object",
            "properties": {
                "metric": {"type": "string", "description": "its whole name, one that the tool series gives"},
                "namespace": {"type": "string", "description": "one of the metric's namespaces in this case; else all"},
                "since": {"type": "string", "description": "RFC 3339 time; from then on, else an hour before until"},
                "until": {"type": "string", "description": "RFC 3339 time; before then, else now"},
            },
            "required": ["metric"],
        },
        run=run,
    )


def _span(arguments: Mapping[str, object], window: Window, now: datetime) -> tuple[datetime, datetime]:
    end = min(_time(arguments.get("until"), "until") or now, now)
    first = window.start - BEFORE
    start = _time(arguments.get("since"), "since") or max(first, end - timedelta(hours=1) if end > first else first)
    if not first <= start < end:
        raise UsageError("since must lie before until and now, and not over 30 days before the case's window.")
    if end - start > LONGEST:
        raise UsageError("The span is longer than 7 days: ask for a shorter one.")
    return start, end


def _time(told: object, name: str) -> datetime | None:
    if told in (None, ""):
        return None
    try:
        read = datetime.fromisoformat(str(told)[:40])
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{name} is no time as RFC 3339.") from None
