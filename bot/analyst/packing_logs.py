"""The log lines of a packed case: which of them, their templates, and the words for what was left out."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.analyst.packing_choice import (
    FAILURES,
    FIRST_FAILURES,
    choose,
    first_rows,
    line_tiers,
    one_in,
    told_shares,
    window_rows,
)
from bot.analyst.packing_lines import Row, build, numbered
from bot.analyst.packing_material import Material, Section
from bot.analyst.packing_parts import line_rows
from bot.analyst.packing_text import escape
from bot.analyst.packing_work import Work
from bot.domain.items import LOG_SOURCES

Ints = NDArray[np.int64]

_DENSEST = 8
"""Bytes of raw text a token holds at best; logs with more than this are not tried whole."""
_TRIAL_LINES = 600
_TRIES = 4
_ROOMY = 0.9
"""Of the room: what is filled less than this is tried once with more lines, for a trial pays for templates that others share."""
_LONGEST_ONCE = 240
"""Characters of a line that stands for its template: the rest is a call away."""
_LEAST_NAMED = 0.5
"""A workload of whose lines less than this share is shown is named in the ledger."""


def log_section(work: Work, room: int) -> list[Section]:
    """Pack all lines of the window, or those that tell most and fit into ``room`` tokens."""
    material = work.material
    rows = window_rows(material)
    if not len(rows):
        return []
    if material.lines.bytes / _DENSEST <= room:
        packed = _packed(work, rows, rows)
        if work.fits(packed, room, "logs"):
            return [_section(work, packed, rows, rows)]
    work.whole = False
    if work.all_or_nothing:
        return []
    tier = line_tiers(material, rows)
    packed, chosen = _filled(work, rows, tier, room)
    return [_section(work, packed, chosen, rows)]


def _filled(work: Work, rows: Ints, tier: Ints, room: int) -> tuple[list[str], Ints]:
    """Pack as many lines as fit, or nearly: fewer where they do not, and once more of them where there is room left."""
    most = _affordable(work, rows, tier, room)
    best: tuple[list[str], Ints] | None = None
    last: tuple[list[str], Ints] = [], rows[:0]
    for _ in range(_TRIES):
        chosen = rows[_choice(work.material, rows, tier, most)]
        last = _packed(work, chosen, rows), chosen
        tokens = work.tokens(last[0], "logs")
        if tokens <= room and (best is not None or tokens >= _ROOMY * room):
            return last
        if tokens > room and best is not None:
            return best
        best = last if tokens <= room else None
        most = max(int(most * 0.97 * room / tokens), 1)
    return best or last


def _section(work: Work, packed: list[str], chosen: Ints, rows: Ints) -> Section:
    words = _words(work.material, chosen, rows)
    work.read.update(dict.fromkeys(LOG_SOURCES, words))
    return work.section("logs", f"Log lines, stream by stream: {words}", packed)


def _choice(material: Material, rows: Ints, tier: Ints, most: int) -> NDArray[np.bool_]:
    template = np.asarray(material.lines.template)[rows].astype(np.int64)
    return choose(template, tier, rows + 1, most)


def _affordable(work: Work, rows: Ints, tier: Ints, room: int) -> int:
    """Say how many lines fit, from what a trial of some costs: the mix of tiers decides, so it is chosen alike."""
    trial = rows[_choice(work.material, rows, tier, min(_TRIAL_LINES, len(rows)))]
    each = work.tokens(_packed(work, trial, rows), "logs") / len(trial)
    return max(int(room / each), 1)


def _packed(work: Work, chosen: Ints, rows: Ints) -> list[str]:
    """Print the chosen lines: templates first, then stream by stream in the order the lines were written."""
    material = work.material
    texts = line_rows(material, [int(place) + 1 for place in chosen], work.outlet)
    told = build(texts)
    of_stream = np.bincount(np.asarray(material.lines.stream)[rows], minlength=len(material.lines.streams))
    streams: dict[int, list[tuple[Row, str]]] = defaultdict(list)
    for row, body in zip(texts, told.bodies, strict=True):
        streams[int(material.lines.stream[row.number - 1])].append((row, body))
    order = sorted(streams)
    if work.order:
        random.Random(work.order).shuffle(order)  # noqa: S311 - an order to be repeated, not a secret
    printed = list(told.templates)
    for stream in order:
        mine, all_of_it = streams[stream], int(of_stream[stream])
        share = "" if len(mine) == all_of_it else f" ({len(mine):,} of {all_of_it:,} lines)"
        printed.append(f"# {work.outlet.name(material.lines.names[stream])}{share}")
        printed += numbered("L", ((row.number, row.time_ns, body) for row, body in mine))
    return printed


def _words(material: Material, chosen: Ints, rows: Ints) -> str:
    """Say what is shown: ``71 % of 7,665 lines: all 80 failures, all 210 templates, 1 in 20 of the rest``."""
    total = len(material.lines.times_ns)
    outside = f"; {total - len(rows):,} lines outside the window left out" if total > len(rows) else ""
    if len(chosen) == len(rows):
        return f"all {len(rows):,} lines{outside}"
    template = np.asarray(material.lines.template)
    failing = np.array(sorted(material.lines.failing), dtype=np.int64)
    fails, fails_shown = np.isin(template[rows], failing), np.isin(template[chosen], failing)
    kinds, kinds_shown = len(np.unique(template[rows])), len(np.unique(template[chosen]))
    parts = told_shares(
        (
            ("failures", int(fails_shown.sum()), int(fails.sum())),
            ("templates", kinds_shown, kinds),
            ("other lines", int((~fails_shown).sum()), int((~fails).sum())),
        )
    )
    share = 100 * len(chosen) / len(rows)
    least = _least(material, chosen, rows)
    return f"{share:.3g} % of {len(rows):,} lines: {parts}{least}{outside}"


def _least(material: Material, chosen: Ints, rows: Ints) -> str:
    """Name the three workloads of which least is shown."""
    stream = np.asarray(material.lines.stream)
    shown, total = Counter[str](), Counter[str]()
    for counts, places in ((shown, chosen), (total, rows)):
        for number, count in enumerate(np.bincount(stream[places], minlength=len(material.lines.streams))):
            counts[_workload(material, number)] += int(count)
    thin = sorted((shown[name] / count, name) for name, count in total.items() if count)
    named = [f"{name} {one_in(shown[name], total[name])}" for share, name in thin[:3] if share < _LEAST_NAMED]
    return f"; least of {', '.join(named)}" if named else ""


def _workload(material: Material, stream: int) -> str:
    entity = material.lines.workloads[stream]
    return material.lines.names[stream] if entity is None else f"{entity.namespace}/{entity.name}"


def template_section(work: Work, room: int) -> list[Section]:
    """Give every template once, by the first line that has it and how many have: failures and the rare first to stay."""
    material = work.material
    rows = window_rows(material)
    if not len(rows):
        return []
    template = np.asarray(material.lines.template)[rows].astype(np.int64)
    counts = np.bincount(template)
    first = rows[first_rows(template)]
    failing = np.isin(template[first_rows(template)], np.array(sorted(material.lines.failing), dtype=np.int64))
    tier = np.where(failing, FIRST_FAILURES, FAILURES).astype(np.int64)
    most = len(first)
    while True:
        mask = choose(np.arange(len(first), dtype=np.int64), tier, first + 1, most)
        printed = _once(work, np.sort(first[mask]), counts)
        tokens = work.tokens(printed, "templates")
        if tokens <= room or most <= 1:
            break
        most = max(int(most * 0.97 * room / tokens), 1)
    work.whole = False
    words = f"{one_in(int(mask.sum()), len(first))} of {len(first):,} templates, one line each, of {len(rows):,} lines"
    work.read.update(dict.fromkeys(LOG_SOURCES, words))
    return [
        work.section(
            "templates",
            f"Log templates: the first line of each, × how many lines it has, cut (…) where it is long; {words}",
            printed,
        )
    ]


def _once(work: Work, places: Sequence[int] | Ints, counts: Ints) -> list[str]:
    material = work.material
    texts = line_rows(material, [int(place) + 1 for place in places], work.outlet)
    told = []
    for row in sorted(texts, key=lambda row: (row.time_ns, row.number)):
        count = int(counts[int(material.lines.template[row.number - 1])])
        name = work.outlet.name(material.lines.names[int(material.lines.stream[row.number - 1])])
        text = row.text if len(row.text) <= _LONGEST_ONCE else f"{row.text[:_LONGEST_ONCE]} …"
        told.append((row.number, row.time_ns, f"×{count:,} {name}: {escape(text)}"))
    return list(numbered("L", told))
