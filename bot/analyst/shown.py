"""Answers from the cascade itself: its evidence step by step, its summary, how one step came about."""

import re
from dataclasses import replace

from bot.analyst.answers import give
from bot.analyst.citations import Citations
from bot.analyst.happenings import line_of, what_happened
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext, Subject, step_of, subjects, symptom_signal
from bot.analyst.words import clock, counted, happened, p_words
from bot.domain.link import Link
from bot.domain.report import Answer, Report, Step
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import lag_words

LINES = re.compile(
    r"\b(?:logs?|log ?lines?|lines|say|said|saying|complain\w*|wr(?:ite|itten)|print\w*|exceptions?|thr[eo]wn?|stack ?traces?)\b",
    re.IGNORECASE,
)
TIMELINE = re.compile(r"\b(?:time-?line|step by step|chronolog\w*|sequence|in order)\b", re.IGNORECASE)
NEGATED = re.compile(r"^\W*why (?:\w+n'?t|cannot)\b", re.IGNORECASE)
MOST_LINES = 4
LONGEST_LINE = 140
"""Characters of a line that are shown within an answer."""


def show_evidence(question: Question, context: FollowUpContext) -> Answer:
    """Show the lines that steps of the cascade rest on, or that something named does."""
    steps = context.report.cascade.steps
    if LINES.search(question.text) and question.step_id is None and (told := _log_lines(question, context)):
        return told
    named = question.entities or question.kinds or question.quoted
    if named and question.step_id is None and not _asked_steps(question, context):
        return what_happened(question, context) or summary(question, context)
    if not steps:
        return give(
            question,
            context,
            f"There is no cascade to show evidence for: the verdict is {context.report.verdict}.",
            "unknown",
        )
    chosen = _asked_steps(question, context)
    if not chosen:
        ids = ", ".join(step.id for step in steps)
        return give(question, context, f"The cascade has no such step; it has {ids}.", "unknown")
    cited = Citations(context.evidence)
    parts = []
    most = 5 if len(chosen) == 1 else 1
    for step in chosen:
        entries = [context.report.evidence[key] for key in step.evidence[:most] if key in context.report.evidence]
        shown = ", ".join(f"[{cited.add(entry)}]" + (f" {clock(entry.at)}" if entry.at else "") for entry in entries)
        facts = f" Settings: {'; '.join(step.facts)}." if step.facts and len(chosen) == 1 else ""
        came = _came(step, context.report) if len(chosen) == 1 else ""
        parts.append(f"{step.id} {step.summary.rstrip('.')}: {shown or 'nothing cited'}.{came}{facts}")
    return give(question, context, " ".join(parts), "answered", cited)


def _log_lines(question: Question, context: FollowUpContext) -> Answer | None:
    """Quote log lines: of what is named, else of the cascade; None where none of them is a log's."""
    if question.entities or question.kinds or question.moments:
        every = subjects(question, context) or subjects(replace(question, kinds=frozenset(), ranked=()), context)
        chosen = [one.signal for one in every]
    else:
        chosen = [one for one in context.signals if step_of(one, context) is not None]
        chosen.sort(key=lambda one: (one.occurrences[0].start_s, one.id))
        chosen = chosen or _nearest_errors(context)
    refs = [
        (ref, signal) for signal in chosen for one in signal.occurrences[:1] for ref in one.refs[:2] if ref[:1] == "L"
    ]
    cited = Citations(context.evidence)
    said: dict[str, str] = {}
    for ref, _ in refs:
        key = cited.cite(ref)
        if key is not None and len(said) < MOST_LINES:
            entry = cited.entries[key]
            said.setdefault(key, f"{clock(entry.at) if entry.at else ''} “{cut(entry.quote)}” [{key}]".strip())
    for key in [key for key in cited.entries if key not in said]:
        del cited.entries[key]
    return give(question, context, " · ".join(said.values()), "answered", cited) if said else None


def _nearest_errors(context: FollowUpContext) -> list[Signal]:
    """Give what logged errors, what began nearest to the symptom first, where no cascade says which."""
    felt = symptom_signal(context)
    at_s = felt.occurrences[0].start_s if felt is not None and felt.occurrences else context.window.start_s
    errors = [one for one in context.signals if one.kind is Kind.LOG_ERROR and one.occurrences]
    return sorted(errors, key=lambda one: (abs(one.occurrences[0].start_s - at_s), one.id))


def cut(quote: str) -> str:
    """Shorten a line to what is read in passing; the whole of it stands in the evidence."""
    line = " ".join(quote.split())
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE].rsplit(" ", 1)[0] + " …"


def _came(step: Step, report: Report) -> str:
    """Say what led to a step, with its numbers."""
    link = next((link for link in report.cascade.links if link.effect == step.id), None)
    if link is None:
        return ""
    count = counted(link.hits + link.misses, "time")
    return f" It followed {link.cause} {link.hits} of {count}, {lag_words(link.lag, link.resolution_s)} ({p_words(link.p_value)})."


