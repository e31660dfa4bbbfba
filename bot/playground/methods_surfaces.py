"""``views.*`` and ``files.*``: modals, App Home and what is attached.

A trigger opens one view within three seconds; a stack holds three. An upload goes to the address it was given and
shows only when it is completed.
"""

import hashlib
import json
import mimetypes

from bot.playground.blockcheck import check_blocks, check_view
from bot.playground.call import Call
from bot.playground.refusal import Refusal
from bot.playground.workspace import Json

TRIGGER_S = 3.0
STACK = 3
FILE_BYTES = 1_000_000_000

_VIEW_FIELDS = (
    *("type", "title", "submit", "close", "blocks", "private_metadata", "callback_id", "external_id"),
    *("clear_on_close", "notify_on_close", "submit_disabled"),
)


class Triggers:
    """Trigger ids given to the app: each is for one person, once, and for three seconds."""

    def __init__(self) -> None:
        self._given: dict[str, tuple[str, float, str]] = {}
        self._used: set[str] = set()

    def give(self, call_id: str, user: str, now: float, view: str = "") -> str:
        """Hand out a trigger for somebody's act, in ``view`` where it came from a modal."""
        self._given[call_id] = (user, now, view)
        return call_id

    def spend(self, trigger: str, now: float) -> tuple[str, str]:
        """Use a trigger up; give whose it was and in which view."""
        if trigger in self._used:
            raise Refusal("exchanged_trigger_id")
        if trigger not in self._given:
            raise Refusal("invalid_trigger_id")
        user, at, view = self._given[trigger]
        if now - at > TRIGGER_S:
            raise Refusal("expired_trigger_id")
        self._used.add(trigger)
        return user, view


