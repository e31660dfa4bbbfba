"""Choose what people felt: the signal that the question names, else the one that stands out where users stand.

Leaves out why it happened. Where nothing stands out it says so: an incident that is not there must not be explained; and where
something else than what was asked for stands out, that it is something else.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log10
from typing import Literal

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


USERS = frozenset({Kind.SERVER_ERROR, Kind.UNAVAILABLE, Kind.LATENCY})
"""Of these, the ones that users feel themselves: they come before what only whoever runs it sees."""
LASTING = frozenset({Kind.CRASH_LOOP, Kind.ROLLOUT_STUCK, Kind.JOB_FAILURE})
BEGAN_BEFORE = 0.05
"""Share of the window within which a loop must have been there to have begun before it, in all likelihood."""
ALL_ALONG = 0.8
"""The same of the window that it must fill."""
BESIDE_TIME_S = 900.0
"""By how much people are off when they say when something was."""
FEW = 3
"""So many things of a name's word, at most: a word of more names ("api") does not say which is meant."""
LOUD = 0.5
"""Share of the symptom's weight that another must have to be told beside it."""
_PARTS = re.compile(r"[^a-z0-9]+")

Fit = Literal["unasked", "met", "elsewhere", "otherwise", "nearest", "absent"]
"""How a symptom answers the question: as asked; of the kind, but not of the thing that is named; of the thing, but of another kind;
neither, but near it; not at all, for nothing that was asked for is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the question asks about: HTTP statuses, kinds, words of entity names, times; all empty where it names nothing."""

    statuses: frozenset[int] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    words: tuple[str, ...] = ()
    spans: tuple[tuple[float, float], ...] = ()
    """Epoch seconds"""
    suspects: bool = False
    """Whether the words may name what is suspected, and not what fails"""

    @property
    def named(self) -> bool:
        """Tell whether the question names a symptom of any sort."""
        return bool(self.statuses or self.kinds or self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The signal to explain, or None where nothing rises enough above the everyday; and how it answers what was asked."""

    symptom: Signal | None
    fit: Fit = "unasked"
    beside: tuple[Signal, ...] = ()
    """What users felt as well, and has to do with other things; where nothing asked for is there, what is there"""
    standing: tuple[Signal, ...] = ()
    """What had been going on when the window began, went on throughout, and is felt by nobody as far as is known"""


def choose(signals: Sequence[Signal], topology: Topology, window: Window, wish: Wish | None = None) -> Choice:
    """Choose the signal to explain, and say how it answers the question."""
    wish, choosing = wish or Wish(), _Choosing(topology, window)
    seen = [signal for signal in signals if not _belied(signal, signals)]
    standing = tuple(signal for signal in seen if choosing.stands(signal, seen))
    told = [one for one in seen if not (_only_said(one) or _withdrawn(one)) and one not in standing]
    if not wish.named:
        found, fit = choosing.first(told, wish.spans), _UNASKED
    else:
        found, fit = _as_asked(choosing, seen, told, wish)
    if wish.suspects and fit in ("elsewhere", "nearest"):
        fit = _UNASKED
    if found is None or fit == "absent":
        return Choice(symptom=None, fit=fit, beside=(found,) if found else (), standing=standing)
    return Choice(symptom=found, fit=fit, beside=choosing.others(found, told), standing=standing)


_UNASKED: Fit = "unasked"


def _as_asked(
    choosing: "_Choosing", seen: Sequence[Signal], told: Sequence[Signal], wish: Wish
) -> tuple[Signal | None, Fit]:
    """Give what was asked for, or what is nearest to it, and how near; of what is absent, what rises instead."""
    for fit, pool, ranks, asked in _asked_pools(seen, told, wish):
        found = choosing.best(pool, ranks, wish.spans, asked=asked)
        if found is not None and not (wish.spans and found.kind not in USERS and not _at(found, wish.spans)):
            return found, fit  # at another time than was asked about, only what users feel
    instead = choosing.first(told, wish.spans)
    meant = [signal for signal in seen if _is_meant(signal, wish)]
    few = 0 < len({signal.entity for signal in meant}) <= FEW and not wish.suspects
    other = few and instead is not None and not choosing.near(instead, meant)
    return instead, "absent" if wish.statuses or other or instead is None else "nearest"


def _asked_pools(
    seen: Sequence[Signal], told: Sequence[Signal], wish: Wish
) -> Iterator[tuple[Fit, list[Signal], Mapping[Kind, float], bool]]:
    """Give what may be meant, the nearest to the words first; ``False`` of pools in which it must rise as it would unasked."""
    every = {**WITHIN, **FELT}
    users = {kind: FELT[kind] for kind in USERS}
    yield "met", [signal for signal in seen if _asked(signal, wish)], every, True
    if wish.words and (wish.kinds or wish.statuses):
        yield "otherwise", [signal for signal in told if _named(signal, wish.words)], users, True
        placeless = replace(wish, words=())
        yield "elsewhere", [signal for signal in told if _asked(signal, placeless)], every, False
        if not wish.statuses:
            yield "otherwise", [signal for signal in told if _named(signal, wish.words)], every, True
    if wish.statuses:
        yield "nearest", list(told), users, False


def _is_meant(signal: Signal, wish: Wish) -> bool:
    parts = set(_PARTS.split(f"{signal.entity.namespace or ''} {signal.entity.name}".lower()))
    return any(word in parts or word == signal.entity.name.lower() for word in map(str.lower, wish.words))


def _only_said(signal: Signal) -> bool:
    """Tell an alarm that no rule over measurements raised: anybody who may write an event can write that something is wrong.

    Where it is right, something that was measured rises as well, and stands for the symptom.
    """
    return signal.kind is Kind.ALERT and signal.source != "prometheus"


def _withdrawn(signal: Signal) -> bool:
    """Tell a canary that failed its analysis: it was taken back before anybody got it, as it is meant to be (Argo Rollouts, "Analysis")."""
    return signal.kind is Kind.ROLLOUT_STUCK and signal.attributes.get("reason") in (
        "AnalysisRunFailed",
        "RolloutAborted",
    )


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
    status = signal.attributes.get("status", "")
    told = {*_AS_STATUS.get(signal.kind, ()), *([int(status)] if status.isdigit() else [])}
    if wish.statuses and not told & wish.statuses:
        return False
    alike = {signal.kind, *(_ALIKE.get(status, ()) if signal.kind is Kind.SERVER_ERROR else ())}
    if wish.kinds and not wish.statuses and not alike & wish.kinds:
        return False
    return not wish.words or _named(signal, wish.words)


_AS_STATUS = {Kind.UNAVAILABLE: (503,), Kind.TIMEOUT: (504,)}
"""What a server answers with that is so."""
_ALIKE = {
    "504": (Kind.LATENCY, Kind.TIMEOUT),
    "503": (Kind.UNAVAILABLE,),
    "502": (Kind.CONNECTION_RESET, Kind.CONNECTION_REFUSED),
}
"""What a response says by its status alone: whoever asks why it is slow means the requests that were given up, too."""


def _named(signal: Signal, words: Sequence[str]) -> bool:
    """Tell whether a signal is about what the words name: its place, whom its requests were for, or what they asked for."""
    places = [signal.entity, *(signal.mentions[:1] if signal.kind in FELT else ())]
    names = [f"{place.namespace or ''}/{place.name}".lower() for place in places]
    if signal.kind in USERS or signal.kind is Kind.CLIENT_ERROR:
        names.append(" ".join(asked_paths(signal)))
    return any(word.lower() in name for word in words for name in names)


def asked_paths(signal: Signal) -> list[str]:
    """Give the parts of the path that a signal's requests ask for, in small letters."""
    path = _PATH.search(signal.subject)
    return [part for part in _PARTS.split(path[1].lower()) if part] if path else []


_PATH = re.compile(
    r"(?:[A-Z]{3,7} (?:https?://[^/\s]{1,200})?|(?:[pP]ath|ur[il])[\"']?\s?[=:]\s?[\"']?)(/[^\s\"'?]{1,300})"
)


class _Choosing:
    """Weighs signals by where they stand and how much they are."""

    def __init__(self, topology: Topology, window: Window) -> None:
        self._topology, self._window = topology, window
        self._called = {callee for _, callee in topology.calls}
        self._calling = {caller for caller, _ in topology.calls}

    def first(self, told: Sequence[Signal], spans: Sequence[tuple[float, float]]) -> Signal | None:
        """Give the symptom of a window that nothing was asked about: what users feel first, what stands for it last."""
        users = {kind: FELT[kind] for kind in USERS}
        ranked = (self.best(told, ranks, spans, asked=False) for ranks in (users, FELT, WITHIN))
        return next(filter(None, ranked), None)

    def best(
        self, pool: Sequence[Signal], ranks: Mapping[Kind, float], spans: Sequence[tuple[float, float]], *, asked: bool
    ) -> Signal | None:
        """Give the weightiest that rises, of those at the time that was named, if there are any."""
        found = [one for one in pool if one.kind in ranks and _rises(one, self._window, asked=asked)]
        found = [one for one in found if _at(one, spans)] or found
        return min(found, key=lambda one: (-self._weight(one, ranks), one.id), default=None)

    def stands(self, signal: Signal, seen: Sequence[Signal]) -> bool:
        """Tell a loop that had begun before the window and goes on throughout it, of something that nobody is known to ask."""
        if signal.kind not in LASTING or not signal.occurrences:
            return False
        length_s = self._window.length_s
        episodes = folded(signal.occurrences, fold_gap_s(length_s))
        filled = sum(one.end_s - one.start_s for one in episodes)
        if episodes[0].start_s > self._window.start_s + BEGAN_BEFORE * length_s or filled < ALL_ALONG * length_s:
            return False
        root = self._topology.root(signal.entity)
        felt = (one for one in seen if one.kind in USERS and one.occurrences)
        return root not in self._called and not any(root in (one.entity, *one.mentions) for one in felt)

    def near(self, signal: Signal, meant: Sequence[Signal]) -> bool:
        """Tell whether a signal may be how something that was meant is felt: the same namespace, or a call between them."""
        ours = {signal.entity, *signal.mentions}
        return any(
            one.entity in ours
            or any(one.entity.namespace and one.entity.namespace == our.namespace for our in ours)
            or any(
                (one.entity, our) in self._topology.calls or (our, one.entity) in self._topology.calls for our in ours
            )
            for one in meant
        )

    def others(self, chosen: Signal, told: Sequence[Signal]) -> tuple[Signal, ...]:
        """Give what users felt as well of things that have nothing to do with the chosen one, the weightiest first."""
        least = LOUD * self._weight(chosen, FELT) if chosen.kind in FELT else 0.0
        found = [
            one
            for one in told
            if one.kind in USERS and _rises(one, self._window, asked=False) and self._weight(one, FELT) >= least
        ]
        return tuple(
            one
            for one in sorted(found, key=lambda one: (-self._weight(one, FELT), one.id))
            if one.id != chosen.id and not self._tied(one, chosen)
        )

    def _tied(self, one: Signal, other: Signal) -> bool:
        """Tell whether two may be one trouble: the same place, the same thing asked, a namespace or a call in common."""
        mine, theirs = ({*each.mentions, each.entity} for each in (one, other))
        if one.mentions and other.mentions:  # what a gateway has in common is the gateway
            mine, theirs = mine - {other.entity}, theirs - {one.entity}
        if mine & theirs or {each.namespace for each in mine} & {each.namespace for each in theirs}:
            return True
        return any((a, b) in self._topology.calls or (b, a) in self._topology.calls for a in mine for b in theirs)

    def _weight(self, signal: Signal, ranks: Mapping[Kind, float]) -> float:
        episodes = folded(signal.occurrences, fold_gap_s(self._window.length_s))
        size = sum(one.size for one in episodes) if signal.kind in COUNTED else float(len(episodes))
        edge = 1.0
        if signal.entity in self._called:
            edge = 0.6
        elif signal.entity in self._calling or signal.entity.kind == "Ingress":
            edge = 1.3
        verbatim = 1.0 if signal.source != "prometheus" else 0.8
        return ranks[signal.kind] * edge * verbatim * (1.0 + log10(1.0 + size))


def _at(signal: Signal, spans: Sequence[tuple[float, float]]) -> bool:
    return any(
        one.start_s <= end + BESIDE_TIME_S and one.end_s >= start - BESIDE_TIME_S
        for one in signal.occurrences
        for start, end in spans
    )


def _rises(signal: Signal, window: Window, *, asked: bool) -> bool:
    episodes = folded(signal.occurrences, fold_gap_s(window.length_s))
    if not episodes:
        return False
    total = sum(one.size for one in episodes)
    peak = max(one.size for one in episodes)
    if signal.kind in LASTING:
        return asked or signal.kind is not Kind.JOB_FAILURE
    if asked:
        return peak >= LEAST_EPISODE or len(episodes) >= 3
    if signal.kind is Kind.LATENCY:
        return sum(one.end_s - one.start_s for one in episodes) >= 900.0 and peak >= 6.0
    if signal.kind in FELT:
        return total >= LEAST_FELT and peak >= LEAST_EPISODE
    return total >= LEAST_WITHIN and peak >= 2 * LEAST_EPISODE
