"""Views: evidence page by page in verbatim lines with their neighbours, the timeline, a question, a new investigation.

Pure functions. A view carries only ids and places, never content; what it shows is read from the case when it is opened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from bot.charts.timeline import Lane, timeline
from bot.domain.ports import Stored
from bot.domain.report import Evidence, Report
from bot.slack.blockkit import (
    Block,
    actions,
    button,
    clip,
    context,
    header,
    modal,
    preformatted,
    section,
    text_input,
)
from bot.slack.phrases import duration, moment, plural, span
from bot.slack.sanitise import Sanitiser
from bot.slack.surface import MODAL_ASK, MODAL_EVIDENCE, MODAL_NEW, MODAL_TICKET

ACTION_PAGE = "evidence_page"
ACTION_PAGE_BACK = "evidence_page_back"
ACTION_OPEN = "evidence_open"

FIELD_QUESTION = "question"
FIELD_WINDOW = "window"
FIELD_NAMESPACES = "namespaces"
FIELD_CHANNEL = "channel"
FIELD_TICKET = "ticket"

_QUOTE = 1500
_NEIGHBOUR = 300
_LANE_CELLS = 34
_KEYS = 8
_EXAMPLE = "Was the restart on day 3 related?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One citation with the stored lines around it, in time order; ``at`` is its place among all citations."""

    name: str
    cited: Evidence
    around: Sequence[Stored]
    at: int
    of: int


def evidence_modal(report: Report, page: Page | None, value: str, sanitiser: Sanitiser, tz: tzinfo = UTC) -> Block:
    """Show one citation; ``value`` is what the answer's button carried and every page carries on."""
    if page is None:
        return modal(MODAL_EVIDENCE, "Evidence", [section("This answer cites nothing.")])
    item = _item_id(page.cited)
    rows = [_row(each, each.id == item, sanitiser) for each in page.around]
    if not any(each.id == item for each in page.around):
        rows = [f"▶ {sanitiser.verbatim(page.cited.quote, _QUOTE)}"]
    used = _use(report, page.name, sanitiser)
    blocks = [
        header(f"{page.name}, {page.at + 1} of {page.of}"),
        section(
            f"*{sanitiser.text(str(page.cited.entity), 200)}* · {moment(page.cited.at, tz)}\n{used}"
            if used
            else f"*{sanitiser.text(str(page.cited.entity), 200)}* · {moment(page.cited.at, tz)}"
        ),
        preformatted("\n".join(rows)),
        context(f"{sanitiser.text(page.cited.source, 60)} · {sanitiser.code(page.cited.locator, 300)}"),
        actions(_paging(page, value, sanitiser)),
    ]
    return modal(MODAL_EVIDENCE, "Evidence", blocks, metadata={"value": value})


def timeline_modal(report: Report, sanitiser: Sanitiser, tz: tzinfo = UTC) -> Block:
    """Show when the symptom was felt, and under it a lane for each step."""
    lanes: list[Lane] = []
    if report.symptom is not None:
        spans = tuple((each.start, each.end, float(each.count)) for each in report.symptom.episodes)
        lanes.append(Lane(label="symptom", spans=spans, sized=True))
    lanes += [
        Lane(
            label=f"{step.id} {sanitiser.verbatim(step.entity.name, 40)}",
            spans=tuple((begin, end, 1.0) for begin, end in step.times),
        )
        for step in report.cascade.steps
    ]
    head = f"{span(report.window.start, report.window.end, tz)}"
    if not any(lane.spans for lane in lanes):
        return modal("timeline", "Timeline", [section(f"{head}\nNothing that has a time was found.")])
    drawn = timeline(report.window.start, report.window.end, lanes, _LANE_CELLS)
    rows = [line for label, row in drawn.rows for line in (label[:_LANE_CELLS], row)]  # a phone is 36 characters wide
    page = "\n".join([drawn.axis, *rows])
    blocks = [
        section(head),
        preformatted(page),
        context(f"One character is {duration(drawn.cell_s)}; the axis is UTC, effects stand above their causes."),
        *_episodes(report, tz),
    ]
    return modal("timeline", "Timeline", blocks)


