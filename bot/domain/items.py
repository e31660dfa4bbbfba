"""What sources bring in: the raw material of a case, before anybody has drawn a conclusion from it.

Every item keeps the bytes it was read from, so that a quote can be found again. Items have no id until the case
file gives them one (``L17`` a log line, ``V3`` an event, ``O9`` an object version, ``M4`` a series, ``C8`` a chat
message, ``J2`` a ticket entry, ``F5`` what was fetched from a live source for a later question).
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NewType

from bot.domain.entity import Entity

LOG_SOURCES = ("kubernetes/logs", "loki", "elasticsearch", "victorialogs")
"""Who tells log lines, by the names in the ledger."""

ItemId = NewType("ItemId", str)
"""A short stable id of a stored item; the letter says what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStream:
    """One container's log: where its lines come from."""

    namespace: str | None
    pod: str | None
    container: str | None
    path: str
    previous: bool = False
    node: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterEvent:
    """A Kubernetes Event (core/v1 or events.k8s.io/v1), reduced to what both spell alike.

    ``at`` is the last time it was seen; ``first_at`` the first; ``count`` how often (a lower bound: the client folds).
    """

    at: datetime
    first_at: datetime
    count: int
    type: str
    reason: str
    message: str
    entity: Entity
    component: str | None
    node: str | None
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVersion:
    """One version of a Kubernetes object as it was read; ``manifest`` is the decoded document, ``raw`` its bytes."""

    entity: Entity
    uid: str | None
    observed_at: datetime | None
    manifest: Mapping[str, Any]
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series: ``times_s`` (epoch seconds, ascending) and ``values`` of equal length, both ``array('d')``.

    NaN and infinities are kept in ``values``; who computes with them must mask them. ``source``: who tells it; a log store that
    counts its lines does so too.
    """

    metric: str
    labels: Mapping[str, str]
    times_s: "array[float]"
    values: "array[float]"
    raw: bytes
    source: str = "prometheus"


@dataclass(frozen=True, slots=True)
class SeriesHead:
    """Which series it is, without its samples."""

    id: ItemId
    metric: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of the incident channel, flattened to text from blocks and attachments where ``text`` is empty."""

    at: datetime
    channel: str
    author: str
    is_bot: bool
    text: str
    ts: str
    thread_ts: str | None
    permalink: str | None
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEntry:
    """A ticket's description, one comment, or one changelog entry, as plain text."""

    at: datetime
    key: str
    part: Literal["description", "comment", "change"]
    author: str
    text: str
    url: str | None
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a live source gave for a question that was asked of a finished case; ``raw`` is what was read.

    ``entity`` and ``locator`` are spelled as those of the case's own items are; ``fetched_at`` says when it was read.
    """

    source: str
    entity: str
    at: datetime | None
    text: str
    raw: bytes
    locator: str
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that could not be seen, in words for a person; ``count`` for oddities that were counted, not lost."""

    source: str
    what: str
    count: int = 1
    path: str | None = None
    lost: bool = True
    """False where the oddity was taken in its stride and nothing is missing."""
    span: tuple[datetime, datetime] | None = None
    """Where in time it lies, the end left out; None where it lies anywhere."""
    share: float | None = None
    """Of what the source holds there, how much nobody looked at, 0 to 1; None where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCoverage:
    """One ledger row: what a source gave, and what it could not give."""

    source: str
    status: Literal["complete", "partial", "missing", "not_configured"]
    items: int
    bytes: int
    first_at: datetime | None
    last_at: datetime | None
    gaps: tuple[Gap, ...] = ()
    read: str = ""
    detail: str = ""
