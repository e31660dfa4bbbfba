"""The head that every log store's source shares: one reading under one deadline, and a look for the doctor."""

from collections.abc import Sequence

from bot.domain.finding import Finding
from bot.domain.ports import Progress, Sink
from bot.domain.scope import Scope
from bot.stores.address import StoreAddress
from bot.stores.reading import StoreReading
from bot.stores.span import window_span
from bot.stores.store import LogStore
from bot.wire import Deadline, Limits, WireError, WireSession

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
            store.close()
            reading.tell(store.told)

    def examine(self) -> Sequence[Finding]:
        """Say whether it answers."""
        with Deadline(EXAMINE_S) as deadline, self._session(deadline) as session:
            store = self.store(session, self._address, self._scope)
            try:
                measured = store.measure(window_span(self._scope.window), "all")
            except WireError as error:
                fix = "Look at url, tenant, index, fields and credentials under `logs` in rootcause.yaml."
                what = f"{self.title} cannot be read: {error}"
                return [Finding(name=self.name, state="wrong", what=what, fix=fix)]
        told = f"{measured.lines:,} lines" if measured.lines is not None else "answers, for it counts nothing,"
        return [Finding(name=self.name, state="ok", what=f"{told} in the window")]

    def _session(self, deadline: Deadline) -> WireSession:
        return WireSession(deadline, login=self._address.login, limits=LIMITS)
