"""The Markdown face: for a ticket, a wiki page or a pull request.

Words from the incident are untrusted here too: text is escaped, so that it cannot become a link, markup or a mention, and
quotes stand in code spans whose fence is longer than any run of backticks inside.
"""

import re
from collections.abc import Iterator

from bot.analyst.words import capital
from bot.domain.entity import Entity
from bot.domain.reading_words import analyst_words, reading_rows
from bot.domain.report import Answer, Evidence, Report, Step, StepLink
from bot.domain.spelling import lag_words
from bot.pages import words
from bot.pages.tie_words import tie_rows

_MARKUP = re.compile(r"([\\`*\[\]|~@$]|<(?=[A-Za-z/!?])|&(?=\w+;)|^\s*>|(?<!\w)_|_(?!\w)|^\s*[#+-])")
"""What CommonMark and GitHub would read as markup; inside words an underscore is none, and brackets alone make no link."""
_MOST_EPISODES = 24
"""A ticket is no place for a table of hundreds."""
_VERDICTS = {"cause_found": "Cause found", "inconclusive": "Inconclusive", "no_incident": "No incident"}


def render_markdown(report: Report) -> str:
    """Write a report as a Markdown page (CommonMark with tables)."""
    return "\n".join(_report(report)) + "\n"


def render_answer_markdown(answer: Answer) -> str:
    """Write the answer to a follow-up as Markdown."""
    lines = [f"**{_safe(answer.question)}**", "", _safe(answer.answer), "", f"Verdict: {answer.verdict}."]
    if answer.evidence:
        lines += ["", *_evidence(answer.evidence)]
    lines += ["", *(f"- {_safe(note)}" for note in answer.notes)] if answer.notes else []
    if answer.usage.tokens_in + answer.usage.tokens_cached:
        lines += ["", f"{_safe(analyst_words(answer.usage))}."]
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    return _MARKUP.sub(r"\\\1", words.visible(text))


