"""Writes an incident export while the simulation runs, so that its length is bounded by the disk and not by memory.

Lays out files as the README recommends; knows nothing of what happens in the simulated world.
"""

import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.evals.bulk import Bulk
from bot.evals.multitude import Many
from bot.evals.randomness import Dice, dice
from bot.evals.timeline import second

FOLD_S = 1800.0
"""An event that does not come back for this long is written; one that does is folded into its count."""
ENOUGH = 120_000
"""Lines that are drawn at once: some 60 MB."""
LATE_S = 180.0
"""A line may be logged this much later than the tick that made it."""


def stamp(at_s: float) -> str:
    """Print a time as the API server does: RFC 3339, whole seconds."""
    return datetime.fromtimestamp(int(at_s), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def nano(at_s: float) -> str:
    """Print a time as the container runtime does: RFC 3339 with nanoseconds."""
    whole = int(at_s)
    return f"{second(whole)}.{int((at_s - whole) * 1e9):09d}Z"


@dataclass(slots=True, kw_only=True)
class ObjectRef:
    """What an event is about."""

    kind: str
    namespace: str
    name: str
    uid: str
    api_version: str = "v1"
    field_path: str | None = None


@dataclass(slots=True, kw_only=True)
class _Event:
    ref: ObjectRef
    reason: str
    message: str
    type: str
    component: str
    host: str
    first: float
    last: float
    count: int = 1


@dataclass(slots=True, eq=False)
class _Stream:
    path: Path
    labels: Mapping[str, str] | None
    lines: list[tuple[float, int, str]] = field(default_factory=list)
    written: int = 0


@dataclass(slots=True)
class _Series:
    labels: dict[str, str]
    times: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))


