"""The inbox's tables, and asks as rows of them."""

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.chat import Ask, Asker, Place, WorkId, WorkSummary

schema = sa.MetaData()

ACTIVE = ("queued", "running")

asks = sa.Table(
    "rootcause_asks",
    schema,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("work", sa.String, nullable=False, unique=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("flight", sa.String, nullable=False),
    sa.Column("place", sa.String, nullable=False, index=True),
    sa.Column("team", sa.String, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("user", sa.String, nullable=False),
    sa.Column("asked_at", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.String, nullable=False, index=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("case_id", sa.String),
    sa.Column("verdict", sa.String),
    sa.Column("summary", sa.Text),
    sa.Column("stopped_by", sa.String),
    sa.Column("done_at", sa.String),
    sa.Index("rootcause_asks_lately", "team", "kind", "asked_at"),
)

keys = sa.Table(
    "rootcause_keys",
    schema,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("work", sa.String, nullable=False),
)

threads = sa.Table(
    "rootcause_threads",
    schema,
    sa.Column("place", sa.String, primary_key=True),
    sa.Column("case_id", sa.String, nullable=False),
    sa.Column("work", sa.String, nullable=False),
)

deliveries = sa.Table(
    "rootcause_deliveries",
    schema,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("intended_at", sa.String, nullable=False),
    sa.Column("done_at", sa.String),
)

feedback = sa.Table(
    "rootcause_feedback",
    schema,
    sa.Column("place", sa.String, primary_key=True),
    sa.Column("user", sa.String, primary_key=True),
    sa.Column("case_id", sa.String),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)

watches = sa.Table(
    "rootcause_watches",
    schema,
    sa.Column("work", sa.String, primary_key=True),
    sa.Column("case_id", sa.String, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("due_at", sa.String, nullable=False),
    sa.Column("looks", sa.Integer, nullable=False),
    sa.Column("outcome", sa.String),
)


def place_name(place: Place) -> str:
    """Name a thread in one string; every part counts, for two workspaces may share a channel's id and a ``ts``."""
    return json.dumps([place.enterprise, place.team, place.channel, place.thread_ts])


def columns_of(ask: Ask) -> dict[str, Any]:
    """Give an ask's columns: those that are searched, and the rest as one JSON body."""
    return {
        "kind": ask.kind,
        "place": place_name(ask.place),
        "team": ask.place.team,
        "channel": ask.place.channel,
        "user": ask.asker.user,
        "asked_at": ask.asked_at.astimezone(UTC).isoformat(),
        "body": json.dumps(
            {
                "keys": ask.keys,
                "name": ask.asker.name,
                "tz": ask.asker.tz,
                "question": ask.question,
                "window": ask.window,
                "namespaces": ask.namespaces,
                "message_ts": ask.message_ts,
                "case": ask.case,
                "ticket": ask.ticket,
            }
        ),
    }


def ask_of(row: sa.RowMapping) -> Ask:
    """Read an ask back from its row."""
    body = json.loads(row["body"])
    return Ask(
        kind=row["kind"],
        keys=tuple(body["keys"]),
        place=_place(row["place"]),
        asker=Asker(user=row["user"], name=body["name"], tz=body["tz"]),
        question=body["question"],
        window=body["window"],
        namespaces=tuple(body["namespaces"]),
        message_ts=body["message_ts"],
        asked_at=datetime.fromisoformat(row["asked_at"]),
        case=body.get("case", ""),  # rows of older versions have none
        ticket=body.get("ticket", ""),
    )


def summary_of(row: sa.RowMapping, position: int) -> WorkSummary:
    """Give a row as a list shows it."""
    ask = ask_of(row)
    return WorkSummary(
        work=WorkId(row["work"]),
        place=ask.place,
        asker=ask.asker,
        question=ask.question,
        window=ask.window or "",
        state=row["state"],
        asked_at=ask.asked_at,
        case=row["case_id"],
        verdict=row["verdict"],
        summary=row["summary"] or "",
        position=position,
    )


def _place(named: str) -> Place:
    enterprise, team, channel, thread_ts = json.loads(named)
    return Place(enterprise=enterprise, team=team, channel=channel, thread_ts=thread_ts)
