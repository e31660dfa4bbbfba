"""Conversations: who asked what where, what work came of it, and the port through which people are answered.

Slack's words (channel, thread, ``ts``) are used because the product is a Slack bot; nothing here knows its API.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType, Protocol

from bot.domain.items import Gap
from bot.domain.report import Answer, Report

WorkId = NewType("WorkId", str)
"""Name of one durable piece of work; derived from what was asked where, so that asking twice names it twice alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A thread: all four parts name it, never ``thread_ts`` alone. ``thread_ts`` is the root message's ``ts``."""

    enterprise: str | None
    team: str
    channel: str
    thread_ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """A person: user id, display name, IANA time zone."""

    user: str
    name: str
    tz: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, stored before it is acknowledged.

    ``keys`` are its dedupe keys (event id; channel and ts): a second delivery shares one of them. ``message_ts`` is the
    asking message (for reactions), None for commands. ``window`` holds the words used, None for the default.
    ``case`` and ``ticket`` say which case's report goes to which ticket; for a ``ticket`` alone.
    """

    kind: Literal["investigate", "follow_up", "ticket"]
    keys: tuple[str, ...]
    place: Place
    asker: Asker
    question: str
    window: str | None
    namespaces: tuple[str, ...]
    message_ts: str | None
    asked_at: datetime
    case: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of an ask: ``new`` work, a ``duplicate`` delivery, work already ``running`` elsewhere (``place``), or
    ``refused`` by a limit (``reason`` is a sentence for the person).
    """

    work: WorkId | None
    outcome: Literal["new", "duplicate", "running", "refused"]
    position: int = 0
    place: Place | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProgress:
    """One line of the plan: how far a source is."""

    source: str
    state: Literal["waiting", "reading", "done", "failed"]
    items: int = 0
    bytes: int = 0
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the edited-in-place message shows while work goes on."""

    stage: str
    sources: tuple[SourceProgress, ...]
    started_at: datetime
    window: str
    eta_s: float | None = None
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSummary:
    """A row for ``status``, App Home and ``last``."""

    work: WorkId
    place: Place
    asker: Asker
    question: str
    window: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    asked_at: datetime
    case: str | None = None
    verdict: str | None = None
    summary: str = ""
    position: int = 0


class Messenger(Protocol):
    """Answers people. Every method is safe to repeat: ``key`` marks what was posted, and is looked for before posting.

    Implemented by ``slack/delivery``; a recording one stands in the tests of the workflow.
    """

    async def acknowledge(self, ask: Ask) -> None:
        """Show at once that the ask was seen (a reaction)."""
        ...

    async def show_plan(self, place: Place, key: str, plan: Plan) -> None:
        """Post or edit the one status message; may drop updates that come faster than the rate limit allows."""
        ...

    async def answer(self, ask: Ask, key: str, report: Report) -> None:
        """Post the answer of an investigation, its evidence and its timeline picture."""
        ...

    async def follow_up(self, ask: Ask, key: str, answer: Answer) -> None:
        """Post the answer to a follow-up."""
        ...

    async def notify(self, place: Place, key: str, sentence: str, url: str | None = None) -> None:
        """Post one plain sentence (a refusal, a failure with its case id, a hand-over), with a link where there is one."""
        ...

    async def finish(self, ask: Ask, *, well: bool) -> None:
        """Mark the ask as done, or as failed (a reaction)."""
        ...


class Desk(Protocol):
    """What listeners may ask of the durable side; every call returns within milliseconds."""

    async def submit(self, ask: Ask) -> Accepted:
        """Store an ask and start its work once, however often it is delivered."""
        ...

    async def cancel(self, place: Place, by: Asker) -> bool:
        """Stop the running work of a thread; False where there is none."""
        ...

    async def case_of(self, place: Place) -> str | None:
        """Give the case that a thread's follow-ups are answered from."""
        ...

    async def recent(self, team: str, channel: str | None = None, limit: int = 10) -> Sequence[WorkSummary]:
        """List work, newest first, of one channel or of all."""
        ...

    async def record_feedback(self, place: Place, by: Asker, verdict: Literal["right", "wrong"]) -> None:
        """Keep what a person thought of an answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who may see what: allow-lists of channels, users and user groups (empty: everyone inside), and Slack Connect."""

    channels: frozenset[str] = field(default_factory=frozenset)
    users: frozenset[str] = field(default_factory=frozenset)
    groups: frozenset[str] = field(default_factory=frozenset)
    shared_channels: bool = False
