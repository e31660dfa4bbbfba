"""Judges from numbers alone whether a thing beside the cascade belongs to the symptom, or only happened near it.

In three stages: nothing followed it; something followed and the cascade accounts for it all the same; nothing better is
known. Where no cause was established, a thing that lasts is never called unrelated for coming early.
"""

from bot.analyst.answers import AnswerVerdict, measured
from bot.analyst.doubts import missing_words, reaches_back
from bot.analyst.rivals import LASTING, may_wait
from bot.analyst.subjects import FollowUpContext, Subject
from bot.analyst.victims import LEAST_LINES, ORDINARY, SOON_S
from bot.analyst.words import p_words
from bot.domain.link import LinkTest
from bot.domain.signal import Occurrence, Signal
from bot.domain.spelling import length

HORIZON_S = 1800.0
"""How long after a cause an effect is still looked for, unless the test of the pair looked longer."""
NEAR_P = 0.02
"""Chance of lying so near to an episode, up to which a thing that is dated after it may still have begun it."""
FEW_BUT_SURE_P = 0.001
"""Chance up to which what fewer than half of the episodes followed is named where no cause is established."""
MAYBE_P = 0.2
"""Chance up to which a thing that every episode followed, and no episode came without, is named where nothing better is known."""

Judgement = tuple[AnswerVerdict, str]


def by_numbers(subject: Subject, context: FollowUpContext, symptom: Signal, test: LinkTest, head: str) -> Judgement:
    """Judge by how often the symptom followed; where that is too little to judge by, say so. ``head`` names the subject."""
    horizon_s = max(HORIZON_S, test.lag_range_s[1])
    slack_s = max(1.0, *(_slack_s(each) for each in (symptom, subject.signal)))
    followed = sum(_follows(one, symptom, horizon_s, slack_s) for one in subject.occurrences)
    if not followed and not test.hits:
        return _not_followed(subject, context, symptom, horizon_s, head)
    if followed and not test.hits and (near := _dated_early(subject, context, symptom, slack_s, head)) is not None:
        return near
    if test.status == "supported":
        return _supported(subject, context, symptom, test, head)
    if context.report.verdict == "inconclusive" and test.hits >= max(1, test.misses):
        return _nothing_better(subject, context, symptom, test, head)
    return _passing_by(subject, context, symptom, test, head, seldom=followed < len(subject.occurrences) / 2)


def _supported(subject: Subject, context: FollowUpContext, symptom: Signal, test: LinkTest, head: str) -> Judgement:
    """Judge what the symptom follows beyond chance and what is not on the cascade."""
    if _nothing_wrong_there(subject, context, symptom):
        fine = f"nothing went wrong at {subject.signal.entity.name} itself then"
        return "unrelated", f"No. {head}: {measured(test)}, but {fine}, and the cascade accounts for them without it."
    open_yet = not _accounted(context)
    once = not open_yet and test.hits == 1 and test.misses > 0 and not _takes_part(subject, context)
    if (_strong(test) and not once) or (open_yet and test.p_value is not None and test.p_value <= FEW_BUT_SURE_P):
        return (
            "related",
            f"It may be. {head}: not on the cascade, yet {measured(test)}.{_after_the_root(subject, context)}",
        )
    if open_yet:
        return "unknown", f"I cannot tell. {head}: {measured(test)}, which of many things some reach by chance."
    return "unrelated", f"No. {head}: {measured(test)}, and the cascade accounts for them without it."


def _after_the_root(subject: Subject, context: FollowUpContext) -> str:
    """Say that the cause which the report names was there before it, where it was: then it may be on the way from there."""
    root, steps = context.report.root_cause, context.report.cascade.steps
    begun_s = subject.signal.occurrences[0].start_s
    if root is None or not steps or steps[0].first_at.timestamp() >= begun_s:
        return ""
    lag = length(begun_s - steps[0].first_at.timestamp())
    return f" The first of it came {lag} after what the report names, {steps[0].id} of {root.entity}."


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


