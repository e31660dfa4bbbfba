"""An hour of a busy cluster for the recorder, as fast as it can take it: 200 events a second, 5 MB/s of logs, changing pods.

The clock is simulated; connections are not part of it (``tests/bench/test_recorder_load.py`` has them, in real time). What
runs is what hears a change, cuts a log into pieces, packs, writes and lets go of what is beyond the limits.
"""

import asyncio
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from random import Random

from kube_recording import unconnected

from bot.archive.keeping import Keeper, Limits
from bot.cluster.resources import EVENTS, NODES, PODS
from bot.recorder.lines import PIECE, Taking, _Cutter

EVENTS_A_SECOND, LOG_BYTES_A_SECOND, POD_CHANGES_A_SECOND = 200, 5_000_000, 10
PODS_LIVING = 500
BEGUN = 1_794_873_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What an hour, or a part of it, came to."""

    seconds: int
    cpu_s: float
    resident_mib: tuple[float, ...]
    """A sample each simulated ten seconds"""
    events: int
    log_bytes: int
    archive_bytes: int

    @property
    def cores(self) -> float:
        """Give the processor time a second of load takes."""
        return self.cpu_s / self.seconds


def resident_mib():
    """Give the memory this process has now."""
    with open("/proc/self/statm") as file:  # noqa: PTH123 - read hundreds of times
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024**2


def stamp(at_s):
    """Spell a time as an API does."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def event(number, at_s):
    """Give an event."""
    return {
        "metadata": {"name": f"e{number}", "namespace": "web", "uid": f"u{number}", "managedFields": [{"manager": "kubelet"}]},
        "reason": "Unhealthy", "message": f"Readiness probe failed: {number}", "type": "Warning", "count": 1,
        "involvedObject": {"kind": "Pod", "namespace": "web", "name": f"p{number % PODS_LIVING}"},
        "firstTimestamp": stamp(at_s), "lastTimestamp": stamp(at_s), "source": {"component": "kubelet", "host": "n1"},
    }  # fmt: skip


def pod(number, at_s, version):
    """Give a pod as it is now; old ones go and new ones come, as in a cluster that rolls out all the time."""
    name = f"p{number % PODS_LIVING}-{number // (20 * PODS_LIVING)}"
    status = {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 0, "state": {"running": {"startedAt": stamp(at_s)}}}]}  # fmt: skip
    spec = {
        "nodeName": "n1",
        "containers": [{"name": "app", "image": "app:1", "env": [{"name": "A", "value": "b"}] * 20}],
    }
    meta = {"name": name, "namespace": "web", "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": meta, "spec": spec, "status": status}


def tails():
    """Give pieces of lines without their times; no two lines are alike, so that packing them is work."""
    random = Random(7)
    row = "GET /api/v1/orders/{} {} {}ms upstream=payments trace={:032x} user-agent=mobile/7.3 region=eu\n"
    for _ in range(40):
        yield [
            row.format(random.randrange(10**6), random.choice((200, 503)), random.randrange(900), random.getrandbits(128)).encode()
            for _ in range(PIECE // 120)
        ]  # fmt: skip


async def hours(folder, *, seconds, most_bytes=128 * 1024 * 1024):
    """Let a recorder live through so many seconds of load."""
    keeper = Keeper(folder / "archive.sqlite", Limits(most_bytes=most_bytes, most_days=1))
    now = [BEGUN]
    recorder = unconnected(keeper, now=lambda: now[0])
    cutters = cycle([_Cutter(Taking(namespace="web", pod=f"p{n}", container="app", node="n1"), 0) for n in range(20)])
    pieces, events, logged, samples = cycle(list(tails())), 0, 0, []
    spent, began = 0.0, time.process_time()
    for second in range(seconds):
        now[0] = BEGUN + second
        for _ in range(EVENTS_A_SECOND):
            await recorder.hear(EVENTS, "ADDED", event(events, now[0]))
            events += 1
        for n in range(POD_CHANGES_A_SECOND):
            await recorder.hear(PODS, "MODIFIED", pod(second * POD_CHANGES_A_SECOND + n, now[0], events))
        await recorder.hear(
            NODES, "MODIFIED", {"metadata": {"name": "n1", "uid": "n1", "resourceVersion": str(events)}}
        )
        head = f"{stamp(now[0])[:-1]}.123456789Z ".encode()
        while logged < (second + 1) * LOG_BYTES_A_SECOND:
            spent, cutter = spent + time.process_time() - began, next(cutters)
            piece, began = b"".join(head + tail for tail in next(pieces)), time.process_time()
            cutter.rest += piece
            logged += len(piece)
            keeper.log(cutter.take())
        keeper.beat("events", now[0])
        keeper.flush()
        if second % 60 == 59:
            keeper.prune(now[0])
        if second % 10 == 9:
            samples.append(resident_mib())
    spent, kept = spent + time.process_time() - began, keeper.used_bytes()
    keeper.close()
    return Load(
        seconds=seconds, cpu_s=spent, resident_mib=tuple(samples), events=events, log_bytes=logged, archive_bytes=kept
    )


def lived(folder, **more):
    """Live through it, from outside of an event loop."""
    return asyncio.run(hours(folder, **more))
