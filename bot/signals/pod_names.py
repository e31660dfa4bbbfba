"""Reads owners off the names that controllers generate, for pods of which nothing but a name is left.

Kubernetes draws generated suffixes from an alphabet without vowels and easily confused digits (apimachinery,
``util/rand``), names a CronJob's jobs after the scheduled minute since the epoch, and numbers a StatefulSet's pods.
A guess gives way to anything an object or an event says; that order is kept in ``topology``.
"""

import re
from collections.abc import Iterator, Set as AbstractSet

from bot.domain.entity import Entity

_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_REPLICA_SET = re.compile(rf"(?P<workload>.+)-(?P<hash>{_SAFE}{{5,10}})")
_REPLICA_POD = re.compile(rf"(?P<set>.+-{_SAFE}{{5,10}})-{_SAFE}{{5}}")
_JOB = re.compile(r"(?P<workload>.+)-(?P<minute>\d{8})")
_JOB_POD = re.compile(rf"(?P<job>.+-\d{{8}})(?:-\d+)?-{_SAFE}{{5}}")
_RANDOM = re.compile(rf"(?P<workload>.+?)(?:-\d+)?-{_SAFE}{{5}}")
_NUMBERED = re.compile(r"(?P<workload>.+)-(?:0|[1-9]\d{0,3})")

_FIRST_CRON_MINUTE = 25_000_000
"""2017: no CronJob names its jobs by an earlier minute."""


def scheduled_minute_s(job: str) -> float | None:
    """Give the scheduled start (seconds since the epoch) that a CronJob's job name carries, None where it has none."""
    found = _JOB.fullmatch(job)
    if found is None or not _FIRST_CRON_MINUTE <= int(found["minute"]) < 2 * _FIRST_CRON_MINUTE:
        return None
    return int(found["minute"]) * 60.0


def pods_of(entity: Entity) -> str | None:
    """Give a regular expression (RE2 and Lucene alike) of the names that pods of a workload have; None where it has none."""
    name = entity.name.replace(".", "[.]")
    endings = {
        "Pod": "",
        "Deployment": f"-{_SAFE}{{5,10}}-{_SAFE}{{5}}",
        "Rollout": f"-{_SAFE}{{5,10}}-{_SAFE}{{5}}",
        "ReplicaSet": f"-{_SAFE}{{5}}",
        "DaemonSet": f"-{_SAFE}{{5}}",
        "StatefulSet": "-[0-9]{1,4}",
        "Job": f"(-[0-9]{{1,4}})?-{_SAFE}{{5}}",
        "CronJob": f"-[0-9]{{8}}(-[0-9]{{1,4}})?-{_SAFE}{{5}}",
    }
    ending = endings.get(entity.kind)
    return None if ending is None else f"{name}{ending}"


def owners_by_name(entity: Entity, known: AbstractSet[Entity]) -> Iterator[tuple[Entity, Entity]]:
    """Give the (owned, owner) pairs that a Pod's, Job's or ReplicaSet's name tells, known workloads preferred."""
    if entity.kind == "Pod":
        owner = _pod_owner(entity, known)
    elif entity.kind == "ReplicaSet":
        owner = _replica_set_owner(entity, known)
    elif entity.kind == "Job" and scheduled_minute_s(entity.name) is not None:
        owner = Entity("CronJob", entity.name.rpartition("-")[0], entity.namespace)
    else:
        owner = None
    if owner is not None:
        yield entity, owner
        yield from owners_by_name(owner, known)


def _pod_owner(pod: Entity, known: AbstractSet[Entity]) -> Entity | None:
    name, space = pod.name, pod.namespace
    if (found := _JOB_POD.fullmatch(name)) and scheduled_minute_s(found["job"]) is not None:
        return Entity("Job", found["job"], space)
    random = _RANDOM.fullmatch(name)
    direct = name[:-6] if random else ""
    for kind in ("ReplicaSet", "Job", "DaemonSet", "ReplicationController"):
        for stem in (direct, random["workload"] if random else ""):
            if stem and (owner := Entity(kind, stem, space)) in known:
                return owner
    numbered = _NUMBERED.fullmatch(name)
    if numbered and Entity("StatefulSet", numbered["workload"], space) in known:
        return Entity("StatefulSet", numbered["workload"], space)
    if found := _REPLICA_POD.fullmatch(name):
        return Entity("ReplicaSet", found["set"], space)
    if numbered:
        return Entity("StatefulSet", numbered["workload"], space)
    # what nobody declares and numbers itself ("runner-2-x7k2p") was made by a program, one by one
    return Entity("DaemonSet", direct, space) if direct and not _NUMBERED.fullmatch(direct) else None


def _replica_set_owner(replica_set: Entity, known: AbstractSet[Entity]) -> Entity | None:
    found = _REPLICA_SET.fullmatch(replica_set.name)
    if found is None:
        return None
    for kind in ("Deployment", "Rollout"):
        if (owner := Entity(kind, found["workload"], replica_set.namespace)) in known:
            return owner
    return Entity("Deployment", found["workload"], replica_set.namespace)
