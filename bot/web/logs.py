"""Structured logs: one JSON object a line, with the ids by which a case is found, and nothing that people wrote."""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

_FIELDS = frozenset(
    {
        *(
            "work",
            "case",
            "kind",
            "outcome",
            "position",
            "attempt",
            "attempts",
            "was",
            "what",
            "error",
            "reason",
            "reference",
        ),
        *("check", "dead_s", "method", "ms", "stored", "task", "event", "fault", "stage", "retry", "status", "port"),
    }
)
"""Extras that are printed: ids, counts and closed sets; an extra of another name is left out, whatever it holds."""


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Give time, level, logger, message and the known extras, then the traceback where there is one."""
        told: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "log": record.name,
            "message": record.getMessage(),
        }
        extras: Mapping[str, object] = record.__dict__
        told.update((name, extras[name]) for name in sorted(_FIELDS & extras.keys()) if extras[name] is not None)
        if record.exc_info and record.exc_info[0] is not None:
            told["traceback"] = _frames(record.exc_info[1])
        return json.dumps(told, default=str, ensure_ascii=False)


def _frames(error: BaseException | None) -> str:
    """Give where errors came about and of which types they are; their messages may quote what people wrote."""
    told: list[str] = []
    while error is not None:
        told.append(
            f"{type(error).__module__}.{type(error).__qualname__}\n{''.join(traceback.format_tb(error.__traceback__))}"
        )
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "".join(told)


def log_as_json(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send this program's logs to standard error as JSON lines; libraries are heard from a warning on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    for heard in (root, logging.getLogger("dbos")):  # DBOS brings a handler of its own where it finds none
        heard.handlers[:] = [handler]
    logging.getLogger("dbos").propagate = False
    root.setLevel(logging.WARNING)
    for name in ("rootcause", "bot"):
        logging.getLogger(name).setLevel(level)
