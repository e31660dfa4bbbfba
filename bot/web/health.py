"""Three addresses for whoever runs the bot: ``/healthz``, ``/readyz`` and ``/metrics``.

``/healthz`` says that the event loop turns: a failure asks for a restart. ``/readyz`` says whether questions are taken and
can be answered right now, check by check: a failure asks for patience.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bot.errors import RootcauseError

log = logging.getLogger("rootcause.web")

Check = Callable[[], Awaitable[bool]]

LINGER_S = 1.0
"""Seconds in which what is left of a refused body is thrown away, so that its sender reads the answer."""
CHECK_S = 2.0
"""Seconds a check may take; a probe of Kubernetes gives up after one to three."""


def add_health(application: web.Application, checks: Mapping[str, Check], metrics_page: Callable[[], bytes]) -> None:
    """Add the three addresses to an application."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(_request: web.Request) -> web.Response:
        states = {name: await _passes(name, check) for name, check in checks.items()}
        ready = all(states.values())
        return web.json_response({"ready": ready, "checks": states}, status=200 if ready else 503)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=metrics_page(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    application.router.add_get("/metrics", metrics)


async def _passes(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_S):
            return await check()
    except (RootcauseError, OSError) as error:  # TimeoutError is an OSError
        log.warning("a check failed", extra={"check": name, "error": type(error).__name__})
        return False


class Listening:
    """Serves an application on a host and port while its context is open; port 0 takes any free one."""

    def __init__(self, application: web.Application, host: str, port: int) -> None:
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, lingering_time=LINGER_S)
        self._host = host
        self.port = port

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self.port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise RootcauseError(
                f"Port {self.port} of {self._host} cannot be listened on ({error.strerror}): set PORT to a free one."
            ) from error
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
