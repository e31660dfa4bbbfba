"""Hand-made signals for tests of the engine: trains of occurrences without any file behind them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.signal import Kind, Occurrence, Signal, signal_id
from bot.domain.window import Window

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY_S = 86_400.0
HOUR_S = 3_600.0


def window(days: float = 5.0) -> Window:
    return Window(start=START, end=START + timedelta(days=days), asked=f"{days:g}d")


def at(hours: float) -> float:
    return START.timestamp() + hours * HOUR_S


def signal(
    kind: Kind,
    entity: Entity,
    hours: Sequence[float],
    *,
    length_s: float | Sequence[float] = 0.0,
    sizes: Sequence[float] | None = None,
    mentions: tuple[Entity, ...] = (),
    nodes: frozenset[str] = frozenset(),
    source: str = "kubernetes/events",
    attributes: Mapping[str, str] | None = None,
) -> Signal:
    occurrences = tuple(
        Occurrence(
            start_s=at(hour),
            end_s=at(hour) + (length_s if isinstance(length_s, int | float) else length_s[place]),
            size=sizes[place] if sizes else 1.0,
            refs=(ItemId(f"V{place + 1}"),),
        )
        for place, hour in enumerate(hours)
    )
    return Signal(
        id=signal_id(kind, entity),
        kind=kind,
        entity=entity,
        label=kind.value,
        source=source,
        occurrences=occurrences,
        total=len(occurrences),
        mentions=mentions,
        nodes=nodes,
        attributes=attributes or {},
    )
