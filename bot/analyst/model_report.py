"""Makes one report of a model's answer and the measurements: the model chooses and quotes, the engine measures, code writes.

No sentence of the model becomes the report's: its steps are told in this program's words from the signals they were matched
to. Where both name the same cause the fuller tested cascade stands; where they differ the better tested one does, and the
difference is shown. A cause that only the model sees stands with its links untested, and never on writable text alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from bot.analyst.caps import capped
from bot.analyst.citations import Citations
from bot.analyst.claim_checks import record_of
from bot.analyst.claims import FoundClaim, judge_claim
from bot.analyst.findings import Findings
from bot.analyst.model_answer import ModelAnswer, SaidClaim
from bot.analyst.model_match import Matched, alike, false_quote, same_place
from bot.analyst.model_weigh import Weighed, against_symptom, objection
from bot.analyst.proofs import CHAT, Belongs, Finding
from bot.analyst.published import Published, told
from bot.analyst.steps import summary_of
from bot.analyst.verify import SYMPTOM_KEY
from bot.analyst.words import capital, clock, noun, one_of, times
from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.link import Chain
from bot.domain.report import (
    AskedWindow,
    Cascade,
    Claim,
    Confidence,
    Dropped,
    Reading,
    Report,
    RootCause,
    Step,
    StepLink,
    Unmeasured,
)
from bot.domain.signal import Kind, Signal
from bot.domain.window import instant

MOST_ADDED = 2
"""Quotes of the model that join a step's own evidence."""
NOT_TESTED = "not tested: nothing measured one of its ends"


def published(
    weighed: Weighed, own: Published, findings: Findings, rootness: dict[Kind, float], belongs: Belongs
) -> Published:
    """Decide whose cascade stands, put in what the model adds, and cap the confidence by what did not hold."""
    chosen, agrees, differences = _chosen(weighed, own, findings, rootness)
    citations = Citations(findings.evidence, chosen.report.evidence)
    report = _with_quotes(chosen, weighed, citations)
    found = list(weighed.findings)
    claims = _claims(weighed.answer, chosen.chain, findings, belongs, citations, found)
    unmeasured = _unmeasured(weighed, chosen, citations)
    differences += [f"Of the links the model claims: {objection(link)}" for link in weighed.refuted]
    differences += _ruled_out_wrongly(weighed.answer, chosen.chain, findings)
    reading = Reading(
        model="",
        agrees=agrees,
        differences=tuple(dict.fromkeys(differences)),
        unmeasured=unmeasured,
        dropped=tuple(Dropped(kind=one.kind, where=one.where, detail=one.detail) for one in found),
    )
    report = replace(
        report,
        claims=_merged_claims(report.claims, claims),
        evidence={**report.evidence, **citations.entries},
        reading=reading,
    )
    tested = chosen.chain is not None and all(link.test.status == "supported" for link in chosen.chain.links)
    least: Confidence = "medium" if tested else "low"
    if not agrees and report.verdict == "cause_found":
        report = capped_at(report, least if own.chain is chosen.chain else "low", "model and measurements disagree")
    return replace(chosen, report=capped(report, found, least))


def _chosen(
    weighed: Weighed, own: Published, findings: Findings, rootness: dict[Kind, float]
) -> tuple[Published, bool, list[str]]:
    """Give the cascade that stands, whether the model names its root, and where the two differ."""
    answer, root = weighed.answer, weighed.root
    engine = own.chain if own.report.verdict == "cause_found" else None
    if answer.verdict != "cause_found" or root is None:
        return own, engine is None and answer.verdict != "cause_found", _verdicts(answer, own.report, root)
    if findings.symptom is None:
        what = f"The model sees an incident that begins with {named(root)}; nothing measured rises above the everyday."
        return own, False, [what]
    theirs = told(replace(findings, chains=(weighed.chain, *findings.chains)), rootness) if weighed.chain else None
    if theirs is None or theirs.report.verdict != "cause_found" or root.signal is None:
        theirs = None
    if engine is not None and root.signal is not None and alike(root.signal, engine.root, findings.topology):
        return _fuller(theirs, own), True, []
    return _differing(weighed, own, theirs, findings)


def _fuller(theirs: Published | None, own: Published) -> Published:
    """Of two cascades from the same root, give the model's where it has more steps and all of its links are shown."""
    if theirs is None or theirs.chain is None or own.chain is None:
        return own
    shown = all(link.test.status == "supported" for link in theirs.chain.links)
    return theirs if shown and len(theirs.chain.signals) > len(own.chain.signals) else own


