"""Answers "what ended it?": what was done, or started anew, as the symptom was last seen. That it came then is all that is said."""

from bot.analyst.answers import give
from bot.analyst.citations import Citations
from bot.analyst.controls_once import ENDS
from bot.analyst.happenings import line_of
from bot.analyst.questions import Question
from bot.analyst.rivals import LASTING
from bot.analyst.subjects import FollowUpContext, Subject, step_of
from bot.analyst.words import clock
from bot.domain.report import Answer
from bot.domain.signal import Kind

BEFORE_S = 1800.0
"""How long before the last sign of it what ended it is looked for."""
AFTER_S = 300.0
"""How long after: what is counted in steps is seen late."""
STILL_S = 300.0
MOST = 4
MAY_END = ENDS | {Kind.NODE_FAILURE, Kind.CLOCK_JUMP}


def ended(question: Question, context: FollowUpContext) -> Answer:
    """Tell what stands nearest to the end of the symptom; that it goes on, where it does."""
    felt = context.report.symptom
    if felt is None or not felt.episodes:
        return give(question, context, "No symptom was found in this case, so nothing ended.", "unknown")
    end = max(each.end for each in felt.episodes)
    if (context.window.end - end).total_seconds() < STILL_S:
        text = f"Nothing that this case holds: it was still so when the data ends, {clock(context.window.end)}."
        return give(question, context, text, "answered")
    end_s = end.timestamp()
    near = [
        Subject(signal=one, occurrences=inside, step=step_of(one, context))
        for one in context.signals
        if one.kind in MAY_END
        if (inside := tuple(row for row in one.occurrences if -BEFORE_S <= row.start_s - end_s <= AFTER_S))
    ]
    near.sort(
        key=lambda one: (
            one.signal.kind not in LASTING | {Kind.HUMAN_CHANGE},
            abs(one.occurrences[0].start_s - end_s),
            one.signal.id,
        )
    )
    cited = Citations(context.evidence)
    if not near:
        text = (
            f"It was last seen {clock(end)}; nothing that was seen ended it: no change, restart or scaling stands near."
        )
        return give(question, context, text, "answered")
    lines = "; ".join(line_of(one, cited) for one in near[:MOST])
    text = f"It was last seen {clock(end)}. What stands near that, which does not show that it ended it: {lines}."
    return give(question, context, text, "answered", cited)
