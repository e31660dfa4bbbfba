"""Run an investigation's blocking work in a child process: it can be killed, and the event loop stays responsive.

Threads cannot be stopped, and a busy one keeps the interpreter from acknowledging events in time. Children are forked
from a server that has loaded the engine already, so one begins within milliseconds; they end when their parent does.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, timedelta, tzinfo
from multiprocessing.connection import Connection
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.analyst.times import parse_window
from bot.casefile.home import CaseHome
from bot.domain.chat import Ask
from bot.domain.report import Answer, PredictionStatus, Report
from bot.domain.report_json import report_from_json
from bot.domain.window import Window, rfc3339
from bot.errors import CaseError, RootcauseError
from bot.investigation.desk_ports import FAULT, AnalystFactory, Reading, SourceFactory, Tell
from bot.investigation.follow_up import follow_up
from bot.investigation.investigate import investigate
from bot.investigation.workflow_progress import Watch, watched

log = logging.getLogger("rootcause.desk")

ENDED = "The work was ended from outside, most likely because memory ran out: ask for a shorter window."

Job = Callable[[Tell], object]

_ALL = timedelta(days=90)
"""What "no window" means for a source that must be told one."""

_ASKEW = timedelta(hours=7, minutes=37)
"""Asked so much later, a length is as long as before, and a span that begins at a clock time is not."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A message of the child: a ``Reading``, the result, a failure's exception, or a fault's traceback."""

    kind: str
    what: object


class ProcessEngine:
    """Runs each ask in a process of its own; cancelling the awaiting task kills it."""

    def __init__(self, home: CaseHome, sources: SourceFactory, analysts: AnalystFactory | None = None) -> None:
        self._home = home
        self._sources = sources
        self._analysts = analysts
        served = "forkserver" in multiprocessing.get_all_start_methods()
        self._context = multiprocessing.get_context("forkserver") if served else multiprocessing.get_context("spawn")
        self._files: dict[str, asyncio.Lock] = {}

    async def warm(self) -> None:
        """Start the server that children are forked from, so that the first ask does not wait for imports."""
        if self._context.get_start_method() == "forkserver":
            # the program's main module too, or every child would import it anew
            self._context.set_forkserver_preload(["__main__", __name__, type(self._sources).__module__])
        await self._run(_nothing, None)

    async def investigate(self, ask: Ask, tell: Tell) -> str:
        """Investigate and give the id of the kept case."""
        return cast("str", await self._run(_Investigation(self._sources, self._home, ask, self._analysts), tell))

    async def follow_up(self, case: str, ask: Ask) -> Answer:
        """Answer a question from a kept case; one at a time for each case, whose file has one writer."""
        async with self._files.setdefault(case, asyncio.Lock()):
            return cast("Answer", await self._run(_FollowUp(self._home, case, ask, self._analysts), None))

    async def report(self, case: str) -> Report:
        """Give a kept case's report."""
        return await asyncio.to_thread(_report, self._home, case)

    async def note_outcome(self, case: str, number: int, status: PredictionStatus) -> None:
        """Write into a kept case what became of one of its predictions."""
        async with self._files.setdefault(case, asyncio.Lock()):
            await asyncio.to_thread(_note_outcome, self._home, case, number, status)

    async def _run(self, job: Job, tell: Tell | None) -> object:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_child, args=(theirs, job), daemon=True)
        await asyncio.to_thread(process.start)
        theirs.close()
        try:
            told = await asyncio.to_thread(_listen, ours, tell)
        finally:
            # also where this task was cancelled: the thread above ends with the pipe
            process.kill()
            await asyncio.shield(asyncio.to_thread(process.join))
            ours.close()
        return _result(told)


def _result(told: _Told | None) -> object:
    if told is None:
        raise RootcauseError(ENDED)
    if told.kind == "failed":
        raise cast("RootcauseError", told.what)
    if told.kind == "fault":
        log.error("a fault in the engine", extra={"fault": told.what})
        raise RootcauseError(FAULT)
    return told.what


