"""Answers about a status that stands in lines and yet counts into no event: how many lines hold it, and who asked.

Else "no client errors seen" would stand against hundreds of lines. Leaves out what an event tells already.
"""

import re
from collections import Counter
from collections.abc import Sequence

from bot.analyst.answers import give
from bot.analyst.citations import Citations
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext
from bot.analyst.words import clock, counted
from bot.domain.ports import Stored
from bot.domain.report import Answer

MOST_LINES = 2000
"""Lines that are read for who asked."""
MOST_NAMED = 3
_STATUS = re.compile(r"[45]\d\d")
_WHO = re.compile(r"\bwho\b", re.IGNORECASE)
_CALLER = re.compile(
    r'"(?:ClientHost|client_?ip|remote_?addr|clientip|downstream_remote_address)": ?"(?P<key>[0-9a-fA-F.:]{7,45})"|^(?P<first>(?:\d{1,3}\.){3}\d{1,3}) '
)


def written(question: Question, context: FollowUpContext) -> Answer | None:
    """Say how many lines hold the status that a question names, and whose requests they were; None where none does."""
    status = next((found[0] for word in question.symptom_words if (found := _STATUS.match(word))), None)
    if status is None:
        return None
    lines = _holding(status, context)
    if not lines:
        return None
    cited = Citations(context.evidence)
    for line in lines[:2]:
        cited.cite(line.id)
    more = "or more " if len(lines) >= MOST_LINES else ""
    text = f"{counted(len(lines), 'line')} {more}hold the status {status}, and were counted into no event{_asked_by(lines)}."
    related = question.intent in {"related", "why_not"}
    lead = "I cannot tell. " if related else ""
    return give(question, context, lead + text, "unknown" if related else "answered", cited)


def first_written(question: Question, context: FollowUpContext) -> Answer | None:
    """Say since when lines hold the status that this question, or the one of the report, names; None where none does."""
    words = [*question.symptom_words, *re.findall(r"\b[45]\d\d", context.report.question)]
    status = next((found[0] for word in words if (found := _STATUS.match(word))), None)
    dated = sorted((line.at, line.id) for line in _holding(status, context) if line.at is not None) if status else []
    if not dated:
        return None
    cited = Citations(context.evidence)
    cited.cite(dated[0][1])
    first, last = dated[0][0], dated[-1][0]
    text = f"No incident rises above the everyday, but {counted(len(dated), 'line')} hold the status {status}: the first {clock(first)}, the last {clock(last)}."
    return give(question, context, text, "answered", cited)


def asks_whose(question: Question) -> bool:
    """Tell a question after who got, or sent, responses of a status."""
    return bool(_WHO.search(question.text)) and any(map(_STATUS.match, question.symptom_words))


def _holding(status: str, context: FollowUpContext) -> list[Stored]:
    """Find the request lines that hold a status, as a word of its own or as a value."""
    found: dict[str, Stored] = {}
    for form in (f'": {status},', f'":{status},', f'" {status} '):
        hits = context.search(form, context.window.start, context.window.end, MOST_LINES).hits
        found.update({hit.id: hit for hit in hits if hit.id[:1] == "L"})
    return [found[key] for key in sorted(found)]


def _asked_by(lines: Sequence[Stored]) -> str:
    """Say whose requests lines were, the most frequent first; empty where they do not say."""
    found = (_CALLER.search(line.raw.decode("utf-8", "replace")) for line in lines)
    callers = Counter(match["key"] or match["first"] for match in found if match is not None)
    if not callers:
        return ""
    shown = ", ".join(f"{name} ({count:,})" for name, count in callers.most_common(MOST_NAMED))
    rest = f" and {len(callers) - MOST_NAMED} more" if len(callers) > MOST_NAMED else ""
    return f"; asked by {shown}{rest}"
