"""What to do where no cause was established: what is known, which evidence to get, which leads to tell apart, and how.

Nothing here names a cause. A lead is what the symptom follows beyond chance, or a change that was there before it and stays.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.analyst.answers import cite, give
from bot.analyst.citations import Citations
from bot.analyst.questions import Question
from bot.analyst.rivals import LASTING
from bot.analyst.subjects import FollowUpContext, symptom_signal
from bot.analyst.words import clock, clock_s, counted, noun
from bot.domain.items import SourceCoverage
from bot.domain.link import Link
from bot.domain.report import Answer
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import length

MOST_LEADS = 2
NEAR_S = 43_200.0
"""How long before the first episode a change was made that is followed up before anything that comes with the symptom."""
UNTOLD = frozenset({Kind.LOG_ERROR, Kind.LOG_BURST, Kind.ALERT, Kind.RESOURCE_SHIFT, Kind.HUMAN_CHANGE})
"""Kinds that say too little to be followed up, or whose deed another signal tells."""

FETCH: dict[str, str] = {
    "kubernetes/logs": "the pods' logs of those hours (`kubectl logs --timestamps`, or an export of the log store)",
    "loki": "the log store's lines of those hours",
    "elasticsearch": "the log store's lines of those hours",
    "victorialogs": "the log store's lines of those hours",
    "kubernetes/events": "the events of those hours from whatever keeps them longer than the cluster's hour; for the next time "
    "`rootcause record` keeps them",
    "kubernetes/objects": "the objects (`kubectl get deployments,replicasets,configmaps,… -o json`)",
    "prometheus": "CPU, memory, restarts and replicas of those hours from Prometheus",
}
"""How each source is got, in the order in which they tell most where all are missing."""
UNDO: dict[Kind, str] = {
    Kind.ROLLOUT: "roll it back, or let one old pod run beside the new ones",
    Kind.RELOAD: "put the former configuration back for one peak",
    Kind.CONFIG_CHANGE: "put the former version back for one peak",
    Kind.SECRET_CHANGE: "restart one consumer and compare it with the others",
    Kind.JOB_RUN: "suspend it for one run and see whether the episode comes all the same",
    Kind.NODE_FAILURE: "compare the pods on it with those on other nodes",
    Kind.EXTERNAL_FAILURE: "call it from outside of the cluster while it lasts",
    Kind.SCALE_UP: "hold the number of replicas fixed for one cycle",
    Kind.SCALE_DOWN: "hold the number of replicas fixed for one cycle",
    Kind.DRAIN_BLOCKED: "run one replica more than the disruption budget asks for, and drain again",
    Kind.QUOTA_EXCEEDED: "raise the quota for one peak",
    Kind.NOISY_NEIGHBOUR: "limit it, or move it to another node, for one peak",
    Kind.DISK_HOG: "stop what it writes for some hours",
    Kind.CERTIFICATE_EXPIRY: "renew it",
    Kind.LOCK_WAIT: "look who holds the lock the next time (`pg_locks` in PostgreSQL)",
    Kind.TRAFFIC_RISE: "compare a peak without it",
}
"""How one lead is told from another; what is not here is an effect of something else first of all."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Something to follow up, and the numbers that speak for it."""

    signal: Signal
    why: str


def next_steps(question: Question, context: FollowUpContext) -> Answer:
    """Answer "what would fix it?" where nothing can be recommended: with what is known and what would settle it."""
    report = context.report
    if report.verdict == "no_incident":
        return give(question, context, "There is nothing to fix: no incident was found in this window.", "answered")
    cited = Citations(context.evidence)
    leads = leads_of(context)
    said = ["No cause was established, so no change is sure to help."]
    if report.symptom is not None:
        said.append(
            f"Known: {report.symptom.summary.rstrip('.')}, first {clock(report.symptom.episodes[0].start)}"
            f"{_ruled_out(context)}."
        )
    said += [_told(lead, cited, place) for place, lead in enumerate(leads)]
    steps = [*(": ".join(each) for each in to_fetch(report.coverage)), *_to_separate(leads)]
    listed = " ".join(f"({number}) {step}." for number, step in enumerate(steps, 1))
    said.append(f"What would settle it: {listed}")
    return give(question, context, " ".join(said), "answered", cited)


