"""The composition root of a worker: one queue, and two addresses for whoever runs it where a port is given."""

import asyncio
import logging
import os
import signal
import threading
import time
from contextlib import AsyncExitStack, suppress

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bot.investigation.spread_worker import MapWorker
from bot.settings import WorkerSettings
from bot.signals.masking import mask
from bot.web.health import Listening, add_health

log = logging.getLogger("rootcause.worker")

EOF_S = 10.0
"""Seconds to leave once whoever started this worker is gone."""


async def work(settings: WorkerSettings, *, until_eof: bool = False) -> int:
    """Map other investigations' logs until SIGTERM or SIGINT; raises RootcauseError where it cannot begin.

    ``until_eof``: it belongs to the process at the other end of its standard input, and ends with it.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    if until_eof:
        threading.Thread(target=_await_eof, args=(loop, told), name="eof", daemon=True).start()
    worker = MapWorker(settings.spread, mask)
    try:
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(worker.start)
            if settings.port is not None:
                application = web.Application()
                add_health(application, {"database": _heard(worker)}, lambda: _metrics(worker))
                await stack.enter_async_context(Listening(application, settings.host, settings.port))
            await told.wait()
    finally:
        await asyncio.to_thread(worker.close, 0.0 if until_eof else settings.grace_s)
    return 0


def _await_eof(loop: asyncio.AbstractEventLoop, told: asyncio.Event) -> None:
    """Read standard input until it ends; a worker that does not notice in time is ended hard."""
    while os.read(0, 1024):
        pass
    with suppress(RuntimeError):  # the loop has ended already
        loop.call_soon_threadsafe(told.set)
    time.sleep(EOF_S)
    os._exit(1)


def _heard(worker: MapWorker):  # type: ignore[no-untyped-def]  # noqa: ANN202
    async def heard() -> bool:
        return worker.well

    return heard


def _metrics(worker: MapWorker) -> bytes:
    registry = CollectorRegistry()
    runs = Gauge("rootcause_worker_runs", "Runs of log lines since the start", ["outcome"], registry=registry)
    size = Gauge("rootcause_worker_bytes", "Bytes of runs mapped since the start, compressed", registry=registry)
    runs.labels("mapped").set(worker.mapped)
    runs.labels("failed").set(worker.failed)
    size.set(worker.bytes)
    return generate_latest(registry)
