"""Read a channel's messages of a window: the history page by page, then every thread that may have a reply inside.

``conversations.history`` gives the newest first and leaves replies out; ``conversations.replies`` gives one thread, the
oldest first, its root always included. What was fetched before a failure is kept, and what was not is said.

Sources: docs.slack.dev, pages of both methods, "Pagination".
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from bot.domain.mrkdwn import as_mapping, instant_of
from bot.domain.window import Window, instant, rfc3339
from bot.sources.slack.web_api import RefusedError, SlackCalls, UntoldError

PAGE = 200
"""Messages a page; Slack recommends no more than 200 (https://docs.slack.dev/apis/web-api/pagination)."""
LOOK_BACK_PAGES = 5
"""Pages before the window that are searched for threads answered inside it: a few calls, and few threads live longer."""
MOST_MESSAGES = 100_000
"""Beyond this a channel is no incident's; about 100 MB while it is read."""
AT_ONCE = 4
"""Threads asked for side by side; the pace decides how many a minute."""
FAILURES_TO_STOP = 3
"""So many threads that failed one after another mean that Slack is not well, and the rest would only take time."""

_GONE = frozenset({"thread_not_found", "message_not_found"})


class _EnoughError(Exception):
    """As many pages were read as were asked for, and there are more."""


class History:
    """One reading of a channel; ``messages`` (by ``ts``) and ``losses`` may be used also when it was cut short.

    ``created_s``: when the channel was made, None where that is not known. ``own_bot``: id of the asking bot, whose own
    threads are talk with it and not asked for. ``most``: messages at which reading ends. ``tick`` is called after each page.
    """

    def __init__(
        self,
        calls: SlackCalls,
        channel: str,
        window: Window,
        *,
        created_s: float | None,
        own_bot: str,
        most: int,
        tick: Callable[[], None],
    ) -> None:
        self._calls = calls
        self._channel = channel
        self._window = window
        self._created_s = created_s
        self._own_bot = own_bot
        self._most = most
        self._tick = tick
        self._began = False
        self._reached_s: float | None = None
        self.oldest_s: float | None = None
        """The time of the oldest message that was seen, in the window or before it"""
        self._unread: dict[str, None] = {}
        self._failures = 0
        self._reasons: dict[str, str] = {}
        self._odd: Counter[str] = Counter()
        self.messages: dict[str, Mapping[str, Any]] = {}

    async def read(self) -> None:
        """Read the window; never raises for what Slack did not give."""
        try:
            await self._read_window()
            await self._look_back()
        except UntoldError as error:
            self._reasons["window"] = str(error)
            if isinstance(error, RefusedError):
                return
        await self._read_threads()

    @property
    def began(self) -> bool:
        """Tell whether a page came at all: an empty channel was looked at, an unreachable one was not."""
        return self._began

    def losses(self, late: str) -> Iterator[tuple[str, int]]:
        """Say what is missing, each with a count; ``late`` is the reason where reading was cut short."""
        if self._reached_s is None:
            yield f"the channel could not be read: {self._reasons.get('window', late)}", 1
        elif self._reached_s > self._window.start_s:
            since = rfc3339(instant(self._reached_s))
            yield f"messages before {since} were not read: {self._reasons.get('window', late)}", 1
        if self._unread:
            why = self._reasons.get("threads") or self._reasons.get("window") or late
            yield f"threads whose replies were not, or not all, read: {why}", len(self._unread)
        if "older" in self._reasons:
            yield self._reasons["older"], 1
        yield from sorted(self._odd.items())

    async def _read_window(self) -> None:
        pages = self._pages("conversations.history", self._window.start_s, self._window.end_s)
        async for message in pages:
            self._keep(message)
            self._reached_s = self.oldest_s = _seconds(message) or self._reached_s
            if len(self.messages) >= self._most:
                raise UntoldError(f"the window holds {self._most:,} messages or more")
        self._reached_s = self._window.start_s

    async def _look_back(self) -> None:
        """Find threads that began before the window and were answered later."""
        start_s = self._window.start_s
        if self._created_s is not None and self._created_s >= start_s:
            return
        searched_s = start_s
        try:
            async for message in self._pages("conversations.history", 0, start_s, most=LOOK_BACK_PAGES):
                searched_s = self.oldest_s = _seconds(message) or searched_s
                self._note_thread(message)
        except _EnoughError:
            since = rfc3339(instant(searched_s))
            self._reasons["older"] = f"replies in the window to threads from before {since} were not looked for"
        except UntoldError as error:
            self._reasons["older"] = f"threads from before the window were not all searched for replies: {error}"

    async def _read_threads(self) -> None:
        waiting = iter(sorted(self._unread, key=float))

        async def work() -> None:
            for thread in waiting:
                if self._failures < FAILURES_TO_STOP:
                    await self._read_thread(thread)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(self._unread))):
                    group.create_task(work())
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from several  # only the caller's own ``tick`` can raise here

    async def _read_thread(self, thread: str) -> None:
        pages = self._pages("conversations.replies", self._window.start_s, self._window.end_s, ts=thread)
        try:
            async for message in pages:
                self._keep(message, root=thread)
        except UntoldError as error:
            if not isinstance(error, RefusedError):
                self._failures += 1
            elif error.code not in _GONE:
                self._failures = FAILURES_TO_STOP
            if not isinstance(error, RefusedError) or error.code not in _GONE:
                self._reasons["threads"] = str(error)
                return
        else:
            self._failures = 0
        self._unread.pop(thread)

    def _keep(self, message: Mapping[str, Any], root: str | None = None) -> None:
        at_s = _seconds(message)
        if at_s is None:
            self._odd["messages without a time, left out"] += 1
            return
        if root is None:
            self._note_thread(message)
        if self._window.contains(at_s):
            self.messages.setdefault(str(message["ts"]), message)

    def _note_thread(self, message: Mapping[str, Any]) -> None:
        """Remember a thread worth asking for: one that has replies, the latest of them not before the window."""
        ts, thread = str(message.get("ts")), message.get("thread_ts")
        latest = instant_of(str(message.get("latest_reply", "")))
        if latest is not None and latest < self._window.start:
            return
        if self._own_bot and message.get("bot_id") == self._own_bot:
            return
        if message.get("reply_count") and thread in (None, ts) and instant_of(ts):
            self._unread.setdefault(ts)
        elif isinstance(thread, str) and thread != ts and instant_of(thread):
            self._unread.setdefault(thread)  # a reply sent to the channel too: its thread may have begun long before

    async def _pages(
        self, method: str, oldest_s: float, latest_s: float, *, most: int | None = None, **more: str
    ) -> AsyncIterator[Mapping[str, Any]]:
        fixed: dict[str, str | int] = {
            "channel": self._channel, "oldest": f"{oldest_s:.6f}", "latest": f"{latest_s:.6f}", "inclusive": "true",
            "limit": PAGE, **more,
        }  # fmt: skip
        seen = {""}
        cursor = ""
        while True:
            told = await self._calls.call(method, **fixed, **({"cursor": cursor} if cursor else {}))
            self._tick()
            messages = told.get("messages")
            if not isinstance(messages, list):
                raise UntoldError(f"{method} gave no list of messages")
            self._began = True
            for message in messages:
                if isinstance(message, dict):
                    yield message
                else:
                    self._odd["entries that are no messages, left out"] += 1
            cursor = str(as_mapping(told.get("response_metadata")).get("next_cursor") or "")
            if not cursor and told.get("has_more") is not True:
                return
            if cursor in seen:
                raise UntoldError(f"{method} said that there is more, but not how to get it")
            seen.add(cursor)
            if len(seen) - 1 == most:
                raise _EnoughError


def _seconds(message: Mapping[str, Any]) -> float | None:
    at = instant_of(str(message.get("ts", "")))
    return at.timestamp() if at else None
