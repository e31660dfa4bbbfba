"""The desk: takes asks from listeners within milliseconds, and sees to it that each is worked on once, to its end.

An ask is stored first; its workflow is begun behind the acknowledgement. What the process did not live to begin or to
end is found in the inbox at the next start, whatever version left it.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from dbos import DBOS, DBOSConfig, SetWorkflowID

from bot.domain.chat import Accepted, Ask, Asker, Messenger, Place, WorkSummary
from bot.domain.ports import Clock
from bot.investigation.desk_inbox import Inbox, Row, desk_url
from bot.investigation.desk_ports import Engine, Meter, NoTickets, Tickets
from bot.investigation.outbox import Outbox
from bot.investigation.watch import Watch, Watches
from bot.investigation.workflow import WORKFLOW_VERSION, Bench, Workflow, registered
from bot.investigation.workflow_turns import Turns
from bot.settings import DeskSettings

log = logging.getLogger("rootcause.desk")

MOST_ATTEMPTS = 5
"""Beginnings of one piece of work: what broke the process so often is not begun again."""

BEGUN_AT_ONCE = 2
"""Workflows begun side by side: each takes the interpreter for some milliseconds, and acknowledgements come first."""

CALM_S = 0.05
"""Without an ask for so long, work is begun; a storm of deliveries is acknowledged first …"""

STORM_S = 2.0
"""… but no work waits longer than this for calm, in seconds."""

HAND_OVER_S = 40.0
"""Seconds in which the process before this one may end: its grace, and the recording of its last steps."""

LAST_STEPS_S = 5
"""Seconds in which a step that is under way at the end may still be recorded."""

EXECUTOR = "desk"


class DurableDesk:
    """The durable side of the conversation; ``start`` and ``close`` belong to one event loop, in which all work runs."""

    def __init__(
        self,
        home: Path,
        messenger: Messenger,
        engine: Engine,
        *,
        limits: DeskSettings,
        meter: Meter,
        clock: Clock,
        tickets: Tickets | None = None,
    ) -> None:
        self._url = desk_url(home, limits)
        self._home = home
        self._inbox = Inbox(self._url, limits)
        self._bench = Bench(
            inbox=self._inbox,
            outbox=Outbox(self._inbox, clock),
            watches=Watches(self._inbox),
            messenger=messenger,
            engine=engine,
            tickets=tickets or NoTickets(),
            turns=Turns(limits.at_once),
            meter=meter,
            limits=limits,
            clock=clock,
            running={},
            closing=asyncio.Event(),
        )
        self._workflows: dict[str, Workflow] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._beginning = asyncio.Semaphore(BEGUN_AT_ONCE)
        self._asked_at = float("-inf")
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the databases, go on with what was begun, and begin what was only stored."""
        await self._inbox.open(HAND_OVER_S)
        DBOS(config=self._config())
        self._workflows = registered(self._bench)
        # in this thread: it is where DBOS learns which loop workflows run in
        DBOS.launch()
        for row in await self._inbox.unfinished():
            await self._resume(row)
        self._bench.meter.waiting(*await self._inbox.counts())
        self._watching = asyncio.create_task(self._watch().run(self._bench.closing), name="watch")

    async def close(self) -> None:
        """Let running work end within the grace, and leave the rest to the next process."""
        if not self._workflows:
            await self._inbox.close()  # it never got as far as work
            return
        deadline = self._bench.limits.grace_s
        if self._bench.running:
            await asyncio.wait(set(self._bench.running.values()), timeout=deadline)
        self._bench.closing.set()
        if self._watching is not None:
            self._watching.cancel()  # what it had not said by now, the next process looks for again
            await asyncio.wait({self._watching})
        for task in tuple(self._bench.running.values()):
            task.cancel()
        for row in await self._inbox.unfinished():
            self._bench.turns.stir(row.seq)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=deadline)
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True, workflow_completion_timeout_sec=LAST_STEPS_S)
        await self._inbox.close()

    async def submit(self, ask: Ask) -> Accepted:
        """Store an ask and start its work once, however often it is delivered."""
        self._asked_at = time.monotonic()
        accepted = await self._inbox.take(ask, self._bench.clock())
        if accepted.outcome == "new" and accepted.work is not None:
            log.info("ask taken", extra={"work": accepted.work, "kind": ask.kind, "position": accepted.position})
            self._begin(accepted.work, accepted.work, ask.kind)
        return accepted

    async def cancel(self, place: Place, by: Asker) -> bool:
        """Stop the running work of a thread; False where there is none."""
        row = await self._inbox.active_in(place)
        if row is None:
            return False
        await self._inbox.stop(row.work, by.name)
        running = self._bench.running.get(row.work)
        if running is not None:
            running.cancel()
        self._bench.turns.stir(row.seq)
        return True

    async def case_of(self, place: Place) -> str | None:
        """Give the case that a thread's follow-ups are answered from."""
        return await self._inbox.case_of(place)

    async def recent(self, team: str, channel: str | None = None, limit: int = 10) -> Sequence[WorkSummary]:
        """List work, newest first, of one channel or of all."""
        return await self._inbox.recent(team, channel, limit)

    async def record_feedback(self, place: Place, by: Asker, verdict: Literal["right", "wrong"]) -> None:
        """Keep what a person thought of an answer."""
        await self._inbox.record_feedback(place, by, verdict, self._bench.clock())

    async def ready(self) -> bool:
        """Tell whether asks are taken: the databases answer, and the process is not about to end."""
        await self._inbox.counts()
        return not self._bench.closing.is_set()

    def _begin(self, workflow: str, work: str, kind: str) -> None:
        async def begin() -> None:
            async with self._beginning:
                await self._calm()
                if self._bench.closing.is_set():
                    return  # it stays in the inbox for the next process
                with SetWorkflowID(workflow):
                    await DBOS.start_workflow_async(self._workflows[kind], work)

        task = asyncio.create_task(begin(), name=f"begin {workflow}")
        self._tasks.add(task)
        task.add_done_callback(self._begun)

    async def _calm(self) -> None:
        """Wait for a moment without asks, but not for ever."""
        until = time.monotonic() + STORM_S
        while not self._bench.closing.is_set() and time.monotonic() < until:
            if time.monotonic() - self._asked_at >= CALM_S:
                return
            await asyncio.sleep(CALM_S)

    def _begun(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # it stays in the inbox, so the next start begins it
            log.error("work could not be begun", exc_info=task.exception(), extra={"task": task.get_name()})

    async def _resume(self, row: Row) -> None:
        """Begin work that no living workflow carries: never begun, broken, or left by another version."""
        workflow = row.work if row.attempt == 0 else f"{row.work}.{row.attempt}"
        status = await DBOS.get_workflow_status_async(workflow)
        if status is None:
            self._begin(workflow, row.work, row.ask.kind)
            return
        if status.status in ("PENDING", "ENQUEUED") and status.app_version == WORKFLOW_VERSION:
            return  # DBOS goes on with it
        attempt = await self._inbox.begin_attempt(row.work)
        if attempt > MOST_ATTEMPTS:
            log.error("work given up", extra={"work": row.work, "attempts": attempt})
            await self._inbox.settle(row.work, "failed", self._bench.clock())
            return
        log.warning("work begun anew", extra={"work": row.work, "attempt": attempt, "was": status.status})
        self._begin(f"{row.work}.{attempt}", row.work, row.ask.kind)

    def _watch(self) -> Watch:
        bench = self._bench
        return Watch(
            inbox=bench.inbox,
            watches=bench.watches,
            outbox=bench.outbox,
            messenger=bench.messenger,
            engine=bench.engine,
            clock=bench.clock,
        )

    def _config(self) -> DBOSConfig:
        url = f"sqlite:///{self._home / 'steps.sqlite'}" if self._url.startswith("sqlite") else self._url
        return {
            "name": "rootcause",
            "system_database_url": url,
            # fixed: a new build must go on with the work of the old one
            "application_version": WORKFLOW_VERSION,
            "executor_id": EXECUTOR,
            "log_level": "WARNING",
        }
