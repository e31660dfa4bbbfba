"""Log blocks: many lines as one compressed text beside one compressed array per column.

A block gives back the exact bytes of every line, whatever they hold: borders come from the length column, not from line
ends. Everything here takes and gives whole blocks (one bytes object, numpy columns), so that a faster scanner can fill
them without a Python object per line. Knows neither SQLite nor what a line means.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bot.casefile.cells import EPOCH, Packer, decompress
from bot.native.batch import address
from bot.native.kernel import kernel

BLOCK_BYTES = 512 * 1024
"""Raw bytes after which a block is closed: large enough to compress well, small enough to open for one line."""

WHOLE_FORM = 1365
"""Bytes of a text up to which nothing is cut off its form: masking's span is three times as long."""

ANY_FORM = b"<*>"
"""The form of lines that came when there were as many as are told apart; it says nothing of what they hold."""

NO_FORM = -1
"""Form number of lines in a case that was written without masking."""

Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]
_Number = TypeVar("_Number", np.int32, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockColumns:
    """What is known of each line, equal lengths.

    ``times_ns``: nanoseconds since the epoch or ``UNDATED``; ``streams``: numbers; ``lengths``: bytes of the line;
    ``text_starts``: offset in the line at which its text begins; ``stamps``: bytes at the line's beginning that its time gives
    back (``stamped``), so that the text is stored without them; None where there are none.
    """

    times_ns: Ints
    streams: Numbers
    lengths: Ints
    text_starts: Ints
    stamps: Ints | None = None

    @property
    def offsets(self) -> Ints:
        """Where each line begins in the block's text, and where one behind the last would: n + 1 numbers."""
        offsets = np.zeros(len(self.lengths) + 1, dtype=np.int64)
        np.cumsum(self.lengths + 1, out=offsets[1:])
        return offsets


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBlock:
    """A block as it is stored, but for what mapping it gives (its forms and its token filter): zstd frames."""

    lines: int
    text: bytes
    times: bytes
    streams: bytes
    lengths: bytes
    text_starts: bytes
    stamps: bytes | None
    """Bytes that each line's time gives back: text, lengths and text offsets are those behind them"""
    uneven: bool
    """Whether a line holds more than its form tells: what is cut off it, or colours inside its words"""


def pack_block(text: bytes, columns: BlockColumns, packer: Packer) -> PackedBlock:
    """Compress a block; ``text`` is its lines without their stamps, each followed by one byte, but for the last."""
    stamps, lengths, text_starts = columns.stamps, columns.lengths, columns.text_starts
    if stamps is not None:
        lengths, text_starts = lengths - stamps, text_starts - stamps
    return PackedBlock(
        lines=len(columns.lengths),
        text=packer.compress(text),
        times=_pack(columns.times_ns, packer, ascending=True),
        streams=_pack(columns.streams, packer),
        lengths=_pack(lengths, packer),
        text_starts=_pack(text_starts, packer),
        stamps=None if stamps is None else _pack(stamps, packer),
        uneven=b"\x1b" in text or bool((columns.lengths - columns.text_starts > WHOLE_FORM).any()),
    )


def stamped(at_ns: int, size: int) -> bytes:
    """Give the ``size`` bytes with which a container runtime dates a line: RFC 3339 in UTC, a fraction that fills them, a blank."""
    if not size:
        return b""
    seconds, fraction = divmod(at_ns, 1_000_000_000)
    second = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    digits = f".{fraction:09d}"[: size - len(second) - len("Z ")]
    return f"{second}{digits}Z ".encode()


def pack_numbers(numbers: Numbers, packer: Packer) -> bytes:
    """Compress a column of numbers."""
    return _pack(numbers, packer)


def unpack_times(frame: bytes, lines: int) -> Ints:
    """Give the times of a block's lines in nanoseconds."""
    return _unpack(frame, lines, np.int64, ascending=True)


def unpack_numbers(frame: bytes, lines: int) -> Numbers:
    """Give the stream or form numbers of a block's lines."""
    return _unpack(frame, lines, np.int32)


def unpack_sizes(frame: bytes, lines: int) -> Ints:
    """Give the lengths or text offsets of a block's lines."""
    return _unpack(frame, lines, np.int64)


def _pack(column: Ints | Numbers, packer: Packer, *, ascending: bool = False) -> bytes:
    """Compress a column byte plane by byte plane: high bytes of neighbours are alike, low bytes are not.

    Planes behind the last that holds anything are left out: of lengths and offsets three in four, and zeros cost time too.
    """
    compiled = kernel()
    if compiled is None or not len(column):
        return packer.compress(plain_planes(column, ascending=ascending))
    planes = np.empty(column.nbytes, dtype=np.uint8)
    held = compiled.rootcause_planes(address(column), len(column), column.dtype.itemsize, ascending, address(planes))
    return packer.compress(planes[: held * len(column)].data)


def plain_planes(column: Ints | Numbers, *, ascending: bool) -> bytes:
    """Do what the compiled loop does."""
    if ascending:
        # Wraps around where neighbours lie more than 2^63 apart, and the sum wraps back.
        column = np.diff(column, prepend=np.int64(0))
    width = column.dtype.itemsize
    planes = column.astype(f"<i{width}", copy=False).view(np.uint8).reshape(-1, width).T
    held = np.flatnonzero(planes.any(axis=1))
    return planes[: int(held[-1]) + 1 if len(held) else 1].tobytes()


def _unpack(frame: bytes, lines: int, kind: type[_Number], *, ascending: bool = False) -> NDArray[_Number]:
    planes, compiled = decompress(frame), kernel()
    held, over = divmod(len(planes), lines) if lines else (0, 0)
    numbers = np.empty(lines, dtype=kind)
    if compiled is None or over or not 1 <= held <= numbers.itemsize:
        return plain_numbers(planes, lines, kind, ascending=ascending)
    compiled.rootcause_numbers(planes, lines, held, numbers.itemsize, ascending, address(numbers))
    return numbers


def plain_numbers(planes: bytes, lines: int, kind: type[_Number], *, ascending: bool) -> NDArray[_Number]:
    """Do what the compiled loop does; raises ValueError where the planes are not those of so many numbers."""
    width = np.dtype(kind).itemsize
    held = np.frombuffer(planes, dtype=np.uint8).reshape(-1, lines)
    if not 1 <= len(held) <= width:
        raise ValueError(f"{len(held)} planes of numbers of {width} bytes")
    columns = np.zeros((lines, width), dtype=np.uint8)
    columns[:, : len(held)] = held.T
    numbers = columns.view(np.dtype(kind).newbyteorder("<")).reshape(lines)
    return np.cumsum(numbers, dtype=kind) if ascending else numbers.astype(kind, copy=False)
