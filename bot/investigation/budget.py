"""What models may cost: reserved before a call, settled after it, refused where it could be too much.

The ledger is one SQLite file beside the cases, shared by every process on it. A reservation counts like money spent until
it is settled, so a process that is killed in the middle of a call leaves the ledger too high and never too low.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from bot.domain.model import Spend
from bot.domain.ports import Clock
from bot.errors import BudgetError
from bot.settings import BudgetSettings

FILE = "budget.sqlite"
BUSY_S = 10.0
"""Seconds to wait for another process's entry; each takes milliseconds."""

Scope = Literal["case", "channel", "day"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,          -- RFC 3339, UTC
    day TEXT NOT NULL,
    case_id TEXT NOT NULL,
    channel TEXT NOT NULL,     -- empty where nobody's channel pays
    model TEXT NOT NULL,
    prefix TEXT NOT NULL,      -- a digest of what the model may keep of the prompt
    settled INTEGER NOT NULL,  -- 0: reserved, and the most that the call can cost
    kept INTEGER NOT NULL,     -- 1: the model said that it keeps the prefix
    tokens INTEGER NOT NULL,
    cost_usd REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_by_day ON calls (day, channel);
CREATE INDEX IF NOT EXISTS calls_by_case ON calls (case_id);
CREATE INDEX IF NOT EXISTS calls_by_prefix ON calls (prefix, at);
"""
_WHERE: dict[Scope, str] = {
    "case": "case_id = :case",
    "channel": "channel = :channel AND day = :day",
    "day": "day = :day",
}
_NAMED: dict[Scope, tuple[str, str, str]] = {
    "case": ("one investigation", "ROOTCAUSE_BUDGET_USD", "ROOTCAUSE_BUDGET_TOKENS"),
    "channel": ("this channel today", "ROOTCAUSE_BUDGET_CHANNEL_USD", "ROOTCAUSE_BUDGET_CHANNEL_TOKENS"),
    "day": ("today", "ROOTCAUSE_BUDGET_DAY_USD", "ROOTCAUSE_BUDGET_DAY_TOKENS"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """Who pays for a call: a case, and the channel that asked, where one did."""

    case: str
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The most that one call can take."""

    tokens: int
    cost_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a budget has given so far, reservations included, and what it holds."""

    scope: Scope
    tokens: int
    cost_usd: float
    limit_tokens: int
    limit_usd: float


class Ledger:
    """The ledger. Every method opens the file anew, so it may be used from any process and thread."""

    def __init__(self, home: Path, limits: BudgetSettings, clock: Clock = lambda: datetime.now(UTC)) -> None:
        """Keep the ledger in ``home``; nothing is written before the first call."""
        self._path = home / FILE
        self._limits = limits
        self._clock = clock

    def reserve(self, payer: Payer, worst: Worst, *, model: str, prefix: str = "") -> int:
        """Set aside the most that a call can cost and give the entry's number; raises BudgetError where it is too much."""
        now = self._clock()
        with self._entry() as database:
            self._check(database, payer, worst, now)
            written = database.execute(
                "INSERT INTO calls (at, day, case_id, channel, model, prefix, settled, kept, tokens, cost_usd) "
                "VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, ?)",
                (
                    _rfc3339(now),
                    _day(now),
                    payer.case,
                    payer.channel,
                    model,
                    prefix,
                    worst.tokens,
                    worst.cost_usd,
                ),
            )
            return int(written.lastrowid or 0)

    def extend(self, entry: int, payer: Payer, spent: Spend, worst: Worst) -> None:
        """Set aside another try beside what the tries before cost; raises BudgetError where it is too much."""
        with self._entry() as database:
            database.execute(
                "UPDATE calls SET tokens = ?, cost_usd = ? WHERE id = ?", (spent.tokens, spent.cost_usd, entry)
            )
            self._check(database, payer, worst, self._clock())
            database.execute(
                "UPDATE calls SET tokens = tokens + ?, cost_usd = cost_usd + ? WHERE id = ?",
                (worst.tokens, worst.cost_usd, entry),
            )

    def settle(self, entry: int, spent: Spend) -> None:
        """Put down what the call did cost."""
        kept = int(spent.tokens_cached + spent.tokens_written > 0)
        with self._entry() as database:
            database.execute(
                "UPDATE calls SET settled = 1, kept = ?, tokens = ?, cost_usd = ?, at = ? WHERE id = ?",
                (kept, spent.tokens, spent.cost_usd, _rfc3339(self._clock()), entry),
            )

    def keeps(self, prefix: str, seconds: float) -> bool:
        """Whether a model said within the last ``seconds`` that it keeps this prefix."""
        if not prefix or not self._path.exists():
            return False
        since = _rfc3339(self._clock() - timedelta(seconds=seconds))
        with self._entry() as database:
            found = database.execute(
                "SELECT 1 FROM calls WHERE prefix = ? AND kept = 1 AND at >= ? LIMIT 1", (prefix, since)
            )
            return found.fetchone() is not None

    def spent(self, payer: Payer) -> tuple[Spent, ...]:
        """Give what each budget that ``payer`` draws on has given: the case's, the channel's, the day's."""
        now = self._clock()
        if not self._path.exists():
            return tuple(self._limit(scope) for scope in _scopes(payer))
        with self._entry() as database:
            return tuple(self._given(database, scope, payer, now) for scope in _scopes(payer))

    def _check(self, database: sqlite3.Connection, payer: Payer, worst: Worst, now: datetime) -> None:
        for scope in _scopes(payer):
            given = self._given(database, scope, payer, now)
            if given.cost_usd + worst.cost_usd > given.limit_usd + 1e-9:
                raise BudgetError(_dear(given, worst), code=f"{scope}_usd")
            if given.tokens + worst.tokens > given.limit_tokens:
                raise BudgetError(_long(given, worst), code=f"{scope}_tokens")

    def _given(self, database: sqlite3.Connection, scope: Scope, payer: Payer, now: datetime) -> Spent:
        named = {"case": payer.case, "channel": payer.channel, "day": _day(now)}
        tokens, cost = database.execute(
            f"SELECT COALESCE(SUM(tokens), 0), COALESCE(SUM(cost_usd), 0.0) FROM calls WHERE {_WHERE[scope]}",  # noqa: S608 - three constants
            named,
        ).fetchone()
        limit = self._limit(scope)
        return Spent(
            scope=scope, tokens=tokens, cost_usd=cost, limit_tokens=limit.limit_tokens, limit_usd=limit.limit_usd
        )

    def _limit(self, scope: Scope) -> Spent:
        limits = self._limits
        usd, tokens = {
            "case": (limits.case_usd, limits.case_tokens),
            "channel": (limits.channel_day_usd, limits.channel_day_tokens),
            "day": (limits.day_usd, limits.day_tokens),
        }[scope]
        return Spent(scope=scope, tokens=0, cost_usd=0.0, limit_tokens=tokens, limit_usd=usd)

    @contextmanager
    def _entry(self) -> Iterator[sqlite3.Connection]:
        """Open the ledger for one entry that no other process's comes between; raises BudgetError where it cannot be kept."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)) as database:
                database.executescript(_SCHEMA)
                database.execute("BEGIN IMMEDIATE")
                try:
                    yield database
                except BaseException:
                    database.execute("ROLLBACK")
                    raise
                database.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise BudgetError(
                f"What models cost cannot be written down in {self._path}, so none is asked: make the file writable, or "
                "remove it where it is damaged.",
                code="ledger",
            ) from error


def _scopes(payer: Payer) -> tuple[Scope, ...]:
    return ("case", "channel", "day") if payer.channel else ("case", "day")


def _dear(given: Spent, worst: Worst) -> str:
    whose, variable, _ = _NAMED[given.scope]
    left = max(0.0, given.limit_usd - given.cost_usd)
    return (
        f"Asking the model could cost ${worst.cost_usd:.2f}, and ${left:.2f} of the ${given.limit_usd:.2f} for {whose} are "
        f"left: {_way(given.scope)}, or raise {variable}."
    )


def _long(given: Spent, worst: Worst) -> str:
    whose, _, variable = _NAMED[given.scope]
    left = max(0, given.limit_tokens - given.tokens)
    return (
        f"Asking the model could take {worst.tokens:,} tokens, and {left:,} of the {given.limit_tokens:,} for {whose} are "
        f"left: {_way(given.scope)}, or raise {variable}."
    )


def _way(scope: Scope) -> str:
    return "ask for a shorter window" if scope == "case" else "wait until 00:00 UTC"


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
