"""The verifier: trusts nothing in a report, recomputes what can be computed, drops or marks the rest.

It is handed the report, the stored evidence, the measured signals and a way to test two steps again. It never adds a
claim; it only takes away, corrects a number to the computed one, and lowers the confidence with the reason. What it
cannot judge is prose: of the summary it checks the numbers alone.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.analyst.antecedents import TOLD
from bot.analyst.caps import capped
from bot.analyst.proofs import (
    CHAT,
    WRITABLE,
    Belongs,
    Finding,
    FindingKind,
    check_citation,
    item_id,
    named_alike,
    quotes,
)
from bot.domain.link import LinkTest
from bot.domain.ports import Evidenced
from bot.domain.report import Cascade, Claim, Evidence, Report, Step, StepLink, Symptom
from bot.domain.signal import Signal
from bot.domain.window import instant

Retest = Callable[[Step, Step], LinkTest | None]
"""Tests cause and effect again from the measured signals; None where the steps lead to no signal."""

SYMPTOM_KEY = "symptom"
"""Key of the symptom's signal beside the step ids."""
BURST_SLACK = timedelta(seconds=60)
"""Bursts are counted by the minute, so a step may begin this long after the first line that shows it."""

_COUNTED = re.compile(
    r"(?<![\d,])(\d[\d,]{0,9}) of (?:the |all )?(\d[\d,]{0,9})\b"
    r"|(?<!HTTP )(?<![\d,])(?![45]\d\d (?:responses|errors|failures))(\d[\d,]{0,9}) (?:times|episodes?|occurrences?|requests?|responses?|errors?|failures?|restarts?|kills?|spikes?|runs?|pods?)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What is left of a report, and everything that did not hold."""

    report: Report
    findings: tuple[Finding, ...]


def verify(
    report: Report,
    evidence: Evidenced,
    *,
    signals: Mapping[str, Signal],
    retest: Retest,
    belongs: Belongs = named_alike,
) -> Verified:
    """Check every statement of a report against the case.

    ``signals`` maps step ids (and ``symptom``) to the measured signals they speak of. Citations that fail are dropped,
    steps without evidence too, numbers become the computed ones; every finding caps the confidence and leaves a reason.
    """
    found = _unknown_ids(report)
    cited: dict[str, Evidence] = {}
    for key, entry in report.evidence.items():
        kept, wrong = check_citation(key, entry, evidence, report.window, belongs)
        found += wrong
        if kept is not None:
            cited[key] = kept
    checked = replace(report, evidence=cited)
    checked = _checked_citing(checked, evidence, found)
    checked = replace(checked, cascade=_checked_cascade(checked, evidence, signals, retest, belongs, found))
    checked = _checked_symptom(checked, signals, found)
    checked = _checked_root(checked, found)
    checked = _checked_promises(checked, found)
    found += _summary_numbers(checked)
    if not found:
        return Verified(report=report, findings=())
    return Verified(report=capped(checked, found), findings=tuple(found))


def _cited_by(report: Report) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from ((step.id, step.evidence) for step in report.cascade.steps)
    yield from ((f"contributing {part.entity}", part.evidence) for part in report.contributing)
    yield from ((f"beside it {part.entity}", part.evidence) for part in (*report.ruled_out, *report.undecided))
    yield from ((f"control question {part.question!r}", part.evidence) for part in report.control_questions)
    yield from ((f"claim of {part.author}", part.evidence) for part in report.claims)
    if report.symptom:
        yield "symptom", report.symptom.evidence
    if report.reading:
        yield from ((f"unmeasured {part.entity}", part.evidence) for part in report.reading.unmeasured)


def _unknown_ids(report: Report) -> list[Finding]:
    return [
        Finding(kind="missing_evidence", where=where, detail=f"{key} does not exist")
        for where, ids in _cited_by(report)
        for key in ids
        if key not in report.evidence
    ]


def _checked_citing(report: Report, evidence: Evidenced, found: list[Finding]) -> Report:
    """Clean the evidence ids of every part beside the cascade, dropping what has none left."""

    def ids(keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(key for key in dict.fromkeys(keys) if key in report.evidence)

    contributing = [replace(part, evidence=ids(part.evidence)) for part in report.contributing]
    ruled_out = [replace(part, evidence=ids(part.evidence)) for part in report.ruled_out]
    undecided = [replace(part, evidence=ids(part.evidence)) for part in report.undecided]
    bare = [part.entity for part in contributing if not part.evidence]
    bare += [part.entity for part in (*ruled_out, *undecided) if not part.evidence]
    found += [Finding(kind="missing_evidence", where=str(entity), detail="nothing cited is left") for entity in bare]
    questions = tuple(replace(part, evidence=ids(part.evidence)) for part in report.control_questions)
    claims = [replace(part, evidence=ids(part.evidence)) for part in report.claims]
    steps = tuple(replace(step, evidence=ids(step.evidence)) for step in report.cascade.steps)
    symptom = replace(report.symptom, evidence=ids(report.symptom.evidence)) if report.symptom else None
    return replace(
        report,
        contributing=tuple(part for part in contributing if part.evidence),
        ruled_out=tuple(part for part in ruled_out if part.evidence),
        undecided=tuple(part for part in undecided if part.evidence),
        control_questions=questions,
        claims=tuple(_checked_claim(part, report, evidence, found) for part in claims),
        cascade=replace(report.cascade, steps=steps),
        symptom=symptom,
    )


def _checked_claim(claim: Claim, report: Report, evidence: Evidenced, found: list[Finding]) -> Claim:
    """Make a claim untested where its words were never written or no telemetry is cited for the judgement."""
    where = f"claim of {claim.author}"
    items = [evidence.item(item_id(report.evidence[key])) for key in claim.evidence]
    said = [item for item in items if item is not None and item.source in CHAT]
    if said and not any(quotes(item, claim.quote) for item in said):
        found.append(Finding(kind="claim", where=where, detail=f"{claim.quote[:80]!r} was not written"))
        return replace(claim, status="untested", reason="The quoted words were not found.")
    if claim.status != "untested" and not claim.evidence:
        found.append(Finding(kind="claim", where=where, detail="judged without evidence"))
        return replace(claim, status="untested", reason="No evidence was cited for the judgement.")
    return claim


def _checked_cascade(
    report: Report,
    evidence: Evidenced,
    signals: Mapping[str, Signal],
    retest: Retest,
    belongs: Belongs,
    found: list[Finding],
) -> Cascade:
    steps: dict[str, Step] = {}
    for step in report.cascade.steps:
        if step.id in steps:
            found.append(Finding(kind="duplicate", where=step.id, detail="the step's id stands twice"))
            continue
        if not step.evidence:
            found.append(Finding(kind="step_without_evidence", where=step.id, detail=step.summary))
        elif not _speaks_of(step, report, evidence, signals.get(step.id), belongs):
            found.append(Finding(kind="step_entity", where=step.id, detail=f"no evidence speaks of {step.entity}"))
        else:
            steps[step.id] = _checked_step(step, report, signals.get(step.id), found)
    order = {key: at for at, key in enumerate(steps)}
    links: dict[tuple[str, str], StepLink] = {}
    for link in report.cascade.links:
        where = f"{link.cause}→{link.effect}"
        if link.cause not in order or link.effect not in order:
            found.append(Finding(kind="dangling_link", where=where, detail="a step is missing"))
        elif order[link.cause] >= order[link.effect]:
            found.append(Finding(kind="reversed_link", where=where, detail="the effect stands before its cause"))
        elif (link.cause, link.effect) in links:
            found.append(Finding(kind="duplicate", where=where, detail="the link stands twice"))
        else:
            tested = retest(steps[link.cause], steps[link.effect])
            links[link.cause, link.effect] = _checked_link(link, tested, where, found)
    return Cascade(steps=tuple(steps.values()), links=tuple(links.values()))


def _speaks_of(step: Step, report: Report, evidence: Evidenced, signal: Signal | None, belongs: Belongs) -> bool:
    if signal is not None:
        return signal.entity == step.entity or belongs(str(signal.entity), step.entity)
    items = evidence.items([item_id(report.evidence[key]) for key in step.evidence])
    return any(belongs(item.entity, step.entity) for item in items)


def _checked_step(step: Step, report: Report, signal: Signal | None, found: list[Finding]) -> Step:
    if not report.window.start <= step.first_at < report.window.end:
        found.append(Finding(kind="step_time", where=step.id, detail=f"{step.first_at} lies outside the window"))
    dated = [entry.at for key in step.evidence if (entry := report.evidence[key]).at and _is_moment(entry)]
    led_to = any(fact.endswith(TOLD) for fact in step.facts)
    if dated and step.first_at > min(at for at in dated if at) + BURST_SLACK and not led_to:
        found.append(Finding(kind="step_time", where=step.id, detail="its own evidence is older than its first time"))
    if signal is None or not signal.occurrences:
        found.append(Finding(kind="step_unmeasured", where=step.id, detail=step.summary))
        return step
    first = instant(signal.occurrences[0].start_s)
    if abs((first - step.first_at).total_seconds()) > 1:
        found.append(Finding(kind="step_time", where=step.id, detail=f"first measured at {first}, not {step.first_at}"))
        step = replace(step, first_at=first)
    if step.count not in {signal.total, len(signal.occurrences)}:
        found.append(Finding(kind="step_count", where=step.id, detail=f"measured {signal.total}, not {step.count}"))
        step = replace(step, count=signal.total)
    return step


def _is_moment(entry: Evidence) -> bool:
    """Tell evidence that happened at its time from objects and series, whose time is when they were read."""
    return entry.source not in {"kubernetes/objects", "prometheus"} | CHAT


def _checked_link(link: StepLink, test: LinkTest | None, where: str, found: list[Finding]) -> StepLink:
    if test is None:
        if link.status != "untested":
            found.append(Finding(kind="unmeasured_link", where=where, detail=f"said to be {link.status}"))
        return replace(link, status="untested", hits=0, misses=0, unexplained=0, p_value=None, lag=None)
    computed = replace(
        link, status=test.status, lag=test.lag, hits=test.hits, misses=test.misses, unexplained=test.unexplained,
        p_value=test.p_value, test=test.test,
    )  # fmt: skip
    if not _close(link.p_value, test.p_value):
        found.append(Finding(kind="p_value", where=where, detail=f"computed {test.p_value}, not {link.p_value}"))
    said, measured = (link.hits, link.misses, link.unexplained), (test.hits, test.misses, test.unexplained)
    if said != measured or not _same_lag(link, test):
        found.append(Finding(kind="link_numbers", where=where, detail=f"hits, misses, unexplained: computed {measured}, not {said}"))  # fmt: skip
    if test.status == "refuted":
        found.append(Finding(kind="refuted_link", where=where, detail=test.reason or test.test))
    elif link.status != test.status:
        found.append(Finding(kind="link_numbers", where=where, detail=f"{test.status}, not {link.status}"))
    return computed


def _close(left: float | None, right: float | None, absolute: float = 1e-9) -> bool:
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=1e-6, abs_tol=absolute)


def _same_lag(link: StepLink, test: LinkTest) -> bool:
    if link.lag is None or test.lag is None:
        return link.lag is test.lag
    pairs = ((link.lag.p10, test.lag.p10), (link.lag.median, test.lag.median), (link.lag.p90, test.lag.p90))
    return all(_close(said, measured, 0.05) for said, measured in pairs)


def _checked_symptom(report: Report, signals: Mapping[str, Signal], found: list[Finding]) -> Report:
    symptom = report.symptom
    if symptom is None:
        return report
    last = report.cascade.steps[-1].id if report.cascade.steps else ""
    signal = signals.get(SYMPTOM_KEY) or signals.get(last)
    episodes = symptom.episodes
    if signal is not None:
        episodes = tuple(part for part in episodes if _was_felt(part.start.timestamp(), part.end.timestamp(), signal))
        found += [
            Finding(kind="episodes", where="symptom", detail=f"nothing was felt at {part.start}")
            for part in symptom.episodes
            if part not in episodes
        ]
        if sum(part.count for part in episodes) > max(signal.total, len(signal.occurrences)):
            found.append(Finding(kind="episodes", where="symptom", detail=f"more than the {signal.total} measured"))
    explained = sum(part.explained for part in episodes)
    if (symptom.explained, symptom.unexplained) != (explained, len(episodes) - explained):
        detail = f"{explained} of {len(episodes)} are marked explained, not {symptom.explained}"
        found.append(Finding(kind="episodes", where="symptom", detail=detail))
    checked: Symptom = replace(symptom, episodes=episodes, explained=explained, unexplained=len(episodes) - explained)
    return replace(report, symptom=checked)


def _was_felt(start_s: float, end_s: float, signal: Signal) -> bool:
    return any(one.start_s <= end_s + 1 and one.end_s >= start_s - 1 for one in signal.occurrences)


def _checked_root(report: Report, found: list[Finding]) -> Report:
    """Give the verdict up where its root does not stand, and say so where only words that anyone can write carry it."""
    if report.verdict != "cause_found":
        return report
    steps, links = list(report.cascade.steps), report.cascade.links
    if report.root_cause is None or not steps:
        return _without_cause(report, "no_root", "no step is left", found)
    if steps[0].entity != report.root_cause.entity:
        return _without_cause(report, "root_mismatch", f"{report.root_cause.entity} is not {steps[0].entity}", found)
    onward = [link for link in links if link.cause == steps[0].id]
    if onward and all(link.status == "refuted" for link in onward):
        return _without_cause(report, "no_root", "every link from it is refuted", found)
    if len(steps) > 1 and not onward:
        return _without_cause(report, "no_root", "nothing ties it to the next step", found)
    sources = {report.evidence[key].source for key in steps[0].evidence}
    if sources <= CHAT:
        found.append(Finding(kind="hearsay", where=steps[0].id, detail=", ".join(sorted(sources))))
    elif sources <= WRITABLE:
        found.append(Finding(kind="untrusted_text", where=steps[0].id, detail=", ".join(sorted(sources))))
    return report


def _without_cause(report: Report, kind: FindingKind, detail: str, found: list[Finding]) -> Report:
    found.append(Finding(kind=kind, where="root_cause", detail=detail))
    summary = "The cause first named did not stand up to the check of its evidence, so no cause is given."
    return replace(report, verdict="inconclusive", root_cause=None, summary=summary)


def _checked_promises(report: Report, found: list[Finding]) -> Report:
    """Drop predictions of the past and savings larger than the damage."""
    predictions = tuple(
        part
        for part in report.predictions
        if part.at >= report.window.end and part.window[0] <= part.at <= part.window[1]
    )
    found += [
        Finding(kind="prediction", where="predictions", detail=f"{part.at} is not a time to come")
        for part in report.predictions
        if part not in predictions
    ]
    most = sum(part.count for part in report.symptom.episodes) if report.symptom else 0
    recommendations = []
    for advice in report.recommendations:
        if advice.spared is not None and advice.spared > max(
            most, len(report.symptom.episodes) if report.symptom else 0
        ):
            found.append(Finding(kind="spared_number", where=advice.summary, detail=f"{advice.spared} of {most}"))
            recommendations.append(replace(advice, spared=None, effect="Its effect could not be counted."))
        else:
            recommendations.append(advice)
    return replace(report, predictions=predictions, recommendations=tuple(recommendations))


def _summary_numbers(report: Report) -> list[Finding]:
    """Look for every count the summary quotes among the numbers the report computed."""
    known = {0, 1} | {step.count for step in report.cascade.steps} | {len(step.times) for step in report.cascade.steps}
    for link in report.cascade.links:
        known |= {link.hits, link.misses, link.unexplained, link.hits + link.misses, link.hits + link.unexplained}
    if report.symptom:
        counts = [part.count for part in report.symptom.episodes]
        known |= {*counts, sum(counts), len(counts), report.symptom.explained, report.symptom.unexplained}
    if report.symptom and not report.cascade.steps:
        known |= set(range(len(report.symptom.episodes) + 1))  # the share of a lead that was not followed has no step
    said = [
        number.replace(",", "") for match in _COUNTED.finditer(report.summary) for number in match.groups() if number
    ]
    return [
        Finding(kind="summary_number", where="summary", detail=f"{number} was not computed")
        for number in dict.fromkeys(said)
        if int(number) not in known
    ]
