"""Series that a test holds in its hands, read as those of a case are."""

from array import array
from collections.abc import Iterable, Iterator, Sequence

from bot.domain.items import ItemId, Series, SeriesHead


class HeldSeries:
    """A shelf of the rows given, in their order."""

    def __init__(self, rows: Sequence[tuple[ItemId, Series]]) -> None:
        self._rows = dict(rows)

    def series_heads(self) -> Iterable[SeriesHead]:
        """Give every series."""
        return [SeriesHead(item, one.metric, one.labels) for item, one in self._rows.items()]

    def samples(self, items: Iterable[ItemId]) -> Iterator[tuple[ItemId, "array[float]", "array[float]"]]:
        """Give the times and values of series, in the order asked."""
        return ((item, self._rows[item].times_s, self._rows[item].values) for item in items)
