"""What people do in the workspace, and what the app hears of it: posts, commands, presses, modals, shortcuts.

Payload shapes: https://docs.slack.dev/reference/interaction-payloads. Answers the app gives through a response URL or
in its acknowledgement are carried out here too.
"""

import asyncio
from collections.abc import Iterator

from bot.playground.blockcheck import check_view
from bot.playground.call import Call
from bot.playground.delivery import Courier, Delivery
from bot.playground.events import event_payload
from bot.playground.methods_surfaces import Surfaces
from bot.playground.refusal import Refusal
from bot.playground.responses import ResponseUrls
from bot.playground.typed import rich_text
from bot.playground.workspace import Channel, Json, Workspace

_ACTION_FIELDS = ("value", "text", "style", "placeholder")


class Acts:
    """People acting; each act that reaches the app gives the task of its delivery."""

    def __init__(self, workspace: Workspace, courier: Courier, surfaces: Surfaces, responses: ResponseUrls) -> None:
        self._workspace = workspace
        self._courier = courier
        self._surfaces = surfaces
        self._responses = responses

    def post_as(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Json:
        """Post as somebody; ``text`` is as Slack stores it (``<@U…>``, escapes). The app hears through events."""
        place = self._workspace.find(channel)
        if user not in place.members:
            self.join(user, place.id)
        message: Json = {"user": user, "text": text, "client_msg_id": self._workspace.next_id("m")}
        if blocks := rich_text(text):
            message["blocks"] = blocks
        if thread_ts:
            message["thread_ts"] = thread_ts
        return self._workspace.post(place, message)

    def edit_as(self, user: str, channel: str, ts: str, text: str) -> Json:
        """Edit somebody's message."""
        edited = {"user": user, "ts": self._workspace.next_ts()}
        changes = {"text": text, "blocks": rich_text(text), "edited": edited}
        return self._workspace.edit(self._workspace.find(channel), ts, changes)

    def join(self, user: str, channel: str) -> None:
        """Let somebody, or the bot, into a channel."""
        place = self._workspace.find(channel)
        if user not in place.members:
            place.members.append(user)
            joined = {"subtype": "channel_join", "user": user, "text": f"<@{user}> has joined the channel"}
            self._workspace.post(place, joined)
            self._workspace.tell("joined", place.id, {"user": user})

    def slash(self, user: str, channel: str, command: str, text: str = "") -> asyncio.Task[Delivery]:
        """Give a slash command; commands cannot be given inside threads."""
        place = self._workspace.find(channel)
        names = {"group": "privategroup", "im": "directmessage", "mpim": "mpdm"}
        payload = {
            **self._head(user),
            "team_domain": self._workspace.domain,
            "channel_id": place.id,
            "channel_name": names.get(place.kind, place.name),
            "user_id": user,
            "user_name": self._workspace.people[user].name,
            "command": command,
            "text": text,
            "is_enterprise_install": "false",
            "response_url": self._responses.give(place.id, user),
            "trigger_id": self._trigger(user),
        }
        del payload["user"], payload["team"], payload["enterprise"]
        payload["team_id"] = self._workspace.team
        told = self._courier.tell("slash_commands", payload)
        told.add_done_callback(lambda task: self._after_command(task, place, user, command))
        return told

    def press(
        self, user: str, channel: str, action_id: str, *, ts: str | None = None, chosen: Json | None = None
    ) -> asyncio.Task[Delivery]:
        """Press a button (or choose, with ``chosen``) in a message: the newest that has it, unless ``ts`` names one."""
        place = self._workspace.find(channel)
        message, block_id, element = self._find(place, action_id, ts, user)
        container: Json = {"type": "message", "message_ts": message["ts"], "channel_id": place.id}
        container["is_ephemeral"] = bool(message.get("is_ephemeral"))
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        action = self._action(element, block_id, chosen)
        payload = {
            "type": "block_actions",
            **self._head(user),
            "container": container,
            "trigger_id": self._trigger(user),
            "channel": {"id": place.id, "name": place.name},
            "message": {name: value for name, value in message.items() if name not in {"to", "is_ephemeral"}},
            "state": {"values": {}},
            "response_url": self._responses.give(place.id, user, message),
            "actions": [action],
        }
        return self._interact(user, payload)

    def press_in_view(
        self, user: str, view_id: str, action_id: str, *, chosen: Json | None = None, values: Json | None = None
    ) -> asyncio.Task[Delivery]:
        """Press a button in an open modal or in App Home."""
        view = self._view(view_id)
        found = next((each for each in _elements(view["blocks"]) if each[1].get("action_id") == action_id), None)
        if found is None:
            raise Refusal("not_found")
        payload = {
            "type": "block_actions",
            **self._head(user),
            "container": {"type": "view", "view_id": view_id},
            "trigger_id": self._trigger(user, view_id),
            "view": self._shown(view, values),
            "actions": [self._action(found[1], found[0], chosen)],
        }
        return self._interact(user, payload)

    def submit(self, user: str, view_id: str, values: Json | None = None) -> asyncio.Task[Delivery]:
        """Submit a modal; ``values`` are by block id and action id, each as Slack sends it (``{"value": …}``)."""
        view = self._view(view_id)
        payload = {
            "type": "view_submission",
            **self._head(user),
            "trigger_id": self._trigger(user, view_id),
            "view": self._shown(view, values),
            "response_urls": [],
        }
        told = self._courier.tell("interactive", payload)
        told.add_done_callback(lambda task: self._after_submission(task, view))
        return told

    def close_view(self, user: str, view_id: str) -> asyncio.Task[Delivery] | None:
        """Close a modal; the app is told if it asked to be."""
        view = self._view(view_id)
        self._drop(view)
        if not view.get("notify_on_close"):
            return None
        payload = {"type": "view_closed", **self._head(user), "view": self._shown(view, None), "is_cleared": False}
        return self._courier.tell("interactive", payload)

    def message_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> asyncio.Task[Delivery]:
        """Use a message shortcut."""
        place = self._workspace.find(channel)
        message = self._workspace.message(place, ts)
        payload = {
            "type": "message_action",
            **self._head(user),
            "callback_id": callback_id,
            "trigger_id": self._trigger(user),
            "action_ts": self._workspace.next_ts(),
            "message_ts": ts,
            "message": message,
            "channel": {"id": place.id, "name": place.name},
            "response_url": self._responses.give(place.id, user, message),
        }
        return self._interact(user, payload)

    def global_shortcut(self, user: str, callback_id: str) -> asyncio.Task[Delivery]:
        """Use a global shortcut."""
        moment = {"action_ts": self._workspace.next_ts(), "trigger_id": self._trigger(user)}
        return self._interact(user, {"type": "shortcut", **self._head(user), "callback_id": callback_id, **moment})

    def open_home(self, user: str, tab: str = "home") -> asyncio.Task[Delivery] | None:
        """Open the app's home; None where the app did not ask to hear of it."""
        if "app_home_opened" not in self._workspace.app.events:
            return None
        channel = self._workspace.direct(user)
        event = {"type": "app_home_opened", "user": user, "channel": channel.id, "tab": tab}
        event["event_ts"] = self._workspace.next_ts()
        return self.emit(event)

    def react_as(self, user: str, channel: str, ts: str, name: str) -> None:
        """React as somebody, or take the reaction back where it is there already."""
        place = self._workspace.find(channel)
        reactions = self._workspace.message(place, ts).get("reactions", [])
        if any(each["name"] == name and user in each["users"] for each in reactions):
            self._workspace.unreact(place, ts, name, user)
        else:
            self._workspace.react(place, ts, name, user)

    def emit(self, event: Json, *, copies: int = 1) -> asyncio.Task[Delivery]:
        """Tell the app of an event as it is; ``copies`` deliver the same event id more than once."""
        return self._courier.tell("events_api", event_payload(self._workspace, event), copies=copies)

    def _interact(self, user: str, payload: Json) -> asyncio.Task[Delivery]:
        told = self._courier.tell("interactive", payload)

        def look(task: asyncio.Task[Delivery]) -> None:
            if not task.cancelled() and task.result().acked_at is None:
                self._workspace.tell("unheard", "", {"user": user})

        told.add_done_callback(look)
        return told

    def _head(self, user: str) -> Json:
        person = self._workspace.people[user]
        named = {"id": user, "username": person.name, "name": person.name, "team_id": person.team}
        team = {"id": self._workspace.team, "domain": self._workspace.domain}
        head = {"token": "verification", "api_app_id": self._workspace.app.app_id, "enterprise": None}
        return {**head, "team": team, "user": named, "is_enterprise_install": False}

    def _trigger(self, user: str, view: str = "") -> str:
        return self._surfaces.triggers.give(self._workspace.next_id("trigger."), user, self._workspace.clock(), view)

    def _action(self, element: Json, block_id: str, chosen: Json | None) -> Json:
        kept = {name: element[name] for name in _ACTION_FIELDS if name in element}
        action = {"action_id": element.get("action_id", ""), "block_id": block_id, "type": element["type"]}
        return {**action, **kept, **(chosen or {}), "action_ts": self._workspace.next_ts()}

    def _find(self, place: Channel, action_id: str, ts: str | None, user: str) -> tuple[Json, str, Json]:
        seen = [each for each in place.ephemerals if each["to"] == user]
        everything = sorted([*place.messages.values(), *seen], key=lambda each: float(each["ts"]), reverse=True)
        for message in everything:
            if ts in {None, message["ts"]}:
                for block_id, element in _elements(message.get("blocks") or []):
                    if element.get("action_id") == action_id:
                        return message, block_id, element
        raise Refusal("message_not_found")

    def _view(self, view_id: str) -> Json:
        homes = {each["id"]: each for each in self._workspace.homes.values()}
        view = self._workspace.views.get(view_id) or homes.get(view_id)
        if view is None:
            raise Refusal("not_found")
        return view

    def _shown(self, view: Json, values: Json | None) -> Json:
        kept = {name: value for name, value in view.items() if name not in {"user", "stack"}}
        return {**kept, "state": {"values": values or {}}}

    def _drop(self, view: Json) -> None:
        self._workspace.views.pop(view["id"], None)
        self._workspace.tell("view_closed", "", {"user": view["user"], "view_id": view["id"]})

    def _after_command(self, task: asyncio.Task[Delivery], place: Channel, user: str, command: str) -> None:
        if task.cancelled():
            return
        answer = task.result().answer
        if answer is None:
            answer = {"text": f"`{command}` failed: the app did not answer in time (operation_timeout)."}
        if answer.get("text") or answer.get("blocks"):
            try:
                self._responses.say(self._call(), place, user, answer)
            except Refusal as refused:
                told = f"`{command}` failed: the app's answer was refused ({refused.code})."
                self._responses.say(self._call(), place, user, {"text": told})

    def _after_submission(self, task: asyncio.Task[Delivery], view: Json) -> None:
        if task.cancelled():
            return
        answer = task.result().answer
        if answer is None:
            self._complain(view, {"": "The app did not answer in time. Try again."})
            return
        try:
            self._answer_view(view, answer)
        except Refusal as refused:
            self._complain(view, {"": f"The app's answer was refused ({refused.code})."})

    def _answer_view(self, view: Json, answer: Json) -> None:
        action = answer.get("response_action")
        if action == "errors":
            self._complain(view, answer.get("errors") or {})
        elif action == "update":
            self._surfaces.replace(self._call(), view, check_view(answer.get("view"), "modal"))
        elif action == "push":
            stack = [*view["stack"], view["id"]]
            self._surfaces.show(self._call(), check_view(answer.get("view"), "modal"), view["user"], stack)
        else:
            for each in [view["id"], *(view["stack"] if action == "clear" else ())]:
                if each in self._workspace.views:
                    self._drop(self._workspace.views[each])

    def _complain(self, view: Json, errors: Json) -> None:
        self._workspace.tell("view_errors", "", {"user": view["user"], "view_id": view["id"], "errors": errors})

    def _call(self) -> Call:
        return self._responses.call()


def _elements(blocks: list[Json]) -> Iterator[tuple[str, Json]]:
    """List everything one can press, each with its block's id."""
    for block in blocks:
        name = str(block.get("block_id", ""))
        for element in (*(block.get("elements") or ()), block.get("accessory"), block.get("element")):
            if isinstance(element, dict) and "type" in element:
                yield name, element
        for field in ("child_blocks", "tasks", "actions"):
            yield from _elements([each for each in block.get(field) or () if isinstance(each, dict)])
