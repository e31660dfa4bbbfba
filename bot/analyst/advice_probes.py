"""Liveness probes that kill what only pauses: which timeout and how many failures would have sat the pauses out.

Each kill is held against the pause that the program itself logged up to it. A program that is killed in a pause often does not
live to log it; such a kill may or may not have been sat out, and the number is a range.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.analyst import counterfactuals as would
from bot.analyst.advice_parts import fact_of, number_of_fact, places_of, would_have
from bot.analyst.findings import Findings
from bot.analyst.words import counted
from bot.domain.entity import Entity
from bot.domain.fleet import as_flags
from bot.domain.link import Chain
from bot.domain.measured import Text
from bot.domain.report import Recommendation
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import length
from bot.domain.what_if import Range, WhatIf, stepped

PERIOD_S, TIMEOUT_S, THRESHOLD = 10.0, 1.0, 3
"""https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/: what holds where nothing is set."""
BETWEEN_S = 1.0
"""Pauses so near to each other are one: in between no probe is answered."""
OVERLAP_S = 0.01
"""What times to the millisecond may overlap by being rounded."""
MOST_THRESHOLD = 30
MOST_TIMEOUT_S = 60
COVERED = 0.9
"""A threshold is proposed that sits out so large a share of the kills whose pause is known."""
_NAMES = ("periodSeconds", "timeoutSeconds", "failureThreshold")
_Kill = tuple[str, float, float]
"""A pod, and from when to when it was killed, or paused (epoch seconds)."""
_PAUSE = re.compile(r"(?i)\bpause\b.*?\b(?P<number>\d+(?:\.\d+)?)\s?(?P<unit>ms|s|secs|seconds)\b\s*$")
_KILLED = re.compile(r"(?i)failed liveness probe|liveness probe failed, will be restarted")


def probe(signal: Signal, _chain: Chain, findings: Findings) -> Recommendation | None:
    """Let a liveness probe sit out the pauses that were seen."""
    if signal.kind is Kind.PROBE_FAILURE and signal.subject not in ("", "liveness"):
        return None
    places = places_of(signal, findings)
    fact = fact_of(findings, places, "livenessProbe.")
    kills = _kills(signal, findings)
    if fact is None or not kills:
        return None
    known = [number_of_fact(findings, places, f"livenessProbe.{name}") for name in _NAMES]
    period, timeout, limit = (one or other for one, other in zip(known, (PERIOD_S, TIMEOUT_S, THRESHOLD), strict=True))
    threshold = int(limit)
    surely = (threshold - 1) * period + timeout
    pauses = _pauses_of(kills, signal.entity, findings, surely)
    if not pauses:
        return Recommendation(
            summary=f"Give the liveness probe of {fact.entity} a longer timeout or a higher failureThreshold, now {timeout:g} s × {threshold}",
            rationale="a slow container is restarted as if it were dead",
            change=None,
            effect=f"not measured: how long the pauses were that {counted(len(kills), 'kill')} cut short; each lasted {length(surely)} at least",
        )
    what, seconds = _settings(fact.entity, pauses, len(kills), (period, timeout, threshold))
    wanted, longer = int(what.proposed), seconds.proposed
    return Recommendation(
        summary=f"Raise failureThreshold of the liveness probe of {fact.entity} from {threshold} to {wanted}",
        rationale=(
            f"a container that only paused is restarted as if it were dead: {counted(len(pauses), 'kill')} came in a pause that was logged, "
            f"the longest {length(max(pauses))}, and {threshold} probes {length(period)} apart may fail"
        ),
        change=_patch(fact.entity, fact.name.partition(".")[0], wanted),
        effect=(
            f"{would_have(f'{wanted} failed probes in a row', what)}; a timeout of {seconds.value_words(longer)} instead, "
            f"{seconds.words(longer).partition(' of ')[0]}; one that is dead is restarted later, and what makes it pause stays"
        ),
        what_if=(what, seconds),
    )


def _settings(
    entity: Entity, pauses: Sequence[float], kills: int, present: tuple[float, float, int]
) -> tuple[WhatIf, WhatIf]:
    """Give what another threshold and another timeout would have spared; ``present`` are period, timeout and threshold.

    Of a kill whose pause nobody logged any more generous setting may have spared it, and none is sure to.
    """
    period, timeout, threshold = present
    unknown = kills - len(pauses)

    def spares(seconds: float, failures: int) -> Range:
        if seconds <= timeout and failures <= threshold:
            return 0, 0
        least, most = would.tolerated(pauses, period, seconds, failures)
        return least, most + unknown

    choices = range(threshold + 1, MOST_THRESHOLD + 1)
    enough = COVERED * len(pauses)
    wanted = next((one for one in choices if spares(timeout, one)[0] >= enough), MOST_THRESHOLD)
    what = WhatIf(
        setting="livenessProbe.failureThreshold",
        entity=entity,
        unit="",
        present=threshold,
        proposed=wanted,
        things="liveness kills",
        total=kills,
        points=stepped(choices, lambda value: spares(timeout, int(value)), kept=(wanted,)),
        assumption="a container that is left alone goes on when its pause is over",
    )
    longer_ones = range(int(timeout) + 1, MOST_TIMEOUT_S + 1)
    longer = next((one for one in longer_ones if spares(one, threshold)[0] >= enough), MOST_TIMEOUT_S)
    seconds = replace(
        what,
        setting="livenessProbe.timeoutSeconds",
        unit="s",
        present=timeout,
        proposed=longer,
        points=stepped(longer_ones, lambda value: spares(value, threshold), kept=(longer,)),
    )
    return what, seconds


def _patch(entity: Entity, container: str, threshold: int) -> str:
    patch = (
        f'{{"spec":{{"template":{{"spec":{{"containers":[{{"name":"{container}","livenessProbe":'
        f'{{"failureThreshold":{threshold}}}}}]}}}}}}}}'
    )
    return f"kubectl {as_flags(entity.namespace)} patch {entity.kind.lower()} {entity.name} -p '{patch}'"


def _kills(signal: Signal, findings: Findings) -> list[_Kill]:
    """Give each kill for a failed liveness probe; of a folded event only the first and the last time are known."""
    kills: list[_Kill] = []
    for _, event in findings.measures.events(signal.entity, ("Killing", "Unhealthy")) if findings.measures else ():
        if _KILLED.search(event.message):
            pod, first, last = event.entity.name, event.first_at.timestamp(), event.at.timestamp()
            between = [(pod, first, last)] * max(0, event.count - 2)
            kills += [(pod, first, first), *between, *[(pod, last, last)] * (event.count > 1)]
    return kills


def _pauses_of(kills: list[_Kill], entity: Entity, findings: Findings, least_s: float) -> list[float]:
    """Give the pause that each kill came in, in seconds, for those of which one was logged that is long enough to kill."""
    pausing = (s for s in findings.signals.values() if s.kind is Kind.GC_PAUSE and s.entity == entity)
    texts = next((read for s in pausing if findings.measures and (read := findings.measures.texts(s))), ())
    free = [one for one in _stretches(texts) if one[2] - one[1] >= least_s]
    found = []
    for pod, first, last in sorted(kills, key=lambda kill: (kill[2] - kill[1], kill)):
        near = (one for one in free if one[0] == pod and one[1] <= last + BETWEEN_S and one[2] >= first - BETWEEN_S)
        if (held := next(near, None)) is not None:
            free.remove(held)
            found.append(held[2] - held[1])
    return found


def _stretches(texts: Sequence[Text]) -> list[_Kill]:
    """Read the pauses that lines tell of at their end, and join those between which no probe is answered."""
    pauses = []
    for at_s, pod, text in texts:
        if found := _PAUSE.search(text):
            took_s = float(found["number"]) * (0.001 if found["unit"].lower() == "ms" else 1.0)
            pauses.append((pod, at_s - took_s, at_s))
    joined: list[_Kill] = []
    going: list[int] = []
    for pod, start_s, end_s in sorted(pauses):
        # pauses of one program cannot overlap: what does is another program's of the same pod
        going = [at for at in going if joined[at][0] == pod and start_s - joined[at][2] <= BETWEEN_S]
        done = [at for at in going if start_s - joined[at][2] >= -OVERLAP_S]
        if done:
            nearest = max(done, key=lambda at: joined[at][2])
            joined[nearest] = (pod, joined[nearest][1], end_s)
        else:
            going.append(len(joined))
            joined.append((pod, start_s, end_s))
    return joined
