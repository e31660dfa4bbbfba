"""Requests to one API server that end: with an answer, or with a sentence that says why there is none.

The client of ``kubernetes.aio`` is used for whom we are and where we go; bodies are read here, as bytes, under a limit each and
under the deadline of the whole, for its models refuse events that servers really send and its log reader loses a log to one
bad byte. Retries are decided here and nowhere else.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from bot.cluster.refusals import AbsentError, ExpiredError, ForbiddenError, PassingError, UntoldError
from bot.cluster.resources import Resource
from bot.domain.bearings import ahead_s
from bot.domain.crowding import crowded

if TYPE_CHECKING:
    from kubernetes.aio.client.api_client import ApiClient

PAGE = 250
"""Objects asked for at once: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks"""
REQUEST_S = 20.0
"""A page takes an API server well under a second; one this old will not end well."""
ATTEMPTS = 4
PAUSE_S = 0.25
"""Before the second try; each further pause is twice as long."""
BODY_LIMIT_BYTES = 64 * 1024 * 1024
"""250 objects at etcd's limit of 1.5 MB would not fit, but 250 of a quarter megabyte do."""
LARGE_BYTES = 16 * 1024 * 1024
PIECE = 256 * 1024
RELISTS = 2
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
"""Without an alternative: a server that cannot leave the contents out shall refuse rather than send them."""

Params = Mapping[str, str | int]


@dataclass(slots=True)
class Clock:
    """How far the server's clock is ahead of ours in seconds, as its answers' ``Date`` tells."""

    ahead_s: float | None = None

    def hear(self, date: str | None) -> None:
        """Learn from a header; the smallest difference seen is the truest, for answers only come late."""
        ahead = ahead_s(date, datetime.now(UTC))
        if ahead is not None and (self.ahead_s is None or abs(ahead) < abs(self.ahead_s)):
            self.ahead_s = ahead


@dataclass(slots=True)
class Page:
    """Some objects of a list, and the version of the whole."""

    items: list[dict[str, Any]]
    version: str
    size: int