class Surfaces:
    """The methods that need triggers or uploads under way."""

    def __init__(self) -> None:
        self.triggers = Triggers()
        self._uploads: dict[str, Json] = {}

    def open(self, call: Call) -> Json:
        """Open a modal for the person behind a trigger."""
        user, _ = self._spend(call)
        view = self.show(call, check_view(_view(call), "modal"), user, stack=[])
        return {"view": view}

    def push(self, call: Call) -> Json:
        """Put a modal on top of the one a trigger came from."""
        user, under = self._spend(call)
        below = call.workspace.views.get(under)
        stack = [*below["stack"], under] if below else []
        if len(stack) >= STACK:
            raise Refusal("push_limit_reached")
        return {"view": self.show(call, check_view(_view(call), "modal"), user, stack=stack)}

    def update(self, call: Call) -> Json:
        """Change a view that is open; a ``hash`` that is not its present one is refused."""
        wanted, external = call.args.text("view_id"), call.args.text("external_id")
        found = [
            each
            for each in call.workspace.views.values()
            if each["id"] == wanted or (external and each.get("external_id") == external)
        ]
        if not found:
            raise Refusal("not_found")
        if call.args.text("hash") not in {"", found[0]["hash"]}:
            raise Refusal("hash_conflict")
        return {"view": self.replace(call, found[0], check_view(_view(call), "modal"))}

    def publish(self, call: Call) -> Json:
        """Set somebody's App Home."""
        user = call.args.text("user_id")
        if user not in call.workspace.people:
            raise Refusal("user_not_found")
        view = _stored(call, check_view(_view(call), "home"), call.workspace.next_id("V"), user, [])
        call.workspace.homes[user] = view
        call.workspace.tell("home", "", {"user": user, "view": view})
        return {"view": _shown(view)}

    def show(self, call: Call, view: Json, user: str, stack: list[str]) -> Json:
        """Put a checked view on somebody's screen."""
        stored = _stored(call, view, call.workspace.next_id("V"), user, stack)
        call.workspace.views[stored["id"]] = stored
        call.workspace.tell("view", "", {"user": user, "view": stored})
        return _shown(stored)

    def replace(self, call: Call, old: Json, view: Json) -> Json:
        """Put a checked view in the place of an open one."""
        stored = _stored(call, view, old["id"], old["user"], old["stack"])
        call.workspace.views[stored["id"]] = stored
        call.workspace.tell("view", "", {"user": old["user"], "view": stored})
        return _shown(stored)

    def start_upload(self, call: Call) -> Json:
        """Give an address to upload a file to."""
        call.scope("files:write")
        name = call.args.needed("filename", "missing_argument")
        length = call.args.number("length", 0, FILE_BYTES, "missing_argument")
        file: Json = {
            "id": call.workspace.next_id("F"),
            "name": name,
            "size": length,
            "alt_txt": call.args.text("alt_txt"),
        }
        self._uploads[file["id"]] = file
        return {"upload_url": f"{call.base}/upload/{file['id']}", "file_id": file["id"]}

    def receive(self, file_id: str, body: bytes) -> bool:
        """Take an upload's bytes; False where nobody asked for it or the length is not the one announced."""
        file = self._uploads.get(file_id)
        if file is None or len(body) != file["size"]:
            return False
        file["body"] = body
        return True

    def complete_upload(self, call: Call) -> Json:
        """Show uploaded files in a channel, as one message."""
        call.scope("files:write")
        given = call.args.structure("files", "invalid_arguments")
        if not isinstance(given, list) or not given:
            raise Refusal("invalid_arguments")
        if any("body" not in self._uploads.get(each.get("id", ""), {}) for each in given):
            raise Refusal("file_not_found")
        channel = call.joined("channel_id") if call.args.text("channel_id") else None
        thread_ts = call.args.text("thread_ts")
        if channel and thread_ts and thread_ts not in channel.messages:
            raise Refusal("invalid_thread_ts")
        blocks = call.args.structure("blocks", "invalid_blocks_format")
        if blocks:
            check_blocks(blocks)
        files = [self._publish(call, each) for each in given]
        if channel:
            app = call.workspace.app
            message: Json = {"text": call.args.text("initial_comment"), "files": files, "upload": True}
            message.update(user=app.bot_user, bot_id=app.bot_id, app_id=app.app_id)
            message.update({"thread_ts": thread_ts} if thread_ts else {}, **({"blocks": blocks} if blocks else {}))
            posted = call.workspace.post(channel, message)
            for each in files:
                each["shares"] = {"public": {channel.id: [{"ts": posted["ts"]}]}}
        return {"files": files}

    def file_info(self, call: Call) -> Json:
        """Describe a file."""
        call.scope("files:read")
        if call.args.text("file") not in call.workspace.files:
            raise Refusal("file_not_found")
        return {"file": call.workspace.files[call.args.text("file")]}

    def _publish(self, call: Call, given: Json) -> Json:
        upload = self._uploads.pop(given["id"])
        mimetype = mimetypes.guess_type(upload["name"])[0] or "application/octet-stream"
        address = f"{call.base}/files/{upload['id']}/{upload['name']}"
        file = {
            "id": upload["id"],
            "name": upload["name"],
            "title": given.get("title") or upload["name"],
            "mimetype": mimetype,
            "filetype": upload["name"].rpartition(".")[2],
            "size": upload["size"],
            "user": call.bot,
            "created": int(call.workspace.clock()),
            "mode": "hosted",
            "alt_txt": upload["alt_txt"],
            "url_private": address,
            "url_private_download": address,
            "permalink": address,
        }
        call.workspace.files[file["id"]] = file
        call.workspace.file_bytes[file["id"]] = upload["body"]
        return file

    def _spend(self, call: Call) -> tuple[str, str]:
        trigger = call.args.needed("trigger_id", "invalid_trigger_id")
        return self.triggers.spend(trigger, call.workspace.clock())


def _view(call: Call) -> object:
    return call.args.structure("view", "invalid_arguments")


def _stored(call: Call, view: Json, view_id: str, user: str, stack: list[str]) -> Json:
    kept = {name: view[name] for name in _VIEW_FIELDS if name in view}
    blocks = [{**each, "block_id": each.get("block_id") or call.workspace.next_id("b")} for each in kept["blocks"]]
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:8]
    return {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "submit": None,
        "close": None,
        "clear_on_close": False,
        "notify_on_close": False,
        **kept,
        "blocks": blocks,
        "id": view_id,
        "team_id": call.workspace.team,
        "app_id": call.workspace.app.app_id,
        "bot_id": call.workspace.app.bot_id,
        "app_installed_team_id": call.workspace.team,
        "root_view_id": stack[0] if stack else view_id,
        "previous_view_id": stack[-1] if stack else None,
        "state": {"values": {}},
        "hash": f"{call.workspace.next_ts()}.{digest}",
        "user": user,
        "stack": stack,
    }


def _shown(view: Json) -> Json:
    return {name: value for name, value in view.items() if name not in {"user", "stack"}}
