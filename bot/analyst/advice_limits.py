"""Limits that were too small, or missing: quota, CPU, a pool's size, a node's disk, each with what another would have spared.

Where use is hidden by the very limit, the number is only as good as what lies below it, and the effect says so.
"""

import re
from collections.abc import Iterator
from math import ceil, floor, log

from bot.analyst import counterfactuals as would
from bot.analyst.advice_parts import GIB, MI, fact_of, found_in, number_of_fact, places_of, struck_of, would_have
from bot.analyst.findings import Findings
from bot.analyst.words import plural
from bot.domain.entity import Entity
from bot.domain.fleet import as_flags
from bot.domain.link import Chain
from bot.domain.measured import Throttling
from bot.domain.quantities import number_of
from bot.domain.report import Recommendation
from bot.domain.signal import Kind, Signal
from bot.domain.what_if import Range, WhatIf, exactly, stepped

_QUOTA = re.compile(
    r"exceeded quota: \S+ requested: (?P<requested>[^\s:]+), used: (?P<used>[^\s:]+), limited: (?P<limited>[^\s:\"\\]+)"
)
_POOL = re.compile(r"\btotal=(?P<total>\d+).{0,60}?\bwaiting=(?P<waiting>\d+)")
_USING = re.compile(r"was using (?P<number>\d+)(?P<unit>[KMGT]i)?,")
MOST_FOLDED = 1000
NEARLY_ALL = 0.99
"""A CPU limit is proposed that spares so large a share of the throttling."""
CPU_STEP = 0.05
"""A limit is proposed in steps of so many cores."""
FINE = 1.02
"""The steps of what any limit would have spared, each so many times the one below: small changes count most."""
MOST_TIMES_THE_LIMIT = 8.0
"""A demand beyond so many times the limit was never seen and is not extrapolated."""


