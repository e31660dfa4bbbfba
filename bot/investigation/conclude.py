"""From a digest to a checked report: symptom, links, chains, the offline analyst, and the verifier on top.

The same path serves a first question and a re-check of a stored case: nothing here fetches anything.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from bot.analyst.findings import Answered, Findings
from bot.analyst.published import Published, told
from bot.analyst.questions import symptom_wish
from bot.analyst.times import find_moments
from bot.casefile.case import Case
from bot.domain.items import LOG_SOURCES, SourceCoverage
from bot.domain.link import Chain, Link, Ways
from bot.domain.report import Tested
from bot.domain.signal import Kind, Signal, SignalId, Topology
from bot.domain.window import Window
from bot.investigation.background import failures_around
from bot.investigation.digest import Digest
from bot.investigation.forgotten import told_of_events
from bot.investigation.measures import CaseMeasures
from bot.investigation.series_lags import lag_to
from bot.investigation.unheard import told_of_lines
from bot.signals.chains import chain_along, chains
from bot.signals.conditioning import Conditioning
from bot.signals.links import SUPPORTED_P
from bot.signals.log_signals import owner_of
from bot.signals.mechanisms import EXOGENOUS
from bot.signals.pairs import candidates, link_all, link_one
from bot.signals.symptom import FELT, WITHIN, Wish, asked_paths, choose, episodes_of, same_family
from bot.signals.trains import train_of

LEAST_STEM = 4
"""Letters of a word beyond which an s at its end may be that of many."""
MOST_SIGNALS = 400
"""Signals that enter the test of pairs: the steady ones never do, and of the rest the most telling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What was measured and concluded."""

    signals: tuple[Signal, ...]
    links: tuple[Link, ...]
    chains: tuple[Chain, ...]
    symptom: Signal | None
    findings: Findings


def conclude(
    case: Case, window: Window, question: str, found: Digest, coverage: Sequence[SourceCoverage]
) -> Conclusion:
    """Find the symptom, test the pairs, and rank the chains that lead to it."""
    wish = wish_of(question, found.signals, window)
    choice = choose(found.signals, found.topology, window, wish)
    symptom = choice.symptom
    if symptom is not None:
        symptom = replace(symptom, occurrences=episodes_of(symptom, window))
    signals = tuple(symptom if symptom and signal.id == symptom.id else signal for signal in found.signals)
    links: tuple[Link, ...] = ()
    ranked: tuple[Chain, ...] = ()
    if symptom is not None:
        tested = _testable(signals, symptom)
        links = tuple(link_all(candidates(tested, found.topology), window, symptom.id))
        by_id = {signal.id: signal for signal in tested}
        ranked = tuple(chains(by_id, links, symptom, found.topology, window))
    findings = Findings(
        case=case.id,
        window=window,
        question=question,
        symptom=symptom,
        answered=Answered(
            fit=choice.fit, words=wish.words, spans=wish.spans, beside=choice.beside, standing=choice.standing
        ),
        signals={signal.id: signal for signal in signals},
        links=links,
        chains=ranked,
        topology=found.topology,
        facts=found.facts,
        durations=found.durations,
        coverage=_read(
            [told_of_lines(row, coverage, case, window, question, found) for row in coverage], found, window
        ),
        evidence=case,
        test=pair_test(found.topology, window),
        along=path_weight(found.topology, window),
        ways=conditioned(window),
        tested=_counted(links) if symptom is not None else None,
        around=failures_around(case, window, found) if symptom is None else None,
        lag=lag_to(symptom, case, found.topology, window),
        things=found.things,
        heard=frozenset(owner_of(stream, found.topology) for stream in case.streams()),
        histories=found.histories,
        measures=CaseMeasures(case, found.tables, found.topology),
        messages=tuple(case.messages()),
        tickets=tuple(case.tickets()),
    )
    return Conclusion(signals=signals, links=links, chains=ranked, symptom=symptom, findings=findings)


def written(conclusion: Conclusion) -> Published:
    """Let the offline analyst write the report."""
    return told(conclusion.findings, EXOGENOUS)


def _read(coverage: Sequence[SourceCoverage], found: Digest, window: Window) -> list[SourceCoverage]:
    """Say how much of each source entered the analysis: all of it, but for log lines outside the window or undated."""
    lines = sum(row.items for row in coverage if row.source in LOG_SOURCES)
    outside = max(0, lines - found.tables.lines)
    left = f"; of all logs {outside:,} lines are undated or outside the window" if outside else ""
    rows = []
    for row in (told_of_events(each, found, window) for each in coverage):
        if row.source == LOG_SOURCES[0] and row.status == "missing" and lines:
            # a log store gave the lines that nobody took from the pods
            rows.append(replace(row, status="not_configured", detail="the log store gave the lines"))
        elif row.items:
            rows.append(replace(row, read=f"all {row.items:,}" + (left if row.source in LOG_SOURCES else "")))
        else:
            rows.append(row)
    return rows


def pair_test(topology: Topology, window: Window) -> Callable[[Signal, Signal], Link]:
    """Give a test of any one pair, as rivals and follow-ups need it."""

    def test(cause: Signal, effect: Signal) -> Link:
        return link_one(cause, effect, topology, window, 1800.0)

    return test


METHOD = (
    "Benjamini-Hochberg, weighted by plausibility, over all pairs that end in the symptom, then over those that end in each "
    "cause found (Yekutieli 2008)"
)


def _counted(links: Sequence[Link]) -> Tested:
    """Count the pairs that were tested and those that hold."""
    asked = [link for link in links if link.test.p_value is not None]
    held = sum(link.test.status == "supported" for link in asked)
    return Tested(pairs=len(asked), supported=held, rate=SUPPORTED_P, method=METHOD)


def conditioned(window: Window) -> Callable[[Sequence[Signal], Sequence[Link]], Ways]:
    """Give the asking of ties given each other."""

    def ways(signals: Sequence[Signal], links: Sequence[Link]) -> Ways:
        return Conditioning(links, {signal.id: train_of(signal, window) for signal in signals}, window)

    return ways


def path_weight(topology: Topology, window: Window) -> Callable[[Sequence[Signal], Sequence[Link]], Chain]:
    """Give the weighing of a path that somebody else proposed."""

    def along(signals: Sequence[Signal], links: Sequence[Link]) -> Chain:
        return chain_along(signals, links, topology, window)

    return along


def wish_of(question: str, signals: Sequence[Signal], window: Window) -> Wish:
    """Read what the question says people feel, where and when; words that name nothing here are no wish."""
    read = symptom_wish(question)
    places = {place for signal in signals for place in (signal.entity, *signal.mentions[:1])}
    names = {f"{place.namespace or ''}/{place.name}".lower() for place in places}
    names |= {part for signal in signals if signal.kind is Kind.SERVER_ERROR for part in asked_paths(signal)}
    moments = [one for one in find_moments(question, window) if one.overlaps(window.start_s, window.end_s)]
    return Wish(
        statuses=frozenset(read.statuses),
        kinds=frozenset(kind for kind in read.kinds if kind in FELT or kind in WITHIN),
        words=tuple(filter(None, (_known(word, names) for word in read.entity_words))),
        spans=() if read.suspects else tuple((one.start.timestamp(), one.end.timestamp()) for one in moments),
        suspects=read.suspects,
    )


def _known(word: str, names: Collection[str]) -> str:
    """Give a word as it stands in names, one or many of it; empty where it stands in none."""
    forms = (word, word[:-1]) if word.endswith("s") and len(word) > LEAST_STEM else (word,)
    return next((form for form in forms if any(form in name for name in names)), "")


def _testable(signals: Sequence[Signal], symptom: Signal) -> list[Signal]:
    live = [s for s in signals if s.occurrences and (s.id == symptom.id or not same_family(s, symptom))]
    if len(live) <= MOST_SIGNALS:
        return live
    plain = (Kind.LOG_BURST, Kind.LOG_ERROR, Kind.RESOURCE_SHIFT)

    def rank(s: Signal) -> tuple[bool, bool, bool, float, SignalId]:
        # what very many pods elsewhere wrote must not crowd out what objects, events and the symptom's neighbours tell
        elsewhere = s.source.endswith(("logs", "loki")) and s.entity.namespace != symptom.entity.namespace
        return (s.id != symptom.id, s.kind in plain, elsewhere, -sum(one.size for one in s.occurrences), s.id)

    ranked = sorted(live, key=rank)
    kept: set[SignalId] = {signal.id for signal in ranked[:MOST_SIGNALS]}
    return [signal for signal in live if signal.id in kept]
