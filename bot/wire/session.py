"""A ``requests`` session under a deadline.

Redirects are not followed: an API does not move between two calls, and a login page is no answer. Proxies come from the
environment, credentials never do (no ``.netrc``).
"""
# ruff: noqa: ANN401 - what a client library hands to requests, and what JSON holds, may be anything

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.auth import HTTPBasicAuth

from bot.wire.adapter import DeadlineAdapter
from bot.wire.deadline import Deadline
from bot.wire.failures import BrokenError, LateError, RejectedError, UnreachableError
from bot.wire.transfer import Limits, Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What proves who asks; read from its secret just before."""

    headers: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None
    user: str | None = None
    password: str | None = None
    ca_file: Path | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request; as the session's ``auth`` this also keeps ``.netrc`` out."""
        request.headers.update(self.headers)
        if self.user is not None:
            HTTPBasicAuth(self.user, self.password or "")(request)
            return request
        if self.token is not None:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class WireSession(requests.Session):
    """Every call through it ends with the deadline, is retried within it alone, and raises WireError where nothing came.

    Answers are whole and within ``limits`` when they are handed on, so that a client library can do what it likes with them;
    only ``streamed`` hands on parts. With ``json_only`` an answer of another type is a BrokenError. Use it as a context manager.
    """

    def __init__(
        self, deadline: Deadline, *, login: Login | None = None, limits: Limits | None = None, json_only: bool = True
    ) -> None:
        super().__init__()
        login = login or Login()
        self.deadline = deadline
        self.transfer = Transfer(deadline, limits or Limits())
        self.max_redirects = 0
        self.auth = login
        self.verify = str(login.ca_file) if login.ca_file else True
        self.headers["User-Agent"] = "rootcause"
        ours = DeadlineAdapter(self.transfer, json_only=json_only)
        for prefix in list(self.adapters):
            self.adapters[prefix] = ours

    def mount(self, prefix: str | bytes, adapter: BaseAdapter) -> None:
        """Leave an adapter away that a client library brings along: it would retry, unseen and past the deadline."""
        if isinstance(adapter, DeadlineAdapter) or not hasattr(self, "transfer"):
            super().mount(prefix, adapter)

    def request(self, *arguments: Any, **named: Any) -> requests.Response:
        """Call, without following redirects, whatever a client library thinks of that."""
        named["allow_redirects"] = False
        named.pop("verify", None)
        try:
            return super().request(*arguments, **named)
        except requests.RequestException as error:
            if self.deadline.over:
                raise LateError(self.transfer.late) from error
            raise BrokenError(f"the request could not be made ({type(error).__name__})") from error

    @property
    def clock_offset_s(self) -> float | None:
        """How far the service's clock is ahead of ours, in seconds; None where it tells no time."""
        return self.transfer.clock_offset_s()

    @contextmanager
    def streamed(self, method: str, url: str, **named: Any) -> Iterator[Iterator[bytes]]:
        """Hand on an answer's bytes as they come, under the deadline and ``total_bytes``; retried only before the first."""
        with self.request(method, url, stream=True, **named) as answer:
            if not answer.ok:
                status, body = answer.status_code, answer.content[:2000]
                raise RejectedError(f"it refuses the question (HTTP {status})", status=status, body=body)
            yield self._chunks(answer)

    def _chunks(self, answer: requests.Response) -> Iterator[bytes]:
        try:
            for chunk in answer.iter_content(64 * 1024):
                self.transfer.count(len(chunk))
                yield chunk
        except requests.RequestException as error:
            if self.deadline.over:
                raise LateError(self.transfer.late) from error
            raise UnreachableError(f"the connection broke within an answer ({type(error).__name__})") from error
        if self.deadline.over:
            raise LateError(self.transfer.late)


def json_of(answer: requests.Response) -> Any:
    """Decode an answer; raises BrokenError for half a document, another thing, or one that is nested too deep."""
    try:
        return decoded(answer.content)
    except BrokenError as error:
        error.status = answer.status_code
        raise


def decoded(raw: bytes) -> Any:
    """Decode JSON; raises BrokenError as ``json_of`` does."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        broken = BrokenError("the answer is not whole JSON")  # raised from here it would keep the text
    del raw
    raise broken
