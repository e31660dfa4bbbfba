"""Choose which pairs of signals are worth testing, test them, and correct for how many were tested.

A pair is worth a test where a known mechanism joins the two kinds and the two places are near enough for it. Pairs
that no mechanism joins are tested where they share an entity or call each other: what nobody has seen before must
still be found, but such a tie rests on timing alone and says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import log

from bot.domain.entity import CLUSTER_KINDS
from bot.domain.link import Link, LinkTest
from bot.domain.signal import Kind, Signal, SignalId, Topology
from bot.domain.window import Window
from bot.signals.confounders import ByTheClock, Timed, beside, beside_common_causes
from bot.signals.discoveries import Asked, Corrected, Tried, in_families
from bot.signals.lasting import askable, lasting as within, within_runs
from bot.signals.links import TEST_SHIFT, judge, left_open, measure
from bot.signals.localities import Locality, locality
from bot.signals.mechanisms import BY_STATUS, EXOGENOUS, mechanisms_between
from bot.signals.places import marks, named, scopes
from bot.signals.strangers import FAR, at_peace
from bot.signals.trains import Range, Train, train_of

TIMING = "timing"
TIMING_LAG_S = (0.0, 900.0)
TIMING_WEIGHT = 0.25
LEAST_PLAUSIBLE = 0.15
NOT_BLAMED = 0.6
SHARPNESS = 2
"""Power of a pair's plausibility that weighs its p-value: what nobody would expect needs far better numbers."""
ONCE = 2
"""Occurrences up to which repetition cannot be asked for."""
BEGINS = 0.45
"""How well a kind must be able to begin a chain to be a rival of other beginnings."""
ONCE_PLAUSIBLE = 0.45
"""Plausibility from which place speaks beside order for a tie that cannot repeat."""

BEFORE_SHARE = 0.2
"""Share of the effects before a change from which on it cannot be what began them."""
LEAST_PLACES = 5
HOUR_S, DAY_S = 3_600.0, 86_400.0
SELDOM = 4.0
"""Times a day up to which what lasts cannot be asked to repeat."""
SELDOM_PLAUSIBLE = 0.7
INSIDE_PLAUSIBLE = 0.5
"""How plausible it is at least that a job brings about what near it happens within its runs alone, and ends with them."""
SEEN_OFTEN = 0.7
"""Plausibility from which a lasting tie is believed where the daily cycle cannot be told from it; it is said that it cannot."""
MANY = 8
"""Runs of a job from which on each with its effect, and no effect without one, outweighs that a clock may set both; it is said."""
EACH = 0.95
"""Share of the runs, and of the effects, that counts as each of them: what meets the edge of the window is cut off."""
LOOKS_S = 60.0
"""How far apart a server looks at its own disk, pool or queue, as a rule."""
_AT_ITSELF = frozenset({"same entity", "owner", "named"})
_NEAR = ("same entity", "owner", "named", "called by", "calls")
_BEGINNINGS = frozenset(kind for kind, standing in EXOGENOUS.items() if standing >= 0.8)
"""Kinds that nothing inside brings about by mere timing."""
_REFUSALS = frozenset({Kind.DRAIN_BLOCKED, Kind.QUOTA_EXCEEDED})
"""Kinds that a rule refuses: that something was asked at that moment is not why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A pair to test, and on what grounds."""

    cause: Signal
    effect: Signal
    mechanism: str
    scope: str
    plausibility: float
    lag: Range
    local: Locality | None = None
    """Whether only those pods failed that the cause could have reached"""


@dataclass(frozen=True, slots=True)
class _Ground:
    """On what grounds a pair is tested: by which mechanism, by which tie of places, how plausible, at which lags."""

    mechanism: str
    scope: str
    plausibility: float
    lag: Range


def candidates(signals: Sequence[Signal], topology: Topology) -> Iterable[Candidate]:
    """Give every pair worth a test, in a fixed order."""
    live = [signal for signal in signals if signal.occurrences]
    if not live:
        return
    tied, peaceful = marks(live, topology), at_peace(live, topology)
    for effect, row in zip(live, tied.tolist(), strict=True):
        status = _told_by(effect)
        for cause, mark in zip(live, row, strict=True):
            ground = _ground(cause.kind, effect.kind, status, mark, _blames(effect, cause))
            if ground is None or (ground.scope in FAR and cause.id in peaceful):
                continue
            if cause.id != effect.id and not (
                _never_worked(effect) or _same_course(cause, effect) or _outlived(cause, effect)
            ):
                yield _candidate(cause, effect, ground, topology)


