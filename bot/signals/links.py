"""Test whether one signal follows another: lags, hits, misses, a p-value, and whether more brings more.

The null hypothesis: the cause's times have nothing to do with the effect's. Each cause is shifted, independently and
uniformly over the window; the chance that it is then followed by an effect within the lag range is the share of the
window that lies within that range before an effect, so the number of hits is binomial, exactly. The same is asked the
other way round (an effect shifted against the causes), and the larger p-value counts. Causes that stay in force are
tested for the rate of effects before and after them instead. Leaves out which pairs are worth testing (``pairs``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.link import Dose, Lag, LinkStatus, LinkTest
from bot.domain.signal import Occurrence, Signal
from bot.domain.window import Window
from bot.signals.bursts import fold_gap_s
from bot.signals.mechanisms import Anchor
from bot.signals.statistics import binomial_tail, covered_share, quantile, spearman

SUPPORTED_P = 0.05
"""Corrected p-value up to which a tie counts as shown."""
TEST_SHIFT = "independently shifted times, binomial"
TEST_SINCE = "rate before and after, binomial"
TEST_NONE = "not tested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The lags (seconds) at which an effect may follow, and from where on the cause they count."""

    low_s: float
    high_s: float
    anchor: Anchor = "start"


@dataclass(frozen=True, slots=True)
class Match:
    """Which effect follows which cause: pairs of indexes and the lag between them in seconds."""

    cause: int
    effect: int
    lag_s: float


def slack_s(signal: Signal) -> float:
    """Give how far a signal's times may be off: a scrape step for series, seconds for logs and events."""
    step = signal.attributes.get("step_s")
    if step is not None:
        return min(900.0, 1.5 * float(step))
    return 300.0 if signal.source == "prometheus" else 5.0


def spans_of(causes: Sequence[Occurrence], lag: Range) -> list[tuple[float, float]]:
    """Give the stretch of time after each cause in which an effect counts as its own."""
    if lag.anchor == "end":
        return [(c.end_s + lag.low_s, c.end_s + lag.high_s) for c in causes]
    if lag.anchor == "during":
        return [(c.start_s + lag.low_s, c.end_s + lag.high_s) for c in causes]
    return [(c.start_s + lag.low_s, c.start_s + lag.high_s) for c in causes]


def matches(causes: Sequence[Occurrence], effects: Sequence[Occurrence], lag: Range) -> list[Match]:
    """Pair every cause with the first effect that begins in its stretch of time; both ascending."""
    found = []
    for index, (low, high) in enumerate(spans_of(causes, lag)):
        cause = causes[index]
        begun = cause.end_s if lag.anchor == "end" else cause.start_s
        for place, effect in enumerate(effects):
            if effect.start_s > high:
                break
            if effect.start_s >= low:
                found.append(Match(index, place, effect.start_s - begun))
                break
    return found


def explained(causes: Sequence[Occurrence], effects: Sequence[Occurrence], lag: Range) -> set[int]:
    """Give the indexes of the effects that begin in some cause's stretch of time."""
    spans = spans_of(causes, lag)
    return {index for index, effect in enumerate(effects) if any(low <= effect.start_s <= high for low, high in spans)}


def measure(cause: Signal, effect: Signal, lag: Range, window: Window) -> LinkTest:
    """Test whether ``effect`` follows ``cause`` within the lag range; the p-value is not yet corrected.

    Both are folded first, so that twenty kills in a minute count once. The lag range is widened by what the two
    sources' clocks and steps leave open.
    """
    slack = slack_s(cause) + slack_s(effect)
    wide = Range(low_s=lag.low_s - slack, high_s=lag.high_s + slack, anchor=lag.anchor)
    gap = fold_gap_s(window.length_s)
    causes = folded(cause.occurrences, gap)
    effects = folded(effect.occurrences, gap)
    if not causes or not effects:
        return LinkTest(
            status="untested",
            test=TEST_NONE,
            hits=0,
            misses=len(causes),
            unexplained=len(effects),
            lag=None,
            p_value=None,
            lag_range_s=(lag.low_s, lag.high_s),
            reason="one of the two has no clear occurrence in the window",
            effects=len(effects),
        )
    if lag.anchor == "since":
        return _test_since(causes, effects, wide, window)
    return _test_shifted(causes, effects, wide, window)


