"""What a follow-up may use, and which signals of the case it is about. No answers here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.analyst.questions import Question
from bot.analyst.times import Moment
from bot.analyst.vocabulary import ACTS_THROUGH, WIDER
from bot.domain.entity import Entity
from bot.domain.items import ChatMessage, ItemId
from bot.domain.link import Link, LinkTest
from bot.domain.ports import Evidenced, Stored
from bot.domain.report import Report, Step
from bot.domain.signal import Kind, Occurrence, Signal, Topology
from bot.domain.window import Window


class Hits(Protocol):
    """What a search gives: the first hits by time, and how many there are in all."""

    @property
    def hits(self) -> Sequence[Stored]:
        """The first hits by time."""
        ...

    @property
    def total(self) -> int:
        """How many there are."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpContext:
    """A finished case as a follow-up sees it: the report, the measured signals, and the means to look and to test.

    ``test`` tests a pair of signals, ``search`` looks a text up between two times, ``around`` gives a line's neighbours;
    ``symptom`` is the signal people felt (found from the report where it is not given).
    """

    report: Report
    window: Window
    signals: Sequence[Signal]
    evidence: Evidenced
    test: Callable[[Signal, Signal], LinkTest]
    search: Callable[[str, datetime | None, datetime | None, int], Hits]
    links: Sequence[Link] = ()
    topology: Topology = field(default_factory=Topology)
    messages: Sequence[tuple[ItemId, ChatMessage]] = ()
    around: Callable[[ItemId, int, int], Sequence[Stored]] | None = None
    symptom: Signal | None = None
    things: Sequence[Entity] = ()
    """What the case holds an object of, whether or not anything happened to it."""
    earlier: Sequence[str] = ()
    """What was asked before in the same thread, the first first."""


SUSPECTED: dict[Kind, float] = {
    Kind.ROLLOUT: 0.9,
    Kind.OOM_KILL: 0.9,
    Kind.NODE_FAILURE: 0.9,
    Kind.CONFIG_CHANGE: 0.8,
    Kind.SECRET_CHANGE: 0.8,
    Kind.CERTIFICATE_EXPIRY: 0.8,
    Kind.CONTAINER_RESTART: 0.7,
    Kind.CRASH_LOOP: 0.7,
    Kind.HUMAN_CHANGE: 0.7,
    Kind.JOB_RUN: 0.7,
}
"""What people mean who name a thing and nothing that happened to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A signal a question is about, and the occurrences it asks for."""

    signal: Signal
    occurrences: tuple[Occurrence, ...]
    step: Step | None


def subjects(question: Question, context: FollowUpContext) -> list[Subject]:
    """Find the signals a question points to: its kinds, its entities, its moments, all that it names.

    The most singular come first: who asks about "the restart on day 3" means the thing that happened once. Who names no
    kind and no time means the thing's part in the cascade, else what people suspect first.
    """
    found = _matching(question, context, question.kinds)
    objects = [entity for entity in question.entities if entity.kind in ACTS_THROUGH]
    if objects:
        own = _matching(question, context, frozenset())
        found = _distinct([*found, *_acted(objects, question, context), *(one for one in own if one.step)])
        found = found if any(one.step for one in found) else _distinct([*found, *own])
    if not found and question.kinds:
        wider = frozenset(wide for kind in question.kinds for wide in WIDER.get(kind, ()))
        found = _matching(question, context, wider) if wider else []
    if not found and question.kinds and any(entity.kind == "Person" for entity in question.entities):
        found = _matching(question, context, frozenset())
    acting = {entity for entity in objects if entity.kind == "Host"}  # who asks after a registry means the registry
    rank = {kind: place for place, kind in enumerate(question.ranked)}
    return sorted(
        found,
        key=lambda one: (
            one.step is None and _vague(one.signal),
            one.step is None and one.signal.kind is Kind.LOG_BURST,
            one.step is None and not question.moments,
            bool(acting) and one.signal.entity not in acting,
            rank.get(one.signal.kind, len(rank)),
            0.0 if question.kinds else -SUSPECTED.get(one.signal.kind, 0.0),
            len(one.signal.occurrences),
            one.signal.id,
        ),
    )


