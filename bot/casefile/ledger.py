"""What each source gave and could not give, counted while it is written; becomes the coverage ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.casefile.conclusions import gap_key
from bot.casefile.stored import STANDARD_SOURCES
from bot.domain.items import Gap, SourceCoverage


@dataclass(slots=True)
class _Tally:
    items: int = 0
    bytes: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    def add(self, items: int, size: int, times: Iterable[datetime | None]) -> None:
        self.items += items
        self.bytes += size
        for at in times:
            if at is not None:
                self.first_at = at if self.first_at is None else min(self.first_at, at)
                self.last_at = at if self.last_at is None else max(self.last_at, at)


LogCount = tuple[str, int, int, tuple[datetime | None, datetime | None]]
"""A stream's source, lines, bytes, and first and last time."""


class Ledger:
    """Counts per source name."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}
        self._gaps: dict[tuple[str, str, str, bool], Gap] = {}
        self._reads: dict[tuple[str, str], int] = {}
        self._details: dict[str, list[str]] = {}

    def count(self, source: str, items: int, size: int, times: Iterable[datetime | None] = ()) -> None:
        """Add items of a source, their bytes, and times of which the extremes matter."""
        self._tallies.setdefault(source, _Tally()).add(items, size, times)

    def add_gap(self, gap: Gap) -> None:
        """Add a gap; the same one again adds to its count."""
        known = self._gaps.get(gap_key(gap))
        self._gaps[gap_key(gap)] = gap if known is None else replace(known, count=known.count + gap.count)

    def add_read(self, source: str, path: str, size: int) -> None:
        """Add bytes read from a file."""
        self._reads[source, path] = self._reads.get((source, path), 0) + size

    def add_detail(self, source: str, detail: str) -> None:
        """Add what a source's row must be read with; the same words once."""
        told = self._details.setdefault(source, [])
        if detail not in told:
            told.append(detail)

    def sources_by_path(self) -> dict[str, str]:
        """Tell for each file read which source it was read for; the first in order where there are two."""
        return {path: source for source, path in sorted(self._reads, reverse=True)}

    def gaps(self) -> list[Gap]:
        """Give all gaps by source, path and words."""
        return [self._gaps[key] for key in sorted(self._gaps)]

    def coverage(self, logs: Iterable[LogCount] = ()) -> list[SourceCoverage]:
        """Give a row per source: the standard ones first, whether they gave anything or not, then others by name."""
        tallies = {source: replace(tally) for source, tally in self._tallies.items()}
        for source, lines, size, times in logs:
            tallies.setdefault(source, _Tally()).add(lines, size, times)
        seen = {
            *tallies,
            *(source for source, _ in self._reads),
            *(gap.source for gap in self._gaps.values()),
            *self._details,
        }
        others = sorted(seen - set(STANDARD_SOURCES))
        return [self._row(source, tallies.get(source, _Tally())) for source in (*STANDARD_SOURCES, *others)]

    def _row(self, source: str, tally: _Tally) -> SourceCoverage:
        gaps = tuple(gap for gap in self.gaps() if gap.source == source)
        read = [size for (of, _), size in self._reads.items() if of == source]
        # "Nothing in it" and "could not look" differ: a file that was read and held nothing is not a missing source.
        lost = any(gap.lost for gap in gaps)
        missing = not tally.items and not read and (lost or source in STANDARD_SOURCES)
        return SourceCoverage(
            source=source,
            status="missing" if missing else "partial" if lost else "complete",
            items=tally.items,
            bytes=sum(read) if read else tally.bytes,
            first_at=tally.first_at,
            last_at=tally.last_at,
            gaps=gaps,
            detail="; ".join(
                [*(["nothing of it was given"] if missing else []), *sorted(self._details.get(source, ()))]
            ),
        )
