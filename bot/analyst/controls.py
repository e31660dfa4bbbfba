"""Control questions: what the program asks of its own answer before it gives it.

Each has an answer that the data can contradict: an event said to be unrelated, a step said to be needed, a quiet time.
A failed one lowers the confidence.
"""

from bot.analyst.citations import Citations
from bot.analyst.controls_once import of_one_time
from bot.analyst.findings import Findings
from bot.analyst.rivals import LASTING, MAY_END, Rival
from bot.analyst.words import clock_s, counted, noun_of, one_of, times
from bot.domain.link import TEST_TOGETHER, Chain
from bot.domain.report import ControlQuestion
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import length

FIRST_SEEN_S = 600.0
"""How much earlier than a change its effect may be dated: clocks differ, and series have steps."""
NEEDED = 0.75
"""Share of episodes that must have a step before them for it to count as needed."""
FRAGMENT = 0.1
"""Share of the longest occurrence below which another is a fragment of one, not a time of its own."""


def control_questions(
    chain: Chain, found: list[Rival], findings: Findings, citations: Citations
) -> tuple[ControlQuestion, ...]:
    """Ask at least three questions of the answer and grade them by the data."""
    once = len(chain.root.occurrences) == 1 or (chain.root.kind in LASTING and chain.end_to_end.hits <= 1)
    out = [rival for rival in found if not rival.open and MAY_END not in rival.reason]
    asked = [_unrelated(rival, citations) for rival in out[: 1 if once else 2]]
    asked.extend(of_one_time(chain, found, findings, citations) if once else ())
    between = chain.signals[1:-1] or chain.signals[:1]
    needed = sorted(range(len(chain.links)), key=lambda i: -chain.links[i].test.hits)[:2]
    needed = [i for i in needed if chain.links[i].test.effects > 1 or not once]  # of one time there is nothing to count
    asked.extend(_needed(chain, chain.signals[i], citations) for i in sorted(needed))
    sharpest = max(enumerate(between), key=lambda placed: (_precision(chain, placed[1]), placed[0]))[1]
    quiet = _quiet(chain, sharpest, findings)
    if quiet is not None:
        asked.append(quiet)
    if chain.root.kind in LASTING:
        asked.append(_stayed(chain, citations))
    elif not once:
        asked.append(_always(chain, citations))
    return tuple(asked)


def _unrelated(rival: Rival, citations: Citations) -> ControlQuestion:
    signal = rival.signal
    at = clock_s(signal.occurrences[0].start_s)
    what = f"the {noun_of(signal)} of {signal.entity}"
    if signal.kind is Kind.HUMAN_CHANGE:
        what = f"what {signal.entity.name} changed"
    return ControlQuestion(
        question=f"Was {what} at {at} part of it?",
        answer=f"No: {rival.reason}.",
        verdict="failed" if not rival.cleared and _fits(rival) else "passed",
        evidence=citations.cite_all([(ref, 0.0) for ref in signal.occurrences[0].refs[:1]], entity=signal.entity),
    )


def _fits(rival: Rival) -> bool:
    return rival.link.test.status == "supported" and not rival.link.test.unexplained


def _needed(chain: Chain, step: Signal, citations: Citations) -> ControlQuestion:
    link = next(link for link in chain.links if link.cause == step.id)
    effect = next(signal for signal in chain.signals if signal.id == link.effect)
    test = link.test
    with_it = test.effects - test.unexplained
    share = with_it / max(1, test.effects)
    return ControlQuestion(
        question=f"Did {one_of(effect)} ever come without {one_of(step)} before it?",
        answer=(
            f"Yes, {test.unexplained} of {counted(test.effects, 'time')}; the other {with_it} came after one."
            if test.unexplained
            else f"No, {'not the one time it came' if test.effects == 1 else f'never in {test.effects} times'}."
        ),
        verdict="passed" if share >= NEEDED else "failed",
        evidence=citations.cite_all([(ref, step.occurrences[0].start_s) for ref in step.occurrences[0].refs[:1]]),
    )


