"""The composition root of the recorder: one client, one archive, and three addresses for whoever runs it."""

import asyncio
import logging
import math
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bot.archive.keeping import Keeper, Limits
from bot.cluster.access import ClusterAccess, connected
from bot.cluster.api import ClusterApi
from bot.cluster.refusals import UntoldError
from bot.errors import RootcauseError
from bot.recorder import CONNECTIONS, Recorder, RecorderPlan
from bot.settings import RecordSettings, WebSettings
from bot.web.health import Listening, add_health

log = logging.getLogger("rootcause.record")

MIB = 1024 * 1024


async def record(settings: RecordSettings, listen: WebSettings) -> int:
    """Record until SIGTERM or SIGINT; gives the exit code. Raises RootcauseError where it cannot begin."""
    access = ClusterAccess(in_cluster=settings.in_cluster, kubeconfig=settings.kubeconfig, context=settings.context)
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(await connected(access, CONNECTIONS))
        except UntoldError as error:
            raise RootcauseError(f"The cluster cannot be recorded: {error}.") from error
        keeper = Keeper(settings.archive, Limits(most_bytes=settings.most_mib * MIB, most_days=settings.most_days))
        stack.callback(keeper.close)
        api = ClusterApi(client=client, ends_at=math.inf)
        plan = RecorderPlan(namespaces=settings.namespaces, follow=settings.follow)
        recorder = Recorder(api=api, keeper=keeper, plan=plan)
        application = web.Application()
        add_health(application, {"cluster": _watching(recorder)}, _metrics(recorder, keeper))
        await stack.enter_async_context(Listening(application, listen.host, listen.port))
        log.info("recording", extra={"archive": str(settings.archive)})
        await _until_told(asyncio.create_task(recorder.run()))
    return 0


async def _until_told(task: "asyncio.Task[None]") -> None:
    """Run the task until it fails or the process is told to end."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    waiting = asyncio.create_task(told.wait())
    try:
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in (task, waiting):
            each.cancel()
        await asyncio.wait([task, waiting])
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


def _watching(recorder: Recorder):  # type: ignore[no-untyped-def]  # noqa: ANN202
    async def watching() -> bool:
        return recorder.healthy

    return watching


def _metrics(recorder: Recorder, keeper: Keeper) -> Callable[[], bytes]:
    registry = CollectorRegistry()
    heard = Gauge("rootcause_recorder_changes", "Changes heard since the start", registry=registry)
    size = Gauge("rootcause_recorder_archive_bytes", "Bytes of the archive in use", registry=registry)
    taken = Gauge("rootcause_recorder_log_bytes", "Bytes of logs taken since the start", registry=registry)
    watched = Gauge(
        "rootcause_recorder_watches", "Watches that are up, and that should be", ["state"], registry=registry
    )

    def page() -> bytes:
        heard.set(recorder.heard)
        size.set(keeper.used_bytes())
        taken.set(recorder.taker.bytes)
        watched.labels("up").set(sum(watch.healthy for watch in recorder.watches))
        watched.labels("all").set(len(recorder.watches))
        return generate_latest(registry)

    return page
