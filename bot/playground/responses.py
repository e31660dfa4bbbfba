"""Response URLs: how the app answers a command or a press without a token.

At most five answers within thirty minutes; ephemeral unless ``in_channel`` is asked for; they reach channels the bot is
not in. https://docs.slack.dev/interactivity/handling-user-interaction
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.playground.blockcheck import check_blocks
from bot.playground.call import Arguments, Call
from bot.playground.methods_chat import show_ephemeral
from bot.playground.refusal import Refusal
from bot.playground.workspace import Channel, Json, Workspace

USES = 5
LIFE_S = 1800.0


@dataclass(slots=True)
class _Given:
    channel: str
    user: str
    message: Json | None
    at: float
    uses: int = 0


class ResponseUrls:
    """The addresses handed out; ``base`` is asked anew because the port is known only once the server runs."""

    def __init__(self, workspace: Workspace, base: Callable[[], str]) -> None:
        self._workspace = workspace
        self._base = base
        self._given: dict[str, _Given] = {}

    def give(self, channel: str, user: str, message: Json | None = None) -> str:
        """Hand out an address for answers to somebody's act, on ``message`` where it was on one."""
        name = self._workspace.next_id("r")
        self._given[name] = _Given(channel, user, message, self._workspace.clock())
        return f"{self._base()}/response/{name}"

    def call(self) -> Call:
        """Make the call that an answer counts as."""
        return Call(method="response_url", args=Arguments({}), workspace=self._workspace, base=self._base())

    def take(self, name: str, answer: Json) -> None:
        """Carry an answer out; refuse with ``used_url`` or ``expired_url``."""
        given = self._given.get(name)
        if given is None or given.uses >= USES:
            raise Refusal("used_url", status=404)
        if self._workspace.clock() - given.at > LIFE_S:
            raise Refusal("expired_url", status=404)
        given.uses += 1
        channel = self._workspace.channels[given.channel]
        if answer.get("delete_original"):
            self._delete(channel, given)
        elif answer.get("replace_original") and given.message is not None:
            self._replace(channel, given, answer)
        else:
            threaded = (given.message or {}).get("thread_ts")
            self.say(self.call(), channel, given.user, {"thread_ts": threaded, **answer})

    def say(self, call: Call, channel: Channel, user: str, answer: Json) -> None:
        """Show an answer: to everybody if it says ``in_channel``, else to the one who asked."""
        content = _content(answer)
        if answer.get("thread_ts"):
            content["thread_ts"] = answer["thread_ts"]
        if answer.get("response_type") == "in_channel":
            app = self._workspace.app
            author = {"user": app.bot_user, "bot_id": app.bot_id, "app_id": app.app_id}
            self._workspace.post(channel, {**author, **content})
        else:
            show_ephemeral(call, channel, user, content)

    def _delete(self, channel: Channel, given: _Given) -> None:
        message = given.message
        if message is None:
            return
        if message.get("is_ephemeral"):
            channel.ephemerals = [each for each in channel.ephemerals if each["ts"] != message["ts"]]
            self._workspace.tell("ephemeral_gone", channel.id, {"ts": message["ts"], "to": message["to"]})
        else:
            self._workspace.remove(channel, message["ts"])

    def _replace(self, channel: Channel, given: _Given, answer: Json) -> None:
        message = given.message or {}
        if message.get("is_ephemeral"):
            message.update(_content(answer))
            self._workspace.tell("ephemeral", channel.id, message)
        else:
            self._workspace.edit(channel, message["ts"], _content(answer))


def _content(answer: Json) -> Json:
    blocks = answer.get("blocks")
    if blocks is not None:
        check_blocks(blocks)
    if not (answer.get("text") or blocks or answer.get("attachments")):
        raise Refusal("no_text", status=400)
    content = {name: answer[name] for name in ("blocks", "attachments", "metadata") if answer.get(name) is not None}
    return {"text": answer.get("text", ""), **content}
