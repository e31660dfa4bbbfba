"""One wall-clock deadline for everything a source does, and what must be broken off when it comes.

A socket's timeout counts anew with every byte, so a server that sends one byte a second holds a reader for ever. Here a
watch ends the sockets themselves.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self


class Deadline:
    """Ends ``seconds`` after it was made; ``with`` it a watch breaks registered sockets off at that moment, or at ``end``."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._now = now
        self._ends_at = now() + seconds
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._ended = threading.Event()
        self._left = threading.Event()
        self._watch: threading.Thread | None = None

    def left(self) -> float:
        """Give the seconds that are left, 0 where there are none."""
        return 0.0 if self._ended.is_set() else max(0.0, self._ends_at - self._now())

    @property
    def over(self) -> bool:
        """Tell whether the time is over."""
        return self.left() <= 0.0

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than the deadline."""
        self._ended.wait(min(seconds, self.left()))

    def end(self) -> None:
        """End now: what still reads is broken off."""
        self._ended.set()
        self._break()

    def hold(self, connection: socket.socket) -> socket.socket:
        """Break this connection off when the time is over; gives the copy that is held, for TLS takes the original apart."""
        copy = connection.dup()
        with self._lock:
            self._sockets.add(copy)
        if self.over:
            self._break()
        return copy

    def drop(self, copy: socket.socket) -> None:
        """Let go of a copy, without which a closed connection would stay open."""
        with self._lock:
            self._sockets.discard(copy)
        copy.close()

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._watch = threading.Thread(target=self._until_over, name="deadline", daemon=True)
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._ended.set()
        if self._watch is not None:
            self._watch.join()
        self._break()

    def _until_over(self) -> None:
        self._ended.wait(max(0.0, self._ends_at - self._now()))
        if not self._left.is_set():
            self._break()

    def _break(self) -> None:
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
