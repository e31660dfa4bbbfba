"""How sure a named cause is, and what holds the confidence down.

Leaves out whether a cause may be named at all (``offline``), and what speaks against a root (``roots``).
"""

from bot.analyst.by_clock import by_a_beat, by_the_clock, came_at_once
from bot.analyst.conclusion import folded_episodes, seen_seldom
from bot.analyst.findings import Findings
from bot.analyst.origins import BEGUN
from bot.analyst.words import clock_s, one as article
from bot.domain.link import Chain
from bot.domain.report import Confidence
from bot.domain.signal import Kind, Signal
from bot.domain.window import instant

CLOSE = 0.85
"""A rival chain whose score comes this near to the best one, from another root, makes the answer uncertain."""
BARE = frozenset(
    {
        Kind.SHUTDOWN,
        Kind.POD_KILL,
        Kind.CONNECTION_REFUSED,
        Kind.CONNECTION_RESET,
        Kind.TIMEOUT,
        Kind.UNAVAILABLE,
        Kind.SERVER_ERROR,
    }
)
"""What a rollout may lead to for any reason: that its new version failed, or that its new pods never came."""


def confidence_of(
    findings: Findings, chain: Chain, share: float, standing: float, absent: tuple[str, ...]
) -> tuple[Confidence, tuple[str, ...]]:
    """Cap the confidence by what was tested and what is missing; every cap has its reason.

    ``share``: of the symptom's episodes, what the chain explains; ``standing``: how well its root can begin one, 0..1; ``absent``:
    the sources that are missing.
    """
    reasons = list(absent)
    root = findings.topology.root(chain.root.entity)
    others = [c for c in findings.chains[1:] if findings.topology.root(c.root.entity) != root]
    inside = {signal.id for signal in chain.signals}
    others = [c for c in others if c.root.id not in inside and c.root.id not in findings.cleared]
    close = bool(others) and others[0].score >= CLOSE * chain.score
    on_the_way = {findings.topology.root(signal.entity) for signal in chain.signals[:-1]}
    if close:
        reasons.append(_nearly(others[0], findings.topology.root(others[0].root.entity) in on_the_way))
    if share < 0.8:
        reasons.append(f"{folded_episodes(chain) - len(chain.explained)} of the episodes remain unexplained")
    if chain.end_to_end.status != "supported":
        reasons.append("the root alone, tested straight against the symptom, is not beyond chance")
    if chain.end_to_end.hits < 3:
        reasons.append(f"{seen_seldom(chain)}: order and place speak, not repetition")
    if standing < BEGUN:
        reasons.append("what brought the first step about was not seen")
    if chain.root.kind is Kind.ROLLOUT and chain.signals[1].kind in BARE and not _events_of(findings, chain.root):
        reasons.append("the events of that time are gone: what its new pods met cannot be seen")
    if suspected := [c for c in findings.chains[1:] if c.root.id in findings.cleared and c.score > chain.score]:
        reasons.append(
            f"{article(suspected[0].root.kind)} of {suspected[0].root.entity} was the nearer suspect until it was ruled out"
        )
    reasons.extend(by_the_clock(chain))
    grave = len(reasons) - (1 if chain.end_to_end.hits < 3 else 0)
    reasons.extend(by_a_beat(chain))
    if close and came_at_once(chain.root, others[0].root):
        grave += findings.topology.root(others[0].root.entity) not in on_the_way  # else it had its part in it
    if not reasons:
        return "high", ()
    return ("medium" if grave <= 1 else "low"), tuple(reasons)


def _nearly(other: Chain, on_the_way: bool) -> str:
    """Name another beginning that fits nearly as well; where it came to what stands on the way, neither excludes the other."""
    named = f"{article(other.root.kind)} of {other.root.entity}"
    if not on_the_way or len(other.root.occurrences) != 1:
        return f"{named} fits nearly as well"
    return f"{named} at {clock_s(other.root.occurrences[0].start_s)} fits nearly as well: it may have taken both"


def _events_of(findings: Findings, signal: Signal) -> bool:
    """Tell whether the cluster's events reach back to when a signal began."""
    begun = instant(signal.occurrences[0].start_s)
    rows = [row for row in findings.coverage if row.source in ("kubernetes/events", "recorder")]
    return any(row.items and row.first_at is not None and row.first_at <= begun for row in rows)
