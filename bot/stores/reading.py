"""Read a log store into a case within a budget of bytes: all of it where it fits, else what matters.

Beyond the budget the store counts its lines by kind and step; of the lines come the first of each kind, all that sound like
trouble, and samples of the others. What is read streams, so memory stays bounded whatever lies there. A span that fails is
read in halves before it is given up, and what could not be read, or was not, is a Gap with the span it lies in.
"""

import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import accumulate, repeat

from bot.domain.items import Gap, Series
from bot.domain.ports import Progress, Sink, TimedLine
from bot.domain.storable import storable
from bot.domain.window import Window, instant
from bot.stores.ahead import Ahead
from bot.stores.lines import TROUBLE, Batch, Entry, described, split_lines
from bot.stores.span import NS, SHORTEST_NS, Span, window_span
from bot.stores.store import ESTIMATED_LINE, KindCount, LogStore, Pick, Told
from bot.wire import LateError, RefusedError, TooLargeError, WireError

SLICES = 48
"""Parts of a window that is read whole, so that one request stays small and a failure costs a part."""
SAMPLED_SLICES = 144
"""Parts of a window that is sampled: each gives its share, so that no hour is without lines."""
TROUBLE_SHARE = 0.9
"""Of the budget, for lines that sound like trouble; samples of the others get what these leave."""
STEPS = 240
"""Parts of a window that lines are counted in: 6 minutes of a day."""
HALVINGS = 3
FAILURES_TO_STOP = 3
"""So many spans that failed one after another mean that the store is not well."""
BATCH = 5000
COUNTED = "log_lines"
"""The metric's name under which counts of lines by kind stand in the case."""
LONGEST_PATTERN = 300
LONGEST_FIRST = 64 * 1024
_TROUBLE = re.compile(TROUBLE, re.IGNORECASE)


@dataclass(slots=True)
class Budget:
    """Bytes of lines that may still be stored."""

    left: int

    def take(self, size: int) -> None:
        """Count what was stored."""
        self.left -= size


