"""The head that every log store's source shares: one reading under one deadline, and a look for the doctor."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.bearings import clock_findings, clock_words, missed
from bot.domain.finding import Finding
from bot.domain.ports import Progress, Sink
from bot.domain.scope import Scope
from bot.domain.window import instant, rfc3339
from bot.stores.address import StoreAddress
from bot.stores.reading import StoreReading
from bot.stores.span import NS, Span, horizon_span, window_span
from bot.stores.store import LogStore
from bot.wire import Deadline, Limits, RejectedError, WireError, WireSession

EXAMINE_S = 8.0
LIMITS = Limits(total_bytes=8 * 1024**3)


class LogStoreSource:
    """The lines of the scope's namespaces in its window; a store's own class says its name and how it is asked."""

    name: str
    title: str
    """As its makers write it"""

    def __init__(self, address: StoreAddress, scope: Scope) -> None:
        self._address = address
        self._scope = scope
        self.deadline_s = address.deadline_s

    def store(self, session: WireSession, address: StoreAddress, scope: Scope) -> LogStore:
        """Make the store that is asked through a session."""
        raise NotImplementedError

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Read the lines that matter into the sink."""
        progress("discover", 0, None)
        with Deadline(self.deadline_s) as deadline, self._session(deadline) as session:
            reading = StoreReading(
                source=self.name,
                sink=sink,
                progress=progress,
                fields=self._address.fields,
                hurried=lambda: deadline.left() < deadline.seconds / 2,
            )
            store = self.store(session, self._address, self._scope)
            reading.read(store, self._scope.window, self._address.most_bytes)
            if not reading.failed and not reading.hurried():
                self._bear(store, reading)
            store.close()
            reading.tell(store.told)
            if clock := clock_words(session.clock_offset_s):
                sink.add_detail(self.name, clock)

    def _bear(self, store: LogStore, reading: StoreReading) -> None:
        """Say how far back the store remembers, and what of the window that costs."""
        oldest, told = self._horizon(store)
        reading.sink.add_detail(self.name, told)
        if oldest is not None and (late := missed(oldest, self._scope.window)):
            asked = window_span(self._scope.window)
            reading.lost(late, within=Span(asked.start, min(int(oldest.timestamp()) * NS, asked.end)), share=1.0)

    def _horizon(self, store: LogStore) -> tuple[datetime | None, str]:
        try:
            at, span = _oldest(store, window_span(self._scope.window))
        except WireError as error:
            return None, f"how far back it remembers it does not tell: {error}"
        if at is None:
            return None, f"it has no line of {span}"
        oldest = instant(at / NS)
        since = rfc3339(instant(span.start / NS))
        return oldest, f"its oldest line is of {rfc3339(oldest)} (looked for from {since} on)"

    def examine(self) -> Sequence[Finding]:
        """Say whether it answers, how far back it remembers, and whether the clocks agree."""
        with Deadline(EXAMINE_S) as deadline, self._session(deadline) as session:
            store = self.store(session, self._address, self._scope)
            try:
                measured = store.measure(window_span(self._scope.window), "all")
            except WireError as error:
                fix = "Look at url, tenant, index, fields and credentials under `logs` in rootcause.yaml."
                what = f"{self.title} cannot be read: {error}"
                return [Finding(name=self.name, state="wrong", what=what, fix=fix)]
            _, horizon = self._horizon(store)
        told = f"{measured.lines:,} lines" if measured.lines is not None else "answers, for it counts nothing,"
        well = Finding(name=self.name, state="ok", what=f"{told} in the window; {horizon}")
        return [well, *clock_findings(self.name, session.clock_offset_s)]

    def _session(self, deadline: Deadline) -> WireSession:
        return WireSession(deadline, login=self._address.login, limits=LIMITS)


def _oldest(store: LogStore, window: Span) -> tuple[int | None, Span]:
    """Look before the window too, unless the store allows shorter questions only; tell where was looked."""
    wider = horizon_span(window)
    try:
        return store.oldest(wider), wider
    except RejectedError:
        return store.oldest(window), window
