"""Turn the verifier on a drafted report: hand it the evidence, the measured signals and a way to measure again.

Links are measured afresh from the signals, not looked up in what the analyst wrote.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from bot.analyst.findings import Findings
from bot.analyst.proofs import named_alike
from bot.analyst.published import Published
from bot.analyst.verify import SYMPTOM_KEY, Retest, verify
from bot.domain.entity import Entity
from bot.domain.link import LinkTest
from bot.domain.report import Report, Step
from bot.investigation.conclude import Conclusion
from bot.signals.links import judge
from bot.signals.pairs import link_one


def checked(draft: Published, conclusion: Conclusion, seconds: Mapping[str, float]) -> Report:
    """Verify a draft against its case and put in what the work took."""
    topology = conclusion.findings.topology
    measured = {name: replace(signal, entity=topology.root(signal.entity)) for name, signal in draft.measured.items()}
    if conclusion.symptom is not None:
        measured[SYMPTOM_KEY] = conclusion.symptom
    verified = verify(
        draft.report,
        conclusion.findings.evidence,
        signals=measured,
        retest=_retest(draft, conclusion),
        belongs=Ownership(conclusion.findings).belongs,
    )
    report = verified.report
    if report.reading is not None and report.reading.agrees and report.verdict != draft.report.verdict:
        # the cause both named fell in the check, and with it the model's words about it
        report = replace(report, reading=replace(report.reading, agrees=False, words=""))
    return replace(report, usage=replace(report.usage, seconds=dict(seconds)))


def _retest(draft: Published, conclusion: Conclusion) -> Retest:
    """Measure a pair again from the signals alone; the correction for all pairs tried is the one they were tested with."""
    signals = {signal.id: signal for signal in conclusion.signals}
    ids = {name: signal.id for name, signal in draft.measured.items()}
    along = draft.chain.links if draft.chain else ()
    tested = {(link.cause, link.effect): link for link in (*conclusion.links, *along)}
    topology, window = conclusion.findings.topology, conclusion.findings.window

    def retest(cause: Step, effect: Step) -> LinkTest | None:
        if cause.id not in ids or effect.id not in ids:
            return None
        link = tested.get((ids[cause.id], ids[effect.id]))
        if link is None:
            return None
        fresh = link_one(signals[link.cause], signals[link.effect], topology, window)
        return judge(fresh.test, link.test.p_value)

    return retest


class Ownership:
    """Tells whether a stored item speaks of an entity: by its name, by what belongs to it, or by the address of a node."""

    def __init__(self, findings: Findings) -> None:
        topology = findings.topology
        self._names: dict[Entity, set[str]] = defaultdict(set)
        for owned in topology.owner:
            self._names[topology.root(owned)].add(owned.name)
        for scaler, target in topology.targets.items():
            self._names[scaler].add(target.name)
            self._names[target].add(scaler.name)
        for workload, nodes in topology.nodes.items():
            for node in nodes:
                self._names[Entity("Node", node)].add(workload.name)
        for machine, series in _series_of_nodes(findings):
            self._names[machine].add(series)

    def belongs(self, stored: str, entity: Entity) -> bool:
        """Tell whether what a stored item calls its entity is the given one or part of it."""
        if entity.kind in ("Series", "Person", "Ticket", "Cluster") or named_alike(stored, entity):
            return True
        if entity.name in stored:
            return True
        return any(name in stored for name in self._names.get(entity, ()))


def _series_of_nodes(findings: Findings) -> Iterator[tuple[Entity, str]]:
    """Pair nodes with the series measured on them: an exporter on a node often names it by its address alone."""
    for signal in findings.signals.values():
        if signal.source == "prometheus" and signal.entity.kind == "Node":
            for ref in {ref for one in signal.occurrences for ref in one.refs}:
                if (item := findings.evidence.item(ref)) is not None:
                    yield signal.entity, item.entity