@dataclass(slots=True, kw_only=True)
class StoreReading:
    """One reading; ``fields`` names the store's fields for a line's origin where they are unusual.

    ``hurried`` tells whether so much time is gone that lines matter more than their counts.
    """

    source: str
    sink: Sink
    progress: Progress
    fields: Mapping[str, str] = field(default_factory=dict)
    hurried: Callable[[], bool] = lambda: False
    stored_bytes: int = 0
    stored_lines: int = 0
    failed: bool = False
    _streams: dict[tuple[tuple[str, str], ...], int] = field(default_factory=dict)
    _firsts: dict[int, set[Entry]] = field(default_factory=dict)
    """By stream: lines that are stored before their turn"""
    _failures: int = 0
    _window: Span = field(default_factory=lambda: Span(0, 0))

    def lost(self, what: str, count: int = 1, *, within: Span | None = None, share: float | None = None) -> None:
        """Leave a Gap for something that is missing; ``share``: how much of the lines ``within``, where that is known."""
        span = (instant(within.start / NS), instant(within.end / NS)) if within else None
        self.sink.add_gap(Gap(source=self.source, what=what, count=count, path=self.source, span=span, share=share))

    def odd(self, what: str, count: int = 1) -> None:
        """Leave a Gap for something that is worth knowing and costs nothing."""
        self.sink.add_gap(Gap(source=self.source, what=what, count=count, path=self.source, lost=False))

    def tell(self, told: Told) -> None:
        """Leave Gaps for what the store met."""
        for what, count in sorted(told.lost.items()):
            self.lost(what, count)
        for what, count in sorted(told.odd.items()):
            self.odd(what, count)

    def read(self, store: LogStore, window: Window, most_bytes: int) -> None:
        """Read the window; raises nothing of the wire's."""
        self._window = span = window_span(window)
        try:
            self._read(store, span, most_bytes)
        except WireError as error:
            self._give_up(error, span)
        if self.stored_lines or not self.failed:
            self.sink.add_read(self.source, self.source, max(self.stored_bytes, 1))

    def _read(self, store: LogStore, span: Span, most_bytes: int) -> None:
        measured = store.measure(span, "all")
        size = measured.size()
        if size is None or size <= most_bytes:
            self._whole(store, span, "all", Budget(most_bytes), size)
            return
        budget = Budget(int(most_bytes * TROUBLE_SHARE))
        all_of_it = self._fits(store, span, budget)
        counted = self._counted(store, span, all_of_it=all_of_it)
        if all_of_it:
            whole = self._whole(store, span, "trouble", budget, budget.left)
        else:
            whole = self._sampled(store, span, "trouble", budget)
        apart = [text for known in self._firsts.values() for _, text in known if not _TROUBLE.search(text)]
        trouble = self.stored_lines - len(apart)
        if not self.failed:
            self._sampled(
                store, span, "rest", Budget(most_bytes - int(most_bytes * TROUBLE_SHARE) + max(0, budget.left))
            )
        read = (
            f"{'all' if whole else 'a part'} of the lines that sound like trouble ({trouble:,}), the first line of each "
            f"other kind ({len(apart):,}) and samples of the others ({self.stored_lines - len(apart) - trouble:,}) were read"
        )
        lines = f"{measured.lines:,} lines, " if measured.lines is not None else ""
        told = whole or counted  # trouble that was read whole, or counts by kind, tell of what samples leave out
        self.lost(
            f"the store holds {lines}{budget_words(size)} in the window, more than is read (most_bytes): {counted}{read}",
            share=None if told or self.failed else max(0.0, 1.0 - self.stored_bytes / size),
        )

    def _fits(self, store: LogStore, span: Span, budget: Budget) -> bool:
        """Ask whether all lines of trouble fit; a store that cannot say is read a share at a time."""
        try:
            size = store.measure(span, "trouble").size()
        except (LateError, RefusedError):
            raise
        except WireError:
            return False
        return size is not None and size <= budget.left

    def _counted(self, store: LogStore, span: Span, *, all_of_it: bool) -> str:
        """Let the store count by kind, keep the first line of each, and say so.

        Counts become series. Kinds that sound like trouble need none where all of their lines are read.
        """
        step_s = max(1, -(-span.seconds // STEPS))
        lines, kinds, origins = 0, 0, set[tuple[tuple[str, str], ...]]()
        try:
            for kind in store.kinds(span, step_s):
                lines, kinds = lines + kind.lines, kinds + bool(kind.pattern)
                origins.add(tuple(sorted(kind.labels.items())))
                if kind.first is not None:
                    self._keep_first(kind.first)
                if not (all_of_it and _TROUBLE.search(kind.pattern)):
                    self.sink.add_series(counted_series(kind, span, step_s, self.source))
                if self.hurried():
                    self.odd("not all kinds of lines were counted in the store, for time was short")
                    break
        except (LateError, RefusedError):
            raise
        except WireError as error:
            self.lost(f"the store did not count its lines by kind: {error}")
        if not lines:
            return ""
        by = f" by {kinds:,} kinds" if kinds else ""
        told = f"{lines:,} lines of {len(origins):,} containers were counted there{by}, "
        self.sink.add_detail(self.source, told.removesuffix(", "))
        return told

    def _keep_first(self, first: Batch) -> None:
        self._store(first, LONGEST_FIRST)
        self._firsts.setdefault(self._stream(first.labels), set()).update(first.entries)

    def _whole(self, store: LogStore, span: Span, pick: Pick, budget: Budget, size: int | None) -> bool:
        """Read all of the window's lines that are picked, as far as the budget reaches; tell whether it reached."""
        slices = span.parts(SLICES)
        with Ahead(lambda each: store.lines(each, pick, budget.left // ESTIMATED_LINE), slices) as ahead:
            for each in slices:
                if self._span(store, each, pick, budget, size, batches=ahead.following()):
                    continue
                if not self.failed:
                    rest = Span(each.start, slices[-1].end)
                    may = budget_words(self.stored_bytes)
                    self.lost(
                        f"from within {rest} nothing more was read: the {may} that may be were", within=rest, share=1.0
                    )
                return False
        return True

    def _sampled(self, store: LogStore, span: Span, pick: Pick, budget: Budget) -> bool:
        """Read each slice's share of the budget, what one leaves going to the next; tell whether none was cut."""
        slices = span.parts(SAMPLED_SLICES)
        hint = max(0, budget.left) // len(slices) // ESTIMATED_LINE
        whole = True
        with Ahead(lambda each: store.lines(each, pick, hint), slices) as ahead:
            for number, each in enumerate(slices):
                share = Budget(max(0, budget.left) // (len(slices) - number))
                begun = share.left
                whole = self._span(store, each, pick, share, None, batches=ahead.following()) and whole
                budget.take(begun - share.left)
                if self.failed:
                    return False
        return whole

    def _span(
        self,
        store: LogStore,
        span: Span,
        pick: Pick,
        budget: Budget,
        total: int | None,
        *,
        batches: Iterator[Batch] | None = None,
        depth: int = 0,
    ) -> bool:
        """Read one span, in halves where it fails; False where the budget ended it or reading was given up."""
        before = self.stored_lines
        try:
            done = self._lines(batches or store.lines(span, pick, budget.left // ESTIMATED_LINE), budget, total)
        except (LateError, RefusedError, TooLargeError) as error:
            self._give_up(error, self._rest(span, pick), f" from {span} on")
            return False
        except WireError as error:
            nothing = self.stored_lines == before  # what came is not read twice
            if nothing and depth < HALVINGS and span.end - span.start >= 2 * SHORTEST_NS and not self._failures:
                halves = span.halves()
                return all(self._span(store, each, pick, budget, total, depth=depth + 1) for each in halves)
            self._failures += 1
            if self._failures >= FAILURES_TO_STOP:
                self._give_up(error, self._rest(span, pick), f" from {span} on")
                return False
            self.lost(f"lines of {span} were not all read: {error}", within=span, share=1.0 if nothing else None)
            return True
        self._failures = 0
        return done

    def _lines(self, batches: Iterator[Batch], budget: Budget, total: int | None) -> bool:
        with closing(batches):  # type: ignore[type-var] # a generator in every store
            for batch in batches:
                size, whole = self._store(batch, budget.left)
                budget.take(size)
                self.progress("read", self.stored_bytes, total)
                if not whole:
                    return False
        return True

    def _store(self, batch: Batch, most: int) -> tuple[int, bool]:
        """Store a batch as far as the budget reaches; give the bytes, and whether all of it was stored."""
        entries: Sequence[Entry] = batch.entries
        if self._firsts and (known := self._firsts.get(self._stream(batch.labels))):
            entries = [each for each in entries if each not in known]
        kept, whole = _within(entries, most)
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
            found = self._streams[key] = self.sink.open_stream(described(dict(labels), self.source, self.fields))
        return found

    def _rest(self, span: Span, pick: Pick) -> Span | None:
        """Give where nothing is read once reading ends in a span; None where what matters has been read before."""
        return None if pick == "rest" else Span(span.start, self._window.end)

    def _give_up(self, error: WireError, rest: Span | None, where: str = "") -> None:
        self.failed = True
        was = f"could not be read to the end{where}" if self.stored_lines else "could not be read"
        self.lost(f"the log store {was}: {error}", within=rest, share=1.0 if rest else None)


def counted_series(kind: KindCount, span: Span, step_s: int, source: str) -> Series:
    """Give the counts of a kind as a series of lines a step; a step that the store remembers and tells nothing of had none."""
    first = max(span.start // NS, kind.since_s or 0) // step_s * step_s
    steps = -(-(span.end // NS - first) // step_s)
    values = array("d", bytes(8 * steps))
    for at, lines in kind.counts:
        if 0 <= (step := (at - first) // step_s) < steps:
            values[step] += lines
    labels = {**kind.labels, **({"pattern": storable(kind.pattern)[:LONGEST_PATTERN]} if kind.pattern else {})}
    raw = json.dumps({"metric": {"__name__": COUNTED, **labels}, "values": list(kind.counts)}).encode()
    times = array("d", (float(first + step * step_s) for step in range(steps)))
    return Series(metric=COUNTED, labels=labels, times_s=times, values=values, raw=raw, source=source)


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