def ask_modal(report: Report, value: str, sanitiser: Sanitiser) -> Block:
    """Ask for a question, and show what the program asked itself and what holds its confidence down."""
    blocks = [text_input(FIELD_QUESTION, "Your question", hint=_EXAMPLE)]
    for each in report.control_questions[:6]:
        mark = "✓" if each.verdict == "passed" else "✗"
        blocks.append(context(f"{mark} {sanitiser.text(each.question, 200)} {sanitiser.text(each.answer, 300)}"))
    blocks += [
        context(f"✗ {sanitiser.text(str(each.entity), 100)}: {sanitiser.text(each.reason, 300)}")
        for each in report.ruled_out[:4]
    ]
    blocks += [context(f"Confidence is held down: {sanitiser.text(each, 200)}") for each in report.reasons[:3]]
    return modal(MODAL_ASK, "Ask why", blocks, metadata={"value": value}, submit="Ask")


def ticket_modal(value: str, keys: Sequence[str], projects: Sequence[str], sanitiser: Sanitiser) -> Block:
    """Ask which issue gets the report; ``keys`` are those that the case knows, the first is proposed."""
    first = keys[0] if keys else ""
    blocks = [
        text_input(FIELD_TICKET, "Issue", initial=first, hint=f"{projects[0]}-123"),
        context(
            "The whole report with its quotes becomes one comment on the issue. "
            "Everybody who can see the issue can read it there, whoever is in this channel."
        ),
    ]
    if len(keys) > 1:
        named = ", ".join(sanitiser.code(key, 60) for key in keys[:_KEYS])
        blocks.insert(1, context(f"Named in this incident: {named}"))
    return modal(MODAL_TICKET, "Post to Jira", blocks, metadata={"value": value}, submit="Post")


def new_investigation_modal(channel: str | None = None) -> Block:
    """Ask for a channel, a window, a question and namespaces."""
    picker: Block = {
        "type": "conversations_select",
        "action_id": "conversation",
        "filter": {
            "include": ["public", "private"],
            "exclude_external_shared_channels": True,
            "exclude_bot_users": True,
        },
    }
    picker |= {"initial_conversation": channel} if channel else {"default_to_current_conversation": True}
    blocks = [
        {
            "type": "input",
            "block_id": FIELD_CHANNEL,
            "label": {"type": "plain_text", "text": "Channel to read and to answer in"},
            "element": picker,
        },
        text_input(FIELD_WINDOW, "Window", initial="5d", hint="5d, 12h, since Tuesday, 2026-11-01..2026-11-06"),
        text_input(FIELD_QUESTION, "Question", hint="What is behind the 502s?", optional=True),
        text_input(FIELD_NAMESPACES, "Namespaces", hint="payments, checkout", optional=True),
    ]
    return modal(MODAL_NEW, "New investigation", blocks, submit="Investigate")


def _item_id(cited: Evidence) -> str:
    return cited.locator.partition(" ")[0]


def _row(each: Stored, cited: bool, sanitiser: Sanitiser) -> str:
    shown = sanitiser.verbatim(each.text, _QUOTE if cited else _NEIGHBOUR).replace("\n", "\n  ")
    return f"{'▶' if cited else ' '} {shown}"


def _use(report: Report, name: str, sanitiser: Sanitiser) -> str:
    """Say which steps a citation stands for."""
    for step in report.cascade.steps:
        if name in step.evidence:
            return f"Shows {step.id}: {sanitiser.text(step.summary, 200)}"
    for each in report.ruled_out:
        if name in each.evidence:
            return f"Ruled out: {sanitiser.text(each.summary, 200)}"
    for each in report.undecided:
        if name in each.evidence:
            return f"Not ruled out: {sanitiser.text(each.summary, 200)}"
    return ""


def _paging(page: Page, value: str, sanitiser: Sanitiser) -> list[Block]:
    row: list[Block] = []
    if page.at > 0:
        row.append(button("◀ Previous", ACTION_PAGE_BACK, f"{page.at - 1}|{value}", said="Previous citation"))
    if page.at + 1 < page.of:
        row.append(button("Next ▶", ACTION_PAGE, f"{page.at + 1}|{value}", said="Next citation"))
    if link := sanitiser.url(page.cited.url):
        row.append(button("Open the source", ACTION_OPEN, url=link))
    return row or [button("Only one citation", ACTION_PAGE, f"0|{value}")]


def _episodes(report: Report, tz: tzinfo) -> list[Block]:
    if report.symptom is None or not report.symptom.episodes:
        return []
    shown = report.symptom.episodes[:20]
    rows = [
        f"{moment(each.start, tz)}  {duration((each.end - each.start).total_seconds()):>10}  {each.count:,}×"
        + ("" if each.explained else "  not explained")
        for each in shown
    ]
    left = len(report.symptom.episodes) - len(shown)
    if left > 0:
        rows.append(f"and {plural(left, 'more episode')}")
    return [section("*When it was felt*"), preformatted(clip("\n".join(rows), 2900))]
