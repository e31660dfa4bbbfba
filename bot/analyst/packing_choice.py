"""Which rows a model sees when not all fit: by what they tell, never by where they stand.

Rows come in tiers. A tier that fits is taken whole; of the one that does not, every group (a template, a reason) gives the
same number of rows until the room is full, so that the rare are kept whole and the many are thinned. Which rows of a
group those are is decided by a hash of their number: even over time, the same every time.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.analyst.packing_material import Material

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

FIRST_FAILURES, FIRSTS, CITED, NEAR_FAILURES, FAILURES, NEAR, REST = range(7)
"""Tiers of log lines: the first of every template that tells of failure; the first of every other and all rare ones; what
signals rest on; failures and then anything else near the symptom, in place or in time, before what is far."""

RARE = 5
"""A template with at most this many lines is rare."""
NEAR_S = 600.0
"""Seconds around an episode of the symptom that count as near."""
_FAILURES_SHARE = 0.8
"""Of the room: what lines that tell of failure may take at most, for failures mean little without what surrounds them."""


def choose(group: Ints, tier: Ints, numbers: Ints, room: int) -> Mask:
    """Choose at most ``room`` rows; the three columns are of equal length."""
    chosen = np.zeros(len(group), dtype=bool)
    firsts, failures, others = range(CITED + 1), range(NEAR_FAILURES, NEAR), range(NEAR, REST + 1)
    # what neither side needs, the other may have
    for levels, limit in ((firsts, room), (failures, int(room * _FAILURES_SHARE)), (others, room), (failures, room)):
        for level in levels:
            rows = np.flatnonzero((tier == level) & ~chosen)
            left = limit - int(chosen.sum())
            if left <= 0:
                break
            chosen[rows if len(rows) <= left else _thinned(rows, group, numbers, left)] = True
    return chosen


def _thinned(rows: Ints, group: Ints, numbers: Ints, room: int) -> Ints:
    """Take ``room`` rows: every group gives as many as the others until it has no more."""
    mixed = mix(numbers[rows])
    # one key sorts faster than two: the group above 40 bits of the hash
    order = np.argsort((group[rows].astype(np.uint64) << np.uint64(40)) | (mixed >> np.uint64(24)), kind="stable")
    sorted_group = group[rows][order]
    starts = np.flatnonzero(np.concatenate(([True], sorted_group[1:] != sorted_group[:-1])))
    sizes = np.diff(np.append(starts, len(rows)))
    rank = np.arange(len(rows)) - np.repeat(starts, sizes)
    # the largest number that every group may give
    low, high = 0, int(sizes.max())
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if int(np.minimum(sizes, middle).sum()) <= room else (low, middle - 1)
    kept = rank < low
    spare = np.flatnonzero(rank == low)[: room - int(kept.sum())]
    kept[spare[np.argsort(mixed[order][spare], kind="stable")]] = True
    return rows[order[kept]]


def mix(numbers: Ints) -> NDArray[np.uint64]:
    """Scramble numbers evenly (the finaliser of SplitMix64, Steele et al. 2014)."""
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def first_rows(group: Ints) -> Ints:
    """Give the position of every group's first row."""
    return np.unique(group, return_index=True)[1].astype(np.int64)


def line_tiers(material: Material, rows: Ints) -> Ints:
    """Rank lines (positions, ascending): by failure, rarity, place and time, as the tiers have it."""
    lines = material.lines
    template = np.asarray(lines.template)[rows]
    failing = np.isin(template, np.array(sorted(lines.failing), dtype=np.int64))
    near = _near(material, rows)
    tier = np.where(failing, np.where(near, NEAR_FAILURES, FAILURES), np.where(near, NEAR, REST)).astype(np.int64)
    sizes = np.bincount(template, minlength=1) if len(template) else np.zeros(1, dtype=np.int64)
    first = np.zeros(len(rows), dtype=bool)
    first[first_rows(template)] = True
    cited = np.isin(rows + 1, np.array(sorted(material.cited), dtype=np.int64))
    # signals may rest on more lines than there is room for, and those must not push the rare ones out
    tier[cited & (sizes[template] > RARE)] = CITED
    tier[first | (sizes[template] <= RARE)] = FIRSTS
    tier[first & failing] = FIRST_FAILURES
    return tier


def _near(material: Material, rows: Ints) -> Mask:
    lines = material.lines
    places = np.array([place in material.relevant for place in lines.workloads] or [False], dtype=bool)
    near: Mask = places[np.asarray(lines.stream)[rows]]
    times_s = np.asarray(lines.times_ns)[rows] / 1e9
    for start_s, end_s in material.episodes:
        near = near | ((times_s >= start_s - NEAR_S) & (times_s <= end_s + NEAR_S))
    return near


def window_rows(material: Material) -> Ints:
    """Give the positions of the lines inside the window; undated ones count as inside, for nobody knows."""
    times: Any = np.asarray(material.lines.times_ns)
    start, end = int(material.window.start_s * 1e9), int(material.window.end_s * 1e9)
    return np.flatnonzero((times < 0) | ((times >= start) & (times < end))).astype(np.int64)


def one_in(shown: int, of: int) -> str:
    """Say a share as people do: all, 1 in 20, none."""
    if shown >= of:
        return "all"
    return (
        f"1 in {round(of / shown):,}"
        if shown and of / shown >= 1.5
        else (f"{100 * shown // of} %" if shown else "none")
    )


def told_shares(parts: Sequence[tuple[str, int, int]]) -> str:
    """Say how many of each part are shown: ``all 12 failures, 1 in 20 of the rest``."""
    return ", ".join(
        f"the one {name.removesuffix('s')}"
        if shown == of == 1
        else f"{one_in(shown, of)} {'' if shown >= of else 'of '}{of:,} {name}"
        for name, shown, of in parts
        if of
    )
