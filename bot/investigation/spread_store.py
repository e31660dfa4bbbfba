"""Where an investigation and its workers meet: runs on their way, and who is there to take them.

Two small tables beside those of DBOS, in PostgreSQL or in one SQLite file. A run's bytes stand in its row from the moment it is
offered until its result has been read; the investigation bounds how many there are. Times are the database's own, so that no
two machines' clocks are compared. Every statement ends within ``STATEMENT_S``.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOSClient, error as dbos_error
from sqlalchemy import event, exc

from bot.errors import StorageError
from bot.investigation.databases import postgres_url
from bot.settings import SpreadSettings

STATEMENT_S = 15
CONNECT_S = 5
SILENT_S = 10.0
"""A worker that has not been heard of for so long takes part no more."""

KEPT_S = 3600.0
"""Rows that are older belong to an investigation that died: the first worker that looks removes them."""

MOST_SWEPT = 10_000

SCHEMA = "rootcause_queue"
"""PostgreSQL's schema for DBOS's tables of the workers; those of the desk are another program's, and not looked at."""

APPLICATION = "rootcause-worker"
QUEUE = "rootcause.runs"
WORKFLOW = "rootcause.map"

RUN_LIMIT_S = 120.0
"""The longest a worker may take for a run, in seconds; it takes a fraction of one."""

