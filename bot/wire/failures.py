"""Why something could not be read, in words that continue a sentence: "the metrics could not be read: …".

    WireError                 what was asked for did not come
    ├── UnreachableError      no connection, or it broke; trying again may help
    ├── BusyError             429 or 5xx; trying again may help
    ├── LateError             the deadline is over
    ├── RefusedError          401 or 403: the credentials are not good (any more)
    ├── BrokenError           something else came: a login page, half a document, another type
    ├── RejectedError         another 4xx: the question was wrong
    └── TooLargeError         more than may be read

``status`` is the HTTP status where there was one, and ``body`` the first bytes of the answer. Neither the address's query
nor any header stands in a message, for both may hold secrets.
"""


class WireError(Exception):
    """What was asked for did not come."""

    def __init__(self, words: str, *, status: int | None = None, body: bytes = b"") -> None:
        super().__init__(words)
        self.status = status
        self.body = body


class UnreachableError(WireError):
    """No connection, or it broke."""


class BusyError(WireError):
    """The service could not answer now."""

    def __init__(
        self, words: str, *, status: int | None = None, body: bytes = b"", wait_s: float | None = None
    ) -> None:
        super().__init__(words, status=status, body=body)
        self.wait_s = wait_s


class LateError(WireError):
    """The deadline is over."""


class RefusedError(WireError):
    """The credentials are not accepted."""


class BrokenError(WireError):
    """Something came that is not what was asked for."""


class RejectedError(WireError):
    """The question was wrong."""


class TooLargeError(WireError):
    """More came than may be read."""
