"""One call to Slack's Web API that ends: with an answer, or with a sentence that says why there is none.

Every byte travels under a total time limit of one request and under the deadline of the whole reading, for a server that
sends a byte a second defeats time limits that begin anew with each read. Retries are decided here and nowhere else: all
methods asked only read, so a repeated request does no harm. What is read is not known here.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from bot.domain.bearings import ahead_s
from bot.domain.crowding import crowded
from bot.sources.slack.pace import Pace
from bot.sources.slack.shared_pace import SharedPace

BASE_URL = "https://slack.com/api/"
REQUEST_S = 20.0
"""A page of 200 messages takes Slack about a second; a request this old is not going to end well."""
ATTEMPTS = 4
"""Tries of one call that fails for reasons that may pass."""
BODY_LIMIT_BYTES = 32 * 1024 * 1024
"""200 messages at their largest (40,000 characters of text, as much in blocks) stay below."""
UNTOLD_WAIT_S = 30.0
"""How long to wait where Slack says "too many" without saying when: half of the minute its tiers count in."""
SHORTEST_WAIT_S = 0.2
"""``Retry-After: 0`` is still a no; asking on without a pause would never end."""

_PASSING = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"})
_SENTENCES: Mapping[str, str] = {
    "invalid_auth": "Slack does not accept the bot token: check SLACK_BOT_TOKEN (it begins with xoxb-)",
    "not_authed": "Slack was asked without a token: set SLACK_BOT_TOKEN",
    "token_expired": "the bot token has expired: install the app again, or renew the token",
    "token_revoked": "the bot token was revoked: install the app again",
    "account_inactive": "the bot was removed from the workspace: install the app again",
    "not_in_channel": "the bot is not a member of the channel: /invite it",
    "channel_not_found": "the channel does not exist, or is private and the bot is not in it: /invite it",
    "is_archived": "the channel is archived",
    "ekm_access_denied": "the workspace's administrators suspended access to its messages",
    "access_denied": "the workspace's administrators do not allow it",
    "team_access_not_granted": "the app is not approved for this workspace",
}
"""Slack's error codes as sentences; others are named as they are."""


class UntoldError(Exception):
    """Slack did not tell what was asked; the message is for a person. ``code`` is Slack's own where it gave one."""

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


class RefusedError(UntoldError):
    """Slack understood, and will say no the next time too."""


class _AgainError(Exception):
    """May work when tried again; the message says what happened."""


class _TooFastError(Exception):
    """Asked too often; ``after_s`` is how long Slack wants to be left alone."""

    def __init__(self, after_s: float) -> None:
        super().__init__(after_s)
        self.after_s = after_s


class SlackCalls:
    """Calls of one reading.

    ``session``: sends the token with everything, so it must not be used elsewhere. ``ends_at``: the loop time at which
    all waiting is over; waits that would reach beyond it are not begun. ``bytes`` counts what was received.
    """

    def __init__(self, session: aiohttp.ClientSession, base_url: str, pace: Pace | SharedPace, ends_at: float) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/") + "/"
        self._pace = pace
        self._ends_at = ends_at
        self.bytes = 0
        self.ahead_s: float | None = None
        """How far Slack's clock was ahead of ours at its last answer, in seconds"""

    async def call(self, method: str, **arguments: str | int) -> Mapping[str, Any]:
        """Call a method and give its body; being told to slow down never loses the call.

        Raises RefusedError where Slack says no, UntoldError where no answer came.
        """
        while True:
            await self._wait(method, self._pace.take(method))
            while held := self._pace.held(method):
                await self._wait(method, held)
            try:
                return await self._patiently(method, arguments)
            except _TooFastError as told:
                self._pace.hold(method, told.after_s)
            except _AgainError as error:
                raise UntoldError(f"{method} failed {ATTEMPTS} times: {error}") from error

    async def _wait(self, method: str, seconds: float) -> None:
        left = self._ends_at - asyncio.get_running_loop().time()
        if seconds > left:
            raise UntoldError(
                f"Slack limits {method} and would answer in {seconds:.0f} s, when only {max(left, 0):.0f} s were left"
            )
        if seconds > 0:
            await asyncio.sleep(seconds)

    async def _patiently(self, method: str, arguments: Mapping[str, str | int]) -> Mapping[str, Any]:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_AgainError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.3, max=5),
            reraise=True,
        )
        return await retrying(self._once, method, arguments)

    async def _once(self, method: str, arguments: Mapping[str, str | int]) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(REQUEST_S):
                # no redirects: the token is for Slack, not for whom a proxy sends us to
                async with self._session.post(
                    self._base_url + method, data=arguments, allow_redirects=False
                ) as response:
                    self.ahead_s = ahead_s(response.headers.get("Date"), datetime.now(UTC))
                    return self._answer(response, await self._body(response))
        except TimeoutError as error:
            raise _AgainError(f"no whole answer within {REQUEST_S:.0f} s") from error
        except aiohttp.ClientPayloadError as error:
            raise _AgainError("the answer was cut off") from error
        except (aiohttp.ClientError, OSError) as error:
            raise _AgainError(f"the connection failed ({type(error).__name__})") from error

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for piece in response.content.iter_chunked(65536):
            body += piece
            if len(body) > BODY_LIMIT_BYTES:
                raise UntoldError(f"an answer was larger than {BODY_LIMIT_BYTES} bytes and was not read")
        self.bytes += len(body)
        if crowded(body):
            raise UntoldError("an answer held more values than are decoded at once and was not read")
        return bytes(body)

    def _answer(self, response: aiohttp.ClientResponse, body: bytes) -> Mapping[str, Any]:
        if response.status == 429:
            raise _TooFastError(_retry_after(response))
        if response.status >= 500:
            raise _AgainError(f"HTTP {response.status}")
        if response.content_type == "text/html":
            raise UntoldError("a web page came instead of an answer: a proxy or a login page stands before Slack")
        if response.status != 200:
            raise UntoldError(f"what stands at Slack's address answered with HTTP {response.status}")
        try:
            told = json.loads(body.decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            raise _AgainError("the answer is no JSON") from error
        if not isinstance(told, dict):
            raise _AgainError("the answer is no JSON object")
        if told.get("ok") is not True:
            self._refuse(response, told)
        return told

    def _refuse(self, response: aiohttp.ClientResponse, told: Mapping[str, Any]) -> None:
        code = str(told.get("error") or "an error without a name")[:80]
        if code in {"ratelimited", "rate_limited"}:
            raise _TooFastError(_retry_after(response))
        if code in _PASSING:
            raise _AgainError(code)
        if code == "missing_scope":
            needed = str(told.get("needed") or "it needs")[:80]
            raise RefusedError(
                f"the bot token lacks the scope {needed}: add it under OAuth & Permissions and install the app again",
                code,
            )
        raise RefusedError(_SENTENCES.get(code, f"Slack answered {code}"), code)


def _retry_after(response: aiohttp.ClientResponse) -> float:
    told = response.headers.get("Retry-After", "")
    return max(float(told), SHORTEST_WAIT_S) if told.isascii() and told.isdigit() else UNTOLD_WAIT_S
