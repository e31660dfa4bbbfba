"""Fill a case from all sources at once: one that is slow, hangs or breaks holds up neither the others nor the answer.

Each source runs in a thread of its own; the case has one writer, so what they hand on takes turns. A service has a deadline and
keeps it by itself; one that does not is left behind: its thread's next word falls on deaf ears, and what it had read stays.
A lone source without a deadline (a file) is read right here.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from bot.domain.items import ChatMessage, ClusterEvent, Gap, ItemId, LogStream, ObjectVersion, Series, TicketEntry
from bot.domain.ports import NamedSource, Progress, Sink, Source, TimedLine
from bot.domain.spelling import length
from bot.domain.tickets import keys_in
from bot.errors import LeftError, RootcauseError
from bot.investigation.distinct import DistinctLines

log = logging.getLogger("rootcause.gather")

GRACE_S = 3.0
"""What a source gets beyond its deadline to say itself what it could not read."""

LOGS = "kubernetes/logs"
MOST_NAMED = 500
COLLECT_AFTER = 100_000
"""Objects between two searches for cyclic garbage while sources decode: they make millions of small ones and no cycle, and by
Python's own 700 the search took two fifths of the time of a gigabyte from Elasticsearch."""

_Stored = TypeVar("_Stored")


def gather_all(
    sources: Sequence[Source], sink: Sink, progress: Progress, *, grace_s: float = GRACE_S, lenient: bool = False
) -> None:
    """Let every source fill the sink; ends with the last one, or when the last deadline is over.

    What a source cannot give becomes a Gap. Raises what a lone source raises, unless ``lenient``, and whatever the sink
    or the progress raised (a full disk, a wish to stop): then all sources are ended.
    """
    with rare_collections():
        _gather_all(sources, sink, progress, grace_s, lenient=lenient)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let cyclic garbage be searched for seldom: what a source decodes and what a digest makes has no cycles."""
    first, *others = gc.get_threshold()
    gc.set_threshold(max(first, COLLECT_AFTER), *others)
    try:
        yield
    finally:
        gc.set_threshold(first, *others)


def _gather_all(sources: Sequence[Source], sink: Sink, progress: Progress, grace_s: float, *, lenient: bool) -> None:
    if len(sources) == 1 and _deadline(sources[0]) is None:
        sources[0].gather(sink, progress)
        return
    shared = _Shared(sink=sink, progress=progress)
    _read_all(sources, shared, grace_s, alone=len(sources) == 1 and not lenient)
    naming = [source for source in sources if isinstance(source, NamedSource)]
    if more := [found for source in naming if (found := source.named(tuple(shared.named))) is not None]:
        _read_all(more, shared, grace_s, alone=False)
    _say_compared(shared)


def _read_all(sources: Sequence[Source], shared: "_Shared", grace_s: float, *, alone: bool) -> None:
    runs = [_Run(source=source, shared=shared, alone=alone) for source in sources]
    began = time.monotonic()
    try:
        for run in runs:
            run.begin()
        with shared.turn:
            while shared.failure is None and (open_runs := [run for run in runs if not run.ended]):
                shared.turn.wait(min(_wait_s(run, began, grace_s) for run in open_runs))
                for run in open_runs:
                    if not run.ended and _wait_s(run, began, grace_s) <= 0:
                        run.leave()
    finally:
        with shared.turn:
            for run in runs:
                run.left = True
    if shared.failure is not None:
        raise shared.failure


def _say_compared(shared: "_Shared") -> None:
    if unlike := shared.distinct.unlike():
        what = "containers of which two sources brought lines that are not alike: they may count twice"
        shared.sink.add_gap(Gap(source=LOGS, what=what, count=unlike, lost=False))
    if shared.distinct.full:
        shared.sink.add_gap(Gap(source=LOGS, what="too many lines to compare all that two sources hold", lost=False))


def _deadline(source: Source) -> float | None:
    return getattr(source, "deadline_s", None)


LONGEST_WAIT_S = 3600.0


def _wait_s(run: "_Run", began: float, grace_s: float) -> float:
    deadline = _deadline(run.source)
    return LONGEST_WAIT_S if deadline is None else max(0.0, began + deadline + grace_s - time.monotonic())


@dataclass(slots=True, kw_only=True)
class _Shared:
    """What all runs share: whose turn it is, where items go, and what ended it all."""

    sink: Sink
    progress: Progress
    turn: threading.Condition = field(default_factory=threading.Condition)
    distinct: DistinctLines = field(default_factory=DistinctLines)
    named: dict[str, None] = field(default_factory=dict)
    """What looks like keys of tickets in chat, in the order in which they were met"""
    failure: BaseException | None = None
    told: dict[int, tuple[int, int | None]] = field(default_factory=dict)
    """By run: bytes done, and of how many"""


@dataclass(slots=True, kw_only=True, eq=False)
class _Run:
    """One source in its thread; as the sink it is handed it takes turns with the others, until it is left."""

    source: Source
    shared: _Shared
    alone: bool
    ended: bool = False
    left: bool = False

    def begin(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name=f"gather {self.source.name}", daemon=True).start()

    def leave(self) -> None:
        """Go on without it; call with the turn held."""
        seconds = length(_deadline(self.source) or 0.0)
        what = f"it did not end within its {seconds} and was left; what had come by then was kept"
        self.shared.sink.add_gap(Gap(source=self.source.name, what=what))
        self.left = self.ended = True

    def _run(self) -> None:
        failure: BaseException | None = None
        try:
            self.source.gather(self, self._tell)
        except LeftError:
            pass
        except RootcauseError as error:
            failure = error if self.alone else None
            self._say(str(error))
        except _SinkError as error:
            failure = error.__cause__
        except Exception as error:
            # the outermost frame of a source's thread: the others go on
            log.exception("a fault in a source", extra={"source": self.source.name, "error": type(error).__name__})
            failure = error if self.alone else None
            self._say("a fault of this program ended the reading and has been logged; what had come by then was kept")
        with self.shared.turn:
            self.ended = True
            if failure is not None and not self.left and self.shared.failure is None:
                self.shared.failure = failure
            self.shared.turn.notify_all()

    def _say(self, what: str) -> None:
        with self.shared.turn:
            if not self.left:
                self.shared.sink.add_gap(Gap(source=self.source.name, what=what))

    def _tell(self, stage: str, done: int, total: int | None) -> None:
        def tell() -> None:
            told = self.shared.told
            told[id(self)] = (done, total)
            totals = [of for _, of in told.values()]
            known = [of for of in totals if of is not None]
            self.shared.progress(
                stage if self.alone else "read",
                sum(so_far for so_far, _ in told.values()),
                sum(known) if len(known) == len(totals) else None,
            )

        self._in_turn(tell)

    def _in_turn(self, act: Callable[[], _Stored]) -> _Stored:
        with self.shared.turn:
            if self.left or self.shared.failure is not None:
                raise LeftError(f"Nobody waits for {self.source.name} any more.")
            try:
                return act()
            except BaseException as error:
                raise _SinkError from error

    def open_stream(self, stream: LogStream) -> int:
        """Register a log stream in turn."""

        def act() -> int:
            number = self.shared.sink.open_stream(stream)
            if not self.alone:
                self.shared.distinct.open_stream(number, stream, self.source.name)
            return number

        return self._in_turn(act)

    def add_lines(self, stream: int, lines: Sequence[TimedLine]) -> None:
        """Append lines in turn, but for those that another source has brought."""

        def act() -> None:
            fresh = self.shared.distinct.fresh(stream, lines)
            if len(fresh) < len(lines):
                what = "log lines that two sources hold, kept once"
                self.shared.sink.add_gap(Gap(source=LOGS, what=what, count=len(lines) - len(fresh), lost=False))
            if len(fresh):
                self.shared.sink.add_lines(stream, fresh)

        self._in_turn(act)

    def add_event(self, event: ClusterEvent) -> ItemId:
        """Pass it on in turn."""
        return self._in_turn(lambda: self.shared.sink.add_event(event))

    def add_object(self, version: ObjectVersion) -> ItemId:
        """Pass it on in turn."""
        return self._in_turn(lambda: self.shared.sink.add_object(version))

    def add_series(self, series: Series) -> ItemId:
        """Pass it on in turn."""
        return self._in_turn(lambda: self.shared.sink.add_series(series))

    def add_message(self, message: ChatMessage) -> ItemId:
        """Pass it on in turn, and keep the keys that it names; a link's address stands in its bytes alone."""

        def act() -> ItemId:
            if len(self.shared.named) < MOST_NAMED:
                found = (*keys_in(message.text), *keys_in(message.raw.decode("utf-8", "replace")))
                self.shared.named.update(dict.fromkeys(found))
            return self.shared.sink.add_message(message)

        return self._in_turn(act)

    def add_ticket(self, entry: TicketEntry) -> ItemId:
        """Pass it on in turn."""
        return self._in_turn(lambda: self.shared.sink.add_ticket(entry))

    def add_gap(self, gap: Gap) -> None:
        """Pass it on in turn."""
        self._in_turn(lambda: self.shared.sink.add_gap(gap))

    def add_read(self, source: str, path: str, size: int) -> None:
        """Pass it on in turn."""
        self._in_turn(lambda: self.shared.sink.add_read(source, path, size))

    def add_detail(self, source: str, detail: str) -> None:
        """Pass it on in turn."""
        self._in_turn(lambda: self.shared.sink.add_detail(source, detail))


class _SinkError(BaseException):
    """Carries what the sink or the progress raised (the disk is full, somebody wants to stop) past whatever a source catches."""
