"""Whatever is sent to this program's own addresses is read whole within a size and a time, or refused.

The server below counts a body's bytes but waits for them for ever: whoever sends one a minute would hold a connection, and its
memory, as long as they like. Leaves out who may send what: each address asks for its own proof.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

log = logging.getLogger("rootcause.web")

MOST_BYTES = 2 * 1024 * 1024
"""Unpacked. Slack's and Alertmanager's largest are a few hundred kilobytes."""
BODY_S = 10.0
"""Slack gives up after 3 s, Alertmanager after 10: https://docs.slack.dev/apis/events-api/#responding"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(body_s: float = BODY_S) -> web.Application:
    """Make an application whose handlers find a whole body within its limits, and whose senders hear of no fault but by its status."""

    @web.middleware
    async def whole(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            async with asyncio.timeout(body_s):
                await request.read()
        except TimeoutError:
            return _refused(request, 408, "the body did not come in time")
        except web.RequestPayloadError:
            return _refused(request, 400, "the body cannot be read")
        return await handler(request)

    return web.Application(client_max_size=MOST_BYTES, middlewares=[whole])


def _refused(request: web.Request, status: int, why: str) -> web.Response:
    log.warning("a request was refused", extra={"status": status, "reason": why})
    answer = web.Response(status=status, text=f"{why}\n")
    if not request.content.is_eof():
        answer.force_close()  # what is yet to come would be taken for the next request
    return answer
