"""Control questions of a cause that was there once: what repetition would show must be asked of what stood beside it.

Each is computed from the case and can fail: the same kind of change that went well elsewhere, trouble that was there first, others
hit that it does not touch, an end that it does not explain, another that explains as much.
"""

from collections.abc import Collection, Iterator, Sequence

from bot.analyst.citations import Citations
from bot.analyst.findings import Findings
from bot.analyst.rivals import LASTING, Rival
from bot.analyst.undone import undoing_of
from bot.analyst.victims import ORDINARY
from bot.analyst.words import capital, clock_s, counted, noun_of, one_of, p_words, plural
from bot.domain.link import Chain
from bot.domain.report import ControlQuestion
from bot.domain.signal import Kind, Occurrence, Signal, SignalId
from bot.domain.spelling import length

REACH_S = 1800.0
"""How long after a change its like is followed at least, unless the cause itself took longer."""
SOONER_S = 3600.0
"""How long before the cause it is looked for trouble that it does not explain."""
BESIDE_S = 300.0
"""How far around its beginning others fail with the symptom."""
SETTLES_S = 600.0
"""How long what was undone may take to end what it brought."""
ENDED_S = 1800.0
"""How long before the end of the data the symptom must have ended to count as ended."""
ENDING_S = 900.0
"""How long before the end of the symptom what ended it stands at most."""
LEAST_ALIKE = 2
"""Others of its kind that must be followed, too, before that speaks against the cause: one may be by chance."""
MOST_EPISODES = 2
"""Episodes up to which an end is asked of: what comes and goes ends each time."""
ENDS = LASTING | {
    Kind.HUMAN_CHANGE,
    Kind.SCALE_UP,
    Kind.SCALE_DOWN,
    Kind.POD_START,
    Kind.STARTUP,
    Kind.CONTAINER_RESTART,
}
"""What may end a symptom without the cause being undone."""


def of_one_time(
    chain: Chain, found: Sequence[Rival], findings: Findings, citations: Citations
) -> Iterator[ControlQuestion]:
    """Ask of a cause seen once what can show that it was another."""
    cleared = {one.signal.id for one in found if one.cleared}
    if (asked := _alike(chain, findings, citations, cleared)) is not None:
        yield asked
    for ask in (_sooner, _others_hit, _ended):
        if (asked := ask(chain, findings, citations)) is not None:
            yield asked
    if (asked := _explains_as_much(chain, found, citations)) is not None:
        yield asked


def _alike(
    chain: Chain, findings: Findings, citations: Citations, cleared: Collection[SignalId]
) -> ControlQuestion | None:
    """Ask whether its like went without the symptom; None where it had no like in the window that nothing else clears."""
    root, felt = chain.root, chain.symptom.occurrences
    lag = chain.end_to_end.lag
    reach_s = max(REACH_S, 2 * lag.median if lag is not None else 0.0)
    own = {one.start_s for one in root.occurrences}
    alike = [
        (one, signal)
        for signal in findings.signals.values()
        if signal.kind is root.kind and signal.label == root.label and signal.id not in cleared
        for one in signal.occurrences
        if min(abs(one.start_s - each) for each in own) > BESIDE_S and one.start_s + reach_s <= findings.window.end_s
    ]
    alike = [(one, signal) for one, signal in alike if not _lasts(felt, one.start_s)]
    if not alike:
        return None
    followed = [pair for pair in alike if any(0 <= each.start_s - pair[0].start_s <= reach_s for each in felt)]
    name = counted(len(alike), f"other {noun_of(root)}")
    answer = f"No, none of {name} was followed by an episode within {length(reach_s)}."
    if followed:
        when = clock_s(followed[0][0].start_s)
        answer = f"Yes, {len(followed)} of {name}, {followed[0][1].entity} at {when} the first."
    return ControlQuestion(
        question=f"Did {plural(root.kind)} elsewhere, or at other times, come before the symptom, too?",
        answer=answer,
        verdict="failed" if len(followed) >= LEAST_ALIKE and len(followed) * 2 >= len(alike) else "passed",
        evidence=_cited(citations, *(followed or alike)[0]),
    )


def _sooner(chain: Chain, findings: Findings, citations: Citations) -> ControlQuestion:
    """Ask whether what the cause is said to bring about was there before it, at the places of the cascade."""
    root_s = chain.root.occurrences[0].start_s
    places = {findings.topology.root(each.entity) for each in chain.signals[1:]}
    kinds = {each.kind for each in chain.signals[1:]}
    sooner = sorted(
        (
            (one.start_s, signal.id, one, signal)
            for signal in findings.signals.values()
            if signal.kind in kinds and findings.topology.root(signal.entity) in places
            for one in signal.occurrences
            if root_s - SOONER_S <= one.start_s < root_s - _slack_s(signal, chain.root)
        ),
        key=lambda each: each[:2],
    )
    answer = f"No, none of it in the {length(SOONER_S)} before."
    evidence: tuple[str, ...] = ()
    if sooner:
        start_s, _, one, signal = sooner[0]
        answer = f"Yes: {one_of(signal)} {length(root_s - start_s)} before it."
        evidence = _cited(citations, one, signal)
    return ControlQuestion(
        question=f"Did anything of what followed begin before {one_of(chain.root)}?",
        answer=answer,
        verdict="failed" if sooner else "passed",
        evidence=evidence,
    )


