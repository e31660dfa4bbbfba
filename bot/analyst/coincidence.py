"""Judges from numbers alone whether a thing beside the cascade belongs to the symptom, or only happened near it.

In three stages: nothing followed it; something followed and the cascade accounts for it all the same; nothing better is
known. Where no cause was established, a thing that lasts is never called unrelated for coming early.
"""

from bot.analyst.answers import AnswerVerdict, measured
from bot.analyst.doubts import missing_words, reaches_back
from bot.analyst.rivals import LASTING
from bot.analyst.subjects import FollowUpContext, Subject
from bot.domain.link import LinkTest
from bot.domain.signal import Kind, Occurrence, Signal
from bot.domain.spelling import length

HORIZON_S = 1800.0
"""How long after a cause an effect is still looked for, unless the test of the pair looked longer."""
SOON_S = 60.0
"""How long after the symptom set in trouble elsewhere still counts as having come with it."""
ORDINARY = LASTING | {
    Kind.HUMAN_CHANGE,
    Kind.POD_START,
    Kind.POD_KILL,
    Kind.STARTUP,
    Kind.SHUTDOWN,
    Kind.SCALE_UP,
    Kind.SCALE_DOWN,
    Kind.JOB_RUN,
    Kind.ALERT,
}
"""What every change brings along, or what is no trouble."""
LEAST_LINES = 3
"""Log lines together that are trouble; one slow request now and then is not."""
MAYBE_P = 0.2
"""Chance up to which a thing that every episode followed, and no episode came without, is named where nothing better is known."""

Judgement = tuple[AnswerVerdict, str]


def by_numbers(subject: Subject, context: FollowUpContext, symptom: Signal, test: LinkTest, head: str) -> Judgement:
    """Judge by how often the symptom followed; where that is too little to judge by, say so. ``head`` names the subject."""
    horizon_s = max(HORIZON_S, test.lag_range_s[1])
    slack_s = max(1.0, _step_s(symptom), _step_s(subject.signal))
    followed = sum(_follows(one, symptom, horizon_s, slack_s) for one in subject.occurrences)
    if not followed and not test.hits:
        return _not_followed(subject, context, symptom, horizon_s, head)
    if test.status == "supported" and _nothing_wrong_there(subject, context, symptom):
        name = subject.signal.entity.name
        text = f"{measured(test)}, but nothing went wrong at {name} itself then, and the cascade accounts for them without it"
        return "unrelated", f"No. {head}: {text}."
    if test.status == "supported":
        if _strong(test) or not _accounted(context):
            return "related", f"It may be. {head}: not on the cascade, yet {measured(test)}."
        return "unrelated", f"No. {head}: {measured(test)}, and the cascade accounts for them without it."
    if context.report.verdict == "inconclusive" and test.hits >= max(1, test.misses):
        return _nothing_better(context, test, head)
    return _passing_by(subject, context, symptom, test, head, seldom=followed < len(subject.occurrences) / 2)


def _not_followed(
    subject: Subject, context: FollowUpContext, symptom: Signal, horizon_s: float, head: str
) -> Judgement:
    total = len(symptom.occurrences)
    after = "it" if len(subject.occurrences) == 1 else "any of them"
    none = f"none of the {total} episodes" if total > 1 else "no episode"
    told = f"{head}: {none} began within {length(horizon_s)} after {after}{_distance(subject, symptom)}"
    if context.report.verdict == "inconclusive" and _stays(subject, symptom):
        stays = "but what was changed stays, and no cause of them was established"
        return "unknown", f"I cannot tell. {told}; {stays}.{missing_words(context.report)}"
    since = reaches_back(subject.signal.source, context.report)
    if since and symptom.occurrences[0].start_s < since.timestamp() <= subject.signal.occurrences[0].start_s:
        return "unknown", f"I cannot tell. {told}; what came earlier is not kept.{missing_words(context.report)}"
    return "unrelated", f"No. {told}."


def _nothing_better(context: FollowUpContext, test: LinkTest, head: str) -> Judgement:
    """Judge what most of its times were followed, beyond chance or not, in a case without an established cause."""
    fits = test.hits > 0 and test.misses == 0 and test.unexplained == 0
    if fits and test.p_value is not None and test.p_value <= MAYBE_P:
        return "related", f"It may be. {head}: {measured(test)}; no other cause was established."
    return "unknown", f"I cannot tell. {head}: {measured(test)}, which may be chance.{missing_words(context.report)}"


