"""Answers people in Slack: the ``Messenger`` of the app. Everything may be called again and shows once.

A post carries its key; before posting, the thread is read for it, and after an answer that got lost it is read again. The
plan is edited in place and may skip edits, but never the last one. Reactions are courtesies: what Slack says about them is
logged, not raised. What is shown is composed elsewhere (``*_blocks``).
"""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from bot.domain.chat import Ask, Place, Plan
from bot.domain.report import Answer, Report
from bot.errors import ChatBusyError, ChatError, ChatRefusedError
from bot.investigation.watch import watchable
from bot.slack import plan_blocks, report_blocks
from bot.slack.access import AccessPolicy
from bot.slack.blockkit import ALT_TEXT, MESSAGE_TEXT, Block, clip, plainer, section
from bot.slack.calls import Calls
from bot.slack.identity import Identity
from bot.slack.phrases import duration, zone
from bot.slack.picture import Picture, no_picture
from bot.slack.posted import find_posted, metadata
from bot.slack.sanitise import Sanitiser

log = logging.getLogger(__name__)

POST_DEADLINE_S = 60.0
"""How long a post may take in all; after that ChatBusyError, and whoever asked for it comes again."""

SEEN, DONE, FAILED = "eyes", "white_check_mark", "warning"

_EDIT_EVERY_S = 2.0
"""Least distance of two edits of one plan: chat.update is tier 3, shared by all investigations."""

_FIRST_EDIT_S = 1.0
"""How soon after the plan it may be edited first: it is posted before any source was opened."""

_SETTLE_S = 1.0
"""How long a post that may have been taken is given to appear in its thread."""

_COURTESY_S = 5.0
_KEPT = 2000
_BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch"})
_HARMLESS = frozenset({"already_reacted", "no_reaction", "message_not_found", "too_many_reactions", "missing_scope"})


