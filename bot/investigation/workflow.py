"""The durable workflows: acknowledge, investigate, answer, finish; and the shorter way of a follow-up.

Each step is recorded when it ended (DBOS), so a killed process goes on behind the last recorded one; a step that was
under way is done again, and everything it does may be done twice: cases are new files, posts carry a key. A step hands
on ids and outcomes only. The evidence lives in the case file.

The steps' names and order are the contract with work begun by an older version: change them together with
``WORKFLOW_VERSION``; ``desk`` then begins such work anew from the inbox.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from dbos import DBOS, StepOptions, error as dbos_error
from sqlalchemy.exc import SQLAlchemyError

from bot.domain.chat import Messenger, Plan
from bot.domain.ports import Clock
from bot.errors import ChatBusyError, ChatError, RootcauseError, TicketBusyError
from bot.investigation.desk_inbox import Inbox, Row, State
from bot.investigation.desk_ports import FAULT, Engine, Meter, Reading, Tickets
from bot.investigation.outbox import Outbox
from bot.investigation.watch import Watches
from bot.investigation.workflow_turns import Turns
from bot.settings import DeskSettings

log = logging.getLogger("rootcause.desk")

WORKFLOW_VERSION = "1"

Outcome = dict[str, str]
"""``outcome`` (``done``, ``failed``, ``cancelled``) with ``case``, ``url`` or ``sentence``: small, and plain JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything the steps work with."""

    inbox: Inbox
    outbox: Outbox
    watches: Watches
    messenger: Messenger
    engine: Engine
    tickets: Tickets
    turns: Turns
    meter: Meter
    limits: DeskSettings
    clock: Clock
    running: dict[str, asyncio.Task[str]]
    """The engine's task of each running work, for whoever must stop it."""
    closing: asyncio.Event
    """Set when this process is about to end: what still runs is left to the next one."""


class StoppedError(RootcauseError):
    """Somebody asked for the work to be stopped."""


class Steps:
    """What happens in each step; all of it may happen again after a crash."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def acknowledge(self, work: str) -> str:
        """Show at once that the ask was seen."""
        row = await self._row(work)
        await self._bench.outbox.try_to("acknowledge", self._bench.messenger.acknowledge(row.ask))
        return "seen"

    async def investigate(self, work: str) -> Outcome:
        """Wait for a turn, investigate, and note the case."""
        row = await self._row(work)
        if row.case is not None:
            return {"outcome": "done", "case": row.case}
        plan = _PlanMessage(self._bench, row)
        try:
            async with self._bench.turns.turn(row.seq, plan.queued):
                await self._bench.inbox.mark_running(work)
                await self._count()
                async with asyncio.timeout(self._bench.limits.deadline_s):
                    case = await plan.shown_while(self._engine_task(row, plan))
        except StoppedError:
            return {"outcome": "cancelled"}
        except TimeoutError:
            minutes = self._bench.limits.deadline_s / 60
            return {"outcome": "failed", "sentence": f"I gave up after {minutes:.0f} minutes: try a shorter window."}
        except RootcauseError as error:
            return {"outcome": "failed", "sentence": str(error)}
        report = await self._bench.engine.report(case)
        await self._bench.inbox.keep_case(work, case, report.verdict, report.summary)
        return {"outcome": "done", "case": case}

    async def answer(self, work: str, case: str) -> str:
        """Post the report."""
        row, bench = await self._row(work), self._bench
        report = await bench.engine.report(case)
        for stage, seconds in report.usage.seconds.items():
            bench.meter.took(stage, seconds)
        bench.meter.spent("input", report.usage.tokens_in)
        bench.meter.spent("output", report.usage.tokens_out)
        key = f"{work}:answer"
        await bench.outbox.deliver(key, lambda: bench.messenger.answer(row.ask, key, report))
        await bench.watches.note(work, report, bench.clock())
        return "answered"

    async def reply(self, work: str) -> Outcome:
        """Answer a follow-up from the thread's case, and post it."""
        row, bench = await self._row(work), self._bench
        case = await bench.inbox.case_of(row.ask.place)
        if case is None:
            return {"outcome": "failed", "sentence": "The case of this thread is gone: ask for an investigation again."}
        try:
            async with asyncio.timeout(bench.limits.follow_up_deadline_s):
                given = await bench.engine.follow_up(case, row.ask)
        except TimeoutError:
            return {"outcome": "failed", "sentence": "I could not answer that in time: ask for something narrower."}
        except RootcauseError as error:
            return {"outcome": "failed", "sentence": str(error)}
        key = f"{work}:follow-up"
        await bench.outbox.deliver(key, lambda: bench.messenger.follow_up(row.ask, key, given))
        return {"outcome": "done", "case": case}

    async def write_ticket(self, work: str) -> Outcome:
        """Write the report to the ticket; one comment for a case and a ticket, however often it is asked for."""
        row, bench = await self._row(work), self._bench
        ticket, mark = row.ask.ticket, ticket_mark(row.ask.case, row.ask.ticket)
        try:
            report = await bench.engine.report(row.ask.case)
            async with self._writing.setdefault(mark, asyncio.Lock()):
                url = await bench.tickets.comment(ticket, mark, report)
        except TicketBusyError:
            raise  # the step is done again, and looks for the mark first
        except RootcauseError as error:
            return {"outcome": "failed", "sentence": str(error)}
        return {"outcome": "done", "case": row.ask.case, "url": url}

    async def show_ticket(self, work: str, url: str) -> str:
        """Tell the thread where the comment is."""
        row, bench = await self._row(work), self._bench
        key, sentence = f"{work}:ticket", f"{row.ask.asker.name} had this answer posted to {row.ask.ticket}."
        await bench.outbox.deliver(key, lambda: bench.messenger.notify(row.ask.place, key, sentence, url))
        return "shown"

    async def explain(self, work: str, found: Outcome) -> str:
        """Tell people in a sentence why there is no answer, with the reference under which it is logged."""
        row, bench = await self._row(work), self._bench
        if found["outcome"] == "cancelled":
            sentence = f"Stopped, as {row.stopped_by or 'somebody'} asked. Nothing was kept."
        else:
            sentence = f"{found['sentence']} (Reference: {work})"
        key = f"{work}:explained"
        await bench.outbox.deliver(key, lambda: bench.messenger.notify(row.ask.place, key, sentence))
        return "explained"

    async def finish(self, work: str, outcome: State) -> str:
        """Mark the ask, and note how it ended."""
        row, bench = await self._row(work), self._bench
        await bench.outbox.try_to("finish", bench.messenger.finish(row.ask, well=outcome == "done"))
        await bench.inbox.settle(work, outcome, bench.clock())
        bench.meter.ended(row.ask.kind, outcome, (bench.clock() - row.ask.asked_at).total_seconds())
        await self._count()
        log.info("work ended", extra={"work": work, "case": row.case, "kind": row.ask.kind, "outcome": outcome})
        return outcome

    def _engine_task(self, row: Row, plan: "_PlanMessage") -> asyncio.Task[str]:
        async def run() -> str:
            return await self._bench.engine.investigate(row.ask, plan.take)

        task = asyncio.create_task(run(), name=f"engine {row.work}")
        self._bench.running[row.work] = task
        task.add_done_callback(lambda _: self._bench.running.pop(row.work, None))
        return task

    async def _count(self) -> None:
        self._bench.meter.waiting(*await self._bench.inbox.counts())

    async def _row(self, work: str) -> Row:
        row = await self._bench.inbox.row(work)
        if row is None:
            raise RootcauseError(
                f"The inbox knows no work {work}: its database was exchanged under the running process."
            )
        return row


