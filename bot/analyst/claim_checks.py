"""What a claim of a person is held against: the cascade, the tests, or the record of a thing that never happened.

"Nothing of it was seen" counts against a claim only where a source that would show it was read whole; else the claim could not
be checked, and the source that is missing is named.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.analyst.findings import Around, Findings
from bot.analyst.rivals import may_wait, why_not
from bot.analyst.words import capital, clock_s, counted, names_of, noun, one_of, p_words, plural, times
from bot.domain.entity import Entity
from bot.domain.items import LOG_SOURCES, SourceCoverage
from bot.domain.link import Chain, Link
from bot.domain.signal import History, Kind, Signal, SignalId
from bot.domain.spelling import length
from bot.domain.window import Window

Status = Literal["supported", "refuted", "untested"]
Judgement = tuple[Status, str]

EVENTS, OBJECTS = "kubernetes/events", "kubernetes/objects"
SHOWN_BY: dict[Kind, tuple[str, ...]] = {
    Kind.ROLLOUT: (EVENTS, OBJECTS),
    Kind.RELOAD: (EVENTS, OBJECTS),
    Kind.ROLLOUT_STUCK: (EVENTS,),
    Kind.JOB_RUN: (EVENTS,),
    Kind.POD_START: (EVENTS,),
    Kind.PROBE_FAILURE: (EVENTS,),
    Kind.AUTOSCALER_FAILURE: (EVENTS,),
    Kind.SCALE_UP: (EVENTS,),
    Kind.SCALE_DOWN: (EVENTS,),
    Kind.OOM_KILL: (EVENTS,),
    Kind.CONTAINER_RESTART: (EVENTS,),
    Kind.CRASH_LOOP: (EVENTS,),
    Kind.POD_KILL: (EVENTS,),
    Kind.EVICTION: (EVENTS,),
    Kind.NODE_FAILURE: (EVENTS,),
    Kind.SCHEDULING_FAILURE: (EVENTS,),
    Kind.IMAGE_PULL_FAILURE: (EVENTS,),
    Kind.MOUNT_FAILURE: (EVENTS,),
    Kind.QUOTA_EXCEEDED: (EVENTS,),
    Kind.DRAIN_BLOCKED: (EVENTS,),
    Kind.JOB_FAILURE: (EVENTS,),
}
"""Kinds that Kubernetes itself notes, and the sources that would show one: any of them does. Restarts also stand in a pod's
status, but only in that of a pod that is still there."""
VAGUE = frozenset({Kind.RESOURCE_SHIFT, Kind.LOG_ERROR, Kind.LOG_BURST, Kind.ALERT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed:
    """What a claim points at: kinds, things, and names before a change that no thing read here bears."""

    kinds: frozenset[Kind]
    ranked: tuple[Kind, ...]
    """The kinds again, the nearest to the words first."""
    entities: tuple[Entity, ...]
    strange: tuple[str, ...]
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What claims are held against; ``symptom`` is None in a window without an incident."""

    signals: Sequence[Signal]
    links: Sequence[Link]
    symptom: Signal | None = None
    window: Window | None = None
    test: Callable[[Signal, Signal], Link] | None = None
    around: Callable[[Sequence[float], float], Around | None] | None = None
    coverage: Sequence[SourceCoverage] = ()
    histories: Mapping[Entity, History] = field(default_factory=dict)


def record_of(findings: Findings) -> Record:
    """Take from the findings what claims are held against."""
    return Record(
        signals=list(findings.signals.values()),
        links=findings.links,
        symptom=findings.symptom,
        window=findings.window,
        test=findings.test,
        around=findings.around,
        coverage=findings.coverage,
        histories=findings.histories,
    )


def unseen(pointed: Pointed, record: Record) -> Judgement:
    """Judge a claim of something that no signal shows: refuted where a source that would show it was read whole."""
    if pointed.strange and not pointed.entities:
        name = pointed.strange[0]
        return "untested", f"It could not be checked: nothing called “{name}” is in what was read."
    noted = list(pointed.ranked) or sorted(pointed.kinds)
    if not noted or not pointed.kinds <= set(SHOWN_BY):
        return _plainly_unseen(pointed, record)
    where = f" of {names_of(pointed.entities)}" if pointed.entities else ""
    whole = {row.source for row in record.coverage if row.status == "complete" and row.items}
    if EVENTS in whole and pointed.entities and not _seen_there(pointed, record):
        whole -= {EVENTS}
    if OBJECTS in whole and not any(each in record.histories for each in pointed.entities):
        whole -= {OBJECTS}
    blind = [kind for kind in noted[:1] if not whole & set(SHOWN_BY[kind])]
    if blind:
        missing = " and ".join(SHOWN_BY[blind[0]])
        return "untested", f"It could not be checked: {missing} {_were(SHOWN_BY[blind[0]])} not read whole."
    shown = [source for source in SHOWN_BY[noted[0]] if source in whole]
    told = _read_whole(noted[0], shown, pointed, record)
    return "refuted", f"No {noun(noted[0])}{where} in the window: {told}."


def _seen_there(pointed: Pointed, record: Record) -> bool:
    """Tell whether events of a thing's namespace, or of the nodes, were read at all."""
    seen = {signal.entity.namespace for signal in record.signals if signal.source == EVENTS}
    return bool({entity.namespace for entity in pointed.entities} & (seen | {None}))


