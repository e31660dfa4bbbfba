"""How far each thing that a check found caps the confidence, and how the reason is said.

Leaves out the checks themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.analyst.proofs import Finding, FindingKind
from bot.domain.report import Confidence, Report

_RANK: dict[Confidence, int] = {"low": 0, "medium": 1, "high": 2}
_LEVELS: tuple[Confidence, ...] = ("low", "medium", "high")
_CAPS: dict[FindingKind, tuple[Confidence, str]] = {
    "forged_id": ("low", "{n} citation(s) led to no stored item and [was|were] dropped"),
    "invented_quote": ("low", "{n} quote(s) were not found in the stored bytes and [was|were] dropped"),
    "trivial_quote": ("medium", "{n} quote(s) [was|were] too short to prove anything and [was|were] dropped"),
    "shifted_time": ("low", "{n} citation(s) gave another time than the stored item and [was|were] dropped"),
    "wrong_entity": ("low", "{n} citation(s) named another entity than the stored item and [was|were] dropped"),
    "wrong_source": ("medium", "{n} citation(s) named another source than the stored item"),
    "forged_url": ("medium", "{n} link(s) did not lead to the stored item and [was|were] replaced"),
    "missing_evidence": ("medium", "{n} statement(s) cited evidence that does not exist"),
    "step_without_evidence": ("low", "{n} step(s) had no evidence left and [was|were] dropped"),
    "step_time": ("low", "{n} step(s) began at another time than measured"),
    "step_entity": (
        "low",
        "{n} step(s) [was|were] about another entity than [its|their] evidence and [was|were] dropped",
    ),
    "step_count": ("medium", "{n} count(s) differed from the measured ones and [was|were] corrected"),
    "step_unmeasured": ("medium", "{n} step(s) [rests|rest] on quotes alone; nothing measured them"),
    "duplicate": ("medium", "{n} of the steps and links stood twice"),
    "reversed_link": ("low", "{n} link(s) ran against the order of the steps and [was|were] dropped"),
    "dangling_link": ("low", "{n} link(s) led to a step that does not stand and [was|were] dropped"),
    "link_numbers": ("medium", "the numbers of {n} link(s) differed from the recomputed ones and were corrected"),
    "p_value": ("medium", "{n} p-value(s) differed from the recomputed ones and [was|were] corrected"),
    "refuted_link": ("low", "{n} link(s) [is|are] refuted by the recomputed test"),
    "unmeasured_link": ("medium", "{n} link(s) could not be tested again"),
    "episodes": ("medium", "{n} symptom episode number(s) differed from the measured ones"),
    "summary_number": ("medium", "{n} number(s) in the summary could not be found among the computed ones"),
    "spared_number": ("medium", "{n} recommendation(s) promised to spare more than there was"),
    "prediction": ("medium", "{n} prediction(s) could not be checked and [was|were] dropped"),
    "root_mismatch": ("low", "the root cause named is not the first step of the cascade"),
    "no_root": ("low", "the root cause did not stand up to the check"),
    "claim": ("medium", "{n} claim(s) by people [was|were] not what was said, or [was|were] judged without evidence"),
    "untrusted_text": ("medium", "the root cause rests on log text alone, which a user of the system can write"),
    "hearsay": ("low", "the root cause rests on what people wrote alone"),
    "unsafe_words": (
        "medium",
        "{n} passage(s) of the model's prose [was|were] not fit to be shown and [was|were] dropped",
    ),
    "repeated_text": (
        "high",
        "{n} passage(s) of the model's prose only repeated text of the case and [was|were] dropped",
    ),
}


def _said(text: str, count: int) -> str:
    """Fill in how many, with words that agree: ``(s)`` stands for many, ``[was|were]`` for the one or the other."""
    text = re.sub(r"\[([^|\]]+)\|([^\]]+)\]", r"\1" if count == 1 else r"\2", text.format(n=count))
    return text.replace("(s)", "" if count == 1 else "s")


def capped(report: Report, found: Sequence[Finding], least: Confidence = "low") -> Report:
    """Lower the confidence by what did not hold, never below ``least``, and say why."""
    kinds: dict[FindingKind, int] = {
        finding.kind: sum(other.kind == finding.kind for other in found) for finding in found
    }
    lowest = min((_RANK[_CAPS[kind][0]] for kind in kinds), default=_RANK["high"])
    confidence = _LEVELS[min(_RANK[report.confidence], max(lowest, _RANK[least]))]
    reasons = [_said(_CAPS[kind][1], count) for kind, count in kinds.items()]
    return replace(report, confidence=confidence, reasons=(*report.reasons, *reasons))
