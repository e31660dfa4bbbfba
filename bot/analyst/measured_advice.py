"""Changes that rest on a measured setting, each with what it would have spared, the assumption, and what it would not mend.

Where the number that is needed was not measured, the effect says which one is missing instead of a guess.
"""

import re
from collections.abc import Iterator
from math import ceil

from bot.analyst import counterfactuals as would
from bot.analyst.findings import Findings
from bot.analyst.steps import durations_of, grace_of
from bot.analyst.words import counted, noun
from bot.domain.entity import Entity
from bot.domain.fleet import as_flags
from bot.domain.link import Chain
from bot.domain.quantities import number_of
from bot.domain.report import Recommendation
from bot.domain.signal import Kind, Signal, SpecFact
from bot.domain.spelling import length

GRACE_STEP_S = 5
LONGEST_STABILISATION_S = 3600
"""https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#stabilization-window: zero to an hour."""
DEFAULT_STABILISATION_S = 300.0
DEFAULT_PERIOD_S = 10.0
DEFAULT_THRESHOLD = 3.0
"""https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/"""
MOST_LINES = 400
MI = float(1 << 20)
_SIZES = re.compile(r"(?P<first>[\d.,]+) (?P<unit>[KMGT]iB) →")
_BYTES = {"KiB": 1024.0, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40}
_QUOTA = re.compile(r"requested: (?P<requested>[^\s:]+), used: (?P<used>[^\s:]+), limited: (?P<limited>[^\s:\"\\]+)")
_POOL = re.compile(r"\btotal=(?P<total>\d+).{0,60}?\bwaiting=(?P<waiting>\d+)")
_USING = re.compile(r"was using (?P<number>\d+)(?P<unit>[KMGT]i)?,")