def _sentence(text: str) -> str:
    text = words.visible(text)
    return _safe(capital(text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."))


def _told(entity: Entity, summary: str, between: str = " ") -> str:
    """Say of whom and what, the name in bold and once."""
    name, told = _safe(str(entity)), _safe(summary)
    at = told.find(name)
    return f"{told[:at]}**{name}**{told[at + len(name) :]}" if at >= 0 else f"**{name}**{between}{told}"


def _code(text: str) -> str:
    text = words.visible(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text else ""


def _refs(evidence: tuple[str, ...]) -> str:
    return f" ({', '.join(evidence)})" if evidence else ""


def _report(report: Report) -> Iterator[str]:
    yield f"# {_VERDICTS[report.verdict]}: {report.confidence} confidence"
    yield ""
    yield _safe(report.summary)
    yield ""
    span = f"{words.moment(report.window.start)} to {words.moment(report.window.end)}"
    yield f"Window {span} ({_safe(report.window.asked)}). Asked: {_safe(report.question)} Case {_code(report.case)}."
    yield from _at_once(report)
    yield from _cascade(report)
    yield from _changes(report)
    yield from _judged(report)
    yield from _people(report)
    yield from _reading(report)
    yield from _coverage(report)
    yield from _symptom(report)
    if report.evidence:
        yield from ("", "## Evidence", "", *_evidence(report.evidence))
    yield from ("", f"{_sentence(analyst_words(report.usage, report.reading))}")


def _at_once(report: Report) -> Iterator[str]:
    """Say what to do first and by when, for who reads no further."""
    if report.recommendations:
        yield from ("", f"- **First fix:** {_sentence(report.recommendations[0].summary)}")
    if report.predictions:
        each = report.predictions[0]
        begin, end = (words.moment(at) for at in each.window)
        yield f"- **Next time:** {words.moment(each.at)}, between {begin} and {end}, if nothing changes."


def _symptom(report: Report) -> Iterator[str]:
    if report.symptom is None:
        return
    symptom = report.symptom
    yield from ("", "## Episodes of the symptom", "")
    told = f" {symptom.explained} explained, {symptom.unexplained} not." if report.cascade.steps else ""
    yield f"{_sentence(symptom.summary)}{told}{_refs(symptom.evidence)}"
    yield from ("", "| start | end | count | explained |", "|---|---|---:|---|")
    for each in symptom.episodes[:_MOST_EPISODES]:
        told = "yes" if each.explained else "no"
        yield f"| {words.moment(each.start)} | {words.moment(each.end)} | {each.count:,} | {told} |"
    if len(symptom.episodes) > _MOST_EPISODES:
        yield from ("", f"… and {len(symptom.episodes) - _MOST_EPISODES} more, in the JSON report.")


def _cascade(report: Report) -> Iterator[str]:
    if not report.cascade.steps:
        return
    yield from ("", "## Cascade", "")
    seen: set[str] = set()
    for number, step in enumerate(report.cascade.steps, start=1):
        yield f"{number}. {_step(step)}"
        yield from (f"   - {_safe(fact)}" for fact in step.facts if fact not in seen)
        seen.update(step.facts)
    if report.cascade.links:
        yield from ("", "| link | status | lag | hits | unexplained | p | test |", "|---|---|---|---:|---:|---|---|")
        yield from (_link(link) for link in report.cascade.links)
    if told := tie_rows(report):
        yield from ("", *(f"- {label}: {_sentence(text)}" for label, text in told))


def _step(step: Step) -> str:
    told = _told(step.entity, step.summary).rstrip(".")
    return f"{step.id}: {told}; first {words.moment(step.first_at)}{_refs(step.evidence)}"


def _link(link: StepLink) -> str:
    lag = lag_words(link.lag, link.resolution_s) if link.lag else "—"
    hits = f"{link.hits}/{link.hits + link.misses}"
    cells = (f"{link.cause} → {link.effect}", link.status, lag, hits, str(link.unexplained))
    return "| " + " | ".join((*cells, _safe(words.p_value(link.p_value)), _safe(link.test))) + " |"


def _changes(report: Report) -> Iterator[str]:
    if report.recommendations:
        yield from ("", "## What to change", "")
    for number, each in enumerate(report.recommendations, start=1):
        told = " ".join(_sentence(part) for part in (each.rationale, each.effect) if part)
        yield f"{number}. **{_sentence(each.summary)}** {told}"
        if each.change:
            yield from ("", "   ```", *(f"   {_patch_line(line)}" for line in each.change.splitlines()), "   ```", "")
    if report.predictions:
        yield from ("", "## Next, if nothing changes", "")
    for prediction in report.predictions:
        begin, end = (words.moment(each) for each in prediction.window)
        yield f"- {words.moment(prediction.at)} (between {begin} and {end}): {_sentence(prediction.summary)}"


def _patch_line(line: str) -> str:
    blanks = len(line) - len(line.lstrip(" "))
    return " " * blanks + words.visible(line).replace("```", "'''")


def _judged(report: Report) -> Iterator[str]:
    if report.contributing:
        yield from ("", "## Made it worse, did not start it", "")
    for helped in report.contributing:
        yield f"- {_told(helped.entity, helped.summary)}{_refs(helped.evidence)}"
    for title, parts in (("Ruled out", report.ruled_out), ("Not ruled out", report.undecided)):
        if parts:
            yield from ("", f"## {title}", "")
        for out in parts:
            test = f" Test: {_sentence(out.test)}" if out.test else ""
            yield f"- {_told(out.entity, out.summary, ': ')}. {_sentence(out.reason).rstrip('.')}.{test}{_refs(out.evidence)}"
    if report.control_questions:
        yield from ("", "## Control questions", "")
    for asked in report.control_questions:
        yield f"- {_safe(asked.question)} {_sentence(asked.answer)} *{asked.verdict}*{_refs(asked.evidence)}"


def _people(report: Report) -> Iterator[str]:
    if report.claims:
        yield from ("", "## What people said", "")
    for each in report.claims:
        yield f"- {_safe(each.author)}: {_code(each.quote)} *{each.status}*. {_sentence(each.reason)}{_refs(each.evidence)}"


def _reading(report: Report) -> Iterator[str]:
    if report.reading is not None:
        yield from ("", "## What the model read", "")
        yield from (f"- {_sentence(row)}" for row in reading_rows(report.reading))


def _evidence(cited: dict[str, Evidence]) -> Iterator[str]:
    for name, each in cited.items():
        quote = f": {_code(each.quote)}" if words.visible(each.quote) else ""
        yield f"- **{name}** {words.moment(each.at)} {_safe(str(each.entity))}, {_code(each.locator)}{quote}"


def _coverage(report: Report) -> Iterator[str]:
    if report.coverage:
        yield from ("", "## What was read", "", "| source | status | items | size | notes |", "|---|---|---:|---:|---|")
    for row in report.coverage:
        told = "; ".join(part for part in (_safe(row.detail), _safe(row.read)) if part)
        yield f"| {_safe(row.source)} | {row.status} | {row.items:,} | {words.size(row.bytes)} | {told} |"
    unseen = [gap for row in report.coverage for gap in row.gaps if gap.lost]
    if unseen or report.unsaid_reasons:
        yield from ("", "### What was not seen, and what holds the confidence down", "")
        yield from (f"- {_safe(reason)}" for reason in report.unsaid_reasons)
    for gap in unseen:
        where = f" ({_safe(gap.path)})" if gap.path else ""
        times = f"{gap.count:,}× " if gap.count > 1 else ""
        yield f"- {_safe(gap.source)}: {times}{_safe(gap.what)}{where}"
