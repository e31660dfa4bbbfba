"""What a question within a thread leaves out because the one before it said it: "was that related?", "and the worker?".

Only what is missing is taken over, and only where the words show that it is: "when did it start?" still means the incident.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.analyst.questions import Intent, Question

LOOK_BACK = 5
"""Questions that are looked back over for what "it" is."""
_POINTS = re.compile(r"\b(?:it|that|this|they|those|these|them|its|their)\b", re.IGNORECASE)
_ADDS = re.compile(r"^\W*(?:and|or|also|what about|how about|and what about)\b", re.IGNORECASE)
_ANOTHER = re.compile(
    r"^\W*(?:(?:and|so|ok|but)\W+)?(?:what about|how about|and|or)\b(?!.*\b(?:happen\w*|going on|doing|logs?|lines?|show|list)\b)",
    re.IGNORECASE,
)
"""Another thing is put forward: who asks so without more wants to know whether it belongs to the incident."""
_WHY = re.compile(r"\W*(?:but |and |so )?why(?: not| so| is that)?\W*", re.IGNORECASE)
_DOES = re.compile(
    r"\b(?:it|that|this|they)\b.*\b(?:r[au]ns?|running|restart\w*|fires?|fired|scal\w+|deploy\w*|roll\w*|crash\w*|kill\w*|change\w*|creat\w+)",
    re.IGNORECASE,
)
"""What a thing does and an incident does not."""
_COUNTS: frozenset[Intent] = frozenset({"since_when", "how_much", "when_next"})
_TAKES: frozenset[Intent] = frozenset({"related", "why_not", "what_happened"})


def in_thread(question: Question, earlier: Sequence[str], understood: Callable[[str], Question]) -> Question:
    """Complete a question by the last one of the thread that named something."""
    before = next((one for text in reversed(earlier[-LOOK_BACK:]) if (one := understood(text)) and _names(one)), None)
    if question.intent == "what_happened" and (question.entities or question.kinds) and _ANOTHER.match(question.text):
        same = before.intent if before is not None and before.intent in _TAKES | _COUNTS else "related"
        question = replace(question, intent="related" if same == "what_happened" else same)
    if before is None:
        return question
    if not question.bare:
        return _joined(question, before)
    intent = _carried(question, before)
    return question if intent is None else replace(before, text=question.text, intent=intent)


def _names(question: Question) -> bool:
    """Tell whether a question names something that the case knows."""
    return bool(question.kinds or question.entities or question.moments or question.quoted)


def _joined(question: Question, before: Question) -> Question:
    """Add to a question that names something what it leaves out: the intent of "and the worker?", the place of "when did it scale?"."""
    if question.entities or question.moments or question.unknown_names or question.quoted:
        adds = _ADDS.match(question.text) and question.intent == "what_happened" and before.intent == "related"
        return replace(question, intent="related") if adds and not question.moments else question
    carries = question.intent in _COUNTS | {"what_happened"} and _POINTS.search(question.text)
    return replace(question, entities=before.entities) if carries else question


def _carried(question: Question, before: Question) -> Intent | None:
    """Say with what intent a question that names nothing is about the thing before it; None where it is about the incident."""
    if _WHY.fullmatch(question.text) and before.intent in _TAKES:
        return "related" if before.intent == "related" else "why_not"
    if question.intent == "show_evidence" and question.step_id is None:
        return "show_evidence"
    points = question.intent in _TAKES and _POINTS.search(question.text)
    does = question.intent in _COUNTS and _DOES.search(question.text)
    return question.intent if points or does else None
