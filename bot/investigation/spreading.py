"""Spreads the map over one investigation's logs: runs are given to workers, and whatever they do not do is done here.

Nothing is given away before so many bytes have been read, nor where no worker of this very version is there (``spread_local``
starts some where that gains). From then on as many
runs are under way as the workers have places; a run that nobody takes, whose worker has fallen silent, or that takes too long is
withdrawn and mapped here. So the result never waits for a worker, and never depends on one. Leaves out how runs are stored and
queued (``spread_store``), which is not even loaded before it is needed.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.casefile.blocks import PackedBlock
from bot.casefile.mapping import Mapped
from bot.casefile.parcels import pack_run, unpack_mapped
from bot.domain.ports import BY_WORKERS, Progress
from bot.errors import RootcauseError
from bot.settings import SpreadSettings

if TYPE_CHECKING:  # an analysis of usual size needs neither a database nor DBOS
    from bot.investigation.spread_local import LocalWorkers
    from bot.investigation.spread_store import RunRow, SpreadStore

log = logging.getLogger("rootcause.spread")

RUN_BYTES = 16 * 1024 * 1024
"""Raw bytes of a run that is given away: a tenth of a second's work, some four megabytes on the way."""

MOST_PLACES = 32
"""Runs under way at once, at most: some 200 MB of frames here and in the database."""

LOOK_S = 0.05
"""Seconds between two looks at the runs under way; one small query each."""

COUNT_S = 3.0
"""Seconds between two counts of the workers."""

COMING_S = 0.25
"""Seconds between two counts while workers that were started are on their way."""

UNTAKEN_S = 8.0
"""A run that nobody has taken by then waits behind another investigation's, or died with who was about to."""

RUN_S = 60.0
"""A run that is not back by then is mapped here, whatever has become of it."""

LEAST_PATIENCE_S = 3.0
"""A run that takes eight times as long as the longest that came back, and longer than this, is taken for lost."""

CLOSE_S = 25.0
"""Seconds in which the last look at the database may end; a name that cannot be resolved takes the longest."""

MAP_S = 900.0
"""Seconds after which nothing more is given away: an investigation's whole deadline."""

MOST_LOST = 16
"""Runs lost one after the other, after which the workers are left alone: more than one that dies takes with it."""


@dataclass(slots=True)
class Tally:
    """What became of the runs that were given away: how many came back, how many were mapped here instead, bytes both ways."""

    mapped: int = 0
    lost: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Spreading:
    """Makes what spreads one case; it crosses a process boundary with the engine."""

    settings: SpreadSettings
    progress: Progress | None = None
    """Hears how many bytes of logs workers have mapped, of how many that they were given."""

    def __call__(self, case: str) -> "Spread":
        """Spread a case, by its id."""
        return Spread(self.settings, case, progress=self.progress)


