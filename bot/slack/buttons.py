"""What happens when somebody presses something in an answer, a plan or a view.

A button carries ids only; it is good for the channel it was shown in, and whoever presses it is checked again. Each method
is one listener's one call.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.domain.chat import Ask, Asker, Place
from bot.domain.report import Report
from bot.domain.tickets import ticket_key
from bot.slack import modals
from bot.slack.access import Refused
from bot.slack.conversation import Room
from bot.slack.lookup import ReportLookup
from bot.slack.phrases import zone
from bot.slack.plan_blocks import ACTION_STOP
from bot.slack.understanding import LONGEST_QUESTION, Understood, plain_words

log = logging.getLogger(__name__)

NEIGHBOURS = 3
"""Stored lines shown before and after a citation."""

_GONE = "This answer's case is gone: cases are kept for a while only. Ask me again for a new investigation."
_NOT_HERE = "This button belongs to another channel."
_NO_JIRA = (
    "Jira isn't connected for posting, so nothing was sent. Whoever runs me can name it in `rootcause.yaml`: `jira:` with "
    "`url`, `token`, `projects` and `post: true`. Until then run `rootcause show {case} --format markdown` and paste it "
    "into the ticket."
)
_LONGEST = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """Who pressed what, about which case, where."""

    case: str
    place: Place
    asker: Asker
    report: Report | None = None


class Buttons:
    """Answers presses."""

    def __init__(self, room: Room, reports: ReportLookup, projects: Sequence[str] = ()) -> None:
        """``projects``: keys of the Jira projects that a report may be posted to; none where it may not."""
        self._room = room
        self._reports = reports
        self._projects = projects

    async def evidence(self, body: Mapping[str, Any]) -> None:
        """Open the evidence at its first citation."""
        await self._open(body, self._first_page)

    async def timeline(self, body: Mapping[str, Any]) -> None:
        """Open the timeline."""

        async def view(report: Report, value: str, asker: Asker) -> dict[str, Any]:
            del value
            return modals.timeline_modal(report, self._room.sanitiser, zone(asker.tz))

        await self._open(body, view)

    async def ask_why(self, body: Mapping[str, Any]) -> None:
        """Open the form for a question."""

        async def view(report: Report, value: str, asker: Asker) -> dict[str, Any]:
            del asker
            return modals.ask_modal(report, value, self._room.sanitiser)

        await self._open(body, view)

    async def page(self, body: Mapping[str, Any]) -> None:
        """Turn a page of the evidence."""
        number, _, value = str(body["actions"][0]["value"]).partition("|")
        pressed = await self._pressed(body, value, shown_in=None)
        if pressed is None or pressed.report is None:
            return
        view = await self._evidence_view(pressed.report, value, int(number), pressed.asker)
        shown = body["view"]
        await self._room.calls("views.update", view_id=shown["id"], hash=shown.get("hash"), view=view)

    async def asked(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Take a question from its form; gives what is wrong by field."""
        view = body["view"]
        value = str(json.loads(view["private_metadata"])["value"])
        question = plain_words(str(view["state"]["values"][modals.FIELD_QUESTION]["text"].get("value") or ""), "")
        if not question:
            return {modals.FIELD_QUESTION: "What would you like to know?"}
        pressed = await self._pressed(body, value, shown_in=None)
        if pressed is None:
            return {modals.FIELD_QUESTION: "You may not ask here."}
        meant = Understood(verb="ask", question=question[:LONGEST_QUESTION])
        accepted = await self._room.desk.submit(self._ask(meant, pressed, f"asked:{view['id']}"))
        return {modals.FIELD_QUESTION: accepted.reason[:200]} if accepted.outcome == "refused" else {}

    async def wider(self, body: Mapping[str, Any]) -> None:
        """Investigate a window twice as long that ends where the last one ended."""
        pressed = await self._pressed_message(body)
        if pressed is None or pressed.report is None:
            return
        window = pressed.report.window
        length = min((window.end - window.start) * 2, _LONGEST)
        asked = f"{_minute(window.end - length)}..{_minute(window.end, up=True)}"
        meant = Understood(verb="investigate", question=pressed.report.question, window=asked)
        accepted = await self._room.desk.submit(self._ask(meant, pressed, f"wider:{pressed.case}:{asked}"))
        said = {
            "new": "On it, with a window twice as long.",
            "duplicate": "That wider window is under way already.",
            "running": "That wider window is under way already.",
        }.get(accepted.outcome, accepted.reason or "I can't take that on right now.")
        await self._whisper(pressed, self._room.sanitiser.text(said))

    async def feedback(self, body: Mapping[str, Any], verdict: Literal["right", "wrong"]) -> None:
        """Keep what somebody thinks of an answer."""
        pressed = await self._pressed_message(body)
        if pressed is None:
            return
        await self._room.desk.record_feedback(pressed.place, pressed.asker, verdict)
        more = "" if verdict == "right" else " Tell me where to look, for example `no, look at the payments namespace`."
        await self._whisper(pressed, f"Noted, thank you.{more}")

    async def jira(self, body: Mapping[str, Any]) -> None:
        """Open the form that asks for the issue, or say what is missing for it."""
        if self._projects:
            await self._open(body, self._ticket_view)
            return
        pressed = await self._pressed_message(body)
        if pressed is not None:
            await self._whisper(pressed, _NO_JIRA.format(case=self._room.sanitiser.text(pressed.case, 60)))

    async def ticket_chosen(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Have the report written to the chosen issue; gives what is wrong by field."""
        view = body["view"]
        value = str(json.loads(view["private_metadata"])["value"])
        typed = str(view["state"]["values"][modals.FIELD_TICKET]["text"].get("value") or "")
        key = ticket_key(typed)
        if key is None:
            return {modals.FIELD_TICKET: "Name one issue by its key, such as OPS-123, or paste its address."}
        if key.partition("-")[0] not in self._projects:
            return {modals.FIELD_TICKET: f"I may only post to these projects: {', '.join(self._projects)}."[:200]}
        pressed = await self._pressed(body, value, shown_in=None)
        if pressed is None or pressed.report is None:
            return {modals.FIELD_TICKET: "You may not post this answer, or its case is gone."}
        meant = Understood(verb="ask", question=f"Post to {key}")
        ask = replace(self._ask(meant, pressed, f"ticket:{view['id']}"), kind="ticket", case=pressed.case, ticket=key)
        accepted = await self._room.desk.submit(ask)
        return {modals.FIELD_TICKET: accepted.reason[:200]} if accepted.outcome == "refused" else {}

    async def stop(self, body: Mapping[str, Any]) -> None:
        """Stop the work of a thread."""
        channel, _, thread_ts = str(_value(body, ACTION_STOP)).partition("|")
        pressed = await self._pressed(body, f"|{channel}|{thread_ts}", shown_in=_channel(body), read=False)
        if pressed is None:
            return
        stopped = await self._room.desk.cancel(pressed.place, pressed.asker)
        await self._whisper(pressed, "Stopping." if stopped else "It has ended already.")

    async def _ticket_view(self, report: Report, value: str, asker: Asker) -> dict[str, Any]:
        del asker
        known = await self._reports.ticket_keys(report.case)
        keys = [key for key in known if key.partition("-")[0] in self._projects]
        return modals.ticket_modal(value, keys, self._projects, self._room.sanitiser)

    async def _first_page(self, report: Report, value: str, asker: Asker) -> dict[str, Any]:
        return await self._evidence_view(report, value, 0, asker)

    async def _open(
        self,
        body: Mapping[str, Any],
        view: "Callable[[Report, str, Asker], Any]",
    ) -> None:
        pressed = await self._pressed_message(body)
        if pressed is None or pressed.report is None:
            return
        shown = await view(pressed.report, str(body["actions"][0]["value"]), pressed.asker)
        await self._room.calls("views.open", trigger_id=body["trigger_id"], view=shown, deadline_s=3.0)

    async def _evidence_view(self, report: Report, value: str, number: int, asker: Asker) -> dict[str, Any]:
        cited = list(report.evidence.items())
        if not cited:
            return modals.evidence_modal(report, None, value, self._room.sanitiser)
        at = min(max(number, 0), len(cited) - 1)
        name, evidence = cited[at]
        item = evidence.locator.partition(" ")[0]
        around = await self._reports.around(report.case, item, NEIGHBOURS, NEIGHBOURS)
        page = modals.Page(name=name, cited=evidence, around=around, at=at, of=len(cited))
        return modals.evidence_modal(report, page, value, self._room.sanitiser, zone(asker.tz))

    async def _pressed_message(self, body: Mapping[str, Any]) -> Pressed | None:
        return await self._pressed(body, str(body["actions"][0].get("value") or ""), shown_in=_channel(body))

    async def _pressed(
        self, body: Mapping[str, Any], value: str, *, shown_in: str | None, read: bool = True
    ) -> Pressed | None:
        """Check who pressed and where; tells them and gives None where it is not for them.

        ``shown_in`` is the channel of the message, None for a view, where the person must be able to see the channel.
        """
        case, channel, thread_ts = value.split("|", 2)
        user, messenger = str(body["user"]["id"]), self._room.messenger
        known = await self._room.identity.known()
        place = Place(enterprise=known.enterprise, team=known.team, channel=channel, thread_ts=thread_ts)
        if shown_in is not None and shown_in != channel:
            await messenger.whisper(shown_in, user, _NOT_HERE)
            return None
        granted = await self._room.access.check(user, channel)
        if isinstance(granted, Refused):
            await messenger.whisper(channel, user, granted.reason, thread_ts)
            return None
        if shown_in is None and not await self._room.access.can_see(user, channel):
            return None
        if not read:
            return Pressed(case=case, place=place, asker=granted.asker)
        report = await self._reports.report(case)
        if report is None:
            await messenger.whisper(channel, user, _GONE, thread_ts)
        return Pressed(case=case, place=place, asker=granted.asker, report=report)

    async def _whisper(self, pressed: Pressed, sentence: str) -> None:
        place = pressed.place
        await self._room.messenger.whisper(place.channel, pressed.asker.user, sentence, place.thread_ts)

    def _ask(self, meant: Understood, pressed: Pressed, key: str) -> Ask:
        return Ask(
            kind="follow_up" if meant.verb == "ask" else "investigate",
            keys=(key,),
            place=pressed.place,
            asker=pressed.asker,
            question=meant.question,
            window=meant.window,
            namespaces=(),
            message_ts=None,
            asked_at=self._room.clock(),
        )


def _value(body: Mapping[str, Any], action: str) -> str:
    return next((str(each.get("value", "")) for each in body["actions"] if each.get("action_id") == action), "")


def _channel(body: Mapping[str, Any]) -> str | None:
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id")
    return str(channel) if channel else None


def _minute(at: datetime, *, up: bool = False) -> str:
    whole = at.replace(second=0, microsecond=0)
    return f"{whole + timedelta(minutes=1) if up and whole != at else whole:%Y-%m-%dT%H:%MZ}"