class Export:
    """An export folder being filled: logs, events, samples and whole documents."""

    def __init__(self, root: Path, seed: str) -> None:
        self.root = root
        self.rng: Dice = dice(seed, "export")
        self._streams: dict[tuple[str, str, str, bool], _Stream] = {}
        self._events: dict[tuple[str, str, str, str, str], _Event] = {}
        self._event_files: dict[str, int] = {}
        self._series: dict[str, dict[tuple[tuple[str, str], ...], _Series]] = {}
        self._lines = 0
        self.in_loki: set[tuple[str, str]] = set()
        """``(namespace, app)`` whose logs the collector kept in Loki alone."""
        self._bulk: Bulk[_Stream] = Bulk(dice(seed, "bulk").getrandbits(64))

    def log(self, where: tuple[str, str, str, str], at_s: float, text: str) -> None:
        """Append a log entry of ``(namespace, pod, container, app)``; every line of it gets its own time."""
        namespace, pod, container, app = where
        loki = (namespace, app) in self.in_loki
        key = (namespace, pod, container, loki)
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = self._open(where, loki)
        if isinstance(at_s, Many):
            self._bulk.add(stream, at_s, text)
            return
        for offset, line in enumerate(text.split("\n")):
            self._lines += 1
            stream.lines.append((at_s + offset * 1.3e-5, self._lines, line))

    def _open(self, where: tuple[str, str, str, str], loki: bool) -> _Stream:
        namespace, pod, container, app = where
        if loki:
            labels = {"app": app, "container": container, "namespace": namespace, "pod": pod}
            return _Stream(self.root / "loki" / f"{pod}_{container}.json", labels)
        return _Stream(self.root / "kubernetes" / namespace / pod / f"{container}.log", None)

    def event(
        self,
        at_s: float,
        ref: ObjectRef,
        reason: str,
        message: str,
        component: str,
        host: str = "",
        *,
        warning: bool = False,
    ) -> None:
        """Record a Kubernetes Event; a repeated one raises the count as the client's recorder does."""
        key = (ref.namespace, ref.kind, ref.name, reason, message)
        known = self._events.get(key)
        if known is not None:
            known.count += 1
            known.last = max(known.last, at_s)
            return
        kind = "Warning" if warning else "Normal"
        self._events[key] = _Event(
            ref=ref, reason=reason, message=message, type=kind, component=component, host=host, first=at_s, last=at_s
        )

    def sample(self, group: str, labels: Mapping[str, str], at_s: float, value: float) -> None:
        """Append a sample; ``group`` is the file the query's answer was saved in."""
        series = self._series.setdefault(group, {})
        key = tuple(sorted(labels.items()))
        if key not in series:
            series[key] = _Series(dict(labels))
        series[key].times.append(at_s)
        series[key].values.append(value)

    def document(self, path: str, content: Any, *, indent: int | None = 4) -> None:  # noqa: ANN401 - any JSON value
        """Write a whole JSON document."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(content, indent=indent, ensure_ascii=False, sort_keys=indent == 4) + "\n", "utf-8")

    def objects(self, namespace: str | None, kind: str, items: list[dict[str, Any]]) -> None:
        """Write a List as ``kubectl get KIND -o json`` prints it."""
        where = f"kubernetes/{namespace}/{kind}.json" if namespace else f"kubernetes/{kind}.json"
        self.document(where, {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}})

    @property
    def full(self) -> bool:
        """Tell whether enough lines wait."""
        return self._bulk.pending >= ENOUGH

    def flush(self, now_s: float) -> None:
        """Write what can no longer be overtaken; many lines alike wait until there are enough of them to be worth it."""
        for event_key in [key for key, event in self._events.items() if event.last < now_s - FOLD_S]:
            self._write_event(self._events.pop(event_key))
        if self._bulk.pending > 0 and not self.full and now_s < float("inf"):
            return
        for stream, lines in self._bulk.drawn():
            stream.lines.extend(lines)
        for key in list(self._streams):
            self._flush_stream(self._streams[key], now_s - LATE_S)

    def _flush_stream(self, stream: _Stream, until_s: float) -> None:
        if not stream.lines:
            return
        stream.lines.sort()
        cut = next((i for i, line in enumerate(stream.lines) if line[0] >= until_s), len(stream.lines))
        ready, stream.lines = stream.lines[:cut], stream.lines[cut:]
        if not ready:
            return
        stream.path.parent.mkdir(parents=True, exist_ok=True)
        with stream.path.open("a", encoding="utf-8") as out:
            if stream.labels is None:
                out.writelines(f"{nano(at)} {line}\n" for at, _, line in ready)
            else:
                if not stream.written:
                    head = json.dumps(dict(stream.labels), separators=(",", ":"))
                    out.write(
                        '{"status":"success","data":{"resultType":"streams","result":[{"stream":' + head + ',"values":['
                    )
                for i, (at, _, line) in enumerate(ready):
                    comma = "," if stream.written or i else ""
                    out.write(comma + json.dumps([str(int(at * 1e6) * 1000), line], separators=(",", ":")))
        stream.written += len(ready)

    def _write_event(self, event: _Event) -> None:
        namespace = event.ref.namespace or "default"
        path = self.root / "kubernetes" / namespace / "events.json"
        first = namespace not in self._event_files
        self._event_files[namespace] = self._event_files.get(namespace, 0) + 1
        path.parent.mkdir(parents=True, exist_ok=True)
        body = json.dumps(self._event_document(event, namespace), sort_keys=True, separators=(",", ":"))
        with path.open("a", encoding="utf-8") as out:
            out.write('{\n    "apiVersion": "v1",\n    "items": [\n' if first else ",\n")
            out.write("        " + body)  # one a line, as an event exporter keeps them

    def _event_document(self, event: _Event, namespace: str) -> dict[str, Any]:
        ref = event.ref
        about: dict[str, Any] = {
            "apiVersion": ref.api_version, "kind": ref.kind, "name": ref.name, "namespace": ref.namespace, "uid": ref.uid
        }  # fmt: skip
        if ref.kind == "Node":
            about = {"kind": "Node", "name": ref.name, "uid": ref.name}
        if ref.field_path:
            about["fieldPath"] = ref.field_path
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "creationTimestamp": stamp(event.first),
                "name": f"{ref.name}.{int(event.first * 1e9) & 0xFFFFFFFFFFFFFFFF:x}",
                "namespace": namespace,
                "resourceVersion": str(self.rng.randrange(10**7, 10**8)),
                "uid": self.rng.uid(),
            },
            "involvedObject": about,
            "reason": event.reason,
            "message": event.message,
            "type": event.type,
            "reportingComponent": event.component,
            "reportingInstance": event.host,
        }
        if event.component == "default-scheduler" and event.count == 1:
            # The scheduler speaks events.k8s.io/v1: the old timestamps stay null.
            micro = f"{nano(event.first)[:-4]}Z"
            document |= {
                "eventTime": micro,
                "firstTimestamp": None,
                "lastTimestamp": None,
                "source": {},
                "action": "Binding",
            }
            document["reportingInstance"] = "default-scheduler-cp-0"
            return document
        source = {"component": event.component} | ({"host": event.host} if event.host else {})
        return document | {
            "eventTime": None,
            "firstTimestamp": stamp(event.first),
            "lastTimestamp": stamp(event.last),
            "count": event.count,
            "source": source,
        }

    def close(self) -> None:
        """Write everything that is left and end every open document."""
        self.flush(float("inf"))
        for stream in self._streams.values():
            if stream.labels is not None and stream.written:
                with stream.path.open("a", encoding="utf-8") as out:
                    out.write("]}]}}\n")
        for namespace in self._event_files:
            path = self.root / "kubernetes" / namespace / "events.json"
            with path.open("a", encoding="utf-8") as out:
                out.write('\n    ],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n')
        for group in sorted(self._series):
            self._write_series(group)

    def _write_series(self, group: str) -> None:
        found = [self._series[group][key] for key in sorted(self._series[group])]
        path = self.root / "prometheus" / f"{group}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as out:
            out.write('{"status":"success","data":{"resultType":"matrix","result":[')
            for i, series in enumerate(found):
                out.write(
                    ("," if i else "") + '{"metric":' + json.dumps(series.labels, separators=(",", ":")) + ',"values":['
                )
                points = zip(series.times, series.values, strict=True)
                out.write(",".join(f'[{at:.0f},"{value:.6g}"]' for at, value in points))
                out.write("]}")
            out.write("]}}\n")
