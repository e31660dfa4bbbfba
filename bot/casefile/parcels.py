"""A run of blocks, and what it was mapped to, as one bytes object each: what travels between processes.

A parcel is the length of its head in four bytes, the head (JSON, compressed), and frames whose lengths the head tells. Nothing
in it is ever executed. What does not fit together is refused, so that a broken result is mapped again instead of stored.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import zstandard

from bot.casefile.blocks import NO_FORM, PackedBlock, pack_numbers, unpack_numbers, unpack_sizes
from bot.casefile.cells import ZSTD_MAGIC, Packer, decompress
from bot.casefile.mapping import BlockText, Mapped, MappedBlock
from bot.errors import ParcelError

MOST_RAW = 256 * 1024 * 1024
"""Raw bytes that a parcel may open to; runs are a sixteenth of it, unless single lines are longer than a run."""

_HEAD = 4


def pack_run(blocks: Sequence[PackedBlock]) -> bytes:
    """Give what the map needs of a run: texts, lengths and text offsets, as the case file stores them."""
    head = [[block.lines, len(block.text), len(block.lengths), len(block.text_starts)] for block in blocks]
    frames = [frame for block in blocks for frame in (block.text, block.lengths, block.text_starts)]
    return _packed({"blocks": head}, frames)


def unpack_run(parcel: bytes) -> list[BlockText]:
    """Undo ``pack_run``; raises ParcelError."""
    try:
        head, frames = _unpacked(parcel)
        rows = head["blocks"]
        opened = _opened(frames, [size for _, *sizes in rows for size in sizes])
        return [_block(int(lines), next(opened), next(opened), next(opened)) for lines, *_ in rows]
    except (ValueError, KeyError, TypeError, zstandard.ZstdError) as error:
        raise ParcelError(f"A run of log blocks arrived broken ({type(error).__name__}).") from error


def _block(lines: int, text: bytes, lengths: bytes, text_starts: bytes) -> BlockText:
    block = BlockText(
        text=decompress(text), lengths=unpack_sizes(lengths, lines), text_starts=unpack_sizes(text_starts, lines)
    )
    inside = (block.text_starts >= 0) & (block.text_starts <= block.lengths) & (block.lengths >= 0)
    if not inside.all() or int(block.lengths.sum()) + lines - 1 != len(block.text):
        raise ValueError
    return block


def pack_mapped(mapped: Mapped) -> bytes:
    """Give what a run was mapped to."""
    packer = Packer()
    columns = [pack_numbers(block.forms, packer) for block in mapped.blocks]
    sizes = [[len(column), len(block.bloom)] for column, block in zip(columns, mapped.blocks, strict=True)]
    forms = packer.compress(b"".join(mapped.forms))
    head = {"firsts": mapped.firsts, "forms": list(map(len, mapped.forms)), "text": len(forms), "blocks": sizes}
    frames = [forms]
    for column, block in zip(columns, mapped.blocks, strict=True):
        frames += [column, block.bloom]
    return _packed(head, frames)


def unpack_mapped(parcel: bytes, lines: Sequence[int]) -> Mapped:
    """Undo ``pack_mapped`` for a run whose blocks have so many lines; raises ParcelError where the two do not fit."""
    try:
        head, frames = _unpacked(parcel)
        firsts, sizes = [int(at) for at in head["firsts"]], [int(size) for size in head["forms"]]
        opened = _opened(frames, [int(head["text"]), *(size for row in head["blocks"] for size in row)])
        text = decompress(next(opened))
        ends = np.cumsum([0, *sizes]).tolist()
        forms = [text[begin:end] for begin, end in pairwise(ends)]
        blocks = [MappedBlock(forms=unpack_numbers(next(opened), count), bloom=next(opened)) for count in lines]
        mapped = Mapped(forms=forms, firsts=firsts, blocks=blocks)
        fits = len(head["blocks"]) == len(lines) and ends[-1] == len(text) and _fits(mapped, sum(lines))
    except (ValueError, KeyError, TypeError, StopIteration, zstandard.ZstdError) as error:
        raise ParcelError(f"What a run was mapped to arrived broken ({type(error).__name__}).") from error
    if not fits:
        raise ParcelError("What a run was mapped to does not fit it.")
    return mapped


def _fits(mapped: Mapped, lines: int) -> bool:
    """Tell whether every line has one of the forms or none, and every form a first line, in order."""
    ascending = all(a < b for a, b in pairwise(mapped.firsts))
    named = all(
        int(block.forms.min(initial=NO_FORM)) >= NO_FORM and int(block.forms.max(initial=NO_FORM)) < len(mapped.forms)
        for block in mapped.blocks
    )
    distinct = len(set(mapped.forms)) == len(mapped.forms) == len(mapped.firsts)
    return ascending and named and distinct and all(0 <= first < lines for first in mapped.firsts)


def _packed(head: dict[str, Any], frames: Sequence[bytes]) -> bytes:
    told = Packer().compress(json.dumps(head, separators=(",", ":")).encode())
    return b"".join((len(told).to_bytes(_HEAD, "little"), told, *frames))


def _unpacked(parcel: bytes) -> tuple[Any, bytes]:
    end = _HEAD + int.from_bytes(parcel[:_HEAD], "little")
    (told,) = _opened(parcel[_HEAD:end], [end - _HEAD])
    return json.loads(decompress(told)), parcel[end:]


def _opened(frames: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """Cut frames apart; none may open to more than ``MOST_RAW`` together."""
    if any(size < 0 for size in sizes) or sum(sizes) != len(frames):
        raise ValueError
    begin, raw = 0, 0
    for size in sizes:
        frame = frames[begin : begin + size]
        if frame.startswith(ZSTD_MAGIC):
            raw += zstandard.get_frame_parameters(frame).content_size
        if raw > MOST_RAW:
            raise ValueError
        yield frame
        begin += size
