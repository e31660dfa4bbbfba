"""How a method says no, in Slack's words."""

from typing import Any


class Refusal(Exception):  # noqa: N818 - it is an answer to the caller, not a failure of the server
    """An API method declines: ``code`` is Slack's error code, ``extra`` further fields of the answer."""

    def __init__(self, code: str, *, status: int = 200, headers: dict[str, str] | None = None, **extra: Any) -> None:  # noqa: ANN401 - answers carry any JSON
        super().__init__(code)
        self.code = code
        self.status = status
        self.headers = headers or {}
        self.extra = extra
