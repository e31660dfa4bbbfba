"""A signal as the tests see it: a train of folded occurrences, how exact its times are, and what comes within reach of them.

Leaves out what the tests conclude (``links``).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.domain.link import LinkTest
from bot.domain.signal import Kind, Occurrence, Signal
from bot.domain.window import Window
from bot.signals.bursts import fold_gap_s
from bot.signals.mechanisms import Anchor
from bot.signals.statistics import covered_share

NEGLIGIBLE = 0.02
UNSURE_S = 5.0
"""How far the times of logs and events may be off where nothing tells it better: clocks, and who notices late."""
DATED_S = 1.0
"""Events are dated to the whole second."""
DECIDED = frozenset({Kind.ROLLOUT, Kind.SCALE_UP, Kind.SCALE_DOWN, Kind.JOB_RUN, Kind.POD_KILL})
"""What a controller or a kubelet does itself, and does not merely notice."""
ACTED = frozenset({Kind.ROLLOUT, Kind.RELOAD, Kind.CONFIG_CHANGE, Kind.SECRET_CHANGE, Kind.JOB_RUN, Kind.SCALE_UP})
"""What is done at a known moment to what then serves requests. Whatever cuts requests off in their midst is left out: they waited
before that."""
_EXACTLY = ("kubernetes/events", "kubernetes/objects")
LONG_S = 3600.0
RAMP_SHARE = 0.1
LONGEST_RAMP_S = 1800.0
"""What lasts for hours grows for minutes before it stands out: so much of its length, at most, its beginning is unsure."""
KNEE = "unsure_s"
"""The attribute of what grew, whose beginning and end are seen: how many seconds they may be off."""
NEVER_FOLDED = frozenset({Kind.ROLLOUT, Kind.RELOAD, Kind.JOB_RUN, Kind.MEMORY_GROWTH, Kind.RESOURCE_GROWTH})
"""Kinds of which two in a row are two: each change, run and ramp stands for itself."""


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


def range_of(test: LinkTest) -> Range:
    """Give the lags that a test was made with."""
    low, high = test.lag_range_s
    anchor: Anchor = "start"
    for known in ("end", "during", "since"):
        anchor = known if test.anchor == known else anchor
    return Range(low_s=low, high_s=high, anchor=anchor)


def slack_s(signal: Signal) -> float:
    """Give how far a signal's times may be off: a scrape step for series, and what the knee of a rise leaves open; seconds for logs and events.

    What a controller decides it writes down as it does it, and events round down: it is never dated late, as what is
    observed may be.
    """
    if signal.source != "prometheus":
        return 0.0 if _decided(signal) else UNSURE_S + min(900.0, float(signal.attributes.get(KNEE, 0.0)))
    step = signal.attributes.get("step_s")
    return 300.0 if step is None else min(900.0, 1.5 * float(step) + float(signal.attributes.get(KNEE, 0.0)))


def early_s(signal: Signal) -> float:
    """Give how much too early an effect may be dated: a line is written after what it tells, so that only a clock can be off.

    ``behind_s`` is how far the clocks of its nodes can be behind the control plane's, where that could be told.
    """
    known = DATED_S if _decided(signal) else signal.attributes.get("behind_s")
    return slack_s(signal) if known is None else min(UNSURE_S, float(known))


def _decided(signal: Signal) -> bool:
    return signal.kind in DECIDED and signal.source == "kubernetes/events"


@dataclass(frozen=True, slots=True)
class Train:
    """A signal as the test sees it: folded occurrences ascending, their starts and ends apart, and how exact they are."""

    occurrences: tuple[Occurrence, ...]
    starts_s: tuple[float, ...]
    ends_s: tuple[float, ...]
    slack_s: float
    measured: bool = False
    """Whether its beginnings are read off counts or series, which must first rise, and not off an event."""
    levels: tuple[tuple[tuple[float, float], ...], ...] = ()
    """Where it was worse than its beginnings ask for: stretches in seconds, level by level, each within the one before."""
    early_s: float = UNSURE_S
    """How much too early its beginnings may be dated, as those of an effect."""
    exact: bool = False
    """Whether its times are those at which it was done, and not those at which somebody noticed."""
    spans: dict[Range, Sequence[tuple[float, float]]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """What ``spans_of`` gave for each range of lags: a cause is held against hundreds of effects in the same few ranges."""
    reaches: dict[tuple[Range, float, float], "Reach"] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """What ``reach_of`` gave, likewise."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A cause's stretches of time, by cause and ascending; how long a typical one is, and what share of a window all cover."""

    spans: Sequence[tuple[float, float]]
    ordered: Sequence[tuple[float, float]]
    typical_s: float
    covered: float


