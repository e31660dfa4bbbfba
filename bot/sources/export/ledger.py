"""What every importer of a file shares while an export is read: the sink, the gaps, and what is known so far.

Oddities taken in stride are summed per source and wording, so that a thousand files with ANSI colours are one row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.items import Gap
from bot.domain.ports import Sink

LISTED_FILES = 200
"""So many losses of one source are listed by path; more would bury the ledger, and are summed."""


class Ledger:
    """Gathers gaps and hands them to the sink when the import ends; ``torn`` says where documents end in the middle."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._odd: dict[tuple[str, str], tuple[int, set[str]]] = {}
        self._lost: dict[str, int] = {}
        self.torn: dict[str, str] = {}

    def odd(self, source: str, what: str, count: int, path: str) -> None:
        """Count an oddity that lost nothing."""
        if not count:
            return
        so_far, paths = self._odd.get((source, what), (0, set()))
        if len(paths) < 2:
            paths.add(path)
        self._odd[source, what] = (so_far + count, paths)

    def lost(self, source: str, what: str, path: str | None, count: int = 1) -> None:
        """Record a loss at once, or sum it where a source has listed too many already."""
        listed = self._lost.get(source, 0)
        self._lost[source] = listed + 1
        if listed < LISTED_FILES:
            self._sink.add_gap(Gap(source=source, what=what, count=count, path=path, lost=True))

    def tear(self, source: str, cut: Exception, before: str, path: str) -> None:
        """Record that a document ends in the middle, how much was read before, and remember its path in ``torn``."""
        self.torn[path] = str(cut)
        self.lost(source, f"{cut}; {before}", path)

    def close(self) -> None:
        """Write the sums into the sink, in a fixed order."""
        for (source, what), (count, paths) in sorted(self._odd.items()):
            path = next(iter(paths)) if len(paths) == 1 else None
            self._sink.add_gap(Gap(source=source, what=what, count=count, path=path, lost=False))
        for source, listed in sorted(self._lost.items()):
            if (more := listed - LISTED_FILES) > 0:
                self._sink.add_gap(Gap(source=source, what="more of the like, not listed", count=more))


@dataclass(slots=True, kw_only=True)
class Reading:
    """The state of one import: where items go, and what earlier files taught about later ones."""

    sink: Sink
    ledger: Ledger
    tick: Callable[[int], None]
    """Called with every number of stored bytes consumed"""
    users: dict[str, str] = field(default_factory=dict)
    """Slack user id → name"""
    channels: dict[str, str] = field(default_factory=dict)
    """Slack channel id → name"""
    unpacked: int = 0
    """Bytes given out of compressed files so far"""
    messages_seen: set[tuple[str, str]] = field(default_factory=set)
    named: frozenset[str] = frozenset()
    """Names that the paths of logs hold: pods and namespaces of others are not remembered"""
    pods: dict[str, str] = field(default_factory=dict)
    """Pod name → namespace, from objects and events"""
    namespaces: set[str] = field(default_factory=set)
    latest_s: float | None = None
    """The latest time any dated item carried: it lends its year to dates without one"""

    def met(self, namespace: str, pod: str | None = None, *, sure: bool = True) -> None:
        """Remember a namespace, and a pod in it, where paths of logs name them; ``sure``: against what was met before."""
        if namespace in self.named:
            self.namespaces.add(namespace)
        if pod in self.named and pod is not None and (sure or pod not in self.pods):
            self.pods[pod] = namespace

    def saw(self, at_s: float) -> None:
        """Remember the latest time seen."""
        if self.latest_s is None or at_s > self.latest_s:
            self.latest_s = at_s
