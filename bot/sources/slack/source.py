"""Slack as a source: what was said in a channel and its threads in a window, with names, permalinks and files named.

Reads and nothing else; it joins no channel. Contents of files are not fetched, and what the asking bot itself wrote is
no evidence. The reading ends on the clock, whatever Slack does; what could not be read by then is a Gap.

Needs the scopes ``channels:history`` and ``channels:read`` (``groups:…`` in private channels) and ``users:read``.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.domain.bearings import clock_words
from bot.domain.items import ChatMessage, Gap
from bot.domain.mrkdwn import NOTICES, as_mapping, author, instant_of, is_bot, message_text, people_in
from bot.domain.ports import Progress, Sink
from bot.domain.window import Window, instant, rfc3339
from bot.sources.slack.history import MOST_MESSAGES, History
from bot.sources.slack.names import learn_names
from bot.sources.slack.pace import Pace
from bot.sources.slack.shared_pace import SharedPace
from bot.sources.slack.web_api import BASE_URL, SlackCalls, UntoldError

DEADLINE_S = 120.0
"""Ten thousand messages take about a minute at Slack's pace; people wait in a channel for the answer."""
NAMES_SHARE = 0.15
"""Of the deadline, kept for people's names: messages without names are still evidence, names without messages are not."""


@dataclass(slots=True)
class _Reading:
    """What one reading learned."""

    title: str
    team_url: str = ""
    own_bot: str = ""
    bytes: int = 0
    messages: list[Mapping[str, Any]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    def lost(self, what: str, count: int = 1) -> None:
        self.gaps.append(Gap(source=SlackSource.name, what=what, count=count, path=self.title))

    def odd(self, what: str, count: int = 1) -> None:
        self.gaps.append(Gap(source=SlackSource.name, what=what, count=count, path=self.title, lost=False))


class SlackSource:
    """One channel of a workspace in a window.

    ``channel``: its id (``C…``). ``pace``: shared by all readers of the same app
    (``Pace`` in one process, ``SharedPace`` across several). ``names``: display names by user id;
    known ones are not asked for, learned ones are added. ``deadline_s``: the longest a reading takes, in seconds.
    ``most_messages``: where reading back from the window's end stops. ``proxy``: URL of an HTTP proxy.
    """

    name = "slack"

    def __init__(  # noqa: PLR0913 - one adapter's settings, all by name
        self,
        *,
        token: str,
        channel: str,
        window: Window,
        base_url: str = BASE_URL,
        pace: Pace | SharedPace | None = None,
        names: MutableMapping[str, str] | None = None,
        deadline_s: float = DEADLINE_S,
        most_messages: int = MOST_MESSAGES,
        proxy: str | None = None,
    ) -> None:
        self._token = token
        self._channel = channel
        self._window = window
        self._base_url = base_url
        self._pace = pace or Pace()
        self._names = names if names is not None else {}
        self.deadline_s = deadline_s
        self._most_messages = most_messages
        self._proxy = proxy

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Read the channel into the sink; call from a thread without a running event loop."""
        reading = _Reading(title=self._channel)
        asyncio.run(self._read(reading, progress))
        counts: Counter[str] = Counter()
        for raw, message in _storable(reading.messages):
            if what := _left_out(message, reading.own_bot):
                counts[what] += 1
                continue
            counts.update(_oddities(message))
            sink.add_message(self._chat_message(reading, raw, message))
        for what, count in sorted(counts.items()):
            reading.odd(what, count)
        for gap in reading.gaps:
            sink.add_gap(gap)
        if reading.bytes:
            sink.add_read(self.name, reading.title, reading.bytes)
        for detail in reading.details:
            sink.add_detail(self.name, detail)

    async def _read(self, reading: _Reading, progress: Progress) -> None:
        ends_at = asyncio.get_running_loop().time() + self.deadline_s
        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": "rootcause"}
        # the limits are ours, request by request: aiohttp's own total would also end a long wait for the pace
        limit = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(headers=headers, timeout=limit, proxy=self._proxy) as session:
            calls = SlackCalls(session, self._base_url, self._pace, ends_at)
            history: History | None = None
            late = f"the {self.deadline_s:g} s for reading Slack ran out"
            try:
                async with asyncio.timeout_at(ends_at - self.deadline_s * NAMES_SHARE):
                    created_s = await self._introduce(calls, reading)
                    history = History(
                        calls,
                        self._channel,
                        self._window,
                        created_s=created_s,
                        own_bot=reading.own_bot,
                        most=self._most_messages,
                        tick=lambda: progress("read", calls.bytes, None),
                    )
                    await history.read()
            except UntoldError as error:
                reading.lost(f"Slack could not be read: {error}")
            except TimeoutError:
                if history is None:
                    reading.lost(f"Slack could not be read: {late}")
            if clock := clock_words(calls.ahead_s):
                reading.details.append(clock)
            if history is None:
                return
            if history.oldest_s is not None:
                reading.details.append(f"the oldest message that was seen is of {rfc3339(instant(history.oldest_s))}")
            for what, count in history.losses(late):
                reading.lost(what, count)
            reading.messages = [history.messages[ts] for ts in sorted(history.messages, key=_order)]
            reading.bytes = calls.bytes if history.began else 0
            await self._learn_names(calls, reading, ends_at)

    async def _introduce(self, calls: SlackCalls, reading: _Reading) -> float | None:
        """Learn who we are and what the channel is called; give the time it was made."""
        who = await calls.call("auth.test")
        reading.team_url = str(who.get("url") or "")
        reading.own_bot = str(who.get("bot_id") or "")
        try:
            channel = as_mapping((await calls.call("conversations.info", channel=self._channel)).get("channel"))
        except UntoldError as error:
            reading.odd(f"the channel is shown by its id, for its name was not given: {error}")
            return None
        reading.title = str(channel.get("name") or self._channel)
        created = channel.get("created")
        return float(created) if isinstance(created, int) else None

    async def _learn_names(self, calls: SlackCalls, reading: _Reading, ends_at: float) -> None:
        people = {user for message in reading.messages for user in people_in(message)}
        why: str | None = f"the {self.deadline_s:g} s for reading Slack ran out"
        try:
            async with asyncio.timeout_at(ends_at):
                why = await learn_names(calls, people, self._names)
        except TimeoutError:
            pass
        if why and (unnamed := people - set(self._names)):
            reading.odd(f"people shown by their id, for their names were not given: {why}", len(unnamed))

    def _chat_message(self, reading: _Reading, raw: str, message: Mapping[str, Any]) -> ChatMessage:
        ts, thread = str(message["ts"]), message.get("thread_ts")
        at = instant_of(ts)
        assert at is not None
        reply_to = thread if isinstance(thread, str) and thread != ts else None
        return ChatMessage(
            at=at,
            channel=reading.title,
            author=author(message, self._names),
            is_bot=is_bot(message),
            text=message_text(message, self._names, {self._channel: reading.title}),
            ts=ts,
            thread_ts=reply_to,
            permalink=_permalink(reading.team_url, self._channel, ts, reply_to),
            raw=raw.encode(),
        )


def _order(ts: str) -> tuple[int, int]:
    seconds, _, fraction = ts.partition(".")
    return int(seconds), int(fraction.ljust(6, "0"))


def _storable(messages: list[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give each message as JSON text and decoded, lone surrogates, which no UTF-8 store takes, replaced by U+FFFD."""
    for message in messages:
        raw = json.dumps(message, ensure_ascii=False)
        if raw.isascii():
            yield raw, message
            continue
        clean = raw.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        yield clean, message if clean == raw else json.loads(clean)


def _left_out(message: Mapping[str, Any], own_bot: str) -> str:
    """Say why a message is no evidence; nothing where it is."""
    subtype = str(message.get("subtype"))
    if subtype == "tombstone":
        return "deleted messages, of which only the place in the channel is left"
    if subtype in NOTICES:
        return f"notices without content ({subtype}), left out"
    if own_bot and message.get("bot_id") == own_bot:
        return "messages that this bot wrote itself, left out"
    return ""


def _oddities(message: Mapping[str, Any]) -> Iterator[str]:
    if "edited" in message:
        yield "edited messages, read as they stand now"
    if message.get("files"):
        yield "messages with files, which are named but not read"


def _permalink(team_url: str, channel: str, ts: str, thread: str | None) -> str | None:
    """Build a permalink as chat.getPermalink gives it, without a call for each message."""
    if not team_url.startswith(("https://", "http://")):
        return None
    link = f"{team_url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    return f"{link}?thread_ts={thread}&cid={channel}" if thread else link
