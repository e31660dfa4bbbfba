"""Proves that an HTTP request is Slack's, and answers everything else with 401.

Bolt's own check raises on a timestamp that is no number and on a signature that is not ASCII, which ends in 500, and it logs
the body of what it refuses. See https://docs.slack.dev/authentication/verifying-requests-from-slack .
"""

import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable

from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

_TOLERANCE_S = 300
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


class SignatureCheck(AsyncMiddleware):
    """Lets requests through that carry a valid signature of ``secret``; none, where there is no secret."""

    def __init__(self, secret: str | None, now: Callable[[], float] = time.time) -> None:
        self._secret = (secret or "").encode()
        self._now = now

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - Bolt's signature
    ) -> BoltResponse | None:
        """Go on, or answer 401; the socket needs no signature, for Slack was called by us."""
        del resp
        if req.mode == "socket_mode" or self._is_signed(req):
            return await next()
        return BoltResponse(status=401, body={"error": "invalid request"})

    def _is_signed(self, req: AsyncBoltRequest) -> bool:
        timestamp = _first(req, "x-slack-request-timestamp")
        signature = _first(req, "x-slack-signature")
        if not self._secret or not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return False
        if abs(self._now() - int(timestamp)) > _TOLERANCE_S:
            return False
        body = f"v0:{timestamp}:{req.raw_body}".encode("utf-8", "surrogatepass")
        expected = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(f"v0={expected}", signature)


def _first(req: AsyncBoltRequest, name: str) -> str:
    return next(iter(req.headers.get(name) or ()), "")