def _differing(
    weighed: Weighed, own: Published, theirs: Published | None, findings: Findings
) -> tuple[Published, bool, list[str]]:
    """Choose between two causes: what is shown to explain more stands; what only the model sees stands untested."""
    root = weighed.root
    assert root is not None
    engine = own.chain if own.report.verdict == "cause_found" else None
    if theirs is not None and theirs.chain is not None:
        explains = len(theirs.chain.explained)
        if engine is None:
            report = capped_at(theirs.report, "medium", "the measurements alone named no cause; the model's was tested after it was named")  # fmt: skip
            return replace(theirs, report=report), True, []
        if explains > len(engine.explained):
            other = f"The measurements alone would name {one_of(engine.root)}, which explains {len(engine.explained)} of the episodes."
            return theirs, True, [other]
    if engine is not None:
        return own, False, [_overruled(root, engine, findings)]
    if root.writable or weighed.refuted:
        why = "stands only in text that a user of the system can write" if root.writable else "does not stand the test"
        return own, False, [f"The model names {named(root)} as the start, which {why}."]
    return _untested(weighed, own, findings), True, []


def _verdicts(answer: ModelAnswer, own: Report, root: Matched | None) -> list[str]:
    if answer.verdict == "cause_found" and root is None:
        return ["The model names a cause, and nothing it quotes for it stands in the case as a cause."]
    if answer.verdict == own.verdict:
        return []
    said = {"inconclusive": "finds no cause", "no_incident": "sees no incident", "cause_found": "names a cause"}
    return [f"The model {said[answer.verdict]}; the measurements say: {own.verdict.replace('_', ' ')}."]


def _overruled(root: Matched, engine: Chain, findings: Findings) -> str:
    tested = f" ({against_symptom(root.signal, findings)})" if root.signal else ", which nothing measured"
    return f"The model names {named(root)} as the start{tested}; the measurements name {one_of(engine.root)}."


def named(step: Matched) -> str:
    """Name a step: as it was measured, else as the model calls it."""
    if step.signal is not None:
        return one_of(step.signal)
    what = noun(step.said.kind) if step.said.kind else "something"
    return f"{what} of {step.said.entity}"


def _untested(weighed: Weighed, own: Published, findings: Findings) -> Published:
    """Tell the cascade of the model alone: its quotes stand, its links do not count as shown."""
    symptom = findings.symptom
    assert symptom is not None
    citations = Citations(findings.evidence, own.report.evidence)
    steps: list[Step] = []
    measured: dict[str, Signal] = {}
    for each in weighed.steps:
        if each.signal is not None and each.signal.id == symptom.id:
            break
        if (step := _step(each, f"S{len(steps) + 1}", findings, citations)) is not None:
            steps.append(step)
            if each.signal is not None:
                measured[step.id] = each.signal
    last = f"S{len(steps) + 1}"
    refs = [(ref, one.start_s) for one in symptom.occurrences[:2] for ref in one.refs[:1]]
    felt = citations.cite_all(refs, entity=symptom.entity)
    if not steps or not felt:
        return own
    steps.append(_measured_step(symptom, last, findings, felt))
    measured[last] = symptom
    root = steps[0]
    links = tuple(
        StepLink(
            cause=a.id, effect=b.id, status="untested", lag=None, hits=0, misses=0, unexplained=0, p_value=None, test=NOT_TESTED,
        )
        for a, b in pairwise(steps)
    )  # fmt: skip
    report = replace(
        own.report,
        verdict="cause_found",
        confidence="low",
        summary=f"{root.summary} is where it begins as the model reads it; no test ties it to {one_of(symptom)}.",
        root_cause=RootCause(summary=root.summary, entity=root.entity, mechanism=root.mechanism),
        cascade=Cascade(steps=tuple(steps), links=links),
        evidence={**own.report.evidence, **citations.entries},
        reasons=(
            *own.report.reasons,
            "the cause is the model's reading alone: quoted, but tied to the symptom by no test",
        ),
    )
    return Published(report=report, measured={**measured, SYMPTOM_KEY: symptom}, chain=None)


def _step(each: Matched, name: str, findings: Findings, citations: Citations) -> Step | None:
    keys = _cited(each, citations)
    if not keys:
        return None
    if each.signal is not None:
        return _measured_step(each.signal, name, findings, keys)
    first = next((stored.at for stored in findings.evidence.items([q.item for q in each.quotes]) if stored.at), None)
    if first is None or not findings.window.contains(first.timestamp()):
        first = findings.window.start
    what = capital(noun(each.said.kind) if each.said.kind else "something")
    return Step(
        id=name,
        summary=f"{what} of {each.said.entity}, seen {clock(first)} and not measured",
        entity=findings.topology.root(each.said.entity),
        mechanism=each.said.kind.value if each.said.kind else Kind.LOG_ERROR.value,
        first_at=first,
        count=1,
        evidence=keys,
    )


def _measured_step(signal: Signal, name: str, findings: Findings, keys: tuple[str, ...]) -> Step:
    return Step(
        id=name,
        summary=summary_of(signal),
        entity=findings.topology.root(signal.entity),
        mechanism=signal.kind.value,
        first_at=instant(signal.occurrences[0].start_s),
        count=len(signal.occurrences),
        evidence=keys,
        times=tuple((instant(one.start_s), instant(one.end_s)) for one in signal.occurrences[:300]),
    )


