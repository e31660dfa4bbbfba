"""The map over log lines: from a run of blocks to the masked forms of their lines and their token filters.

What it gives depends on the bytes of the run alone, so threads of this process, other processes and other machines give the
same. The reduce (``loglines``) numbers forms over all runs, in the order in which lines came: where a run is mapped, and how
many blocks it has, leaves no trace in the case. Knows neither SQLite nor queues.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bot.casefile.blocks import NO_FORM, Ints, Numbers, PackedBlock
from bot.casefile.tokens import token_bloom
from bot.native.batch import LineBatch, numbered

_MOST_KEYS = 1_000_000
"""Keys that are remembered; a hostile log has a new one in every line, and asking again costs time only."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockText:
    """A block as the map reads it: its lines, each followed by one byte but for the last, their lengths and text offsets."""

    text: bytes
    lengths: Ints
    text_starts: Ints

    def batch(self) -> LineBatch:
        """Give the lines as a batch; their times are no business of the map's."""
        starts = np.zeros(len(self.lengths), dtype=np.int64)
        np.cumsum(self.lengths[:-1] + 1, out=starts[1:])
        return LineBatch(
            text=self.text,
            starts=starts,
            lengths=self.lengths,
            times_ns=np.zeros(len(self.lengths), dtype=np.int64),
            text_starts=self.text_starts,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MappedBlock:
    """What became of a block: each line's form, a position in the run's ``forms`` or ``NO_FORM``, and its token filter."""

    forms: Numbers
    bloom: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mapped:
    """What a run of blocks became: its distinct forms in the order they first appear, and where in the run each does.

    ``firsts``: a line of the run, counted from 0, for each form; ascending.
    """

    forms: list[bytes]
    firsts: list[int]
    blocks: list[MappedBlock]


class Masking:
    """Gives lines' masked forms; only a line whose form may be new is masked. Threads may share one."""

    def __init__(self, form_of: Callable[[bytes], bytes] | None) -> None:
        self._form_of = form_of
        self._known: dict[int, bytes] = {}
        self._forms: dict[bytes, bytes] = {}

    def number(self, lines: LineBatch, numbers: dict[bytes, int], firsts: list[int], begin: int) -> Numbers:
        """Give each line's form number; forms that are new get the next ones, and their line, counted from ``begin``."""
        form_of = self._form_of
        if form_of is None:
            return np.full(len(lines), NO_FORM, dtype=np.int32)

        keys = lines.keys()
        if keys is None:
            forms = [form_of(raw[start:]) for _, raw, start in lines]
            return np.fromiter(_numbered(enumerate(forms), numbers, firsts, begin), dtype=np.int32, count=len(lines))
        of_line, places = numbered(keys)
        known = self._known
        found = [
            (at, known.get(key) or self._form(key, lines, at, form_of))
            for at, key in zip(places.tolist(), keys[places].tolist(), strict=True)
        ]
        of_key = np.fromiter(_numbered(found, numbers, firsts, begin), dtype=np.int32, count=len(found))
        return of_key[of_line]

    def _form(self, key: int, lines: LineBatch, at: int, form_of: Callable[[bytes], bytes]) -> bytes:
        if len(self._known) >= _MOST_KEYS:
            self._known.clear()
            self._forms.clear()
        _, raw, start = lines[at]
        form = form_of(raw[start:])
        form = self._known[key] = self._forms.setdefault(form, form)
        return form


def _numbered(
    forms: Iterable[tuple[int, bytes]], numbers: dict[bytes, int], firsts: list[int], begin: int
) -> Iterator[int]:
    """Give the number of each form; new ones get the next, and the line they come with."""
    for at, form in forms:
        number = numbers.get(form)
        if number is None:
            number = numbers[form] = len(numbers)
            firsts.append(begin + at)
        yield number


def map_blocks(blocks: Sequence[BlockText], masking: Masking) -> Mapped:
    """Map a run of blocks."""
    numbers: dict[bytes, int] = {}
    firsts: list[int] = []
    mapped: list[MappedBlock] = []
    begin = 0
    for block in blocks:
        forms = masking.number(block.batch(), numbers, firsts, begin)
        mapped.append(MappedBlock(forms=forms, bloom=token_bloom(block.text)))
        begin += len(block.lengths)
    return Mapped(forms=list(numbers), firsts=firsts, blocks=mapped)


class Elsewhere(Protocol):
    """Somewhere else where runs can be mapped: other processes, other machines."""

    most_places: int
    """Runs that may ever be under way there at once."""

    @property
    def places(self) -> int:
        """Runs that may be under way there at once, as things are."""
        ...

    @property
    def run_bytes(self) -> int:
        """Raw bytes of a run that is worth the way there; 0 while none goes there."""
        ...

    def claim(self, size: int) -> bool:
        """Ask for one of the places, for a run of so many raw bytes; where it is given, ``mapped`` must follow."""
        ...

    def mapped(self, number: int, blocks: Sequence[PackedBlock], size: int) -> Mapped | None:
        """Wait until a run of so many raw bytes has been mapped, and free its place; None where it has to be done here, in bounded time."""
        ...

    def close(self) -> None:
        """Let go of everything; what is under way is of no use any more."""
        ...
