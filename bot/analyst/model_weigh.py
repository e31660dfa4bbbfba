"""Weighs a model's cascade: every link it claims is tested by the engine, whatever the model says of it.

What is refuted comes with the measurement, so that the model can be told once. Nothing here decides what is published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from bot.analyst.answers import measured
from bot.analyst.findings import Findings
from bot.analyst.model_answer import ModelAnswer, SaidLink
from bot.analyst.model_match import Matched, matched_steps
from bot.analyst.proofs import Belongs, Finding
from bot.analyst.words import one_of, p_words
from bot.domain.link import Chain, Link
from bot.domain.report import AskedWindow
from bot.domain.signal import Signal

SUPPORTED_P = 0.05
"""What the engine calls shown; held against the p-value times the pairs that the model thought of itself."""

Standing = Literal["supported", "refuted", "untested", "reversed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedLink:
    """A link the model claims, and the engine's word on it; ``link`` is None where an end was never measured."""

    said: SaidLink
    cause: Matched
    effect: Matched
    link: Link | None
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A model's answer after the test. ``chain`` runs through the measured steps and ends in what people felt."""

    answer: ModelAnswer
    steps: tuple[Matched, ...]
    links: tuple[WeighedLink, ...]
    chain: Chain | None
    findings: tuple[Finding, ...]
    symptom: str = ""
    """Id of the signal people felt."""

    @property
    def root(self) -> Matched | None:
        """The step the model begins with, where a quote of it is left and it is not what people felt."""
        first = self.steps[0] if self.steps else None
        if first is None or first.said.id != self.answer.steps[0].id:
            return None
        return None if first.signal is not None and first.signal.id == self.symptom else first

    @property
    def refuted(self) -> tuple[WeighedLink, ...]:
        """The links that the measurements speak against."""
        return tuple(link for link in self.links if link.standing in ("refuted", "reversed"))


def weigh(answer: ModelAnswer, findings: Findings, belongs: Belongs) -> Weighed:
    """Hold an answer against the case: quotes, times, entities, and every link it claims."""
    span = findings.window
    window = AskedWindow(start=span.start, end=span.end, asked=span.asked)
    steps, found = matched_steps(answer.steps, findings, window, belongs)
    tester = _Tester(findings, pairs=max(1, len(answer.links), len(steps) - 1))
    links = _weighed_links(answer, steps, tester, found)
    return Weighed(
        answer=answer,
        steps=tuple(steps),
        links=tuple(links),
        chain=_chain(steps, findings, tester),
        findings=tuple(found),
        symptom=findings.symptom.id if findings.symptom else "",
    )


def objection(weighed: WeighedLink) -> str:
    """Say what speaks against a link, in numbers; the steps by their names, for their ids are the model's own."""
    link, cause, effect = weighed.link, weighed.cause.signal, weighed.effect.signal
    assert link is not None
    assert cause is not None
    assert effect is not None
    names = f"{one_of(cause)} → {one_of(effect)}"
    followed = f"{link.test.hits} of {link.test.hits + link.test.misses} were followed by it"
    if weighed.standing == "reversed":
        return f"{names}: measured the other way round; in this direction {followed}."
    without = f"{link.test.unexplained} of {link.test.effects or link.test.unexplained} came without it"
    return f"{names}: refuted; {followed}, {without} ({p_words(link.test.p_value)})."


def against_symptom(signal: Signal, findings: Findings) -> str:
    """Say what the straight test of a signal against the symptom gave."""
    if findings.symptom is None or signal.id == findings.symptom.id:
        return ""
    return measured(findings.test(signal, findings.symptom).test)


class _Tester:
    """Tests pairs; one that the engine has tried among all others keeps its corrected p-value."""

    def __init__(self, findings: Findings, pairs: int) -> None:
        self._findings = findings
        self._pairs = pairs
        self._known: Mapping[tuple[str, str], Link] = {(link.cause, link.effect): link for link in findings.links}

    def test(self, cause: Signal, effect: Signal) -> Link:
        known = self._known.get((cause.id, effect.id))
        if known is not None:
            return known
        link = self._findings.test(cause, effect)
        p_value = link.test.p_value
        if p_value is None or self._pairs == 1:
            return link
        corrected = min(1.0, p_value * self._pairs)
        status, reason = link.test.status, link.test.reason
        if status == "supported" and corrected > SUPPORTED_P:
            status, reason = "untested", f"not beyond chance among the {self._pairs} pairs that were proposed"
        return replace(link, test=replace(link.test, p_value=corrected, status=status, reason=reason))


def _weighed_links(
    answer: ModelAnswer, steps: Sequence[Matched], tester: _Tester, found: list[Finding]
) -> list[WeighedLink]:
    by_id = {step.said.id: step for step in steps}
    said = answer.links or tuple(SaidLink(cause=a.said.id, effect=b.said.id) for a, b in pairwise(steps))
    weighed = []
    for link in dict.fromkeys(said):
        where = f"{link.cause}→{link.effect}"
        cause, effect = by_id.get(link.cause), by_id.get(link.effect)
        if cause is None or effect is None:
            found.append(Finding(kind="dangling_link", where=where, detail="one of its steps does not stand"))
            continue
        weighed.append(_weighed(link, cause, effect, tester))
        if weighed[-1].standing == "reversed":
            found.append(Finding(kind="reversed_link", where=where, detail="measured the other way round"))
        elif weighed[-1].standing == "refuted":
            found.append(Finding(kind="refuted_link", where=where, detail=objection(weighed[-1])))
    return weighed


def _weighed(said: SaidLink, cause: Matched, effect: Matched, tester: _Tester) -> WeighedLink:
    if cause.signal is None or effect.signal is None or cause.signal.id == effect.signal.id:
        return WeighedLink(said=said, cause=cause, effect=effect, link=None, standing="untested")
    link = tester.test(cause.signal, effect.signal)
    standing: Standing = link.test.status
    if standing != "supported" and tester.test(effect.signal, cause.signal).test.status == "supported":
        standing = "reversed"
    return WeighedLink(said=said, cause=cause, effect=effect, link=link, standing=standing)


def _chain(steps: Sequence[Matched], findings: Findings, tester: _Tester) -> Chain | None:
    """Give the path through the measured steps up to the symptom, which ends it whether or not the model named it."""
    symptom = findings.symptom
    if symptom is None or findings.along is None:
        return None
    signals: list[Signal] = []
    for step in steps:
        if step.signal is None:
            continue
        if step.signal.id == symptom.id:
            break
        signals.append(step.signal)
    if not signals:
        return None
    signals.append(symptom)
    return findings.along(signals, [tester.test(cause, effect) for cause, effect in pairwise(signals)])
