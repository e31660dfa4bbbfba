"""Undoing the change that a cascade begins with, and what doing so sooner would have spared.

What a change was decides how it is undone: a rollout is rolled back, a value put back, an object that was created is removed, one
that was deleted is restored, consumers of a new secret are restarted, what expired is renewed.
"""

from bisect import bisect_left
from collections.abc import Sequence
from math import nextafter

from bot.analyst import counterfactuals as would
from bot.analyst.advice_parts import explained, failures_of, struck_of
from bot.analyst.findings import Findings
from bot.analyst.steps import leading_to
from bot.analyst.undone import SETTLES_S, undoing_of
from bot.analyst.words import GROWTH, clock_s, counted, noun, plural, times
from bot.domain.entity import Entity
from bot.domain.fleet import as_flags
from bot.domain.link import Chain
from bot.domain.report import Recommendation
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import length
from bot.domain.what_if import Range, WhatIf, stepped

UNDONE_S = 900.0
"""How soon after the first failure an undoing is proposed: a page, a look, a command."""
MOST_DELAYS = 400
SOON_S = 600.0
"""A consumer that is restarted this soon after its secret was changed was restarted for it."""
UNDO: dict[Kind, tuple[str, str]] = {
    Kind.ROLLOUT: ("Roll {who} back to the revision before, then fix forward", "the cascade begins with this rollout"),
    Kind.CONFIG_CHANGE: ("Put back the configuration in {who} as it was", "the cascade begins with this change"),
    Kind.SECRET_CHANGE: (
        "Restart every consumer of {who}, and let them reload it when it is rotated",
        "consumers went on with the old credentials",
    ),
    Kind.RELOAD: (
        "Find what was changed for {who} before its pods were replaced, and put it back",
        "the same program was started anew, so what it read at start is what differs",
    ),
    Kind.HUMAN_CHANGE: ("Undo what {who} changed, then look at it again", "the cascade begins with this change"),
    Kind.CERTIFICATE_EXPIRY: (
        "Renew {who} now, find out why its renewal did not happen, and alert weeks before any notAfter",
        "every new TLS handshake fails from the moment it expires",
    ),
}
"""How each kind of change is undone, and why."""
_MADE = (
    "Remove {who}, or make it larger than what it refused",
    "the cascade begins with its creation; before it nothing was refused",
)
_MADE_OTHERWISE = (
    "Remove {who}, which was created then, or set it so that it lets through what it stopped",
    "the cascade begins with its creation",
)
_ANEW = (
    "Make {who} again what it was before it was made anew",
    "the cascade begins with its creation, and it is for workloads that were there before",
)
FORBIDS = frozenset(
    {"ResourceQuota", "LimitRange", "NetworkPolicy", "PodDisruptionBudget", "PeerAuthentication", "AuthorizationPolicy"}
)
"""Kinds of object that forbid: without one more is allowed."""
LEAST_WAY = 3
"""Signals of a chain in which something lies between the root and the symptom."""
_GONE = ("Restore {who}, which was deleted", "the cascade begins with its deletion")


