"""A worker: takes runs of other processes' investigations from the queue, maps them, and gives back what they became.

It knows nothing of cases, sources or people: a run is bytes and lengths of lines. The queue is DBOS's, so a run is taken by one
worker at a time and by none of another version. A run may be mapped twice (a worker was killed, or was late); the first result
counts, and it is the same. A worker that dies costs its runs only: the investigation maps them itself.
"""

import logging
import platform
import secrets
import threading
import time
from collections.abc import Callable

from dbos import DBOS, DBOSConfig

from bot.casefile.mapping import Mapped, Masking, map_blocks
from bot.casefile.packing import cores
from bot.casefile.parcels import pack_mapped, unpack_run
from bot.errors import RootcauseError
from bot.investigation.spread_store import APPLICATION, QUEUE, SCHEMA, WORKFLOW, SpreadStore, WorkerRow
from bot.investigation.spread_version import mapping_version
from bot.settings import SpreadSettings

log = logging.getLogger("rootcause.worker")

PLACES = 4
"""Runs that a worker holds at once: as many as its cores are mapped, the others are on their way."""

POLL_S = 0.2
"""Seconds between two looks at the queue: shorter than a held run takes, so that cores never wait for it."""

BEAT_S = 2.0
"""Seconds between two signs of life; five may be missed."""

SWEEP_S = 600.0

UNWELL_S = 60.0
"""Without a sign of life that arrived for so long, the worker says of itself that it should be restarted."""


class MapWorker:
    """One worker; ``start`` and ``close`` once each, from one thread. ``form_of`` gives a line's masked form."""

    def __init__(self, settings: SpreadSettings, form_of: Callable[[bytes], bytes], version: str | None = None) -> None:
        self.name = f"{platform.node() or 'here'}-{secrets.token_hex(4)}"
        self.mapped = self.failed = self.bytes = 0
        self._settings = settings
        self._version = version or mapping_version()
        self._masking = Masking(form_of)
        self._working = threading.Semaphore(cores())
        self._counting = threading.Lock()
        self._closing = threading.Event()
        self._beaten_at = float("-inf")
        self._beating: threading.Thread | None = None
        self._store: SpreadStore | None = None

    def start(self) -> None:
        """Join the others; raises StorageError where the database cannot be used."""
        self._settings.home.mkdir(parents=True, exist_ok=True)
        self._store = store = SpreadStore(self._settings)
        store.prepare()
        sqlite = store.url.startswith("sqlite")
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": store.url,
            "system_database_engine": store.engine,
            "application_version": self._version,
            "executor_id": self.name,
            "log_level": "WARNING",
            "use_listen_notify": False,
            "max_executor_threads": PLACES + 4,
        }
        if not sqlite:
            config["dbos_system_schema"] = SCHEMA
        DBOS(config=config)

        @DBOS.workflow(name=WORKFLOW)
        def mapping(key: str) -> str:
            return DBOS.run_step({"name": "map"}, self._map, key)

        DBOS.listen_queues([QUEUE])
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=PLACES, polling_interval_sec=POLL_S, on_conflict="always_update")
        store.sweep()
        store.beat(self._row())
        self._beaten_at = time.monotonic()
        self._beating = threading.Thread(target=self._beat, name="beat", daemon=True)
        self._beating.start()
        log.info("ready for runs", extra={"worker": self.name, "version": self._version, "cores": cores()})

    def close(self, grace_s: float) -> None:
        """Take no more, let what is under way end within the grace, and leave."""
        self._closing.set()
        if self._beating is None or self._store is None:
            return
        self._beating.join()
        try:
            self._store.leave(self.name)
        except RootcauseError as error:
            log.warning("could not take leave", extra={"why": str(error)})
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=int(grace_s))
        self._store.close()
        log.info("left", extra={"worker": self.name, "mapped": self.mapped, "failed": self.failed})

    @property
    def well(self) -> bool:
        """Tell whether the database has heard of this worker lately."""
        return time.monotonic() - self._beaten_at < UNWELL_S

    def _map(self, key: str) -> str:
        """Map one run; it may be done again, and may not be wanted any more."""
        assert self._store is not None
        payload = self._store.take(key, self.name)
        if payload is None:
            return "gone"
        try:
            with self._working:
                result = pack_mapped(self._mapped(payload))
        except RootcauseError as error:
            self._store.give(key, None, str(error))
            with self._counting:
                self.failed += 1
            return "failed"
        wanted = self._store.give(key, result)
        with self._counting:
            self.mapped += 1
            self.bytes += len(payload)
        return "mapped" if wanted else "late"

    def _mapped(self, payload: bytes) -> Mapped:
        return map_blocks(unpack_run(payload), self._masking)

    def _row(self) -> WorkerRow:
        return WorkerRow(
            worker=self.name, version=self._version, host=platform.node(), places=PLACES, mapped=self.mapped
        )

    def _beat(self) -> None:
        assert self._store is not None
        swept_at = time.monotonic()
        while not self._closing.wait(BEAT_S):
            try:
                self._store.beat(self._row())
                self._beaten_at = time.monotonic()
                if time.monotonic() - swept_at > SWEEP_S:
                    swept_at = time.monotonic()
                    self._store.sweep()
            except RootcauseError as error:
                log.warning("no sign of life arrived", extra={"why": str(error)})
