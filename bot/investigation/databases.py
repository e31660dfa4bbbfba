"""How a database is named by people, and how it is reached."""

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from bot.errors import UsageError


def postgres_url(named: str) -> str:
    """Give the URL under which PostgreSQL is reached from here; raises UsageError for anything else."""
    try:
        url = sa.make_url(named)
    except ArgumentError:
        url = None
    if url is None or not url.drivername.startswith("postgres"):
        raise UsageError("ROOTCAUSE_DATABASE_URL must be a PostgreSQL URL: postgresql://user:password@host/database.")
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
