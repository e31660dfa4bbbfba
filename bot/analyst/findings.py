"""What an analyst is handed: everything measured, nothing to fetch."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.domain.entity import Entity
from bot.domain.items import ChatMessage, ItemId, SourceCoverage, TicketEntry
from bot.domain.link import Chain, Link, Ways
from bot.domain.measured import Measures
from bot.domain.ports import Evidenced
from bot.domain.report import Tested
from bot.domain.signal import History, SeriesLag, Signal, SignalId, SpecFact, Topology
from bot.domain.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long requests to a workload took, in seconds, from its own or its callers' lines.

    ``longest`` are the largest values with the line each stands in, descending, at most some thousand.
    """

    count: int
    median_s: float
    p90_s: float
    p99_s: float
    max_s: float
    longest: tuple[tuple[float, ItemId], ...] = ()

    def over(self, seconds: float) -> int:
        """Count the requests seen that took longer."""
        return sum(1 for value, _ in self.longest if value > seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """How many responses of ``who`` failed within ``reach_s`` seconds after some moments, how many the hours beside them let
    expect, and the chance of so many or more by that rate alone.
    """

    who: Entity
    count: int
    expected: float
    p_value: float
    reach_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How the symptom answers the question: ``fit`` as in ``bot.signals.symptom``; the words and times (epoch seconds) that it names."""

    fit: Literal["unasked", "met", "elsewhere", "otherwise", "nearest", "absent"] = "unasked"
    words: tuple[str, ...] = ()
    spans: tuple[tuple[float, float], ...] = ()
    beside: tuple[Signal, ...] = ()
    """What users felt as well and is another matter; where nothing asked for is there, what is there"""
    standing: tuple[Signal, ...] = ()
    """What had been going on when the window began, and went on throughout"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A digested case: signals, tested links, ranked chains, and the means to look up and to test one more pair."""

    case: str
    window: Window
    question: str
    symptom: Signal | None
    signals: Mapping[SignalId, Signal]
    links: Sequence[Link]
    chains: Sequence[Chain]
    topology: Topology
    facts: Sequence[SpecFact]
    durations: Mapping[Entity, Durations]
    coverage: Sequence[SourceCoverage]
    evidence: Evidenced
    test: Callable[[Signal, Signal], Link]
    """Tests a pair whatever the grounds (cause, effect)."""
    along: Callable[[Sequence[Signal], Sequence[Link]], Chain] | None = None
    """Weighs a path that somebody proposed, causes first, as one that was found."""
    ways: Callable[[Sequence[Signal], Sequence[Link]], Ways] | None = None
    """Asks ties between signals given each other; the links are those between them."""
    tested: Tested | None = None
    """How many pairs were tested for the links; None where there was no symptom to begin with."""
    lag: Callable[[Signal], SeriesLag | None] | None = None
    """Measures how far ahead of the symptom the series behind a signal moves; None where there is none."""
    around: Callable[[Sequence[float], float], Around | None] | None = None
    """Counts what failed after moments (epoch seconds) within a reach in seconds; None where there is a symptom, which says more."""
    answered: Answered = Answered()
    things: Sequence[Entity] = ()
    """What an object was read of, whether or not anything happened to it."""
    heard: Collection[Entity] = ()
    """Whose log lines were read."""
    histories: Mapping[Entity, History] = field(default_factory=dict)
    measures: Measures | None = None
    """Measures anew what numbers are counted from."""
    cleared: Mapping[SignalId, str] = field(default_factory=dict)
    """What the beginnings of some of the chains are ruled out by, in words."""
    messages: Sequence[tuple[ItemId, ChatMessage]] = ()
    tickets: Sequence[tuple[ItemId, TicketEntry]] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
