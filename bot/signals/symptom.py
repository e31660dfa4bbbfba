"""Choose what people felt: the signal that the question names, else the one that stands out where users stand.

Leaves out why it happened. Where nothing stands out it says so: an incident that is not there must not be explained.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import log10

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Occurrence, Signal, Topology
from bot.domain.window import Window
from bot.signals.bursts import fold_gap_s
from bot.signals.trains import folded, weighty

FELT: dict[Kind, float] = {
    Kind.SERVER_ERROR: 1.0,
    Kind.UNAVAILABLE: 0.9,
    Kind.LATENCY: 0.6,
    Kind.CRASH_LOOP: 0.5,
    Kind.ROLLOUT_STUCK: 0.5,
    Kind.JOB_FAILURE: 0.4,
}
"""Kinds that users or releases feel, and how much they weigh."""

WITHIN: dict[Kind, float] = {
    Kind.TIMEOUT: 0.45,
    Kind.REPLICA_CHANGE: 0.45,
    Kind.CONNECTION_REFUSED: 0.4,
    Kind.CONNECTION_RESET: 0.4,
    Kind.TLS_FAILURE: 0.4,
    Kind.AUTH_FAILURE: 0.35,
    Kind.NAME_RESOLUTION_FAILURE: 0.35,
    Kind.POOL_EXHAUSTION: 0.3,
    Kind.CIRCUIT_OPEN: 0.3,
    Kind.QUEUE_GROWTH: 0.25,
    Kind.CLIENT_ERROR: 0.25,
    Kind.EVICTION: 0.25,
    Kind.OOM_KILL: 0.25,
    Kind.CONTAINER_RESTART: 0.2,
    Kind.SCHEDULING_FAILURE: 0.25,
    Kind.IMAGE_PULL_FAILURE: 0.25,
    Kind.LOG_ERROR: 0.15,
    Kind.ALERT: 0.1,
}
"""Kinds that stand for the symptom only where nothing of ``FELT`` is seen, or where the question names them."""

LEAST_FELT = 12.0
"""Failures in the bursts of the window below which nobody is paged."""
LEAST_EPISODE = 5.0
LEAST_WITHIN = 40.0
COUNTED = frozenset({Kind.SERVER_ERROR, Kind.UNAVAILABLE, Kind.CLIENT_ERROR, Kind.LOG_ERROR, *WITHIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the question asks about: HTTP statuses, kinds, words of entity names; all empty where it names nothing."""

    statuses: frozenset[int] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    words: tuple[str, ...] = ()

    @property
    def named(self) -> bool:
        """Tell whether the question names a symptom of any sort."""
        return bool(self.statuses or self.kinds or self.words)


def find_symptom(
    signals: Sequence[Signal], topology: Topology, window: Window, wish: Wish | None = None
) -> Signal | None:
    """Give the signal to explain, or None where nothing rises enough above the everyday to be an incident."""
    wish = wish or Wish()
    called = {callee for _, callee in topology.calls}
    calling = {caller for caller, _ in topology.calls}
    signals = [signal for signal in signals if not _belied(signal, signals)]
    asked = [signal for signal in signals if _asked(signal, wish)]
    signals = [signal for signal in signals if not _only_said(signal)]
    for pool, ranks in ((asked if wish.named else [], {**WITHIN, **FELT}), (signals, FELT), (signals, WITHIN)):
        if pool is signals and wish.statuses and ranks is WITHIN:
            break  # somebody asks for responses that are not there: nothing inside stands for them
        found = [
            (_weight(signal, ranks, window, called, calling), signal)
            for signal in pool
            if signal.kind in ranks and _rises(signal, window, asked=pool is asked)
        ]
        if found:
            return min(found, key=lambda pair: (-pair[0], pair[1].id))[1]
    return None


def _only_said(signal: Signal) -> bool:
    """Tell an alarm that no rule over measurements raised: anybody who may write an event can write that something is wrong.

    Where it is right, something that was measured rises as well, and stands for the symptom.
    """
    return signal.kind is Kind.ALERT and signal.source != "prometheus"


def _belied(signal: Signal, signals: Sequence[Signal]) -> bool:
    """Tell a series of failures that rises where the lines it counts were read and never came in numbers.

    A rate of few failures, or of few samples, leaves zero and comes back; the lines themselves say whether it was more than usual.
    """
    if signal.source != "prometheus" or signal.kind is not Kind.SERVER_ERROR:
        return False
    lines = [
        one
        for one in signals
        if one.kind is signal.kind and one.entity == signal.entity and one.source != signal.source
    ]
    return bool(lines) and not any(one.occurrences for one in lines)


def episodes_of(signal: Signal, window: Window) -> tuple[Occurrence, ...]:
    """Fold a symptom into episodes and leave out those that nobody would have felt beside the others."""
    episodes = folded(signal.occurrences, fold_gap_s(window.length_s))
    if signal.kind not in COUNTED:
        return tuple(episodes)
    return tuple(weighty(episodes))


def same_family(first: Signal, second: Signal) -> bool:
    """Tell whether two signals are one symptom seen twice: the same place, and kinds that users cannot tell apart."""
    felt = {Kind.SERVER_ERROR, Kind.UNAVAILABLE, Kind.ALERT}
    return first.entity == second.entity and first.kind in felt and second.kind in felt


def _asked(signal: Signal, wish: Wish) -> bool:
    if wish.statuses and signal.kind in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR):
        status = signal.attributes.get("status", "")
        if not any(str(code) == status for code in wish.statuses):
            return False
    elif (wish.kinds and signal.kind not in wish.kinds) or wish.statuses:
        return False
    places = (signal.entity, *signal.mentions[:1]) if signal.kind in FELT else (signal.entity,)
    names = [
        f"{place.namespace or ''}/{place.name}".lower() for place in places
    ]  # who asks for a service means its gateway too
    return any(all(word.lower() in name for word in wish.words) for name in names)


def _rises(signal: Signal, window: Window, *, asked: bool) -> bool:
    episodes = folded(signal.occurrences, fold_gap_s(window.length_s))
    if not episodes:
        return False
    total = sum(one.size for one in episodes)
    peak = max(one.size for one in episodes)
    if signal.kind in (Kind.CRASH_LOOP, Kind.ROLLOUT_STUCK, Kind.JOB_FAILURE):
        return asked or signal.kind is not Kind.JOB_FAILURE
    if asked:
        return peak >= LEAST_EPISODE or len(episodes) >= 3
    if signal.kind is Kind.LATENCY:
        return sum(one.end_s - one.start_s for one in episodes) >= 900.0 and peak >= 6.0
    if signal.kind in FELT:
        return total >= LEAST_FELT and peak >= LEAST_EPISODE
    return total >= LEAST_WITHIN and peak >= 2 * LEAST_EPISODE


def _weight(
    signal: Signal,
    ranks: dict[Kind, float],
    window: Window,
    called: Collection[Entity],
    calling: Collection[Entity],
) -> float:
    episodes = folded(signal.occurrences, fold_gap_s(window.length_s))
    size = sum(one.size for one in episodes) if signal.kind in COUNTED else float(len(episodes))
    edge = 1.0
    if signal.entity in called:
        edge = 0.6
    elif signal.entity in calling or signal.entity.kind == "Ingress":
        edge = 1.3
    verbatim = 1.0 if signal.source != "prometheus" else 0.8
    return ranks[signal.kind] * edge * verbatim * (1.0 + log10(1.0 + size))
