"""Watches a socket to Slack that may fall silent without closing, and says when it cannot be had again.

The SDK reconnects what closes and what no longer answers its pings. What it misses (a loop of failed reconnections, a
monitor that died) shows as time without a live connection: then the socket is made anew, and after ``PATIENCE_S`` the
process should end, for a supervisor's restart has cured every such case reported.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

log = logging.getLogger("rootcause.web")

LOOK_S = 5.0
RENEW_S = 30.0
"""Seconds of death after which the socket is made anew: the SDK's own attempts come every ten."""
PATIENCE_S = 300.0
"""Seconds of death after which the process should end: Slack's last redelivery comes five minutes after the first."""


class Socket(Protocol):
    """What is watched; slack_sdk's SocketModeClient."""

    async def is_connected(self) -> bool:
        """Tell whether the current session lives and answers pings."""
        ...

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Ask for a new address and connect to it."""
        ...


class SocketWatch:
    """Looks after one socket; ``run`` returns when it is lost for good."""

    def __init__(
        self,
        socket: Socket,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._socket = socket
        self._now = now
        self._sleep = sleep

    async def alive(self) -> bool:
        """Tell whether the socket really lives."""
        return await self._socket.is_connected()

    async def run(self) -> None:
        """Watch until the socket has been dead for too long."""
        alive_at = renewed_at = self._now()
        while True:
            await self._sleep(LOOK_S)
            if await self.alive():
                alive_at = self._now()
                continue
            dead_s = self._now() - alive_at
            if dead_s >= PATIENCE_S:
                log.error("the socket is lost", extra={"dead_s": round(dead_s)})
                return
            if dead_s >= RENEW_S and self._now() - renewed_at >= RENEW_S:
                renewed_at = self._now()
                log.warning("the socket is made anew", extra={"dead_s": round(dead_s)})
                await self._renew()

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(RENEW_S):
                await self._socket.connect_to_new_endpoint(force=True)
        except Exception as error:  # noqa: BLE001 - the outermost frame of a watch: whatever the SDK raises, it looks on
            log.warning("the socket could not be made anew", extra={"error": type(error).__name__})