def _nothing_better(
    subject: Subject, context: FollowUpContext, symptom: Signal, test: LinkTest, head: str
) -> Judgement:
    """Judge what most of its times were followed, beyond chance or not, in a case without an established cause."""
    fits = test.hits > 0 and test.misses == 0 and test.unexplained == 0
    if fits and (share := _within(subject, context, symptom)) is not None:
        inside = f"each of the {len(symptom.occurrences)} episodes began while it lasted, which it did {share:.0%} of the time"
        return "related", f"It may be. {head}: {inside}; no other cause was established."
    if fits and test.p_value is not None and test.p_value <= MAYBE_P:
        return "related", f"It may be. {head}: {measured(test)}; no other cause was established."
    return "unknown", f"I cannot tell. {head}: {measured(test)}, which may be chance.{missing_words(context.report)}"


def _dated_early(
    subject: Subject, context: FollowUpContext, symptom: Signal, slack_s: float, head: str
) -> Judgement | None:
    """Judge what episodes began before by no more than clocks and steps leave open; None where there is no such thing.

    Chance: that one of its times would lie so near to one of the episodes.
    """
    before = [
        one.start_s - felt.start_s
        for one in subject.occurrences
        for felt in symptom.occurrences
        if 0 < one.start_s - felt.start_s <= slack_s
    ]
    if not before or slack_s <= 1.0:
        return None
    pairs = len(subject.occurrences) * len(symptom.occurrences)
    chance = min(1.0, pairs * 2 * slack_s / context.window.length_s)
    near = f"an episode began {length(min(before))} before it, and times here may be off by {length(slack_s)}"
    if chance <= NEAR_P:
        return "related", f"It may be. {head}: {near}; by chance none would lie so near ({p_words(chance)})."
    return "unknown", f"I cannot tell. {head}: {near}.{missing_words(context.report)}"


def _within(subject: Subject, context: FollowUpContext, symptom: Signal) -> float | None:
    """Give the share of the window that something lasted, where every episode began in it and chance would not have it so.

    Chance is that of one time at random for each of its stretches that hold any: episodes of one stretch are not independent.
    """
    spans = [(one.start_s, one.end_s) for one in subject.occurrences if one.end_s > one.start_s]
    held = [any(start <= felt.start_s <= end for felt in symptom.occurrences) for start, end in spans]
    inside = all(any(start <= felt.start_s <= end for start, end in spans) for felt in symptom.occurrences)
    share = sum(end - start for start, end in spans) / context.window.length_s
    return share if inside and 0 < share < 1 and share ** sum(held) <= MAYBE_P else None


def _passing_by(
    subject: Subject, context: FollowUpContext, symptom: Signal, test: LinkTest, head: str, *, seldom: bool
) -> Judgement:
    """Judge what some of its times were followed, no more often than chance would have it."""
    if (late := _came_late(subject, context, symptom)) is not None:
        return "unrelated", f"No. {head}: {late} of the {len(symptom.occurrences)} episodes came before it."
    if context.report.verdict == "inconclusive" and may_wait(subject.signal, symptom, HORIZON_S):
        stays = "but what was changed stays, and no cause of them was established"
        return "unknown", f"I cannot tell. {head}: {measured(test)}; {stays}.{missing_words(context.report)}"
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


def _takes_part(subject: Subject, context: FollowUpContext) -> bool:
    """Tell whether it happened at a place of the cascade."""
    place = context.topology.root(subject.signal.entity)
    return any(step.entity in (place, subject.signal.entity) for step in context.report.cascade.steps)


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


def _slack_s(signal: Signal) -> float:
    """Give by how many seconds a signal's times may be off: the step of its series, or how far its clock may be apart."""
    return max(float(signal.attributes.get(name, 0)) for name in ("step_s", "clock_s"))


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