def candidate_for(cause: Signal, effect: Signal, topology: Topology) -> Candidate | None:
    """Give the most plausible ground on which to test a pair, or None where there is none."""
    mark = int(marks((cause, effect), topology)[1, 0])
    ground = _ground(cause.kind, effect.kind, _told_by(effect), mark, _blames(effect, cause))
    if ground is None or _never_worked(effect):
        return None
    return _candidate(cause, effect, ground, topology)


def _same_course(cause: Signal, effect: Signal) -> bool:
    """Tell whether a grab is of the very course that shows the shortage: who took the CPU of others is what was seen to need it."""
    alike = (cause.entity, cause.subject, cause.source) == (effect.entity, effect.subject, effect.source)
    return cause.kind is Kind.NOISY_NEIGHBOUR and alike


def _outlived(cause: Signal, effect: Signal) -> bool:
    """Tell whether what fails seldom went on for hours after pods had ended: those cut off what was in flight, and no more."""
    ends = cause.kind in (Kind.POD_KILL, Kind.SHUTDOWN) and "seldom" in effect.attributes
    return ends and any(one.end_s - one.start_s > HOUR_S for one in effect.occurrences)


def _never_worked(effect: Signal) -> bool:
    """Tell whether what failed had never worked, as far as anybody saw: then nothing that happened here broke it."""
    return "never_served" in effect.attributes


def _candidate(cause: Signal, effect: Signal, ground: _Ground, topology: Topology) -> Candidate:
    return Candidate(
        cause=cause,
        effect=effect,
        mechanism=ground.mechanism,
        scope=ground.scope,
        plausibility=ground.plausibility,
        lag=_noted(effect, cause, ground.lag),
        local=None if ground.mechanism == TIMING else locality(cause, effect, topology),
    )


def _noted(effect: Signal, cause: Signal, lag: Range) -> Range:
    """Let who was only told of a failure log it before whose it is: a server notes its own state at the next look at it."""
    told = effect.kind is cause.kind and effect.attributes.get("told_by") == str(cause.entity)
    return replace(lag, low_s=lag.low_s - LOOKS_S) if told else lag


def _told_by(effect: Signal) -> str:
    """Give the HTTP status of an effect, where it says more than that it failed."""
    status = effect.attributes.get("status", "")
    return status if status in BY_STATUS else ""


def _blames(effect: Signal, cause: Signal) -> bool:
    """Tell whether a failure may be the cause's doing by its own words: it names nobody, or names it."""
    return "blames" not in effect.attributes or effect.attributes["blames"] == str(cause.entity)


@lru_cache(maxsize=1 << 16)
def _ground(cause: Kind, effect: Kind, status: str, mark: int, blamed: bool) -> _Ground | None:
    """Give the most plausible ground for two kinds whose places are tied so."""
    ties = named(mark)
    best: _Ground | None = None
    # a failure that names whom it failed on is less likely anybody else's
    trust = 1.0 if blamed else NOT_BLAMED
    for row in mechanisms_between(cause, effect, status):
        if cause is effect and "calls" in ties and "called by" not in ties:
            continue  # one failure seen twice climbs from callee to caller, never down
        factors = dict(row.scopes)
        # of ties that weigh the same the closest, which stands first
        reach = max(((factors[tie], tie) for tie in ties if tie in factors), key=lambda one: one[0], default=None)
        if reach is None or row.weight * reach[0] < LEAST_PLAUSIBLE:
            continue
        plausibility = trust * row.weight * reach[0]
        if best is None or plausibility > best.plausibility:
            lag = Range(low_s=row.lag_s[0], high_s=row.lag_s[1], anchor=row.anchor)
            best = _Ground(row.key, reach[1], plausibility, lag)
    if best is None and ties[0] in _NEAR and _by_timing(cause, effect):
        lag = Range(low_s=TIMING_LAG_S[0], high_s=TIMING_LAG_S[1], anchor="during")
        best = _Ground(TIMING, ties[0], TIMING_WEIGHT, lag)
    return best


def _by_timing(cause: Kind, effect: Kind) -> bool:
    """Tell whether two kinds may be tied by timing alone: it begins nothing that needs no cause, and no refusal, which has a rule."""
    return cause is not effect and effect not in _BEGINNINGS and effect not in _REFUSALS