def leads_of(context: FollowUpContext) -> list[Lead]:
    """Give what the symptom follows beyond chance, the most plausible first, then changes that were there before it."""
    symptom = symptom_signal(context)
    if symptom is None or not symptom.occurrences:
        return []
    felt_at = context.topology.root(symptom.entity)
    causes = {
        signal.id: signal
        for signal in context.signals
        if signal.kind not in UNTOLD
        if signal.kind in UNDO
        or context.topology.root(signal.entity) != felt_at  # else it is how the symptom itself shows
    }
    into = [link for link in context.links if link.effect == symptom.id and link.test.status == "supported"]
    into.sort(key=lambda link: (-link.plausibility, -link.test.hits, link.cause))
    tied = [
        Lead(causes[link.cause], _followed(link)) for link in into if link.cause in causes and link.plausibility > 0
    ]
    leads = [lead for lead in tied if lead.signal.kind in UNDO]
    leads += [
        Lead(
            signal,
            f"made {length(symptom.occurrences[0].start_s - signal.occurrences[-1].start_s)} before the first episode",
        )
        for signal in sorted(context.signals, key=lambda one: (-_last(one), one.id))
        if signal.kind in LASTING and _before_all(signal, symptom)
    ]
    effects = [lead for lead in tied if lead.signal.kind not in UNDO][:1]
    near = [lead for lead in leads if symptom.occurrences[0].start_s - _last(lead.signal) <= NEAR_S]
    leads = [*near, *effects, *(lead for lead in leads if lead not in near)]
    places: set[object] = set()
    kept: list[Lead] = []
    for lead in leads:
        place = (lead.signal.kind, context.topology.root(lead.signal.entity))
        if place not in places:
            kept.append(lead)
        places.add(place)
    return kept[:MOST_LEADS]


def _last(signal: Signal) -> float:
    return signal.occurrences[-1].start_s if signal.occurrences else 0.0


def _before_all(signal: Signal, symptom: Signal) -> bool:
    return bool(signal.occurrences) and _last(signal) <= symptom.occurrences[0].start_s


def _followed(link: Link) -> str:
    count = counted(link.test.hits + link.test.misses, "time")
    return f"the symptom followed {link.test.hits} of {count}"


def _ruled_out(context: FollowUpContext) -> str:
    count = len(context.report.ruled_out)
    return f"; {counted(count, 'suspect')} ruled out" if count else ""


def _told(lead: Lead, cited: Citations, place: int) -> str:
    keys = "".join(f" [{key}]" for key in cite(cited, lead.signal, lead.signal.occurrences, most=1))
    at = clock_s(lead.signal.occurrences[0].start_s)
    name = f"{_named(lead.signal, str(lead.signal.entity))} ({at}; {lead.why})"
    return f"{'Not shown to be the cause, but the first to follow up' if not place else 'Then'}: {name}{keys}."


def to_fetch(coverage: Sequence[SourceCoverage]) -> Iterable[tuple[str, str]]:
    """Give how evidence is got that is missing, and in what state it was; sources that were there whole are left out."""
    rows = {row.source: row for row in coverage}
    for source, how in FETCH.items():
        row = rows.get(source)
        if row is None or row.status in {"complete", "not_configured"}:
            continue
        state = "is missing" if row.status == "missing" else "was there in part"
        yield f"get {how}", f"{source} {state}"


def _to_separate(leads: Sequence[Lead]) -> Iterable[str]:
    """Say how each lead is tried; where there is none, where to look."""
    if not leads:
        yield "widen the window to a time before the first episode, so that there is something to compare with"
    for lead in leads:
        name = _named(lead.signal, lead.signal.entity.name)
        if (undo := _undone(lead.signal)) is not None:
            yield f"{name}: {undo}"
            continue
        called = [str(each) for each in lead.signal.mentions[:2] if each != lead.signal.entity]
        where = f"at {' and '.join(called)}, which its lines name," if called else "at what it calls and at its node"
        yield f"{name} is itself an effect: look {where} just before {clock_s(lead.signal.occurrences[0].start_s)}"


def _named(signal: Signal, whose: str) -> str:
    """Name a lead: what happened to what, and a thing that was made by itself."""
    if _made(signal):
        return f"the new {whose if ' ' in whose else f'{signal.entity.kind} {whose}'}"
    return f"the {noun(signal.kind).removeprefix('an ').removeprefix('a ')} of {whose}"


def _made(signal: Signal) -> bool:
    return signal.kind is Kind.CONFIG_CHANGE and signal.label == "created"


def _undone(signal: Signal) -> str | None:
    return "take it away again for one peak" if _made(signal) else UNDO.get(signal.kind)
