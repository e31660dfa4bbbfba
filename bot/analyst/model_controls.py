"""Control questions to a model: made from the case, with answers that the measurements know, so that none can be talked past.

As many are to be answered with yes as with no, or a model that always says no would pass. What it gets wrong caps the
confidence. Leaves out how they are sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.analyst.citations import Citations
from bot.analyst.controls import NEEDED
from bot.analyst.findings import Findings
from bot.analyst.model_answer import json_object
from bot.analyst.rivals import Rival
from bot.analyst.words import clock_s, counted, noun, one_of, plural
from bot.domain.items import ItemId
from bot.domain.link import Chain
from bot.domain.report import ControlQuestion
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import length

YesNo = Literal["yes", "no"]
LEAST_QUIET_S = 1800.0
MOST_RIVALS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A question, the answer that was measured, and what it was measured from."""

    id: str
    question: str
    truth: YesNo
    measured: str
    refs: tuple[tuple[ItemId, float], ...] = ()


def controls(chain: Chain, rivals: Sequence[Rival], findings: Findings) -> tuple[Control, ...]:
    """Make the questions: events that were no part of it, one that was, a needed step, a quiet time and a loud one."""
    made = [_unrelated(rival) for rival in rivals[:MOST_RIVALS]]
    made += [_part(chain), *_needed(chain), *_felt(chain.symptom, findings), _loud(chain.symptom)]
    return tuple(
        Control(id=f"Q{at}", question=one.question, truth=one.truth, measured=one.measured, refs=one.refs)
        for at, one in enumerate(made, 1)
    )


def read_control_answers(text: str) -> dict[str, str]:
    """Read the model's answers by question id; raise UnreadableAnswerError where there is no such JSON."""
    rows = json_object(text, "answers").get("answers")
    found = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            found[row["id"]] = str(row.get("answer", "")).strip().lower()[:10]
    return found


def graded(
    asked: Sequence[Control], answers: Mapping[str, str], citations: Citations, model: str
) -> tuple[ControlQuestion, ...]:
    """Grade the answers by the measurements; one that is missing or undecided has not passed."""
    rows = []
    for one in asked:
        given = answers.get(one.id, "")
        said = given if given in ("yes", "no") else "did not say"
        rows.append(
            ControlQuestion(
                question=one.question,
                answer=f"{model}: {said}. Measured: {one.truth}, {one.measured}.",
                verdict="passed" if given == one.truth else "failed",
                evidence=citations.cite_all(one.refs),
            )
        )
    return tuple(rows)


def _unrelated(rival: Rival) -> Control:
    signal = rival.signal
    at = clock_s(signal.occurrences[0].start_s)
    what = f"the {noun(signal.kind)} of {signal.entity}"
    if signal.kind is Kind.HUMAN_CHANGE:
        what = f"what {signal.entity.name} changed"
    return _control(f"Did {what} at {at} bring the symptom about, or help to?", "no", rival.reason, signal)


def _part(chain: Chain) -> Control:
    root, test = chain.root, chain.end_to_end
    at = clock_s(root.occurrences[0].start_s)
    followed = f"the symptom followed {test.hits} of {counted(test.hits + test.misses, 'time')}"
    return _control(
        f"Did the {noun(root.kind)} of {root.entity} at {at} help to bring the symptom about?", "yes", followed, root
    )


def _needed(chain: Chain) -> list[Control]:
    """Ask whether the steadiest step on the way is needed for the next."""
    best: tuple[float, int] | None = None
    for at, link in enumerate(chain.links):
        share = (link.test.effects - link.test.unexplained) / max(1, link.test.effects)
        if link.test.status == "supported" and share >= NEEDED and (best is None or share > best[0]):
            best = (share, at)
    if best is None:
        return []
    cause, effect, test = chain.signals[best[1]], chain.signals[best[1] + 1], chain.links[best[1]].test
    came = f"{test.effects - test.unexplained} of {counted(test.effects, 'time')} it came first"
    return [
        _control(
            f"Before {plural(effect.kind)} of {effect.entity.name}, did {one_of(cause)} come first, as a rule?",
            "yes",
            came,
            cause,
        )
    ]


def _felt(symptom: Signal, findings: Findings) -> list[Control]:
    """Ask about the middle of the longest time without the symptom."""
    edges = [findings.window.start_s]
    for each in symptom.occurrences:
        edges.extend((each.start_s, each.end_s))
    edges.append(findings.window.end_s)
    span, start = max((edges[at + 1] - edges[at], edges[at]) for at in range(0, len(edges) - 1, 2))
    if span < LEAST_QUIET_S:
        return []
    low, high = start + 0.25 * span, start + 0.75 * span
    question = f"Were there {plural(symptom.kind)} of {symptom.entity.name}, more than now and then, from {clock_s(low)} to {clock_s(high)}?"
    return [Control(id="", question=question, truth="no", measured=f"none in these {length(high - low)}")]


def _loud(symptom: Signal) -> Control:
    worst = max(symptom.occurrences, key=lambda one: (one.size, -one.start_s))
    low, high = worst.start_s - 60.0, max(worst.end_s, worst.start_s) + 60.0
    question = (
        f"Were there {plural(symptom.kind)} of {symptom.entity.name} from {clock_s(low)} to {clock_s(high + 60.0)}?"
    )
    return Control(
        id="",
        question=question,
        truth="yes",
        measured=f"{worst.size:,.0f} of them" if worst.size > 1 else "seen",
        refs=tuple((ref, worst.start_s) for ref in worst.refs[:1]),
    )


def _control(question: str, truth: YesNo, measured: str, signal: Signal) -> Control:
    first = signal.occurrences[0]
    refs = tuple((ref, first.start_s) for ref in first.refs[:1])
    return Control(id="", question=question, truth=truth, measured=measured.rstrip("."), refs=refs)
