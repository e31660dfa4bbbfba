"""How single values stand in the case file: readable where they can be, and always what they were.

Text is TEXT unless it holds a NUL or a lone surrogate, which SQLite tools cut or Python refuses; then it is a BLOB of
its bytes. Raw bytes are compressed from ``COMPRESS_FROM`` on. Knows no table.
"""

import sys
import threading
from array import array
from datetime import UTC, datetime, timedelta
from typing import Any

import zstandard

COMPRESS_FROM = 256
"""Bytes; below it a zstd frame saves nothing worth its header."""

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Cell = str | bytes | int | float | None

_NEARLY_ALL = 0.9
"""Share of a frame from which on all of it is unpacked: that takes no longer."""

_OPENERS = threading.local()
"""One decompressor a thread: making one costs as much as opening a small frame, sharing one is not safe."""

_PARAMETERS = zstandard.ZstdCompressionParameters(compression_level=1, hash_log=12, window_log=17)
"""Level 3 packs logs no smaller and takes 60 % longer. A table that fits the nearest cache takes 15 % less time than the
level's own and packs within 2 % of it, either way: most of a log repeats from nearby, and ids only push each other out. Nor is
more than 128 KiB looked back upon: that takes 3 % less time for half a hundredth more room."""


class Packer:
    """One reusable zstd compressor; not for two threads at once."""

    def __init__(self) -> None:
        self._zstd = zstandard.ZstdCompressor(compression_params=_PARAMETERS)

    def compress(self, raw: bytes | memoryview) -> bytes:
        """Give a zstd frame that knows its size."""
        return self._zstd.compress(raw)

    def blob(self, raw: bytes) -> bytes:
        """Give the bytes as they are stored: themselves when short, else a zstd frame."""
        # Short bytes that look like a frame are framed too, so that the reader needs no flag.
        if len(raw) > COMPRESS_FROM or raw.startswith(ZSTD_MAGIC):
            return self._zstd.compress(raw)
        return raw


def decompress(frame: bytes) -> bytes:
    """Undo ``Packer.compress``."""
    return _opener().decompress(frame)


def beginning(frame: bytes, size: int) -> bytes:
    """Give at least the first ``size`` bytes of what ``decompress`` would, or all where there are fewer; the rest stays packed."""
    if size > _NEARLY_ALL * zstandard.frame_content_size(frame):
        return decompress(frame)
    with _opener().stream_reader(frame) as reader:
        return reader.read(size)


def _opener() -> zstandard.ZstdDecompressor:
    opener: zstandard.ZstdDecompressor | None = getattr(_OPENERS, "zstd", None)
    if opener is None:
        opener = _OPENERS.zstd = zstandard.ZstdDecompressor()
    return opener


def unblob(stored: bytes) -> bytes:
    """Undo ``Packer.blob``."""
    return decompress(stored) if stored.startswith(ZSTD_MAGIC) else stored


def text_cell(text: str | None) -> str | bytes | None:
    """Give text as a cell: itself, or its bytes where TEXT would not hold it."""
    if text is None:
        return None
    if "\0" not in text:
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    return text.encode("utf-8", "surrogatepass")


def cell_text(cell: str | bytes | None) -> str:
    """Undo ``text_cell`` for a text that was there; an empty cell is an empty text."""
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else cell.decode("utf-8", "surrogatepass")


def cell_text_or_none(cell: str | bytes | None) -> str | None:
    """Undo ``text_cell``."""
    return None if cell is None else cell_text(cell)


def bytes_cell(raw: bytes) -> str | bytes:
    """Give bytes that are mostly text as a readable cell."""
    if b"\0" in raw:
        return raw
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def cell_bytes(cell: str | bytes) -> bytes:
    """Undo ``bytes_cell``."""
    return cell.encode() if isinstance(cell, str) else cell


def time_cell(at: datetime | None) -> str | None:
    """Print a time so that text order is time order: UTC, microseconds, ``Z``."""
    if at is None:
        return None
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def cell_time(cell: str) -> datetime:
    """Undo ``time_cell``."""
    return datetime.fromisoformat(cell)


def cell_time_or_none(cell: str | None) -> datetime | None:
    """Undo ``time_cell`` where there may be no time."""
    return None if cell is None else datetime.fromisoformat(cell)


def at_seconds(at_s: float | None) -> datetime | None:
    """Give seconds since the epoch as a time; None where a calendar has no such time."""
    try:
        return None if at_s is None else EPOCH + timedelta(seconds=at_s)
    except (OverflowError, ValueError):
        return None


def floats_cell(numbers: "array[float]", packer: Packer) -> bytes:
    """Pack float64 numbers, little endian; NaN and infinities are kept."""
    return packer.compress(_little(numbers).tobytes())


def cell_floats(cell: bytes) -> "array[float]":
    """Undo ``floats_cell``."""
    numbers = array("d")
    numbers.frombytes(decompress(cell))
    return _little(numbers)


def _little(numbers: "array[float]") -> "array[float]":
    if sys.byteorder == "little":
        return numbers
    swapped = array("d", numbers)
    swapped.byteswap()
    return swapped


def printable(text: str) -> str:
    """Give text that any stream can print: lone surrogates become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= sign <= "\udfff" else sign for sign in text)
    return text


Row = tuple[Any, ...]
"""A row as SQLite hands it back."""
