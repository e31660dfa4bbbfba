"""Walk supported links from the symptom backwards and rank the chains that reach a root.

A chain is worth what it explains: the share of symptom episodes that can be followed, occurrence by occurrence, all the
way back to the root; how well the ties on the way are shown, the weakest above all; and how well the root can stand at
the start. Every stage
of a cascade is passed once, so that a chain cannot wander. Leaves out how a chain is told.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log, log1p, log10, prod, sqrt

from bot.domain.link import Chain, Link, LinkTest
from bot.domain.signal import Kind, Occurrence, Signal, SignalId, Topology
from bot.domain.window import Window
from bot.signals.breadth import breadths
from bot.signals.lasting import lasting
from bot.signals.links import judge, measure
from bot.signals.mechanisms import MECHANISMS, PASSED_ON, Anchor, stage, standing
from bot.signals.pairs import TIMING
from bot.signals.rhythms import by_rhythm
from bot.signals.trains import Range, begun, slack_s, spans_of, train_of

LONGEST = 9
BEAM = 60
PER_HEAD = 4
LEAST_STRENGTH = 0.2
CERTAIN = 6.0
"""Negative decimal logarithm of a p-value beyond which more of it adds nothing."""
MANY = 8
"""Repetitions from which on they weigh against what is expected of two such things."""
EACH_TIME = 0.9
DEPTH_BONUS = 0.15
"""What each step between root and symptom adds: a cause whose way is shown is worth more than one that is only tied."""

LOCAL = frozenset({Kind.ROLLOUT, Kind.RELOAD, Kind.CONFIG_CHANGE, Kind.HUMAN_CHANGE})
"""Changes that reach what they are made to."""
FROM_BELOW = frozenset(
    {
        Kind.NAME_RESOLUTION_FAILURE,
        Kind.TLS_FAILURE,
        Kind.AUTH_FAILURE,
        Kind.SCHEDULING_FAILURE,
        Kind.IMAGE_PULL_FAILURE,
        Kind.MOUNT_FAILURE,
    }
)
"""Failures of what many stand on: where several have one at once, none of them began it."""
UNNAMED = 0.8
"""What a tie to somebody called is worth where the failed calls name others, and not it."""
CALLED_LESS = 0.01
"""What each place further down in the order of how often it is named takes away: it decides between equals."""
BACK_AGAIN = frozenset({Kind.STARTUP, Kind.POD_START})
"""What ends an absence; of what brought it about the mechanisms tell, no mere timing."""
TOO_EARLY = 0.5
"""What a tie is worth whose effect was seen before its cause: that clocks are apart by seconds is seldom."""
WEARING = frozenset({Kind.CPU_THROTTLING, Kind.CPU_SATURATION, Kind.MEMORY_PRESSURE, Kind.IO_SATURATION, Kind.GC_PAUSE})
"""What comes and goes with the load at a place, whatever was changed there in the midst of it."""
ELSEWHERE = 0.4
REFUTED = 0.85
"""What a chain is worth whose root, asked straight, has nothing to do with the symptom: its way may have been pieced together."""

_CLIMBING = frozenset(
    {"server_error", "log_error", "timeout", "slow", "dropped", "name_resolution_failure"}
    | {stage(Kind(kind)) for kind in PASSED_ON.split()}
)
"""Stages that failures pass once for each workload, as they climb from callee to caller."""

_ANCHORS: dict[str, Anchor] = {row.key: row.anchor for row in MECHANISMS}


@dataclass(frozen=True, slots=True)
class _Path:
    """A chain in the making: head first; ``reach`` maps the head's occurrences to the symptom episodes they lead to."""

    signals: tuple[Signal, ...]
    links: tuple[Link, ...]
    stages: frozenset[str]
    reach: tuple[frozenset[int], ...]
    strengths: tuple[float, ...]

    @property
    def head(self) -> Signal:
        return self.signals[0]

    @property
    def explained(self) -> frozenset[int]:
        return frozenset().union(*self.reach)


def anchor_of(link: Link) -> Anchor:
    """Tell from where the lags of a link count."""
    return "during" if link.mechanism == TIMING else _ANCHORS.get(link.mechanism, "during")


