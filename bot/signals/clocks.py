"""How far the clock of each node can be from the control plane's, by what both of them told of one pod.

The control plane says that a pod was scheduled or deleted, and then the kubelet of its node says what it did about it. The
kubelet cannot have acted before it was told, which bounds its clock from above; and the quickest of its answers took a moment
only, which bounds it from below. Leaves out what is made of it (``links``), and nodes on which no pod came or went.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf, sqrt

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent
from bot.signals.kubernetes import deleted_pod

DATED_S = 1.0
"""Events are dated to the whole second."""
LONGEST_WAIT_S = 600.0
"""A kubelet's event further from the control plane's than this is about another turn of the pod's life."""
LEAST_ANSWERS = 2
"""One answer may have been a slow one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a kubelet's event answers to, and within how many seconds the quickest of several kubelets' does."""

    order: str
    quick_s: float


ANSWERS = {"Killing": Answer("deleted", 1.0), "Pulling": Answer("scheduled", 1.0), "Pulled": Answer("scheduled", 2.0)}
"""It begins to stop a container, to pull an image, or finds the image there already: watches tell it at once, and all of a
pod's start but pulling is to take 5 s at most (Kubernetes' SLO of pod start-up latency)."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Between how many seconds behind (negative) and ahead of the control plane's a node's clock is."""

    low_s: float
    high_s: float

    @property
    def most_s(self) -> float:
        """How far apart the two clocks can be at most."""
        return max(abs(self.low_s), abs(self.high_s))


def clocks(events: Iterable[ClusterEvent]) -> dict[str, Apart]:
    """Give, by node name, how far its clock can be from the control plane's; nothing for a node nobody can tell of."""
    orders: dict[tuple[str, Entity], list[float]] = defaultdict(list)
    answers: list[ClusterEvent] = []
    for event in events:
        if event.reason == "Scheduled":
            orders["scheduled", event.entity].append(event.first_at.timestamp())
        elif event.reason == "SuccessfulDelete" and (pod := deleted_pod(event.message)) is not None:
            orders["deleted", Entity("Pod", pod, event.entity.namespace)].append(event.first_at.timestamp())
        elif event.reason in ANSWERS and event.node and event.component == "kubelet":
            answers.append(event)
    waits: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for event in answers:
        gaps = [event.first_at.timestamp() - at_s for at_s in orders[ANSWERS[event.reason].order, event.entity]]
        nearest = min(gaps, key=abs, default=inf)
        if abs(nearest) <= LONGEST_WAIT_S and event.node is not None:
            waits[event.node][event.reason].append(nearest)
    found = {
        node: [_apart(seen, ANSWERS[reason].quick_s) for reason, seen in told.items() if len(seen) >= LEAST_ANSWERS]
        for node, told in sorted(waits.items())
    }
    return {
        node: Apart(max(each.low_s for each in told), min(each.high_s for each in told))
        for node, told in found.items()
        if told
    }


def _apart(waits: Sequence[float], quick_s: float) -> Apart:
    """Bound a clock by what its kubelet took to answer, of which the quickest took between nothing and ``quick_s``.

    Both ends are dated to the second, so that one wait tells it to a second either way; the mean of several quick ones tells
    it better, for rounding then evens out (a standard deviation of half a second at most, of which two are allowed for).
    """
    least = min(waits)
    quick = [wait for wait in waits if wait <= least + DATED_S]
    middle, unsure = sum(quick) / len(quick), 1.0 / sqrt(len(quick))
    return Apart(max(least - DATED_S, middle - unsure) - quick_s, min(least + DATED_S, middle + unsure))
