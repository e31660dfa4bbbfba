"""What kept a symptom up once it had begun: a trouble that came with the cascade, lasted as long, and ended as it ended.

A rollout takes the old pods away and users get errors at once; that the errors last forty minutes instead of seconds is due to
an image that cannot be pulled. Such a trouble came too late to begin anything, so that no tie from it to the symptom's begin
can hold; its end tells of it.
"""

from collections.abc import Mapping

from bot.analyst.findings import Findings
from bot.analyst.words import happened
from bot.domain.link import Chain
from bot.domain.signal import Kind, Occurrence, Signal
from bot.domain.spelling import length

LEAST_S = 300.0
"""A symptom shorter than this needs nothing to keep it up."""
LATEST_BEGIN = 0.2
"""Share of an episode by which the trouble must have come."""
END_SLACK = 0.15
"""Share of an episode by which the two ends may lie apart: what is tried again at growing intervals is seen to end early."""
LEAST_STANDING = 0.7
"""How well a kind must be able to stand by itself: what is felt everywhere as a symptom lasts keeps nothing up."""
MOST = 2


def sustaining(findings: Findings, chain: Chain, rootness: Mapping[Kind, float]) -> tuple[Signal, ...]:
    """Give what kept up every episode that the cascade explains, at a place of the cascade or of what it names; at most two,
    what stands by itself best first.
    """
    episodes = [chain.symptom.occurrences[place] for place in chain.explained]
    if not episodes or min(one.end_s - one.start_s for one in episodes) < LEAST_S:
        return ()
    inside = {signal.id for signal in chain.signals}
    places = {findings.topology.root(signal.entity) for signal in chain.signals[:-1]}
    begun_s = chain.root.occurrences[0].start_s
    found = [
        signal
        for signal in findings.signals.values()
        if signal.id not in inside
        and rootness.get(signal.kind, 0.0) >= LEAST_STANDING
        and signal.occurrences
        and signal.occurrences[0].start_s >= begun_s
        and places & {findings.topology.root(one) for one in (signal.entity, *signal.mentions)}
        and all(any(_keeps_up(one, episode) for one in signal.occurrences) for episode in episodes)
    ]
    return tuple(sorted(found, key=lambda one: (-rootness[one.kind], one.id))[:MOST])


def _keeps_up(one: Occurrence, episode: Occurrence) -> bool:
    lasts_s = episode.end_s - episode.start_s
    return (
        one.start_s <= episode.start_s + LATEST_BEGIN * lasts_s
        and abs(one.end_s - episode.end_s) <= END_SLACK * lasts_s
    )


def kept_up(chain: Chain, kept: tuple[Signal, ...]) -> str:
    """Say what kept a symptom up, as a sentence to follow others; empty where nothing is known to have."""
    if not kept:
        return ""
    episodes = [chain.symptom.occurrences[place] for place in chain.explained]
    lasted = f"It lasted {length(episodes[0].end_s - episodes[0].start_s)}" if len(episodes) == 1 else "It lasted"
    return f" {lasted}, as long as {' and '.join(happened(signal) for signal in kept)}."
