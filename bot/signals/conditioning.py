"""Ask a tie again given a third signal: a common cause of both, or a step on the way from one to the other.

Three things can tell, each only where the data hold it apart: among the third's occurrences, does the effect come more
often with the cause than without it (Fisher's exact test); does it follow a cause that stands without the third more often
than chance (binomial); and where both come, do their times move together beyond the third's (Spearman's rank correlation of
lags). They look at different occurrences, or at occurrences and times, and are combined by the product of their p-values.
Where cause and third never come alone and their times are too coarse, nothing can tell, and that is the answer.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bot.domain.link import Held, Link
from bot.domain.signal import SignalId
from bot.domain.window import Window
from bot.signals.links import BLIND, CHANCE_P, SUPPORTED_P
from bot.signals.statistics import binomial_tail, combined, covered_share, fisher_exact, spearman
from bot.signals.trains import Range, Train, matches, range_of, spans_of

LEAST = 4
"""Occurrences of each of the three from which on one may ask."""
LEAST_LAGS = 8
EXACT_S = 5.0
"""How exact times must be for their lags to be compared: noise in the third's times would pass for a tie."""


@dataclass(frozen=True)
class Tie:
    """A supported pair as conditioning sees it."""

    cause: Train
    effect: Train
    lag: Range

    @cached_property
    def followed(self) -> Mapping[int, int]:
        """The first effect after each cause that has one."""
        return {match.cause: match.effect for match in matches(self.cause, self.effect, self.lag)}

    @cached_property
    def led(self) -> Mapping[int, int]:
        """The last cause before each effect that has one."""
        spans = spans_of(self.cause, self.lag)
        found: dict[int, int] = {}
        for index, (low, high) in enumerate(spans):
            for effect, start in enumerate(self.effect.starts_s):
                if low <= start <= high:
                    found[effect] = index
        return found

    def chance(self, window: Window) -> float:
        """The share of the window from which an effect is in reach."""
        reach = sorted(high - low for low, high in spans_of(self.cause, self.lag))
        typical = reach[len(reach) // 2]
        before = [(start - typical, start) for start in self.effect.starts_s]
        return covered_share(before, window.start_s - typical, window.end_s)


def tie_of(link: Link, trains: Mapping[SignalId, Train]) -> Tie:
    """Give a tested link as a tie, within the lags it was tested with."""
    return Tie(trains[link.cause], trains[link.effect], range_of(link.test))


def given_cause(tie: Tie, to_cause: Tie, to_effect: Tie, window: Window) -> Held:
    """Ask a tie again given a signal that precedes both its ends."""
    return _given(tie, to_cause.cause, to_cause.followed, to_effect.followed, to_cause.led, window)


def given_step(tie: Tie, to_step: Tie, from_step: Tie, window: Window) -> Held:
    """Ask a tie again given a signal that stands between its ends."""
    return _given(tie, from_step.cause, to_step.led, from_step.followed, to_step.followed, window)


def _given(
    tie: Tie,
    third: Train,
    cause_of: Mapping[int, int],
    effect_of: Mapping[int, int],
    accompanied: Container[int],
    window: Window,
) -> Held:
    """Ask given ``third``, whose occurrences lead to the tie's ends; ``accompanied`` are the causes that came with it."""
    with_cause, with_effect = set(cause_of), set(effect_of)
    alone = [index for index in range(len(tie.cause.starts_s)) if index not in accompanied]
    pairs = [
        (_lag(third, at, tie.cause, cause_of[at]), _lag(third, at, tie.effect, effect_of[at]))
        for at in sorted(with_cause & with_effect)
    ]
    return _told(tie, third, with_cause, with_effect, alone, pairs, window)


def _lag(third: Train, at: int, other: Train, index: int) -> float:
    return other.starts_s[index] - third.starts_s[at]


def _told(
    tie: Tie,
    third: Train,
    with_cause: set[int],
    with_effect: set[int],
    alone: Sequence[int],
    pairs: Sequence[tuple[float, float]],
    window: Window,
) -> Held:
    """Combine what can tell, each look counted only where its best result would have been telling."""
    total = len(third.starts_s)
    looks = []
    first, second = len(with_cause), len(with_effect)
    if _fisher(min(first, second), first, second, total) <= BLIND:
        looks.append(_fisher(len(with_cause & with_effect), first, second, total))
    chance = tie.chance(window)
    if alone and chance ** len(alone) <= BLIND:
        looks.append(binomial_tail(sum(index in tie.followed for index in alone), len(alone), chance))
    exact = max(third.slack_s, tie.cause.slack_s, tie.effect.slack_s) <= EXACT_S
    if exact and len(pairs) >= LEAST_LAGS and _vary(pairs):
        looks.append(spearman([a for a, _ in pairs], [b for _, b in pairs])[1])
    if not looks:
        apart = bool(alone) or first < total
        return Held(
            verdict="cannot_tell",
            p_value=None,
            reason="they stand apart too seldom to tell" if apart else "the two never occur alone",
        )
    p_value = combined(looks)
    if p_value <= SUPPORTED_P:
        return Held(verdict="stays", p_value=p_value, reason="stays")
    if p_value > CHANCE_P:
        return Held(verdict="explained", p_value=p_value, reason="nothing is left of it")
    return Held(verdict="cannot_tell", p_value=p_value, reason="too little is left of it to tell")


def _fisher(both: int, first: int, second: int, total: int) -> float:
    """Give the chance of ``both`` or more in common, of ``first`` and ``second`` of ``total``."""
    return fisher_exact(both, first - both, second - both, total - first - second + both)


def _vary(pairs: Sequence[tuple[float, float]]) -> bool:
    """Tell whether both lags spread wider than their times are exact."""
    return all(max(one) - min(one) > 2 * EXACT_S for one in zip(*pairs, strict=True))


class Conditioning:
    """The supported ties of a case, asked about given each other."""

    def __init__(self, links: Sequence[Link], trains: Mapping[SignalId, Train], window: Window) -> None:
        self._window = window
        self._links = {
            (link.cause, link.effect): link
            for link in links
            if link.test.status == "supported"
            and link.test.anchor != "since"
            and min(len(trains[link.cause].starts_s), len(trains[link.effect].starts_s)) >= LEAST
        }
        self._ties = {pair: tie_of(link, trains) for pair, link in self._links.items()}
        self._leading: dict[SignalId, set[SignalId]] = {}
        for cause, effect in self._links:
            self._leading.setdefault(effect, set()).add(cause)

    def common_cause(self, cause: SignalId, effect: SignalId) -> Held | None:
        """Ask a tie given each signal that precedes both; the one that tells most against it counts.

        A third signal explains a tie away only where it stays tied to the effect itself when the cause is held fixed: else
        the cause may be the way by which the third acts. None where nothing precedes both.
        """
        if (cause, effect) not in self._ties:
            return None
        found: list[Held] = []
        shared = self._leading.get(cause, set()) & self._leading.get(effect, set())
        for third in sorted(shared - {cause, effect}):
            if (cause, third) in self._links:
                continue  # each precedes the other: times cannot tell which is the earlier
            told = self.given(third, cause, effect)
            if told is not None:
                found.append(told)
        order = {"explained": 0, "stays": 1, "cannot_tell": 2}
        return min(found, key=lambda one: (order[one.verdict], -(one.p_value or 0.0), str(one.given)), default=None)

    def given(self, third: SignalId, cause: SignalId, effect: SignalId) -> Held | None:
        """Ask a tie given one signal that precedes both its ends; None where one of the three pairs is not tied."""
        pairs = ((cause, effect), (third, cause), (third, effect))
        if any(pair not in self._ties for pair in pairs):
            return None
        tie, to_cause, to_effect = (self._ties[pair] for pair in pairs)
        told = given_cause(tie, to_cause, to_effect, self._window)
        if told.verdict == "explained" and not self._direct(third, cause, effect):
            told = replace(told, verdict="cannot_tell", reason="it may be the way by which the other acts")
        return replace(told, given=third)

    def by_way_of(self, cause: SignalId, step: SignalId, effect: SignalId) -> Held | None:
        """Ask a tie given a step between its ends; None where one of the three pairs is not tied."""
        pairs = ((cause, effect), (cause, step), (step, effect))
        if any(pair not in self._ties for pair in pairs):
            return None
        tie, to_step, from_step = (self._ties[pair] for pair in pairs)
        return replace(given_step(tie, to_step, from_step, self._window), given=step)

    def _direct(self, third: SignalId, cause: SignalId, effect: SignalId) -> bool:
        held = self.by_way_of(third, cause, effect)
        return held is not None and held.verdict == "stays"
