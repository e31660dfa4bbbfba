"""A small filter per log block that tells which blocks cannot hold a rare id: trace ids, UUIDs, pod names, hashes.

Of every run of letters, digits and hyphens the *minimizers* are kept: the smallest hash among each ``_GRAMS``
neighbouring ``_GRAM``-byte pieces (Schleimer, Wilkerson, Aiken: "Winnowing", SIGMOD 2003). Any ``RUN`` bytes of a run
hold at least one of them, wherever they are cut out, so a search for *part* of an id still never misses a block; only
false alarms are possible, at the rate of the Bloom filter (Bloom, CACM 1970) the hashes go into. Shorter words are not
in it: they stand in nearly every block.
"""

import re
import threading

import numpy as np
from numpy.typing import NDArray

from bot.native.batch import address
from bot.native.kernel import kernel

_GRAM = 8
_GRAMS = 9

RUN = _GRAM + _GRAMS - 1
"""Bytes a searched run must have for the filter to help."""

_RUNS = re.compile(rb"[0-9a-z-]{%d,}" % RUN)
_BITS_PER_HASH = 8  # with four probes one false alarm in 40 for a hash; a whole trace id has four or five
_PROBES = 4
_PLACES = 1 << 15  # for the minimizers of a usual block and half as many; a table that the nearer caches hold
_MOST_BITS = 1 << 18  # 32 KiB: a block of nothing but random ids makes no filter larger than this

Hashes = NDArray[np.uint64]

_ROOMS = threading.local()


def token_bloom(text: bytes) -> bytes:
    """Make the filter of a block's text; empty where it holds no run long enough."""
    compiled = kernel()
    if compiled is None:
        return plain_bloom(text)
    places = _PLACES
    while True:
        found = _room(places)
        bloom = np.zeros(_MOST_BITS // 8, dtype=np.uint8)
        size = compiled.rootcause_bloom(text, len(text), address(found), places, _MOST_BITS, address(bloom))
        if size >= 0:
            return bloom[:size].tobytes()
        places *= 4


def _room(places: int) -> Hashes:
    """Give places, and three quarters as many behind them; those of a usual block are a thread's own and used again."""
    if places > _PLACES:
        return np.empty(places + places // 4 * 3, dtype=np.uint64)
    room: Hashes | None = getattr(_ROOMS, "hashes", None)
    if room is None:
        room = _ROOMS.hashes = np.empty(places + places // 4 * 3, dtype=np.uint64)
    return room


def plain_bloom(text: bytes) -> bytes:
    """Do what the compiled loop does."""
    hashes = plain_minimizers(text)
    if not len(hashes):
        return b""
    bits = min(-(-len(hashes) * _BITS_PER_HASH // 64) * 64, _MOST_BITS)
    flags = np.zeros(bits, dtype=np.uint8)
    for place in _places(hashes, bits):
        flags[place] = 1
    return np.packbits(flags).tobytes()


class Needle:
    """The runs of a searched text, to be held against many filters."""

    def __init__(self, text: bytes) -> None:
        self._hashes = minimizers(text)
        self._places: dict[int, NDArray[np.int64]] = {}

    def may_be_in(self, bloom: bytes) -> bool:
        """Tell whether a block with this filter may hold the text; False is certain."""
        if not len(self._hashes):
            return True
        if not bloom:
            return False
        bits = len(bloom) * 8
        if bits not in self._places:
            self._places[bits] = np.concatenate(_places(self._hashes, bits))
        places = self._places[bits]
        held = np.frombuffer(bloom, dtype=np.uint8)[places >> 3]
        return bool(np.all(held & (np.uint8(128) >> (places & 7).astype(np.uint8))))


def minimizers(text: bytes) -> Hashes:
    """Give the distinct minimizers of all long runs, ignoring ASCII case; ascending."""
    return np.sort(_distinct(text))


def _distinct(text: bytes) -> Hashes:
    """Give the same in any order: for a filter the order is nothing."""
    compiled = kernel()
    if compiled is None:
        return plain_minimizers(text)
    places = _PLACES
    while True:
        found = np.empty(places + places // 4 * 3, dtype=np.uint64)
        held = compiled.rootcause_minimizers(text, len(text), address(found), places)
        if held >= 0:
            return found[places : places + held]
        places *= 4


def plain_minimizers(text: bytes) -> Hashes:
    """Do what the compiled loop does."""
    runs = dict.fromkeys(_RUNS.findall(text.lower()))
    if not runs:
        return np.empty(0, dtype=np.uint64)
    joined = b"\n".join(runs)
    padded = np.frombuffer(joined, dtype=np.uint8)
    grams = np.zeros(len(padded) - _GRAM + 1, dtype=np.uint64)
    for index in range(_GRAM):
        grams |= padded[index : index + len(grams)].astype(np.uint64) << np.uint64(8 * index)
    hashes = _mixed(grams)
    smallest = hashes[: len(hashes) - _GRAMS + 1].copy()
    for index in range(1, _GRAMS):
        np.minimum(smallest, hashes[index : index + len(smallest)], out=smallest)
    # A window across a border between two runs is no window of either.
    borders = np.flatnonzero(padded == ord("\n"))
    whole = np.ones(len(smallest), dtype=bool)
    for back in range(RUN):
        hit = borders - back
        whole[hit[(hit >= 0) & (hit < len(whole))]] = False
    return np.unique(smallest[whole])


def _mixed(grams: Hashes) -> Hashes:
    """Spread bits (the finalizer of splitmix64: Steele, Lea, Flood, OOPSLA 2014)."""
    mixed = (grams ^ (grams >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _places(hashes: Hashes, bits: int) -> list[NDArray[np.int64]]:
    """Give the bit of each hash for each probe (double hashing: Kirsch, Mitzenmacher, ESA 2006)."""
    low = hashes & np.uint64(0xFFFFFFFF)
    step = (hashes >> np.uint64(32)) | np.uint64(1)
    return [((low + np.uint64(probe) * step) % np.uint64(bits)).astype(np.int64) for probe in range(_PROBES)]
