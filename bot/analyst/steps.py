"""The cascade of a report: one step a signal of the chosen chain, with its evidence, its settings and its links."""

from collections.abc import Sequence
from dataclasses import replace

from bot.analyst.antecedents import Antecedent, antecedents
from bot.analyst.citations import Citations
from bot.analyst.findings import Durations, Findings
from bot.analyst.rivals import seen_words
from bot.analyst.routes import Routes
from bot.analyst.undone import then_back
from bot.analyst.words import GROWTH, counted, every, happened, length, p_words, times
from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.link import Chain, Link
from bot.domain.report import Cascade, Step, StepLink
from bot.domain.signal import Kind, Signal, SpecFact
from bot.domain.window import instant

EVIDENCE_PER_STEP = 3
MOST_TIMES = 300

FACTS_FOR: dict[Kind, tuple[str, ...]] = {
    Kind.JOB_RUN: ("schedule", "timeZone", "concurrencyPolicy", "requests.cpu", "limits.cpu"),
    Kind.SCALE_UP: ("minReplicas", "maxReplicas", "target"),
    Kind.SCALE_DOWN: ("scaleDown.stabilizationWindowSeconds", "minReplicas"),
    Kind.POD_KILL: ("terminationGracePeriodSeconds", "preStop"),
    Kind.SHUTDOWN: ("terminationGracePeriodSeconds", "preStop"),
    Kind.OOM_KILL: ("limits.memory",),
    Kind.MEMORY_GROWTH: ("limits.memory",),
    Kind.CPU_THROTTLING: ("limits.cpu",),
    Kind.PROBE_FAILURE: ("livenessProbe", "readinessProbe"),
    Kind.CERTIFICATE_EXPIRY: ("notAfter", "renewBefore", "renewalTime"),
    Kind.POOL_EXHAUSTION: ("POOL", "CONN"),
    Kind.TIMEOUT: ("TIMEOUT",),
    Kind.QUOTA_EXCEEDED: ("hard",),
}
"""Names of settings (or pieces of names) that bear on a kind of step."""
_NOTED = (Kind.ROLLOUT, Kind.CONFIG_CHANGE, Kind.SECRET_CHANGE, *GROWTH)
"""Kinds whose first note is told: what was changed, by whom, how far it grew."""
FEW_FACTS = 4
SURE_LAG = 1e-3
"""The p-value from which on a series moves with the symptom."""
LEAST_WAIT_S = 2.0
"""A shorter wait moves no beginning that anybody would notice."""
LEAST_CORRELATION = 0.2
_SAME_BEAT = 0.05
"""Periods that differ by less than this share are one beat, said once for the whole cascade."""
_UNLIKE, _MOST_UNLIKE = 3.0, 0.25
"""Times longer or shorter than the usual length that is unlike it, and the share of such from which on no length is usual"""


def cascade(chain: Chain, findings: Findings, citations: Citations) -> Cascade:
    """Tell a chain as steps ``S1`` … in causal order and the measured links between them."""
    names = {signal.id: f"S{place}" for place, signal in enumerate(chain.signals, start=1)}
    links = [*chain.links, *_shortcuts(chain, findings)]
    routes = Routes(chain, findings, links)
    return Cascade(
        steps=tuple(
            _step(names[signal.id], signal, chain, findings, citations, beat_s=chain.root.period_s if at else None)
            for at, signal in enumerate(chain.signals)
        ),
        links=tuple(
            routes.told(link, step_link(link, names[link.cause], names[link.effect], _resolution(link, chain.signals)))
            for link in links
        ),
    )


def step_link(link: Link, cause: str, effect: str, resolution_s: float = 0.0) -> StepLink:
    """Give a tested link the form a report shows."""
    test = link.test
    return StepLink(
        cause=cause,
        effect=effect,
        status=test.status,
        lag=test.lag,
        hits=test.hits,
        misses=test.misses,
        unexplained=test.unexplained,
        p_value=test.p_value,
        test=test.test,
        mechanism=link.mechanism,
        resolution_s=resolution_s,
    )


def _resolution(link: Link, signals: Sequence[Signal]) -> float:
    """Give the step of the coarsest series at either end of a link, in seconds; 0 where there is none."""
    ends = [signal for signal in signals if signal.id in (link.cause, link.effect)]
    return max(float(signal.attributes.get("step_s", 0.0)) if signal.source == "prometheus" else 0.0 for signal in ends)


