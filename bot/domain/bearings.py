"""How far back a source remembers and how far its clock is from ours, in the words that ledger and doctor share.

A window that begins before a source's memory looks calm there, and a clock that is off moves causes behind their effects.
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.domain.finding import Finding
from bot.domain.spelling import length
from bot.domain.window import Window, rfc3339

NOTED_S = 2.0
"""A ``Date`` header tells whole seconds and comes late: less than this is no difference."""
WARNED_S = 5.0
BEGUN = timedelta(minutes=10)
BEGUN_SHARE = 20
"""What is silent for so long, or for one part in so many of the window, may have had nothing to say."""


def ahead_s(date: str | None, now: datetime) -> float | None:
    """Give how far the clock behind an HTTP answer's ``Date`` is ahead of ``now`` in seconds; None where it tells no time."""
    try:
        at = parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
    return (at - now).total_seconds() if at is not None and at.tzinfo is not None else None


def clock_words(ahead_s: float | None) -> str:
    """Say how far a source's clock is ahead of ours; nothing where the two agree, or it tells no time."""
    if ahead_s is None or abs(ahead_s) < NOTED_S:
        return ""
    return f"its clock is {length(abs(ahead_s))} {'ahead of' if ahead_s > 0 else 'behind'} ours"


def clock_findings(name: str, ahead_s: float | None) -> list[Finding]:
    """Warn of a clock that is off by ``WARNED_S`` or more."""
    if ahead_s is None or abs(ahead_s) < WARNED_S:
        return []
    fix = "synchronise this machine's clock and its own (NTP)"
    return [Finding(name=f"{name} clock", state="warning", what=clock_words(ahead_s), fix=fix)]


def missed(oldest: datetime, window: Window) -> str:
    """Say that a source remembers nothing of the window's beginning; nothing where it may."""
    if oldest - window.start <= max(BEGUN, (window.end - window.start) / BEGUN_SHARE):
        return ""
    return f"nothing before {rfc3339(oldest)}: its retention ends there, or it began then"
