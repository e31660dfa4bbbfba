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

from bot.domain.entity import Entity
from bot.domain.signal import SignalId
from bot.signals.links import SUPPORTED_P
from bot.signals.statistics import adjust

AT_ONCE_S = 300.0
"""One-off causes no further apart than this are one event as far as times can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A pair that was tested: its raw p-value and how plausible it was beforehand.

    ``at_s`` is the time of a cause that came once, at ``place``. Such causes that may ``begin`` a chain, within minutes of each
    other, a new setting and the rollout that brings it, are one rival to all others, for their times are the same evidence. So
    is what else was seen of such an act where it was done: the pods that it starts, the lines that they begin with.
    """

    cause: SignalId
    effect: SignalId
    p_value: float
    weight: float
    at_s: float | None = None
    place: Entity | None = None
    begins: bool = False
    lasts: bool = False
    """Whether it is a known way of what lasts for hours a few times, at the very place: told apart before any p-value."""


Asked = tuple[float | None, ...]
"""A p-value for each question, None where it was not asked."""
Again = Callable[[int], Asked]
"""Asks a pair that passed once more, with each of the things held fixed that could explain it, always in the same order."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The corrected p-value of a pair, and those of asking it again."""

    p_value: float
    again: Asked = ()

    @property
    def found(self) -> bool:
        """Tell whether all hold."""
        return all(p_value is None or p_value <= SUPPORTED_P for p_value in (self.p_value, *self.again))


def in_families(tried: Mapping[int, Tried], symptom: SignalId | None, again: Again) -> dict[int, Corrected]:
    """Give the corrected p-values of every pair in a family that was opened; without a symptom all pairs are one family.

    What passes is asked ``again``, and the answers to each question are corrected for each other.
    """
    if symptom is None:
        return _asked_again(family(tried), tried, again)
    into: defaultdict[SignalId, dict[int, Tried]] = defaultdict(dict)
    out_of: defaultdict[SignalId, dict[int, Tried]] = defaultdict(dict)
    for index, one in tried.items():
        into[one.effect][index] = one
        out_of[one.cause][index] = one
    corrected: dict[int, Corrected] = {}
    opened, known = [symptom], {symptom}
    for effect in opened:
        told = _asked_again(family(into[effect]), tried, again)
        corrected.update(told)
        for index in sorted(told):
            if tried[index].cause not in known and told[index].found:
                opened.append(tried[index].cause)
                known.add(tried[index].cause)
    for cause in opened[1:]:
        others = {index: one for index, one in out_of[cause].items() if index not in corrected}
        corrected.update(_asked_again(family(others), tried, again))
    return corrected


def _asked_again(corrected: Mapping[int, float], tried: Mapping[int, Tried], again: Again) -> dict[int, Corrected]:
    passed = [index for index in sorted(corrected) if corrected[index] <= SUPPORTED_P]
    questions = zip(*(again(index) for index in passed), strict=True)
    answers = list(zip(*(_answers(told, [tried[i].weight for i in passed]) for told in questions), strict=True))
    told = dict(zip(passed, answers or [()] * len(passed), strict=True))
    return {index: Corrected(p_value, told.get(index, ())) for index, p_value in corrected.items()}


def _answers(told: Asked, weights: Sequence[float]) -> Asked:
    """Correct the answers to one question for each other."""
    given = [(p_value, weight) for p_value, weight in zip(told, weights, strict=True) if p_value is not None]
    adjusted = iter(adjust([p_value for p_value, _ in given], [weight for _, weight in given]))
    return tuple(None if p_value is None else next(adjusted) for p_value in told)


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
    begun = [row for row in once if members[row[2]].begins]
    for (effect, at_s, index), (before, before_s, other) in zip(begun[1:], begun, strict=False):
        if effect == before and at_s - before_s <= AT_ONCE_S:
            rivals[index] = rivals[other]
    acts: dict[tuple[SignalId, Entity | None], list[tuple[float, int]]] = defaultdict(list)
    for effect, at_s, index in begun:
        acts[effect, members[index].place].append((at_s, index))
    for effect, at_s, index in once:
        if not members[index].begins:
            near = [
                act for begun_s, act in acts.get((effect, members[index].place), ()) if 0 <= at_s - begun_s <= AT_ONCE_S
            ]
            rivals[index] = rivals[near[-1]] if near else index
    return rivals
