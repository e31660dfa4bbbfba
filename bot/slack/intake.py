"""Messages on their way in: understood and stored before Slack gets its acknowledgement.

Bolt acknowledges an event before its listener runs, so the storing happens in a global middleware. Where it cannot be done
(Slack does not say who the person is, the store refuses) the error stands, the event stays unacknowledged, and Slack
delivers it again. A second delivery shares a key with the first and changes nothing.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain.chat import Accepted, Ask, Asker, Desk, Place, WorkSummary
from bot.slack.access import AccessPolicy, Refused
from bot.slack.identity import Identity, Self
from bot.slack.phrases import zone
from bot.slack.understanding import Understood, addresses_bot, understand

log = logging.getLogger(__name__)

HEARD = "heard"
"""Under this name a listener finds what the middleware made of its event."""

_SPOKEN = frozenset({None, "thread_broadcast", "file_share"})
"""Subtypes of messages that a person typed."""

_RECENT = 50
_STILL_READING = "I'm still reading; ask me that again when the answer is here, or press Stop."


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What became of a message: stored as an ask, refused, or something to be said or done right away."""

    place: Place
    user: str
    key: str
    asker: Asker | None = None
    meant: Understood | None = None
    accepted: Accepted | None = None
    refusal: str = ""
    sentence: str = ""


class Intake:
    """Turns events into stored asks."""

    def __init__(self, identity: Identity, access: AccessPolicy, desk: Desk, clock: Callable[[], datetime]) -> None:
        self._identity = identity
        self._access = access
        self._desk = desk
        self._clock = clock

    async def middleware(
        self,
        body: dict[str, Any],
        context: dict[str, Any],
        next: Callable[[], Awaitable[None]],  # noqa: A002 - Bolt injects by this name
    ) -> None:
        """Store what a message asks, then let Bolt acknowledge it."""
        event = body.get("event") or {}
        if body.get("type") == "event_callback" and event.get("type") in ("app_mention", "message"):
            context[HEARD] = await self.hear(body, event)
        context["taken"] = True
        await next()

    async def hear(self, body: Mapping[str, Any], event: Mapping[str, Any]) -> Heard | None:
        """Understand and store a message; None for what is not meant for the app."""
        known = await self._identity.known()
        if not _spoken_by_a_person(event, known):
            return None
        place = _place(event, known)
        direct = event.get("type") == "app_mention" or event.get("channel_type") == "im"
        if not direct and not (_is_reply(event) and await self._is_meant(event, place, known)):
            return None
        key = f"message:{place.team}:{place.channel}:{event['ts']}"
        granted = await self._access.check(
            str(event["user"]), place.channel, shared=bool(body.get("is_ext_shared_channel"))
        )
        if isinstance(granted, Refused):
            refusal = granted.reason if direct else ""
            return Heard(place=place, user=str(event["user"]), key=key, refusal=refusal)
        keys = (f"event:{body.get('event_id', key)}", key)
        return await self._take(event, place, granted.asker, keys)

    async def _is_meant(self, event: Mapping[str, Any], place: Place, known: Self) -> bool:
        """Tell whether a reply that does not name the app is meant for it: in a thread of its own, and a question."""
        text = str(event.get("text") or "")
        if f"<@{known.user}" in text or not addresses_bot(text):  # what names the app comes as app_mention too
            return False
        return await self._desk.case_of(place) is not None or await self._latest(place) is not None

    async def _latest(self, place: Place) -> WorkSummary | None:
        works = await self._desk.recent(place.team, place.channel, _RECENT)
        return next((work for work in works if work.place == place), None)

    async def _take(self, event: Mapping[str, Any], place: Place, asker: Asker, keys: tuple[str, ...]) -> Heard:
        known = await self._identity.known()
        case = await self._desk.case_of(place) if _is_reply(event) else None
        latest = await self._latest(place) if _is_reply(event) else None
        own = case is not None or latest is not None
        meant = understand(
            str(event.get("text") or ""),
            now=self._clock(),
            tz=zone(asker.tz),
            bot_user=known.user,
            thread=own,
        )
        heard = Heard(place=place, user=asker.user, key=keys[1], asker=asker, meant=meant)
        if meant.verb == "ask" and case is None:
            return replace(heard, sentence=_STILL_READING)
        if meant.verb not in ("investigate", "steer", "ask"):
            return heard
        began = time.perf_counter()
        accepted = await self._desk.submit(
            ask_of(meant, place, asker, keys, message_ts=str(event["ts"]), at=self._clock(), before=latest)
        )
        log.info(
            "stored",
            extra={
                "work": accepted.work,
                "outcome": accepted.outcome,
                "ms": round((time.perf_counter() - began) * 1000),
            },
        )
        return replace(heard, accepted=accepted)


def ask_of(
    meant: Understood,
    place: Place,
    asker: Asker,
    keys: tuple[str, ...],
    *,
    message_ts: str | None,
    at: datetime,
    before: WorkSummary | None = None,
) -> Ask:
    """Make the request; steering keeps what it does not change of the investigation ``before``."""
    question, window = meant.question, meant.window
    if meant.verb == "steer" and before is not None:
        question = question or before.question
        window = window or before.window or None
    return Ask(
        kind="follow_up" if meant.verb == "ask" else "investigate",
        keys=keys,
        place=place,
        asker=asker,
        question=question or Understood(verb="investigate").question,
        window=window,
        namespaces=meant.namespaces,
        message_ts=message_ts,
        asked_at=at,
    )


def _spoken_by_a_person(event: Mapping[str, Any], known: Self) -> bool:
    if event.get("bot_id") or event.get("hidden") or event.get("subtype") not in _SPOKEN:
        return False
    return bool(event.get("user") and event.get("channel") and event.get("ts")) and event.get("user") != known.user


def _is_reply(event: Mapping[str, Any]) -> bool:
    return bool(event.get("thread_ts")) and event.get("thread_ts") != event.get("ts")


def _place(event: Mapping[str, Any], known: Self) -> Place:
    return Place(
        enterprise=known.enterprise,
        team=known.team,
        channel=str(event["channel"]),
        thread_ts=str(event.get("thread_ts") or event["ts"]),
    )