def _listen(pipe: Connection, tell: Tell | None) -> _Told | None:
    """Pass progress on until the child has told its result; None where it ended without one."""
    with suppress(EOFError, OSError):
        while True:
            told = cast("_Told", pipe.recv())
            if told.kind != "reading":
                return told
            if tell is not None:
                tell(cast("Reading", told.what))
    return None


def _child(pipe: Connection, job: Job) -> None:
    # the parent decides when to end: a Ctrl-C on the terminal reaches children too
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(pipe,), daemon=True).start()

    def tell(reading: Reading) -> None:
        pipe.send(_Told("reading", reading))

    try:
        told = _Told("done", job(tell))
    except RootcauseError as error:
        told = _Told("failed", error)
    except Exception as error:  # noqa: BLE001 - the outermost frame of a process: the parent logs it
        # without its message, which may quote what people wrote
        told = _Told("fault", f"{type(error).__qualname__}\n{''.join(traceback.format_tb(error.__traceback__))}")
    with suppress(OSError):
        pipe.send(told)


def _end_with_parent(pipe: Connection) -> None:
    with suppress(EOFError, OSError):
        pipe.recv()
    os._exit(1)


@dataclass(frozen=True, slots=True)
class _Investigation:
    sources: SourceFactory
    home: CaseHome
    ask: Ask
    analysts: AnalystFactory | None

    def __call__(self, tell: Tell) -> str:
        watch = Watch(tell)
        sources = self.sources(self.ask)
        window = window_words(self.ask)
        report = investigate(
            watched(sources, watch),
            self.home,
            question=question_of(self.ask),
            window=window.words,
            progress=watch.progress,
            analyst=self.analysts(self.ask.place.channel) if self.analysts else None,
            asked_span=window.window if any(hasattr(source, "examine") for source in sources) else None,
        )
        return report.case


@dataclass(frozen=True, slots=True)
class _FollowUp:
    home: CaseHome
    case: str
    ask: Ask
    analysts: AnalystFactory | None

    def __call__(self, _tell: Tell) -> Answer:
        analyst = self.analysts(self.ask.place.channel) if self.analysts else None
        with self.home.open(self.case) as case:
            return replace(follow_up(case, self.ask.question, analyst), case=self.case)


def question_of(ask: Ask) -> str | None:
    """Give what is asked, the namespaces named in it even where they were chosen in a form."""
    missing = [name for name in ask.namespaces if name not in ask.question]
    words = [ask.question.strip(), f"(in {', '.join(missing)})" if missing else ""]
    return " ".join(word for word in words if word) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedWindow:
    """A window as it was meant when it was asked for, and in words that mean the same to an investigation."""

    window: Window
    words: str | None


def window_words(ask: Ask) -> AskedWindow:
    """Read an ask's window in the asker's time zone; raises UsageError for what is no window.

    A mere length ("5d") stays one: the investigation counts it back from the end of the evidence, which for an export
    is not now. Anything else becomes a span of instants.
    """
    if ask.window is None:
        return AskedWindow(window=Window(start=ask.asked_at - _ALL, end=ask.asked_at, asked=""), words=None)
    zone = _zone(ask.asker.tz)
    span = parse_window(ask.window, now=ask.asked_at, tz=zone)
    later = parse_window(ask.window, now=ask.asked_at + _ASKEW, tz=zone)
    if span.end == ask.asked_at and later.end == ask.asked_at + _ASKEW and span.length_s == later.length_s:
        return AskedWindow(window=span, words=ask.window)
    return AskedWindow(window=span, words=f"{rfc3339(span.start)}..{rfc3339(span.end)}")


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _report(home: CaseHome, case: str) -> Report:
    with home.open(case) as opened:
        stored = opened.report()
    if stored is None:
        raise CaseError(f"Case {case} holds no report: ask for the investigation again.")
    return report_from_json(stored)


def _note_outcome(home: CaseHome, case: str, number: int, status: PredictionStatus) -> None:
    with home.open(case) as opened:
        opened.note_outcome(number, status)


def _nothing(_tell: Tell) -> None:
    """Do nothing: the first child proves that children can be had."""