class _PlanMessage:
    """Keeps the one status message of an investigation up to date, about once a second."""

    def __init__(self, bench: Bench, row: Row) -> None:
        self._bench = bench
        self._row = row
        self._began = time.monotonic()
        self._started_at = bench.clock()
        self._position = -1
        self._reading = Reading(stage="gather")
        self._shown: Reading | None = None

    def take(self, reading: Reading) -> None:
        """Take note of progress, from any thread."""
        self._reading = reading

    async def queued(self, position: int) -> None:
        """Show the position in the queue; ends the waiting of work that was stopped."""
        await self._end_if_stopped()
        if position != self._position:
            self._position = position
            await self._show(Reading(stage="queued"), position)

    async def shown_while(self, task: asyncio.Task[str]) -> str:
        """Show the plan until the engine is done; gives the case, raises StoppedError where somebody stopped it."""
        self._began = time.monotonic()
        try:
            await self._end_if_stopped()
            while not task.done():
                if self._reading != self._shown:
                    self._shown = self._reading
                    await self._show(self._shown, 0)
                await asyncio.wait({task}, timeout=self._bench.limits.plan_every_s)
                await self._end_if_stopped()
            return task.result()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, RootcauseError):
                await task

    async def _end_if_stopped(self) -> None:
        if self._bench.closing.is_set():
            # no step is recorded for a cancelled one, so the next process does it again
            raise asyncio.CancelledError
        row = await self._bench.inbox.row(self._row.work)
        if row is not None and row.stopped_by is not None:
            raise StoppedError(f"{row.stopped_by} asked to stop.")

    async def _show(self, reading: Reading, position: int) -> None:
        plan = Plan(
            stage=reading.stage,
            sources=reading.sources,
            started_at=self._started_at,
            window=self._row.ask.window or "",
            eta_s=self._eta(reading),
            position=position,
        )
        place, key = self._row.ask.place, f"{self._row.work}:plan"
        await self._bench.outbox.try_to("plan", self._bench.messenger.show_plan(place, key, plan))

    def _eta(self, reading: Reading) -> float | None:
        """Extrapolate the bytes read; once all are read nothing is known of the rest."""
        if not reading.total or not 0 < reading.done < reading.total:
            return None
        return (time.monotonic() - self._began) * (reading.total - reading.done) / reading.done