def _precision(chain: Chain, step: Signal) -> float:
    """Give the share of a step's occurrences that the next step follows."""
    test = next(link.test for link in chain.links if link.cause == step.id)
    return test.hits / max(1, test.hits + test.misses)


def _quiet(chain: Chain, step: Signal, findings: Findings) -> ControlQuestion | None:
    """Ask about the middle of the longest time without the symptom: the step just before it must be absent, too."""
    edges = [findings.window.start_s]
    for each in chain.symptom.occurrences:
        edges.extend((each.start_s, each.end_s))
    edges.append(findings.window.end_s)
    gaps = [(edges[i + 1] - edges[i], edges[i]) for i in range(0, len(edges) - 1, 2)]
    span, start = max(gaps)
    if span <= 600:
        return None
    low, high = start + 0.25 * span, start + 0.75 * span
    inside = [each for each in step.occurrences if low <= each.start_s <= high]
    rate_expected = len(step.occurrences) * (high - low) / max(findings.window.length_s, 1.0)
    passed = len(inside) <= max(0.0, 0.5 * rate_expected)
    return ControlQuestion(
        question=f"From {clock_s(low)} to {clock_s(high)}, amid a quiet {length(span)}, was there {one_of(step)}?",
        answer=f"Yes, {times(len(inside))}." if inside else "No, none.",
        verdict="passed" if passed else "failed",
        evidence=(),
    )


def _stayed(chain: Chain, citations: Citations) -> ControlQuestion:
    """Ask of a change that stays in force whether the symptom was there before it."""
    root, felt = chain.root, chain.symptom.occurrences
    first_s = root.occurrences[0].start_s
    before = sum(one.start_s < first_s - FIRST_SEEN_S for one in felt)
    close = sum(one.start_s < first_s for one in felt) - before
    answer = f"No, {'the one episode' if len(felt) == 1 else f'all {len(felt)} episodes'} began later."
    if before:
        answer = f"Yes, {before} of {counted(len(felt), 'episode')} had begun."
    elif close:
        answer = (
            f"No, but for {close} of {counted(len(felt), 'episode')}, begun less than {length(FIRST_SEEN_S)} before it."
        )
    return ControlQuestion(
        question=f"Was the symptom there before {one_of(root)}?",
        answer=answer,
        verdict="passed" if before * 5 <= len(felt) else "failed",
        evidence=citations.cite_all([(ref, first_s) for ref in root.occurrences[0].refs[:1]], entity=root.entity),
    )


def _always(chain: Chain, citations: Citations) -> ControlQuestion:
    test = chain.end_to_end
    hits, count, which = test.hits, test.hits + test.misses, ""
    root = chain.root
    if test.test == TEST_TOGETHER:  # which may count its worst stretches only; the question is about all of them
        hits, count, least_s = stretches_met(root, chain.symptom)
        which = "" if least_s is None else f" that it lasted {length(least_s)} or more"
    return ControlQuestion(
        question=f"Did {one_of(root)} ever pass without the symptom?",
        answer=(
            f"Yes, {count - hits} of {counted(count, 'time')}{which}; the symptom followed the other {hits}."
            if hits < count
            else f"No, {'not the one time it came' if count == 1 else f'never in {count} times'}{which}."
        ),
        verdict="passed" if hits >= 0.5 * count else "failed",
        evidence=citations.cite_all([(ref, root.occurrences[0].start_s) for ref in root.occurrences[0].refs[:1]]),
    )


def stretches_met(root: Signal, felt: Signal) -> tuple[int, int, float | None]:
    """Count the stretches of a cause that an episode overlaps, and all; with the seconds below which one was a mere fragment."""
    lengths = [one.end_s - one.start_s for one in root.occurrences]
    least_s = FRAGMENT * max(lengths)
    whole = [one for one, length_s in zip(root.occurrences, lengths, strict=True) if length_s >= least_s]
    met = sum(
        any(each.start_s <= one.end_s and each.end_s >= one.start_s for each in felt.occurrences) for one in whole
    )
    return met, len(whole), least_s if len(whole) < len(lengths) else None
