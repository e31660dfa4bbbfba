"""The transport below a session: sockets that the deadline can break, answers that are read whole, retries that are few.

What urllib3 would do by itself (retry, follow, wait as a server says) is switched off here and done in one place by tenacity.
"""
# ruff: noqa: ANN401 - what requests hands on may be anything

import socket
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import requests
import tenacity
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry

from bot.domain.crowding import MOST_DECODED_BYTES, crowded
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
from bot.wire.transfer import LARGE_BYTES, Transfer

CHUNK = 64 * 1024
PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
"""Between two attempts, unless the service names a longer one that is still within the deadline."""
TOLD_BYTES = 2000
"""Of a failure's answer, for whoever can read its reason."""
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class DeadlineAdapter(HTTPAdapter):
    """Sends requests for one transfer."""

    def __init__(self, transfer: Transfer, *, json_only: bool) -> None:
        self._transfer = transfer
        self._json_only = json_only
        at_once = transfer.limits.at_once
        super().__init__(pool_connections=at_once, pool_maxsize=at_once, max_retries=Retry(0, read=False))
        self._flight = Flight(transfer.deadline)
        self.poolmanager.pool_classes_by_scheme = _pools(transfer.deadline, self._flight)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> urllib3.ProxyManager:
        """Put connections through a proxy under the deadline too."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _pools(self._transfer.deadline, self._flight)
        return manager

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        """Send, and try again what may come out better, within the deadline."""
        deadline, limits = self._transfer.deadline, self._transfer.limits
        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_improve),
            stop=lambda state: state.attempt_number >= limits.attempts or _pause(state) >= deadline.left(),
            wait=_pause,
            sleep=deadline.wait,
            reraise=True,
        )
        return trying(self._once, request, *arguments, **named)

    def _once(
        self, request: requests.PreparedRequest, stream: bool = False, *_: Any, **named: Any
    ) -> requests.Response:
        transfer = self._transfer
        if transfer.deadline.over:
            raise LateError(transfer.late)
        silence = max(0.001, min(transfer.limits.silence_s, transfer.deadline.left()))
        named.pop("timeout", None)
        whole = True
        self._flight.begin()
        try:
            answer = super().send(request, stream=True, timeout=(silence, silence), **named)
            transfer.note_time(answer.headers.get("Date"))
            whole = not (stream and answer.ok)
            if whole:
                self._read(answer)
        except requests.exceptions.SSLError as error:
            raise RejectedError("its certificate is not trusted here (ca_file names one that is)") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if transfer.deadline.over:
                raise LateError(transfer.late) from error
            raise UnreachableError(_unreachable(error)) from error
        finally:
            if whole:
                self._flight.end()
        if transfer.deadline.over and whole:
            raise LateError(transfer.late)
        try:
            self._judge(answer)
        except WireError:
            answer.close()  # a stream that nobody will read
            self._flight.end()
            raise
        return answer

    def _read(self, answer: requests.Response) -> None:
        limit = self._transfer.limits.answer_bytes
        size = 0
        parts: list[bytes] = []
        with ExitStack() as stack:
            stack.callback(answer.close)
            for chunk in answer.iter_content(CHUNK):
                if size <= LARGE_BYTES < size + len(chunk):
                    stack.enter_context(self._transfer.large)  # its holder ends with the deadline
                size += len(chunk)
                self._transfer.count(len(chunk))
                if size > limit:
                    parts.clear()  # an error that is kept keeps what stood around it
                    raise TooLargeError(f"an answer has more than {limit / 1e6:.0f} MB", status=answer.status_code)
                parts.append(chunk)
        whole = b"".join(parts)
        del parts
        if self._json_only and crowded(whole):
            whole = b""
            raise TooLargeError(
                f"an answer holds more values than fit in {MOST_DECODED_BYTES / 1e6:.0f} MB", status=answer.status_code
            )
        answer._content = whole  # noqa: SLF001 - what reading ``content`` sets

    def _judge(self, answer: requests.Response) -> None:
        status, ok = answer.status_code, answer.ok
        body = b"" if ok else answer.content[:TOLD_BYTES]
        if status in {401, 403}:
            raise RefusedError(f"it does not accept the credentials (HTTP {status})", status=status, body=body)
        if status in _BUSY:
            raise BusyError(f"it answers HTTP {status}", status=status, body=body, wait_s=_asked_pause(answer.headers))
        if 300 <= status < 400:
            raise BrokenError(f"it redirects elsewhere (HTTP {status}), as to a login page", status=status)
        if ok and self._json_only and _is_page(answer):
            raise BrokenError(
                "a web page came in place of its answer: a proxy or a login stands before it", status=status
            )


def _may_improve(error: BaseException) -> bool:
    return isinstance(error, UnreachableError | BusyError)


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.wait_s if isinstance(error, BusyError) else None
    doubled: float = PAUSE_S * 2 ** (state.attempt_number - 1)
    return asked if asked is not None else min(doubled, LONGEST_PAUSE_S)


def _asked_pause(headers: Mapping[str, str]) -> float | None:
    told = headers.get("Retry-After", "").strip()
    return float(told) if told.isascii() and told.isdigit() and len(told) < 10 else None


def _is_page(answer: requests.Response) -> bool:
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in {"text/html", "application/xhtml+xml"}


def _unreachable(error: BaseException) -> str:
    """Say what happened to a connection; the error's own words hold addresses and objects."""
    chain: BaseException | None = error
    names = []
    while chain is not None:
        names.append(type(chain).__name__)
        if isinstance(chain, socket.gaierror):
            return "its name cannot be resolved"
        if isinstance(chain, ConnectionRefusedError):
            return "it refuses connections"
        if isinstance(chain, TimeoutError):
            return "it did not answer in time"
        chain = _cause(chain)
    return "the connection was reset" if "ConnectionResetError" in names else "the connection broke"


def _cause(error: BaseException) -> BaseException | None:
    told = next((each for each in error.args if isinstance(each, BaseException)), None)
    reason = getattr(error, "reason", None)
    return error.__cause__ or error.__context__ or told or (reason if isinstance(reason, BaseException) else None)


def _pools(deadline: Deadline, flight: "Flight") -> dict[str, type[HTTPConnectionPool]]:
    """Give connection pools whose sockets the deadline holds."""

    class Held(HTTPConnection):
        held: socket.socket | None = None

        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            self.held = deadline.hold(connection)
            return connection

        def close(self) -> None:
            """Close, but keep hold of what an answer that is still read comes through."""
            super().close()
            if self.held is not None:
                flight.closed(self.held)
                self.held = None

    class Secure(Held, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Held  # pyright: ignore[reportAssignmentType] - urllib3's protocol refuses its own class

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure  # pyright: ignore[reportAssignmentType] - as above

    return {"http": PlainPool, "https": SecurePool}


class Flight(threading.local):
    """Connections that were closed while their answer was under way, in this thread: ``http.client`` closes them early."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._later: list[socket.socket] = []
        self._under_way = False

    def begin(self) -> None:
        """An answer is under way."""
        self._under_way = True

    def end(self) -> None:
        """It has come, or will not."""
        self._under_way = False
        while self._later:
            self._deadline.drop(self._later.pop())

    def closed(self, held: socket.socket) -> None:
        """Let go of a closed connection's socket, at once or when its answer has come."""
        if self._under_way:
            self._later.append(held)
        else:
            self._deadline.drop(held)
