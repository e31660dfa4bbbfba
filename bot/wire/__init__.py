"""Reading over HTTP that ends: one wall-clock deadline over everything, a cap on bytes, few retries, nothing hidden.

The floor below the sources, which may not know each other. It knows no service, no case and no report.

The sessions are ``requests``' own, so that client libraries which take a session can be used safely: they hang past their
timeouts, follow a server's Retry-After for an hour and mount retrying adapters of their own, but not through this one.
"""

from bot.wire.deadline import Deadline
from bot.wire.failures import (
    BrokenError,
    BusyError,
    LateError,
    RefusedError,
    RejectedError,
    TooLargeError,
    UnreachableError,
    WireError,
)
from bot.wire.session import Login, WireSession, decoded, json_of
from bot.wire.transfer import Limits

__all__ = [
    "BrokenError",
    "BusyError",
    "Deadline",
    "LateError",
    "Limits",
    "Login",
    "RefusedError",
    "RejectedError",
    "TooLargeError",
    "UnreachableError",
    "WireError",
    "WireSession",
    "decoded",
    "json_of",
]
