"""Was a change undone in vain? What goes on as before, long after a change was put back, did not come from that change.

What outlives its cause is left out: where something filled up on the way, or another trouble kept the symptom up, that the
change was undone says nothing of what began it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.analyst.findings import Findings
from bot.analyst.sustaining import sustaining
from bot.analyst.words import GROWTH, clock_s, felt_as
from bot.domain.link import Chain
from bot.domain.signal import BACK, Kind, Occurrence, Signal

UNDONE = frozenset({Kind.ROLLOUT, Kind.CONFIG_CHANGE, Kind.SECRET_CHANGE})
SETTLES_S = 600.0
"""How long an undoing may take to reach every pod and every client: rollouts are called stuck after as long."""
LEAST_AFTER_S = 900.0
SAME_RATE = 0.5
"""Share of the failures' former rate at which they still go on as before."""
LEAST_AGAIN = 2
"""Episodes that must come after an undoing; one may be of anything."""


def undone_in_vain(findings: Findings, signal: Signal, episodes: Sequence[Occurrence]) -> Occurrence | None:
    """Give the undoing of the change that came last before these episodes of the symptom, where all of that went on; else None."""
    if signal.kind not in UNDONE or findings.symptom is None:
        return None
    rows = signal.occurrences
    suspected = {
        max((i for i, one in enumerate(rows) if one.start_s <= each.start_s), default=-1) for each in episodes
    }  # fmt: skip
    # episodes behind the undoing itself are laid to what was undone
    suspected = {place - 1 if _is_back(rows, place) else place for place in suspected}
    backs = [rows[place + 1] for place in suspected if _is_back(rows, place + 1)]
    if not suspected or min(suspected) < 0 or len(backs) < len(suspected):
        return None
    vain = [_went_on(findings, rows, place) for place in sorted(suspected)]
    return max(backs, key=lambda one: one.start_s) if all(vain) else None


def against_undone(findings: Findings, chain: Chain, rootness: Mapping[Kind, float]) -> Signal | None:
    """Give the change on a chain's way that was undone in vain; None where none was, or where the symptom may outlive its cause."""
    if any(one.kind in GROWTH for one in chain.signals[1:]):
        return None
    episodes = [chain.symptom.occurrences[place] for place in chain.explained]
    found = (one for one in chain.signals[:-1] if undone_in_vain(findings, one, episodes) is not None)
    signal = next(found, None)
    return None if signal is None or sustaining(findings, chain, rootness) else signal


def words_of(findings: Findings, signal: Signal, episodes: Sequence[Occurrence]) -> str:
    """Say that a change was undone in vain; empty where it was not."""
    back = undone_in_vain(findings, signal, episodes)
    if back is None or findings.symptom is None:
        return ""
    return f"it was undone at {clock_s(back.start_s)}, and {felt_as(findings.symptom)} went on"


def without_vain(findings: Findings, rootness: Mapping[Kind, float]) -> Findings:
    """Leave out the chains that lead over what was undone in vain, where others are left."""
    kept = [chain for chain in findings.chains if against_undone(findings, chain, rootness) is None]
    return replace(findings, chains=kept) if kept and len(kept) < len(findings.chains) else findings


def then_back(signal: Signal) -> str:
    """Say of a change seen twice that the second time put back what was there before; empty where that is not so."""
    if len(signal.occurrences) != LEAST_AGAIN or not _is_back(signal.occurrences, 1):
        return ""
    return f"and put back as it was at {clock_s(signal.occurrences[1].start_s)}"


def undoing_of(signal: Signal, place: int) -> Occurrence | None:
    """Give the occurrence that put back what the one at a place had changed; None where the next one did not."""
    return signal.occurrences[place + 1] if _is_back(signal.occurrences, place + 1) else None


def _is_back(rows: Sequence[Occurrence], place: int) -> bool:
    return 0 < place < len(rows) and rows[place].note.startswith(BACK)


def _went_on(findings: Findings, rows: Sequence[Occurrence], place: int) -> bool:
    """Tell whether the symptom went on after the undoing of one change until the next one, as long or as often as before it."""
    symptom, change, back = findings.symptom, rows[place], rows[place + 1]
    assert symptom is not None
    until_s = rows[place + 2].start_s if place + 2 < len(rows) else findings.window.end_s
    felt = [one for one in symptom.occurrences if change.start_s <= one.start_s < until_s]
    before = [one for one in felt if one.start_s < back.start_s]
    again = [one for one in felt if one.start_s > back.end_s + SETTLES_S]
    if before and len(again) >= max(LEAST_AGAIN, len(before)):
        return True
    lasting = next((one for one in before if one.end_s > back.end_s), None)
    return lasting is not None and _as_before(findings, symptom, lasting, back, until_s)


def _as_before(findings: Findings, symptom: Signal, one: Occurrence, back: Occurrence, until_s: float) -> bool:
    """Tell whether an episode went on past an undoing as long as it had lasted, its failures as frequent; where these have no
    times, twice as long.
    """
    from_s, end_s = back.end_s + SETTLES_S, min(one.end_s, until_s)
    earlier_s, later_s = back.start_s - one.start_s, end_s - from_s
    if later_s < max(LEAST_AFTER_S, earlier_s) or earlier_s <= 0:
        return False
    times = findings.measures.times(symptom) if findings.measures is not None else None
    if times is None:
        return later_s >= 2 * earlier_s
    earlier = sum(one.start_s <= at <= back.start_s for at in times)
    later = sum(from_s <= at <= end_s for at in times)
    return later * earlier_s >= SAME_RATE * earlier * later_s > 0
