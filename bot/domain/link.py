"""Candidate causal links between signals, tested, and the chains they form."""

from dataclasses import dataclass
from typing import Literal, Protocol

from bot.domain.signal import Signal, SignalId, SpecFact

LinkStatus = Literal["supported", "refuted", "untested"]
HeldVerdict = Literal["stays", "explained", "cannot_tell"]
Route = Literal["direct", "indirect", "cannot_tell"]

TEST_TOGETHER = "same stretches, shifted independently, binomial"
"""The test that may count only the stretches in which a lasting cause was worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Quantiles of the time from a cause to its effect, in seconds."""

    p10: float
    median: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """Does more of the cause go with more of the effect? Spearman's rank correlation over the hits."""

    rho: float
    p_value: float
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A tie asked again with something else held fixed: does it stay, or is what was held fixed all there is to it?

    ``p_value`` is None where the data cannot tell; ``reason`` is a phrase for people.
    """

    verdict: HeldVerdict
    p_value: float | None
    reason: str
    given: SignalId | None = None
    """The third signal that was held fixed; None where it was the time of day or a beat."""
    beat_s: float | None = None
    """The beat that was held fixed, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTest:
    """The numbers of one tested pair.

    ``hits``: causes followed by the effect within the lag range; ``misses``: causes that were not; ``unexplained``:
    effects with no such cause before them. ``p_value`` is corrected for the number of pairs tested.
    """

    status: LinkStatus
    test: str
    hits: int
    misses: int
    unexplained: int
    lag: Lag | None
    p_value: float | None
    lag_range_s: tuple[float, float]
    dose: Dose | None = None
    reason: str = ""
    effects: int = 0
    """How many occurrences of the effect there were in all."""
    anchor: str = "start"
    """From where on the cause its lags count, see ``signals.mechanisms.Anchor``."""
    time_of_day: Held | None = None
    """The tie with the time of day held fixed; None where cause and effect do not come on enough days to ask."""
    rhythm: Held | None = None
    """The tie with the beat held fixed that both ends keep; None where they keep none but the day's."""
    early_s: float = 0.0
    """By how many seconds a typical effect was seen before its cause, which only clocks or late notice could make good."""
    common_cause: Held | None = None
    """The tie with what precedes both held fixed; None where nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A cause, an effect, by which mechanism they would be tied, and what the test said."""

    cause: SignalId
    effect: SignalId
    mechanism: str
    """Key of a known mechanism, or ``timing`` where only times speak for it."""
    scope: str
    """What ties the two places: ``same entity``, ``owner``, ``calls``, ``node agent``, ``same node``, ``same namespace``, ``named``, ``cluster``"""
    plausibility: float
    """0..1: how well mechanism and scope fit, before any timing."""
    test: LinkTest


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A path from a root cause to the symptom, causes first; ``links`` joins neighbours of ``signals``."""

    signals: tuple[Signal, ...]
    links: tuple[Link, ...]
    explained: tuple[int, ...]
    """Indexes of the symptom's occurrences that the whole chain accounts for."""
    end_to_end: LinkTest
    """The root tested straight against the symptom."""
    score: float
    facts: tuple[SpecFact, ...] = ()

    @property
    def root(self) -> Signal:
        """The signal nothing explains."""
        return self.signals[0]

    @property
    def symptom(self) -> Signal:
        """The signal people felt."""
        return self.signals[-1]


class Ways(Protocol):
    """Supported ties, asked about given each other; None where one of the three pairs is not tied."""

    def given(self, third: SignalId, cause: SignalId, effect: SignalId) -> Held | None:
        """Ask a tie given a signal that precedes both its ends."""
        ...

    def by_way_of(self, cause: SignalId, step: SignalId, effect: SignalId) -> Held | None:
        """Ask a tie given a step between its ends."""
        ...
