"""A crowd, as request lines tell it: of a sudden far more asked for the very thing that then failed, before it failed.

Who is refused asks again, so that a rise that begins with the failures, or after them, may be their effect and is left out; so
is what rises over an hour as it does every day. Leaves out how requests are counted (``request_counts``).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.domain.signal import Kind, Occurrence, Signal, signal_id
from bot.signals.bursts import BIN_S
from bot.signals.request_counts import Counts, Requests

TIMES = 2.0
"""How many times the rate before makes a crowd: capacity is seldom planned for half as much again, hardly ever for less."""
LEAST_BEFORE = 1.0
"""Requests a minute below which a rise is too easily made by one asker."""
STAYS = 1.5
"""The same until which it lasts."""
ONSET = 3
"""Minutes that a rise is judged by."""
BEFORE = 60
"""Minutes before it that it is held against, as far as there are so many; at least a quarter of them."""
SIGMAS = 6.0
"""Standard deviations of a Poisson count by which it must stand out: of a month's minutes none does by chance."""
AHEAD_S = BIN_S / 2
"""By how much a crowd must come before the first failure, at least: the counts know the minute only."""


def crowds(signal: Signal, requests: Requests | None) -> Iterator[Signal]:
    """Give the crowds that asked for what a signal's requests failed to get, as a signal of whom those name most."""
    if requests is None or signal.kind is not Kind.SERVER_ERROR or not signal.occurrences:
        return
    ones, window = [], requests.window
    for first, last, before, during in _risen(requests.a_minute(), requests.served_a_minute()):
        start_s, end_s = window.start_s + first * BIN_S, min(window.end_s, window.start_s + last * BIN_S)
        if not _begun_by(signal.occurrences, start_s) and _ahead(signal.occurrences, requests, first, before):
            refs = [ref for one in signal.occurrences if start_s <= one.start_s <= end_s for ref in one.refs]
            note = f"{before:.3g} → {during:.3g} requests a minute"
            ones.append(
                Occurrence(
                    start_s=start_s, end_s=end_s, size=during / max(before, 1e-9), refs=tuple(refs[:2]), note=note
                )
            )
    if ones:
        whose = signal.mentions[0] if signal.mentions else signal.entity
        yield Signal(
            id=signal_id(Kind.TRAFFIC_RISE, whose, "requests"),
            kind=Kind.TRAFFIC_RISE,
            entity=whose,
            label="more asked for it",
            source=signal.source,
            occurrences=tuple(ones),
            total=len(ones),
            subject="requests",
            mentions=(signal.entity,) if whose != signal.entity else (),
        )


def _risen(a_minute: Counts, served: Counts) -> Iterator[tuple[int, int, float, float]]:
    """Give ``(first, last, before, during)`` of each sudden rise: minutes ``[first, last)`` and mean counts a minute.

    What comes more must be served at first: lines of failures alone tell no crowd.
    """
    summed = np.concatenate(([0], np.cumsum(a_minute, dtype=np.int64)))
    places = np.arange(BEFORE // 4, len(a_minute) - ONSET + 1)
    if not len(places):
        return
    since = np.maximum(0, places - BEFORE)
    usual = (summed[places] - summed[since]) / (places - since)
    came, expected = summed[places + ONSET] - summed[places], usual * ONSET
    sudden = (came >= TIMES * expected) & (came >= expected + SIGMAS * np.sqrt(expected + 1.0))
    begins = sudden & (usual >= LEAST_BEFORE) & (served[places] >= TIMES * usual)
    begins &= a_minute[places - 1] < TIMES * usual  # else it began before, out of nothing
    free = 0
    for at, before in zip(places[begins].tolist(), usual[begins].tolist(), strict=True):
        if at < free:
            continue
        last = at + ONSET
        while last < len(a_minute) and _mean(summed, last) >= STAYS * before:
            last += 1
        yield at, last, before, float(summed[last] - summed[at]) / (last - at)
        free = last + BEFORE // 4


def _ahead(failures: Sequence[Occurrence], requests: Requests, first: int, before: float) -> bool:
    """Tell whether so many had come by the first failure already that chance did not bring them: not a few, and minutes later the refused."""
    start_s = requests.window.start_s + first * BIN_S
    failed_s = min((one.start_s for one in failures if one.start_s >= start_s), default=start_s)
    minutes = int((failed_s - start_s) // BIN_S)
    expected = before * minutes
    came = float(requests.a_minute()[first : first + minutes].sum())
    return minutes < 2 or came >= expected + SIGMAS * float(np.sqrt(expected + 1.0))


def _mean(summed: NDArray[np.int64], at: int) -> float:
    end = min(at + ONSET, len(summed) - 1)
    return float(summed[end] - summed[at]) / (end - at)


def _begun_by(failures: Sequence[Occurrence], start_s: float) -> bool:
    """Tell whether something failed already, or within the minute, when a rise began."""
    return any(one.start_s - one.waited_s < start_s + AHEAD_S and one.end_s >= start_s for one in failures)
