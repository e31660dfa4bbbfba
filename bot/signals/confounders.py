"""Hold what passed the tests against what could explain it otherwise: the daily cycle, and a cause common to both ends.

Leaves out how either is tested (``cycles``, ``conditioning``) and how many pairs were tried (``discoveries``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.domain.link import Held, Link, LinkTest
from bot.domain.signal import Kind, Signal, SignalId
from bot.domain.window import Window
from bot.signals.conditioning import Conditioning
from bot.signals.cycles import by_time_of_day
from bot.signals.links import SUPPORTED_P, Train

CARRIERS = frozenset({Kind.TRAFFIC_RISE})
"""Kinds that are the daily cycle themselves: holding the time of day fixed would hold them fixed."""


class DailyCycle:
    """Asks ties again with the time of day held fixed, and remembers the answers."""

    def __init__(self, signals: Sequence[Signal], trains: Mapping[SignalId, Train], window: Window) -> None:
        self._trains, self._window = trains, window
        self._schedules = [trains[one.id] for one in signals if one.kind is Kind.JOB_RUN and one.period_s is not None]
        self._told: dict[tuple[SignalId, SignalId], Held | None] = {}

    def ask(self, cause: Signal, effect: Signal, test: LinkTest) -> Held | None:
        """Ask one tie; None where the daily cycle could not make it, or too few days were seen to ask."""
        if cause.kind in CARRIERS:
            return None
        pair = (cause.id, effect.id)
        if pair not in self._told:
            self._told[pair] = by_time_of_day(
                self._trains[cause.id], self._trains[effect.id], test, self._window, self._schedules
            )
        return self._told[pair]

    def told(self, cause: Signal, effect: Signal) -> Held | None:
        """Give the answer where a tie was asked about."""
        return self._told.get((cause.id, effect.id))


def beside(test: LinkTest, held: Held | None, corrected: float | None, *, known: bool) -> LinkTest:
    """Put in how a tie stands with the time of day held fixed; one that is explained by it is refuted.

    ``corrected`` is the p-value of that, corrected for the other ties that were asked. Where nothing can tell, a ``known``
    tie stands, and whoever reads it is told; any other is left open.
    """
    if held is None:
        return test
    if held.p_value is not None and corrected is not None:
        held = replace(held, p_value=corrected)
    if held.verdict == "stays" and (held.p_value or 0.0) > SUPPORTED_P:
        held = replace(held, verdict="cannot_tell", reason="too little is left of it with the time of day held fixed")
    test = replace(test, time_of_day=held)
    if test.status == "refuted" or held.verdict == "stays" or (held.verdict == "cannot_tell" and known):
        return test
    return replace(test, status="refuted" if held.verdict == "explained" else "untested", reason=held.reason)


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
