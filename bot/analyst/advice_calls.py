"""Calls that are made too often or waited for too long: retries, lookups that a resolver drops, third parties that hang."""

import re
from collections import Counter
from math import ceil

from bot.analyst import counterfactuals as would
from bot.analyst.advice_parts import fact_of, places_of, struck_of, would_have
from bot.analyst.findings import Findings
from bot.analyst.words import counted, plural
from bot.domain.link import Chain
from bot.domain.report import Recommendation
from bot.domain.signal import Kind, Signal
from bot.domain.what_if import Range, WhatIf, exactly, stepped

DROPS = 0.01
"""From this share of failed queries on a resolver is at what it can answer."""
LEAST_SAMPLES = 6
_ATTEMPT = re.compile(
    r"(?i)\b(?:attempt|retry|retries|tries|try)(?:[ _]?(?:count|number|no|nr|n))?[\"']?\s{0,2}[:=#]?\s{0,2}[\"']?(?P<number>\d{1,3})(?!\d|\.\d)"
    r"(?:\s?(?:of|/|out of)\s?(?P<most>\d{1,3}))?"
)


def retries(signal: Signal, _chain: Chain, findings: Findings) -> Recommendation | None:
    """Bound retries by the numbers that they bear in the lines that tell of them."""
    texts = findings.measures.texts(signal) if findings.measures is not None else ()
    read = [found for _, _, text in texts if (found := _ATTEMPT.search(text))]
    numbers = [int(found["number"]) for found in read]
    if not numbers or max(numbers) < 2:
        return None
    told = Counter(numbers)
    most = max([max(numbers), *(int(found["most"]) for found in read if found["most"])])
    what = WhatIf(
        setting="retries a call",
        entity=signal.entity,
        unit="",
        present=most,
        proposed=1,
        things="retries" if len(numbers) == signal.total else "retries whose number was read",
        total=len(numbers),
        points=stepped(range(most), lambda value: exactly(would.beyond(numbers, int(value))), kept=(1,), rising=False),
        assumption="no call succeeds only because it is tried so often",
        rising=False,
    )
    spread = ", ".join(f"{count:,} as number {number}" for number, count in sorted(told.items())[:4])
    return Recommendation(
        summary=f"Let {signal.entity} try a failed call again once at most, with jitter and a budget for all of them",
        rationale=f"retries multiply the load just when there is least room for it: {len(numbers):,} were logged with their number, {spread}",
        change=None,
        effect=(
            f"{would_have('one retry a call', what)}; none at all would have spared {what.words(0)}. How many calls were first tries "
            "is not logged, so their share of the load is not measured"
        ),
        what_if=(what,),
    )


def names(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Give a resolver room for what it is asked, or ask it less, by its own counters."""
    resolver = _resolver(signal, chain)
    measured = findings.measures.answered(resolver.entity) if findings.measures is not None and resolver else None
    if measured is None or resolver is None:
        return None
    rows = [
        (asked, min(failed, asked)) for asked, failed in zip(measured.asked, measured.failed, strict=True) if asked > 0
    ]
    full = sorted(asked - failed for asked, failed in rows if failed > DROPS * asked)
    if len(full) < LEAST_SAMPLES:
        return None
    limit = full[len(full) // 2]
    peak = max(asked for asked, _ in rows)
    dropped = [failed * measured.step_s for asked, failed in rows if failed > DROPS * asked]
    total = int(sum(dropped))
    wanted = float(ceil(peak))

    def spares(value: float) -> Range:
        return exactly(min(total, would.answered(dropped, (value - limit) * measured.step_s)))

    what = WhatIf(
        setting="queries answered a second",
        entity=resolver.entity,
        unit="/s",
        present=limit,
        proposed=wanted,
        things="failed queries",
        total=total,
        points=stepped([limit + (wanted - limit) * part / 20 for part in range(1, 21)], spares, kept=(wanted,)),
        assumption="what failed is what came beyond what could be answered",
    )
    fewer = 1 - limit / peak
    return Recommendation(
        summary=f"Ask {resolver.entity} less (a cache on each node, fully qualified names or ndots:1), or let what answers it take {wanted:,.0f} queries a second",
        rationale=(
            f"it was asked up to {peak:,.1f} queries a second and answered {limit:,.1f} at most (middle of {counted(len(full), 'sample')} in "
            f"which queries failed, {full[0]:,.1f} to {full[-1]:,.1f})"
        ),
        change=None,
        effect=f"{would_have(f'{wanted:,.0f} answers a second', what)}; {fewer:.0%} fewer queries at the peak would have done the same",
        what_if=(what,),
    )


def _resolver(signal: Signal, chain: Chain) -> Signal | None:
    """Give the step that is the resolver's own where one is, so that the same advice is not given twice."""
    steps = [one for one in chain.signals if one.kind is Kind.NAME_RESOLUTION_FAILURE]
    return signal if steps and steps[0].id == signal.id else None


def third_party(signal: Signal, chain: Chain, findings: Findings) -> Recommendation | None:
    """Live without a third party: how many requests hung on it, and what they waited in vain."""
    if _pulls(chain):
        return None
    struck, whole = struck_of(chain)
    timeout = fact_of(findings, {place for step in chain.signals for place in places_of(step, findings)}, "TIMEOUT")
    waits = f"; {timeout.name} of {timeout.entity} is {timeout.value}" if timeout is not None else ""
    return Recommendation(
        summary=f"Put a short timeout, a circuit breaker and a fallback on calls to {signal.entity.name}",
        rationale=f"its failures cannot be prevented from here; what they take with them can{waits}",
        change=None,
        effect=(
            f"a fallback that answers without {signal.entity.name} would have spared {struck:,} of {whole:,} {plural(chain.symptom.kind)} in "
            "this window, if it answers whenever the call fails; a timeout alone frees what waits, and spares none"
        ),
        spared=struck,
    )


def _pulls(chain: Chain) -> bool:
    return any(one.kind is Kind.IMAGE_PULL_FAILURE for one in chain.signals)