def _asked_steps(question: Question, context: FollowUpContext) -> list[Step]:
    steps = context.report.cascade.steps
    if question.step_id:
        return [step for step in steps if step.id == question.step_id]
    if question.kinds or question.entities:
        named = {one.step.id for one in subjects(question, context) if one.step}
        named |= {step.id for step in steps if step.entity in question.entities or step.mechanism in question.kinds}
        return [step for step in steps if step.id in named]
    return list(steps)


def summary(question: Question, context: FollowUpContext) -> Answer:
    """Give the answer of the report again, or how one step of it came about."""
    report = context.report
    if TIMELINE.search(question.text) and report.cascade.steps:
        return _timeline(question, context)
    if (question.kinds or question.entities) and (chosen := _asked_steps(question, context)):
        named = [step for step in chosen if step.mechanism in question.kinds]
        kept = [step for step in chosen if step not in named] if NEGATED.search(question.text) else []
        if not kept and (told := _beside(question, context, named)) is not None:
            return told
        named = kept or named or chosen  # what did not come was kept by something else at the same place
        if step := next((step for step in named if step != report.cascade.steps[-1]), None):
            return _explained(question, context, step)
    if question.entities and (led := _led_to(question, context)):
        return led
    cited = Citations(context.evidence)
    for step in (*report.cascade.steps[:1], *report.cascade.steps[-1:]):
        for key in step.evidence[:1]:
            if key in report.evidence:
                cited.add(report.evidence[key])
    return give(question, context, f"{report.summary} Confidence: {report.confidence}.", "answered", cited)


def _beside(question: Question, context: FollowUpContext, named: list[Step]) -> Answer | None:
    """Tell of what the words mean first, where it is no step: a renewal that failed, not the expiry behind it."""
    nearest = question.ranked[:1]
    if not nearest or any(step.mechanism == nearest[0].value for step in named):
        return None
    asked = replace(question, kinds=frozenset(nearest), ranked=nearest)
    if not any(one.step is None and one.signal.kind is nearest[0] for one in subjects(asked, context)):
        return None if named else _led_to(question, context)
    return _led_to(asked, context, widely=False) or what_happened(asked, context)


def _led_to(question: Question, context: FollowUpContext, *, widely: bool = True) -> Answer | None:
    """Say of something beside the cascade what it follows beyond chance, the most plausible first; None where nothing does."""
    wider = [replace(question, kinds=frozenset(), ranked=())] if widely else []
    found = next((led for asked in (question, *wider) if (led := _best_lead(asked, context)) is not None), None)
    if found is None:
        return None
    effect, cause, link = found
    cited = Citations(context.evidence)
    step = step_of(cause, context)
    came = f"{link.test.hits} of {counted(link.test.hits + link.test.misses, 'time')}"
    name = f"{step.id} ({happened(cause)})" if step else happened(cause)
    text = f"{line_of(effect, cited)}. It followed {name} {came} ({p_words(link.test.p_value)})."
    return give(question, context, text, "answered", cited)


def _best_lead(question: Question, context: FollowUpContext) -> tuple[Subject, Signal, Link] | None:
    """Give the first thing asked about that follows something else beyond chance, and the likeliest that it follows."""
    by_id = {signal.id: signal for signal in context.signals}
    own = {one.signal.id: one for one in subjects(question, context) if one.step is None}
    for name, effect in own.items():
        into = [link for link in context.links if link.effect == name and link.test.status == "supported"]
        into = [link for link in into if link.cause in by_id and link.cause not in own]
        often = len(effect.signal.occurrences) > 2
        # what came again with it before what came once, then what is known to lead there
        into.sort(key=lambda link: (often and link.test.hits < 2, -link.plausibility, -link.test.hits, link.cause))
        if into:
            return effect, by_id[into[0].cause], into[0]
    return None


def _timeline(question: Question, context: FollowUpContext) -> Answer:
    """Tell the steps of the cascade in order, each with when it first came and its first citation."""
    cited = Citations(context.evidence)
    said = []
    for step in context.report.cascade.steps:
        keys = [cited.add(context.report.evidence[key]) for key in step.evidence[:1] if key in context.report.evidence]
        shown = "".join(f" [{key}]" for key in keys)
        said.append(f"{clock(step.first_at)} {step.id} {step.summary.rstrip('.')}{shown}")
    return give(question, context, "; ".join(said) + ".", "answered", cited)


def _explained(question: Question, context: FollowUpContext, step: Step) -> Answer:
    """Say why one step came about: what led to it, and the settings that let it."""
    cited = Citations(context.evidence)
    for key in step.evidence[:2]:
        if key in context.report.evidence:
            cited.add(context.report.evidence[key])
    facts = f" Settings: {'; '.join(step.facts)}." if step.facts else ""
    first = "" if _came(step, context.report) else " It is where the cascade begins."
    text = f"{step.summary.rstrip('.')} ({step.id}).{_came(step, context.report)}{first}{facts}"
    return give(question, context, text, "answered", cited)
