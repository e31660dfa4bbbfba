"""When what a log tells of began: a timeout or a slow request is written down when it ends, having waited from its begin.

Its line often says how long that was, and so dates the beginning of the trouble: had the trouble come much later, the request
would have been answered by then. That holds for what waits in vain, not for what is cut off in the middle of its work. Leaves
out how durations are read (``durations``).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from bot.domain.items import ItemId
from bot.domain.signal import Kind, Occurrence, Signal
from bot.signals.durations import waited_s
from bot.signals.statistics import quantile

WAITING = frozenset({Kind.TIMEOUT, Kind.LATENCY, Kind.SLOW_QUERY, Kind.LOCK_WAIT, Kind.POOL_EXHAUSTION})
"""Kinds of line that are written when a wait is over."""
GATEWAY_TIMEOUT = "504"
"""The status of a response that was waited for in vain (RFC 9110, section 15.6.5)."""
LONGEST_S = 600.0
"""A longer wait than this is a job's or a session's."""
USUAL = 2.0
"""Times the usual wait beyond which a single one is something else that was slow for reasons of its own."""
MOST_READ = 3_000
"""Lines read for this in all: those that begin an occurrence, the first occurrences of every signal."""


def dated_back(
    signals: Sequence[Signal], texts_of: Callable[[Sequence[int]], Iterable[tuple[int, str]]]
) -> list[Signal]:
    """Tell of every signal of waits for how long each occurrence had gone on when its first line was written."""
    asked = {signal.id: list(_first_lines(signal)) for signal in signals if _waits(signal) and signal.occurrences}
    each = MOST_READ // max(1, len(asked))
    numbers = sorted({number for lines in asked.values() for number in lines[:each]})
    said = {number: seconds for number, text in texts_of(numbers) if (seconds := waited_s(text)) is not None}
    return [_with_waits(signal, said) if signal.id in asked else signal for signal in signals]


def _waits(signal: Signal) -> bool:
    timed_out = signal.attributes.get("status") == GATEWAY_TIMEOUT or signal.attributes.get("cause") == Kind.TIMEOUT
    return signal.kind in WAITING or (signal.kind is Kind.SERVER_ERROR and timed_out)


def _first_lines(signal: Signal) -> Iterator[int]:
    """Give the numbers of the lines that occurrences begin with."""
    return (_number(one.refs[0]) for one in signal.occurrences if one.refs)


def _with_waits(signal: Signal, said: dict[int, float]) -> Signal:
    told = sorted(said[number] for number in _first_lines(signal) if number in said)
    most = min(LONGEST_S, USUAL * quantile(told, 0.5)) if told else 0.0
    ones = (replace(one, waited_s=_waited(one, said, most)) for one in signal.occurrences)
    return replace(signal, occurrences=tuple(ones))


def _waited(one: Occurrence, said: dict[int, float], most_s: float) -> float:
    seconds = said.get(_number(one.refs[0]), 0.0) if one.refs else 0.0
    return seconds if seconds <= most_s else 0.0


def _number(ref: ItemId) -> int:
    return int(ref[1:])
