"""Read what people and pipelines noted in Grafana: annotations of a window, each a change at a time.

Annotations that Grafana's own alerts leave are not read: they are effects, and Prometheus tells them better. Tags such as
``namespace:shop`` and ``deployment:api`` say whom a change was made to; without them it is its author's.

API: https://grafana.com/docs/grafana/latest/developers/http_api/annotations/
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.bearings import clock_findings, clock_words
from bot.domain.entity import Entity
from bot.domain.finding import Finding
from bot.domain.items import ClusterEvent, Gap
from bot.domain.ports import Progress, Sink
from bot.domain.window import Window, instant
from bot.wire import BrokenError, Deadline, Limits, Login, RejectedError, WireError, WireSession, json_of

REASON = "GrafanaAnnotation"
MOST = 2000
"""Annotations in one answer; more are not notes of people, but of a program that is chatty."""
MOST_TEXT = 2000
EXAMINE_S = 8.0
_TAG = re.compile(r"<[^>]{0,200}>")
_KINDS = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "cronjob": "CronJob",
    "service": "Service",
}


class GrafanaSource:
    """One Grafana in a window; only annotations with all of ``tags``."""

    name = "grafana"

    def __init__(
        self, url: str, login: Login, window: Window, *, tags: Sequence[str] = (), deadline_s: float = 60.0
    ) -> None:
        self._url = url.rstrip("/")
        self._login = login
        self._window = window
        self._tags = tuple(tags)
        self.deadline_s = deadline_s

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Read the annotations into the sink."""
        with (
            Deadline(self.deadline_s) as deadline,
            WireSession(deadline, login=self._login, limits=Limits(answer_bytes=16 * 1024 * 1024)) as session,
        ):
            progress("read", 0, None)
            try:
                found, size = self._annotations(session, self._window)
            except WireError as error:
                sink.add_gap(Gap(source=self.name, what=f"Grafana's annotations could not be read: {error}"))
                return
            self._store(found, sink)
            sink.add_read(self.name, "annotations", size)
            progress("read", size, size)
            if clock := clock_words(session.clock_offset_s):
                sink.add_detail(self.name, clock)

    def _annotations(self, session: WireSession, window: Window) -> tuple[Sequence[Any], int]:
        params: dict[str, str | int | list[str]] = {
            "from": int(window.start_s * 1000),
            "to": int(window.end_s * 1000),
            "limit": MOST,
            "type": "annotation",
            "tags": list(self._tags),
        }
        answer = session.get(f"{self._url}/api/annotations", params=params)
        if not answer.ok:
            raise RejectedError(f"it answers HTTP {answer.status_code}", status=answer.status_code)
        told = json_of(answer)
        if not isinstance(told, list):
            raise BrokenError("the answer is not Grafana's")
        return told, len(answer.content)

    def _store(self, found: Sequence[Any], sink: Sink) -> None:
        events = [event for each in found if (event := _event(each)) is not None]
        for event in sorted(events, key=lambda each: (each.at, each.message)):
            sink.add_event(event)
        if len(events) < len(found):
            what = "annotations without a time or a text, left out"
            sink.add_gap(Gap(source=self.name, what=what, count=len(found) - len(events)))
        if len(found) >= MOST:
            sink.add_gap(Gap(source=self.name, what=f"only {MOST} annotations were read: name tags in rootcause.yaml"))

    def examine(self) -> Sequence[Finding]:
        """Ask for the annotations of the last hour."""
        now = datetime.now(UTC)
        with (
            Deadline(min(EXAMINE_S, self.deadline_s)) as deadline,
            WireSession(deadline, login=self._login) as session,
        ):
            try:
                found, _ = self._annotations(session, Window(start=now - timedelta(hours=1), end=now, asked=""))
            except WireError as error:
                fix = "check url and token in rootcause.yaml; the token needs annotations:read"
                return [Finding(name=self.name, state="wrong", what=str(error), fix=fix)]
        well = Finding(name=self.name, state="ok", what=f"{len(found)} annotations of the last hour can be read")
        return [well, *clock_findings(self.name, session.clock_offset_s)]


def _event(told: object) -> ClusterEvent | None:
    if not isinstance(told, Mapping) or told.get("alertId"):
        return None
    text = " ".join(_TAG.sub(" ", str(told.get("text") or "")).split())[:MOST_TEXT]
    try:
        first = instant(float(told["time"]) / 1000)
        last = instant(float(told.get("timeEnd") or told["time"]) / 1000)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    if not text:
        return None
    tags = (
        [str(tag) for tag in told.get("tags") or () if isinstance(tag, str)]
        if isinstance(told.get("tags"), list)
        else []
    )
    message = f"{text} [{', '.join(tags)}]" if tags else text
    return ClusterEvent(
        at=max(first, last),
        first_at=first,
        count=1,
        type="Normal",
        reason=REASON,
        message=message.encode("utf-8", "replace").decode(),
        entity=_whose(tags, str(told.get("login") or told.get("email") or "Grafana")),
        component="grafana",
        node=None,
        raw=json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"),
    )


def _whose(tags: Sequence[str], author: str) -> Entity:
    named = dict(re.split("[:=]", tag, maxsplit=1) for tag in tags if re.fullmatch(r"[a-z_]+[:=][A-Za-z0-9._-]+", tag))
    for tag, kind in _KINDS.items():
        if tag in named:
            return Entity(kind, named[tag], named.get("namespace"))
    return Entity("Person", author)
