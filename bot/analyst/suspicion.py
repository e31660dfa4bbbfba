"""What the question itself suspects ("is it 3.2.0?", "is the nightly job the reason?"), answered in the report by the tests.

Leaves out questions that suspect nothing, and things that nothing happened to.
"""

import re
from collections.abc import Sequence

from bot.analyst.citations import Citations
from bot.analyst.findings import Findings
from bot.analyst.questions import known_entities, match_entities
from bot.analyst.rivals import LASTING, NOTABLE, Rival, why_not
from bot.analyst.words import clock_s, noun_of
from bot.domain.link import Chain
from bot.domain.report import ControlQuestion
from bot.domain.signal import Kind, Signal

_VERSION = re.compile(r"(?<![\w./:-])v?(\d+\.\d+\.\d+)(?![\w/:-]|\.\w)")
_SUSPECTS = re.compile(
    r"\b(?:is|was|are|were) (?:it|this|that)\b|\b(?:reason|behind|because|blame|culprit|since(?! (?:when|about|around|then|last|this|today|yesterday|\w+day|\d))|due to|caus\w+)\b|\b(?:is|was) .{0,200}\b(?:related|involved)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(r"^\W*(?:(?:so|and|but|hey)\W+)*(?:what|why|how|which|who|when|where)\b", re.IGNORECASE)
"""Asked for an answer: "what caused it?" suspects nothing."""
_CLAUSE_ENDS = re.compile(r"[,;?!]|\.(?=\s|$)")
ACTS = LASTING | {Kind.JOB_RUN}
"""What somebody suspects who names a thing and no trouble of it."""


def suspected(
    findings: Findings, chain: Chain | None, found: Sequence[Rival], citations: Citations, *, doubt: str = ""
) -> tuple[ControlQuestion, ...]:
    """Answer what the question suspects; ``doubt`` says why the chain's root is not called the cause, where it is not."""
    signal = _meant(findings)
    if signal is None or findings.symptom is None or signal.id == findings.symptom.id:
        return ()
    verdict, answer = _judged(signal, findings, chain, found, doubt)
    if not answer:
        return ()
    one = signal.occurrences[0]
    return (
        ControlQuestion(
            question=f"You ask about the {noun_of(signal)} of {signal.entity} at {clock_s(one.start_s)}: was it that?",
            answer=answer,
            verdict="passed" if verdict else "failed",
            evidence=citations.cite_all([(ref, one.start_s) for ref in one.refs[:1]], entity=signal.entity),
        ),
    )


def _meant(findings: Findings) -> Signal | None:
    """Give the event that the question suspects: by its version, else by the name of what acted."""
    text = findings.question
    versions = _VERSION.findall(text)
    clauses = [each for each in _CLAUSE_ENDS.split(text) if _SUSPECTS.search(each) and not _ASKS.match(each)]
    if not versions and not clauses:
        return None
    signals = [one for one in findings.signals.values() if one.occurrences and one.kind in ACTS]
    known = known_entities(signals, None)
    suspects = () if versions else match_entities(", ".join(clauses), known)[0]
    named = set(suspects or match_entities(text, known)[0])
    own = [one for one in signals if not named or {one.entity, findings.topology.root(one.entity)} & named]
    if versions:
        own = [one for one in own if any(each in row.note for each in versions for row in one.occurrences)]
    elif not named:
        return None
    return max(own, key=lambda one: (NOTABLE.get(one.kind, 0.0), one.id), default=None)


def _judged(
    signal: Signal, findings: Findings, chain: Chain | None, found: Sequence[Rival], doubt: str
) -> tuple[bool, str]:
    """Tell whether it could be answered, and how; an empty answer where nothing is known of it."""
    on_chain = [at for at, one in enumerate(chain.signals, 1) if one.id == signal.id] if chain else []
    if on_chain and not doubt:
        return True, "Yes, the cascade begins with it." if on_chain[
            0
        ] == 1 else f"It is step S{on_chain[0]}, not where it began."
    if on_chain:
        return False, f"That cannot be told: it is on the best lead, but {doubt}."
    rival = next((one for one in found if one.signal.id == signal.id), None)
    if rival is not None and rival.open:
        return False, f"That cannot be told: {rival.reason}."
    if rival is not None:
        return True, f"No: {rival.reason}."
    assert findings.symptom is not None
    link = findings.test(signal, findings.symptom)
    reason = why_not(signal, link, findings.symptom, None if doubt else chain)
    return (True, f"No: {reason}.") if reason else (False, "")
