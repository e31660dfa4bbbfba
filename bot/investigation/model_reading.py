"""Let a model read a case: ask, test what it says, give refuted links back once, ask control questions, count votes.

Whatever the model or its endpoint does, the investigation ends in an answer: the offline analyst's, with the reason, where
there is nothing else. Leaves out how text is packed and what a call looks like on the wire.
"""

from collections import Counter
from dataclasses import replace

from bot.analyst.citations import Citations
from bot.analyst.model_answer import ModelAnswer, read_answer
from bot.analyst.model_controls import controls, graded, read_control_answers
from bot.analyst.model_prompt import asked, control_questions, look_up_first, refuted
from bot.analyst.model_report import capped_at, named, published
from bot.analyst.model_weigh import Weighed, objection, weigh
from bot.analyst.model_words import plain, unfit
from bot.analyst.packing_parts import UNSEARCHED
from bot.analyst.published import Published
from bot.analyst.rivals import rivals
from bot.casefile.case import Case
from bot.domain.items import Gap, ItemId, SourceCoverage
from bot.domain.model import Spend
from bot.domain.ports import Progress
from bot.domain.report import Confidence, Dropped, Reading, Report, Vote
from bot.domain.window import rfc3339
from bot.investigation.checking import Ownership
from bot.investigation.conclude import Conclusion
from bot.investigation.model_analyst import (
    FAILURES,
    MARK,
    Egress,
    Handed,
    ModelAnalyst,
    failure_words,
    opened,
    used,
    writable_words,
)
from bot.investigation.model_lookup import lookup_of
from bot.investigation.model_talk import Talk, read_or_mended
from bot.signals.mechanisms import EXOGENOUS


def read_case(
    analyst: ModelAnalyst, case: Case, conclusion: Conclusion, own: Published, progress: Progress
) -> Published:
    """Give the report that stands after a model has read the case; the offline one with the reason where it has not."""
    reader = _Reader(analyst, case, conclusion, own, progress)
    try:
        found = reader.read()
    except FAILURES as error:
        reading = Reading(model=analyst.facts.name, mode=analyst.mode, failure=failure_words(error))
        found = replace(own, report=replace(own.report, reading=reading))
    usage = used(reader.spend, "offline" if found.report.reading and found.report.reading.failure else reader.name)
    return replace(found, report=replace(found.report, usage=usage, coverage=reader.coverage(found.report)))