_schema = sa.MetaData()
_runs = sa.Table(
    "rootcause_runs",
    _schema,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("case_id", sa.String, nullable=False, index=True),
    sa.Column("offered_at", sa.Double, nullable=False),
    sa.Column("taken_by", sa.String),
    sa.Column("done_at", sa.Double),
    sa.Column("failure", sa.String),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("result", sa.LargeBinary),
)
_workers = sa.Table(
    "rootcause_workers",
    _schema,
    sa.Column("worker", sa.String, primary_key=True),
    sa.Column("version", sa.String, nullable=False),
    sa.Column("host", sa.String, nullable=False),
    sa.Column("places", sa.Integer, nullable=False),
    sa.Column("seen_at", sa.Double, nullable=False),
    sa.Column("mapped", sa.Integer, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """A worker that has been heard of lately: how many runs it takes at once, and how many it has mapped."""

    worker: str
    version: str
    host: str
    places: int
    mapped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run on its way: since when, whether somebody living has it, and how it ended."""

    key: str
    age_s: float
    taken: bool
    silent: bool
    """Whether the worker that took it has not been heard of for ``SILENT_S``"""
    done: bool
    failed: bool


class SpreadStore:
    """The two tables, and the queue beside them; one engine, which threads share."""

    def __init__(self, settings: SpreadSettings) -> None:
        self.url = spread_url(settings)
        self.engine = _engine(self.url)
        self._is_sqlite = self.engine.dialect.name == "sqlite"
        clock = (
            "(julianday('now') - 2440587.5) * 86400.0" if self._is_sqlite else "extract(epoch from clock_timestamp())"
        )
        self._now: sa.ColumnElement[float] = sa.literal_column(clock, sa.Double)
        self._client: DBOSClient | None = None
        self._making = threading.Lock()

    def prepare(self) -> None:
        """Make the tables where they are missing; raises StorageError where the database cannot be used."""
        with told():
            try:
                _schema.create_all(self.engine)
            except (exc.ProgrammingError, exc.IntegrityError, exc.OperationalError):
                _schema.create_all(self.engine)  # another worker was making them at the same moment

    def close(self) -> None:
        """Let go of the database."""
        if self._client is not None:
            self._client.destroy()
        self.engine.dispose()

    # What an investigation does

    def workers(self) -> Sequence[WorkerRow]:
        """List the living workers of every version, by name; empty where no worker has ever been."""
        if self._is_sqlite and not Path(str(self.engine.url.database)).exists():
            return []  # to connect would make the file
        with told():
            if not sa.inspect(self.engine).has_table(_workers.name):
                return []
            with self.engine.connect() as connection:
                rows = connection.execute(
                    sa.select(_workers)
                    .where(_workers.c.seen_at > self._now - SILENT_S)
                    .order_by(_workers.c.host, _workers.c.worker)
                ).mappings()
                names = ("worker", "version", "host", "places", "mapped")
                return [WorkerRow(**{name: row[name] for name in names}) for row in rows]

    def offer(self, key: str, case: str, version: str, payload: bytes) -> None:
        """Store a run and queue it, in one transaction; only workers of this version take it."""
        with told():
            queue = self._queue()  # it connects by itself, which SQLite would not allow inside the transaction
        with told(), self.engine.begin() as connection:
            row = {"key": key, "case_id": case, "payload": payload, "offered_at": self._now}
            connection.execute(sa.insert(_runs).values(**row))
            queue.enqueue_in_transaction(
                connection,
                {
                    "queue_name": QUEUE,
                    "workflow_name": WORKFLOW,
                    "workflow_id": key,
                    "app_version": version,
                    "workflow_timeout": RUN_LIMIT_S,
                },
                key,
            )

    def under_way(self, case: str) -> Sequence[RunRow]:
        """Tell where each run of a case stands."""
        silent = sa.func.coalesce(_workers.c.seen_at, 0.0) < self._now - SILENT_S
        query = (
            sa.select(
                _runs.c.key,
                (self._now - _runs.c.offered_at).label("age_s"),
                _runs.c.taken_by.is_not(None).label("taken"),
                silent.label("silent"),
                _runs.c.done_at.is_not(None).label("done"),
                _runs.c.failure.is_not(None).label("failed"),
            )
            .select_from(_runs.outerjoin(_workers, _runs.c.taken_by == _workers.c.worker))
            .where(_runs.c.case_id == case)
        )
        with told(), self.engine.connect() as connection:
            return [
                RunRow(
                    key=row.key,
                    age_s=float(row.age_s),
                    taken=bool(row.taken),
                    silent=bool(row.silent),
                    done=bool(row.done),
                    failed=bool(row.failed),
                )
                for row in connection.execute(query)
            ]

    def collect(self, key: str) -> bytes | None:
        """Take a run's result, and remove the run; None where there is none. A late worker finds nothing to give to."""
        with told(), self.engine.begin() as connection:
            result = connection.execute(sa.select(_runs.c.result).where(_runs.c.key == key)).scalar()
            connection.execute(sa.delete(_runs).where(_runs.c.key == key))
        return None if result is None else bytes(result)

    def clear(self, case: str) -> None:
        """Remove whatever is left of a case."""
        with told(), self.engine.begin() as connection:
            connection.execute(sa.delete(_runs).where(_runs.c.case_id == case))

    # What a worker does

    def beat(self, row: WorkerRow) -> None:
        """Say that a worker is there."""
        seen = {"seen_at": self._now, "mapped": row.mapped, "places": row.places}
        with told(), self.engine.begin() as connection:
            mine = _workers.c.worker == row.worker
            if not connection.execute(sa.update(_workers).where(mine).values(**seen)).rowcount:
                told_once = {"worker": row.worker, "version": row.version, "host": row.host}
                connection.execute(sa.insert(_workers).values(**told_once, **seen))

    def leave(self, worker: str) -> None:
        """Say that a worker takes no more."""
        with told(), self.engine.begin() as connection:
            connection.execute(sa.delete(_workers).where(_workers.c.worker == worker))

    def take(self, key: str, worker: str) -> bytes | None:
        """Give a run's bytes and note who has them; None where nobody waits for it, or it is done."""
        with told(), self.engine.begin() as connection:
            waits = (_runs.c.key == key, _runs.c.done_at.is_(None))
            if not connection.execute(sa.update(_runs).where(*waits).values(taken_by=worker)).rowcount:
                return None
            return bytes(connection.execute(sa.select(_runs.c.payload).where(_runs.c.key == key)).scalar_one())

    def give(self, key: str, result: bytes | None, failure: str | None = None) -> bool:
        """Store what a run was mapped to, or why it was not; the first one counts. False where nobody waits for it."""
        row = {"result": result, "failure": failure, "done_at": self._now, "payload": b""}
        with told(), self.engine.begin() as connection:
            waits = (_runs.c.key == key, _runs.c.done_at.is_(None))
            return bool(connection.execute(sa.update(_runs).where(*waits).values(**row)).rowcount)

    def sweep(self) -> None:
        """Remove what investigations left behind: runs of those that died, workers long gone, and what DBOS remembers.

        Workflows are left for an hour even where nobody waits for them: whoever runs one still records its end.
        """
        with told(), self.engine.begin() as connection:
            connection.execute(sa.delete(_runs).where(_runs.c.offered_at < self._now - KEPT_S))
            connection.execute(sa.delete(_workers).where(_workers.c.seen_at < self._now - KEPT_S))
        with told():
            before = (datetime.now(UTC) - timedelta(seconds=KEPT_S)).isoformat()
            old = self._queue().list_workflows(end_time=before, load_input=False, load_output=False, limit=MOST_SWEPT)
            if old:
                self._queue().delete_workflows([each.workflow_id for each in old])

    def _queue(self) -> DBOSClient:
        with self._making:
            if self._client is None:
                self._client = DBOSClient(
                    system_database_engine=self.engine,
                    dbos_system_schema=None if self._is_sqlite else SCHEMA,
                    application_name=APPLICATION,
                    retry_connection_errors=False,
                )
            return self._client


@contextmanager
def told() -> Iterator[None]:
    """Turn the database's failures into a sentence."""
    try:
        yield
    except (exc.SQLAlchemyError, dbos_error.DBOSException) as error:
        raise StorageError(
            f"The database that workers are met in cannot be used ({type(error).__name__}): "
            "check ROOTCAUSE_DATABASE_URL, or the disk of ROOTCAUSE_HOME."
        ) from error


def spread_url(settings: SpreadSettings) -> str:
    """Give the database: PostgreSQL where one is named, else a SQLite file in the home."""
    if settings.database_url is None:
        return f"sqlite:///{settings.home / 'chunks.sqlite'}"
    return postgres_url(settings.database_url)


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        limits = (
            f"-c statement_timeout={STATEMENT_S * 1000} -c idle_in_transaction_session_timeout={STATEMENT_S * 1000}"
        )
        reach = {"connect_timeout": CONNECT_S, "tcp_user_timeout": STATEMENT_S * 1000, "options": limits}
        return sa.create_engine(url, pool_size=8, max_overflow=0, pool_timeout=STATEMENT_S, connect_args=reach)
    engine = sa.create_engine(url, pool_size=8, max_overflow=0, pool_timeout=STATEMENT_S)

    @event.listens_for(engine, "connect")
    def prepare(connection, _record) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - the driver's connection
        connection.isolation_level = "IMMEDIATE"  # who will write waits for its turn before it reads
        connection.execute(f"PRAGMA busy_timeout={STATEMENT_S * 1000}")
        connection.execute("PRAGMA synchronous=OFF")  # whoever loses power maps again

    return engine