def facts_for(signal: Signal, findings: Findings) -> list[SpecFact]:
    """Give the settings of the entity, and of what it scales or owns, that bear on what happened to it."""
    wanted = FACTS_FOR.get(signal.kind, ())
    topology = findings.topology
    places = {signal.entity, topology.root(signal.entity)}
    target = topology.targets.get(signal.entity)
    if target is not None:
        places.add(target)
    if signal.kind is Kind.CERTIFICATE_EXPIRY:
        places.update(signal.mentions)
    ranked = [
        (next(rank for rank, word in enumerate(wanted) if word in fact.name), fact)
        for fact in findings.facts
        if fact.entity in places and any(word in fact.name for word in wanted)
    ]
    return [fact for _, fact in sorted(ranked, key=lambda pair: pair[0])][:FEW_FACTS]


def summary_of(signal: Signal, beat_s: float | None = None) -> str:
    """Say in one sentence what a signal is, how often it came, and how long it took; not its period where that is ``beat_s``."""
    said = happened(signal)
    count = len(signal.occurrences)
    if signal.kind is Kind.CERTIFICATE_EXPIRY:
        return f"{_capital(said)} ({signal.occurrences[0].note or 'at the time its notAfter names'})"
    spans = sorted(one.end_s - one.start_s for one in signal.occurrences)
    middle = spans[len(spans) // 2] if spans else 0.0
    said, of_what = _apart(said, signal)
    alike = beat_s and signal.period_s and abs(signal.period_s - beat_s) <= _SAME_BEAT * beat_s
    words = f"{_capital(said)} {then_back(signal) or times(count)}{'' if alike else every(signal.period_s)}"
    if count == 1 and middle >= 600:
        words = f"{_capital(said)} for {length(middle)}"
    elif middle >= 90:
        words += f", {_long(spans)} each" if count > 1 else ""
    if signal.total > count and signal.source.endswith("logs"):
        inside = int(sum(one.size for one in signal.occurrences))
        words += f" ({counted(inside, 'log line')})"
    notes = [one.note for one in signal.occurrences if one.note and one.note != signal.label]
    crowd = signal.kind is Kind.TRAFFIC_RISE and signal.source.endswith("logs")
    if notes and (signal.kind in _NOTED or crowd or signal.attributes.get("by") == "hand"):
        by_whom = signal.kind not in GROWTH and notes[0].startswith("changed by ")
        words += (
            f", {notes[0].removeprefix('changed ')}" if by_whom else f"{', first' if count > 1 else ''}: {notes[0]}"
        )
    return words + of_what


def _long(spans: list[float]) -> str:
    """Spell how long occurrences took, shortest first: what is usual, or from what to what where nothing is."""
    middle = spans[len(spans) // 2]
    unlike = sum(not middle / _UNLIKE <= span <= middle * _UNLIKE for span in spans)
    return f"{length(spans[0])} to {length(spans[-1])}" if unlike > _MOST_UNLIKE * len(spans) else length(middle)


def _apart(said: str, signal: Signal) -> tuple[str, str]:
    """Part what happened from the line that shows it, which stands behind the counts: they are not of its words."""
    head, mark, line = said.partition(": “")
    return (head, f"{mark}{line}") if signal.kind in (Kind.LOG_ERROR, Kind.LOG_BURST, Kind.ALERT) else (said, "")


def _step(
    name: str, signal: Signal, chain: Chain, findings: Findings, citations: Citations, *, beat_s: float | None = None
) -> Step:
    facts = facts_for(signal, findings)
    cited = list(citations.cite_all(_telling(signal), entity=signal.entity))
    said = []
    for fact in facts:
        evidence = citations.cite(fact.ref, entity=fact.entity, quote=fact.quote)
        if evidence is not None:
            cited.append(evidence)
            said.append(f"{fact.entity}: {fact.name} is {fact.value}")
    if chain.root.id == signal.id:
        said.extend(_antecedent_facts(chain, findings, citations, cited))
    said.extend(_grace_fact(signal, findings, citations, cited))
    said.extend(_wait_fact(signal))
    said.extend(_lag_fact(signal, findings))
    shown = signal.occurrences[:MOST_TIMES]
    return Step(
        id=name,
        summary=summary_of(signal, beat_s),
        entity=findings.topology.root(signal.entity),
        mechanism=signal.kind.value,
        first_at=instant(signal.occurrences[0].start_s),
        count=len(signal.occurrences),
        evidence=tuple(dict.fromkeys(cited)),
        facts=tuple(said),
        times=tuple((instant(one.start_s), instant(one.end_s)) for one in shown),
    )


def _antecedent_facts(chain: Chain, findings: Findings, citations: Citations, cited: list[str]) -> list[str]:
    """Say what came before the first step that leads to such a thing, though the times alone do not show it."""
    said = []
    for one in leading_to(chain, findings):
        last = one.before[-1]
        evidence = citations.cite(last.refs[0], entity=one.signal.entity) if last.refs else None
        if evidence is not None:
            cited.append(evidence)
        seen = seen_words(replace(one.signal, occurrences=one.before))
        said.append(
            f"{one.signal.entity}: {seen}, before it; such a thing leads to this, the times alone do not show it"
        )
    return said


def leading_to(chain: Chain, findings: Findings) -> tuple[Antecedent, ...]:
    """Give what stood before a chain and leads to its root by its nature."""
    return antecedents(chain.root, (signal.id for signal in chain.signals), findings.links, findings.signals)


def _wait_fact(signal: Signal) -> list[str]:
    """Say for how long it had been waiting when it was written down, where its lines tell: lags count from that begin."""
    waited = sorted(one.waited_s for one in signal.occurrences if one.waited_s >= LEAST_WAIT_S)
    if not waited:
        return []
    middle = waited[len(waited) // 2]
    return [f"logged when it ends, having waited {length(middle)} by its own words; lags count from its beginning"]


def _lag_fact(signal: Signal, findings: Findings) -> list[str]:
    """Say how far ahead of the symptom the series of a step moves as a whole, where that is no chance."""
    lag = findings.lag(signal) if findings.lag is not None else None
    if lag is None or lag.p_value > SURE_LAG or abs(lag.correlation) < LEAST_CORRELATION:
        return []
    step_s = float(signal.attributes.get("step_s", 0.0))
    when = f"{length(abs(lag.ahead_s))} {'before' if lag.ahead_s > 0 else 'after'} it"
    if abs(lag.ahead_s) <= step_s:
        when = f"within its step of {length(step_s)}"
    turned = "moves with" if lag.correlation > 0 else "moves against"
    measured = f"correlation {lag.correlation:.2f}, {p_words(lag.p_value)} over {lag.samples:,.0f} independent samples"
    return [f"{signal.subject or signal.label} {turned} the symptom over the whole window, {when} ({measured})"]


def _grace_fact(signal: Signal, findings: Findings, citations: Citations, cited: list[str]) -> list[str]:
    """Hold the grace period against how long requests take, where pods are ended."""
    if signal.kind not in (Kind.POD_KILL, Kind.SHUTDOWN, Kind.SCALE_DOWN):
        return []
    grace = grace_of(signal, findings)
    durations = durations_of(signal.entity, findings)
    if grace is None or durations is None or grace.number is None or durations.max_s <= grace.number:
        return []
    for _, ref in durations.longest[:2]:
        evidence = citations.cite(ref)
        if evidence is not None:
            cited.append(evidence)
    over = durations.over(grace.number)
    said = (
        f"{grace.entity}: the longest request measured took {length(durations.max_s)} (99th percentile "
        f"{length(durations.p99_s)}); {counted(over, 'request')} took longer than the grace period of {length(grace.number)}"
    )
    return [said]


def grace_of(signal: Signal, findings: Findings) -> SpecFact | None:
    """Give the grace period of the pods that a signal ends."""
    topology = findings.topology
    places = {topology.root(signal.entity), topology.targets.get(signal.entity), *signal.mentions}
    return next(
        (f for f in findings.facts if f.name == "terminationGracePeriodSeconds" and f.entity in places and f.number),
        None,
    )


def durations_of(entity: Entity, findings: Findings) -> Durations | None:
    """Give how long requests to a workload take, whichever name it goes by."""
    topology = findings.topology
    root = topology.root(entity)
    return findings.durations.get(root) or findings.durations.get(topology.targets.get(entity, root))


def _telling(signal: Signal) -> list[tuple[ItemId, float]]:
    """Choose the items that show a signal best: its first occurrence, its largest, its last."""
    ones = signal.occurrences
    largest = max(ones, key=lambda one: (one.size, -one.start_s))
    chosen = list(dict.fromkeys([ones[0], largest, ones[-1]]))
    found = [(one.refs[0], one.start_s) for one in chosen if one.refs]
    if len(found) < EVIDENCE_PER_STEP:
        found.extend((ref, ones[0].start_s) for ref in ones[0].refs[1:])
    return list(dict.fromkeys(found))[:EVIDENCE_PER_STEP]


def _shortcuts(chain: Chain, findings: Findings) -> list[Link]:
    """Give the supported links between steps that are not neighbours in the chain: the cascade is rarely one line."""
    order = {signal.id: place for place, signal in enumerate(chain.signals)}
    neighbours: Sequence[tuple[str, str]] = [(link.cause, link.effect) for link in chain.links]
    return [
        link
        for link in findings.links
        if link.test.status == "supported"
        and link.plausibility >= 0.5
        and link.cause in order
        and link.effect in order
        and order[link.cause] + 1 < order[link.effect]
        and (link.cause, link.effect) not in neighbours
    ][:4]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
