"""What the packer is handed, and what it hands back: plain data and a way to read lines; nothing is fetched here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.analyst.packing_text import FENCE, attribute
from bot.domain.entity import Entity
from bot.domain.items import (
    LOG_SOURCES,
    ChatMessage,
    ClusterEvent,
    ItemId,
    LogStream,
    ObjectVersion,
    Series,
    SourceCoverage,
    TicketEntry,
)
from bot.domain.link import Link
from bot.domain.signal import Signal, SpecFact
from bot.domain.window import Window

Redact = Callable[[str], str]
"""The egress gate: gives a text without secrets, people by pseudonym. It raises rather than let a doubtful text pass."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """All log lines by column, position n - 1 is ``L<n>``, as NumPy arrays, and how to read some of them.

    ``form`` is the masked form's number, ``template`` the merged template's. ``failing`` and ``plain`` are templates that
    tell of a failure, and that are said all the time; ``workload`` names each stream's workload.
    """

    times_ns: Any
    stream: Any
    form: Any
    template: Any
    streams: Sequence[LogStream]
    names: Sequence[str]
    sources: Sequence[str]
    """Which source each stream was read from."""
    workloads: Sequence[Entity | None]
    failing: frozenset[int]
    bytes: int
    texts: Callable[[Sequence[int]], Iterable[tuple[int, str]]]
    """Number and text of the lines asked for, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesChange:
    """A lasting shift of a series."""

    at_s: float
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesCourse:
    """What a series did in the large: its lasting shifts, and after how many seconds it repeats, where it clearly does."""

    shifts: Sequence[SeriesChange] = ()
    period_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """A case as the packer reads it.

    ``manifests`` are object versions whose secret fields are already gone. ``relevant`` are the entities that the
    symptom and the chains to it touch, ``episodes`` when the symptom was felt, in epoch seconds, ``cited`` the log lines
    that signals rest on.
    """

    case: str
    window: Window
    lines: Lines
    events: Sequence[tuple[ItemId, ClusterEvent]]
    objects: Sequence[tuple[ItemId, ObjectVersion]]
    manifest: Callable[[ObjectVersion], Mapping[str, Any]]
    series: Sequence[tuple[ItemId, Series]]
    course: Callable[[Series], SeriesCourse]
    messages: Sequence[tuple[ItemId, ChatMessage]]
    tickets: Sequence[tuple[ItemId, TicketEntry]]
    signals: Sequence[Signal]
    links: Sequence[Link]
    facts: Sequence[SpecFact]
    coverage: Sequence[SourceCoverage]
    symptom: Signal | None
    relevant: frozenset[Entity] = frozenset()
    episodes: tuple[tuple[float, float], ...] = ()
    cited: frozenset[int] = frozenset()
    keys: Mapping[int, str] = field(default_factory=dict)
    """By number, the marks of lines that are part of a private key and do not look it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """So many texts of a source, or ends of texts, that a model is not shown, and why."""

    source: str
    why: str
    texts: int
    bytes: int

    @property
    def words(self) -> str:
        """Say it in a sentence's middle: ``2 log lines (131 kB) withheld: …``."""
        noun = _NOUNS.get(self.source, "log line" if self.source in LOG_SOURCES else "text")
        many = self.texts if self.texts > 1 else "1"
        size = f"{self.bytes:,} B" if self.bytes < 10_000 else f"{self.bytes / 1000:,.0f} kB"
        return f"{many} {noun}{'s' if self.texts > 1 else ''} ({size}) withheld: {self.why}"


_NOUNS = {
    "kubernetes/events": "event",
    "kubernetes/objects": "object",
    "slack": "message",
    "jira": "ticket text",
    "prometheus": "series name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of a packed case. ``untrusted``: written by strangers, so it stands in an element of its own."""

    name: str
    title: str
    text: str
    tokens: int
    untrusted: bool = True

    @property
    def block(self) -> str:
        """The section as a model reads it."""
        if not self.untrusted:
            return f"{self.title}\n{self.text}\n"
        return f'<{FENCE} section="{self.name}" note="{attribute(self.title)}">\n{self.text}\n</{FENCE}>\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A packed case. The same case, budget and key give the same bytes, so that a cache holds."""

    sections: tuple[Section, ...]
    tokens: int
    whole: bool
    """Nothing was left out."""
    read: Mapping[str, str] = field(default_factory=dict)
    """How much of each source a model sees, for the coverage ledger."""

    withheld: tuple[Withheld, ...] = ()
    """What the egress gate let not pass, or not to its end; a mark stands in its place."""

    @property
    def blocks(self) -> tuple[str, ...]:
        """The stable prefix of every question about the case: texts in order, to be sent unchanged."""
        return tuple(section.block for section in self.sections)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.blocks)

    def coverage(self, rows: Iterable[SourceCoverage]) -> tuple[SourceCoverage, ...]:
        """Put into ledger rows how much of each source was read; a source that gave nothing stays as it is."""
        return tuple(replace(row, read=self.read.get(row.source, row.read)) for row in rows)
