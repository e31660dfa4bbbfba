"""Say of each link of a cascade whether it is direct, and how it stands with the time of day, or a beat, held fixed.

Leaves out how each is measured (``signals.conditioning``, ``signals.cycles``, ``signals.rhythms``); what the data cannot tell is said to be so.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.analyst.findings import Findings
from bot.analyst.words import noun, p_words
from bot.domain.link import Chain, Held, HeldVerdict, Link, Route, Ways
from bot.domain.report import HeldFixed, StepLink
from bot.domain.signal import SignalId
from bot.domain.spelling import beat

TIME_OF_DAY = "time of day"


class Routes:
    """The links of one chain, asked about given its other steps."""

    def __init__(self, chain: Chain, findings: Findings, links: Sequence[Link]) -> None:
        self._place = {signal.id: place for place, signal in enumerate(chain.signals)}
        self._findings = findings
        inside = {
            (one.cause, one.effect): one
            for one in findings.links
            if one.cause in self._place and one.effect in self._place
        }
        inside |= {(one.cause, one.effect): one for one in links}
        self._ways = findings.ways(chain.signals, list(inside.values())) if findings.ways is not None else None

    def told(self, link: Link, drawn: StepLink) -> StepLink:
        """Put into a link what is known of its route, of the time of day and of a beat that both ends keep."""
        daily, rhythm = link.test.time_of_day, link.test.rhythm
        drawn = replace(
            drawn,
            time_of_day=None if daily is None else self._fixed(daily),
            rhythm=None if rhythm is None else self._fixed(rhythm),
        )
        if link.test.status != "supported" or self._ways is None:
            return drawn
        ways = self._ways
        between = self._between(link, ways)
        if between:
            return self._by_way(drawn, between)
        common = [held for third in self._before(link) if (held := ways.given(third, link.cause, link.effect))]
        if not common:
            return replace(drawn, route="direct")
        weakest = min(common, key=lambda held: (held.verdict == "stays", -self._place[_third(held)]))
        return replace(
            drawn, route="direct" if weakest.verdict == "stays" else "cannot_tell", given=self._fixed(weakest)
        )

    def _by_way(self, drawn: StepLink, between: Sequence[Held]) -> StepLink:
        rank = {"explained": 0, "cannot_tell": 1, "stays": 2}
        told = min(between, key=lambda held: (rank[held.verdict], -(held.p_value or 0.0), self._place[_third(held)]))
        routes: dict[HeldVerdict, Route] = {"explained": "indirect", "cannot_tell": "cannot_tell", "stays": "direct"}
        return replace(drawn, route=routes[told.verdict], given=self._fixed(told))

    def _between(self, link: Link, ways: Ways) -> list[Held]:
        low, high = self._place[link.cause], self._place[link.effect]
        steps = [one for one, place in self._place.items() if low < place < high]
        return [held for one in steps if (held := ways.by_way_of(link.cause, one, link.effect)) is not None]

    def _before(self, link: Link) -> list[SignalId]:
        return [one for one, place in self._place.items() if place < self._place[link.cause]]

    def _fixed(self, held: Held) -> HeldFixed:
        return HeldFixed(given=self._name(held), verdict=held.verdict, p_value=held.p_value, reason=held.reason)

    def _name(self, held: Held) -> str:
        if held.given is None:
            return TIME_OF_DAY if held.beat_s is None else beat(held.beat_s)
        if held.given in self._place:
            return f"S{self._place[held.given] + 1}"
        signal = self._findings.signals[held.given]
        return f"{noun(signal.kind)} of {signal.entity}"


def _third(held: Held) -> SignalId:
    assert held.given is not None
    return held.given


def why_explained(link: Link, findings: Findings) -> str | None:
    """Say what explains a tie away, with its numbers; None where nothing does."""
    daily, rhythm, common = link.test.time_of_day, link.test.rhythm, link.test.common_cause
    if daily is not None and daily.verdict == "explained":
        return f"explained by the daily cycle: {p_words(daily.p_value)} once the time of day is held fixed"
    if rhythm is not None and rhythm.verdict == "explained" and rhythm.beat_s is not None:
        clock = beat(rhythm.beat_s)
        return f"both follow {clock}: {_left(rhythm.p_value)} once {clock} is held fixed"
    if common is not None and common.verdict == "explained" and common.given is not None:
        third = findings.signals[common.given]
        return (
            f"explained by {noun(third.kind)} of {third.entity}, which precedes both: {p_words(common.p_value)} once that "
            "is held fixed"
        )
    return None


def _left(p_value: float | None) -> str:
    return "nothing is left of it" if p_value is None else p_words(p_value)