def strength(link: Link) -> float:
    """Weigh a supported link, 0..1: effects explained, causes that hit, significance, and how tight the lags are."""
    test = link.test
    recall = (test.effects - test.unexplained) / max(1, test.effects)
    precision = test.hits / max(1, test.hits + test.misses)
    significance = min(1.0, -log10(max(test.p_value or 1e-12, 1e-12)) / CERTAIN)
    low, high = test.lag_range_s
    tight = 0.0
    if test.lag and test.hits > 1:
        tight = 1.0 - min(1.0, (test.lag.p90 - test.lag.p10) / max(high - low, 1.0))
    elif test.lag:
        # one lag has no spread: how close it stands, of the closeness that the mechanism allows, on a log scale; seen too
        # early is no closer than seen too late
        tight = 1.0 - min(1.0, log1p(abs(test.lag.median)) / log1p(max(high, 1.0)))
    shown = 0.3 * recall + 0.15 * precision + 0.4 * significance + 0.15 * tight
    expected = sqrt(link.plausibility) if _each_time(test) else link.plausibility
    return shown * expected * (TOO_EARLY if test.early_s else 1.0)


def _each_time(test: LinkTest) -> bool:
    """Tell whether many causes were each followed, many effects each preceded: then what one expects beforehand counts for less."""
    met = test.hits >= EACH_TIME * (test.hits + test.misses)
    return met and not test.unexplained and test.hits >= MANY and (test.p_value or 1.0) <= 10**-CERTAIN


def chains(
    signals: Mapping[SignalId, Signal],
    links: Sequence[Link],
    symptom: Signal,
    topology: Topology,
    window: Window,
) -> list[Chain]:
    """Rank the chains that end in the symptom, best first; empty where nothing supported leads to it."""
    into = _incoming(links, signals, topology)
    episodes = train_of(symptom, window).occurrences
    start = _Path((symptom,), (), _marks(symptom, topology), tuple(frozenset({i}) for i in range(len(episodes))), ())
    beam = [start]
    complete: dict[SignalId, tuple[float, _Path]] = {}
    while beam:
        grown: list[_Path] = []
        for path in beam:
            grown.extend(_extended(path, into, signals, topology, window))
        for path in grown:
            worth = _score(path, len(episodes))
            known = complete.get(path.head.id)
            if known is None or worth > known[0]:
                complete[path.head.id] = (worth, path)
        beam = _kept(grown, len(episodes))
    shown = (link for link in links if link.test.status == "supported" and signals[link.cause].kind not in LOCAL)
    told = frozenset((link.cause, link.effect) for link in shown)
    broad = breadths({head: path.signals for head, (_, path) in complete.items()}, signals, links, topology)
    complete = {
        head: (
            worth
            * _local(path, signals, topology, told)
            * broad.get(head, 1.0)
            * _in_time(path, window)
            * _before_it(path, signals, links, topology),
            path,
        )
        for head, (worth, path) in complete.items()
    }
    ranked = sorted(complete.values(), key=lambda pair: (-pair[0], pair[1].head.id))
    told_so = [_chain(path, worth, window) for worth, path in ranked[:12]]
    return sorted(told_so, key=lambda chain: (-chain.score, chain.root.id))


def chain_along(signals: Sequence[Signal], links: Sequence[Link], topology: Topology, window: Window) -> Chain:
    """Follow a path that somebody proposed, causes first, and weigh it as one that was found; its links may be weak.

    ``links`` joins neighbours of ``signals``; the last signal is the symptom.
    """
    episodes = train_of(signals[-1], window).occurrences
    reach = tuple(frozenset({place}) for place in range(len(episodes)))
    path = _Path((signals[-1],), (), _marks(signals[-1], topology), reach, ())
    for cause, link in zip(reversed(signals[:-1]), reversed(links), strict=True):
        effects = train_of(path.head, window).occurrences
        path = _Path(
            (cause, *path.signals),
            (link, *path.links),
            path.stages | _marks(cause, topology),
            _reach(cause, effects, path.reach, link, window),
            (strength(link), *path.strengths),
        )
    return _chain(path, _score(path, len(episodes)), window)


