"""Read a log store into a case within a budget of bytes: all of it where it fits, else what sounds like trouble and samples.

The store counts and selects; what is read comes as a stream, so memory stays bounded whatever lies there. A span that fails is
read in halves before it is given up, and what could not be read, or was not, is a Gap with the span it lies in.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, repeat
from typing import Literal, Protocol

from bot.domain.items import Gap
from bot.domain.ports import Progress, Sink, TimedLine
from bot.domain.window import Window, rfc3339
from bot.stores.lines import Batch, Entry, described, split_lines
from bot.wire import LateError, RefusedError, TooLargeError, WireError

Pick = Literal["all", "trouble", "rest"]
"""Which lines: all, those with a word of ``TROUBLE``, or those without."""

NS = 1_000_000_000
SLICES = 48
"""Parts of a window that is read whole, so that one request stays small and a failure costs a part."""
SAMPLED_SLICES = 144
"""Parts of a window that is sampled: each gives its share, so that no hour is without lines."""
TROUBLE_SHARE = 0.6
"""Of the budget, for lines that sound like trouble."""
SHORTEST_NS = 60 * NS
HALVINGS = 3
FAILURES_TO_STOP = 3
"""So many spans that failed one after another mean that the store is not well."""
BATCH = 5000
ESTIMATED_LINE = 250
"""Bytes of a line, where a store counts lines alone."""


@dataclass(frozen=True, slots=True)
class Span:
    """Nanoseconds since the epoch, the end left out."""

    start: int
    end: int

    def halves(self) -> tuple["Span", "Span"]:
        """Give two spans in its place."""
        middle = (self.start + self.end) // 2
        return Span(self.start, middle), Span(middle, self.end)

    def __str__(self) -> str:
        begin, end = (rfc3339(datetime.fromtimestamp(at // NS, UTC)) for at in (self.start, self.end))
        return f"{begin} to {end}"


def window_span(window: Window) -> Span:
    """Give a window in nanoseconds."""
    return Span(round(window.start.timestamp() * 1e6) * 1000, round(window.end.timestamp() * 1e6) * 1000)


def parts(span: Span, count: int) -> list[Span]:
    """Cut a span into at most ``count`` parts of at least a minute."""
    count = max(1, min(count, (span.end - span.start) // SHORTEST_NS))
    edges = [span.start + (span.end - span.start) * n // count for n in range(count + 1)]
    return [Span(edges[n], edges[n + 1]) for n in range(count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the store counts in the window; None where it cannot."""

    lines: int | None = None
    bytes: int | None = None

    def size(self) -> int | None:
        """Give the bytes, by an estimate where only lines were counted."""
        if self.bytes is not None or self.lines is None:
            return self.bytes
        return self.lines * ESTIMATED_LINE


class LogStore(Protocol):
    """One store: how it counts and how it hands lines on. Both raise WireError."""

    def measure(self, span: Span) -> Measured:
        """Count what lies in a span."""
        ...

    def lines(self, span: Span, pick: Pick, hint: int) -> Iterator[Batch]:
        """Hand on the lines of a span, a batch of one stream at a time; about ``hint`` of them will be wanted."""
        ...


@dataclass(slots=True)
class Budget:
    """Bytes of lines that may still be stored."""

    left: int

    def take(self, size: int) -> None:
        """Count what was stored."""
        self.left -= size


