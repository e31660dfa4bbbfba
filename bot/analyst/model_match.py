"""Holds a model's steps against the case: which quotes stand in the stored bytes, and which measured signal a step speaks of.

A quote that fails is gone, a step without a quote too; a step that fits no signal stays unmeasured. Leaves out whether two
steps are tied, which is tested.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.analyst.findings import Findings
from bot.analyst.model_answer import SaidQuote, SaidStep
from bot.analyst.proofs import WRITABLE, Belongs, Finding, check_citation
from bot.analyst.rivals import ONE_ACT
from bot.domain.entity import Entity
from bot.domain.ports import Evidenced
from bot.domain.report import AskedWindow, Evidence
from bot.domain.signal import Occurrence, Signal, Topology
from bot.domain.spelling import length

TIME_SLACK_S = 120.0
"""How far a step's time may lie beside an occurrence: models round to the minute, and bursts are counted by it."""
COUNT_SLACK = 0.2
"""Share by which a count may be off before it is called wrong."""
LEAST_FIT = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """A step that has at least one quote left; ``signal`` is None where nothing measured it."""

    said: SaidStep
    signal: Signal | None
    quotes: tuple[SaidQuote, ...]
    writable: bool
    """Its quotes stand only where a user of the system, or an attacker, can write."""


def kept_quotes(
    step: SaidStep, findings: Findings, window: AskedWindow, belongs: Belongs
) -> tuple[tuple[SaidQuote, ...], list[Finding]]:
    """Give the quotes of a step that stand in the case at the time and of the entity they are said to be.

    An item that shows a measured signal of the entity speaks of it, whatever it is stored under: a node's word on a pod.
    """
    kept, found = [], []
    for quote in step.quotes:
        wrong = false_quote(quote, step.entity, findings.evidence, window, belongs, step.id)
        if wrong is None or (wrong.kind == "wrong_entity" and _shows(quote.item, step.entity, findings)):
            kept.append(quote)
        else:
            found.append(wrong)
    return tuple(kept), found


def _shows(item: str, entity: Entity, findings: Findings) -> bool:
    return any(
        item in one.refs
        for signal in findings.signals.values()
        if same_place(signal, entity, findings.topology)
        for one in signal.occurrences
    )


def false_quote(
    quote: SaidQuote, entity: Entity, evidence: Evidenced, window: AskedWindow, belongs: Belongs, where: str
) -> Finding | None:
    """Say what is wrong with a quote, None where it holds."""
    stored = evidence.item(quote.item)
    cited = Evidence(
        source=stored.source if stored else "",
        at=quote.at,
        entity=entity,
        quote=quote.text,
        url=None,
        locator=quote.item or "?",
    )
    kept, wrong = check_citation(where, cited, evidence, window, belongs)
    return None if kept is not None else wrong[0]


def matched_steps(
    steps: Sequence[SaidStep], findings: Findings, window: AskedWindow, belongs: Belongs
) -> tuple[list[Matched], list[Finding]]:
    """Match steps, in the order told; what has no quote left is dropped, two that mean the same signal are one."""
    found: list[Finding] = []
    matched: list[Matched] = []
    seen: set[str] = set()
    for step in steps:
        quotes, wrong = kept_quotes(step, findings, window, belongs)
        found += wrong
        if not quotes:
            found.append(Finding(kind="step_without_evidence", where=step.id, detail=f"{step.entity}"))
            continue
        signal = signal_of(step, quotes, findings)
        if signal is not None and signal.id in seen:
            continue
        if signal is not None:
            seen.add(signal.id)
            found += _false_numbers(step, signal)
        sources = {item.source for item in findings.evidence.items([quote.item for quote in quotes])}
        matched.append(Matched(said=step, signal=signal, quotes=quotes, writable=sources <= WRITABLE))
    return matched, found


def signal_of(step: SaidStep, quotes: Sequence[SaidQuote], findings: Findings) -> Signal | None:
    """Find the measured signal that a step speaks of: its place, its kind, its items, its time, its count."""
    items = {quote.item for quote in quotes}
    felt = findings.symptom.id if findings.symptom else None
    best: tuple[float, Signal] | None = None
    for signal in sorted(findings.signals.values(), key=lambda one: (one.id != felt, one.id)):
        if not signal.occurrences or not same_place(signal, step.entity, findings.topology):
            continue
        fit = _fit(step, signal, shown=any(ref in items for one in signal.occurrences for ref in one.refs))
        if fit >= LEAST_FIT and (best is None or fit > best[0]):
            best = (fit, signal)
    return best[1] if best else None


def same_place(signal: Signal, entity: Entity, topology: Topology) -> bool:
    """Tell whether a signal happened to an entity, to what owns it, or to its namesake of another kind (a Service)."""
    places = {signal.entity, topology.root(signal.entity)}
    if entity in places or topology.root(entity) in places:
        return True
    if entity.namespace is None:
        return any((place.kind, place.name) == (entity.kind, entity.name) for place in places)
    return any((place.name, place.namespace) == (entity.name, entity.namespace) for place in places)


def alike(one: Signal, other: Signal, topology: Topology) -> bool:
    """Tell whether two signals are one act at one place, seen from two sides."""
    if one.id == other.id:
        return True
    kinds = one.kind == other.kind or any({one.kind, other.kind} <= group for group in ONE_ACT)
    return kinds and topology.root(one.entity) == topology.root(other.entity)


def _fit(step: SaidStep, signal: Signal, *, shown: bool) -> float:
    fit = 2.0 if shown else 0.0
    if step.kind is signal.kind:
        fit += 3.0
    elif step.kind is not None and any({step.kind, signal.kind} <= group for group in ONE_ACT):
        fit += 2.0
    if step.first_at is not None and _happened_at(step.first_at.timestamp(), signal):
        fit += 1.0
    if step.count is not None and _counts(step.count, signal):
        fit += 0.5
    return fit


def _false_numbers(step: SaidStep, signal: Signal) -> list[Finding]:
    """Hold a step's time and count against the measured ones; the report shows the measured ones in any case."""
    found = []
    if step.first_at is not None and not _happened_at(step.first_at.timestamp(), signal):
        off = min(abs(step.first_at.timestamp() - one.start_s) for one in signal.occurrences)
        detail = f"{step.first_at} is {length(off)} from the nearest time it was measured"
        found.append(Finding(kind="step_time", where=step.id, detail=detail))
    if step.count is not None and not _counts(step.count, signal):
        detail = f"measured {len(signal.occurrences)} times, not {step.count}"
        found.append(Finding(kind="step_count", where=step.id, detail=detail))
    return found


def _happened_at(at_s: float, signal: Signal) -> bool:
    slack = TIME_SLACK_S + float(signal.attributes.get("step_s", 0.0))
    return any(_within(at_s, one, slack) for one in signal.occurrences)


def _within(at_s: float, one: Occurrence, slack_s: float) -> bool:
    return one.start_s - slack_s <= at_s <= one.end_s + slack_s


def _counts(count: int, signal: Signal) -> bool:
    measured = (signal.total, len(signal.occurrences), round(sum(one.size for one in signal.occurrences)))
    return any(abs(count - true) <= max(1.0, COUNT_SLACK * true) for true in measured)
