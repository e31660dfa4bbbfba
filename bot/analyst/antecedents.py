"""What stood before the first step and leads to such a thing by its nature, where no number shows that it did.

A budget that refuses evictions is made a day before the first drain, a renewal fails for days before the certificate expires:
each came once, long before, so that times alone prove nothing. It is told beside the step, neither called the cause nor ruled out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.link import Link
from bot.domain.signal import Occurrence, Signal, SignalId

BY_NATURE = 0.9
"""How plausible a mechanism is, at the least, that needs no further explanation."""
AT_ITSELF = frozenset({"same entity", "named"})
"""Ties of places of a thing with itself, or with what it is made for."""
MOST = 2
TOLD = "before it; such a thing leads to this, the times alone do not show it"
"""How a fact of the first step ends that tells of one: what it cites is older than the step, and may be."""


@dataclass(frozen=True, slots=True)
class Antecedent:
    """A signal, and those of its occurrences that came before the first step, ascending."""

    signal: Signal
    before: tuple[Occurrence, ...]


def antecedents(
    first: Signal, inside: Iterable[SignalId], links: Sequence[Link], signals: Mapping[SignalId, Signal]
) -> tuple[Antecedent, ...]:
    """Give what may have led to the first step of a cascade, the likeliest first; ``inside``: the signals of the cascade."""
    known = set(inside)
    begun_s = first.occurrences[0].start_s
    found = []
    for link in sorted(links, key=lambda link: (-link.plausibility, link.cause)):
        cause = signals.get(link.cause)
        if cause is None or link.effect != first.id or link.cause in known or link.test.status == "supported":
            continue
        before = tuple(one for one in cause.occurrences if one.start_s < begun_s)
        sure = link.plausibility >= BY_NATURE and link.scope in AT_ITSELF
        # whatever of the effect came before it, or without it, needs another explanation, and then so may all of it
        if sure and before and link.test.hits and not link.test.unexplained:
            found.append(Antecedent(cause, before))
    return tuple(found[:MOST])
