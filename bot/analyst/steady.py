"""Answers about what comes at all times alike: it is there, in so many lines, and yet has no episode that anything could have begun.

Else "none seen" would stand against lines that say it in so many words.
"""

from bot.analyst.answers import give
from bot.analyst.citations import Citations
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext
from bot.analyst.words import capital, happened, names_of
from bot.domain.items import ItemId
from bot.domain.report import Answer
from bot.domain.signal import Signal
from bot.domain.spelling import length

SEEN_APART = 0.5
"""Share of the window that the symptom may take at most for what came all along to be called apart from it."""


def steady(question: Question, context: FollowUpContext) -> Answer | None:
    """Say of the kinds that a question names that they came all along, with a line of them; None where none did."""
    found = [
        one
        for one in context.signals
        if one.kind in question.kinds and "steady" in one.attributes and not one.occurrences
        if not question.symptom_words or any(word[:3] in one.label for word in question.symptom_words)
    ]
    own = [one for one in found if {one.entity, context.topology.root(one.entity)} & set(question.entities)]
    chosen = own or ([] if question.entities and not question.symptom_words else found)
    if not chosen:
        return None
    most = max(chosen, key=lambda one: (one.total, one.id))
    cited = Citations(context.evidence)
    key = cited.cite(_sample(most)) if most.attributes.get("sample") else None
    shown = f" [{key}]" if key else ""
    lines = f"{capital(happened(most))} all along: {most.total:,} lines in {length(context.window.length_s)}, at no time more than at others{shown}"
    if question.intent not in {"related", "why_not"}:
        return give(question, context, f"{lines}.", "answered", cited)
    if question.entities and not own:
        text = f"No. {lines}; so there is no episode of them that {names_of(question.entities)} could have begun."
        return give(question, context, text, "unrelated", cited)
    apart = _felt_share(context) <= SEEN_APART
    then = "as many came while nothing was felt" if apart else "so nothing ties it to any time"
    return give(
        question, context, f"{'No. ' if apart else ''}{lines}; {then}.", "unrelated" if apart else "unknown", cited
    )


def _sample(signal: Signal) -> ItemId:
    return ItemId(signal.attributes["sample"])


def _felt_share(context: FollowUpContext) -> float:
    felt = context.report.symptom
    spans = [(each.end - each.start).total_seconds() for each in felt.episodes] if felt else []
    return sum(spans) / context.window.length_s
