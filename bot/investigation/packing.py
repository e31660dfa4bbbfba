"""Hand a case to the packer: read what it needs, and work out what is near the symptom.

Bounded: columns of all lines and the items that are not lines are held, texts of lines only as they are chosen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from bot.analyst.findings import Findings
from bot.analyst.packing import DEFAULT_BUDGET, pack
from bot.analyst.packing_material import Lines, Material, Packed, SeriesChange, SeriesCourse
from bot.analyst.packing_tokens import Family
from bot.casefile.case import Case
from bot.casefile.stored import parse_id, stream_name
from bot.domain.entity import Entity
from bot.domain.items import ItemId, Series
from bot.domain.signal import Kind, Signal, Topology
from bot.domain.window import Window
from bot.investigation.hidden import key_lines_of
from bot.redaction.gate import Gate
from bot.redaction.manifests import without_secrets
from bot.signals.courses import clear_period_s, lasting_shifts
from bot.signals.facts import spec_facts
from bot.signals.lexicon import classify
from bot.signals.symptom import episodes_of
from bot.signals.topology import read_topology

MOST_COURSES = 2_000
"""Series searched for shifts and periods; a fleet with more is told by its extremes."""
_CHAINS = 5
_PLAIN = (Kind.STARTUP, Kind.SHUTDOWN, Kind.CLIENT_ERROR)
"""Kinds that a line may tell of without anything having failed."""


def material_of(case: Case, gate: Gate, findings: Findings | None = None) -> Material:
    """Read a case for the packer, with what was just found, or with what the case keeps of it."""
    window = findings.window if findings else case.window
    objects = list(case.objects())
    topology = findings.topology if findings else read_topology(objects, case.events(), case.streams())
    signals = tuple(findings.signals.values()) if findings else tuple(case.signals())
    symptom = findings.symptom if findings else _symptom(case, signals)
    return Material(
        case=case.id,
        window=window,
        lines=_lines(case, topology),
        events=[
            (item, event) for item, event in case.events() if event.at >= window.start and event.first_at < window.end
        ],
        objects=objects,
        manifest=lambda version: without_secrets(version.manifest, gate.hide),
        series=list(_inside(case.series(), window)),
        course=_Courses(),
        messages=findings.messages if findings else list(case.messages()),
        tickets=findings.tickets if findings else list(case.tickets()),
        signals=signals,
        links=findings.links if findings else case.links(),
        facts=findings.facts if findings else list(spec_facts(objects)),
        coverage=findings.coverage if findings else case.coverage(),
        symptom=symptom,
        relevant=_relevant(findings, case, topology, symptom),
        episodes=tuple((one.start_s, one.end_s) for one in episodes_of(symptom, window)) if symptom else (),
        cited=frozenset(_cited(signals)),
        keys={number: gate.hide("private_key", text) for number, text in key_lines_of(case).items()},
    )


def pack_case(
    case: Case,
    gate: Gate,
    findings: Findings | None = None,
    *,
    budget: int = DEFAULT_BUDGET,
    economy: bool = False,
    family: Family = "claude",
    order: int = 0,
) -> Packed:
    """Pack a case through the egress gate."""
    material = material_of(case, gate, findings)
    return pack(material, redact=gate.mask, budget=budget, economy=economy, family=family, order=order)


def _lines(case: Case, topology: Topology) -> Lines:
    columns, forms, streams = case.columns(), case.forms(), case.streams()
    of_form, templates = case.templates()
    if not any(one >= 0 for one in of_form):
        of_form, templates = list(range(len(forms))), [row.form for row in forms]
    by_form = np.array(of_form or [0], dtype=np.int64)
    return Lines(
        times_ns=columns.times_ns,
        stream=columns.stream,
        form=columns.form,
        template=by_form[np.maximum(columns.form, 0)] if len(columns.form) else np.zeros(0, dtype=np.int64),
        streams=streams,
        names=[stream_name(stream) for stream in streams],
        sources=case.logs.sources,
        workloads=[
            topology.root(Entity("Pod", stream.pod, stream.namespace)) if stream.pod else None for stream in streams
        ],
        failing=frozenset(number for number, text in enumerate(templates) if _fails(text.decode("utf-8", "replace"))),
        bytes=case.logs.raw_bytes,
        texts=case.texts_of,
    )


def _fails(template: str) -> bool:
    meaning = classify(template)
    return meaning.severity in ("error", "fatal") or (meaning.kind is not None and meaning.kind not in _PLAIN)


def _inside(series: Iterable[tuple[ItemId, Series]], window: Window) -> Iterable[tuple[ItemId, Series]]:
    for item, one in series:
        times = np.asarray(one.times_s)
        start, end = np.searchsorted(times, (window.start_s, window.end_s))
        yield item, replace(one, times_s=one.times_s[start:end], values=one.values[start:end])


class _Courses:
    """Lasting shifts and periods of series, for the first ``MOST_COURSES`` of them."""

    def __init__(self) -> None:
        self._looked: dict[int, SeriesCourse] = {}

    def __call__(self, series: Series) -> SeriesCourse:
        known = self._looked.get(id(series.times_s))
        if known is None:
            known = course_of(series) if len(self._looked) < MOST_COURSES else SeriesCourse()
            self._looked[id(series.times_s)] = known
        return known


def course_of(series: Series) -> SeriesCourse:
    """Look for a series' lasting shifts and for its period."""
    times, values = np.asarray(series.times_s), np.asarray(series.values)
    return SeriesCourse(
        shifts=[SeriesChange(at_s=p.at_s, before=p.before, after=p.after) for p in lasting_shifts(times, values)],
        period_s=clear_period_s(times, values),
    )


def _symptom(case: Case, signals: Sequence[Signal]) -> Signal | None:
    """Find the symptom the report speaks of among the signals the case keeps."""
    told = ((case.report() or {}).get("symptom") or {}).get("entity") or {}
    ends = [link.effect for link in case.links()]
    mine = [s for s in signals if told and s.entity == _entity(told)]
    return max(mine, key=lambda s: (ends.count(s.id), s.total, s.id), default=None)


def _entity(told: dict[str, str]) -> Entity:
    return Entity(told.get("kind", ""), told.get("name", ""), told.get("namespace"))


def _relevant(findings: Findings | None, case: Case, topology: Topology, symptom: Signal | None) -> frozenset[Entity]:
    """Give what the symptom and the chains to it touch, owners followed."""
    found: set[Entity] = {symptom.entity} if symptom else set()
    if findings:
        found |= {signal.entity for chain in findings.chains[:_CHAINS] for signal in chain.signals}
    else:
        steps = ((case.report() or {}).get("cascade") or {}).get("steps") or []
        found |= {_entity(step.get("entity") or {}) for step in steps}
    found |= {topology.targets[entity] for entity in set(found) if entity in topology.targets}
    return frozenset(found | {topology.root(entity) for entity in found})


def _cited(signals: Iterable[Signal]) -> Iterable[int]:
    for signal in signals:
        for occurrence in signal.occurrences:
            for ref in occurrence.refs[:2]:
                parsed = parse_id(ref)
                if parsed and parsed[0] == "L":
                    yield parsed[1]
