"""What stays of chat, manifests and events where not all of it fits, with the words that say so."""

from collections.abc import Sequence

import numpy as np

from bot.analyst.packing_choice import (
    FAILURES,
    FIRST_FAILURES,
    FIRSTS,
    NEAR,
    NEAR_FAILURES,
    NEAR_S,
    RARE,
    REST,
    choose,
    first_rows,
    told_shares,
)
from bot.analyst.packing_lines import Row
from bot.analyst.packing_material import Material
from bot.analyst.packing_tokens import Family, estimate
from bot.domain.entity import Entity

_EVENT_TOKENS = 40
"""About what a packed event costs, until it has been counted."""

_MANY_KINDS = frozenset({"Pod", "ReplicaSet", "Endpoints", "EndpointSlice", "Lease", "Event", "Job"})
"""Kinds that come by the hundred and mostly repeat what owns them."""


def thin_talk(
    name: str, rows: Sequence[str], people: Sequence[bool], room: int, family: Family
) -> tuple[list[str], str]:
    """Keep all rows of a section, or what people wrote before what programs did, thinned evenly."""
    total = estimate("\n".join(rows), family, name)
    if total <= room:
        return list(rows), f"all {len(rows):,}"
    most = len(rows) * room // (total + 1)
    numbers = np.arange(len(rows), dtype=np.int64)
    tier = np.where(np.array(people, dtype=bool), FIRSTS, REST).astype(np.int64)
    mask = choose(np.zeros(len(rows), dtype=np.int64), tier, numbers, most)
    kept = [rows[place] for place in np.flatnonzero(mask).tolist()]
    while kept and estimate("\n".join(kept), family, name) > room:
        kept = kept[::2] if len(kept) > 1 else []
    return kept, f"{len(kept):,} of {len(rows):,}"


def thin_manifests(
    whole: Sequence[tuple[Entity, str]],
    changed: Sequence[tuple[Entity, str]],
    relevant: frozenset[Entity],
    room: int,
    family: Family,
) -> tuple[list[str], str]:
    """Keep every change, then manifests: those near the symptom first, those of kinds that come by the hundred last."""
    order = sorted(
        range(len(whole)),
        key=lambda place: (whole[place][0] not in relevant, whole[place][0].kind in _MANY_KINDS, place),
    )
    left = room
    changes = _while_room([row for _, row in changed], left, family)
    left -= sum(tokens for _, tokens in changes)
    fitting = {order[place] for place, _ in _while_room([whole[place][1] for place in order], left, family)}
    rows = [whole[place][1] for place in sorted(fitting)] + [changed[place][1] for place, _ in changes]
    words = told_shares((("manifests", len(fitting), len(whole)), ("later versions", len(changes), len(changed))))
    return rows, words


def _while_room(rows: Sequence[str], room: int, family: Family) -> list[tuple[int, int]]:
    """Take rows in order, leaving out those for which there is no room; give place and tokens of each."""
    taken = []
    for place, row in enumerate(rows):
        tokens = estimate(row, family, "objects") + 1
        if tokens <= room:
            room -= tokens
            taken.append((place, tokens))
    return taken


def thin_events(material: Material, rows: Sequence[Row], room: int) -> tuple[list[Row], str]:
    """Keep all events, or the first of every kind, warnings, what is near the symptom, and an even choice of the rest."""
    most = max(room // _EVENT_TOKENS, 1)
    if len(rows) <= most:
        return list(rows), f"all {len(rows):,}"
    kinds = {form: number for number, form in enumerate(dict.fromkeys(row.form for row in rows))}
    group = np.array([kinds[row.form] for row in rows], dtype=np.int64)
    warning = np.array([event.type != "Normal" for _, event in material.events], dtype=bool)
    near = np.array([_near(material, place) for place in range(len(rows))], dtype=bool)
    tier = np.where(warning, np.where(near, NEAR_FAILURES, FAILURES), np.where(near, NEAR, REST)).astype(np.int64)
    sizes = np.bincount(group)
    tier[sizes[group] <= RARE] = FIRSTS
    first = first_rows(group)
    tier[first] = np.where(warning[first], FIRST_FAILURES, FIRSTS)
    mask = choose(group, tier, np.array([row.number for row in rows], dtype=np.int64), most)
    parts = (
        ("warnings", int(mask[warning].sum()), int(warning.sum())),
        ("normal events", int(mask[~warning].sum()), int((~warning).sum())),
    )
    return [rows[place] for place in np.flatnonzero(mask).tolist()], f"{told_shares(parts)}; the first of every kind"


def _near(material: Material, place: int) -> bool:
    _, event = material.events[place]
    at_s = event.at.timestamp()
    return event.entity in material.relevant or any(
        start_s - NEAR_S <= at_s <= end_s + NEAR_S for start_s, end_s in material.episodes
    )
