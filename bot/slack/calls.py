"""Every call to Slack's Web API goes through here: the limiter's turn, one deadline, one retry policy, our own errors.

The SDK's retry handlers are off, because they repeat a post whose answer got lost and so post twice; here only what may be
repeated is. Who posts and loses the answer gets ChatBusyError and must look before posting again (``delivery``).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ChatBusyError, ChatError, ChatRefusedError
from bot.slack.limiter import Limiter
from bot.slack.surface import METHODS

log = logging.getLogger(__name__)

Observe = Callable[[str, str], None]
"""Told ``(method, outcome)``: ``ok``, ``retried``, ``rate_limited``, ``busy`` or ``refused``."""

DEADLINE_S = 15.0
"""How long a call may take in all, its waiting and repeating included."""

ATTEMPT_S = 5.0
"""How long one attempt may take, so that an answer that never comes leaves time to ask again."""

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 8.0
_TEMPORARY = frozenset(
    {
        *("internal_error", "fatal_error", "service_unavailable", "request_timeout"),
        *("ratelimited", "rate_limited", "message_limit_exceeded", "team_added_to_org"),
    }
)


class _RateLimitedError(ChatBusyError):
    """Slack did not take the call and says when to come again."""

    def __init__(self, method: str, seconds: float) -> None:
        super().__init__(f"Slack limits {method}; it asks to wait {seconds:.0f} s.")
        self.seconds = seconds


class Calls:
    """Calls Slack. ``client`` should carry a shared session and no retry handlers."""

    def __init__(self, client: AsyncWebClient, limiter: Limiter | None = None, observe: Observe | None = None) -> None:
        client.retry_handlers.clear()
        self.client = client
        self._limiter = limiter or Limiter()
        self._observe = observe or (lambda _method, _outcome: None)

    async def __call__(self, method: str, *, deadline_s: float = DEADLINE_S, **arguments: object) -> dict[str, Any]:
        """Call a method and give Slack's answer; raises ChatBusyError when time is up, ChatRefusedError for a no."""
        deadline_at = asyncio.get_running_loop().time() + deadline_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await self._once(method, arguments, deadline_at)
            except _RateLimitedError as error:
                self._limiter.pause(method, error.seconds)
                self._observe(method, "rate_limited")
                wait_s = error.seconds
            except ChatBusyError:
                if not METHODS[method].repeatable:
                    raise
                wait_s, pause_s = pause_s, min(pause_s * 2, _LONGEST_PAUSE_S)
            if asyncio.get_running_loop().time() + wait_s >= deadline_at:
                self._observe(method, "busy")
                raise ChatBusyError(f"Slack did not take {method} within {deadline_s:.0f} s.")
            self._observe(method, "retried")
            await asyncio.sleep(wait_s)

    async def if_free(self, method: str, *, deadline_s: float = 5.0, **arguments: object) -> dict[str, Any] | None:
        """Call a method only if its rate leaves room right now; None where the call was left out."""
        if not self._limiter.turn_now(method, _channel(arguments)):
            return None
        try:
            return await self._send(method, arguments, asyncio.get_running_loop().time() + deadline_s)
        except _RateLimitedError as error:
            self._limiter.pause(method, error.seconds)
            self._observe(method, "rate_limited")
            return None

    async def upload(self, url: str, content: bytes, *, deadline_s: float = DEADLINE_S) -> None:
        """Send a file's bytes to the address that ``files.getUploadURLExternal`` gave."""
        session = self.client.session or aiohttp.ClientSession()
        try:
            async with asyncio.timeout(deadline_s), session.post(url, data=content) as answer:
                if answer.status != 200:
                    raise ChatBusyError(f"Slack did not take the file (HTTP {answer.status}).")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ChatBusyError("Slack did not take the file.") from error
        finally:
            if session is not self.client.session:
                await session.close()

    async def _once(self, method: str, arguments: Mapping[str, Any], deadline_at: float) -> dict[str, Any]:
        if not await self._limiter.turn(method, _channel(arguments), deadline_at):
            self._observe(method, "busy")
            raise ChatBusyError(f"Too much to send: {method} gets no turn in time.")
        return await self._send(method, arguments, deadline_at)

    async def _send(self, method: str, arguments: Mapping[str, Any], deadline_at: float) -> dict[str, Any]:
        travel = METHODS[method].travel
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            async with asyncio.timeout_at(min(deadline_at, asyncio.get_running_loop().time() + ATTEMPT_S)):
                if travel == "query":
                    answer = await self.client.api_call(method, http_verb="GET", params=given)
                elif travel == "json":
                    answer = await self.client.api_call(method, json=given)
                else:
                    answer = await self.client.api_call(method, data=given)
        except SlackApiError as error:
            raise self._translated(method, error) from error
        except SlackClientError as error:
            self._observe(method, "refused")
            raise ChatRefusedError(f"Slack cannot be called: {method} was not even sent.") from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self._observe(method, "busy")
            log.warning("slack call failed", extra={"method": method, "reason": type(error).__name__})
            raise ChatBusyError(f"Slack did not answer {method}.") from error
        self._observe(method, "ok")
        body = answer.data
        return body if isinstance(body, dict) else {}

    def _translated(self, method: str, error: SlackApiError) -> ChatError:
        response: Any = error.response
        status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
        body = getattr(response, "data", None)
        code = str(body.get("error", "")) if isinstance(body, dict) else ""
        if status == 429:
            return _RateLimitedError(method, _retry_after(getattr(response, "headers", {})))
        if not code or status >= 500 or code in _TEMPORARY:
            self._observe(method, "busy")
            log.warning("slack call failed", extra={"method": method, "reason": code or f"http {status}"})
            return ChatBusyError(f"Slack could not handle {method} ({code or f'HTTP {status}'}).")
        self._observe(method, "refused")
        return ChatRefusedError(f"Slack refused {method}: {code}.", code=code)


def _retry_after(headers: Mapping[str, Any]) -> float:
    for name, value in headers.items():
        if str(name).lower() == "retry-after":
            try:
                return max(float(value), 0.0)
            except ValueError:
                break
    return 30.0  # Slack's usual word where it gives none


def _channel(arguments: Mapping[str, object]) -> str | None:
    channel = arguments.get("channel")
    return channel if isinstance(channel, str) else None
