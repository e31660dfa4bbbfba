"""What to change about a job that takes from others: when it runs, whether its runs may overlap, and what it holds meanwhile.

How much of the failure would go with the hour is judged by the traffic: what its runs met, and what they would have met had each
begun so much later. Around the episodes themselves the traffic is taken to go on in a line, for what fails is asked again. Leaves out what the job does.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite

from cronsim import CronSim, CronSimError

from bot.analyst.advice_parts import explained, fact_of, places_of, struck_of
from bot.analyst.findings import Findings
from bot.analyst.words import counted, plural
from bot.domain.fleet import as_flags
from bot.domain.link import Chain
from bot.domain.measured import Course
from bot.domain.report import Recommendation
from bot.domain.signal import Kind, Occurrence, Signal
from bot.domain.spelling import length

A_DAY_S = 86_400.0
SHIFT_S = 900.0
"""Other times of the day are tried in steps of a quarter of an hour."""
SETTLES_S = 600.0
"""So long before and after an episode its own retries are taken for part of the traffic."""
LEAST_RUNS = 2
LEAST_SEEN = 0.6
"""A shift is judged where so large a share of the runs would still lie in what was measured."""
WORTH = 0.9
"""A quieter hour is proposed where it has less than this share of the traffic."""
JOB_BY_NEXT: dict[Kind, tuple[str, str]] = {
    **dict.fromkeys(
        (
            Kind.CPU_SATURATION,
            Kind.CPU_THROTTLING,
            Kind.MEMORY_PRESSURE,
            Kind.NETWORK_SATURATION,
            Kind.IO_SATURATION,
            Kind.SCALE_UP,
        ),
        (
            "Keep {who} away from its neighbours: CPU and memory limits, or a node pool of its own",
            "it takes what its neighbours need to serve requests",
        ),
    ),
    **dict.fromkeys(
        (Kind.EVICTION, Kind.SCHEDULING_FAILURE),
        (
            "Give {who} a lower priority class, or a node pool of its own",
            "its pods take the place of those that serve requests",
        ),
    ),
    **dict.fromkeys(
        (Kind.LOCK_WAIT, Kind.DEADLOCK, Kind.SLOW_QUERY),
        (
            "Let {who} hold the database only briefly: lock_timeout, small batches",
            "requests wait for what it holds",
        ),
    ),
}
"""What one would change about a job, by what it does first."""
OTHERWISE = ("Run {who} in smaller batches", "the cascade begins with its runs")


def _brings(chain: Chain) -> Kind:
    """Give what a job does first; where that shows at once as waiting, what its trouble is by a later step: a lock, or nothing known."""
    kinds = [one.kind for one in chain.signals[1:-1]]
    waits = {Kind.POOL_EXHAUSTION, Kind.TIMEOUT, Kind.LATENCY}
    held = [kind for kind in kinds if kind in {Kind.LOCK_WAIT, Kind.DEADLOCK, Kind.SLOW_QUERY}]
    first = kinds[0] if kinds else Kind.ALERT
    return held[0] if first in waits and held else first


def job(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Say what to change about a job, how much came behind its runs, and what a quieter hour would be worth."""
    if signal.id != chain.root.id:
        return None
    summary, reason = JOB_BY_NEXT.get(_brings(chain), OTHERWISE)
    struck, whole = struck_of(chain)
    lead = (
        f"without its runs {struck:,} of {whole:,} {plural(chain.symptom.kind)} in this window would have been spared, if nothing else had "
        f"brought them about: {len(chain.explained)} of {counted(len(chain.symptom.occurrences), 'episode')} came by way of one"
    )
    moved, change = _quieter(signal, chain, findings, struck)
    said = [part for part in (lead, moved, _overlap(signal, findings)) if part]
    where = (
        f"; run it at {change[0]}" if change is not None else "; suspend it until then" if _suspended(signal) else ""
    )
    return Recommendation(
        summary=f"{summary.format(who=signal.entity)}{where}",
        rationale=reason,
        change=change[1] if change is not None else _suspended(signal),
        effect="; ".join(said),
        spared=struck if struck and struck <= whole else None,
    )


def _suspended(signal: Signal) -> str | None:
    if signal.entity.kind != "CronJob":
        return None
    return f'kubectl {as_flags(signal.entity.namespace)} patch cronjob {signal.entity.name} -p \'{{"spec":{{"suspend":true}}}}\''