def undo(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Undo the change at the root, and say what that would have spared had it been done soon after the first failure."""
    if signal.id != chain.root.id:
        return None
    summary, reason = _how(signal, chain, findings)
    struck, whole = struck_of(chain)
    said = [_before_and_after(signal, chain, struck, whole)]
    if told := _consumers(signal, findings) or _refused(signal, chain) or _overdue(signal, findings):
        said.append(told)
    what = None if (full := _full(chain)) else _sooner(signal, chain, findings)
    if full:
        said.append(full)
    elif late := _after_undoing(signal, chain, findings):
        what = None
        said.append(late)
    elif what is not None and what.spared(UNDONE_S)[0]:
        said.append(
            f"undone {length(UNDONE_S)} after the first of them it would have spared {what.words(UNDONE_S)}, if {what.assumption}"
        )
    elif what is None:
        said.append("not measured: what undoing it sooner would have spared, for only counts of failures are known")
    return Recommendation(
        summary=summary.format(who=signal.entity),
        rationale=reason,
        change=_command(signal, findings),
        effect="; ".join(said),
        spared=struck if 0 < struck <= whole else None,
        what_if=(what,) if what is not None else (),
    )


def _how(signal: Signal, chain: Chain, findings: Findings) -> tuple[str, str]:
    note = signal.occurrences[0].note
    if note == "created" and signal.entity.kind not in FORBIDS:
        return _ANEW
    if note == "created":
        quota = any(one.kind is Kind.QUOTA_EXCEEDED for one in chain.signals)
        return _MADE if quota else _MADE_OTHERWISE
    if note == "deleted":
        return _GONE
    late = [str(user) for user, _ in _late(signal, findings)]
    if late and len(late) < len(_users(signal)):
        missed = f"Restart {', '.join(late)}, which {'was' if len(late) == 1 else 'were'} not restarted when {{who}} changed, and let it be reloaded when it is rotated"
        return missed, UNDO[signal.kind][1]
    failing = (one for one in leading_to(chain, findings) if one.signal.kind is Kind.RENEWAL_FAILURE)
    if tries := sum(len(one.before) for one in failing):
        of_what = (
            f"Renew {{who}} now, mend what made its renewal fail {times(tries)}, and alert on a renewal that fails"
        )
        return of_what, UNDO[signal.kind][1]
    return UNDO[signal.kind]


def _before_and_after(signal: Signal, chain: Chain, struck: int, whole: int) -> str:
    """Say how much came before the change and how much behind it: what undoing it is held to."""
    at_s = signal.occurrences[0].start_s
    earlier = int(sum(one.size for one in chain.symptom.occurrences if one.end_s < at_s))
    things = plural(chain.symptom.kind)
    if len(chain.symptom.occurrences) == 1:
        return f"without it {struck:,} of {whole:,} {things} in this window would have been spared, if nothing else had brought them about"
    return (
        f"without it {struck:,} of {whole:,} {things} in this window would have been spared ({len(chain.explained)} of "
        f"{counted(len(chain.symptom.occurrences), 'episode')}), if nothing else had brought them about; {f'{earlier:,}' if earlier else 'none'} came before it"
    )


def _full(chain: Chain) -> str:
    """Say until when undoing it would have helped, where something filled up on the way; empty where nothing did.

    What has piled up stays: undone after the first failure it spares nothing by itself.
    """
    grown = chain.signals[1]
    if len(chain.signals) < LEAST_WAY or grown.kind not in GROWTH or len(chain.symptom.occurrences) > 1:
        return ""
    felt_s = explained(chain)[0].start_s
    left_s = felt_s - chain.root.occurrences[0].start_s
    return (
        f"undone within the {length(left_s)} before the first of them it would have spared all; by now what has piled up at "
        f"{grown.entity} has to be emptied or restarted as well"
    )


def _sooner(signal: Signal, chain: Chain, findings: Findings) -> WhatIf | None:
    """Give what undoing it so many seconds after the first failure would have spared; None where no failure has its own time."""
    times = failures_of(chain, findings)
    if not times:
        return None
    first = explained(chain)[0].start_s
    return WhatIf(
        setting="time until it is undone",
        entity=signal.entity,
        unit="s",
        present=None,
        proposed=UNDONE_S,
        things=plural(chain.symptom.kind),
        total=len(times),
        points=_by_delay(times, first),
        assumption="they end once it is undone",
        rising=False,
    )


def _after_undoing(signal: Signal, chain: Chain, findings: Findings) -> str:
    """Say how many failures still came after the change had been undone; empty where that is not known, or none did."""
    back = undoing_of(signal, 0)
    failed = failures_of(chain, findings)
    late = sum(at > back.end_s + SETTLES_S for at in failed) if back is not None and len(signal.occurrences) == 2 else 0
    if back is None or not late:
        return ""
    return (
        f"it was undone at {clock_s(back.start_s)}, and {late:,} of {len(failed):,} {plural(chain.symptom.kind)} came more "
        f"than {length(SETTLES_S)} after that: what undoing it sooner would have spared cannot be told"
    )


def _by_delay(times: Sequence[float], first_s: float) -> tuple[tuple[float, int, int], ...]:
    """Give the steps of what undoing it so many seconds after the first failure spares; of very many a part, with ranges."""
    delays = sorted({max(0.0, at - first_s) for at in times})
    if len(delays) > MOST_DELAYS:
        delays = [delays[round(place * (len(delays) - 1) / (MOST_DELAYS - 1))] for place in range(MOST_DELAYS)]
    just_before = nextafter(UNDONE_S, 0.0)  # so that the proposed value's step begins and ends with it
    tried = sorted({*delays, just_before})

    def spares(value: float) -> Range:
        least = would.after(times, first_s, value)
        place = bisect_left(tried, value)
        return (
            (least, least)
            if value == UNDONE_S
            else (least, would.after(times, first_s, tried[place - 1]) if place else len(times))
        )

    return stepped(tried, spares, kept=(UNDONE_S,), rising=False)


def _users(signal: Signal) -> list[Entity]:
    """Give the consumers of a secret that changed."""
    return [one for one in signal.mentions if one != signal.entity] if signal.kind is Kind.SECRET_CHANGE else []


def _late(signal: Signal, findings: Findings) -> list[tuple[Entity, float | None]]:
    """Give the consumers that were not restarted soon after the change, with how long after it they were, None where never."""
    at_s = signal.occurrences[0].start_s
    renewed = [(user, _restarted(user, at_s, findings)) for user in _users(signal)]
    return [(user, after) for user, after in renewed if after is None or after > SOON_S]


def _consumers(signal: Signal, findings: Findings) -> str:
    """Say which consumers of a secret were restarted soon after it changed, and how long the others went on."""
    at_s, late = signal.occurrences[0].start_s, _late(signal, findings)
    if not late:
        return ""
    soon = [
        after for user in _users(signal) if (after := _restarted(user, at_s, findings)) is not None and after <= SOON_S
    ]
    until = length(findings.window.end_s - at_s)
    went = ", ".join(
        f"{user} only {length(after)} after it"
        if after is not None
        else f"{user} not before the data end, {until} after it"
        for user, after in late[:3]
    )
    others = (
        f"{len(soon)} of {counted(len(_users(signal)), 'consumer')} were restarted within {length(max(soon))}, "
        if soon
        else ""
    )
    return f"{others}{went}"


def _restarted(user: Entity, at_s: float, findings: Findings) -> float | None:
    """Give how long after a time a workload's pods were replaced; None where they were not."""
    renewals = (
        one.start_s
        for signal in findings.signals.values()
        if signal.kind in (Kind.RELOAD, Kind.ROLLOUT) and signal.entity == user
        for one in signal.occurrences
        if one.start_s >= at_s
    )
    first = min(renewals, default=None)
    return None if first is None else first - at_s


def _refused(signal: Signal, chain: Chain) -> str:
    """Say what the making of an object that forbids did."""
    if signal.occurrences[0].note != "created":
        return ""
    stopped = next((one for one in chain.signals if one.kind in (Kind.QUOTA_EXCEEDED, Kind.DRAIN_BLOCKED)), None)
    if stopped is None:
        return ""
    return f"since it was created it refused {'pods' if stopped.kind is Kind.QUOTA_EXCEEDED else 'evictions'} of {stopped.entity} {times(stopped.total)}, first {clock_s(stopped.occurrences[0].start_s)}"


def _overdue(signal: Signal, findings: Findings) -> str:
    """Say how long a certificate's renewal had been due when it expired."""
    if signal.kind is not Kind.CERTIFICATE_EXPIRY:
        return ""
    due = next((fact for fact in findings.facts if fact.entity == signal.entity and fact.name == "renewBefore"), None)
    if due is None or not due.number:
        return ""
    return f"its renewal was due {length(due.number)} before that: an alert on a renewal a day late would have come {length(max(0.0, due.number - 86_400.0))} before the first {noun(Kind.SERVER_ERROR)}"


def _command(signal: Signal, findings: Findings) -> str | None:
    entity = signal.entity
    flags = as_flags(entity.namespace)
    if signal.occurrences[0].note == "created" and entity.kind in FORBIDS:
        return f"kubectl {flags} delete {entity.kind.lower()} {entity.name}"
    if signal.kind is Kind.ROLLOUT and entity.kind in ("Deployment", "StatefulSet", "DaemonSet"):
        return f"kubectl {flags} rollout undo {entity.kind.lower()}/{entity.name}"
    if signal.kind is Kind.CERTIFICATE_EXPIRY and entity.kind == "Certificate":
        return f"cmctl {flags} renew {entity.name}"
    return _restart(signal, findings, flags)


def _restart(signal: Signal, findings: Findings, flags: str) -> str | None:
    """Give the command that restarts the consumers of a secret."""
    late = [user for user, _ in _late(signal, findings)] or _users(signal)
    users = [f"{one.kind.lower()}/{one.name}" for one in late if one.kind in ("Deployment", "StatefulSet", "DaemonSet")]
    if signal.kind is not Kind.SECRET_CHANGE or not users:
        return None
    return f"kubectl {flags} rollout restart {' '.join(users)}"
