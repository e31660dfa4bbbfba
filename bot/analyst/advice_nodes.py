"""What would have carried on when a node, a registry or a neighbour let pods down: spare room, old pods kept, limits, budgets."""

from bot.analyst import counterfactuals as would
from bot.analyst.advice_parts import GIB, explained, fact_of, struck_of, would_have
from bot.analyst.findings import Findings
from bot.analyst.words import counted, plural
from bot.domain.fleet import as_flags
from bot.domain.link import Chain
from bot.domain.report import Recommendation
from bot.domain.signal import Kind, Signal
from bot.domain.what_if import Range, WhatIf, exactly, stepped

MOST_NODES = 5
SETTLES_S = 900.0
"""How long after a node's failure pods begin to wait at the latest: it is noticed (40 s), its pods are given up (5 min)."""


def spare_room(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Keep room for the loss of a node: how many of the pods that waited would have fit on more of its size."""
    if findings.measures is None or signal.entity.kind != "Node":
        return None
    until = max(one.end_s for one in (*signal.occurrences, *explained(chain)))
    room = findings.measures.room(signal.entity, signal.occurrences[0].start_s, until + SETTLES_S)
    if room is None:
        return None
    total = len(room.waiting) + room.unknown
    if not room.waiting:
        return Recommendation(
            summary="Spread replicas over nodes and keep room for the loss of one",
            rationale=f"{counted(total, 'pod')} found no node when {signal.entity.name} was lost",
            change=None,
            effect="not measured: what the pods that waited request, of which nothing was read",
        )

    def fit(value: float) -> Range:
        placed = would.fitting(room.waiting, [room.node] * int(value))
        return placed, placed + (room.unknown if value else 0)

    counts = range(1, MOST_NODES + 1)
    wanted = next((count for count in counts if fit(count)[0] == len(room.waiting)), MOST_NODES)
    what = WhatIf(
        setting="more nodes of this size",
        entity=signal.entity,
        unit="",
        present=0,
        proposed=wanted,
        things="pods that waited",
        total=total,
        points=stepped(counts, fit, kept=(wanted,)),
        assumption="nothing but CPU and memory keeps them off it and it is there before the loss",
    )
    asking = "together they" if len(room.waiting) == total else f"{len(room.waiting)} of them together"
    cores, size = (sum(one[at] for one in room.waiting) for at in (0, 1))
    struck, whole = struck_of(chain)
    return Recommendation(
        summary=f"Keep room for the loss of one node: {counted(wanted, 'more node')} like {signal.entity.name}, or replicas spread so that fewer go with one",
        rationale=(
            f"{counted(total, 'pod')} that ran there found no other node; {asking} request {cores:.3g} cores and {size / GIB:.3g} GiB, "
            f"such a node has {room.node[0]:.3g} and {room.node[1] / GIB:.3g}"
        ),
        change=None,
        effect=(
            f"{would_have(counted(wanted, 'more node') + ' of its size', what)}; {struck:,} of {whole:,} {plural(chain.symptom.kind)} followed the "
            "loss; room spares none of those that failed before it was noticed"
        ),
        what_if=(what,),
    )


def keep_old_pods(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Take no pod away before its successor is there: what failed while none could be pulled."""
    entity = findings.topology.root(signal.entity)
    kind = fact_of(findings, {entity}, "strategy.type")
    gone = fact_of(findings, {entity}, "rollingUpdate.maxUnavailable")
    surge = fact_of(findings, {entity}, "rollingUpdate.maxSurge")
    recreated = kind is not None and kind.value == "Recreate"
    if not recreated and (gone is None or not gone.number):
        return None
    now = (
        "Recreate"
        if recreated
        else f"maxUnavailable {gone.value if gone else '25%'}, maxSurge {surge.value if surge else '25%'}"
    )
    struck, whole = struck_of(chain)
    patch = '{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":0,"maxSurge":1}}}}'
    return Recommendation(
        summary=f"Roll {entity} back to the image its nodes still have; let its rollouts take no pod away before the next is ready (maxUnavailable: 0, maxSurge: 1)",
        rationale=f"its strategy is {now}, so pods were gone before the new image was there; a pod that cannot pull cannot start",
        change=f"kubectl {as_flags(entity.namespace)} patch {entity.kind.lower()} {entity.name} -p '{patch}'",
        effect=(
            f"with maxUnavailable 0 the old pods would have stayed: it would have spared {struck:,} of {whole:,} {plural(chain.symptom.kind)} in this "
            "window, if they had gone on serving as before and there is room for one more pod; the rollout would still wait for the image"
        ),
        spared=struck if struck <= whole else None,
    )


def neighbour(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Limit a workload that takes its neighbours' CPU to what they leave."""
    entity = findings.topology.root(signal.entity)
    shared = findings.measures.neighbours(entity) if findings.measures is not None else None
    peaks = [one.size for one in signal.occurrences if one.size > 0]
    if not peaks or shared is None or shared.cores <= shared.requested:
        return None
    limit = fact_of(findings, {entity}, "limits.cpu")
    wanted = max(0.5, int(2 * (shared.cores - shared.requested)) / 2)
    what = WhatIf(
        setting="limits.cpu",
        entity=entity,
        unit="cores",
        present=limit.number if limit is not None else None,
        proposed=wanted,
        things="bursts",
        total=len(peaks),
        points=stepped([*peaks], lambda value: exactly(would.bounded(peaks, value)), kept=(wanted,), rising=False),
        assumption="its neighbours were struck for what it used beyond that",
        rising=False,
    )
    struck, whole = struck_of(chain)
    has = f"a limit of {limit.value}" if limit is not None else "no CPU limit"
    return Recommendation(
        summary=f"Limit the CPU of {entity} to {wanted:g} cores, or keep it off the nodes that serve requests (taints, anti-affinity)",
        rationale=(
            f"it has {has} and used up to {max(peaks):.3g} cores more than usual, on a node of {shared.cores:.3g} of which its neighbours "
            f"request {shared.requested:.3g}"
        ),
        change=f"kubectl {as_flags(entity.namespace)} set resources {entity.kind.lower()} {entity.name} --limits=cpu={wanted * 1000:.0f}m",
        effect=(
            f"{would_have(f'a limit of {wanted:g} cores', what)}: {struck:,} of {whole:,} {plural(chain.symptom.kind)} followed them; its "
            "work takes longer instead"
        ),
        what_if=(what,),
    )


def budget(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Let a disruption budget spare a pod: how many pods went at once because it spared none."""
    entity = findings.topology.root(signal.entity)
    kill = next((one for one in chain.signals if one.kind is Kind.POD_KILL), None)
    budgets = findings.measures.budgets(entity) if findings.measures is not None else ()
    fact = fact_of(findings, budgets, "Available") or fact_of(findings, budgets, "Unavailable")
    if kill is None or fact is None:
        return None
    drains, pods = len(kill.occurrences), int(sum(one.size for one in kill.occurrences))
    several = sum(one.size > 1 for one in kill.occurrences)
    what = WhatIf(
        setting="maxUnavailable",
        entity=fact.entity,
        unit="",
        present=0,
        proposed=1,
        things="drains that ended with all pods of a node deleted at once",
        total=drains,
        points=stepped([1], lambda value: (several, drains) if value >= 1 else (0, 0), kept=(1,)),
        assumption="a pod is evicted only once its predecessor's successor is ready and one pod fewer is enough for so long",
    )
    struck, whole = struck_of(chain)
    patch = '{"spec":{"minAvailable":null,"maxUnavailable":1}}'
    return Recommendation(
        summary=f"Let {fact.entity} spare one pod (maxUnavailable: 1 instead of {fact.name} {fact.value}), and spread the pods of {entity} over nodes",
        rationale=f"it refused {signal.total:,} evictions; each drain then ended by deleting what was left on the node, {counted(pods, 'pod')} in {drains} drains",
        change=f"kubectl {as_flags(fact.entity.namespace)} patch poddisruptionbudget {fact.entity.name} --type=merge -p '{patch}'",
        effect=(
            f"{would_have('maxUnavailable: 1', what)}; {several} of the drains took more than one pod at once, and {struck:,} of {whole:,} "
            f"{plural(chain.symptom.kind)} followed them"
        ),
        what_if=(what,),
    )