@dataclass(slots=True, kw_only=True)
class StoreReading:
    """One reading; ``fields`` names the store's fields for a line's origin where they are unusual."""

    source: str
    path: str
    sink: Sink
    progress: Progress
    fields: Mapping[str, str] = field(default_factory=dict)
    stored_bytes: int = 0
    stored_lines: int = 0
    failed: bool = False
    _streams: dict[tuple[tuple[str, str], ...], int] = field(default_factory=dict)
    _failures: int = 0

    def lost(self, what: str, count: int = 1) -> None:
        """Leave a Gap for something that is missing."""
        self.sink.add_gap(Gap(source=self.source, what=what, count=count, path=self.path))

    def odd(self, what: str, count: int = 1) -> None:
        """Leave a Gap for something that is worth knowing and costs nothing."""
        self.sink.add_gap(Gap(source=self.source, what=what, count=count, path=self.path, lost=False))

    def read(self, store: LogStore, window: Window, most_bytes: int) -> None:
        """Read the window; raises nothing of the wire's."""
        span = window_span(window)
        try:
            self._read(store, span, most_bytes)
        except WireError as error:
            self._give_up(error, "")
        if self.stored_lines or not self.failed:
            self.sink.add_read(self.source, self.path, max(self.stored_bytes, 1))

    def _read(self, store: LogStore, span: Span, most_bytes: int) -> None:
        measured = store.measure(span)
        size = measured.size()
        if size is None or size <= most_bytes:
            self._whole(store, span, Budget(most_bytes), size)
            return
        trouble = Budget(int(most_bytes * TROUBLE_SHARE))
        whole = self._sampled(store, span, "trouble", trouble)
        read = self.stored_lines
        if not self.failed:
            self._sampled(store, span, "rest", Budget(most_bytes - (int(most_bytes * TROUBLE_SHARE) - trouble.left)))
        self._say_sampled(measured, size, read, whole=whole)

    def _whole(self, store: LogStore, span: Span, budget: Budget, size: int | None) -> None:
        slices = parts(span, SLICES)
        for each in slices:
            if not self._span(store, each, "all", budget, size):
                if not self.failed:
                    rest = Span(each.start, slices[-1].end)
                    self.lost(
                        f"from within {rest} nothing more was read: the {budget_words(self.stored_bytes)} that may be were"
                    )
                return

    def _sampled(self, store: LogStore, span: Span, pick: Pick, budget: Budget) -> bool:
        """Read each slice's share of the budget, what one leaves going to the next; tell whether none was cut."""
        slices = parts(span, SAMPLED_SLICES)
        whole = True
        for number, each in enumerate(slices):
            share = Budget(max(0, budget.left) // (len(slices) - number))
            begun = share.left
            whole = self._span(store, each, pick, share, None) and whole
            budget.take(begun - share.left)
            if self.failed:
                return False
        return whole

    def _say_sampled(self, measured: Measured, size: int, trouble: int, *, whole: bool) -> None:
        lines = f"{measured.lines:,} lines, " if measured.lines is not None else ""
        first = "all" if whole else "a part"
        self.lost(
            f"the store holds {lines}{budget_words(size)} in the window, more than is read (most_bytes): "
            f"{first} of the lines that sound like trouble ({trouble:,}) and samples of the others "
            f"({self.stored_lines - trouble:,}) were read"
        )

    def _span(self, store: LogStore, span: Span, pick: Pick, budget: Budget, total: int | None, depth: int = 0) -> bool:
        """Read one span, in halves where it fails; False where the budget ended it or reading was given up."""
        before = self.stored_lines
        try:
            done = self._lines(store, span, pick, budget, total)
        except (LateError, RefusedError, TooLargeError) as error:
            self._give_up(error, f" from {span} on")
            return False
        except WireError as error:
            nothing = self.stored_lines == before  # what came is not read twice
            if nothing and depth < HALVINGS and span.end - span.start >= 2 * SHORTEST_NS and not self._failures:
                left, right = span.halves()
                return all(self._span(store, each, pick, budget, total, depth + 1) for each in (left, right))
            self._failures += 1
            if self._failures >= FAILURES_TO_STOP:
                self._give_up(error, f" from {span} on")
                return False
            self.lost(f"lines of {span} were not all read: {error}")
            return True
        self._failures = 0
        return done

    def _lines(self, store: LogStore, span: Span, pick: Pick, budget: Budget, total: int | None) -> bool:
        hint = budget.left // ESTIMATED_LINE
        with closing(store.lines(span, pick, hint)) as batches:  # type: ignore[type-var] # a generator in every store
            for batch in _ahead(batches):
                size, whole = self._store(batch, budget.left)
                budget.take(size)
                self.progress("read", self.stored_bytes, total)
                if not whole:
                    return False
        return True

    def _store(self, batch: Batch, most: int) -> tuple[int, bool]:
        """Store a batch as far as the budget reaches; give the bytes, and whether all of it was stored."""
        kept, whole = _within(batch.entries, most)
        if not kept:
            return 0, whole
        lines = _lines_of(kept)
        stream = self._stream(batch.labels)
        for start in range(0, len(lines), BATCH):
            self.sink.add_lines(stream, lines[start : start + BATCH])
        size = sum([len(line) for _, line, _ in lines])
        self.stored_lines += len(lines)
        self.stored_bytes += size
        return size, whole

    def _stream(self, labels: Mapping[str, str]) -> int:
        key = tuple(sorted(labels.items()))
        found = self._streams.get(key)
        if found is None:
            found = self._streams[key] = self.sink.open_stream(described(dict(labels), self.path, self.fields))
        return found

    def _give_up(self, error: WireError, where: str) -> None:
        self.failed = True
        was = f"could not be read to the end{where}" if self.stored_lines else "could not be read"
        self.lost(f"the log store {was}: {error}")


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Fetch and decode the next batch while the last is stored; the thread ends before this does."""
    with ThreadPoolExecutor(1, thread_name_prefix="log store") as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def _within(entries: Sequence[Entry], most: int) -> tuple[Sequence[Entry], bool]:
    """Give the entries that a budget reaches for, the one that uses it up included; tell whether those are all."""
    ends = list(accumulate(len(text) for _, text in entries))
    if not ends or ends[-1] <= most:
        return entries, True
    kept = bisect_left(ends, most) + 1 if most > 0 else 0
    return entries[:kept], kept == len(entries)


def _lines_of(entries: Sequence[Entry]) -> list[TimedLine]:
    """Make lines of entries; where each is one plain line, which is nearly always, all at once."""
    whole = "\n".join([text for _, text in entries])
    if whole.isascii() and whole.count("\n") == len(entries) - 1:
        return list(zip([at for at, _ in entries], whole.encode().split(b"\n"), repeat(0)))
    return [line for at, text in entries for line in split_lines(at, text)]


def budget_words(size: int) -> str:
    """Say a number of bytes as people say it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size:,} B"


def quoted(names: Sequence[str]) -> str:
    """Give names as a regular expression of alternatives; a Kubernetes name holds nothing that means more."""
    return "|".join(name.replace(".", "[.]") for name in names)
