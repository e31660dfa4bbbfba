"""Answers to plain questions about the incident itself: since when, how much, how often, which setting.

They come from the report alone; what it does not hold is said to be unknown.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from bot.analyst.answers import cite, give, holds
from bot.analyst.citations import Citations
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext, subjects
from bot.analyst.whom import whom
from bot.analyst.words import clock, clock_s, counted, every
from bot.analyst.written import first_written
from bot.domain.report import Answer, Report, Symptom
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import length
from bot.domain.window import instant

_WHOM = re.compile(r"\b(?:users?|customers?|people|persons?|clients?|tenants?|accounts?)\b", re.IGNORECASE)
STILL_S = 300.0
"""How long before the end of the data an episode may have been seen last that still went on then."""
LONG_S = 60.0
"""From here on it is worth a word how long the longest episode was."""
_FORMER = re.compile(r"\b(?:before|former\w*|previous\w*|used to be|was)\b", re.IGNORECASE)
_COUNTED = re.compile(r"(?P<lead>.*?)(?: for [\d ,hdmins]+(?= \(|$)| once\b| twice\b| \d[\d,]* times\b).*")


def since_when(question: Question, context: FollowUpContext) -> Answer:
    """Tell when the symptom was first and last felt, and whether that is still so at the window's end."""
    symptom = context.report.symptom
    if symptom is None or not symptom.episodes:
        told = first_written(question, context)
        return told or give(question, context, "No symptom was found in this case, so nothing began.", "unknown")
    first, last = symptom.episodes[0], symptom.episodes[-1]
    spans = sorted((each.end - each.start).total_seconds() for each in symptom.episodes)
    since_s = (context.window.end - last.end).total_seconds()
    if len(symptom.episodes) == 1:
        text = f"It began {clock(first.start)} and was last seen {clock(last.end)} ({length(spans[0])})."
    else:
        text = (
            f"First felt {clock(first.start)}, last {clock(last.start)}: {counted(len(spans), 'episode')} of about "
            f"{length(max(1.0, spans[len(spans) // 2]))}."
        )
    brief = len(spans) > 1 and spans[len(spans) // 2] < STILL_S
    text += (
        f" {'The last came as the data ends' if brief else 'It was still so when the data ends'}, {clock(context.window.end)}."
        if since_s <= STILL_S
        else f" The data ends {clock(context.window.end)}, {length(since_s)} after the last one; what came later is not in it."
    )
    if context.report.root_cause and context.report.cascade.steps:
        text += f" The first cause of it was seen {clock(context.report.cascade.steps[0].first_at)}."
    return give(question, context, text, "answered")


def next_run(question: Question, context: FollowUpContext) -> Answer | None:
    """Tell when a job that the question names runs next, from its schedule or its measured period; None without one."""
    for one in subjects(replace(question, kinds=frozenset({Kind.JOB_RUN}), moments=()), context):
        signal = one.signal
        if not question.entities or signal.kind is not Kind.JOB_RUN:
            continue
        at = _after_window(signal, context.window.end)
        if at is None:
            continue
        last = signal.occurrences[-1].start_s
        schedule = signal.attributes.get("schedule")
        by = f"its schedule is {schedule}" if schedule else f"it ran{every(signal.period_s)}"
        cited = Citations(context.evidence)
        cite(cited, signal, signal.occurrences[-1:])
        text = f"{signal.entity} runs next {clock(at)}: {by}, and it last ran {clock_s(last)}."
        return give(question, context, text, "answered", cited)
    return None


def _after_window(signal: Signal, end: datetime) -> datetime | None:
    """Give the first run at or after the window's end."""
    schedule = signal.attributes.get("schedule")
    if schedule:
        try:
            zone = ZoneInfo(signal.attributes.get("timeZone", "UTC"))
            return next(CronSim(schedule, end.astimezone(zone))).astimezone(UTC)
        except (CronSimError, StopIteration, ZoneInfoNotFoundError, ValueError):
            pass  # a schedule that cannot be read leaves the measured period
    if signal.period_s is None:
        return None
    last = signal.occurrences[-1].start_s
    return instant(last + max(1, ceil((end.timestamp() - last) / signal.period_s)) * signal.period_s)


def how_much(question: Question, context: FollowUpContext) -> Answer:
    """Count what was felt: single events, episodes, and how many of the cause's occurrences led there."""
    report = context.report
    symptom = report.symptom
    if symptom is None or not symptom.episodes:
        return give(question, context, "No symptom was found in this case, so there is nothing to count.", "unknown")
    steps = report.cascade.steps
    said = [
        *(["Whom it struck is not counted here, only what failed."] if _WHOM.search(question.text) else []),
        _felt(symptom, report),
    ]
    if steps:
        said.append(f"The cause: {_lower(steps[0].summary)}.")
    ends = [link for link in report.cascade.links if steps and link.cause == steps[0].id]
    if ends and len(steps) > 1:
        link = ends[0]
        said.append(f"{link.effect} followed {link.hits} of {counted(link.hits + link.misses, 'time')}.")
    if cut := next((step for step in steps[:-1] if step.mechanism == "connection_reset"), None):
        said.append(f"{cut.id}: {_lower(cut.summary)}.")
    return give(question, context, " ".join(said), "answered")


def _felt(symptom: Symptom, report: Report) -> str:
    lead = _COUNTED.fullmatch(symptom.summary)
    total = sum(each.count for each in symptom.episodes)
    what = lead["lead"] if lead else symptom.summary.rstrip(".")
    spread = counted(len(symptom.episodes), "episode")
    worst = max(symptom.episodes, key=lambda each: (each.count, each.start))
    longest = max((each.end - each.start, each.start) for each in symptom.episodes)
    several = len(symptom.episodes) > 1
    most = f", the worst {clock(worst.start)} with {worst.count:,}" if several and worst.count > 1 else ""
    if several and longest[0].total_seconds() >= LONG_S:
        most += f", the longest {clock(longest[1])} of {length(longest[0].total_seconds())}"
    sources = {report.evidence[key].source for key in symptom.evidence if key in report.evidence}
    unit = "event" if sources == {"kubernetes/events"} else "log line"
    return f"{what}: {counted(total, unit)} in {spread}{most}."


def affected(question: Question, context: FollowUpContext) -> Answer:
    """Tell where it was felt, how much, and what stood on the way."""
    report = context.report
    if report.symptom is None:
        return give(question, context, "No symptom was found in this case, so nothing was affected.", "unknown")
    if (named := whom(question, context)) is not None:
        return named
    cited = Citations(context.evidence)
    for key in report.symptom.evidence[:2]:
        if key in report.evidence:
            cited.add(report.evidence[key])
    way = [
        str(each)
        for each in dict.fromkeys(step.entity for step in report.cascade.steps)
        if each != report.symptom.entity
    ]
    on_the_way = f" On the way there: {', '.join(way)}." if way else ""
    return give(
        question,
        context,
        f"Felt at {report.symptom.entity}. {_felt(report.symptom, report)}{on_the_way}",
        "answered",
        cited,
    )


def setting(question: Question, context: FollowUpContext) -> Answer:
    """Give the settings that the cascade rests on and that the question's words name, else all of them."""
    facts = _facts(context.report)
    if not facts:
        former = " What was set at another time is not in what was read." if _FORMER.search(question.text) else ""
        return give(question, context, f"The report rests on no setting.{former} {holds(context)}", "unknown")
    words = [
        word for word in re.findall(r"[a-z]{4,}", question.text.lower()) if word not in {"what", "period", "setting"}
    ]
    named = [fact for fact in facts if any(word in fact.lower() for word in words)]
    names = {entity.name for entity in question.entities}
    named = [fact for fact in named if any(name in fact for name in names)] or named if names else named
    lead = "" if named else "Nothing of that name; the settings that the cascade rests on: "
    return give(question, context, f"{lead}{'; '.join(named or facts)}.", "answered" if named else "unknown")


def _facts(report: Report) -> list[str]:
    return list(dict.fromkeys(fact for step in report.cascade.steps for fact in step.facts))


def _lower(text: str) -> str:
    return text if re.match(r"[A-Z]\w+ \S*/", text) else text[:1].lower() + text[1:]
