"""Deep links for evidence that came without one: into Grafana, Prometheus, Jira or whatever a template leads to.

A template is a URL with named blanks. What fills a blank comes from an incident and may hold anything, so it is encoded
for the place where it stands: ``{query}`` percent-encoded, ``{query:json}`` escaped as the inside of a JSON string first,
``{line:kql}`` as a phrase of Kibana's query language inside a Rison string.
Where a blank cannot be filled there is no link, for one that leads to the wrong place is worse. Whether a host may be linked
to at all is decided where links are shown.

Sources: Kibana's Discover (Rison in ``_g`` and ``_a``), VictoriaLogs' web UI, Grafana's "Explore" (URL format of ``panes``), Prometheus's expression browser, LogQL's "Log queries".
"""

import json
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from bot.domain.fleet import SEPARATOR
from bot.domain.report import Evidence
from bot.errors import UsageError

AROUND = timedelta(minutes=15)
"""What is shown before and after the moment: enough to see a level change, little enough to see the second."""
QUOTED_CHARS = 80
"""So much of a log line is searched for: more only fails where a shipper changed the line's end."""

_BLANK = re.compile(r"\{([a-z_]*)(:json|:kql)?\}")
_BLANKS = frozenset({
    "query", "quote", "line", "item", "kind", "namespace", "name", "key", "channel", "ts", "ts_digits", "at_ms", "from_ms", "to_ms", "end", "from_iso", "to_iso",
})  # fmt: skip
_MESSAGE = re.compile(r"\S+ #(\S+) (\d+\.\d+)")
_SERIES = re.compile(r"\S+ (?:read live \S+ )?\d+ samples of ([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?$", re.DOTALL)
_MATCHER = re.compile(r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*"(?:,|$)')
_METRIC = re.compile(r'\{\s*"metric"\s*:\s*')
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_POD_OWNERS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTemplates:
    """URL templates by what is cited; empty ones give no links.

    Blanks of all: ``{item}``, ``{kind}``, ``{namespace}``, ``{name}``, ``{quote}``, ``{line}`` (its beginning), and around the moment ``{at_ms}``, ``{from_ms}``,
    ``{to_ms}`` (milliseconds since the epoch), ``{from_iso}``, ``{to_iso}`` and ``{end}`` (``YYYY-MM-DD hh:mm:ss``, UTC). ``logs`` and ``metrics`` also have
    ``{query}`` (LogQL, PromQL), ``tickets`` ``{key}``, ``chat`` ``{channel}``, ``{ts}`` and ``{ts_digits}``. Raises UsageError for an
    unknown blank, or where the host is not written out.
    """

    logs: str = ""
    metrics: str = ""
    events: str = ""
    objects: str = ""
    tickets: str = ""
    chat: str = ""

    def __post_init__(self) -> None:
        for part in fields(self):
            _check(part.name, getattr(self, part.name))


def grafana_explore(base_url: str, datasource_uid: str, datasource_type: str) -> str:
    """Give the template that opens a query in Grafana's Explore; ``datasource_type`` is ``prometheus`` or ``loki``."""
    source = {"type": datasource_type, "uid": datasource_uid}
    panes = {
        "rootcause": {
            "datasource": datasource_uid,
            "queries": [{"refId": "A", "datasource": source, "expr": "{query:json}"}],
            "range": {"from": "{from_ms}", "to": "{to_ms}"},
        }
    }
    encoded = quote(json.dumps(panes, separators=(",", ":")), safe="")
    for blank in ("query:json", "from_ms", "to_ms"):
        encoded = encoded.replace(quote(f"{{{blank}}}", safe=""), f"{{{blank}}}")
    return f"{base_url.rstrip('/')}/explore?schemaVersion=1&orgId=1&panes={encoded}"


def prometheus_graph(base_url: str) -> str:
    """Give the template that draws a series in Prometheus's own expression browser."""
    minutes = int(2 * AROUND.total_seconds() // 60)
    return f"{base_url.rstrip('/')}/graph?g0.expr={{query}}&g0.tab=0&g0.range_input={minutes}m&g0.end_input={{end}}"


def kibana_discover(base_url: str) -> str:
    """Give the template that finds a line in Kibana's Discover, in the data view that opens by default."""
    time = "_g=(time:(from:'{from_iso}',to:'{to_iso}'))"
    return f"{base_url.rstrip('/')}/app/discover#/?{time}&_a=(query:(language:kuery,query:'%22{{line:kql}}%22'))"


def victorialogs_select(base_url: str) -> str:
    """Give the template that finds a line in VictoriaLogs' own web UI."""
    minutes = int(2 * AROUND.total_seconds() // 60)
    around = f"g0.range_input={minutes}m&g0.end_input={{to_iso}}"
    return f"{base_url.rstrip('/')}/select/vmui/#/?query=%22{{line:json}}%22&{around}"


def jira_browse(base_url: str) -> str:
    """Give the template that opens a ticket in Jira."""
    return f"{base_url.rstrip('/')}/browse/{{key}}"


def evidence_url(evidence: Evidence, templates: LinkTemplates) -> str | None:
    """Give the link of a citation: its own, else one made from the template for its source, else None."""
    if evidence.url is not None:
        return evidence.url
    by_source = {
        "kubernetes/logs": templates.logs,
        "loki": templates.logs,
        "elasticsearch": templates.logs,
        "victorialogs": templates.logs,
        "prometheus": templates.metrics,
        "kubernetes/events": templates.events,
        "kubernetes/objects": templates.objects,
        "jira": templates.tickets,
        "slack": templates.chat,
    }
    template = by_source.get(evidence.source, "")
    return _filled(template, _values(evidence)) if template else None


def _filled(template: str, values: dict[str, str]) -> str | None:
    blanks = {found[1] for found in _BLANK.finditer(template)}
    if not all(values.get(blank) for blank in blanks):
        return None

    def encoded(found: re.Match[str]) -> str:
        value = values[found[1]].encode("utf-8", "replace").decode()
        if found[2]:
            value = json.dumps(value)[1:-1]
        if found[2] == ":kql":
            value = re.sub("([!'])", r"!\1", value)  # Rison escapes with an exclamation mark
        return quote(value, safe="")

    return _BLANK.sub(encoded, template)


def _values(evidence: Evidence) -> dict[str, str]:
    entity = evidence.entity
    values = {
        "item": evidence.locator.partition(" ")[0],
        "kind": entity.kind,
        "namespace": entity.namespace or "",
        "name": entity.name,
        "key": entity.name,
        "quote": evidence.quote,
        "line": _line(evidence),
        "query": _query(evidence),
    }
    if message := _MESSAGE.match(evidence.locator):
        values |= {"channel": message[1], "ts": message[2], "ts_digits": message[2].replace(".", "")}
    if evidence.at is not None:
        values |= _moment(evidence.at)
    return values


def _moment(at: datetime) -> dict[str, str]:
    def milliseconds(instant: datetime) -> str:
        return str(int(instant.timestamp() * 1000))

    return {
        "at_ms": milliseconds(at),
        "from_ms": milliseconds(at - AROUND),
        "to_ms": milliseconds(at + AROUND),
        "from_iso": f"{(at - AROUND).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "to_iso": f"{(at + AROUND).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{(at + AROUND).astimezone(UTC):%Y-%m-%d %H:%M:%S}",
    }


def _query(evidence: Evidence) -> str:
    if evidence.source == "prometheus":
        return _promql(evidence.quote) or _named_series(evidence.locator)
    return _logql(evidence) if evidence.source in {"kubernetes/logs", "loki"} else ""


def _promql(quoted: str) -> str:
    """Select the series that a query's result, or the beginning of one, names; empty where it names none."""
    found = _METRIC.match(quoted)
    if not found:
        return ""
    try:
        told, _ = json.JSONDecoder().raw_decode(quoted, found.end())
    except ValueError:
        return ""
    if not isinstance(told, dict):
        return ""
    labels = {key: value for key, value in told.items() if _LABEL.fullmatch(key) and isinstance(value, str)}
    name = labels.pop("__name__", "")
    if not re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", name):
        name = ""
    matchers = ",".join(f"{key}={_text(value)}" for key, value in sorted(labels.items()) if value)
    return f"{name}{{{matchers}}}" if matchers else name


def _named_series(locator: str) -> str:
    """Select the series that a locator names; its name may be a file's, which often is how the metric's name begins."""
    found = _SERIES.match(locator)
    if not found:
        return ""
    labels = "".join(each[0] for each in _MATCHER.finditer(found[2] or ""))
    if labels != (found[2] or ""):
        return ""
    return f'{{__name__=~"{found[1]}.*"{"," + labels if labels else ""}}}'


def _logql(evidence: Evidence) -> str:
    """Select the workload's streams by the labels that Promtail and Alloy set, and the line by its beginning."""
    entity = evidence.entity
    if not entity.namespace:
        return ""
    matchers = [f"namespace={_text(entity.namespace.rpartition(SEPARATOR)[2])}"]  # a store knows no cluster's name
    if entity.kind == "Pod":
        matchers.append(f"pod={_text(entity.name)}")
    elif entity.kind in _POD_OWNERS:
        matchers.append(f"pod=~{_text(re.escape(entity.name) + '-.*')}")
    line = _line(evidence)
    return f"{{{','.join(matchers)}}}" + (f" |= {_text(line)}" if line else "")


def _line(evidence: Evidence) -> str:
    """Give the beginning of a line; a log store's own count of lines stands in none."""
    if evidence.source != "prometheus" and _SERIES.match(evidence.locator):
        return ""
    return evidence.quote.split("\n", 1)[0][:QUOTED_CHARS].strip()


def _text(value: str) -> str:
    """Write a string as PromQL and LogQL do: in double quotes, with Go's escapes."""
    return json.dumps(value, ensure_ascii=False)


def _check(name: str, template: str) -> None:
    if not template:
        return
    unknown = sorted({found[1] for found in _BLANK.finditer(template)} - _BLANKS)
    if unknown:
        raise UsageError(
            f"The link template for {name} has the blank {{{unknown[0]}}}, which nothing fills: "
            f"known are {', '.join(sorted(_BLANKS))}."
        )
    parts = urlsplit(template)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "{" in parts.netloc or "@" in parts.netloc:
        raise UsageError(
            f"The link template for {name} must begin with http:// or https:// and a host that is written out."
        )


def link_templates(
    *,
    grafana_url: str | None = None,
    grafana_logs: str | None = None,
    grafana_metrics: str | None = None,
    prometheus_url: str | None = None,
    jira_url: str | None = None,
    logs: str | None = None,
    metrics: str | None = None,
) -> LinkTemplates:
    """Choose templates from what is configured: an own template first, then Grafana, then Prometheus."""
    if grafana_url and grafana_logs:
        logs = logs or grafana_explore(grafana_url, grafana_logs, "loki")
    if grafana_url and grafana_metrics:
        metrics = metrics or grafana_explore(grafana_url, grafana_metrics, "prometheus")
    if prometheus_url:
        metrics = metrics or prometheus_graph(prometheus_url)
    return LinkTemplates(logs=logs or "", metrics=metrics or "", tickets=jira_browse(jira_url) if jira_url else "")