class _Reader:
    """One investigation's conversation, step by step."""

    def __init__(
        self, analyst: ModelAnalyst, case: Case, conclusion: Conclusion, own: Published, progress: Progress
    ) -> None:
        self._analyst = analyst
        self._case = case
        self._conclusion = conclusion
        self._own = own
        self._progress = progress
        self._belongs = Ownership(conclusion.findings).belongs
        self._talk: Talk | None = None
        self._handed: Handed | None = None
        self._egress: Egress | None = None
        self._notes: list[str] = []
        self.name = analyst.facts.name

    @property
    def spend(self) -> Spend:
        """What was used so far, failed calls included."""
        return self._talk.spend if self._talk else Spend()

    def read(self) -> Published:
        """Ask, test, ask again, and give what stands; raises where there is no first answer."""
        analyst, findings = self._analyst, self._conclusion.findings
        session = analyst.session(self._case)
        self._egress = session.egress
        lookup = lookup_of(self._case, findings, session.live)
        talk, self._handed = opened(analyst, session, lookup, analyst.deadline_s, self._progress)
        self._talk = talk
        weighed = self._tested(talk)
        found = published(weighed, self._own, findings, EXOGENOUS, self._belongs)
        found = self._questioned(talk, found)
        votes = self._votes(weighed)
        return replace(found, report=self._with_reading(found.report, weighed, votes, talk))

    def coverage(self, report: Report) -> tuple[SourceCoverage, ...]:
        """Say of each source how much of it the model was handed, and how often it looked further."""
        if self._handed is None or (report.reading and report.reading.failure):
            return report.coverage
        calls = self._talk.asked.calls if self._talk else 0
        more = f", and looked up {calls} more" if calls else ""
        how = "a digest" if self._analyst.economy else "packed"
        read = self._handed.read
        rows = (
            replace(row, read=f"{row.read}; {self.name} read {read[row.source]} ({how}{more})")
            if row.source in read
            else row
            for row in report.coverage
        )
        return with_withheld(tuple(rows), self.name, self._handed, self._talk.withheld if self._talk else 0)

    def _shares(self, report: Report) -> dict[str, str]:
        """Say how much of each source that gave anything the model was handed."""
        read = self._handed.read if self._handed else {}
        return {row.source: read[row.source] for row in report.coverage if row.items and row.source in read}

    def _tested(self, talk: Talk) -> Weighed:
        """Get an answer, and another one where measurements refute a link of the first."""
        weighed = weigh(self._first(talk), self._conclusion.findings, self._belongs)
        if not weighed.refuted:
            return weighed
        objections = [f"{one.said.cause} → {one.said.effect}: {objection(one)}" for one in weighed.refuted]
        try:
            again = self._answer(talk, talk.say(refuted(objections)))
        except FAILURES as error:
            self._notes.append(f"Given the measurement, the model did not answer again: {failure_words(error)}")
            return weighed
        return weigh(again, self._conclusion.findings, self._belongs)

    def _first(self, talk: Talk) -> ModelAnswer:
        span = self._conclusion.findings.window
        question = asked(self._conclusion.findings.question, f"{rfc3339(span.start)} to {rfc3339(span.end)}")
        if self._analyst.economy:
            question = f"{look_up_first(self._analyst.rounds)}\n\n{question}"
        return self._answer(talk, talk.say(question))

    def _answer(self, talk: Talk, text: str) -> ModelAnswer:
        return read_or_mended(talk, text, self._read)

    def _read(self, text: str) -> ModelAnswer:
        """Read an answer, pseudonyms turned back, and quotes over which a secret lies cut to what may be cited."""
        assert self._egress is not None
        egress = self._egress

        def stored(item: ItemId, words: str) -> str:
            found = self._case.item(item) if MARK in words else None
            return (egress.verbatim(words, found.text) or words) if found else words

        return read_answer(text, egress.restore, stored)

    def _questioned(self, talk: Talk, found: Published) -> Published:
        """Ask the control questions of what is about to be published; what the model gets wrong caps the confidence."""
        if found.chain is None or found.report.verdict != "cause_found":
            return found
        findings = self._conclusion.findings
        questions = controls(found.chain, rivals(findings, found.chain), findings)
        try:
            text = talk.say(control_questions(questions))
            answers = read_or_mended(talk, text, read_control_answers)
        except FAILURES as error:
            self._notes.append(f"The control questions were not answered: {failure_words(error)}")
            return replace(
                found, report=capped_at(found.report, "medium", "the model did not answer the control questions")
            )
        citations = Citations(findings.evidence, found.report.evidence)
        rows = graded(questions, answers, citations, self.name)
        failed = [row for row in rows if row.verdict == "failed"]
        report = replace(
            found.report,
            control_questions=(*found.report.control_questions, *rows),
            evidence={**found.report.evidence, **citations.entries},
        )
        if failed:
            reason = f"the model failed {len(failed)} of {len(rows)} control questions: {failed[0].question}"
            report = capped_at(report, "low" if len(failed) > 1 else "medium", reason)
        return replace(found, report=report)

    def _votes(self, first: Weighed) -> list[Weighed]:
        """Read again with the evidence in other orders; a reading that fails is no vote."""
        readings = [first]
        for order in range(1, self._analyst.votes):
            assert self._talk is not None
            assert self._egress is not None
            try:
                handed = self._egress.pack(self._analyst.tokens, order, digest=self._analyst.economy)
                answer = self._first(self._talk.fork(handed.prefix))
            except FAILURES as error:
                self._notes.append(f"Reading {order + 1} of {self._analyst.votes} failed: {failure_words(error)}")
                continue
            readings.append(weigh(answer, self._conclusion.findings, self._belongs))
        return readings

    def _with_reading(self, report: Report, weighed: Weighed, readings: list[Weighed], talk: Talk) -> Report:
        said = report.reading
        assert said is not None
        assert self._egress is not None
        words = plain(weighed.answer.summary)
        wrong = unfit(words, "summary", writable_words(self._case, talk.asked.live)) if words else None
        shown = words if wrong is None and said.agrees and report.verdict == "cause_found" else ""
        dropped = list(said.dropped)
        if wrong is not None:
            dropped.append(Dropped(kind=wrong.kind, where=wrong.where, detail=wrong.detail))
            if wrong.kind == "unsafe_words":
                report = capped_at(report, "medium", f"the model's summary was dropped: {wrong.detail}")
        votes = tally(readings) if self._analyst.votes > 1 else ()
        reading = replace(
            said,
            model=self.name,
            mode=self._analyst.mode,
            words=shown,
            differences=(*said.differences, *self._notes),
            dropped=tuple(dropped),
            votes=votes,
            requests=talk.asked.calls,
            handed=self._shares(report),
            redacted=dict(self._egress.removed),
        )
        if self._analyst.votes > 1:
            report = _voted(report, readings, self._analyst.votes)
        return replace(report, reading=reading)