def _passing_by(
    subject: Subject, context: FollowUpContext, symptom: Signal, test: LinkTest, head: str, *, seldom: bool
) -> Judgement:
    """Judge what some of its times were followed, no more often than chance would have it."""
    if (late := _came_late(subject, context, symptom)) is not None:
        return "unrelated", f"No. {head}: {late} of the {len(symptom.occurrences)} episodes came before it."
    if test.status == "refuted" or seldom or _explained_anyway(subject, context):
        return "unrelated", f"No. {head}: {measured(test)}."
    lost = missing_words(context.report)
    return "unknown", f"I cannot tell. {head}: {measured(test)}, too little to judge by.{lost}"


def _stays(subject: Subject, symptom: Signal) -> bool:
    """Tell a change that lasts and that the symptom may have waited for: made before an episode, or about when one began."""
    changed_s = subject.occurrences[0].start_s
    lasts = subject.signal.kind in LASTING and len(subject.occurrences) <= 2
    return lasts and any(one.start_s > changed_s - HORIZON_S for one in symptom.occurrences)


def _came_late(subject: Subject, context: FollowUpContext, symptom: Signal) -> int | None:
    """Count the episodes before something that happened once, where they are too many for it to have begun them."""
    if context.report.verdict != "cause_found" or len(subject.signal.occurrences) > 1:
        return None
    at_s = subject.occurrences[0].start_s
    before = sum(one.start_s < at_s - HORIZON_S for one in symptom.occurrences)
    return before if before >= 2 and before * 5 >= len(symptom.occurrences) else None


def _strong(test: LinkTest) -> bool:
    """Tell a tie that most of its causes or most of the episodes speak for from one that chance may have made among many."""
    return test.hits >= test.misses or (test.effects - test.unexplained) * 2 >= test.effects > 0


def _nothing_wrong_there(subject: Subject, context: FollowUpContext, symptom: Signal) -> bool:
    """Tell a change after which its own workload shows no trouble until the symptom came, in a case that has a cause without it."""
    place = context.topology.root(subject.signal.entity)
    if subject.signal.kind not in LASTING or not _accounted(context) or place == context.topology.root(symptom.entity):
        return False
    spans = [
        (one.start_s, min(felt.start_s for felt in symptom.occurrences if felt.start_s >= one.start_s) + SOON_S)
        for one in subject.occurrences
        if any(felt.start_s >= one.start_s for felt in symptom.occurrences)
    ]
    return not any(
        start <= each.start_s <= end
        for other in context.signals
        if other.kind not in ORDINARY and context.topology.root(other.entity) == place
        for each in other.occurrences
        if each.size >= LEAST_LINES or not other.source.endswith(("logs", "loki"))
        for start, end in spans
    )


def _accounted(context: FollowUpContext) -> bool:
    """Tell whether the cascade accounts for nearly every episode."""
    symptom = context.report.symptom
    if symptom is None or context.report.verdict != "cause_found":
        return False
    return symptom.explained >= 0.8 * (symptom.explained + symptom.unexplained)


def _explained_anyway(subject: Subject, context: FollowUpContext) -> bool:
    """Tell a passer-by: it happened once or twice, and the cascade accounts for nearly every one of many episodes."""
    symptom = context.report.symptom
    episodes = symptom.explained + symptom.unexplained if symptom else 0
    return episodes >= 4 and _accounted(context) and len(subject.signal.occurrences) <= episodes / 3


def _step_s(signal: Signal) -> float:
    """Give the resolution in seconds of a signal that was read from a series, else 0."""
    return float(signal.attributes.get("step_s", 0))


def _follows(one: Occurrence, symptom: Signal, horizon_s: float, slack_s: float) -> bool:
    return any(-slack_s <= felt.start_s - one.start_s <= horizon_s for felt in symptom.occurrences)


def _distance(subject: Subject, symptom: Signal) -> str:
    after = [
        felt.start_s - one.start_s
        for one in subject.occurrences
        for felt in symptom.occurrences
        if felt.start_s >= one.start_s
    ]
    return f"; the next came {length(min(after))} later" if after else "; none came after it at all"