Workflow = Callable[[str], Coroutine[Any, Any, str]]


TICKET_ATTEMPTS = 5
"""Tries to write to a ticket, the pause doubling from 1 s: whoever pressed waits for it, and may press again."""


def ticket_mark(case: str, ticket: str) -> str:
    """Name what a case says to a ticket; it stands in the comment, and is looked for before one is written."""
    return "rc-" + hashlib.sha256(f"{case}\n{ticket}".encode()).hexdigest()[:20]


def _transient(error: BaseException) -> bool:
    """Tell whether posting later may work: the service was busy, not unwilling."""
    return isinstance(error, (ChatBusyError, TicketBusyError))


class _Course:
    """The order of the steps, as it is recorded."""

    def __init__(self, steps: Steps, limits: DeskSettings, closing: asyncio.Event) -> None:
        self._steps = steps
        self._closing = closing
        self._posts: StepOptions = {
            "retries_allowed": True,
            "max_attempts": limits.delivery_attempts,
            "interval_seconds": 1.0,
            "backoff_rate": 2.0,
            "should_retry": _transient,
        }

    async def investigation(self, work: str) -> Outcome:
        """Investigate, and post the answer where there is one."""
        found = await DBOS.run_step_async({"name": "investigate"}, self._steps.investigate, work)
        if found["outcome"] == "done":
            self._end_if_closing()
            await DBOS.run_step_async({"name": "answer", **self._posts}, self._steps.answer, work, found["case"])
        return found

    async def follow_up(self, work: str) -> Outcome:
        """Answer a follow-up."""
        return await DBOS.run_step_async({"name": "reply", **self._posts}, self._steps.reply, work)

    async def ticket(self, work: str) -> Outcome:
        """Write a report to a ticket, and show where."""
        tries: StepOptions = {**self._posts, "max_attempts": TICKET_ATTEMPTS}
        try:
            found = await DBOS.run_step_async({"name": "write_ticket", **tries}, self._steps.write_ticket, work)
        except dbos_error.DBOSMaxStepRetriesExceeded:
            sentence = (
                "Jira did not take the comment in time. Press again later: what it took already is not written twice."
            )
            return {"outcome": "failed", "sentence": sentence}
        if found["outcome"] == "done":
            self._end_if_closing()
            shown: StepOptions = {"name": "show_ticket", **self._posts}
            await DBOS.run_step_async(shown, self._steps.show_ticket, work, found["url"])
        return found

    async def to_the_end(self, work: str, way: Callable[[str], Awaitable[Outcome]]) -> str:
        """Go the whole way, and tell people where it ends early."""
        try:
            await DBOS.run_step_async({"name": "acknowledge"}, self._steps.acknowledge, work)
            self._end_if_closing()
            found = await way(work)
            self._end_if_closing()
            if found["outcome"] != "done":
                await self._explain(work, found)
            return await self._finish(work, _state(found["outcome"]))
        except _MECHANICS:
            raise
        except Exception as error:
            # the outermost frame of an ask: people hear of it in a sentence
            log.exception("people could not be answered", extra={"work": work, "error": type(error).__name__})
        with suppress(*_UNDELIVERED):
            await self._explain(work, {"outcome": "failed", "sentence": FAULT})
        return await self._finish(work, "failed")

    def _end_if_closing(self) -> None:
        """Leave the rest to the next process: no step is begun that this one may not end."""
        if self._closing.is_set():
            raise asyncio.CancelledError

    async def _explain(self, work: str, found: Outcome) -> None:
        await DBOS.run_step_async({"name": "explain", **self._posts}, self._steps.explain, work, found)

    async def _finish(self, work: str, outcome: State) -> str:
        return await DBOS.run_step_async({"name": "finish"}, self._steps.finish, work, outcome)


def registered(bench: Bench) -> dict[str, Workflow]:
    """Register the workflows with DBOS, one for each kind of ask; call before DBOS is launched."""
    course = _Course(Steps(bench), bench.limits, bench.closing)

    @DBOS.workflow(name="rootcause.investigate")
    async def investigation(work: str) -> str:
        return await course.to_the_end(work, course.investigation)

    @DBOS.workflow(name="rootcause.follow_up")
    async def follow_up(work: str) -> str:
        return await course.to_the_end(work, course.follow_up)

    @DBOS.workflow(name="rootcause.ticket")
    async def ticket(work: str) -> str:
        return await course.to_the_end(work, course.ticket)

    return {"investigate": investigation, "follow_up": follow_up, "ticket": ticket}


def _state(outcome: str) -> State:
    return "done" if outcome == "done" else "cancelled" if outcome == "cancelled" else "failed"


_UNDELIVERED = (ChatError, dbos_error.DBOSMaxStepRetriesExceeded)
_MECHANICS = (dbos_error.DBOSUnexpectedStepError, dbos_error.DBOSConflictingWorkflowError, SQLAlchemyError)
"""Failures of the recording itself: the workflow stays unfinished, and the desk begins it anew from the inbox."""