def link_all(found: Iterable[Candidate], window: Window, symptom: SignalId | None = None) -> list[Link]:
    """Test every candidate and correct the p-values for all that were tried, step by step from the symptom backwards.

    Without a symptom all pairs are one family.
    """
    listed = list(found)
    trains = {signal.id: train_of(signal, window) for signal in _sides(listed)}
    tests = [_measured(one, trains[one.cause.id], trains[one.effect.id], window) for one in listed]
    inside = [_inside_runs(one, trains, test, window) for one, test in zip(listed, tests, strict=True)]
    alone = _by_each_run(listed, tests)
    likely = [
        _likely(one) or held or index in alone for index, (one, held) in enumerate(zip(listed, inside, strict=True))
    ]
    timed = ByTheClock(_sides(listed), trains, window)

    def again(index: int) -> Asked:
        one, test = listed[index], tests[index]
        return timed.ask(one.cause, one.effect, test, known=_known(one, test), likely=likely[index])

    corrected = in_families(_tried(listed, tests, window), symptom, again)
    links = [
        _link(
            replace(one, plausibility=max(one.plausibility, INSIDE_PLAUSIBLE)) if inside[index] else one,
            _judged(one, test, corrected.get(index), timed.told(one.cause, one.effect), likely=likely[index]),
        )
        for index, (one, test) in enumerate(zip(listed, tests, strict=True))
    ]
    return beside_common_causes(links, trains, window)


def _located(one: Candidate, test: LinkTest) -> LinkTest:
    """Say beside the test of times which pods failed, where that was asked."""
    return test if one.local is None or test.p_value is None else replace(test, test=f"{test.test}; {one.local}")


def _judged(one: Candidate, test: LinkTest, corrected: Corrected | None, told: Timed, *, likely: bool) -> LinkTest:
    if corrected is None:
        return left_open(test)
    judged = beside(judge(test, corrected.p_value), told, corrected.again, known=_known(one, test), likely=likely)
    return _located(one, judged)


def _known(one: Candidate, test: LinkTest) -> bool:
    """Tell what is believed without a word from the time of day: a known way of what lasts for hours, which traffic times."""
    return one.plausibility >= SEEN_OFTEN and test.test != TEST_SHIFT


def _likely(one: Candidate) -> bool:
    """Tell what is believed of two things on one beat where the window cannot tell them from a clock; it is said that it cannot."""
    return one.plausibility >= SEEN_OFTEN


def _by_each_run(listed: Sequence[Candidate], tests: Sequence[LinkTest]) -> set[int]:
    """Number the pairs in which nearly each of many runs of a job was followed by an effect near it that never came without one, and
    of which there is no second job.
    """
    found: dict[SignalId, list[int]] = {}
    for index, (one, test) in enumerate(zip(listed, tests, strict=True)):
        job = one.cause.kind is Kind.JOB_RUN and one.mechanism != TIMING and one.plausibility >= INSIDE_PLAUSIBLE
        each = test.hits >= EACH * (test.hits + test.misses) and test.unexplained <= (1 - EACH) * test.effects
        if job and test.hits >= MANY and each:
            found.setdefault(one.effect.id, []).append(index)
    return {indexes[0] for indexes in found.values() if len(indexes) == 1}


def _inside_runs(one: Candidate, trains: Mapping[SignalId, Train], test: LinkTest, window: Window) -> bool:
    """Tell whether an effect near a job kept within its runs: a clock that sets both may begin them together, hardly end them."""
    runs = one.cause.kind is Kind.JOB_RUN and one.mechanism != TIMING and one.scope != "cluster"
    return runs and not test.unexplained and within_runs(trains[one.cause.id], trains[one.effect.id], window)


def _sides(listed: Sequence[Candidate]) -> list[Signal]:
    """Give every signal that stands at either end of a pair, once."""
    return list({side.id: side for one in listed for side in (one.cause, one.effect)}.values())


def _link(one: Candidate, test: LinkTest) -> Link:
    return Link(
        cause=one.cause.id,
        effect=one.effect.id,
        mechanism=one.mechanism,
        scope=one.scope,
        plausibility=one.plausibility,
        test=test,
    )


def _measured(one: Candidate, cause: Train, effect: Train, window: Window) -> LinkTest:
    test = measure(cause, effect, one.lag, window)
    if test.p_value is None or not _seldom(one, test, window):
        return test
    best = within(test, cause, effect, one.lag, window)
    return replace(best, p_value=min(1.0, 2 * (best.p_value or 0.0)))  # asked in two ways, of which one is kept


def _tried(listed: Sequence[Candidate], tests: Sequence[LinkTest], window: Window) -> dict[int, Tried]:
    """Give what enters the correction: every pair with a p-value, also where nothing followed."""
    places, spared = _places(listed), _spared(listed)
    tried = {}
    for index, (one, test) in enumerate(zip(listed, tests, strict=True)):
        if test.p_value is None:
            continue
        once, lasts = _happened_once(one, test), _seldom(one, test, window)
        p_value = by_place(test.p_value, one, places) if once or lasts else test.p_value
        begins = EXOGENOUS.get(one.cause.kind, 0.0) >= BEGINS
        tried[index] = Tried(
            cause=one.cause.id,
            effect=one.effect.id,
            p_value=p_value if _in_question(one, test) and one.cause.id not in spared else 1.0,
            weight=one.plausibility**SHARPNESS,
            at_s=one.cause.occurrences[0].start_s if test.hits + test.misses <= ONCE else None,
            place=one.cause.entity,
            begins=once and begins,
            lasts=lasts,
        )
    return tried


