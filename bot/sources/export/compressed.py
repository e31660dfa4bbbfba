"""Unpack gzip, zstd, bzip2 and xz as streams that never lose what came before a cut.

The standard library's file objects drop the last buffer of a truncated file; decompressor objects do not. Every
call's output is bounded, so that a small input cannot fill the memory.
"""

import bz2
import lzma
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import zstandard

CHUNK = 1024 * 1024
"""Bytes read at once."""

_ZSTD_PIECE = 2048
"""zstd cannot bound its output; a run-length block makes 128 KiB of 4 bytes, so this bounds a call to 64 MiB."""

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}


class CutError(Exception):
    """A stream that ends or breaks before its time; everything before it has been handed out."""


def compression_of(head: bytes) -> str | None:
    """Recognise a compressed stream by its first bytes."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def inflated(name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack a stream of chunks; raise CutError at its end where it was cut or damaged."""
    try:
        yield from _zstd(chunks) if name == "zstd" else _bounded(name, chunks)
    except (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        raise CutError(f"the {name} stream is damaged") from error


def _begun(name: str) -> Any:  # noqa: ANN401 - three libraries, one shape, no common type
    if name == "gzip":
        return zlib.decompressobj(wbits=31)
    return bz2.BZ2Decompressor() if name == "bzip2" else lzma.LZMADecompressor(memlimit=256 * 1024**2)


def _bounded(name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    stream, begun = _begun(name), False
    for stored in chunks:
        rest = stored
        while rest or (begun and not getattr(stream, "needs_input", True)):
            begun = True
            out = stream.decompress(rest, CHUNK)
            if out:
                yield out
            if not stream.eof:
                rest = getattr(stream, "unconsumed_tail", b"")
                continue
            rest = stream.unused_data.lstrip(b"\0")  # tape blocks are padded with zeros
            if rest and compression_of(rest[:8]) not in {name, None}:
                return
            if rest and compression_of(rest[:8]) is None and len(rest) >= 8:
                raise CutError(f"bytes that are not {name} follow the stream")
            stream, begun = _begun(name), False
    if begun and not stream.eof:
        raise CutError(f"the {name} stream is cut off")


def _zstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    codec = zstandard.ZstdDecompressor(max_window_size=2**27)
    stream, begun = codec.decompressobj(), False
    for stored in chunks:
        for at in range(0, len(stored), _ZSTD_PIECE):
            rest = stored[at : at + _ZSTD_PIECE]
            while rest:
                begun = True
                out = stream.decompress(rest)
                if out:
                    yield out
                if not stream.eof:
                    break
                rest = stream.unused_data
                stream, begun = codec.decompressobj(), False
    if begun:
        raise CutError("the zstd stream is cut off")
