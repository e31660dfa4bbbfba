"""Every run of a job or a CronJob, once, from whatever still tells of it.

Witnesses of one run are joined by the job's name: the Job object's status, the CronJob's and the Job's events, the
pods' events and statuses, and at last the scheduled minute in a generated name. The start is the earliest of them,
the end what the Job says, else the end of its last container, else what the controller noticed later.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId, ObjectVersion
from bot.domain.signal import Kind, Occurrence, Signal, Topology, signal_id
from bot.domain.window import Window
from bot.signals.acts import MAX_REFS
from bot.signals.manifest import Part, parts, text, time_s, value
from bot.signals.pod_names import scheduled_minute_s

_JOB_WORDS = ("Created job ", "Saw completed job: ", "Saw job that ")


@dataclass(slots=True)
class _Run:
    """What is known of one job."""

    starts: list[float] = field(default_factory=list)
    ends: dict[int, float] = field(default_factory=dict)
    """Rank of the witness (0 the best) → the latest end it told"""
    refs: Counter[ItemId] = field(default_factory=Counter)
    failed: str = ""
    active: bool = False

    def end(self, rank: int, at_s: float | None) -> None:
        if at_s is not None:
            self.ends[rank] = max(at_s, self.ends.get(rank, at_s))

    def start(self, at_s: float | None) -> None:
        if at_s is not None:
            self.starts.append(at_s)


Runs = defaultdict[Entity, _Run]


def job_runs(
    events: Iterable[tuple[ItemId, ClusterEvent]],
    objects: Iterable[tuple[ItemId, ObjectVersion]],
    window: Window,
    topology: Topology,
) -> list[Signal]:
    """Give one JOB_RUN signal per CronJob (or job of its own), each run one occurrence from start to end."""
    runs: Runs = defaultdict(_Run)
    schedules: dict[Entity, tuple[str, str]] = {}
    for ref, version in objects:
        if version.entity.kind == "Job":
            _from_job(runs[version.entity], ref, version.manifest)
        elif version.entity.kind == "CronJob":
            spec = value(version.manifest, "spec")
            schedules[version.entity] = (text(spec, "schedule"), text(spec, "timeZone"))
        elif version.entity.kind == "Pod" and (job := _job_of(version.entity, topology)) is not None:
            _from_pod(runs[job], ref, version.manifest)
    for ref, event in sorted(events, key=lambda pair: (pair[1].at, pair[0])):
        _from_event(runs, ref, event, topology)
    for job in topology.owner:
        if job.kind == "Job" and not runs[job].starts:
            runs[job].start(scheduled_minute_s(job.name))
    grouped: defaultdict[Entity, list[Occurrence]] = defaultdict(list)
    for job in sorted(runs, key=str):
        if (one := _occurrence(job, runs[job], window)) is not None:
            grouped[topology.root(job)].append(one)
    return [_signal(entity, found, topology, schedules, window) for entity, found in sorted(grouped.items())]


def _job_of(entity: Entity, topology: Topology) -> Entity | None:
    above = topology.owner.get(entity)
    return above if above is not None and above.kind == "Job" else None


def _from_job(run: _Run, ref: ItemId, manifest: Part) -> None:
    run.start(time_s(value(manifest, "status", "startTime")))
    run.end(0, time_s(value(manifest, "status", "completionTime")))
    run.active = bool(value(manifest, "status", "active")) and not run.ends
    run.refs[ref] += 1
    for condition in parts(manifest, "status", "conditions"):
        if text(condition, "type") == "Failed" and text(condition, "status") == "True":
            run.end(0, time_s(condition.get("lastTransitionTime")))
            run.failed = text(condition, "reason") or "failed"
            run.active = False


def _from_pod(run: _Run, ref: ItemId, manifest: Part) -> None:
    run.start(time_s(value(manifest, "status", "startTime")))
    for status in parts(manifest, "status", "containerStatuses"):
        run.end(2, time_s(value(status, "state", "terminated", "finishedAt")))
    run.refs[ref] += 1


def _from_event(runs: Runs, ref: ItemId, event: ClusterEvent, topology: Topology) -> None:
    first_s, at_s = event.first_at.timestamp(), event.at.timestamp()
    kind = event.entity.kind
    if kind == "CronJob":
        _from_cron_event(runs, ref, event)
    elif kind == "Job":
        run = runs[event.entity]
        run.refs[ref] += 1
        if event.reason == "SuccessfulCreate":
            run.start(first_s)
        elif event.reason == "Completed":
            run.end(1, at_s)
        elif event.reason in {"BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy"}:
            run.end(1, at_s)
            run.failed = event.reason
    elif kind == "Pod" and (job := _job_of(event.entity, topology)) is not None:
        runs[job].refs[ref] += 1
        runs[job].start(first_s)
        runs[job].end(4, at_s)


def _from_cron_event(runs: Runs, ref: ItemId, event: ClusterEvent) -> None:
    for words in _JOB_WORDS:
        if words not in event.message:
            continue
        name = event.message.partition(words)[2].partition(" ")[0].rstrip(",.")
        run = runs[Entity("Job", name, event.entity.namespace)]
        run.refs[ref] += 1
        if event.reason == "SuccessfulCreate":
            run.start(event.first_at.timestamp())
        elif event.reason == "SawCompletedJob":
            run.end(3, event.at.timestamp())
            run.failed = run.failed or ("failed" if "status: Failed" in event.message else "")
        return


def _occurrence(job: Entity, run: _Run, window: Window) -> Occurrence | None:
    if not run.starts:
        return None
    start_s = min(run.starts)
    end_s = run.ends[min(run.ends)] if run.ends else start_s
    if run.active:
        end_s = max(end_s, window.end_s)
    end_s = max(start_s, end_s)
    if end_s < window.start_s or start_s >= window.end_s:
        return None
    fate = f" ({run.failed})" if run.failed else " (still running)" if run.active else ""
    return Occurrence(
        start_s=max(start_s, window.start_s),
        end_s=min(end_s, window.end_s),
        refs=tuple(run.refs)[:MAX_REFS],
        note=f"{job.name}{fate}",
    )


def _signal(
    entity: Entity,
    found: list[Occurrence],
    topology: Topology,
    schedules: dict[Entity, tuple[str, str]],
    window: Window,
) -> Signal:
    schedule, zone = schedules.get(entity, ("", ""))
    attributes = {"schedule": schedule} if schedule else {}
    if zone:
        attributes["timeZone"] = zone
    return Signal(
        id=signal_id(Kind.JOB_RUN, entity),
        kind=Kind.JOB_RUN,
        entity=entity,
        label="ran",
        source="kubernetes/events",
        occurrences=tuple(sorted(found, key=lambda one: (one.start_s, one.note))),
        total=len(found),
        period_s=schedule_period_s(schedule, window.start),
        nodes=topology.nodes.get(entity, frozenset()),
        attributes=attributes,
    )


def schedule_period_s(schedule: str, after: datetime) -> float | None:
    """Give the seconds between runs of a cron schedule where they are even, None otherwise."""
    gaps = {round(gap) for gap in _gaps(schedule, after)}
    return float(gaps.pop()) if len(gaps) == 1 else None


def _gaps(schedule: str, after: datetime) -> Iterator[float]:
    macros = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0"}
    try:
        times = CronSim(macros.get(schedule, schedule), after.astimezone(UTC))
        before = next(times)
        for _ in range(12):
            now = next(times)
            yield (now - before).total_seconds()
            before = now
    except (CronSimError, StopIteration):
        return