def grace(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Raise a grace period that is shorter than the requests it should let finish."""
    fact = grace_of(signal, findings)
    durations = durations_of(signal.entity, findings)
    if fact is None or fact.number is None or durations is None or durations.max_s <= fact.number:
        return None
    wanted = GRACE_STEP_S * ceil(durations.max_s / GRACE_STEP_S)
    cut = next((s for s in chain.signals if s.kind in (Kind.CONNECTION_RESET, Kind.CONNECTION_REFUSED)), chain.symptom)
    dropped = int(sum(one.size for one in cut.occurrences))
    logged = [seconds for seconds, _ in durations.longest]
    entity = fact.entity
    patch = f'{{"spec":{{"template":{{"spec":{{"terminationGracePeriodSeconds":{wanted}}}}}}}}}'
    less = max((each for each in range(int(fact.number), wanted, GRACE_STEP_S) if each > fact.number), default=wanted)
    fewer = would.finished_by_grace(dropped, logged, fact.number, less)
    spared = would.finished_by_grace(dropped, logged, fact.number, wanted)
    beside = f" ({less} s: {fewer:,})" if less < wanted and fewer < spared else ""
    return Recommendation(
        summary=f"Raise terminationGracePeriodSeconds of {entity} from {fact.value} to {wanted}",
        rationale=(
            f"the longest request measured took {length(durations.max_s)}, and pods get {length(fact.number)} to finish; "
            f"{counted(durations.over(fact.number), 'request')} in the window took longer than that"
        ),
        change=f"kubectl {as_flags(entity.namespace)} patch {entity.kind.lower()} {entity.name} -p '{patch}'",
        effect=(
            f"a grace period of {wanted} s would have spared {spared:,} of {counted(dropped, noun(cut.kind))} in this "
            f"window{beside}, if they last as long as those logged and the app finishes what it has begun after SIGTERM; "
            "it does not stop requests that arrive after SIGTERM"
        ),
        spared=spared,
    )


def stabilise(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Let the autoscaler sit out the pause between two load peaks that a job makes."""
    if chain.root.kind is not Kind.JOB_RUN:
        return None
    runs = sorted(one.end_s - one.start_s for one in chain.root.occurrences)
    wanted = min(LONGEST_STABILISATION_S, int(60 * ceil(max(600.0, 1.5 * runs[len(runs) // 2]) / 60)))
    entity = _scaler(signal, findings)
    if entity is None:
        return None
    patch = (
        f'{{"spec":{{"behavior":{{"scaleDown":{{"stabilizationWindowSeconds":{wanted},'
        '"policies":[{"type":"Pods","value":1,"periodSeconds":120}]}}}}'
    )
    return Recommendation(
        summary=f"Let {entity} wait {length(wanted)} before it scales down, then one pod at a time",
        rationale=(
            f"it scales for the runs of {chain.root.entity.name} ({length(runs[len(runs) // 2])} each), "
            "not for traffic of its own"
        ),
        change=f"kubectl {as_flags(entity.namespace)} patch hpa {entity.name} -p '{patch}'",
        effect=_waiting(signal, entity, wanted, findings),
        spared=None,
    )


def _scaler(signal: Signal, findings: Findings) -> Entity | None:
    if signal.entity.kind == "HorizontalPodAutoscaler":
        return signal.entity
    return next((hpa for hpa, target in findings.topology.targets.items() if target == signal.entity), None)


def _waiting(signal: Signal, scaler: Entity, wanted_s: float, findings: Findings) -> str:
    places = {scaler, signal.entity}
    ups = [
        one.start_s
        for other in findings.signals.values()
        if other.kind is Kind.SCALE_UP and other.entity in places
        for one in other.occurrences
    ]
    downs = [one.start_s for one in signal.occurrences]
    present = _number(findings, {scaler}, "scaleDown.stabilizationWindowSeconds") or DEFAULT_STABILISATION_S
    spared = would.spared_by_waiting(downs, ups, present, wanted_s)
    all_told = counted(len(downs), "scale-down")
    if spared:
        return (
            f"a window of {length(wanted_s)} would have spared {spared} of {all_told} in this window, if the load stays the "
            f"same: that many were followed by a scale-up within {length(wanted_s - present)}; the others only come later"
        )
    gaps = [min(up - down for up in ups if up > down) for down in downs if any(up > down for up in ups)]
    soonest = f": the next scale-up came {length(min(gaps))} later at the soonest" if gaps else ""
    return (
        f"a longer window would have spared none of {all_told} in this window, if the load stays the same{soonest}; what it "
        "changes is that pods end one at a time, and it does not save the requests of a pod that ends"
    )


def memory(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Give more room to what grows, and say how far that carries."""
    limit = _fact(findings, {signal.entity, findings.topology.root(signal.entity)}, "limits.memory")
    kills = next((s for s in chain.signals if s.kind is Kind.OOM_KILL), None)
    if limit is None or not limit.number:
        return None
    wanted = 2 * limit.number
    first = next((_size(one.note) for one in signal.occurrences if _size(one.note) is not None), None)
    entity = limit.entity
    container = limit.name.partition(".")[0]
    change = f"kubectl {as_flags(entity.namespace)} set resources {entity.kind.lower()} {entity.name} -c {container} --limits=memory={wanted / MI:.0f}Mi"
    if signal.kind is Kind.MEMORY_GROWTH and kills is not None and first is not None:
        count = len(kills.occurrences)
        spared = would.kills_spared(count, first, limit.number, wanted)
        return Recommendation(
            summary=f"Find what {signal.entity} keeps in memory; until then raise its limit from {limit.value} to {wanted / MI:.0f}Mi",
            rationale="its memory does not come back between restarts",
            change=change,
            effect=(
                f"a limit of {wanted / MI:.0f}Mi would have spared {spared} of {counted(count, 'OOM kill')} in this window, if "
                "memory goes on growing as fast as measured; it is full later, and still full in the end"
            ),
            spared=None,
        )
    return None


def probe(signal: Signal, _chain: Chain, findings: Findings) -> Recommendation | None:
    """Let a liveness probe outlast the pauses that were seen."""
    places = {signal.entity, findings.topology.root(signal.entity)}
    fact = _fact(findings, places, "livenessProbe.")
    lengths = [one.end_s - one.start_s for one in signal.occurrences if one.end_s > one.start_s]
    if fact is None or not lengths:
        return None
    period = _number(findings, places, "livenessProbe.periodSeconds") or DEFAULT_PERIOD_S
    threshold = int(_number(findings, places, "livenessProbe.failureThreshold") or DEFAULT_THRESHOLD)
    ordered = sorted(lengths)
    wanted = max(threshold + 1, ceil(ordered[int(0.9 * (len(ordered) - 1))] / period) + 1)
    now, then = would.outlasted(lengths, period, threshold), would.outlasted(lengths, period, wanted)
    return Recommendation(
        summary=f"Raise failureThreshold of the liveness probe of {signal.entity} from {threshold} to {wanted}",
        rationale="a slow container is restarted as if it were dead",
        change=None,
        effect=(
            f"{then} of {counted(len(lengths), 'stretch')} of failed probes in this window end before {wanted} fail in a row "
            f"({now} before {threshold} do), if a container that is left alone recovers when it did; what makes it slow stays, and "
            "one that is dead is restarted later"
        ),
        spared=None,
    )


def quota(signal: Signal, _chain: Chain, findings: Findings) -> Recommendation | None:
    """Raise a quota by what it refused."""
    refused: dict[str, list[would.Refusal]] = {}
    for found in _found(signal, findings, _QUOTA):
        resource, requested = _amount(found["requested"])
        _, used = _amount(found["used"])
        _, limited = _amount(found["limited"])
        if requested is not None and used is not None and limited is not None:
            refused.setdefault(resource, []).append(would.Refusal(requested, used, limited))
    if not refused:
        return None
    resource, rows = max(refused.items(), key=lambda pair: (len(pair[1]), pair[0]))
    wanted = max(one.used + one.requested for one in rows)
    limit = max(one.limited for one in rows)
    scale, unit = (1e-3, "m") if resource.endswith("cpu") else (MI, "Mi") if "memory" in resource else (1.0, "")
    return Recommendation(
        summary=f"Raise {resource} of the quota that refuses {signal.entity} from {limit / scale:.0f}{unit} to {wanted / scale:.0f}{unit} or more, or free what uses it",
        rationale="new pods are refused",
        change=None,
        effect=(
            f"a quota of {wanted / scale:.0f}{unit} would have let in the next pod in {would.admitted(rows, wanted)} of "
            f"{counted(len(rows), 'refusal')} that were read, if nothing else takes the room; pods beyond that one need more"
        ),
        spared=None,
    )


def pool(signal: Signal, _chain: Chain, findings: Findings) -> Recommendation | None:
    """Size a pool by how many waited, where its lines say so."""
    seen = [(int(one["total"]), int(one["waiting"])) for one in _found(signal, findings, _POOL)]
    if not seen:
        return None
    total, waiting = max(one for one, _ in seen), sorted(each for _, each in seen)
    more = waiting[int(0.9 * (len(waiting) - 1))]
    return Recommendation(
        summary=f"Bound how long {signal.entity} waits for a connection and how long it may hold one; its pool has {total}",
        rationale=f"up to {waiting[-1]} requests waited at once for connections that nobody gave back",
        change=None,
        effect=(
            f"{more} more connections would have served all that waited in {would.served(waiting, more)} of "
            f"{counted(len(waiting), 'moment')} that were read, if the database has them to give and is no slower for it; what "
            "holds the connections stays"
        ),
        spared=None,
    )


def disk(signal: Signal, _chain: Chain, findings: Findings) -> Recommendation | None:
    """Bound what fills a node's disk."""
    uses = [
        float(one["number"]) * (number_of(f"1{one['unit'] or ''}") or 1.0) for one in _found(signal, findings, _USING)
    ]
    if not uses:
        return None
    limit = 2.0 ** max(1, int(min(uses) / 2.0**30 / 2).bit_length() - 1) * 2.0**30
    return Recommendation(
        summary=f"Bound what {signal.entity} writes to its node's disk: log level, rotation, an ephemeral-storage limit of {limit / 2.0**30:.0f}Gi",
        rationale=f"it used up to {max(uses) / 2.0**30:.0f} GiB, and the kubelet evicts its neighbours along with it when the disk is full",
        change=None,
        effect=(
            f"a limit of {limit / 2.0**30:.0f}Gi would have stopped it alone in {would.bounded(uses, limit)} of "
            f"{counted(len(uses), 'eviction')} that were read, if its neighbours were evicted for what it used; its own pods "
            "would still be evicted until it writes less"
        ),
        spared=None,
    )


def _found(signal: Signal, findings: Findings, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    refs = list(dict.fromkeys(ref for one in signal.occurrences for ref in one.refs))[:MOST_LINES]
    for stored in findings.evidence.items(refs):
        found = pattern.search(stored.text)
        if found is not None:
            yield found


def _amount(text: str) -> tuple[str, float | None]:
    """Read ``requests.cpu=500m``; of several resources the first."""
    name, _, value = text.partition(",")[0].partition("=")
    return name, number_of(value, name)


def _size(note: str) -> float | None:
    found = _SIZES.search(note)
    return None if found is None else float(found["first"].replace(",", "")) * _BYTES[found["unit"]]


def _fact(findings: Findings, places: set[Entity], name: str) -> SpecFact | None:
    return next((fact for fact in findings.facts if fact.entity in places and name in fact.name), None)


def _number(findings: Findings, places: set[Entity], name: str) -> float | None:
    fact = _fact(findings, places, name)
    return None if fact is None else fact.number