def _quieter(signal: Signal, chain: Chain, findings: Findings, struck: int) -> tuple[str, tuple[str, str] | None]:
    """Say what traffic the runs met and would have met at the quietest time, and give that time and a command for it."""
    disturbed = [(one.start_s - SETTLES_S, one.end_s + SETTLES_S) for one in chain.symptom.occurrences]
    course = findings.measures.requests(chain.symptom.entity, disturbed) if findings.measures is not None else None
    if course is None or len(signal.occurrences) < LEAST_RUNS:
        why = "its runs are too few" if course is not None else "nothing counts requests"
        return f"not measured: what another hour would be worth, for {why}", None
    reach_s = _reach(signal, chain)
    most = signal.period_s if signal.period_s and signal.period_s <= A_DAY_S else A_DAY_S
    met = traffic(course, signal.occurrences, 0.0, reach_s)
    shifts = [
        (level, shift)
        for shift in (SHIFT_S * step for step in range(1, int(most / SHIFT_S)))
        if (level := traffic(course, signal.occurrences, shift, reach_s)) is not None
    ]
    if met is None or not shifts or met <= 0:
        return "not measured: what another hour would be worth, for the traffic around its runs was not seen", None
    level, shift = min(shifts)
    share = level / met
    lead = f"its runs met {met:,.3g} requests a second but for retries"
    if share > WORTH:
        return (
            f"{lead}, at the quietest time of equal length {level:,.3g} ({share:.0%}): another hour would change little",
            None,
        )
    begins = f"{length(shift)} later, the quietest time of equal length"
    spared = int(struck * (1 - share))
    said = (
        f"{lead}, {begins}, {level:,.3g} ({share:.0%}): moved there it would have spared {spared:,} of the {struck:,}, if as large a share of "
        "requests fails there"
    )
    return said, _moved(signal, findings, shift)


def _reach(signal: Signal, chain: Chain) -> float:
    """Give how long after its start a run is felt: to its end, or to the end of the episode behind it, at the median."""
    spans = sorted(one.end_s - one.start_s for one in signal.occurrences)
    starts = [one.start_s for one in signal.occurrences]
    behind = []
    for episode in explained(chain):
        place = bisect_left(starts, episode.start_s + 1.0) - 1
        if place >= 0:
            behind.append(episode.end_s - starts[place])
    behind.sort()
    return max(spans[len(spans) // 2], behind[len(behind) // 2] if behind else 0.0, SHIFT_S / 3)


def traffic(course: Course, runs: Sequence[Occurrence], shift_s: float, reach_s: float) -> float | None:
    """Give the mean of a course over ``reach_s`` seconds from each run's start, had each begun ``shift_s`` later.

    None where too few of them would lie in what was measured.
    """
    sums, seen = [], 0
    for run in runs:
        first = bisect_left(course.times_s, run.start_s + shift_s)
        last = bisect_left(course.times_s, run.start_s + shift_s + reach_s)
        values = [one for one in course.values[first : max(last, first + 1)] if isfinite(one)]
        if values and first < len(course.times_s):
            seen += 1
            sums.append(sum(values) / len(values))
    return sum(sums) / seen if seen and seen >= LEAST_SEEN * len(runs) else None


def _moved(signal: Signal, findings: Findings, shift_s: float) -> tuple[str, str] | None:
    """Give the times of day that a daily schedule moves to, and the command that moves it there."""
    fact = fact_of(findings, places_of(signal, findings), "schedule")
    times = _daily(fact.value) if fact is not None else []
    later = sorted((minute + int(shift_s // 60)) % 1440 for minute in times)
    if not later or len({minute % 60 for minute in later}) != 1 or signal.entity.kind != "CronJob":
        return None
    zone = fact_of(findings, places_of(signal, findings), "timeZone")
    schedule = f"{later[0] % 60} {','.join(str(minute // 60) for minute in later)} * * *"
    shown = ", ".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in later)
    patch = f'kubectl {as_flags(signal.entity.namespace)} patch cronjob {signal.entity.name} -p \'{{"spec":{{"schedule":"{schedule}"}}}}\''
    return f"{shown} {zone.value if zone is not None else 'UTC'}", patch


def _daily(schedule: str) -> list[int]:
    """Give the minutes of the day at which a schedule fires that is the same every day; nothing for any other."""
    if schedule.split()[2:] != ["*", "*", "*"]:
        return []
    try:
        times = CronSim(schedule, datetime(2025, 12, 31, 23, 59, tzinfo=UTC))
        found = []
        while (at := next(times)).day == 1 and at.month == 1:
            found.append(at.hour * 60 + at.minute)
    except (CronSimError, StopIteration):
        return []
    return found


def _overlap(signal: Signal, findings: Findings) -> str:
    """Say how many runs began while another still ran, and what concurrencyPolicy would have made of them."""
    ends, overlapping = float("-inf"), 0
    for run in signal.occurrences:
        overlapping += run.start_s < ends
        ends = max(ends, run.end_s)
    fact = fact_of(findings, places_of(signal, findings), "concurrencyPolicy")
    policy = fact.value if fact is not None else "Allow"
    if not overlapping or policy != "Allow" or signal.entity.kind != "CronJob":
        return ""
    return (
        f"concurrencyPolicy: Forbid would have spared {overlapping} of {counted(len(signal.occurrences), 'run')}: those that began while another "
        "still ran, if what they do can wait for the next one"
    )
