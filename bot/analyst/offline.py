"""The analyst that needs no model: ranks the tested chains, decides what may be said, and writes the report.

It abstains where support is thin and says what is missing; it never invents a cause. Leaves out how anything was
measured, and trusts the verifier to check what it writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.analyst.advice import recommendations
from bot.analyst.asked import absent_words, asked_words, instead_words, standing_words
from bot.analyst.citations import Citations
from bot.analyst.claim_checks import record_of
from bot.analyst.claims import find_claims, judge_claim
from bot.analyst.conclusion import conclusion, folded_episodes
from bot.analyst.confidence import confidence_of
from bot.analyst.controls import FIRST_SEEN_S, control_questions
from bot.analyst.findings import Findings
from bot.analyst.forecast import predictions
from bot.analyst.growing import growing
from bot.analyst.next_steps import to_fetch
from bot.analyst.origins import (
    LEAST_FURTHER,
    asked_too_much,
    carried,
    further,
    grew_between,
    instead,
    standing_of,
    unserved,
)
from bot.analyst.outages import one_outage, with_its_outage
from bot.analyst.questions import symptom_wish
from bot.analyst.quiet import OFTEN, alarms, asked_about, set_aside, spread
from bot.analyst.rivals import Rival, contributing, rivals, ruled_out
from bot.analyst.roots import FAR, against, cleared_roots
from bot.analyst.steps import cascade, summary_of
from bot.analyst.suspicion import suspected
from bot.analyst.sustaining import kept_up, sustaining
from bot.analyst.undone import without_vain
from bot.analyst.unread import too_much_unread, unread_words
from bot.analyst.words import (
    capital,
    counted,
    happened,
    length,
    one as article,
    times,
)
from bot.domain.items import LOG_SOURCES, SourceCoverage
from bot.domain.link import Chain
from bot.domain.report import (
    AskedWindow,
    Claim,
    Confidence,
    Contributing,
    Episode,
    Report,
    RootCause,
    Symptom,
    Usage,
    Verdict,
)
from bot.domain.signal import Kind, Signal
from bot.domain.window import instant

LEAST_SCORE = 0.22
"""Score under which a chain is a guess, not a finding."""
LEAST_ROOT = 0.5
"""How well a root must be able to stand at the start of a chain before it is called the cause."""
LEAST_EXPLAINED = 0.5
"""Share of the symptom's episodes that a cause must account for."""
NEARLY_ALL = 0.9
"""The same where one kind of response is asked for and it cannot be told from others: some may be of another cause."""
CHANGES = frozenset({Kind.ROLLOUT, Kind.RELOAD, Kind.CONFIG_CHANGE, Kind.SECRET_CHANGE, Kind.HUMAN_CHANGE})
"""Kinds that stay in force: what was there before one did not come from it."""
SELDOM = 5
"""A step that so many times came for each time that the next one followed."""
VITAL = ("kubernetes/logs", "kubernetes/events", "kubernetes/objects")
_PEOPLE = ("slack", "jira", "grafana")
"""Sources of what people said: an incident is not seen in them, but measured elsewhere."""