def _cited(each: Matched, citations: Citations, most: int = 3) -> tuple[str, ...]:
    entity = each.signal.entity if each.signal else None
    keys = [
        citations.cite(q.item, quote=q.text, entity=entity, at_s=q.at.timestamp() if q.at else None)
        for q in each.quotes[:most]
    ]
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def _with_quotes(chosen: Published, weighed: Weighed, citations: Citations) -> Report:
    """Let the model's quotes stand beside the engine's own evidence of the same step, where they are no repetition."""
    known = {(item.locator.split(" ", 1)[0], item.quote) for item in chosen.report.evidence.values()}
    by_signal = {each.signal.id: each for each in weighed.steps if each.signal is not None}

    def more(step: Step) -> Step:
        signal = chosen.measured.get(step.id)
        each = by_signal.get(signal.id) if signal is not None else None
        if each is None:
            return step
        fresh = replace(each, quotes=tuple(q for q in each.quotes if (q.item, q.text) not in known))
        return replace(step, evidence=(*step.evidence, *_cited(fresh, citations, MOST_ADDED)))

    steps = [more(step) for step in chosen.report.cascade.steps]
    return replace(chosen.report, cascade=replace(chosen.report.cascade, steps=tuple(steps)))


def _unmeasured(weighed: Weighed, chosen: Published, citations: Citations) -> tuple[Unmeasured, ...]:
    """List the steps of the model that nothing measured, and that are not told as steps."""
    told = {step.entity for step in chosen.report.cascade.steps if step.id not in chosen.measured}
    rows = []
    for each in weighed.steps:
        if each.signal is None and each.said.entity not in told:
            keys = _cited(each, citations)
            if keys:
                rows.append(Unmeasured(summary=capital(named(each)), entity=each.said.entity, evidence=keys))
    return tuple(rows)


def _ruled_out_wrongly(answer: ModelAnswer, chain: Chain | None, findings: Findings) -> list[str]:
    """Say where the model rules out what the cascade rests on."""
    steps = chain.signals[:-1] if chain else ()
    return [
        f"The model rules out {one_of(signal)}, which is measured as part of the cascade {times(len(signal.occurrences))}."
        for said in answer.ruled_out
        for signal in steps
        if said.kind is signal.kind and same_place(signal, said.entity, findings.topology)
    ]


def _claims(
    answer: ModelAnswer, chain: Chain | None, findings: Findings, belongs: Belongs, citations: Citations, found: list[Finding]
) -> list[Claim]:  # fmt: skip
    """Judge what the model says people blamed; the words must be theirs, and the engine says whether they were right."""
    window = AskedWindow(start=findings.window.start, end=findings.window.end, asked="")
    judged = []
    for at, said in enumerate(answer.claims):
        stored = findings.evidence.item(said.quote.item)
        author = Entity("Ticket" if stored and stored.source == "jira" else "Person", stored.entity if stored else "?")
        wrong = false_quote(said.quote, author, findings.evidence, window, belongs, f"claims[{at}]")
        if wrong is not None or stored is None or stored.source not in CHAT:
            found.append(
                wrong or Finding(kind="claim", where=f"claims[{at}]", detail="nobody said that in the chat or a ticket")
            )
            continue
        claim = _found_claim(said, findings)
        if claim is None or not (claim.kinds or claim.entities):
            continue
        verdict = judge_claim(claim, chain, record_of(findings))
        key = citations.cite(said.quote.item, quote=said.quote.text)
        judged.append(replace(verdict, evidence=(key,) if key else ()))
    return judged


def _found_claim(said: SaidClaim, findings: Findings) -> FoundClaim | None:
    author, at, link = "", None, None
    for item, message in findings.messages:
        if item == said.quote.item:
            author, at, link = message.author, message.at, message.permalink
    for item, entry in findings.tickets:
        if item == said.quote.item:
            author, at, link = entry.author, entry.at, entry.url
    if at is None:
        return None
    places = [
        s.entity for s in findings.signals.values() if said.entity and same_place(s, said.entity, findings.topology)
    ]
    return FoundClaim(
        item=ItemId(said.quote.item),
        author=author,
        quote=said.quote.text,
        at=at,
        kinds=frozenset({said.kind} if said.kind else ()),
        entities=tuple(dict.fromkeys(places)),
        permalink=link,
    )


def _merged_claims(own: Sequence[Claim], added: Sequence[Claim]) -> tuple[Claim, ...]:
    """Put the model's finds behind the program's own, each person's words once."""
    kept = list(own)
    for claim in added:
        if not any(
            claim.author == have.author and (claim.quote in have.quote or have.quote in claim.quote) for have in kept
        ):
            kept.append(claim)
    return tuple(kept)


def capped_at(report: Report, most: Confidence, reason: str) -> Report:
    """Hold the confidence down to a level, with the reason."""
    rank = ("low", "medium", "high")
    level = min(report.confidence, most, key=rank.index)
    return replace(report, confidence=level, reasons=(*report.reasons, reason))
