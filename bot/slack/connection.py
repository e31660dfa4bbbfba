"""The app's side of one workspace: what calls Slack, knows itself, decides who may, and answers; shared by desk and listeners."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.chat import Audience
from bot.slack.access import AccessPolicy
from bot.slack.calls import Calls, Observe
from bot.slack.delivery import SlackMessenger
from bot.slack.identity import Identity
from bot.slack.limiter import Limiter
from bot.slack.picture import Picture, timeline_picture
from bot.slack.sanitise import Sanitiser


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The parts; ``messenger`` is the port through which the desk answers."""

    client: AsyncWebClient
    calls: Calls
    identity: Identity
    access: AccessPolicy
    sanitiser: Sanitiser
    messenger: SlackMessenger
    clock: Callable[[], datetime]


def connect(
    client: AsyncWebClient,
    audience: Audience,
    *,
    sanitiser: Sanitiser | None = None,
    picture: Picture = timeline_picture,
    limiter: Limiter | None = None,
    observe: Observe | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Connection:
    """Make the parts around a client that carries the bot token, the API's base address and a shared session."""
    calls = Calls(client, limiter, observe)
    sanitiser = sanitiser or Sanitiser()
    identity = Identity(calls, sanitiser.allow_workspace)
    access = AccessPolicy(calls, identity, audience)
    messenger = SlackMessenger(calls, identity, access, sanitiser, picture=picture, clock=clock)
    return Connection(
        client=client,
        calls=calls,
        identity=identity,
        access=access,
        sanitiser=sanitiser,
        messenger=messenger,
        clock=clock,
    )
