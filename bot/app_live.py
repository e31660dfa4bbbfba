"""The composition root of a follow-up's live look: which read-only queries a model may ask for of what ``rootcause.yaml`` names.

Loaded only where a model is asked and something live is configured. Leaves out several clusters: which of them a name
belongs to is not for a model to choose.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

from bot.analyst.model_live import metric_range, metrics_of
from bot.analyst.model_tools import LiveQuery
from bot.app_sources import login
from bot.casefile.case import Case
from bot.errors import UsageError
from bot.settings import LiveSettings
from bot.sources.prometheus import PrometheusAddress, read_range

ONE_S = 5.0
"""For one query."""
ALL_S = 15.0
"""For all queries of one conversation: a thread waits a minute."""


def live_queries(live: LiveSettings, case: Case, now: datetime | None = None) -> tuple[LiveQuery, ...]:
    """Give the queries that a case's model may ask for; none where there is no metrics store, or more than one cluster."""
    named = live.clusters[0].prometheus if len(live.clusters) == 1 else None
    known = metrics_of(case.series())
    window = case.window
    if named is None or not known or window is None:
        return ()
    try:
        address = PrometheusAddress(url=named.url, login=login(named), deadline_s=ONE_S)
    except UsageError:
        return ()  # the investigation has said so as a gap
    now = now or datetime.now(UTC).replace(microsecond=0)
    return (metric_range(known, window, now, _Timed(address)),)


class _Timed:
    """Reads while there is time left for live queries."""

    def __init__(self, address: PrometheusAddress) -> None:
        self._address = address
        self._left_s = ALL_S

    def __call__(self, metric: str, namespaces: Sequence[str], start: datetime, end: datetime) -> str:
        """Read a range; raises UsageError where the time is used up."""
        if self._left_s < 1.0:
            raise UsageError("There is no more time for live queries: answer with what you have.")
        begun = monotonic()
        try:
            return read_range(
                replace(self._address, deadline_s=min(ONE_S, self._left_s)), metric, namespaces, start, end
            )
        finally:
            self._left_s -= monotonic() - begun
