"""Several spans of a store are fetched side by side, for its answers take longer than their bytes; they are handed on in order."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from queue import Empty, Queue
from types import TracebackType
from typing import Self

from bot.stores.lines import Batch
from bot.stores.span import Span

WIDTH = 3
"""Spans at once: fewer than the connections of a session, and what Loki gives one query is split over its own workers anyway."""
DEPTH = 2
"""Batches of a span that wait to be taken."""

Reading = Callable[[Span], Iterator[Batch]]


class Ahead:
    """Fetches spans; use it as a context manager: with it its threads end. ``read`` gives a generator of batches."""

    def __init__(self, read: Reading, spans: Sequence[Span], width: int = WIDTH) -> None:
        self._read = read
        self._spans = iter(spans)
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="log store")
        self._runs: list[_Run] = []
        self._width = width

    def __enter__(self) -> Self:
        for _ in range(self._width):
            self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for run in self._runs:
            run.leave()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def following(self) -> Iterator[Batch]:
        """Give the batches of the next span; raises what its reading raised. What is not taken is let go."""
        run = self._runs.pop(0)
        self._begin()
        try:
            while (batch := run.queue.get()) is not None:
                yield batch
            run.ended.result()
        finally:
            run.leave()

    def _begin(self) -> None:
        span = next(self._spans, None)
        if span is not None:
            run = _Run()
            self._runs.append(run)
            run.ended = self._pool.submit(run.fill, self._read, span)


class _Run:
    """One span being read."""

    def __init__(self) -> None:
        self.queue: Queue[Batch | None] = Queue(DEPTH)
        self.ended: Future[None] = Future()
        self._left = threading.Event()

    def leave(self) -> None:
        """Take nothing more; a batch that waits for its place gets it, and is the last."""
        self._left.set()
        with suppress(Empty):
            while True:
                self.queue.get_nowait()

    def fill(self, read: Reading, span: Span) -> None:
        """Put the span's batches into the queue, and None behind the last."""
        try:
            with closing(read(span)) as batches:  # type: ignore[type-var] # a generator in every store
                while not self._left.is_set() and (batch := next(batches, None)) is not None:
                    self.queue.put(batch)
        finally:
            if not self._left.is_set():
                self.queue.put(None)