def judge(test: LinkTest, p_value: float | None) -> LinkTest:
    """Put in the corrected p-value and say whether the tie is supported, refuted or left open."""
    status: LinkStatus = "untested"
    reason = test.reason
    if p_value is not None:
        if test.hits and p_value <= SUPPORTED_P:
            status = "supported"
        elif not test.hits:
            status, reason = "refuted", reason or "no effect follows it in time"
        elif p_value > 0.2 and not test.reason:
            status, reason = "refuted", "it follows no more often than chance would have it"
    return LinkTest(
        status=status,
        test=test.test,
        hits=test.hits,
        misses=test.misses,
        unexplained=test.unexplained,
        lag=test.lag,
        p_value=p_value,
        lag_range_s=test.lag_range_s,
        dose=test.dose,
        reason=reason,
        effects=test.effects,
    )


def folded(occurrences: Sequence[Occurrence], gap_s: float) -> list[Occurrence]:
    """Fold occurrences that begin within ``gap_s`` of the end of the one before into one."""
    result: list[Occurrence] = []
    for one in occurrences:
        if result and one.start_s - result[-1].end_s <= gap_s:
            last = result[-1]
            result[-1] = Occurrence(
                start_s=last.start_s,
                end_s=max(last.end_s, one.end_s),
                size=last.size + one.size,
                refs=last.refs,
                note=last.note,
            )
        else:
            result.append(one)
    return result


def _test_shifted(causes: Sequence[Occurrence], effects: Sequence[Occurrence], lag: Range, window: Window) -> LinkTest:
    found = matches(causes, effects, lag)
    told = explained(causes, effects, lag)
    reach = [high - low for low, high in spans_of(causes, lag)]
    typical = sorted(reach)[len(reach) // 2]
    before = [(e.start_s - typical, e.start_s) for e in effects]
    start, end = window.start_s, window.end_s
    by_cause = binomial_tail(len(found), len(causes), covered_share(before, start - typical, end))
    by_effect = binomial_tail(len(told), len(effects), covered_share(spans_of(causes, lag), start, end))
    return LinkTest(
        status="untested",
        test=TEST_SHIFT,
        hits=len(found),
        misses=len(causes) - len(found),
        unexplained=len(effects) - len(told),
        lag=_lag([m.lag_s for m in found]),
        p_value=max(by_cause, by_effect),
        lag_range_s=(lag.low_s, lag.high_s),
        dose=_dose(causes, effects, found),
        effects=len(effects),
    )


def _test_since(causes: Sequence[Occurrence], effects: Sequence[Occurrence], lag: Range, window: Window) -> LinkTest:
    """Find the cause after which the effects came, and weigh how many came before it and how soon the first after.

    Two ways for chance to look like this: all effects falling after the cause by luck, and the first effect falling so
    soon after it by luck. The smaller of the two counts, doubled for having looked twice.
    """
    best: tuple[float, int, Match] | None = None
    for index, cause in enumerate(causes):
        until = causes[index + 1].start_s if index + 1 < len(causes) else window.end_s
        after = [place for place, e in enumerate(effects) if cause.start_s + lag.low_s <= e.start_s <= until]
        if not after or effects[after[0]].start_s > cause.start_s + lag.high_s:
            continue
        first = effects[after[0]]
        share_after = max(1e-6, (until - cause.start_s) / window.length_s)
        soon = max(60.0, first.start_s - cause.start_s) / window.length_s
        by_rate = binomial_tail(len(after), len(effects), share_after)
        # what came before as well did not set in with the cause, however soon after it the next one fell
        by_onset = min(1.0, soon) if len(after) == len(effects) else 1.0
        p_value = min(1.0, 2 * min(by_rate, by_onset))
        if best is None or p_value < best[0]:
            best = (p_value, len(after), Match(index, after[0], first.start_s - cause.start_s))
    return LinkTest(
        status="untested",
        test=TEST_SINCE,
        hits=1 if best else 0,
        misses=len(causes) - (1 if best else 0),
        unexplained=len(effects) - (best[1] if best else 0),
        lag=_lag([best[2].lag_s]) if best else None,
        p_value=best[0] if best else 1.0,
        lag_range_s=(lag.low_s, lag.high_s),
        effects=len(effects),
    )


def _lag(lags: list[float]) -> Lag | None:
    if not lags:
        return None
    lags.sort()
    return Lag(p10=quantile(lags, 0.1), median=quantile(lags, 0.5), p90=quantile(lags, 0.9))


def _dose(causes: Sequence[Occurrence], effects: Sequence[Occurrence], found: Sequence[Match]) -> Dose | None:
    pairs = [(causes[m.cause].size, effects[m.effect].size) for m in found]
    if len(pairs) < 5 or len({a for a, _ in pairs}) < 3 or len({b for _, b in pairs}) < 3:
        return None
    rho, p_value = spearman([a for a, _ in pairs], [b for _, b in pairs])
    return Dose(rho=rho, p_value=p_value, pairs=len(pairs))
