"""Many log lines as one text beside columns: what travels from a source to the case file instead of an object a line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from bot.domain.ports import UNDATED, TimedLine
from bot.native.kernel import kernel

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]
_USUAL_LINE = 64
"""Bytes; of a text of shorter lines they are counted first"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineBatch(Sequence[TimedLine]):
    """Lines of one text: where each begins in it, its length, its time, and the offset in it at which its text begins.

    They stand in it one after the other, at least a byte apart. ``stamps``: bytes at the beginning of each line that its time
    gives back (``stamped``), 0 where none do; None where nobody looked.
    A sequence of ``TimedLine``, so that whoever wants single lines needs to know nothing of it.
    """

    text: bytes
    starts: Ints
    lengths: Ints
    times_ns: Ints
    text_starts: Ints
    stamps: Ints | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[TimedLine]:
        columns = (self.times_ns, self.starts, self.lengths, self.text_starts)
        for at, start, length, offset in zip(*(column.tolist() for column in columns), strict=True):
            yield at, self.text[start : start + length], offset

    @overload
    def __getitem__(self, index: int) -> TimedLine: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> TimedLine | Self:
        if isinstance(index, slice):
            return replace(
                self,
                starts=self.starts[index],
                lengths=self.lengths[index],
                times_ns=self.times_ns[index],
                text_starts=self.text_starts[index],
                stamps=None if self.stamps is None else self.stamps[index],
            )
        start = int(self.starts[index])
        raw = self.text[start : start + int(self.lengths[index])]
        return int(self.times_ns[index]), raw, int(self.text_starts[index])

    def raws(self) -> list[bytes]:
        """Give the lines' bytes."""
        text = self.text
        ends = (self.starts + self.lengths).tolist()
        return [text[start:end] for start, end in zip(self.starts.tolist(), ends, strict=True)]

    def keys(self) -> Keys | None:
        """Give a number for each line that only lines of one masked form share; None without compiled loops."""
        compiled = kernel()
        if compiled is None:
            return None
        keys = np.empty(len(self), dtype=np.uint64)
        columns = (self.starts, self.lengths, self.text_starts)
        compiled.rootcause_keys(self.text, len(self.text), len(self), *map(address, columns), address(keys))
        return keys

    def joined(self) -> bytes | memoryview:
        """Give the lines without their stamps one after the other, a line end between them; a view where they stand so in the text."""
        if not len(self):
            return b""
        first, last = int(self.starts[0]), int(self.starts[-1])
        total, stamps = int(self.lengths.sum()), self.stamps
        if stamps is None or not stamps.any():
            if total - int(self.lengths[-1]) + len(self) - 1 == last - first:  # nothing was cut off any of them
                return memoryview(self.text)[first : last + int(self.lengths[-1])]
            stamps = np.zeros(len(self), dtype=np.int64)
        compiled = kernel()
        if compiled is None:
            return b"\n".join(raw[size:] for raw, size in zip(self.raws(), stamps.tolist(), strict=True))
        out = np.empty(total - int(stamps.sum()) + len(self), dtype=np.uint8)
        columns = (self.starts, self.lengths, stamps)
        compiled.rootcause_join(self.text, len(self), *map(address, columns), address(out))
        return out[:-1].data


def batch_of(lines: Sequence[TimedLine]) -> LineBatch:
    """Make a batch of single lines; a time that 64 bits cannot hold becomes ``UNDATED``."""
    if isinstance(lines, LineBatch):
        return lines
    lengths = np.fromiter((len(raw) for _, raw, _ in lines), dtype=np.int64, count=len(lines))
    starts = np.zeros(len(lines), dtype=np.int64)
    np.cumsum(lengths[:-1] + 1, out=starts[1:])
    limit = np.iinfo(np.int64).max
    times = (at if abs(at) <= limit else UNDATED for at, _, _ in lines)
    return LineBatch(
        text=b"\n".join(raw for _, raw, _ in lines),
        starts=starts,
        lengths=lengths,
        times_ns=np.fromiter(times, dtype=np.int64, count=len(lines)),
        text_starts=np.fromiter((offset for _, _, offset in lines), dtype=np.int64, count=len(lines)),
    )


@dataclass(slots=True)
class Oddities:
    """Lines that are odd: bytes that are not UTF-8, NUL bytes, ANSI colours, more bytes than are kept."""

    broken: int = 0
    nul: int = 0
    coloured: int = 0
    too_long: int = 0

    def add(self, other: Self) -> None:
        """Count those of others too."""
        self.broken, self.nul = self.broken + other.broken, self.nul + other.nul
        self.coloured, self.too_long = self.coloured + other.coloured, self.too_long + other.too_long