def _local(
    path: _Path,
    signals: Mapping[SignalId, Signal],
    topology: Topology,
    told: frozenset[tuple[SignalId, SignalId]],
) -> float:
    """Weigh a change down where what it is said to have broken broke at the same time where the change did not reach."""
    root, first = path.signals[0], path.signals[0 if path.head.kind in FROM_BELOW else 1]
    if (root.kind not in LOCAL and first is not root) or first.kind not in FROM_BELOW:
        return 1.0
    place = topology.root(root.entity)
    reached = {place, *root.mentions}
    for other in signals.values():
        at = topology.root(other.entity)
        # who calls the root, or follows it, gets its failures from it
        asked = (at, place) in topology.calls or (at, topology.root(first.entity)) in topology.calls
        apart = at not in reached and not asked and (root.id, other.id) not in told
        if other.kind is first.kind and apart and other.source != "prometheus" and _together(first, other):
            return ELSEWHERE
    return 1.0


def _in_time(path: _Path, window: Window) -> float:
    """Weigh a change down where the symptom had set in before it, however the steps between are dated.

    Series know their time to a step only, so that by way of one a change may seem to come before what came before it.
    """
    root, felt = train_of(path.head, window), begun(train_of(path.signals[-1], window))
    began_before = root.exact and felt.starts_s[0] < root.starts_s[0] - felt.early_s
    return TOO_EARLY if began_before else 1.0


def _before_it(path: _Path, signals: Mapping[SignalId, Signal], links: Sequence[Link], topology: Topology) -> float:
    """Weigh a change down where what wears its place down all day had set in before it, and tells of every effect by itself."""
    root, effect = path.signals[0], path.signals[min(1, len(path.signals) - 1)]
    if root.kind not in LOCAL:
        return 1.0
    place, at_s = topology.root(root.entity), root.occurrences[0].start_s
    for link in links:
        other = signals[link.cause]
        if link.effect != effect.id or link.test.status != "supported" or link.test.unexplained:
            continue
        if other.kind not in WEARING or topology.root(other.entity) != place:
            continue
        felt_s = min((one.start_s for one in effect.occurrences if one.start_s >= at_s), default=at_s)
        if any(one.start_s < at_s - slack_s(other) and one.end_s >= felt_s for one in other.occurrences):
            return TOO_EARLY
    return 1.0


def _together(one: Signal, other: Signal) -> bool:
    """Tell whether most occurrences of a signal fall into those of another."""
    met = sum(any(a.start_s <= b.end_s and b.start_s <= a.end_s for b in other.occurrences) for a in one.occurrences)
    return 2 * met > len(one.occurrences)


def _incoming(
    links: Sequence[Link], signals: Mapping[SignalId, Signal], topology: Topology
) -> dict[SignalId, list[tuple[float, Link]]]:
    into: dict[SignalId, list[tuple[float, Link]]] = defaultdict(list)
    for link in links:
        if link.test.status == "supported" and link.cause in signals and link.effect in signals:
            if link.mechanism == TIMING and signals[link.effect].kind in BACK_AGAIN:
                continue  # who failed for want of it came before it, and did not bring it about
            worth = strength(link) * _by_name(signals[link.cause], signals[link.effect], topology)
            if worth >= LEAST_STRENGTH * (0.4 if link.mechanism == TIMING else 1.0):
                into[link.effect].append((worth, link))
    for found in into.values():
        found.sort(key=lambda pair: (-pair[0], pair[1].cause))
    return into


def _by_name(cause: Signal, effect: Signal, topology: Topology) -> float:
    """Weigh a callee by whether the failed calls name it: of several that fared alike at once it is the one called most, and
    none that they never name while they name others.
    """
    caller, callee = topology.root(effect.entity), topology.root(cause.entity)
    wanted = effect.kind is Kind.NAME_RESOLUTION_FAILURE  # it names whom it wanted, not which resolver it asked
    if wanted or (caller, callee) not in topology.calls or not effect.source.endswith("logs"):
        return 1.0
    named = [one for one in effect.mentions if (caller, one) in topology.calls]
    if not named:
        return 1.0
    return 1.0 - CALLED_LESS * named.index(callee) if callee in named else UNNAMED


