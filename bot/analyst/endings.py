"""Did the symptom end although its supposed cause went on? What was changed stays changed until somebody undoes it.

A change that is undone as the symptom ends is the better shown for it. One that is not, while the symptom ended by itself and
something else began beside the change and is tied to the symptom as well, cannot be told from that.
"""

from collections.abc import Mapping
from itertools import pairwise

from bot.analyst.findings import Findings
from bot.domain.link import Chain
from bot.domain.signal import BACK, Kind, Signal

STAYING = frozenset({Kind.ROLLOUT, Kind.RELOAD, Kind.CONFIG_CHANGE, Kind.HUMAN_CHANGE})
UNDOING = STAYING | {
    Kind.SECRET_CHANGE,
    Kind.SCALE_UP,
    Kind.SCALE_DOWN,
    Kind.CONTAINER_RESTART,
    Kind.POD_START,
    Kind.STARTUP,
}
"""What may have ended it, at the place of the change."""
BESIDE_S = 600.0
"""Two that begin as close as this before a symptom are beside each other."""
UNDONE_S = 900.0
WARMS_UP_S = 900.0
"""How long new pods may be slow or fail until caches are filled and code is compiled."""
ENDS_S = 180.0
"""How close to a change the symptom ends that it ends."""
LEAST_AFTER_S = 3600.0
"""Quiet after the symptom that is needed to call it over."""
BEGINS = 0.8
"""How well a kind must be able to begin a chain to be taken for another beginning."""


def another_beginning(findings: Findings, chain: Chain, rootness: Mapping[Kind, float]) -> Signal | None:
    """Give what began beside a change that a symptom outlived not, though nobody undid it; None where that is not so."""
    root, episodes = chain.root, chain.symptom.occurrences
    if root.kind not in STAYING or len(episodes) != 1:
        return None
    begun, ended = episodes[0].start_s, episodes[0].end_s
    if findings.window.end_s - ended < max(LEAST_AFTER_S, ended - begun) or _undone(findings, root, ended):
        return None
    place = findings.topology.root(root.entity)
    tied = {
        link.cause for link in findings.links if link.effect == chain.symptom.id and link.test.status == "supported"
    }
    others = [
        signal
        for signal in findings.signals.values()
        if signal.id in tied and rootness.get(signal.kind, 0.0) >= BEGINS and findings.topology.root(signal.entity) != place
        and any(begun - BESIDE_S <= one.start_s <= begun for one in signal.occurrences)
    ]  # fmt: skip
    inside = {signal.id for signal in chain.signals}
    return min(
        (one for one in others if one.id not in inside), key=lambda one: (-rootness[one.kind], one.id), default=None
    )


def begun_and_ended(findings: Findings, chain: Chain) -> Signal | None:
    """Give another change tied to the symptom that was made as each of its episodes began, and again as it ended; None where
    there is none, or where something was done at the chain's own root then.
    """
    root, places = chain.root, findings.topology.root
    if root.kind not in STAYING or any(_undone(findings, root, one.end_s) for one in chain.symptom.occurrences):
        return None
    others = (each.root for each in findings.chains if each.root.kind in STAYING)
    found = (
        other
        for other in others
        if places(other.entity) != places(root.entity)
        and all(_around(other, one.start_s, one.end_s) for one in chain.symptom.occurrences)
    )
    return next(found, None)


def ended_with_undoing(chain: Chain) -> bool:
    """Tell whether the symptom ended for good as its supposed cause was undone."""
    last_s = max(one.end_s for one in chain.symptom.occurrences)
    backs = [one for one in chain.root.occurrences if one.note.startswith(BACK)]
    return any(one.start_s - ENDS_S <= last_s <= one.end_s + ENDS_S for one in backs)


def ended_by_itself(findings: Findings, chain: Chain) -> float | None:
    """Give for how long a change's own place failed, in seconds, where that ended for good though the change stayed as it was;
    None where it did not, where a warm-up would have been over as soon, or where others stand between, who may have recovered.
    """
    root, symptom, place = chain.root, chain.symptom, findings.topology.root
    episodes, felt_at = symptom.occurrences, {place(one) for one in (symptom.entity, *symptom.mentions)}
    by_others = any(place(one.entity) != place(root.entity) for one in chain.signals[1:-1])
    if root.kind not in STAYING or len(episodes) != 1 or by_others or place(root.entity) not in felt_at:
        return None
    lasted_s, ended = episodes[0].end_s - episodes[0].start_s, episodes[0].end_s
    quiet_s = findings.window.end_s - ended
    over = quiet_s >= max(LEAST_AFTER_S, lasted_s) and lasted_s > WARMS_UP_S
    return lasted_s if over and not _undone(findings, root, ended) else None


def _around(change: Signal, begun_s: float, ended_s: float) -> bool:
    return any(
        0 <= begun_s - first.start_s <= BESIDE_S and abs(then.start_s - ended_s) <= ENDS_S
        for first, then in pairwise(change.occurrences)
    )


def _undone(findings: Findings, root: Signal, ended_s: float) -> bool:
    """Tell whether something was changed at the change's place, or at whom it names, as the symptom ended."""
    places = {findings.topology.root(one) for one in (root.entity, *root.mentions)}
    return any(
        ended_s - UNDONE_S <= one.start_s <= ended_s + UNDONE_S
        for signal in findings.signals.values()
        if signal.kind in UNDOING and findings.topology.root(signal.entity) in places
        for one in signal.occurrences
    )