@dataclass(slots=True, kw_only=True)
class ClusterApi:
    """Requests with one client.

    ``ends_at``: the loop time at which all waiting is over. ``bytes`` counts what was received.
    """

    client: "ApiClient"
    ends_at: float
    request_s: float = REQUEST_S
    body_limit: int = BODY_LIMIT_BYTES
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Held by the one answer beyond ``LARGE_BYTES`` that is read at a time: many are asked for at once"""
    clock: Clock = field(default_factory=Clock)
    bytes: int = 0

    async def pages(
        self, resource: Resource, namespace: str | None = None, params: Params | None = None
    ) -> AsyncGenerator[Page, None]:
        """Give a list page by page; one that expired on the way is read anew, without what was given already."""
        seen: set[str] = set()
        for _ in range(RELISTS):
            try:
                async for page in self._once_through(resource, namespace, params or {}):
                    page.items = [item for item in page.items if not _known(item, seen)]
                    yield page
            except ExpiredError:
                continue
            return
        raise UntoldError(f"the list of {resource.plural} expired {RELISTS} times while it was read")

    async def _once_through(self, resource: Resource, namespace: str | None, params: Params) -> AsyncIterator[Page]:
        accept = METADATA_ONLY if resource.read == "names" else "application/json"
        more: Params = {}
        while True:
            rule = resource.rule("list")
            told, size = await self.json(
                resource.path(namespace), {"limit": PAGE, **params, **more}, accept=accept, rule=rule
            )
            items, meta = told.get("items"), told.get("metadata")
            if not isinstance(items, list) and items is not None:
                raise UntoldError(f"the list of {resource.plural} is none that a Kubernetes API gives")
            if resource.read == "names" and told.get("kind") != "PartialObjectMetadataList":
                raise UntoldError(
                    f"the server gives no metadata of {resource.plural} alone, and their contents are not read"
                )
            meta = meta if isinstance(meta, dict) else {}
            yield Page(
                [each for each in items or () if isinstance(each, dict)], str(meta.get("resourceVersion") or ""), size
            )
            if not meta.get("continue"):
                return
            more = {"continue": str(meta["continue"])}

    async def json(
        self,
        path: str,
        params: Params,
        *,
        accept: str = "application/json",
        rule: str = "",
        body: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], int]:
        """Ask for a JSON document and give it with its size; what may pass is tried again while time is left."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(PassingError),
            stop=self._is_over,
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )
        return await retrying(self._json_once, path, params, accept, rule, body)

    async def _json_once(
        self, path: str, params: Params, accept: str, rule: str, body: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], int]:
        async with (
            AsyncExitStack() as stack,
            self.opened(path, params, accept=accept, rule=rule, body=body, within_s=self.request_s) as answer,
        ):
            read = await self._body(answer, stack)
            if answer.content_type == "text/html":
                raise UntoldError("a web page came instead of an answer: a proxy or a login page stands before the API")
            size = len(read)
            self.bytes += size
            return _object(read), size

    async def _body(self, answer: aiohttp.ClientResponse, stack: AsyncExitStack) -> bytearray:
        """Read a body within its limit; what is large is read and decoded alone, until the stack is left."""
        read = bytearray()
        async for piece in answer.content.iter_chunked(PIECE):
            if len(read) <= LARGE_BYTES < len(read) + len(piece):
                await stack.enter_async_context(self.large)
            read += piece
            if len(read) > self.body_limit:
                read.clear()  # an error that is kept keeps what stood around it
                raise UntoldError(f"an answer was larger than {self.body_limit // 1024**2} MiB and was not read")
        return read

    @asynccontextmanager
    async def opened(
        self,
        path: str,
        params: Params,
        *,
        accept: str = "application/json",
        rule: str = "",
        body: Mapping[str, Any] | None = None,
        within_s: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open an answer's body for reading, within a time; the connection is closed with it."""
        loop = asyncio.get_running_loop()
        ends_at = min(self.ends_at, loop.time() + within_s) if within_s else self.ends_at
        if loop.time() >= ends_at:
            raise UntoldError("the time for reading the cluster ran out")
        try:
            async with asyncio.timeout_at(ends_at):
                answer = await self._sent(path, params, accept, body)
                try:
                    await self._checked(answer, path, rule)
                    yield answer
                finally:
                    answer.close()
        except TimeoutError as error:
            if loop.time() >= self.ends_at:
                raise UntoldError("the time for reading the cluster ran out") from error
            late = f"no whole answer came within {within_s:.3g} s" if within_s else "nothing more came"
            raise PassingError(late) from error
        except aiohttp.ClientPayloadError as error:
            raise PassingError("an answer was cut off") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise UntoldError("the API server's certificate is not the one the configuration trusts") from error
        except (aiohttp.ClientError, OSError) as error:
            raise PassingError(f"the connection to the API server failed ({type(error).__name__})") from error

    async def _sent(
        self, path: str, params: Params, accept: str, body: Mapping[str, Any] | None
    ) -> aiohttp.ClientResponse:
        headers = {"Accept": accept, "User-Agent": "rootcause"}
        method, url, headers, sent, _ = await self.client.param_serialize(
            "POST" if body is not None else "GET",
            path,
            query_params=[(key, str(value)) for key, value in params.items()],
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        limit = aiohttp.ClientTimeout(total=None, sock_connect=self.request_s)
        answer = await self.client.call_api(method, url, headers, sent, _request_timeout=limit)
        response: aiohttp.ClientResponse = answer.response
        self.clock.hear(response.headers.get("Date"))
        return response

    async def _checked(self, answer: aiohttp.ClientResponse, path: str, rule: str) -> None:
        status = answer.status
        if status < 300:
            return
        if status == 401:
            raise ForbiddenError("the API server does not accept the credentials: they are wrong or have expired")
        if status == 403:
            raise ForbiddenError(f"the rights do not suffice; this rule is missing: {rule or path}")
        if status == 410:
            raise ExpiredError("what was asked for has expired")
        if status == 404:
            raise AbsentError("it does not exist on this server")
        if status == 429 or status >= 500:
            what = "is asked too often" if status == 429 else f"answers with HTTP {status}"
            raise PassingError(f"the API server {what}", _retry_after(answer))
        why = (await answer.content.read(400)).decode("utf-8", "replace") if status == 400 else ""
        if "not found" in why:
            raise AbsentError("its node no longer has it")
        raise UntoldError(f"the API server answers with HTTP {status}{_reason(why)}")

    async def pause(self, error: PassingError, tried: int) -> None:
        """Wait before a reading is begun anew, as long as the server asked for."""
        seconds = max(error.after_s, PAUSE_S * 2.0 ** (tried - 1))
        if error.after_s < seconds and seconds > self._left():
            raise error
        await self._sleep(seconds)

    async def _sleep(self, seconds: float) -> None:
        left = self._left()
        if seconds > left:
            raise UntoldError(f"the API server asks to wait {seconds:.0f} s, when only {max(left, 0):.0f} s were left")
        await asyncio.sleep(seconds)

    def _left(self) -> float:
        return self.ends_at - asyncio.get_running_loop().time()

    def _is_over(self, state: RetryCallState) -> bool:
        """Tell whether trying again is of no use: tried enough, or no time is left for a pause of our own."""
        told = state.outcome.exception() if state.outcome else None
        own = not (isinstance(told, PassingError) and told.after_s)
        return state.attempt_number >= ATTEMPTS or (own and _pause(state) > self._left())


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    told = error.after_s if isinstance(error, PassingError) else 0.0
    return max(told, PAUSE_S * 2.0 ** (state.attempt_number - 1))


def _known(item: Mapping[str, Any], seen: set[str]) -> bool:
    meta = item.get("metadata")
    uid = str(meta.get("uid") or "") if isinstance(meta, dict) else ""
    if not uid:
        return False
    known = uid in seen
    seen.add(uid)
    return known


def _object(body: bytearray) -> dict[str, Any]:
    if crowded(body):
        body.clear()
        raise UntoldError("an answer held more values than are decoded at once and was not read")
    try:
        told = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        told = PassingError("an answer was no JSON")  # raised from here it would keep the text that was no JSON
    body.clear()
    if isinstance(told, PassingError):
        raise told
    if not isinstance(told, dict):
        told = None
        raise UntoldError("an answer was no JSON object")
    return told


def _retry_after(answer: aiohttp.ClientResponse) -> float:
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isascii() and told.isdigit() else 0.0


def _reason(body: str) -> str:
    """Give the server's own words for a refused request, where it says any."""
    with suppress(ValueError):
        told = json.loads(body)
        if isinstance(told, dict) and isinstance(told.get("message"), str):
            return f": {told['message'][:160]}"
    return ""
