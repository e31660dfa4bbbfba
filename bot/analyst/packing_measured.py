"""What the program measured in a case, as rows a model may lean on: signals, tested links, settings, what was not seen.

The numbers are the engine's own; the names and labels beside them come from the case, and so stand encoded in a section
like any other. Nothing here says what to conclude.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from bot.analyst.packing_material import Material
from bot.analyst.packing_parts import Outlet
from bot.domain.link import Link
from bot.domain.signal import Occurrence, Signal, SignalId
from bot.domain.spelling import lag_words, length, period
from bot.domain.window import instant, rfc3339

MOST_SIGNALS = 400
MOST_SUPPORTED = 200
MOST_REFUTED = 60
_MOST_TIMES = 30
_MOST_FACTS = 300


def measured_rows(material: Material, outlet: Outlet, share: float = 1.0) -> list[str]:
    """Give signals, links between them, and settings; signals are named G1, G2, … for the links.

    With a ``share`` below 1 the least telling are left out.
    """
    signals = _telling(material, math.ceil(MOST_SIGNALS * share))
    names: dict[SignalId, str] = {signal.id: f"G{number}" for number, signal in enumerate(signals, start=1)}
    rows = ["Signals (what happened to whom, when; × is how many occurrences):"]
    if material.symptom is not None and material.symptom.id in names:
        rows.append(f"The symptom is {names[material.symptom.id]}.")
    rows += [_signal(names[signal.id], signal, outlet) for signal in signals]
    rows.append("Links (cause → effect, tested against shifted times; p is corrected for all pairs tried):")
    rows += [_link(link, names, outlet) for link in _worth_telling(material, names, share)]
    rows.append("Settings:")
    for fact in material.facts[: math.ceil(_MOST_FACTS * share)]:
        rows.append(f"{outlet.name(str(fact.entity))} {fact.name} = {outlet.text(fact.value)} ({fact.ref})")
    return rows


def _telling(material: Material, most: int) -> list[Signal]:
    """Order signals: the symptom and what links tie to it first, then by how rarely and how much they happen."""
    tied = {end for link in material.links if link.test.status == "supported" for end in (link.cause, link.effect)}
    symptom = material.symptom.id if material.symptom else None

    def rank(signal: Signal) -> tuple[bool, bool, bool, float, str]:
        first = signal.occurrences[0].start_s if signal.occurrences else 0.0
        return signal.id != symptom, signal.entity not in material.relevant, signal.id not in tied, first, signal.id

    kept = sorted(material.signals, key=rank)[:most]
    return sorted(kept, key=lambda signal: (signal.occurrences[0].start_s if signal.occurrences else 0.0, signal.id))


def _signal(name: str, signal: Signal, outlet: Outlet) -> str:
    told = f"{name} {signal.kind} of {outlet.name(str(signal.entity))}: {outlet.text(signal.label)}"
    told += f" ×{len(signal.occurrences)} ({signal.source}"
    if signal.total > len(signal.occurrences):
        told += f", {signal.total:,} single events"
    if signal.period_s:
        told += f", every {period(signal.period_s)}"
    told += ")"
    times = [_when(one) for one in _spread(signal.occurrences, _MOST_TIMES)]
    return f"{told}: {'; '.join(times)}" + (" …" if len(signal.occurrences) > _MOST_TIMES else "")


def _spread(ones: Sequence[Occurrence], most: int) -> Sequence[Occurrence]:
    """Take the first, the last and an even choice between."""
    if len(ones) <= most:
        return ones
    return [ones[round(number * (len(ones) - 1) / (most - 1))] for number in range(most)]


def _when(one: Occurrence) -> str:
    told = rfc3339(instant(round(one.start_s, 3)))
    if one.end_s - one.start_s >= 1:
        told += f" for {length(one.end_s - one.start_s)}"
    return told + (f" [{one.refs[0]}]" if one.refs else "")


def _worth_telling(material: Material, names: Mapping[SignalId, str], share: float) -> Iterable[Link]:
    """Give the surest supported links, and refuted ones that end in the symptom: near, and not the cause."""
    known = [link for link in material.links if link.cause in names and link.effect in names]
    symptom = material.symptom.id if material.symptom else None

    def rank(link: Link) -> tuple[bool, float, float, str, str]:
        p_value = 1.0 if link.test.p_value is None else link.test.p_value
        return link.effect != symptom, p_value, -link.plausibility, link.cause, link.effect

    for status, most in (("supported", MOST_SUPPORTED), ("refuted", MOST_REFUTED)):
        yield from sorted((link for link in known if link.test.status == status), key=rank)[: math.ceil(most * share)]


def _link(link: Link, names: Mapping[SignalId, str], outlet: Outlet) -> str:
    test = link.test
    told = (
        f"{names[link.cause]} → {names[link.effect]} {test.status}: {test.hits} of {test.hits + test.misses} followed, "
        f"{test.unexplained} without it"
    )
    if test.lag is not None:
        told += f", {lag_words(test.lag)}"
    if test.p_value is not None:
        told += f", p {test.p_value:.1g}"
    return f"{told} ({link.mechanism}, {link.scope})" + (f" {outlet.text(test.reason)}" if test.reason else "")


def ledger_rows(material: Material, read: Mapping[str, str], outlet: Outlet) -> list[str]:
    """Say what every source gave, how much of it stands here, and what it could not give."""
    rows = []
    for row in material.coverage:
        span = f", {rfc3339(row.first_at)} to {rfc3339(row.last_at)}" if row.first_at and row.last_at else ""
        shown = read.get(row.source, row.read)
        rows.append(f"{row.source}: {row.status}, {row.items:,} items{span}" + (f"; here: {shown}" if shown else ""))
        rows += [f"  missing: {outlet.text(gap.what)}" for gap in row.gaps if gap.lost][:20]
    return rows
