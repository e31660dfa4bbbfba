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
from bot.analyst.words import capital, clock, counted
from bot.domain.ports import Stored
from bot.domain.report import Answer

MOST_LINES = 2000
"""Lines that are read for who asked."""
MOST_NAMED = 3
_STATUS = re.compile(r"[45]\d\d")
_ASKED_EARLIER = re.compile(r"(?<![\w.:-])[45]\d\d(?:'?s)?(?![\w:]|\s?ms\b)")
_WHO = re.compile(r"\bwho\b", re.IGNORECASE)
_CALLER = re.compile(
    r'"(?:ClientHost|client_?ip|remote_?addr|clientip|downstream_remote_address)": ?"(?P<key>[0-9a-fA-F.:]{7,45})"|^(?P<first>(?:\d{1,3}\.){3}\d{1,3}) '
)


def written(question: Question, context: FollowUpContext) -> Answer | None:
    """Say how many lines hold the status that a question names, and whose requests they were; None where none does."""
    status = next((found[0] for word in question.symptom_words if (found := _STATUS.match(word))), None)
    if status is None:
        return None
    lines, more = _holding(status, context)
    if not lines:
        return None
    cited = Citations(context.evidence)
    for line in lines[:2]:
        cited.cite(line.id)
    told = any(one.occurrences and one.attributes.get("status") == status for one in context.signals)
    uncounted = "" if told else ", and were counted into no event"
    held = f"{counted(len(lines), 'line')} hold{'s' if len(lines) == 1 else ''} the status {status}"
    text = f"{capital(more + held)}{uncounted}{_asked_by(lines)}."
    related = question.intent in {"related", "why_not"}
    lead = "I cannot tell. " if related else ""
    return give(question, context, lead + text, "unknown" if related else "answered", cited)


def first_written(question: Question, context: FollowUpContext) -> Answer | None:
    """Say since when lines hold the status that this question, or the one of the report, names; None where none does."""
    words = [*question.symptom_words, *_ASKED_EARLIER.findall(context.report.question)]
    status = next((found[0] for word in words if (found := _STATUS.match(word))), None)
    lines, more = _holding(status, context) if status else ([], "")
    dated = [(line.at, line.id) for line in lines if line.at is not None]
    if not dated:
        return None
    cited = Citations(context.evidence)
    cited.cite(dated[0][1])
    last = "" if more else f", the last {clock(dated[-1][0])}"
    text = (
        f"No incident rises above the everyday, but {more}{counted(len(dated), 'line')} hold the status {status}: "
        f"the first {clock(dated[0][0])}{last}."
    )
    return give(question, context, text, "answered", cited)


def asks_whose(question: Question) -> bool:
    """Tell a question after who got, or sent, responses of a status."""
    return bool(_WHO.search(question.text)) and any(map(_STATUS.match, question.symptom_words))


def _holding(status: str, context: FollowUpContext) -> tuple[list[Stored], str]:
    """Find the request lines that hold a status, the first first, and ``at least`` where more were found than are read.

    A number is a status behind a request line, or as the value of a field that is called so: a size of 404 bytes is none.
    """
    holds = re.compile(
        rf"HTTP/[\d.]{{1,3}}\"? {status}(?!\S)|(?:status|response_?)(?:[ _-]?code)?[\"']?\s?[=:]\s?[\"']?{status}(?![\w.])",
        re.IGNORECASE,
    )
    found: dict[str, Stored] = {}
    more = ""
    for form in (f'": {status}', f'":{status}', f'":"{status}"', f'": "{status}"', f'" {status} ', f"={status}"):
        read = context.search(form, context.window.start, context.window.end, MOST_LINES)
        more = "at least " if read.total > len(read.hits) else more
        found.update(
            {hit.id: hit for hit in read.hits if hit.id[:1] == "L" and holds.search(hit.raw.decode("utf-8", "replace"))}
        )
    lines = sorted(
        found.values(), key=lambda line: (line.at is None, line.at or context.window.start, int(line.id[1:]))
    )
    return lines, more


def _asked_by(lines: Sequence[Stored]) -> str:
    """Say whose requests lines were, the most frequent first; empty where they do not say."""
    found = (_CALLER.search(line.raw.decode("utf-8", "replace")) for line in lines)
    callers = Counter(match["key"] or match["first"] for match in found if match is not None)
    if not callers:
        return ""
    shown = ", ".join(f"{name} ({count:,})" for name, count in callers.most_common(MOST_NAMED))
    rest = f" and {len(callers) - MOST_NAMED} more" if len(callers) > MOST_NAMED else ""
    return f"; asked by {shown}{rest}"
