"""Answers "which tenants are hit?" from a field of that name in the lines themselves: who stands in those that fail, and who does not.

Only counts; a line fails by the level or the words that it was written with. Leaves out what no line names.
"""

import re
from collections import Counter

from bot.analyst.answers import give
from bot.analyst.citations import Citations
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext
from bot.analyst.words import counted
from bot.domain.report import Answer

MOST_LINES = 2000
"""Lines that are read for it."""
MOST_NAMED = 6
_WHICH = re.compile(r"\b(?:which|what|whose) (?:other |kind of )?(?P<noun>[a-z]{3,}?)(?P<many>ies|s)?\b", re.IGNORECASE)
_FAILS = re.compile(
    r'"level": ?"?(?:50|60|error|fatal|critical)\b|\b(?:ERROR|FATAL|CRITICAL)\b|level=(?:error|fatal)|\b[Ff]ail(?:ed|ure)\b|[Ee]xception|"status": ?5\d\d\b'
)


def whom(question: Question, context: FollowUpContext) -> Answer | None:
    """Count by the field that a question asks for who stands in the lines that fail; None where no line has such a field."""
    asked, felt = _WHICH.search(question.text), context.report.symptom
    if asked is None or felt is None or not felt.episodes:
        return None
    noun = asked["noun"].lower() + ("y" if asked["many"] == "ies" else "")
    found = context.search(f'"{noun}', felt.episodes[0].start, felt.episodes[-1].end, MOST_LINES)
    field = re.compile(rf'"{noun}(?:_?(?:id|name|key))?": ?"?(?P<value>[^\s",;}}]{{1,60}})', re.IGNORECASE)
    bad: Counter[str] = Counter()
    fine: Counter[str] = Counter()
    cited = Citations(context.evidence)
    for hit in found.hits:
        line = hit.raw.decode("utf-8", "replace")
        if hit.id[:1] != "L" or (named := field.search(line)) is None:
            continue
        fails = _FAILS.search(line) is not None
        (bad if fails else fine)[named["value"]] += 1
        if fails and bad[named["value"]] == 1 and len(cited.entries) < 3:
            cited.cite(hit.id)
    if not bad:
        return None
    beside = [name for name, _ in fine.most_common() if name not in bad]
    text = f"Of {counted(sum(bad.values()), 'line')} that fail and name a {noun}: {_listed(bad)}."
    if beside:
        text += f" In the {counted(sum(fine.values()), 'other line')} alone: {', '.join(beside[:MOST_NAMED])}."
    if found.total > len(found.hits):
        text += f" Only the first {len(found.hits):,} of the {found.total:,} lines that name one were read."
    return give(question, context, text, "answered", cited)


def _listed(counts: Counter[str]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = f" and {len(ordered) - MOST_NAMED} more" if len(ordered) > MOST_NAMED else ""
    return ", ".join(f"{name} ({count:,})" for name, count in ordered[:MOST_NAMED]) + rest