@dataclass(frozen=True, slots=True)
class _Judged:
    verdict: Verdict
    confidence: Confidence
    reasons: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Tell whether a cause may be named."""
        return self.verdict == "cause_found"


def analyse(findings: Findings, rootness: dict[Kind, float]) -> Report:
    """Write the report of a digested case; ``rootness`` says how well each kind can begin a chain."""
    citations = Citations(findings.evidence)
    if findings.symptom is None:
        return _quiet(findings, citations)
    chain = findings.chains[0] if findings.chains else None
    judged = _judge(findings, chain, rootness)
    found = rivals(findings, chain, known=judged.verdict == "cause_found")
    if chain is None or judged.verdict != "cause_found":
        return _inconclusive(findings, judged, chain, found, citations)
    kept = sustaining(findings, chain, rootness)
    found = [rival for rival in found if rival.signal not in kept]
    return _cause_found(findings, judged, chain, found, kept, citations)


def foremost(findings: Findings, rootness: dict[Kind, float]) -> Findings:
    """Put first the chain to tell: the best one, or what leads to its root where that is but an effect itself."""
    if not findings.chains or findings.symptom is None:
        return findings
    findings = without_vain(findings, rootness)

    def holds(chain: Chain) -> bool:
        return _judge(findings, chain, rootness).holds

    told = further(findings.chains, holds, rootness)
    told = asked_too_much(unserved(told, findings.chains, holds, findings.topology), findings.chains, holds)
    cleared = cleared_roots(findings, rootness, holds)
    told = instead(told, findings.chains, cleared, holds, rootness)
    others = (chain for chain in findings.chains if chain is not told and not one_outage(told.root, chain.root))
    chains = (with_its_outage(findings, told), *others)
    return replace(findings, chains=chains, cleared=cleared)


def _cause_found(
    findings: Findings,
    judged: _Judged,
    chain: Chain,
    found: list[Rival],
    kept: tuple[Signal, ...],
    citations: Citations,
) -> Report:
    steps = cascade(chain, findings, citations)
    asked = suspected(findings, chain, found, citations)
    said = {each.answer for each in asked}
    controls = (
        *asked,
        *(each for each in control_questions(chain, found, findings, citations) if each.answer not in said),
    )
    failed = [question for question in controls if question.verdict == "failed"]
    confidence = judged.confidence
    reasons = judged.reasons
    if failed:
        confidence = "low" if len(failed) > 1 or confidence == "low" else "medium"
        reasons = (*reasons, *(f"control question failed: {question.question}" for question in failed))
    root = chain.root
    worse = contributing(findings, chain, kept, citations)
    found = [one for one in found if not _made_it_worse(one.signal, worse, findings)]
    return _report(
        findings,
        citations,
        verdict="cause_found",
        confidence=confidence,
        reasons=reasons,
        summary=conclusion(chain) + kept_up(chain, kept) + asked_words(findings, chain),
        symptom=_symptom(findings, chain, citations),
        root_cause=RootCause(
            summary=summary_of(root), entity=findings.topology.root(root.entity), mechanism=root.kind.value
        ),
        cascade=steps,
        contributing=worse,
        ruled_out=tuple(ruled_out(rival, findings, citations) for rival in found if not rival.open),
        undecided=tuple(ruled_out(rival, findings, citations) for rival in found if rival.open),
        control_questions=controls,
        claims=_claims(findings, chain, citations),
        predictions=predictions(chain, findings),
        recommendations=recommendations(chain, findings),
    )


def _made_it_worse(signal: Signal, worse: Sequence[Contributing], findings: Findings) -> bool:
    """Tell a node that is told to have made it worse: it is not ruled out beside that."""
    place = findings.topology.root(signal.entity)
    return signal.kind is Kind.NODE_FAILURE and any(part.entity == place for part in worse)


def _inconclusive(
    findings: Findings, judged: _Judged, chain: Chain | None, found: list[Rival], citations: Citations
) -> Report:
    symptom = findings.symptom
    assert symptom is not None
    seen = f"{capital(happened(symptom))} in {counted(len(symptom.occurrences), 'episode')}"
    lead = ""
    if chain is not None:
        lead = (
            f" The best lead is {article(chain.root.kind)} of {chain.root.entity} "
            f"({len(chain.explained)} of {len(symptom.occurrences)} episodes), but {judged.reasons[0]}."
        )
    elif judged.reasons:
        lead = f" {capital(judged.reasons[0])}."
    return _report(
        findings,
        citations,
        verdict="inconclusive",
        confidence="low",
        reasons=(*judged.reasons, *(f"what would help: {how}" for how, _ in to_fetch(findings.coverage))),
        summary=f"{seen}; nothing in the window can be shown to have caused it.{lead}{growing(findings)}{asked_words(findings, chain)}",
        symptom=_symptom(findings, None, citations),
        ruled_out=tuple(ruled_out(rival, findings, citations) for rival in found if not rival.open),
        undecided=tuple(ruled_out(rival, findings, citations) for rival in found if rival.open),
        control_questions=suspected(findings, chain, found, citations, doubt=judged.reasons[0]),
        claims=_claims(findings, None, citations),
    )


def _quiet(findings: Findings, citations: Citations) -> Report:
    errors = sorted(
        (s for s in findings.signals.values() if s.kind is Kind.SERVER_ERROR), key=lambda s: (-s.total, s.id)
    )
    background = ""
    if errors:
        background = f" {capital(happened(errors[0]))}, {errors[0].total:,} in all, {spread(errors[:1], findings)}."
    seen = [row.source for row in findings.coverage if row.status in ("complete", "partial")]
    enough = any(source in seen for source in (*LOG_SOURCES, "prometheus"))
    torn = [gap for row in findings.coverage for gap in row.gaps if gap.lost and gap.what.endswith("is missing")]
    unread = [row.source for row in findings.coverage if _could_not_look(row)]
    unheard = too_much_unread(findings)
    instead = instead_words(findings)
    verdict: Verdict = "inconclusive" if instead or torn or unread or unheard or not enough else "no_incident"
    missing = [row.source for row in findings.coverage if row.status == "missing"]
    partial = [row.source for row in findings.coverage if row.status == "partial" and row.source not in _PEOPLE]
    said = [one for one in alarms(findings) if one.total >= OFTEN][:1]
    summary = f"There are no logs and no metrics to see a symptom in; missing: {', '.join(missing)}."
    if torn:
        summary = f"Nothing in what could be read rises above the everyday, but {torn[0].what}: export it again."
    elif enough and unread:
        names = " and ".join(unread)
        summary = f"Nothing in what could be read rises above the everyday, but {names} could not be read."
    elif enough and unheard:
        summary = f"Nothing in what could be looked at rises above the everyday, but {unread_words(unheard)}."
    elif enough:
        window = length(findings.window.length_s)
        told = (asked_about(findings) or absent_words(findings) + background) + standing_words(findings)
        summary = instead or f"Nothing in these {window} rises above the everyday enough to be an incident.{told}"
    return _report(
        findings,
        citations,
        verdict=verdict,
        confidence="low" if missing or unheard or instead else "medium" if partial or said else "high",
        reasons=(
            *(
                [f"{unread_words(unheard)}; a shorter window may fit, or what is missing can be fetched again"]
                if unheard
                else ()
            ),
            *(f"{source} is missing" for source in missing),
            *(f"{source} was read in part only" for source in partial),
            *(f"an event warns of {one.label} {times(one.total)}, which nothing measured bears out" for one in said),
        ),
        summary=summary,
        ruled_out=set_aside(findings, citations),
        claims=_claims(findings, None, citations),
    )


def _could_not_look(row: SourceCoverage) -> bool:
    """Tell whether an incident may have passed unseen, for nothing of a source that measures came."""
    return row.status == "missing" and row.source not in _PEOPLE and any(gap.lost for gap in row.gaps)


def _judge(findings: Findings, chain: Chain | None, rootness: dict[Kind, float]) -> _Judged:
    missing = [row.source for row in findings.coverage if row.status == "missing" and row.source in VITAL]
    absent = tuple(f"{source} is missing" for source in missing)
    if chain is None:
        return _Judged("inconclusive", "low", ("no event in the window is followed by it beyond chance", *absent))
    episodes = max(1, len(chain.symptom.occurrences))
    share = len(chain.explained) / max(1, folded_episodes(chain))
    standing = standing_of(chain.root, rootness)
    doubts = []
    if share < LEAST_EXPLAINED:
        doubts.append(f"it leaves {episodes - len(chain.explained)} of {counted(episodes, 'episode')} unexplained")
    elif share < NEARLY_ALL and (asked := _not_told_apart(findings, chain)):
        left = episodes - len(chain.explained)
        doubts.append(
            f"{asked} cannot be told from other failures here, and {left} of {counted(episodes, 'episode')} stay unexplained"
        )
    if standing < LEAST_ROOT:
        doubts.append(f"{article(chain.root.kind)} is itself an effect of something not seen")
    doubts += against(findings, chain, rootness)
    if chain.score < (LEAST_FURTHER if carried(chain, findings.chains, LEAST_SCORE) else LEAST_SCORE):
        doubts.append("its links are weakly supported")
    far = chain.links[0].scope in FAR and not grew_between(chain)
    if chain.end_to_end.status == "refuted" and (far or _seldom_followed(chain)):
        doubts.append("tested straight against the symptom it follows no more often than chance would have it")
    before = _before(chain)
    if before * 5 > episodes and chain.root.kind in CHANGES:
        doubts.append(f"{before} of {counted(episodes, 'episode')} had begun before it")
    if doubts:
        return _Judged("inconclusive", "low", (*doubts, *absent))
    return _Judged("cause_found", *confidence_of(findings, chain, share, standing, absent))


def _seldom_followed(chain: Chain) -> bool:
    """Tell whether a step on the way came mostly without the next: what it did all along began nothing new."""
    tests = [link.test for link in chain.links]
    return any(SELDOM * test.hits <= test.hits + test.misses for test in tests)


def _not_told_apart(findings: Findings, chain: Chain) -> str:
    """Name the response that the question asks for, where what was seen does not say which responses they were."""
    asked = symptom_wish(findings.question).statuses
    seen = chain.symptom.attributes.get("status", "")
    if len(asked) != 1 or seen in {str(status) for status in asked} or chain.symptom.kind is not Kind.SERVER_ERROR:
        return ""
    return f"HTTP {min(asked)} responses"


def _before(chain: Chain) -> int:
    """Count the episodes that had begun before the root came at all."""
    first = chain.root.occurrences[0].start_s - FIRST_SEEN_S
    return sum(1 for one in chain.symptom.occurrences if one.start_s < first)


def _symptom(findings: Findings, chain: Chain | None, citations: Citations) -> Symptom:
    signal = findings.symptom
    assert signal is not None
    told = set(chain.explained) if chain else set()
    episodes = tuple(
        Episode(start=instant(one.start_s), end=instant(one.end_s), count=round(one.size), explained=place in told)
        for place, one in enumerate(signal.occurrences)
    )
    return Symptom(
        summary=summary_of(signal),
        entity=findings.topology.root(signal.entity),
        episodes=episodes,
        explained=len(told),
        unexplained=len(episodes) - len(told),
        evidence=citations.cite_all(
            [(ref, one.start_s) for one in signal.occurrences[:2] for ref in one.refs[:1]], entity=signal.entity
        ),
    )


def _claims(findings: Findings, chain: Chain | None, citations: Citations) -> tuple[Claim, ...]:
    record, quiet = record_of(findings), findings.symptom is None
    judged = []
    for claim in find_claims(findings.messages, findings.tickets, record.signals, findings.things, quiet=quiet):
        verdict = judge_claim(claim, chain, record)
        evidence = citations.cite(claim.item, quote=claim.quote)
        judged.append(
            Claim(
                author=verdict.author,
                quote=verdict.quote,
                status=verdict.status,
                reason=verdict.reason,
                permalink=verdict.permalink,
                evidence=(evidence,) if evidence else (),
            )
        )
    return tuple(judged)


def _report(findings: Findings, citations: Citations, **parts: object) -> Report:
    window = findings.window
    return Report(
        case=findings.case,
        window=AskedWindow(start=window.start, end=window.end, asked=window.asked),
        question=findings.question,
        coverage=tuple(findings.coverage),
        evidence=dict(citations.entries),
        tested=findings.tested,
        usage=Usage(seconds=dict(findings.seconds)),
        **parts,  # type: ignore[arg-type] # the callers above name each part
    )