def train_of(signal: Signal, window: Window) -> Train:
    """Fold a signal for testing, so that twenty kills in a minute count once."""
    gap = 0.0 if signal.kind in NEVER_FOLDED else fold_gap_s(window.length_s)
    ones = tuple(folded(signal.occurrences, gap) if gap else signal.occurrences)
    measured = signal.source in ("prometheus", "kubernetes/logs", "loki")
    slack = slack_s(signal)
    levels = tuple(tuple((low - slack, high) for low, high in level) for level in signal.levels)
    starts, ends = tuple(o.start_s for o in ones), tuple(o.end_s for o in ones)
    exact = signal.kind in ACTED and signal.source in _EXACTLY
    return Train(ones, starts, ends, slack, measured, levels, early_s(signal), exact)


def begun(train: Train) -> Train:
    """Date what waited in vain to when it began to wait, which it tells only once it has."""
    if not any(one.waited_s for one in train.occurrences):
        return train
    ones = sorted(
        (replace(one, start_s=one.start_s - one.waited_s, waited_s=0.0) for one in train.occurrences),
        key=lambda one: one.start_s,
    )
    return replace(train, occurrences=tuple(ones), starts_s=tuple(one.start_s for one in ones))


def spans_of(causes: Train, lag: Range) -> Sequence[tuple[float, float]]:
    """Give the stretch of time after each cause in which an effect counts as its own, ascending by its begin."""
    if lag not in causes.spans:
        causes.spans[lag] = _spans(causes, lag)
    return causes.spans[lag]


def _spans(causes: Train, lag: Range) -> Sequence[tuple[float, float]]:
    begins = causes.ends_s if lag.anchor == "end" else causes.starts_s
    ends = causes.ends_s if lag.anchor in ("end", "during") else causes.starts_s
    if not causes.measured or lag.anchor == "end":
        return [(begin + lag.low_s, end + lag.high_s) for begin, end in zip(begins, ends, strict=True)]
    ramps = map(ramp_s, causes.occurrences)
    return [(begin + lag.low_s - ramp, end + lag.high_s) for begin, end, ramp in zip(begins, ends, ramps, strict=True)]


def reach_of(causes: Train, lag: Range, start_s: float, end_s: float) -> Reach:
    """Measure the stretches that ``spans_of`` gives within ``[start_s, end_s)``."""
    known = causes.reaches.get((lag, start_s, end_s))
    if known is None:
        spans = spans_of(causes, lag)
        lengths = sorted(high - low for low, high in spans)
        known = Reach(spans, sorted(spans), lengths[len(lengths) // 2], covered_share(spans, start_s, end_s))
        causes.reaches[lag, start_s, end_s] = known
    return known


def ramp_s(one: Occurrence) -> float:
    """Give for how long an occurrence may have grown before it stood out."""
    length = one.end_s - one.start_s
    return min(LONGEST_RAMP_S, RAMP_SHARE * length) if length > LONG_S else 0.0


def matches(causes: Train, effects: Train, lag: Range) -> list[Match]:
    """Pair every cause with the first effect that begins in its stretch of time."""
    found = []
    begins, starts_s = causes.ends_s if lag.anchor == "end" else causes.starts_s, effects.starts_s
    for index, (low, high) in enumerate(spans_of(causes, lag)):
        place = bisect_left(starts_s, low)
        if place < len(starts_s) and starts_s[place] <= high:
            found.append(Match(index, place, starts_s[place] - begins[index]))
    return found


def explained(spans: Sequence[tuple[float, float]], starts_s: Sequence[float]) -> int:
    """Count the effects that begin in some stretch of time; both ascending."""
    told = 0
    reached = 0
    for low, high in spans:
        first = bisect_left(starts_s, low, reached)
        last = bisect_right(starts_s, high, first)
        told += last - first
        reached = last
    return told


def apart(train: Train, gap_s: float) -> Sequence[float]:
    """Give the beginnings of what ``folded`` makes of its occurrences."""
    starts: list[float] = []
    reached_s = 0.0
    for start_s, end_s in zip(train.starts_s, train.ends_s, strict=True):
        if starts and start_s - reached_s <= gap_s:
            reached_s = max(reached_s, end_s)
        else:
            starts.append(start_s)
            reached_s = end_s
    return starts


def weighty(occurrences: Sequence[Occurrence]) -> list[Occurrence]:
    """Leave out what is a fiftieth of the largest occurrence or less: a stray line beside a flood is no episode."""
    largest = max((one.size for one in occurrences), default=0.0)
    return [one for one in occurrences if one.size > NEGLIGIBLE * largest]


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
                waited_s=last.waited_s,
            )
        else:
            result.append(one)
    return result