def _others_hit(chain: Chain, findings: Findings, citations: Citations) -> ControlQuestion | None:
    """Ask of a change of one workload whether another, that it does not reach, came into the same trouble with it."""
    root = chain.root
    place = findings.topology.root(root.entity)
    if root.kind not in LASTING or len(chain.signals) < 3:
        return None
    kind, begun_s = chain.signals[1].kind, chain.signals[1].occurrences[0].start_s
    reached = {findings.topology.root(each.entity) for each in chain.signals} | {place}
    reached |= {caller for caller, callee in findings.topology.calls if callee in reached}
    brought = {link.effect for link in findings.links if link.cause in {each.id for each in chain.signals[1:]}}
    hit = [
        (one, signal)
        for signal in findings.signals.values()
        if signal.kind is kind and findings.topology.root(signal.entity) not in reached and signal.id not in brought
        for one in signal.occurrences
        if abs(one.start_s - begun_s) <= BESIDE_S
    ]
    hit.sort(key=lambda pair: (pair[0].start_s, pair[1].id))
    answer = f"No, {plural(kind)} began nowhere else within {length(BESIDE_S)} of it."
    if hit:
        answer = (
            f"Yes: {one_of(hit[0][1])} at {clock_s(hit[0][0].start_s)}, and nothing shows {place.name} to reach there."
        )
    return ControlQuestion(
        question=f"Was any workload hit by {plural(kind)} that {place.name} does not reach?",
        answer=answer,
        verdict="failed" if hit else "passed",
        evidence=_cited(citations, *hit[0]) if hit else (),
    )


def _ended(chain: Chain, findings: Findings, citations: Citations) -> ControlQuestion | None:
    """Ask of a change that stays whether the symptom ended with its undoing, or by itself while it stood."""
    root, felt = chain.root, chain.symptom.occurrences
    end_s = felt[-1].end_s
    if root.kind not in LASTING or len(felt) > MOST_EPISODES:
        return None
    at = max((n for n, one in enumerate(root.occurrences) if one.start_s <= felt[0].start_s), default=0)
    if (back := undoing_of(root, at)) is not None:
        late_s = end_s - back.start_s
        fits = abs(late_s) <= SETTLES_S
        then = (
            f"{length(late_s)} after it" if late_s >= 0 else f"{length(-late_s)} before it{'' if fits else ' already'}"
        )
        return ControlQuestion(
            question=f"Did the symptom end when {one_of(root)} was undone at {clock_s(back.start_s)}?",
            answer=f"{'Yes' if fits else 'No'}, it was last seen {then}.",
            verdict="passed" if fits else "failed",
            evidence=_cited(citations, back, root),
        )
    if findings.window.end_s - end_s < ENDED_S:
        return None
    ending = _what_ended(chain, findings, end_s)
    answer = f"Yes: nothing that was seen ended it, and {one_of(root)} stands."
    if ending is not None:
        answer = f"No, {one_of(ending[1])} stands {length(abs(end_s - ending[0].start_s))} from its end."
    return ControlQuestion(
        question=f"Did the symptom end at {clock_s(end_s)} by itself, though nothing was undone?",
        answer=answer,
        verdict="passed" if ending else "failed",
        evidence=_cited(citations, *ending) if ending else (),
    )


def _what_ended(chain: Chain, findings: Findings, end_s: float) -> tuple[Occurrence, Signal] | None:
    places = {findings.topology.root(each.entity) for each in chain.signals} | set(chain.root.mentions)
    near = [
        (one, signal)
        for signal in findings.signals.values()
        if signal.kind in ENDS
        and (
            findings.topology.root(signal.entity) in places
            or bool(set(signal.mentions) & places)
            or signal.kind is Kind.HUMAN_CHANGE
        )
        for one in signal.occurrences
        if one.start_s > chain.symptom.occurrences[0].start_s and -ENDING_S <= one.start_s - end_s <= BESIDE_S
    ]
    return min(near, key=lambda pair: (abs(pair[0].start_s - end_s), pair[1].id), default=None)


def _explains_as_much(chain: Chain, found: Sequence[Rival], citations: Citations) -> ControlQuestion | None:
    """Ask whether the next best event explains as many episodes, and by no larger chance."""
    rows = [one for one in found if one.link.test.hits and one.signal.kind not in ORDINARY - LASTING]
    if not rows:
        return None
    best = min(rows, key=lambda one: (one.link.test.unexplained, _p(one.link.test.p_value), one.signal.id))
    test, own = best.link.test, chain.end_to_end
    episodes = max(1, len(chain.symptom.occurrences))
    theirs, ours = test.effects - test.unexplained, len(chain.explained)
    as_much = best.open and theirs >= ours and _p(test.p_value) <= _p(own.p_value)
    return ControlQuestion(
        question=f"Does the next best, the {noun_of(best.signal)} of {best.signal.entity}, explain as many episodes?",
        answer=(
            f"{capital('yes' if theirs >= ours else 'no')}, {theirs} of {episodes} ({p_words(test.p_value)}), where "
            f"{one_of(chain.root)} explains {ours} ({p_words(own.p_value)})"
            f"{'' if best.open or theirs < ours else f'; but {best.reason}'}."
        ),
        verdict="failed" if as_much else "passed",
        evidence=_cited(citations, best.signal.occurrences[0], best.signal),
    )


def _p(p_value: float | None) -> float:
    return 1.0 if p_value is None else p_value


def _slack_s(*signals: Signal) -> float:
    """Give by how much the times of signals may be off: the step of a series, or the difference of clocks; a minute at least."""
    given = (float(each.attributes.get(name, 0)) for each in signals for name in ("step_s", "clock_s"))
    return max(60.0, *given)


def _lasts(felt: Sequence[Occurrence], at_s: float) -> bool:
    return any(one.start_s < at_s <= one.end_s for one in felt)


def _cited(citations: Citations, one: Occurrence, signal: Signal) -> tuple[str, ...]:
    return citations.cite_all([(ref, one.start_s) for ref in one.refs[:1]], entity=signal.entity)