def _distinct(found: Sequence[Subject]) -> list[Subject]:
    return list({one.signal.id: one for one in found}.values())


def _acted(objects: Sequence[Entity], question: Question, context: FollowUpContext) -> list[Subject]:
    """Find what objects did to others: the drains that a budget blocked, the pods that a quota refused.

    An event that names the object is its doing; so is one of its kind of doing at what it governs, which is known from what
    the object's own signals mention and from autoscalers' targets, else anything in its namespace.
    """
    found = []
    for entity in objects:
        governed = {each for signal in context.signals if signal.entity == entity for each in signal.mentions}
        governed |= {context.topology.targets[entity]} if entity in context.topology.targets else set()
        for signal in context.signals:
            place = context.topology.root(signal.entity)
            named = entity in signal.mentions or place in governed or signal.entity in governed
            near = not governed and not signal.mentions and place.namespace == entity.namespace
            occurrences = in_moments(signal, question.moments)
            if signal.kind in ACTS_THROUGH[entity.kind] and signal.entity != entity and (named or near) and occurrences:
                found.append(Subject(signal=signal, occurrences=occurrences, step=step_of(signal, context)))
    return found


def symptom_signal(context: FollowUpContext) -> Signal | None:
    """Give the signal people felt: as handed in, else the one the report's last step or symptom speaks of."""
    if context.symptom is not None:
        return context.symptom
    steps = context.report.cascade.steps
    if steps and (found := [signal for signal in context.signals if step_of(signal, context) == steps[-1]]):
        return max(found, key=lambda signal: (signal.total, signal.id))
    if context.report.symptom is None:
        return None
    felt = {Kind.SERVER_ERROR, Kind.UNAVAILABLE, Kind.LATENCY, Kind.CLIENT_ERROR}
    starts = [episode.start.timestamp() for episode in context.report.symptom.episodes]
    near = [
        signal
        for signal in context.signals
        if context.topology.root(signal.entity) == context.topology.root(context.report.symptom.entity)
        and any(abs(one.start_s - start) <= 60 for one in signal.occurrences for start in starts)
    ]
    return max(near, key=lambda signal: (signal.kind in felt, signal.total, signal.id), default=None)


def step_of(signal: Signal, context: FollowUpContext) -> Step | None:
    """Give the step of the cascade that speaks of a signal, if any: same thing, same kind, same first time."""
    place = context.topology.root(signal.entity)
    for step in context.report.cascade.steps:
        same = step.entity in {signal.entity, place} and step.mechanism == signal.kind.value
        if same and signal.occurrences and abs(signal.occurrences[0].start_s - step.first_at.timestamp()) <= 60:
            return step
    return None


def in_moments(signal: Signal, moments: Sequence[Moment]) -> tuple[Occurrence, ...]:
    """Give the occurrences that touch any of the moments; all of them where no moment is named."""
    if not moments:
        return signal.occurrences
    return tuple(one for one in signal.occurrences if any(part.overlaps(one.start_s, one.end_s) for part in moments))


def _matching(question: Question, context: FollowUpContext, kinds: frozenset[Kind]) -> list[Subject]:
    named = set(question.entities) | {context.topology.root(entity) for entity in question.entities}
    found = []
    for signal in context.signals:
        if kinds and signal.kind not in kinds:
            continue
        touched = {signal.entity, context.topology.root(signal.entity)}
        touched |= set(signal.mentions) if kinds and signal.kind is Kind.HUMAN_CHANGE else set()
        if named and not touched & named:
            continue
        if occurrences := in_moments(signal, question.moments):
            found.append(Subject(signal=signal, occurrences=occurrences, step=step_of(signal, context)))
    return found


def _vague(signal: Signal) -> bool:
    return signal.kind in {Kind.LOG_BURST, Kind.LOG_ERROR, Kind.RESOURCE_SHIFT, Kind.ALERT}
