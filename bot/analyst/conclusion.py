"""The answer in two sentences: what begins it, what people feel of it, and the way between; no judgement of it."""

from collections.abc import Sequence

from bot.analyst.undone import then_back
from bot.analyst.words import GROWTH, MASS, capital, clock_s, counted, every, felt_as, happened, length, plural, times
from bot.domain.link import Chain
from bot.domain.signal import Signal
from bot.domain.spelling import about


def conclusion(chain: Chain) -> str:
    """Say the whole answer in two sentences: what begins it and what people feel of it, then the way between."""
    root, symptom = chain.root, chain.symptom
    begun = f"{capital(happened(root))}"
    felt = f"{felt_as(symptom)} ({len(chain.explained)} of {counted(folded_episodes(chain), 'episode')})"
    lag = chain.end_to_end.lag
    each = every(root.period_s) or " " + (then_back(root) or times(len(root.occurrences)))
    if (len(root.occurrences) == 1 or chain.end_to_end.hits == 1) and chain.explained:
        start_s = symptom.occurrences[chain.explained[0]].start_s
        at_s = max(
            (one.start_s for one in root.occurrences if one.start_s <= start_s + 1), default=root.occurrences[0].start_s
        )
        delay = start_s - at_s
        soon = f"began {length(delay)} after" if delay >= 1 else "began with"
        first = f"{begun} at {clock_s(at_s)}; {felt} {soon} it"
        if root.kind in GROWTH:
            first = f"{begun} from {clock_s(at_s)} on; {felt} began {length(delay)} into it"
        if len(root.occurrences) > 1:
            first = f"{begun}{each}; {felt} {soon} that of {clock_s(at_s)}"
    elif lag is None or lag.median < 60:
        first = f"{begun}{each}, and with it came {felt}"
    else:
        first = f"{begun}{each}, and about {about(lag.median)} later came {felt}"
    way = _way(chain.signals[1:-1])
    return f"{first}." + (f" The way there: {way}." if way else "")


def _way(between: Sequence[Signal]) -> str:
    """Name what lies between cause and symptom; of one kind at two places, the places."""
    kinds = [signal.kind for signal in between]
    named = [
        f"{plural(signal.kind)} {'at' if signal.kind in MASS else 'of'} {signal.entity.name}"
        if kinds.count(signal.kind) > 1
        else plural(signal.kind)
        for signal in between
    ]
    return ", then ".join(named)


def seen_seldom(chain: Chain) -> str:
    """Say that what the cause brings was seen once or twice, which is not how often the cause came."""
    hits, count = chain.end_to_end.hits or 1, len(chain.root.occurrences)
    if count <= hits:
        return f"the cause was seen {times(count)} only"
    return f"the symptom followed only {hits} of {count} occurrences of the cause"


def folded_episodes(chain: Chain) -> int:
    """Count the episodes, folded as the chain was tested."""
    return max(len(chain.explained), len(chain.symptom.occurrences))