def _spared(listed: Sequence[Candidate]) -> set[SignalId]:
    """Name the changes none of whose new pods failed while others of the workload did: whoever asked it failed on the others."""
    asked = [(one.cause.id, one.local) for one in listed if one.local is not None]
    return {cause for cause, local in asked if local.spares} - {cause for cause, local in asked if local.failed}


def _places(listed: Sequence[Candidate]) -> int:
    """Count the places at which anything was seen to happen."""
    return len({side.entity for one in listed for side in (one.cause, one.effect)})


def by_place(p_value: float, candidate: Candidate, places: int) -> float:
    """Weigh in where a cause that came once struck: at the very thing it is about, of all that it could have been.

    Were the two unrelated, the effect would stand at one of the few places that the cause is about with a chance of
    their share of all. Time and place are two independent tests, combined by the product of their p-values, whose
    distribution is known (Fisher 1932).
    """
    if candidate.local is not None and p_value > 0.0:
        p_value = min(p_value, both(p_value, candidate.local.p_value))
    if candidate.scope not in _AT_ITSELF or places < LEAST_PLACES or p_value <= 0.0:
        return p_value
    return min(p_value, both(p_value, min(1.0, _about(candidate) / places)))


def _about(candidate: Candidate) -> int:
    """Count the places that the cause is about: itself, or of those that one side names as many as it names as often."""
    if candidate.scope != "named":
        return 1
    by_cause = candidate.effect.entity in candidate.cause.mentions
    naming = [
        one for one in (candidate.cause if by_cause else candidate.effect).mentions if one.kind not in CLUSTER_KINDS
    ]
    if not by_cause and candidate.cause.entity in naming and candidate.effect.source.endswith("logs"):
        return (
            naming.index(candidate.cause.entity) + 1
        )  # lines' mentions stand in the order of how often they were made
    return max(1, len(naming))


def both(first: float, second: float) -> float:
    """Combine the p-values of two independent tests by their product, whose distribution is known (Fisher 1932)."""
    product = first * second
    return product * (1.0 - log(product)) if product > 0.0 else 0.0


def _in_question(candidate: Candidate, test: LinkTest) -> bool:
    """Tell whether a tie could be shown at all: something followed, and of what stays in force little came before it."""
    since = candidate.lag.anchor == "since"
    return test.hits > 0 and not (since and test.unexplained > BEFORE_SHARE * test.effects)


def _happened_once(candidate: Candidate, test: LinkTest) -> bool:
    causes = test.hits + test.misses
    return (
        candidate.plausibility >= ONCE_PLAUSIBLE
        and causes <= ONCE
        and (test.effects <= ONCE or candidate.lag.anchor == "since")
    )


def _seldom(candidate: Candidate, test: LinkTest, window: Window) -> bool:
    return (
        candidate.plausibility >= SELDOM_PLAUSIBLE
        and (candidate.scope in _AT_ITSELF or candidate.scope == "called by")
        and candidate.lag.anchor == "during"
        and max(test.effects, test.hits + test.misses) <= SELDOM * max(1.0, window.length_s / DAY_S)
        and askable(train_of(candidate.cause, window), train_of(candidate.effect, window), window)
    )


def link_one(cause: Signal, effect: Signal, topology: Topology, window: Window, lag_s: float = 1800.0) -> Link:
    """Test one pair whatever the grounds, as a follow-up question asks for; not corrected, for nothing else was tried."""
    candidate = candidate_for(cause, effect, topology)
    if candidate is None:
        lag = Range(low_s=0.0, high_s=lag_s, anchor="during")
        ties = scopes(cause, effect, topology)
        candidate = Candidate(cause=cause, effect=effect, mechanism=TIMING, scope=ties[0], plausibility=0.1, lag=lag)
    trains = train_of(cause, window), train_of(effect, window)
    test = measure(*trains, candidate.lag, window)
    if candidate.lag.anchor == "during":
        test = within(test, *trains, candidate.lag, window)
    return _link(candidate, judge(test, test.p_value))


def narrowed(signal: Signal, start_s: float, end_s: float) -> Signal:
    """Keep only the occurrences that touch ``[start_s, end_s]``."""
    kept = tuple(one for one in signal.occurrences if one.end_s >= start_s and one.start_s <= end_s)
    return replace(signal, occurrences=kept, total=len(kept))