class Spread:
    """The workers, as the packing of one case sees them: somewhere else where runs are mapped."""

    most_places = MOST_PLACES

    def __init__(
        self,
        settings: SpreadSettings,
        case: str,
        store: "Callable[[], SpreadStore] | None" = None,
        progress: Progress | None = None,
    ) -> None:
        self.tally = Tally()
        self._settings = settings
        self._case = case
        self._make_store = store or self._real_store
        self._store: SpreadStore | None = None
        self._progress = progress
        self._local: LocalWorkers | None = None
        self._given_bytes = self._back_bytes = 0
        self._version = ""
        self._lock = threading.Lock()
        self._looking: threading.Thread | None = None
        self._closed = threading.Event()
        self._seen = self._under_way = self._places = self._lost_in_row = 0
        self._waits: dict[str, threading.Event] = {}
        self._began = self._blind = False
        self._longest_s = 0.0
        self._ends_at = 0.0

    @property
    def places(self) -> int:
        """Runs that the workers take at once; 0 while there are none, or nothing is given away."""
        return 0 if self._over() else self._places

    @property
    def run_bytes(self) -> int:
        """Raw bytes of a run; small ones while none is given away."""
        return RUN_BYTES if self.places else 0

    def claim(self, size: int) -> bool:
        """Count what is read, look for workers once it is much, and give one of their places where one is free."""
        with self._lock:
            self._seen += size
            if self._seen < self._settings.from_bytes or self._over():
                return False
            if self._looking is None:
                self._ends_at = time.monotonic() + MAP_S
                self._looking = threading.Thread(target=self._look, name="spread", daemon=True)
                self._looking.start()
            if time.monotonic() > self._ends_at or self._under_way >= self._places:
                return False
            self._under_way += 1
            self._began = True
            self._given_bytes += size
            return True

    def mapped(self, number: int, blocks: Sequence[PackedBlock], size: int) -> Mapped | None:
        """Give a run away and wait for what it becomes; None where it must be mapped here."""
        payload = pack_run(blocks)
        key = f"{self._case}.{number}.{hashlib.sha256(payload).hexdigest()[:32]}"
        try:
            found = self._fetched(key, payload, [block.lines for block in blocks])
        except RootcauseError as error:
            log.warning("a run was lost", extra={"run": key, "why": str(error)})
            found = None
        with self._lock:
            self._under_way -= 1
            if found is not None:
                self.tally.mapped += 1
                self._back_bytes += size
                self._lost_in_row = 0
            elif not self._closed.is_set():
                self.tally.lost += 1
                self._lost_in_row += 1
                self._given_bytes -= size
                log.warning("a run is mapped here instead", extra={"run": key, "in_row": self._lost_in_row})
        if self._progress is not None:
            self._progress(BY_WORKERS, self._back_bytes, self._given_bytes)
        return found

    def _fetched(self, key: str, payload: bytes, lines: Sequence[int]) -> Mapped | None:
        assert self._store is not None
        began, ended = time.monotonic(), threading.Event()
        with self._lock:
            if self._blind:
                return None
            self._waits[key] = ended
        try:
            self._store.offer(key, self._case, self._version, payload)
            ended.wait(RUN_S + UNTAKEN_S)  # the look ends it before, unless it hangs itself
        finally:
            with self._lock:
                del self._waits[key]
        if self._closed.is_set():
            return None
        result = self._store.collect(key)
        with self._lock:
            self.tally.sent_bytes += len(payload)
            if result is None:
                return None
            self.tally.received_bytes += len(result)
            self._longest_s = max(self._longest_s, time.monotonic() - began)
        return unpack_mapped(result, lines)

    def close(self) -> None:
        """Let go of the workers, and remove what is still on its way to them."""
        self._closed.set()
        self._end_all()
        self._let_go()
        if self._local is not None:
            self._local.close()

    def _let_go(self) -> None:
        if self._looking is not None:
            self._looking.join(CLOSE_S)
            if self._looking.is_alive():
                log.warning("the database does not answer: what it holds is left behind", extra={"case": self._case})
                return  # the thread ends with the process
        if self._store is not None and self._began:
            try:
                self._store.clear(self._case)
            except RootcauseError as error:
                log.warning("runs were left behind", extra={"case": self._case, "why": str(error)})
            log.info(
                "logs were mapped by workers",
                extra={
                    "case": self._case,
                    "runs": self.tally.mapped,
                    "lost": self.tally.lost,
                    "sent_bytes": self.tally.sent_bytes,
                    "received_bytes": self.tally.received_bytes,
                },
            )
        if self._store is not None:
            self._store.close()
        self._store = None

    def _over(self) -> bool:
        return self._closed.is_set() or self._lost_in_row >= MOST_LOST

    # The one thread that looks

    def _look(self) -> None:
        """Count the workers now and then, and end the waiting for runs that are back or lost."""
        try:
            self._store = self._make_store()
            counted_at = float("-inf")
            while not self._over():
                if time.monotonic() - counted_at >= COUNT_S:
                    counted_at = time.monotonic()
                    self._count(self._store)
                    if not self._places and not self._waits:
                        counted_at = float("-inf")
                        self._closed.wait(COMING_S if self._local or self._gains_by_local() else COUNT_S)
                        continue
                if self._waits:
                    self._settle(self._store.under_way(self._case))
                self._closed.wait(LOOK_S)
        except RootcauseError as error:
            log.warning("workers cannot be reached: all is mapped here", extra={"why": str(error)})
        finally:
            with self._lock:
                self._blind, self._places = True, 0
            self._end_all()

    def _gains_by_local(self) -> bool:
        """Tell whether workers of this machine may yet be started."""
        return self._settings.local > 0 and self._local is None

    def _count(self, store: "SpreadStore") -> None:
        living = store.workers()
        if not living and self._gains_by_local() and self._seen >= self._settings.local_from_bytes:
            from bot.investigation.spread_local import LocalWorkers  # noqa: PLC0415 - only where workers of its own are started

            self._local = LocalWorkers(self._settings)
            self._local.start()
        ours = [worker for worker in living if worker.version == self._version]
        if ours and not self._places:
            log.info("workers take part", extra={"case": self._case, "workers": len(ours)})
        self._places = min(MOST_PLACES, sum(worker.places for worker in ours))
        if not ours:
            self._end_all()  # what the last of them held is lost
        if len(ours) < len(living) and not ours:
            log.warning(
                "all workers are of another version: logs are read without them", extra={"workers": len(living)}
            )

    def _settle(self, rows: "Sequence[RunRow]") -> None:
        """End the waiting for what is back, and for what will not be, going by how long others took."""
        patience = min(RUN_S, max(LEAST_PATIENCE_S, 8 * self._longest_s)) if self._longest_s else RUN_S
        with self._lock:
            for row in rows:
                late = row.age_s > (patience if row.taken else UNTAKEN_S)
                if (row.done or late or (row.taken and row.silent)) and row.key in self._waits:
                    self._waits[row.key].set()

    def _end_all(self) -> None:
        with self._lock:
            for ended in self._waits.values():
                ended.set()

    def _real_store(self) -> "SpreadStore":
        from bot.investigation.spread_store import SpreadStore  # noqa: PLC0415 - see above
        from bot.investigation.spread_version import mapping_version  # noqa: PLC0415 - see above

        self._version = mapping_version()
        return SpreadStore(self._settings)