def quota(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Raise a quota by what it refused: to all pods that were missing, where that is known, else to the next one."""
    refused: dict[str, list[would.Refusal]] = {}
    for resource, row in _refusals(signal, findings):
        refused.setdefault(resource, []).append(row)
    if not refused:
        return None
    resource, rows = max(refused.items(), key=lambda pair: (len(pair[1]), pair[0]))
    missing = _missing(signal, chain)
    wanted = max(one.used + max(1, missing) * one.requested for one in rows)
    present = max(one.limited for one in rows)
    scale, unit = (1e-3, "m") if resource.endswith("cpu") else (MI, "Mi") if "memory" in resource else (1.0, "")
    what = WhatIf(
        setting=f"hard.{resource}",
        entity=next((one for one in signal.mentions if one.kind == "ResourceQuota"), signal.entity),
        unit="cores" if unit == "m" else "bytes" if unit else "",
        present=present,
        proposed=wanted,
        things="refusals",
        total=len(rows),
        points=stepped(
            [one.used + one.requested for one in rows],
            lambda value: exactly(would.admitted(rows, value) if value > present else 0),
            kept=(wanted,),
        ),
        assumption="nothing else takes the room",
    )
    upto = f"all {missing} pods that were missing at once" if missing > 1 else "the next pod each time"
    least = max(one.used + one.requested for one in rows)
    pods = (
        f"; {least / scale:.0f}{unit} lets in one more pod, {wanted / scale:.0f}{unit} {upto}"
        if missing > 1
        else "; pods beyond the next one need more"
    )
    return Recommendation(
        summary=f"Raise {resource} of the quota that refuses {signal.entity} from {present / scale:.0f}{unit} to {wanted / scale:.0f}{unit} or more, or free what uses it",
        rationale="new pods are refused",
        change=None,
        effect=f"{would_have(f'a quota of {wanted / scale:.0f}{unit}', what)}{pods}",
        what_if=(what,),
    )


def _refusals(signal: Signal, findings: Findings) -> Iterator[tuple[str, would.Refusal]]:
    """Read every refusal that events tell of, one each however often it was folded; else those that the signal cites."""
    events = findings.measures.events(signal.entity, ("FailedCreate",)) if findings.measures is not None else ()
    texts = [
        text for _, event in events for text in [event.message] * min(event.count, MOST_FOLDED) if _QUOTA.search(text)
    ]
    texts = texts or [found.string for found in found_in(signal, findings, _QUOTA)]
    for text in texts:
        found = _QUOTA.search(text)
        amounts = [_amounts(found[part]) for part in ("requested", "used", "limited")] if found else []
        for resource in amounts[0] if amounts else ():
            requested, used, limited = (one.get(resource) for one in amounts)
            if requested is not None and used is not None and limited is not None and used + requested > limited:
                yield resource, would.Refusal(requested, used, limited)


def _amounts(text: str) -> dict[str, float | None]:
    """Read ``requests.cpu=500m,pods=1``."""
    pairs = (each.partition("=") for each in text.rstrip(",").split(","))
    return {name: number_of(value, name) for name, _, value in pairs}


def _missing(signal: Signal, chain: Chain) -> int:
    """Give how many pods were missing at once at the worst, 0 where nobody counted them."""
    short = [one for one in chain.signals if one.kind is Kind.POD_SHORTFALL and one.entity == signal.entity]
    return int(max((one.size for each in short for one in each.occurrences), default=0.0))


def cpu(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Raise a CPU limit to what the container would have used, judged by its demand when it was not throttled."""
    limit = fact_of(findings, places_of(signal, findings), "limits.cpu")
    if limit is None or not limit.number or findings.measures is None:
        return None
    pods = number_of_fact(findings, {limit.entity}, "replicas") or 1.0
    measured = findings.measures.throttling(signal.entity, limit.number * pods, chain.symptom.entity)
    entity, container = limit.entity, limit.name.partition(".")[0]
    summary = f"Raise or remove the CPU limit of {entity}, now {limit.value}"
    if measured is None or measured.spared is None:
        known = (
            "" if measured is None else f"; {measured.throttled:,.0f} of {measured.periods:,.0f} periods were throttled"
        )
        return Recommendation(
            summary=summary,
            rationale=f"it is throttled at its limit{known}",
            change=None,
            effect="not measured: how much CPU it would have used, which its limit hides; more than the limit is all that is known",
        )
    what = _throttled(measured, limit.number, entity)
    struck, whole = struck_of(chain)
    command = f"kubectl {as_flags(entity.namespace)} set resources {entity.kind.lower()} {entity.name} -c {container} --limits=cpu={what.proposed * 1000:.0f}m"
    return Recommendation(
        summary=f"Raise the CPU limit of {entity} from {limit.value} to {what.proposed * 1000:.0f}m, or remove it",
        rationale=f"it is throttled at its limit; {measured.throttled:,.0f} of {measured.periods:,.0f} periods were",
        change=command,
        effect=(
            f"{would_have(f'a limit of {what.proposed * 1000:.0f}m', what)}; {struck:,} of {whole:,} {plural(chain.symptom.kind)} followed them. Its "
            "limit hides what it would have used: this is an estimate from when it was not throttled, and that less would be asked again for "
            "failing is not counted"
        ),
        what_if=(what,),
    )


def _throttled(measured: Throttling, present: float, entity: Entity) -> WhatIf:
    total = round(measured.throttled)

    def spares(value: float) -> Range:
        least, most = measured.spared(value / present) if measured.spared is not None else (0.0, 0.0)
        return min(total, int(least)), min(total, int(most))

    first = floor(present / CPU_STEP) + 1
    grid = [round(place * CPU_STEP, 3) for place in range(first, ceil(MOST_TIMES_THE_LIMIT * present / CPU_STEP) + 1)]
    fine = [round(present * FINE**place, 4) for place in range(1, ceil(log(MOST_TIMES_THE_LIMIT, FINE)) + 1)]
    most = spares(MOST_TIMES_THE_LIMIT * present)[0]
    proposed = next((value for value in grid if spares(value)[0] >= NEARLY_ALL * most), grid[-1])

    def up_to_next(value: float) -> Range:
        """Give what the values from this one up to the next would have spared: it is no step function."""
        upper = value if value == proposed else value * FINE
        return spares(value)[0], spares(min(upper, proposed) if value < proposed else upper)[1]

    return WhatIf(
        setting="limits.cpu",
        entity=entity,
        unit="cores",
        present=present,
        proposed=proposed,
        things="throttled periods",
        total=total,
        points=stepped(fine, up_to_next, kept=(proposed,)),
        assumption=measured.assumption,
    )


def pool(signal: Signal, _chain: Chain, findings: Findings) -> Recommendation | None:
    """Size a pool by how many waited, where its lines say so."""
    seen = [(int(one["total"]), int(one["waiting"])) for one in found_in(signal, findings, _POOL)]
    if not seen:
        return None
    total, waiting = max(one for one, _ in seen), sorted(each for _, each in seen)
    more = waiting[int(0.9 * (len(waiting) - 1))]
    what = WhatIf(
        setting="pool size",
        entity=signal.entity,
        unit="",
        present=total,
        proposed=total + more,
        things="logged moments at which requests waited",
        total=len(waiting),
        points=stepped(
            [total + one for one in waiting],
            lambda value: exactly(would.served(waiting, int(value) - total) if value > total else 0),
            kept=(total + more,),
        ),
        assumption="the database has them to give and is no slower for it",
    )
    return Recommendation(
        summary=f"Bound how long {signal.entity} waits for a connection and how long it may hold one; its pool has {total}",
        rationale=f"up to {waiting[-1]} requests waited at once for connections that nobody gave back",
        change=None,
        effect=f"{would_have(f'a pool of {total + more}', what)}; what holds the connections stays",
        what_if=(what,),
    )


def disk(signal: Signal, _chain: Chain, findings: Findings) -> Recommendation | None:
    """Bound what fills a node's disk."""
    uses = [
        float(one["number"]) * (number_of(f"1{one['unit'] or ''}") or 1.0) for one in found_in(signal, findings, _USING)
    ]
    if not uses:
        return None
    limit = 2.0 ** max(1, int(min(uses) / GIB / 2).bit_length() - 1) * GIB
    what = WhatIf(
        setting="limits.ephemeral-storage",
        entity=signal.entity,
        unit="bytes",
        present=None,
        proposed=limit,
        things="evictions that were read",
        total=len(uses),
        points=stepped([*uses], lambda value: exactly(would.bounded(uses, value)), kept=(limit,), rising=False),
        assumption="its neighbours were evicted for what it used",
        rising=False,
    )
    return Recommendation(
        summary=f"Bound what {signal.entity} writes to its node's disk: log level, rotation, an ephemeral-storage limit of {limit / GIB:.0f}Gi",
        rationale=f"it used up to {max(uses) / GIB:.0f} GiB, and the kubelet evicts its neighbours along with it when the disk is full",
        change=None,
        effect=f"{would_have(f'a limit of {limit / GIB:.0f}Gi', what)}; its own pods would still be evicted until it writes less",
        what_if=(what,),
    )
