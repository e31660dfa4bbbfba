"""Come back when a prediction was due: look again, and tell the thread how it went.

What is to be watched is a row beside the asks, so it survives restarts and versions; nothing waits in a workflow for days.
Looking again is an investigation of the same question over a window of the same length that ends behind the predicted
time. Saying so goes through the outbox, once. A prediction that could not be looked at is dropped without a word: silence
is better than a message that says nothing.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bot.analyst.outcome import UNKNOWN, Outcome, outcome
from bot.domain.chat import Ask, Messenger
from bot.domain.ports import Clock
from bot.domain.report import Answer, Prediction, Report
from bot.domain.window import rfc3339
from bot.errors import RootcauseError
from bot.investigation.desk_inbox import Inbox
from bot.investigation.desk_ports import Engine, Reading
from bot.investigation.desk_rows import watches as table
from bot.investigation.outbox import Outbox

log = logging.getLogger("rootcause.desk")

SETTLE = timedelta(minutes=5)
"""After the predicted time: scrapes, log shippers and event lists come late by a few minutes."""

FARTHEST = timedelta(days=14)
"""A prediction further ahead outlives the thread that it was made in."""

LOOKS = 3
"""Times that a prediction is looked at, when the evidence did not reach far enough or could not be read …"""

AGAIN = timedelta(minutes=20)
"""… this long after the time before."""

PAUSE_S = 30.0
"""The longest pause between two looks at what is due: new watches and turned clocks are noticed by then."""

HAPPENED = "Did it come as predicted?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A prediction whose time has come."""

    work: str
    case: str
    number: int
    looks: int


class Watches:
    """The rows: one for each answered investigation that made a prediction of the near future."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def note(self, work: str, report: Report, now: datetime) -> None:
        """Keep the report's first prediction for its time, unless it has passed or is too far; twice is once."""
        number = watchable(report, now)
        if number is None:
            return
        row = {
            "work": work,
            "case_id": report.case,
            "number": number,
            "due_at": _stamp(report.predictions[number].window[1] + SETTLE),
            "looks": 0,
        }

        def noted(connection: sa.Connection) -> None:
            if connection.execute(sa.select(table.c.work).where(table.c.work == work)).first() is None:
                connection.execute(sa.insert(table).values(**row))

        await self._inbox.write(noted)

    async def due(self, now: datetime) -> Sequence[Due]:
        """Give what is due, the longest due first."""
        query = sa.select(table).where(table.c.outcome.is_(None), table.c.due_at <= _stamp(now))
        return [
            Due(work=row["work"], case=row["case_id"], number=int(row["number"]), looks=int(row["looks"]))
            for row in await self._inbox.read(query.order_by(table.c.due_at, table.c.work))
        ]

    async def begin(self, due: Due, now: datetime) -> None:
        """Count a look before it begins, so that one that kills the process is not repeated for ever."""
        values = {"looks": due.looks + 1, "due_at": _stamp(now + AGAIN)}
        query = sa.update(table).where(table.c.work == due.work).values(**values)
        await self._inbox.write(lambda connection: connection.execute(query))

    async def settle(self, due: Due, status: str) -> None:
        """Note what became of it."""
        query = sa.update(table).where(table.c.work == due.work).values(outcome=status)
        await self._inbox.write(lambda connection: connection.execute(query))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Looks at what is due, one after another."""

    inbox: Inbox
    watches: Watches
    outbox: Outbox
    messenger: Messenger
    engine: Engine
    clock: Clock

    async def run(self, closing: asyncio.Event) -> None:
        """Look until the process ends."""
        while not closing.is_set():
            try:
                await self.look()
            except Exception:
                # the outermost frame of the watching: it must go on for other threads
                log.exception("the watching broke")
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_S):
                    await closing.wait()

    async def look(self) -> None:
        """Look at everything that is due now."""
        for due in await self.watches.due(self.clock()):
            await self.watches.begin(due, self.clock())
            try:
                status = await self._look_at(due)
            except RootcauseError as error:
                log.warning("not looked", extra={"work": due.work, "error": type(error).__name__})
                status = UNKNOWN.status
            if status != UNKNOWN.status or due.looks + 1 >= LOOKS:
                await self.watches.settle(due, status)
                log.info("watched", extra={"work": due.work, "case": due.case, "outcome": status})

    async def _look_at(self, due: Due) -> str:
        row = await self.inbox.row(due.work)
        if row is None:
            return UNKNOWN.status
        before = await self.engine.report(due.case)
        prediction = before.predictions[due.number]
        case = await self.engine.investigate(again(row.ask, before, prediction), _unheard)
        after = await self.engine.report(case)
        found = outcome(prediction, before, after)
        if found.status == "unknown":
            return found.status
        await self.engine.note_outcome(due.case, due.number, found.status)
        key, told = f"{due.work}:watch", _answer(found, after)
        # it answers nobody's message, so nobody is named as having asked
        ask = replace(row.ask, kind="follow_up", message_ts=row.ask.place.thread_ts)
        await self.outbox.deliver(key, lambda: self.messenger.follow_up(ask, key, told))
        return found.status


def watchable(report: Report, now: datetime) -> int | None:
    """Give the number of the prediction that the bot will come back for, None where there is none."""
    for number, each in enumerate(report.predictions):
        if each.status == "pending" and now < each.window[1] <= now + FARTHEST:
            return number
    return None


def again(ask: Ask, before: Report, prediction: Prediction) -> Ask:
    """Ask the same once more, of a window as long that ends behind the predicted time."""
    end = prediction.window[1] + SETTLE
    start = end - (before.window.end - before.window.start)
    felt = f"why {before.symptom.summary}?" if before.symptom else ask.question
    return replace(ask, kind="investigate", window=f"{rfc3339(start)}..{rfc3339(end)}", question=felt)


def _answer(found: Outcome, after: Report) -> Answer:
    cited = {name: after.evidence[name] for name in found.evidence[:2] if name in after.evidence}
    return Answer(question=HAPPENED, answer=found.sentence, verdict="answered", evidence=cited, case=after.case)


def _stamp(at: datetime) -> str:
    """Spell a time so that rows sort by it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unheard(_reading: Reading) -> None:
    """Show no plan: nobody waits for this."""