def with_withheld(
    rows: tuple[SourceCoverage, ...], model: str, handed: Handed, looked_up: int
) -> tuple[SourceCoverage, ...]:
    """Add to each source's ledger row what of it a model could not be shown, and why; a row of its own where it has none."""
    gaps = [Gap(source=each.source, what=f"from {model}: {each.words}", count=each.texts) for each in handed.withheld]
    if looked_up:
        gaps.append(Gap(source=model, what=f"{looked_up:,} rows it looked up withheld: {UNSEARCHED}", count=looked_up))
    told = tuple(
        replace(row, gaps=(*row.gaps, *mine)) if (mine := [gap for gap in gaps if gap.source == row.source]) else row
        for row in rows
    )
    others = dict.fromkeys(gap.source for gap in gaps if gap.source not in {row.source for row in rows})
    return (*told, *(_partial(source, [gap for gap in gaps if gap.source == source]) for source in others))


def _partial(source: str, gaps: list[Gap]) -> SourceCoverage:
    return SourceCoverage(
        source=source, status="partial", items=0, bytes=0, first_at=None, last_at=None, gaps=tuple(gaps)
    )


def tally(readings: list[Weighed]) -> tuple[Vote, ...]:
    """Count for every tie that any reading names in how many it is named; by the names of what is tied."""
    ties: Counter[tuple[str, str]] = Counter()
    for reading in readings:
        ties.update({(named(link.cause), named(link.effect)) for link in reading.links})
    return tuple(
        Vote(cause=cause, effect=effect, agree=count, of=len(readings))
        for (cause, effect), count in sorted(ties.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def _voted(report: Report, readings: list[Weighed], asked_for: int) -> Report:
    """Cap the confidence where the readings do not begin with the same thing."""
    roots = Counter(_root(reading) for reading in readings)
    most = roots.most_common(1)[0][1]
    if len(readings) < asked_for:
        report = capped_at(report, "medium", f"only {len(readings)} of {asked_for} readings were finished")
    if most == len(readings):
        return report
    level: Confidence = "medium" if most * 2 > len(readings) else "low"
    return capped_at(report, level, f"only {most} of {len(readings)} readings of the model begin with the same cause")


def _root(reading: Weighed) -> str:
    root = reading.root
    if root is None:
        return reading.answer.verdict
    return root.signal.id if root.signal else str(root.said.entity)
