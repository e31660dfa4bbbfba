"""Changes that rest on a measured setting, each with what it would have spared, the assumption, and what it would not mend.

Where the number that is needed was not measured, the effect says which one is missing instead of a guess.
"""

import re
from math import ceil

from bot.analyst import counterfactuals as would
from bot.analyst.advice_parts import MI, fact_of, number_of_fact, places_of, would_have
from bot.analyst.findings import Findings
from bot.analyst.steps import durations_of, grace_of
from bot.analyst.words import counted, plural
from bot.domain.entity import Entity
from bot.domain.fleet import as_flags
from bot.domain.link import Chain
from bot.domain.report import Recommendation
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import length
from bot.domain.what_if import WhatIf, exactly, stepped

GRACE_STEP_S = 5
MOST_ROUND = 120
LONGEST_STABILISATION_S = 3600
"""https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#stabilization-window: zero to an hour."""
DEFAULT_STABILISATION_S = 300.0
_SIZES = re.compile(r"(?P<first>[\d.,]+) (?P<unit>[KMGT]iB) →")
_BYTES = {"KiB": 1024.0, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40}


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
    present = fact.number
    what = WhatIf(
        setting="terminationGracePeriodSeconds",
        entity=entity,
        unit="s",
        present=present,
        proposed=wanted,
        things=plural(cut.kind),
        total=dropped,
        points=stepped(
            _round(present, wanted, 1),
            lambda value: exactly(would.finished_by_grace(dropped, logged, present, value)),
            kept=(wanted, less, *_round(present, wanted, GRACE_STEP_S)),
        ),
        assumption=(
            "they last as long as those logged, SIGTERM finds them at any point of their run, and the app finishes what it has begun"
        ),
    )
    spared = what.spared(wanted)[0]
    beside = less if less < wanted and what.spared(less)[0] < spared else None
    return Recommendation(
        summary=f"Raise terminationGracePeriodSeconds of {entity} from {fact.value} to {wanted}",
        rationale=(
            f"the longest request measured took {length(durations.max_s)}, and pods get {length(present)} to finish; "
            f"{counted(durations.over(present), 'request')} in the window took longer than that"
        ),
        change=f"kubectl {as_flags(entity.namespace)} patch {entity.kind.lower()} {entity.name} -p '{patch}'",
        effect=f"{would_have(f'a grace period of {wanted} s', what, beside=beside)}; it does not stop requests that arrive after SIGTERM",
        spared=spared,
        what_if=(what,),
    )


def _round(present: float, wanted: float, step: int) -> list[float]:
    """Give the round values up to the proposed one, that people may ask about later; of very many every second or third."""
    step *= ceil((wanted - present) / step / MOST_ROUND)
    return [float(value) for value in range(step, int(wanted) + 1, step) if value > present]


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
    what = _waited(signal, entity, wanted, findings)
    return Recommendation(
        summary=f"Let {entity} wait {length(wanted)} before it scales down, then one pod at a time",
        rationale=(
            f"it scales for the runs of {chain.root.entity.name} ({length(runs[len(runs) // 2])} each), "
            "not for traffic of its own"
        ),
        change=f"kubectl {as_flags(entity.namespace)} patch hpa {entity.name} -p '{patch}'",
        effect=_waiting(signal, entity, what, findings),
        what_if=(what,),
    )


def _scaler(signal: Signal, findings: Findings) -> Entity | None:
    if signal.entity.kind == "HorizontalPodAutoscaler":
        return signal.entity
    return next((hpa for hpa, target in findings.topology.targets.items() if target == signal.entity), None)


def _ups(signal: Signal, scaler: Entity, findings: Findings) -> list[float]:
    places = {scaler, signal.entity}
    ups = (other for other in findings.signals.values() if other.kind is Kind.SCALE_UP and other.entity in places)
    return [one.start_s for other in ups for one in other.occurrences]


def _waited(signal: Signal, scaler: Entity, wanted_s: float, findings: Findings) -> WhatIf:
    ups, downs = _ups(signal, scaler, findings), [one.start_s for one in signal.occurrences]
    present = number_of_fact(findings, {scaler}, "scaleDown.stabilizationWindowSeconds")
    present = DEFAULT_STABILISATION_S if present is None else present
    gaps = [min((up - down for up in ups if up > down), default=0.0) for down in downs]
    return WhatIf(
        setting="scaleDown.stabilizationWindowSeconds",
        entity=scaler,
        unit="s",
        present=present,
        proposed=wanted_s,
        things=plural(Kind.SCALE_DOWN),
        total=len(downs),
        points=stepped(
            [present + gap for gap in gaps if 0 < gap <= LONGEST_STABILISATION_S - present],
            lambda value: exactly(would.spared_by_waiting(downs, ups, present, value)),
            kept=(wanted_s,),
        ),
        assumption="the load stays the same",
    )


def _waiting(signal: Signal, scaler: Entity, what: WhatIf, findings: Findings) -> str:
    if what.spared(what.proposed)[0]:
        longer = length(what.proposed - (what.present or 0.0))
        said = would_have(f"a window of {length(what.proposed)}", what)
        return f"{said}: that many were followed by a scale-up within {longer}; the others only come later"
    ups, downs = _ups(signal, scaler, findings), [one.start_s for one in signal.occurrences]
    gaps = [min(up - down for up in ups if up > down) for down in downs if any(up > down for up in ups)]
    soonest = f": the next scale-up came {length(min(gaps))} later at the soonest" if gaps else ""
    return (
        f"a longer window would have spared none of {counted(len(downs), 'scale-down')} in this window, if the load stays the same{soonest}; what it "
        "changes is that pods end one at a time, and it does not save the requests of a pod that ends"
    )


def memory(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Give more room to what grows, and say how far that carries."""
    limit = fact_of(findings, places_of(signal, findings), "limits.memory")
    kills = next((s for s in chain.signals if s.kind is Kind.OOM_KILL), None)
    first = next((_size(one.note) for one in signal.occurrences if _size(one.note) is not None), None)
    if limit is None or not limit.number or kills is None or first is None or first >= limit.number:
        return None
    wanted, present, count = 2 * limit.number, limit.number, len(kills.occurrences)
    entity = limit.entity
    container = limit.name.partition(".")[0]
    change = f"kubectl {as_flags(entity.namespace)} set resources {entity.kind.lower()} {entity.name} -c {container} --limits=memory={wanted / MI:.0f}Mi"
    what = WhatIf(
        setting="limits.memory",
        entity=entity,
        unit="bytes",
        present=present,
        proposed=wanted,
        things=plural(Kind.OOM_KILL),
        total=count,
        # one kill fewer from each of these sizes on, see ``kills_spared``
        points=stepped(
            [first + count * (present - first) / (count - fewer + 1) + 1 for fewer in range(1, count + 1)],
            lambda value: exactly(would.kills_spared(count, first, present, value)),
            kept=(wanted,),
        ),
        assumption="memory goes on growing as fast as measured",
    )
    return Recommendation(
        summary=f"Find what {signal.entity} keeps in memory; until then raise its limit from {limit.value} to {wanted / MI:.0f}Mi",
        rationale="its memory does not come back between restarts",
        change=change,
        effect=f"{would_have(f'a limit of {wanted / MI:.0f}Mi', what)}; it is full later, and still full in the end",
        what_if=(what,),
    )


def _size(note: str) -> float | None:
    found = _SIZES.search(note)
    return None if found is None else float(found["first"].replace(",", "")) * _BYTES[found["unit"]]
