"""Builds the Bolt app from its parts; nothing happens here but wiring.

Errors that reach Bolt are logged under a reference and told as a sentence; a request whose storing failed is answered with
an error status on purpose, so that Slack delivers it again.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.chat import Desk
from bot.errors import ChatError
from bot.slack.buttons import Buttons
from bot.slack.connection import Connection
from bot.slack.conversation import Conversation, Room
from bot.slack.identity import KnownSelf
from bot.slack.intake import Intake
from bot.slack.listeners import register_beginnings, register_buttons, register_events
from bot.slack.lookup import ReportLookup
from bot.slack.signature import SignatureCheck
from bot.slack.surroundings import Health, Surroundings, nothing_to_tell

log = logging.getLogger(__name__)


def build_app(
    connection: Connection,
    *,
    desk: Desk,
    reports: ReportLookup,
    signing_secret: str | None = None,
    health: Health = nothing_to_tell,
    projects: Sequence[str] = (),
) -> AsyncApp:
    """Build the app; ``signing_secret`` is for HTTP alone, ``projects`` are those of Jira that reports may be posted to."""
    room = Room(
        calls=connection.calls,
        identity=connection.identity,
        access=connection.access,
        desk=desk,
        messenger=connection.messenger,
        sanitiser=connection.sanitiser,
        clock=connection.clock,
    )
    surroundings = Surroundings(room, health)
    known_self: Any = KnownSelf(connection.identity, connection.client.token)  # Bolt's signature names functions only
    app = AsyncApp(
        name="bolt",  # Bolt gives the logger of this name its own level, and ours must be heard
        logger=_quiet_logger(),
        client=_without_token(connection.client),
        authorize=known_self,
        before_authorize=SignatureCheck(signing_secret),
        request_verification_enabled=False,
    )
    app.use(Intake(connection.identity, connection.access, desk, connection.clock).middleware)
    app.error(_error_handler(surroundings))
    conversation = Conversation(room)
    register_events(app, conversation, surroundings)
    register_beginnings(app, conversation)
    register_buttons(app, Buttons(room, reports, projects))
    return app


def _error_handler(surroundings: Surroundings) -> Callable[..., Any]:
    async def failed(error: Exception, body: dict[str, Any], context: dict[str, Any]) -> None:
        reference = f"r-{secrets.token_hex(4)}"
        told = bool(context.get("taken"))
        kind = str((body.get("event") or {}).get("type") or body.get("type") or "command")
        extra = {"reference": reference, "kind": kind, "stored": told}
        if isinstance(error, ChatError):  # what Slack says no to is no fault of this program
            log.warning("a request was not finished", extra={**extra, "reason": str(error)})
        else:
            log.error("a request failed", extra=extra, exc_info=(type(error), error, error.__traceback__))
        if told:  # else Slack delivers it again, and there is nothing to tell yet
            slacks = isinstance(error, ChatError)
            await surroundings.failed(context.get("channel_id"), context.get("user_id"), reference, slacks=slacks)

    return failed


def _quiet_logger() -> logging.Logger:
    """Give Bolt a logger that keeps to errors: its warnings quote what people wrote."""
    quiet = logging.getLogger("bot.slack.bolt")
    quiet.setLevel(logging.ERROR)
    return quiet


def _without_token(client: AsyncWebClient) -> AsyncWebClient:
    """Copy a client without its token, because Bolt prefers a token over the authorization it is given."""
    return AsyncWebClient(
        base_url=client.base_url,
        timeout=client.timeout,
        ssl=client.ssl,
        proxy=client.proxy,
        session=client.session,
        trust_env_in_session=client.trust_env_in_session,
        headers=client.headers,
        retry_handlers=[],
    )
