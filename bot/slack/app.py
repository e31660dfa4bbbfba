"""Builds the Bolt app from its parts; nothing happens here but wiring.

Errors that reach Bolt are logged under a reference and told as a sentence; a request whose storing failed is answered with
an error status on purpose, so that Slack delivers it again.
"""

import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.chat import Desk
from bot.slack.access import AccessPolicy
from bot.slack.buttons import Buttons
from bot.slack.calls import Calls
from bot.slack.conversation import Conversation, Room
from bot.slack.delivery import SlackMessenger
from bot.slack.identity import Identity, KnownSelf
from bot.slack.intake import Intake
from bot.slack.listeners import register_beginnings, register_buttons, register_events
from bot.slack.lookup import ReportLookup
from bot.slack.sanitise import Sanitiser
from bot.slack.signature import SignatureCheck
from bot.slack.surroundings import Health, Surroundings, nothing_to_tell

log = logging.getLogger(__name__)


def build_app(
    *,
    client: AsyncWebClient,
    calls: Calls,
    identity: Identity,
    access: AccessPolicy,
    messenger: SlackMessenger,
    sanitiser: Sanitiser,
    desk: Desk,
    reports: ReportLookup,
    signing_secret: str | None,
    health: Health = nothing_to_tell,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncApp:
    """Build the app; ``client`` names the Web API's base address, and ``signing_secret`` is for HTTP alone."""
    room = Room(
        calls=calls,
        identity=identity,
        access=access,
        desk=desk,
        messenger=messenger,
        sanitiser=sanitiser,
        clock=clock,
    )
    surroundings = Surroundings(room, health)
    app = AsyncApp(
        name="rootcause",
        logger=_quiet_logger(),
        client=_without_token(client),
        authorize=KnownSelf(identity, client.token),
        before_authorize=SignatureCheck(signing_secret),
        request_verification_enabled=False,
    )
    app.use(Intake(identity, access, desk, clock).middleware)
    app.error(_error_handler(surroundings))
    conversation = Conversation(room)
    register_events(app, conversation, surroundings)
    register_beginnings(app, conversation)
    register_buttons(app, Buttons(room, reports))
    return app


def _error_handler(surroundings: Surroundings) -> Callable[..., Any]:
    async def failed(error: Exception, body: dict[str, Any], context: dict[str, Any]) -> None:
        reference = f"r-{secrets.token_hex(4)}"
        told = bool(context.get("taken"))
        kind = str((body.get("event") or {}).get("type") or body.get("type") or "command")
        log.error(
            "a request failed",
            extra={"reference": reference, "kind": kind, "stored": told},
            exc_info=(type(error), error, error.__traceback__),
        )
        if told:  # else Slack delivers it again, and there is nothing to tell yet
            await surroundings.failed(context.get("channel_id"), context.get("user_id"), reference)

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
