"""Correct p-values for all that was tried: families of pairs, opened one by one from the symptom backwards.

First every pair that ends in the symptom is tested, corrected for all of them together. Each cause found there is asked
in turn what brought it about: its family is all pairs that end in it. At last what else the causes brought about. A family
that nothing leads to is never opened, so that noise has the first family alone to get through: where nothing is tied to
the symptom, the chance of any discovery at all is the level of one correction, however many signals there are. (Trees of
families: Yekutieli 2008; the false discovery rate over a whole tree stays under 2.88 times the level.)

Leaves out how a p-value comes about, and what a pair means.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.signal import SignalId
from bot.signals.links import SUPPORTED_P
from bot.signals.statistics import adjust

AT_ONCE_S = 300.0
"""One-off causes no further apart than this are one event as far as times can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A pair that was tested: its raw p-value and how plausible it was beforehand.

    ``at_s`` is the time of a cause that came once and may begin a chain: such causes within minutes of each other, a new
    setting and the rollout that brings it, are one rival to all others, for their times are the same evidence.
    """

    cause: SignalId
    effect: SignalId
    p_value: float
    weight: float
    at_s: float | None = None
    lasts: bool = False
    """Whether it is a known way of what lasts for hours a few times, at the very place: told apart before any p-value."""


Again = Callable[[int], float | None]
"""Asks a pair that passed once more, with what could explain it held fixed: a further p-value, None where nothing could."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The corrected p-value of a pair, and that of asking it again; None where it was not."""

    p_value: float
    again: float | None = None

    @property
    def found(self) -> bool:
        """Tell whether both hold."""
        return self.p_value <= SUPPORTED_P and (self.again is None or self.again <= SUPPORTED_P)


def in_families(tried: Mapping[int, Tried], symptom: SignalId | None, again: Again) -> dict[int, Corrected]:
    """Give the corrected p-values of every pair in a family that was opened; without a symptom all pairs are one family.

    What passes is asked ``again``, and those answers are corrected for each other.
    """
    if symptom is None:
        return _asked_again(family(tried), tried, again)
    into: defaultdict[SignalId, dict[int, Tried]] = defaultdict(dict)
    out_of: defaultdict[SignalId, dict[int, Tried]] = defaultdict(dict)
    for index, one in tried.items():
        into[one.effect][index] = one
        out_of[one.cause][index] = one
    corrected: dict[int, Corrected] = {}
    opened = [symptom]
    for effect in opened:
        told = _asked_again(family(into[effect]), tried, again)
        corrected.update(told)
        for index in sorted(told):
            if told[index].found and tried[index].cause not in opened:
                opened.append(tried[index].cause)
    for cause in opened[1:]:
        others = {index: one for index, one in out_of[cause].items() if index not in corrected}
        corrected.update(_asked_again(family(others), tried, again))
    return corrected


def _asked_again(corrected: Mapping[int, float], tried: Mapping[int, Tried], again: Again) -> dict[int, Corrected]:
    passed = [index for index in sorted(corrected) if corrected[index] <= SUPPORTED_P]
    answers = {index: p_value for index in passed if (p_value := again(index)) is not None}
    told = dict(zip(answers, adjust(list(answers.values()), [tried[i].weight for i in answers]), strict=True))
    return {index: Corrected(p_value, told.get(index)) for index, p_value in corrected.items()}


def family(members: Mapping[int, Tried]) -> dict[int, float]:
    """Correct one family: what lasts, and is expected at that place, beside what does not, each for its own number."""
    parts = [{index: one for index, one in members.items() if one.lasts is lasts} for lasts in (False, True)]
    return _part(parts[0]) | _part(parts[1])


def _part(members: Mapping[int, Tried]) -> dict[int, float]:
    """Correct one part: Benjamini and Hochberg (1995), weighted by plausibility (Genovese, Roeder, Wasserman 2006)."""
    rivals = _rivals(members)
    largest: defaultdict[int, float] = defaultdict(float)
    for index, one in members.items():
        largest[rivals[index]] = max(largest[rivals[index]], one.weight)
    total = sum(largest.values())
    raw = {index: one.p_value * total / one.weight for index, one in members.items()}
    order = sorted(raw, key=lambda index: (raw[index], index))
    ranks = _ranks([rivals[index] for index in order])
    corrected: dict[int, float] = {}
    floor = 1.0
    for index, rank in zip(reversed(order), reversed(ranks), strict=True):
        floor = min(floor, raw[index] / rank)
        corrected[index] = max(floor, members[index].p_value)
    return corrected


def _ranks(rivals: Sequence[int]) -> list[int]:
    """Count, at each place, how many different rivals stand up to there."""
    seen: set[int] = set()
    ranks = []
    for rival in rivals:
        seen.add(rival)
        ranks.append(len(seen))
    return ranks


def _rivals(members: Mapping[int, Tried]) -> dict[int, int]:
    """Number the rivals: each member its own, but one-off causes of one effect at one time, which share a number."""
    rivals = {index: index for index in members}
    once = sorted((one.effect, one.at_s, index) for index, one in members.items() if one.at_s is not None)
    for (effect, at_s, index), (before, before_s, other) in zip(once[1:], once, strict=False):
        if effect == before and at_s - before_s <= AT_ONCE_S:
            rivals[index] = rivals[other]
    return rivals