def _extended(
    path: _Path,
    into: Mapping[SignalId, list[tuple[float, Link]]],
    signals: Mapping[SignalId, Signal],
    topology: Topology,
    window: Window,
) -> list[_Path]:
    if len(path.signals) >= LONGEST:
        return []
    grown = []
    effects = train_of(path.head, window).occurrences
    for worth, link in into.get(path.head.id, ()):
        cause = signals[link.cause]
        marks = _marks(cause, topology)
        if marks & path.stages:
            continue
        reach = _reach(cause, effects, path.reach, link, window)
        if not any(reach):
            continue
        grown.append(
            _Path(
                (cause, *path.signals),
                (link, *path.links),
                path.stages | marks,
                reach,
                (worth, *path.strengths),
            )
        )
    return grown


def _reach(
    cause: Signal, effects: Sequence[Occurrence], onward: Sequence[frozenset[int]], link: Link, window: Window
) -> tuple[frozenset[int], ...]:
    low, high = link.test.lag_range_s
    anchor = anchor_of(link)
    causes = train_of(cause, window)
    spans = spans_of(causes, Range(low_s=low, high_s=high, anchor=anchor))
    if anchor == "since":
        # in force until the next change of the same kind
        nexts = [*causes.starts_s[1:], float("inf")]
        spans = [(span[0], until) for span, until in zip(spans, nexts, strict=True)]
    starts = [effect.start_s for effect in effects]
    return tuple(
        frozenset().union(*onward[bisect_left(starts, first) : bisect_right(starts, last)]) for first, last in spans
    )


def _marks(signal: Signal, topology: Topology) -> frozenset[str]:
    """Name the stage a chain has passed with this signal; failures may climb from callee to caller, once for each."""
    name = stage(signal.kind)
    if name in _CLIMBING:
        return frozenset({f"{name} {topology.root(signal.entity)}"})
    return frozenset({name})


def _score(path: _Path, episodes: int) -> float:
    covered = len(path.explained) / max(1, episodes)
    mean = _mean(path)
    rootness = standing(path.head)
    depth = 1.0 + DEPTH_BONUS * min(len(path.links) - 1, 6)
    return covered * sqrt(mean * min(path.strengths)) * (0.25 + 0.75 * rootness) * depth


def _mean(path: _Path) -> float:
    product = prod(path.strengths)
    return exp(log(product) / len(path.strengths)) if product > 0 else 0.0


def _kept(paths: Sequence[_Path], episodes: int) -> list[_Path]:
    """Keep the best paths, at most a few for each head, so that one strong head cannot crowd out the others."""

    def promise(path: _Path) -> float:
        return (len(path.explained) / max(1, episodes)) * _mean(path)

    kept: list[_Path] = []
    per_head: dict[SignalId, int] = defaultdict(int)
    for path in sorted(paths, key=lambda p: (-promise(p), tuple(s.id for s in p.signals))):
        if per_head[path.head.id] < PER_HEAD:
            per_head[path.head.id] += 1
            kept.append(path)
        if len(kept) == BEAM:
            break
    return kept


def _chain(path: _Path, worth: float, window: Window) -> Chain:
    root, symptom = path.signals[0], path.signals[-1]
    high = sum(max(link.test.lag.p90, 0.0) if link.test.lag else link.test.lag_range_s[1] for link in path.links)
    anchor: Anchor = "since" if any(anchor_of(link) == "since" for link in path.links) else _first(path.links)
    slack = max(300.0, 0.1 * high) + sum(slack_s(signal) for signal in path.signals[1:-1])
    early = sum(min(0.0, link.test.lag.p10) for link in path.links if link.test.lag)
    reach = Range(low_s=early, high_s=high + slack, anchor=anchor)
    trains = train_of(root, window), train_of(symptom, window)
    test = measure(*trains, reach, window)
    if anchor == "start":
        test = lasting(test, *trains, replace(reach, anchor="during"), window)
    own_s = [one.period_s for one in (root, symptom) if one.period_s is not None]
    judged = replace(judge(test, test.p_value), rhythm=by_rhythm(*trains, test, window, own_s))
    return Chain(
        signals=path.signals,
        links=path.links,
        explained=tuple(sorted(path.explained)),
        end_to_end=judged,
        score=worth * (REFUTED if judged.status == "refuted" else 1.0),
    )


def _first(links: Sequence[Link]) -> Anchor:
    """Tell whether a root acts by its end, as what is full does, or from its start on."""
    return "end" if links and anchor_of(links[0]) == "end" else "start"