def lines_of(text: bytes, limit: int, odd: Oddities) -> tuple[Ints, Ints]:
    """Give where each line of a text begins and its length, at most ``limit``; the line end and one CR are no part of it.

    What is odd about the lines is added to ``odd``.
    """
    compiled = kernel()
    if compiled is None:
        return plain_lines_of(text, limit, odd)
    most = len(text) // _USUAL_LINE + 1
    while True:
        starts, lengths, counts = (
            np.empty(most, dtype=np.int64),
            np.empty(most, dtype=np.int64),
            np.zeros(4, dtype=np.int64),
        )
        lines = compiled.rootcause_lines(text, len(text), limit, most, *map(address, (starts, lengths, counts)))
        if lines >= 0:
            break
        most = compiled.rootcause_count(text, len(text)) + 1
    broken, nul, coloured, too_long = counts.tolist()
    odd.add(Oddities(broken=broken, nul=nul, coloured=coloured, too_long=too_long))
    if lines < most // 2:  # what is held on to is no larger than it has to be
        return starts[:lines].copy(), lengths[:lines].copy()
    return starts[:lines], lengths[:lines]


def any_line_begins(text: bytes, mark: bytes) -> bool:
    """Tell whether a line of the text begins with some bytes."""
    compiled = kernel()
    if compiled is None:
        return text.startswith(mark) or b"\n" + mark in text
    return bool(compiled.rootcause_begins(text, len(text), mark, len(mark)))


def plain_lines_of(text: bytes, limit: int, odd: Oddities) -> tuple[Ints, Ints]:
    """Do what the compiled loop does."""
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    sizes = np.fromiter(map(len, lines), dtype=np.int64, count=len(lines))
    starts = np.zeros(len(lines), dtype=np.int64)
    np.cumsum(sizes[:-1] + 1, out=starts[1:])
    if b"\r" in text:
        sizes -= np.fromiter((line.endswith(b"\r") for line in lines), dtype=np.int64, count=len(lines))
    odd.too_long += int((sizes > limit).sum())
    kept = [line[:size] for line, size in zip(lines, np.minimum(sizes, limit).tolist(), strict=True)]
    odd.nul += sum(b"\0" in line for line in kept)
    odd.coloured += sum(b"\x1b" in line for line in kept)
    if not text.isascii():
        odd.broken += sum(not line.isascii() and _broken(line) for line in kept)
    return starts, np.minimum(sizes, limit)


def _broken(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def numbered(keys: Keys) -> tuple[NDArray[np.int32], Ints]:
    """Number keys by the order in which they first appear: each key's number, and the first place of each number."""
    compiled = kernel()
    if compiled is None:
        return plain_numbered(keys)
    table = np.zeros(1 << (2 * len(keys)).bit_length(), dtype=np.int32)
    numbers, firsts = np.empty(len(keys), dtype=np.int32), np.empty(len(keys), dtype=np.int64)
    distinct = compiled.rootcause_number(
        address(keys), len(keys), address(table), len(table), address(numbers), address(firsts)
    )
    return numbers, firsts[:distinct]


def plain_numbered(keys: Keys) -> tuple[NDArray[np.int32], Ints]:
    """Do what the compiled loop does."""
    _, firsts, places = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    number_of = np.empty(len(order), dtype=np.int32)
    number_of[order] = np.arange(len(order), dtype=np.int32)
    return number_of[places.reshape(-1)], firsts[order]


def prefix_times(text: bytes, starts: Ints, lengths: Ints) -> tuple[Ints, Ints, Ints] | None:
    """Date lines by the prefix of a container runtime: times, ``UNDATED`` without one, where the texts begin, and the stamps.

    None without compiled loops.
    """
    compiled = kernel()
    if compiled is None:
        return None
    times, text_starts, stamps = (np.empty(len(starts), dtype=np.int64) for _ in range(3))
    compiled.rootcause_prefixes(text, len(starts), *map(address, (starts, lengths, times, text_starts, stamps)))
    return times, text_starts, stamps


def own_times(text: bytes, starts: Ints, lengths: Ints) -> Ints:
    """Date lines that plainly begin with an ISO time; ``UNDATED`` where that is unsure, all of them without compiled loops."""
    times = np.full(len(starts), UNDATED, dtype=np.int64)
    compiled = kernel()
    if compiled is not None:
        compiled.rootcause_own_times(text, len(starts), *map(address, (starts, lengths, times)))
    return times


def address(column: NDArray[np.generic]) -> int:
    """Give the address of a column's first number; the caller keeps the column."""
    assert column.flags.c_contiguous
    return column.ctypes.data
