"""The one message that shows how far an investigation is: source by source, edited in place, closed when it is over."""

from datetime import datetime

from bot.domain.chat import Place, Plan, SourceProgress
from bot.slack.blockkit import Block, actions, button, context, fit, section
from bot.slack.phrases import duration, plural, size
from bot.slack.sanitise import Sanitiser

ACTION_STOP = "plan_stop"

_STAGES = {
    "queued": "Waiting for a turn",
    "gather": "Reading the evidence",
    "digest": "Looking for what changed",
    "hypothesise": "Testing what could have caused what",
    "analyse": "Weighing the causes",
    "model": "A model reads the case",
    "verify": "Checking every quote and number",
    "deliver": "Writing the answer",
}
"""What people read for the names of the stages; a stage without words shows its name."""

_SOURCES = 12
_MARK = {"waiting": "○", "reading": "◔", "done": "●", "failed": "✗"}
_GAPS_TOLD = 1


def plan_blocks(plan: Plan, place: Place, sanitiser: Sanitiser, now: datetime) -> list[Block]:
    """Compose the plan while work goes on."""
    if plan.position > 0:
        head = (
            f"*Queued*, {plural(plan.position, 'investigation')} before this one · {sanitiser.text(plan.window, 120)}"
        )
    else:
        head = f"*{_stage(plan, sanitiser)}* · {sanitiser.text(plan.window, 120)}"
    stop = button("Stop", ACTION_STOP, f"{place.channel}|{place.thread_ts}", said="Stop this investigation")
    lines = _source_lines(plan, sanitiser)
    if not lines and plan.stage == "gather":
        lines = ["○ opening the sources"]
    blocks = [section("\n".join([head, *lines]))]
    return fit(blocks, footer=[actions([stop]), context(_clock(plan, now))])


def plan_text(plan: Plan, sanitiser: Sanitiser) -> str:
    """Say the plan in one line."""
    if plan.position > 0:
        return f"Queued, {plural(plan.position, 'investigation')} before this one."
    return f"{_stage(plan, sanitiser)}: {sanitiser.text(plan.window, 120)}"


def closed_plan_blocks(plan: Plan | None, sentence: str, sanitiser: Sanitiser) -> list[Block]:
    """Compose the plan once work is over, so that nothing on the screen still claims to be running."""
    lines = [sanitiser.text(sentence, 300)]
    if plan is not None:
        lines += _source_lines(plan, sanitiser)
    return fit([context("\n".join(lines))])


def _stage(plan: Plan, sanitiser: Sanitiser) -> str:
    return _STAGES.get(plan.stage) or sanitiser.text(plan.stage, 60)


def _source_lines(plan: Plan, sanitiser: Sanitiser) -> list[str]:
    lines = [_source_line(each, sanitiser) for each in plan.sources[:_SOURCES]]
    left = len(plan.sources) - len(lines)
    return [*lines, f"and {plural(left, 'more source')}"] if left > 0 else lines


def _source_line(each: SourceProgress, sanitiser: Sanitiser) -> str:
    parts = [plural(each.items, "item")] if each.items else []
    parts += [size(each.bytes)] if each.bytes else []
    lost = [gap for gap in each.gaps if gap.lost]
    if lost:
        told = "; ".join(sanitiser.text(gap.what, 60) for gap in lost[:_GAPS_TOLD])
        parts.append(f"{plural(len(lost), 'gap')}: {told}")
    if not parts and each.state in ("waiting", "failed"):
        parts.append("waiting" if each.state == "waiting" else "could not be read")
    told = f"{_MARK[each.state]} {sanitiser.text(each.source, 60)}"
    return f"{told} · {' · '.join(parts)}" if parts else told


def _clock(plan: Plan, now: datetime) -> str:
    spent = max((now - plan.started_at).total_seconds(), 0.0)
    told = f"{duration(max(round(spent), 1))} so far"
    return f"{told} · about {duration(max(round(plan.eta_s), 1))} to go" if plan.eta_s is not None else told
