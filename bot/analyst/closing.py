"""Answers "can I close this?": whether it is over, as far as the data tell, and what speaks against closing.

A quiet end proves a mend only where it is longer than the quiet that lay between episodes before. Leaves out what was done since.
"""

from itertools import pairwise

from bot.analyst.answers import give
from bot.analyst.citations import Citations
from bot.analyst.doubts import missing_words
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext
from bot.analyst.words import clock, counted
from bot.domain.report import Answer, Report, Symptom
from bot.domain.spelling import length

STILL_S = 300.0
"""An episode that ends no longer than this before the data is still going on."""


def can_close(question: Question, context: FollowUpContext) -> Answer:
    """Say whether it is over, and what is open: the next time, the change that would mend it, the quiet before."""
    report = context.report
    if report.verdict == "no_incident":
        text = "Yes, as far as this case goes: no incident was found in its window."
        return give(question, context, text + missing_words(report), "answered")
    if report.symptom is None or not report.symptom.episodes:
        return give(question, context, f"I cannot tell: no symptom was seen.{missing_words(report)}", "unknown")
    cited = Citations(context.evidence)
    for key in report.symptom.evidence[-1:]:
        if key in report.evidence:
            cited.add(report.evidence[key])
    said = [_over(report.symptom, report, context), *_left(report)]
    return give(question, context, " ".join(said), "answered", cited)


def _over(felt: Symptom, report: Report, context: FollowUpContext) -> str:
    """Say when it was last felt, and what the quiet since is worth."""
    last, end = felt.episodes[-1], context.window.end
    quiet_s = (end - last.end).total_seconds()
    if quiet_s <= STILL_S:
        return f"No: it was still going on when the data ends, {clock(end)}."
    seen = f"It was last seen {clock(last.end)}, {length(quiet_s)} before the data ends ({clock(end)})"
    pending = next((one for one in report.predictions if one.status == "pending"), None)
    if pending is not None:
        return f"Not yet. {seen}, and its cause is due again: next expected {clock(pending.at)}."
    gaps = [(later.start - one.end).total_seconds() for one, later in pairwise(felt.episodes)]
    if gaps and quiet_s <= max(gaps):
        return f"Not yet. {seen}; it was quiet as long as {length(max(gaps))} before and came back."
    count = counted(len(felt.episodes), "episode")
    longer = f", longer than any quiet between its {count}" if gaps else f", and came once ({count})"
    return f"It looks over. {seen}{longer}. What came after the data ends is not in this case."


def _left(report: Report) -> list[str]:
    """Say what stays to be done: the cause that is not known, or the change that mends it."""
    if report.root_cause is None:
        return ["Its cause is not established, so nothing says that it will not come back."]
    if not report.recommendations:
        return [f"Its cause: {report.root_cause.summary.rstrip('.')}."]
    mend = report.recommendations[0].summary.rstrip(".")
    return [
        f"Whether its cause was mended is not seen here: {report.root_cause.summary.rstrip('.')}.",
        f"What would mend it: {mend}.",
    ]
