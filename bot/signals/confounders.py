"""Hold what passed the tests against what could explain it otherwise: the daily cycle, a beat, and a cause common to both ends.

Leaves out how each is tested (``cycles``, ``rhythms``, ``conditioning``) and how many pairs were tried (``discoveries``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.link import Held, Link, LinkTest
from bot.domain.signal import Kind, Signal, SignalId
from bot.domain.spelling import beat
from bot.domain.window import Window
from bot.signals.conditioning import Conditioning
from bot.signals.cycles import by_time_of_day
from bot.signals.discoveries import Asked
from bot.signals.links import SUPPORTED_P
from bot.signals.rhythms import FOLLOWS_P, by_rhythm
from bot.signals.trains import Train

CARRIERS = frozenset({Kind.TRAFFIC_RISE})
"""Kinds that are the daily cycle themselves: holding the time of day fixed would hold them fixed."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A tie asked again with the time of day held fixed, and with the beat held fixed that both ends keep; None where neither could make it."""

    time_of_day: Held | None
    rhythm: Held | None


class ByTheClock:
    """Asks ties again with what a clock could have made of them held fixed, and remembers the answers."""

    def __init__(self, signals: Sequence[Signal], trains: Mapping[SignalId, Train], window: Window) -> None:
        self._trains, self._window = trains, window
        self._schedules = [trains[one.id] for one in signals if one.kind is Kind.JOB_RUN and one.period_s is not None]
        self._told: dict[tuple[SignalId, SignalId], Timed] = {}

    def ask(self, cause: Signal, effect: Signal, test: LinkTest, *, known: bool, likely: bool) -> Asked:
        """Ask one tie and give a p-value for the day and one for the beat; None where neither could make it.

        A ``known`` tie stands beside the daily cycle where nothing can tell, a ``likely`` one beside another beat.
        """
        pair = (cause.id, effect.id)
        if pair not in self._told:
            self._told[pair] = self._asked(cause, effect, test)
        told = self._told[pair]
        return _against(told.time_of_day, stands=known), _against(told.rhythm, stands=likely)

    def told(self, cause: Signal, effect: Signal) -> Timed:
        """Give the answers where a tie was asked about."""
        return self._told.get((cause.id, effect.id), Timed(None, None))

    def _asked(self, cause: Signal, effect: Signal, test: LinkTest) -> Timed:
        trains = self._trains[cause.id], self._trains[effect.id]
        own_s = [one.period_s for one in (cause, effect) if one.period_s is not None]
        # the traffic is the daily cycle itself: holding the time of day fixed would hold it fixed
        daily = None if cause.kind in CARRIERS else by_time_of_day(*trains, test, self._window, self._schedules)
        return Timed(daily, by_rhythm(*trains, test, self._window, own_s))


def _against(held: Held | None, *, stands: bool) -> float | None:
    if held is None or (held.verdict == "cannot_tell" and stands):
        return None
    return 1.0 if held.p_value is None else held.p_value


def beside(test: LinkTest, told: Timed, corrected: Asked, *, known: bool, likely: bool) -> LinkTest:
    """Put in how a tie stands with a clock held fixed; one that is explained by it is refuted.

    ``corrected`` are the p-values of that, corrected for the other ties that were asked. Where nothing can tell, a ``known``
    tie stands beside the daily cycle and a ``likely`` one beside another beat, and whoever reads it is told; any other is left
    open.
    """
    if told.time_of_day is None and told.rhythm is None:
        return test
    by_day, by_beat = corrected or (None, None)
    daily, rhythm = _corrected(told.time_of_day, by_day), _corrected(told.rhythm, by_beat)
    test = replace(test, time_of_day=daily, rhythm=rhythm)
    for held, stands in ((daily, known), (rhythm, likely)):
        if (
            held is None
            or test.status == "refuted"
            or held.verdict == "stays"
            or (held.verdict == "cannot_tell" and stands)
        ):
            continue
        test = replace(test, status="refuted" if held.verdict == "explained" else "untested", reason=held.reason)
    return test


def _corrected(held: Held | None, corrected: float | None) -> Held | None:
    if held is None or held.p_value is None or corrected is None:
        return held
    held = replace(held, p_value=corrected)
    if held.verdict == "stays" and corrected > (SUPPORTED_P if held.beat_s is None else FOLLOWS_P):
        fixed = "the time of day" if held.beat_s is None else beat(held.beat_s)
        return replace(held, verdict="cannot_tell", reason=f"too little is left of it with {fixed} held fixed")
    return held


def beside_common_causes(links: Sequence[Link], trains: Mapping[SignalId, Train], window: Window) -> list[Link]:
    """Put in how every supported tie stands with what precedes both its ends held fixed; refute what is explained by it."""
    asked = Conditioning(links, trains, window)
    return [_beside_common_cause(link, asked.common_cause(link.cause, link.effect)) for link in links]


def _beside_common_cause(link: Link, held: Held | None) -> Link:
    if held is None:
        return link
    test = replace(link.test, common_cause=held)
    if held.verdict == "explained":
        test = replace(test, status="refuted", reason="explained by a common cause of both")
    return replace(link, test=test)
