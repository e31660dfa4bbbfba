"""Progress on standard error: a bar with rate and remaining time on a terminal, one line a stage elsewhere.

Nothing is shown for work that ends within a second, and nothing ever goes to standard output.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from bot.cli import words
from bot.domain.ports import BY_WORKERS
from bot.domain.spelling import length

PATIENCE_S = 1.0
"""How long a person waits without asking what is going on."""


class Reporter(Protocol):
    """What the use cases call, and what the command line opens and closes around them."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Take note of bytes done."""
        ...

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End, and leave the screen as it was."""
        ...


class Silent:
    """Shows nothing."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End."""


class StageLines:
    """For a log file or a pipe: one line when a stage that took over a second has ended."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._lock = threading.Lock()
        self._stage: str | None = None
        self._began = 0.0
        self._done = self._by_workers = 0

    def __call__(self, stage: str, done: int, total: int | None) -> None:  # noqa: ARG002 - the port's signature
        """Note the bytes, and close the stage before where a new one begins."""
        with self._lock:
            if stage == BY_WORKERS:
                self._by_workers = done
                return
            if stage != self._stage:
                self._close()
                self._stage, self._began = stage, self._clock()
            self._done = done

    def _close(self) -> None:
        took = self._clock() - self._began
        if self._stage is None or took < PATIENCE_S:
            return
        rate = f", {words.size(self._done)} at {words.size(self._done / took)}/s" if self._done else ""
        share = f", {words.size(self._by_workers)} of it {BY_WORKERS}" if self._by_workers else ""
        self._by_workers = 0
        self._write(f"{self._stage}: {length(took)}{rate}{share}\n")

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the last stage, unless it was cut short."""
        with self._lock:
            if kind is None:
                self._close()
            self._stage = None


class Bars:
    """For a terminal: one bar a stage, shown once the work has lasted over a second."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {}
        self._shown = False
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Move the stage's bar."""
        with self._lock:
            if stage not in self._tasks:
                if stage != BY_WORKERS:
                    self._finish_others()
                self._tasks[stage] = self._bars.add_task(stage, total=total)
            self._bars.update(self._tasks[stage], completed=done, total=total)
            if not self._shown and self._clock() - self._began >= PATIENCE_S:
                self._bars.start()
                self._shown = True

    def _finish_others(self) -> None:
        for task in self._tasks.values():
            self._bars.update(task, visible=False)

    def __enter__(self) -> Self:
        """Begin to count the second."""
        self._began = self._clock()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the bars off the screen."""
        if self._shown:
            self._bars.stop()


def reporter(quiet: bool) -> Reporter:
    """Choose by where standard error leads."""
    console = Console(stderr=True)
    if quiet:
        return Silent()
    return Bars(console) if console.is_terminal else StageLines(console.file.write)
