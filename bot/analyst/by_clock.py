"""What clocks leave in doubt of a cascade: a step seen before its cause, and steps that keep the same hours or the same beat.

Leaves out how either is measured (``signals.trains``, ``signals.cycles``, ``signals.rhythms``).
"""

from bot.analyst.words import noun
from bot.domain.link import Chain
from bot.domain.signal import Signal
from bot.domain.spelling import beat, length

ONCE = 2
AT_ONCE_S = 60.0


def _too_early(chain: Chain) -> list[str]:
    """Say which step was seen before what is said to have brought it about."""
    return [
        f"{noun(chain.signals[at + 1].kind)} was seen {length(link.test.early_s)} before {noun(chain.signals[at].kind)}: only "
        "clocks that are apart, or a late notice, would make the one follow the other"
        for at, link in enumerate(chain.links)
        if link.test.early_s
    ][:1]


def by_the_clock(chain: Chain) -> list[str]:
    """Say which step was seen before its cause, and which steps come by the clock of the day, so that it may have made their tie."""
    return [*_too_early(chain), *_by_the_day(chain)[:1]]


def _by_the_day(chain: Chain) -> list[str]:
    return [
        f"{noun(chain.signals[at].kind)} and {noun(chain.signals[at + 1].kind)} keep the same times of day: days on which "
        "they do not would tell their tie from the daily cycle"
        for at, link in enumerate(chain.links)
        if link.test.time_of_day is not None and link.test.time_of_day.verdict == "cannot_tell"
    ]


def by_a_beat(chain: Chain) -> list[str]:
    """Say that a clock may set both the root and what follows it, unless the symptom itself tells the root from a clock."""
    first, whole = chain.links[0].test.rhythm, chain.end_to_end.rhythm
    if first is None or first.verdict != "cannot_tell" or first.beat_s is None:
        return []
    if whole is not None and whole.verdict == "stays":
        return []
    root = chain.root
    cron = root.entity.kind == "CronJob"
    see = f"suspend {root.entity} once to see" if cron else "a time without the one would tell"
    told = f"{noun(root.kind)} and {noun(chain.signals[1].kind)} both keep {beat(first.beat_s)}"
    return [f"{told}, as two things that one clock sets would: {see}"]


def came_at_once(one: Signal, other: Signal) -> bool:
    """Tell whether two causes came once, within a minute of each other: of such a rival no time can tell a cause."""
    apart = [abs(a.start_s - b.start_s) for a in one.occurrences for b in other.occurrences]
    return min(len(one.occurrences), len(other.occurrences)) <= ONCE and min(apart, default=AT_ONCE_S + 1) <= AT_ONCE_S
