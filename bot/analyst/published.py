"""A report on its way to the check: with it go the signals that its steps speak of, so that nothing has to be guessed back."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.analyst.findings import Findings
from bot.analyst.offline import analyse, foremost
from bot.domain.link import Chain
from bot.domain.report import Report
from bot.domain.signal import Kind, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A report, the signals its steps speak of by step id, and the chain it tells where there is one."""

    report: Report
    measured: Mapping[str, Signal]
    chain: Chain | None


def told(findings: Findings, rootness: dict[Kind, float]) -> Published:
    """Let the offline analyst write, from the first of the chains it is handed, or what leads to it."""
    findings = foremost(findings, rootness)
    report = analyse(findings, rootness)
    chain = findings.chains[0] if findings.chains else None
    measured: dict[str, Signal] = {}
    if chain is not None and report.cascade.steps:
        measured = {step.id: s for step, s in zip(report.cascade.steps, chain.signals, strict=True)}
    return Published(report=report, measured=measured, chain=chain if measured else None)
