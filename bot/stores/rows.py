"""Rows of a log store, decoded JSON objects, as batches by their origin; what stands in every row is looked up once.

A gigabyte is millions of rows, so a row costs a few dictionary look-ups and no more.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bot.domain.storable import storable
from bot.stores.lines import NAMES, Batch, Entry
from bot.stores.times import nanoseconds

Row = Mapping[str, Any]
UNDATED = "lines without a time or a message, left out"


class RowReader:
    """Reads rows whose fields are known: ``time``, ``message`` and those of ``NAMES`` that the store has, by kind.

    A field's name may be that of a nested object's, its parts joined by dots. ``odd`` counts what was left out.
    """

    def __init__(self, fields: Mapping[str, str], odd: dict[str, int]) -> None:
        self._kinds = tuple(kind for kind in NAMES if kind in fields)
        self._time, self._message = field(fields["time"]), field(fields["message"])
        self._origin = tuple(field(fields[kind]) for kind in self._kinds)
        self._odd = odd

    def batches(self, rows: Iterable[Row]) -> Iterator[Batch]:
        """Give the lines of some rows, a batch for each origin, ascending by time."""
        waiting: dict[tuple[str | None, ...], list[Entry]] = {}
        undated = 0
        for row in rows:
            at, text = nanoseconds(self._time(row)), self._message(row)
            if at is None or not isinstance(text, str):
                undated += 1
                continue
            key = tuple([told if isinstance(told := get(row), str) else None for get in self._origin])
            if (entries := waiting.get(key)) is None:
                entries = waiting[key] = []
            entries.append((at, text))
        if undated:
            self._odd[UNDATED] = self._odd.get(UNDATED, 0) + undated
        for key, entries in waiting.items():
            labels = {kind: storable(told) for kind, told in zip(self._kinds, key, strict=True) if told}
            yield Batch(labels, sorted(entries))

    def labels(self, row: Row) -> dict[str, str]:
        """Give a row's origin by kind."""
        told = zip(self._kinds, (get(row) for get in self._origin), strict=True)
        return {kind: storable(value) for kind, value in told if isinstance(value, str) and value}


def field(name: str) -> Callable[[Row], Any]:
    """Give the way to a field by its name, whether a row nests it or writes the dots."""
    head, _, rest = name.partition(".")
    if not rest:
        return lambda row: row.get(name)
    inner = field(rest)

    def found(row: Row) -> Any:  # noqa: ANN401 - decoded JSON
        if name in row:
            return row[name]
        below = row.get(head)
        return inner(below) if isinstance(below, dict) else None

    return found


def known_fields(
    given: Mapping[str, str], present: Iterable[str], more: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    """Name the field of each kind: as configured, else the first of the usual names that the store has."""
    names, found = set(present), dict(given)
    for kind, usual in {**NAMES, **more}.items():
        name = next((each for each in usual if each in names), None)
        if name is not None:
            found.setdefault(kind, name)
    return found