def _plainly_unseen(pointed: Pointed, record: Record) -> Judgement:
    if record.symptom is None and (quiet := _no_rise(pointed, record)) is not None:
        return quiet
    if pointed.entities and not pointed.kinds:
        rows = [row for row in record.coverage if row.status != "not_configured"]
        lost = [row.source for row in rows if row.status != "complete" or any(gap.lost for gap in row.gaps)]
        nothing = f"Nothing that happened to {names_of(pointed.entities)} was seen"
        if rows and not lost:
            return "refuted", f"{nothing}, and every source was read to the end."
        return (
            "untested",
            f"{nothing}, but {' and '.join(lost)} {_were(lost)} not read whole." if lost else f"{nothing}.",
        )
    kinds = [plural(kind).removeprefix("an ").removeprefix("a ") for kind in pointed.ranked if kind not in VAGUE][:2]
    where = f" at {names_of(pointed.entities)}" if pointed.entities else ""
    what = (
        f"Nothing of the kind ({', '.join(kinds)}) was seen{where}" if kinds else f"Nothing of the kind was seen{where}"
    )
    measured = {*LOG_SOURCES, "prometheus"}
    blind = [row.source for row in record.coverage if row.status == "missing" and row.source in measured]
    if blind:
        return "untested", f"{what}, but it could not be checked whole: {' and '.join(blind)} {_were(blind)} not read."
    return "untested", f"{what} in the data of this case."


def _read_whole(kind: Kind, shown: Sequence[str], pointed: Pointed, record: Record) -> str:
    """Say what was read whole, with its size: the revisions that are kept, or the events of the window."""
    said = []
    history = next((record.histories[each] for each in pointed.entities if each in record.histories), None)
    if kind in (Kind.ROLLOUT, Kind.RELOAD) and history is not None:
        entity = next(each for each in pointed.entities if each in record.histories)
        newest = f"the newest of {clock_s(history.made_s[-1])}"
        kept = counted(len(history.made_s), "revision")
        said.append(f"the history of {entity} was read whole, {kept}, {newest}")
    items = {row.source: row.items for row in record.coverage}
    if EVENTS in shown:
        said.append(f"{counted(items[EVENTS], 'event')} of the window tell of none")
    return "; ".join(said) or f"{' and '.join(shown)} {_were(shown)} read whole"


def tested(subjects: Mapping[SignalId, Signal], pointed: Pointed, record: Record, chain: Chain | None) -> Judgement:
    """Judge a claim by testing what it points at against the symptom, or against what failed around it."""
    if record.symptom is None:
        acts = [one.start_s for each in subjects.values() if each.kind in SHOWN_BY for one in each.occurrences]
        judged = _no_rise(pointed, record, [at for at in acts if at <= pointed.at_s])
        return judged or ("untested", "There was no incident in this window to hold it against.")
    links = [link for link in record.links if link.cause in subjects and link.effect == record.symptom.id]
    known = {link.cause for link in links}
    if record.test is not None:
        links += [record.test(signal, record.symptom) for name, signal in sorted(subjects.items()) if name not in known]
    fitting = [link for link in links if link.test.status == "supported"]
    if fitting:
        test, signal = fitting[0].test, subjects[fitting[0].cause]
        numbers = f"{test.hits} of {counted(test.hits + test.misses, 'time')}"
        but = "another chain explains more" if chain else "no cause was established"
        return "untested", f"The timing of {one_of(signal)} fits: followed by the symptom {numbers}; but {but}."
    told = [(link, why_not(subjects[link.cause], link, record.symptom, chain)) for link in links]
    failed = [(link, why) for link, why in told if why is not None]
    if not failed:
        return "untested", "It happened too rarely, or too far away, to be tested against the symptom."
    link, why = min(failed, key=lambda pair: (-pair[0].test.hits, pair[0].cause))
    signal = subjects[link.cause]
    name = f"{capital(noun(signal.kind))} of {signal.entity}, {times(len(signal.occurrences))}"
    if chain is None and may_wait(signal, record.symptom):
        return "untested", f"{name}: {why}; but it goes on having effect, and no cause was established."
    return "refuted", f"{name}: {why}."


def _no_rise(pointed: Pointed, record: Record, acts_s: Sequence[float] = ()) -> Judgement | None:
    """Judge a worry in a quiet window by what failed after the acts it blames, else before it was said.

    None where nothing counts failures.
    """
    if record.around is None:
        return None
    found = record.around(acts_s, REACH_S) if acts_s else record.around([pointed.at_s - HEARD_S], HEARD_S)
    if found is None:
        return None
    told = around_words(found, "after it" if acts_s else "before this was said")
    if found.p_value < RAISED_P:
        return "untested", f"{capital(told)}: more than usual, yet too little for an incident."
    if found.p_value < FAINT_P:
        return "untested", f"{capital(told)}: not clearly more than usual, and too little for an incident."
    lead = "There was no incident for it to have caused: " if acts_s else ""
    return "refuted", capital(f"{lead}{told}.")


HEARD_S = 3 * 3600.0
"""How long before somebody speaks up the trouble is looked for: people wait for others to say it."""
REACH_S = 1800.0
"""How long after an event its effect is looked for, as for any pair that is tested."""
RAISED_P = 0.01
"""Chance of so many failures by the rate around them, under which they are said to be more."""
FAINT_P = 0.05
"""Chance under which a worry is not called refuted either: somebody may have felt it."""


def around_words(found: Around, when: str) -> str:
    """Say how many failed, and how many were to be expected."""
    return (
        f"{counted(found.count, 'response') if found.count else 'no response'} of {found.who.name} failed within {length(found.reach_s)} {when}; the hours beside "
        f"let expect {found.expected:.2g} ({p_words(found.p_value)})"
    )


def _were(sources: Sequence[str]) -> str:
    return "was" if len(sources) == 1 and not sources[0].endswith(("logs", "events", "objects")) else "were"
