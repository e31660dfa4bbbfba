"""Whether the cluster's events reach back as far as the window: an API server forgets them after an hour, by default.

A list that was read to its end and holds nothing is no proof that nothing happened. Other sources tell what the list ought to
hold: ReplicaSets that were made, containers that started, jobs that ran. Leaves out live clusters, whose source says it itself.
"""

from collections.abc import Iterator
from dataclasses import replace

from bot.analyst.words import clock_s, counted
from bot.domain.items import Gap, SourceCoverage
from bot.domain.signal import Kind
from bot.domain.window import Window
from bot.investigation.digest import Digest

EVENTS, OBJECTS = "kubernetes/events", "kubernetes/objects"
NOTED = frozenset(
    {
        Kind.ROLLOUT,
        Kind.JOB_RUN,
        Kind.POD_START,
        Kind.STARTUP,
        Kind.CONTAINER_RESTART,
        Kind.OOM_KILL,
        Kind.SCALE_UP,
        Kind.SCALE_DOWN,
    }
)
"""What Kubernetes notes as an event whenever it happens, and what other sources tell of as well."""
ELSEWHERE = ("kubernetes/objects", "kubernetes/logs", "loki", "elasticsearch", "victorialogs")
SLACK_S = 300.0
"""Two sources' times of one act differ by this much at most."""
KEPT_S = 3600.0
"""``--event-ttl`` of kube-apiserver where nobody sets it
(https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/)."""


def told_of_events(row: SourceCoverage, found: Digest, window: Window) -> SourceCoverage:
    """Give the row of the cluster's events or objects with a gap where they were too many, or events do not reach back; any other as it is."""
    passed_over = {EVENTS: found.events_passed_over, OBJECTS: found.objects_passed_over}.get(row.source, 0)
    if passed_over:
        things = "events" if row.source == EVENTS else "object versions"
        what = (
            f"{things} beyond those of which there is room were passed over, evenly of each kind; the case holds them"
        )
        return replace(row, status="partial", gaps=(*row.gaps, Gap(source=row.source, what=what, count=passed_over)))
    if row.source != EVENTS or row.status != "complete" or any(gap.lost for gap in row.gaps):
        return row
    oldest_s = found.oldest_event_s
    if oldest_s is None:
        unseen = sorted(_acts(found, window.end_s))
        if not unseen:
            return row
        what = (
            f"the list is empty, though {counted(len(unseen), 'thing')} happened that it would tell of (first "
            f"{clock_s(unseen[0])}): what there was is missing, for a cluster keeps events an hour by default"
        )
        return _partial(row, what)
    unseen = sorted(_acts(found, oldest_s - SLACK_S))
    short = window.end_s - oldest_s <= KEPT_S + SLACK_S < window.length_s / 2
    if not unseen and not short:
        return row
    missed = f", {counted(len(unseen), 'thing')} that it would tell of" if unseen else ""
    return _partial(row, f"the list reaches back only to {clock_s(oldest_s)}: what came before has expired{missed}")


def _acts(found: Digest, until_s: float) -> Iterator[float]:
    """Give when things happened that leave an event, as other sources tell it."""
    for signal in found.signals:
        if signal.kind in NOTED and signal.source in ELSEWHERE:
            for one in signal.occurrences:
                if one.start_s < until_s and not any(ref.startswith("V") for ref in one.refs):
                    yield one.start_s


def _partial(row: SourceCoverage, what: str) -> SourceCoverage:
    return replace(row, status="partial", gaps=(*row.gaps, Gap(source=row.source, what=what)))
