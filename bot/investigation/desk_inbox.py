"""The inbox: every ask, stored before it is acknowledged, and what became of it. The truth that work is resumed from.

Several tables of one small database: SQLite with a single connection that no other process may share (its write-ahead
log has had a bug that needs two), or PostgreSQL. One thread talks to it, so the event loop never waits for a disk.
Evidence is not here: a row names a case, the case file holds it.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.pool import QueuePool

from bot.domain.chat import Accepted, Ask, Asker, Place, WorkId, WorkSummary
from bot.errors import StorageError
from bot.investigation.databases import postgres_url
from bot.investigation.desk_rows import (
    ACTIVE,
    ask_of,
    asks,
    columns_of,
    deliveries,
    feedback,
    keys,
    place_name,
    schema,
    summary_of,
    threads,
)
from bot.settings import DeskSettings

T = TypeVar("T")
State = Literal["queued", "running", "done", "failed", "cancelled", "refused"]

_WORK_SIGNS = 12

_CLAIM = 7_305_115_821_664
"""Key of the advisory lock: any number that nobody else uses in the same database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An ask as it stands: its order of arrival, its state, how often it was begun, the case made, who stopped it."""

    ask: Ask
    work: WorkId
    seq: int
    state: State
    attempt: int
    case: str | None
    stopped_by: str | None


class Inbox:
    """Stores asks, hands them out, and remembers what was delivered."""

    def __init__(self, url: str, limits: DeskSettings) -> None:
        self._limits = limits
        self._engine = _engine(url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._claim: sa.Connection | None = None

    async def open(self, patience_s: float = 0.0) -> None:
        """Make the tables where they are missing, and keep other processes out.

        ``patience_s``: how long another process may take to hand over. Raises StorageError where it does not, or where the
        database cannot be used.
        """
        until = time.monotonic() + patience_s
        while not await self._run(self._claimed):
            if time.monotonic() >= until:
                raise StorageError("Another rootcause serves from this ROOTCAUSE_DATABASE_URL already: stop it first.")
            await asyncio.sleep(1.0)
        await self._run(lambda: schema.create_all(self._engine))

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        await self._run(self._let_go)
        self._thread.shutdown()

    def _claimed(self) -> bool:
        """Hold PostgreSQL's advisory lock for as long as this process lives; SQLite's file lock needs no help."""
        if self._engine.dialect.name != "postgresql":
            return True
        if self._claim is None:
            self._claim = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return bool(self._claim.execute(sa.select(sa.func.pg_try_advisory_lock(_CLAIM))).scalar_one())

    def _let_go(self) -> None:
        if self._claim is not None:
            self._claim.close()
        self._engine.dispose()

    async def take(self, ask: Ask, now: datetime) -> Accepted:
        """Store an ask once: tell a second delivery, work already going on, and what the limits refuse."""
        return await self._run(lambda: self._take(ask, now))

    async def row(self, work: str) -> Row | None:
        """Give an ask and where it stands."""
        query = sa.select(asks).where(asks.c.work == work)
        found = await self.read(query)
        return _row(found[0]) if found else None

    async def unfinished(self) -> Sequence[Row]:
        """Give every ask that waits or runs, in order of arrival."""
        return [_row(each) for each in await self.read(sa.select(asks).where(_ACTIVE).order_by(asks.c.seq))]

    async def active_in(self, place: Place) -> Row | None:
        """Give the investigation that waits or runs in a thread, the newest where there are several."""
        query = (
            sa.select(asks)
            .where(_ACTIVE, asks.c.place == place_name(place), asks.c.kind == "investigate")
            .order_by(asks.c.seq.desc())
            .limit(1)
        )
        found = await self.read(query)
        return _row(found[0]) if found else None

    async def begin_attempt(self, work: str) -> int:
        """Count another beginning of a piece of work and give its number."""

        def begun(connection: sa.Connection) -> int:
            connection.execute(sa.update(asks).where(asks.c.work == work).values(attempt=asks.c.attempt + 1))
            return int(connection.execute(sa.select(asks.c.attempt).where(asks.c.work == work)).scalar_one())

        return await self.write(begun)

    async def mark_running(self, work: str) -> None:
        """Note that a piece of work has its turn."""
        await self._update(work, state="running")

    async def stop(self, work: str, by: str) -> None:
        """Note who wants a piece of work stopped; whoever runs it looks."""
        await self._update(work, stopped_by=by)

    async def keep_case(self, work: str, case: str, verdict: str, summary: str) -> None:
        """Note the case of an investigation and make it the one its thread's follow-ups are answered from."""

        def kept(connection: sa.Connection) -> None:
            changed = sa.update(asks).where(asks.c.work == work)
            connection.execute(changed.values(case_id=case, verdict=verdict, summary=summary))
            place = connection.execute(sa.select(asks.c.place).where(asks.c.work == work)).scalar_one()
            connection.execute(sa.delete(threads).where(threads.c.place == place))
            connection.execute(sa.insert(threads).values(place=place, case_id=case, work=work))

        await self.write(kept)

    async def settle(self, work: str, state: State, now: datetime) -> None:
        """Note how a piece of work ended."""
        await self._update(work, state=state, done_at=now.isoformat())

    async def case_of(self, place: Place) -> str | None:
        """Give the case of a thread."""
        found = await self.read(sa.select(threads.c.case_id).where(threads.c.place == place_name(place)))
        return str(found[0]["case_id"]) if found else None

    async def recent(self, team: str, channel: str | None, limit: int) -> Sequence[WorkSummary]:
        """List investigations, newest first."""
        query = sa.select(asks).where(asks.c.team == team, asks.c.kind == "investigate", asks.c.state != "refused")
        if channel is not None:
            query = query.where(asks.c.channel == channel)
        rows = await self.read(query.order_by(asks.c.seq.desc()).limit(limit))
        waiting = [int(each["seq"]) for each in await self.read(_waiting())]
        return [summary_of(each, self._position(int(each["seq"]), waiting)) for each in rows]

    async def counts(self) -> tuple[int, int]:
        """Give how many investigations wait and how many run."""
        rows = await self.read(sa.select(asks.c.state).where(_ACTIVE, asks.c.kind == "investigate"))
        running = sum(each["state"] == "running" for each in rows)
        return len(rows) - running, running

    async def position(self, seq: int) -> int:
        """Give the place in the queue of the ask that came as number ``seq``; 0 where it has its turn."""
        return self._position(seq, [int(each["seq"]) for each in await self.read(_waiting())])

    async def record_feedback(self, place: Place, by: Asker, verdict: str, now: datetime) -> None:
        """Keep what a person thought of a thread's answer; their last word counts."""

        def kept(connection: sa.Connection) -> None:
            named = place_name(place)
            connection.execute(sa.delete(feedback).where(feedback.c.place == named, feedback.c.user == by.user))
            case = connection.execute(sa.select(threads.c.case_id).where(threads.c.place == named)).scalar()
            new = {"place": named, "user": by.user, "case_id": case, "verdict": verdict, "at": now.isoformat()}
            connection.execute(sa.insert(feedback).values(**new))

        await self.write(kept)

    async def intend(self, key: str, now: datetime) -> bool:
        """Record that something is about to be posted under ``key``; False where it was posted already."""

        def intended(connection: sa.Connection) -> bool:
            done = connection.execute(sa.select(deliveries.c.done_at).where(deliveries.c.key == key)).first()
            if done is None:
                connection.execute(sa.insert(deliveries).values(key=key, intended_at=now.isoformat()))
                return True
            return done[0] is None

        return await self.write(intended)

    async def delivered(self, key: str, now: datetime) -> None:
        """Record that what was intended under ``key`` has been posted."""
        query = sa.update(deliveries).where(deliveries.c.key == key).values(done_at=now.isoformat())
        await self.write(lambda connection: connection.execute(query))

    def _take(self, ask: Ask, now: datetime) -> Accepted:
        work = work_id(ask)
        scoped = [f"{ask.place.team}/{key}" for key in ask.keys] or [work]
        try:
            with self._engine.begin() as connection:
                known = connection.execute(sa.select(keys.c.work).where(keys.c.key.in_(scoped))).scalars().first()
                if known is not None:
                    return Accepted(work=WorkId(known), outcome="duplicate")
                accepted = self._judged(connection, ask, work, now)
                owner = accepted.work or work
                connection.execute(sa.insert(keys), [{"key": key, "work": owner} for key in scoped])
                return accepted
        except exc.IntegrityError:
            # another process stored it between the look and the insert
            return Accepted(work=work, outcome="duplicate")

    def _judged(self, connection: sa.Connection, ask: Ask, work: WorkId, now: datetime) -> Accepted:
        flight = flight_of(ask)
        if ask.kind == "investigate":
            same = connection.execute(sa.select(asks).where(_ACTIVE, asks.c.flight == flight)).mappings().first()
            if same is not None:
                return Accepted(work=WorkId(same["work"]), outcome="running", place=ask_of(same).place)
        waiting = [int(each) for each in connection.execute(_waiting()).scalars()]
        reason = self._refusal(connection, ask, now, len(waiting))
        row = columns_of(ask) | {"work": work, "flight": flight, "attempt": 0}
        row["state"] = "refused" if reason else "queued"
        connection.execute(sa.insert(asks).values(**row))
        if reason:
            return Accepted(work=None, outcome="refused", reason=reason)
        position = max(0, len(waiting) - self._limits.at_once + 1) if ask.kind == "investigate" else 0
        return Accepted(work=work, outcome="new", position=position)

    def _refusal(self, connection: sa.Connection, ask: Ask, now: datetime, waiting: int) -> str:
        since = (now - timedelta(hours=1)).astimezone(UTC).isoformat()
        lately = sa.select(sa.func.count()).select_from(asks)
        lately = lately.where(
            asks.c.kind == ask.kind, asks.c.team == ask.place.team, asks.c.state != "refused", asks.c.asked_at >= since
        )
        by_user = int(connection.execute(lately.where(asks.c.user == ask.asker.user)).scalar_one())
        if ask.kind != "investigate":
            return self._no_more(by_user) or (self._no_case(connection, ask) if ask.kind == "follow_up" else "")
        limits = self._limits
        if waiting >= limits.queue + limits.at_once:
            return f"{waiting} investigations are waiting or running already: please ask again in some minutes."
        if by_user >= limits.per_user_hour:
            return f"You have started {by_user} investigations within the hour, the most one person may: wait a little."
        in_channel = int(connection.execute(lately.where(asks.c.channel == ask.place.channel)).scalar_one())
        if in_channel >= limits.per_channel_hour:
            return f"This channel has started {in_channel} investigations within the hour, the most one may: wait a little."
        return ""

    def _no_more(self, by_user: int) -> str:
        if by_user >= self._limits.follow_ups_per_user_hour:
            return f"You have asked {by_user} questions within the hour, the most one person may: wait a little."
        return ""

    def _no_case(self, connection: sa.Connection, ask: Ask) -> str:
        named = place_name(ask.place)
        if connection.execute(sa.select(threads.c.case_id).where(threads.c.place == named)).first() is not None:
            return ""
        if connection.execute(sa.select(asks.c.work).where(_ACTIVE, asks.c.place == named)).first() is not None:
            return "I am still reading the evidence: ask again when the answer stands here."
        return (
            "This thread holds no finished investigation to ask about: mention me with a window, such as `5d`, first."
        )

    def _position(self, seq: int, waiting: Sequence[int]) -> int:
        if seq not in waiting:
            return 0
        return max(0, sum(other < seq for other in waiting) - self._limits.at_once + 1)

    async def _update(self, work: str, **values: object) -> None:
        query = sa.update(asks).where(asks.c.work == work).values(**values)
        await self.write(lambda connection: connection.execute(query))

    async def read(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        """Give a query's rows."""

        def read(connection: sa.Connection) -> Sequence[sa.RowMapping]:
            return connection.execute(query).mappings().all()

        return await self.write(read)

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Do something in one transaction."""

        def within() -> T:
            with self._engine.begin() as connection:
                return work(connection)

        return await self._run(within)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except exc.OperationalError as error:
            raise StorageError(_said(error)) from error


_ACTIVE = asks.c.state.in_(ACTIVE)


def _waiting() -> sa.Select[Any]:
    return sa.select(asks.c.seq).where(_ACTIVE, asks.c.kind == "investigate").order_by(asks.c.seq)


def work_id(ask: Ask) -> WorkId:
    """Derive a piece of work's name from what was asked where."""
    told = json.dumps([place_name(ask.place), ask.kind, sorted(ask.keys) or [ask.question, ask.asked_at.isoformat()]])
    return WorkId("w" + hashlib.sha256(told.encode()).hexdigest()[:_WORK_SIGNS])


def flight_of(ask: Ask) -> str:
    """Name what makes two asks the same investigation: channel, window, namespaces and the question's words."""
    words = " ".join(ask.question.lower().split()).rstrip("?!. ")
    told = json.dumps([ask.place.team, ask.place.channel, ask.window, sorted(ask.namespaces), words])
    return hashlib.sha256(told.encode()).hexdigest()


def desk_url(home: Path, limits: DeskSettings) -> str:
    """Give the inbox's database: PostgreSQL where one is named, else a SQLite file in ``home``."""
    if limits.database_url is None:
        home.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{home / 'desk.sqlite'}"
    return postgres_url(limits.database_url)


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_size=2, max_overflow=0, pool_pre_ping=True)  # one holds the claim
    engine = sa.create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": 3.0},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection
        # EXCLUSIVE keeps a second process out and the log's index in memory; FULL survives a power cut
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    return engine


def _said(error: exc.OperationalError) -> str:
    if "locked" in str(error.orig):
        return "Another rootcause serves from this ROOTCAUSE_HOME already: stop it, or give this one another."
    return (
        "The desk's database cannot be used: check the disk under ROOTCAUSE_HOME, or the server that "
        "ROOTCAUSE_DATABASE_URL names."
    )


def _row(found: sa.RowMapping) -> Row:
    return Row(
        ask=ask_of(found),
        work=WorkId(found["work"]),
        seq=int(found["seq"]),
        state=cast("State", found["state"]),
        attempt=int(found["attempt"]),
        case=found["case_id"],
        stopped_by=found["stopped_by"],
    )
