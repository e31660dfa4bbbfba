"""What people see when they have not asked yet: help, status, App Home, and the one sentence where nothing was understood."""

from collections.abc import Sequence
from datetime import tzinfo

from bot.domain.chat import WorkSummary
from bot.slack.blockkit import Block, actions, button, context, divider, fit, header, section
from bot.slack.identity import Self
from bot.slack.phrases import moment, plural
from bot.slack.sanitise import Sanitiser, escaped
from bot.slack.surface import COMMAND

ACTION_NEW = "home_new"
ACTION_THREAD = "home_thread"

HOW_TO_ASK = (
    f"Ask me like this: `@rootcause what's behind the 502s since Tuesday in payments?` or `{COMMAND} 5d`. "
    "Windows: `5d`, `12h`, `since 09:00`, `last weekend`, `2026-11-01..2026-11-06`."
)
"""The one helpful sentence with an example."""

HELP = "\n".join(
    (
        f"`{COMMAND} 5d` investigates the last five days; `{COMMAND} since 09:00 why is checkout slow in payments?` says more.",
        "`@rootcause what's behind the 502s since Tuesday?` does the same and answers in the thread.",
        "In a thread of mine just ask on: `was the day-3 restart related?`, or `no, look at the payments namespace`.",
        f"`{COMMAND} status` · `{COMMAND} cancel` · `{COMMAND} last` · `{COMMAND} help`",
    )
)

_STATE = {"queued": "◌ queued", "running": "◔ running", "done": "●", "failed": "✗ failed", "cancelled": "✗ stopped"}
_ROWS = 10


def help_blocks() -> list[Block]:
    """Compose the help."""
    return [section(HELP)]


def work_line(work: WorkSummary, known: Self, sanitiser: Sanitiser, tz: tzinfo) -> str:
    """Tell one investigation in a line that leads to its thread."""
    address = known.permalink(work.place.channel, work.place.thread_ts)
    place = f"<{escaped(address)}|{moment(work.asked_at, tz)}>"  # the workspace's own address, as Slack told it
    said = sanitiser.text(work.summary or work.question, 160)
    waiting = (
        f", {plural(work.position, 'investigation')} before it" if work.state == "queued" and work.position else ""
    )
    verdict = f" {sanitiser.text(work.verdict.replace('_', ' '), 30)}:" if work.verdict and work.state == "done" else ""
    return f"{_STATE[work.state]}{waiting}{verdict} {said} · {sanitiser.text(work.window, 60)} · {place}"


def status_text(works: Sequence[WorkSummary], known: Self, sanitiser: Sanitiser, tz: tzinfo) -> str:
    """Tell what runs and what ran in a channel."""
    if not works:
        return f"Nothing runs here, and nothing was asked here yet. {HOW_TO_ASK}"
    return "\n".join(work_line(each, known, sanitiser, tz) for each in works[:_ROWS])


def home_view(
    works: Sequence[WorkSummary],
    health: Sequence[tuple[str, bool, str]],
    known: Self,
    sanitiser: Sanitiser,
    tz: tzinfo,
) -> Block:
    """Compose App Home: how to start, what was asked lately, and what can be read; ``health``: source, well, detail."""
    blocks = [
        header("What caused it?"),
        section(HELP),
        actions([button("New investigation", ACTION_NEW, style="primary")]),
        divider(),
        section("*Recent investigations*" + ("" if works else "\nNone yet that you may see.")),
    ]
    blocks += [section(work_line(each, known, sanitiser, tz)) for each in works[:_ROWS]]
    if health:
        rows = [
            f"{'●' if well else '✗'} {sanitiser.text(name, 60)}: {sanitiser.text(detail, 160)}"
            for name, well, detail in health
        ]
        blocks += [divider(), section("*Sources*\n" + "\n".join(rows))]
    return {"type": "home", "blocks": fit(blocks, footer=[context("Only what you may see in Slack is listed here.")])}


def refused_blocks(reason: str) -> list[Block]:
    """Compose App Home for somebody who may not ask."""
    return [section(reason)]