@dataclass(slots=True)
class _Shown:
    """The plan of one thread: where it stands, what it shows, and the edit that waits for its turn."""

    ts: str
    place: Place
    plan: Plan | None = None
    edited_at: float = 0.0
    waiting: "asyncio.Task[None] | None" = None
    closed: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class SlackMessenger:
    """Implements ``bot.domain.chat.Messenger``."""

    def __init__(
        self,
        calls: Calls,
        identity: Identity,
        access: AccessPolicy,
        sanitiser: Sanitiser,
        *,
        picture: Picture = no_picture,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._calls = calls
        self._identity = identity
        self._access = access
        self._sanitiser = sanitiser
        self._picture = picture
        self._clock = clock
        self._plans: OrderedDict[str, _Shown] = OrderedDict()
        self._seen: OrderedDict[tuple[str, str], asyncio.Task[None]] = OrderedDict()
        self._posting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def acknowledge(self, ask: Ask) -> None:
        """Put 👀 under the asking message, for a command under the thread's root; the work does not wait for it."""
        if ask.kind == "ticket":
            return  # whoever pressed was answered by the form
        channel, target = ask.place.channel, ask.message_ts or ask.place.thread_ts
        task = asyncio.create_task(self._react("reactions.add", channel, target, SEEN))
        self._seen[(channel, target)] = task
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)

    async def show_plan(self, place: Place, key: str, plan: Plan) -> None:
        """Post the plan, or edit it; edits that come too fast wait, and only the latest of them is made."""
        shown = self._plans.get(key)
        if shown is None:
            text, blocks = self._plan(place, plan)
            ts = await self._post(place, key, "plan", text, blocks)
            self._remember(key, _Shown(ts=ts, place=place, plan=plan, edited_at=_now() - _EDIT_EVERY_S + _FIRST_EDIT_S))
        elif not shown.closed:
            shown.plan = plan
            if shown.waiting is None or shown.waiting.done():
                shown.waiting = asyncio.create_task(self._edit_soon(shown))

    async def answer(self, ask: Ask, key: str, report: Report) -> None:
        """Post the answer and its picture; withhold both where the channel has become shared since the question."""
        place, tz = ask.place, zone(ask.asker.tz)
        if not await self._access.open_to_posts(place.channel):
            await self._withhold(ask, report)
            return
        watched = watchable(report, self._clock())
        blocks = report_blocks.answer_blocks(report, place, self._sanitiser, tz, asked=ask.window, watched=watched)
        await self._post(place, key, "answer", report_blocks.answer_text(report, self._sanitiser), blocks)
        took = sum(report.usage.seconds.values())
        await self._close_plans(place, f"Done in {duration(took)}." if took else "Done.")
        try:
            await self._attach(place, f"{key}/picture", report)
        except ChatError as error:  # the answer stands without its picture, and posting it again would double it
            log.warning("the timeline picture was not posted", extra={"case": report.case, "reason": str(error)})

    async def follow_up(self, ask: Ask, key: str, answer: Answer) -> None:
        """Post the answer to a follow-up; the question stands with it where no message holds it."""
        if not await self._access.open_to_posts(ask.place.channel):
            return
        asked_by = ask.asker.name if ask.message_ts is None else None
        blocks = report_blocks.follow_up_blocks(answer, self._sanitiser, asked_by=asked_by)
        await self._post(ask.place, key, "follow_up", report_blocks.follow_up_text(answer, self._sanitiser), blocks)

    async def notify(self, place: Place, key: str, sentence: str, url: str | None = None) -> None:
        """Post one sentence, and a link where its host is allowed."""
        link = self._sanitiser.link(url, "See it there.") if self._sanitiser.url(url) else ""
        await self.say(place, key, " ".join(part for part in (self._sanitiser.text(sentence, 1500), link) if part))

    async def say(self, place: Place, key: str, mrkdwn: str, blocks: Sequence[Block] = ()) -> None:
        """Post the app's own words, once under a key; foreign text in them has passed the sanitiser already."""
        await self._post(place, key, "notice", mrkdwn, blocks or [section(mrkdwn)])

    async def whisper(self, channel: str, user: str, sentence: str, thread_ts: str | None = None) -> None:
        """Tell one person something that only they see; a courtesy, so what Slack says about it is only logged."""
        try:
            await self._calls(
                "chat.postEphemeral",
                channel=channel,
                user=user,
                thread_ts=thread_ts,
                text=sentence,
                deadline_s=_COURTESY_S,
            )
        except ChatError as error:
            log.info("not told", extra={"reason": str(error)})

    async def finish(self, ask: Ask, *, well: bool) -> None:
        """Replace 👀 by ✅ or ⚠️, and close the plan."""
        if ask.kind == "investigate":
            await self._close_plans(ask.place, "Done." if well else "Ended without an answer.")
        target = ask.message_ts or ask.place.thread_ts
        if ask.kind == "ticket":
            return  # the thread's mark is its answer's
        if (seen := self._seen.pop((ask.place.channel, target), None)) is not None:
            await asyncio.wait({seen})  # or it would come after its removal
        await self._react("reactions.add", ask.place.channel, target, DONE if well else FAILED)
        await self._react("reactions.remove", ask.place.channel, target, SEEN)

    async def aclose(self) -> None:
        """Give up edits and reactions that still wait for their turn."""
        edits = [shown.waiting for shown in self._plans.values() if shown.waiting is not None]
        for task in (*edits, *self._seen.values()):
            task.cancel()

    def _plan(self, place: Place, plan: Plan) -> tuple[str, list[Block]]:
        blocks = plan_blocks.plan_blocks(plan, place, self._sanitiser, self._clock())
        return plan_blocks.plan_text(plan, self._sanitiser), blocks

    async def _edit_soon(self, shown: _Shown) -> None:
        """Wait for a turn, then show the latest plan; tries again a few times where the rate leaves no room."""
        for _ in range(5):
            await asyncio.sleep(max(shown.edited_at + _EDIT_EVERY_S - _now(), 0))
            async with shown.lock:
                if shown.closed or shown.plan is None:
                    return
                text, blocks = self._plan(shown.place, shown.plan)
                shown.edited_at = _now()
                try:
                    edited = await self._calls.if_free(
                        "chat.update", **_message(shown.place, text, blocks), ts=shown.ts
                    )
                except ChatError as error:
                    log.info("the plan was not edited", extra={"reason": str(error)})
                    return
                if edited is not None:
                    return

    def _remember(self, key: str, shown: _Shown) -> None:
        self._plans[key] = shown
        while len(self._plans) > _KEPT:
            self._plans.popitem(last=False)

    async def _close_plans(self, place: Place, sentence: str) -> None:
        """Say in a thread's plans that work is over; best effort, because the answer stands already."""
        if not any(shown.place == place for shown in self._plans.values()):
            await self._find_plans(place)
        for shown in [each for each in self._plans.values() if each.place == place and not each.closed]:
            async with shown.lock:
                shown.closed = True
                if shown.waiting is not None:
                    shown.waiting.cancel()
                told = self._sanitiser.text(sentence, 300)
                blocks = plan_blocks.closed_plan_blocks(shown.plan, sentence, self._sanitiser)
                try:
                    await self._calls(
                        "chat.update", **_message(place, told, blocks), ts=shown.ts, deadline_s=_COURTESY_S
                    )
                except ChatError as error:
                    log.info("the plan was not closed", extra={"reason": str(error)})

    async def _find_plans(self, place: Place) -> None:
        """Take over the plans that another process posted before this one went on."""
        try:
            found = await find_posted(self._calls, place, (await self._identity.known()).bot)
        except ChatError:
            return
        for key, posted in found.items():
            if posted.kind == "plan":
                self._remember(key, _Shown(ts=posted.ts, place=place))

    async def _post(self, place: Place, key: str, kind: str, text: str, blocks: Sequence[Block]) -> str:
        """Post once under a key and give the message's ``ts``, however often this is called and whatever Slack does."""
        bot = (await self._identity.known()).bot
        deadline_at = _now() + POST_DEADLINE_S
        lock = self._posting.setdefault(key, asyncio.Lock())
        async with lock:
            while True:
                try:
                    posted = (await find_posted(self._calls, place, bot)).get(key)
                    if posted is not None:
                        return posted.ts
                    answer = await self._calls(
                        "chat.postMessage",
                        **_message(place, text, blocks),
                        thread_ts=place.thread_ts,
                        metadata=metadata(key, kind),
                        unfurl_links=False,
                        unfurl_media=False,
                    )
                except ChatBusyError:
                    if _now() + _SETTLE_S >= deadline_at:
                        raise
                    await asyncio.sleep(_SETTLE_S)
                except ChatRefusedError as error:
                    if error.code not in _BLOCKS_REFUSED or not blocks:
                        raise
                    log.warning("slack refused the blocks", extra={"reason": error.code, "kind": kind})
                    fewer = plainer(blocks)
                    blocks = fewer if len(fewer) < len(blocks) else ()  # an answer without looks is still an answer
                else:
                    return str(answer.get("ts", ""))

    async def _attach(self, place: Place, key: str, report: Report) -> None:
        """Upload the picture of the timeline into the thread, once."""
        drawn = await self._picture(report)
        if drawn is None:
            return
        content, alt = drawn
        name = f"timeline-{report.case}.png"
        if await self._has_file(place, name):
            return
        slot = await self._calls(
            "files.getUploadURLExternal",
            filename=name,
            length=len(content),
            alt_txt=clip(self._sanitiser.verbatim(alt, ALT_TEXT), 1000),
        )
        await self._calls.upload(str(slot["upload_url"]), content)
        await self._calls(
            "files.completeUploadExternal",
            files=json.dumps([{"id": slot["file_id"], "title": f"Timeline of case {report.case}"}]),
            channel_id=place.channel,
            thread_ts=place.thread_ts,
        )
        log.info("timeline posted", extra={"case": report.case, "key": key})

    async def _has_file(self, place: Place, name: str) -> bool:
        answer = await self._calls("conversations.replies", channel=place.channel, ts=place.thread_ts, limit=1000)
        return any(
            each.get("name") == name for message in answer.get("messages") or () for each in message.get("files") or ()
        )

    async def _withhold(self, ask: Ask, report: Report) -> None:
        sentence = (
            "This channel is shared with another organisation now, so I kept the answer to myself. "
            f"It is in case {report.case}: `rootcause show {report.case}`."
        )
        await self._calls(
            "chat.postEphemeral",
            channel=ask.place.channel,
            user=ask.asker.user,
            thread_ts=ask.place.thread_ts,
            text=sentence,
        )

    async def _react(self, method: str, channel: str, ts: str, name: str) -> None:
        try:
            await self._calls(method, channel=channel, timestamp=ts, name=name, deadline_s=_COURTESY_S)
        except ChatRefusedError as error:
            if error.code not in _HARMLESS:
                log.info("no reaction", extra={"reason": error.code})
        except ChatBusyError as error:
            log.info("no reaction", extra={"reason": str(error)})


def _message(place: Place, text: str, blocks: Sequence[Block]) -> dict[str, Any]:
    return {"channel": place.channel, "text": clip(text, MESSAGE_TEXT), "blocks": list(blocks) or None}


def _now() -> float:
    return asyncio.get_running_loop().time()
