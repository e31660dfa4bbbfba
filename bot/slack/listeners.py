"""Which request of Slack's leads where: one listener each, which parses nothing but hands the request to one call.

Every subscribed event (``surface.EVENTS``) has a listener, because one without is never acknowledged and comes back.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import guide, modals, plan_blocks, report_blocks
from bot.slack.blockkit import clip
from bot.slack.buttons import Buttons
from bot.slack.conversation import Conversation
from bot.slack.intake import HEARD
from bot.slack.surface import COMMAND, MODAL_ASK, MODAL_NEW, MODAL_TICKET, SHORTCUT_NEW, SHORTCUT_THREAD
from bot.slack.surroundings import Surroundings

_ACK_TEXT = 3000


def register_events(app: AsyncApp, conversation: Conversation, surroundings: Surroundings) -> None:
    """Listen to events; Bolt acknowledges them before these run, and the intake stored them before that."""

    @app.event("app_mention")
    async def mentioned(context: dict[str, Any]) -> None:
        if (heard := context.get(HEARD)) is not None:
            await conversation.tell(heard)

    @app.event("message")
    async def said(context: dict[str, Any]) -> None:
        if (heard := context.get(HEARD)) is not None:
            await conversation.tell(heard)

    @app.event("app_home_opened")
    async def home_opened(event: dict[str, Any]) -> None:
        await surroundings.home(event)

    @app.event("reaction_added")
    async def reacted(event: dict[str, Any]) -> None:
        await surroundings.reaction(event)

    @app.event("member_joined_channel")
    async def joined(event: dict[str, Any]) -> None:
        await surroundings.arrived(event)

    @app.event("tokens_revoked")
    async def revoked(event: dict[str, Any]) -> None:
        await surroundings.gone(event)

    @app.event("app_uninstalled")
    async def uninstalled(event: dict[str, Any]) -> None:
        await surroundings.gone(event)


def register_beginnings(app: AsyncApp, conversation: Conversation) -> None:
    """Listen to the command, the shortcuts and the form; they are acknowledged once their work is stored."""

    @app.command(COMMAND)
    async def command(ack: AsyncAck, body: dict[str, Any]) -> None:
        told = await conversation.command(body)
        await ack(text=clip(told, _ACK_TEXT), response_type="ephemeral")

    @app.shortcut({"callback_id": SHORTCUT_THREAD, "type": "message_action"})
    async def this_thread(ack: AsyncAck, body: dict[str, Any]) -> None:
        await conversation.thread(body)
        await ack()

    @app.shortcut({"callback_id": SHORTCUT_NEW, "type": "shortcut"})
    async def new(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await conversation.form(body)

    @app.action(guide.ACTION_NEW)
    async def new_from_home(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await conversation.form(body)

    @app.view(MODAL_NEW)
    async def submitted(ack: AsyncAck, body: dict[str, Any]) -> None:
        await _closed(ack, await conversation.submitted(body))


def register_buttons(app: AsyncApp, buttons: Buttons) -> None:
    """Listen to what answers, plans and views offer."""

    @app.action(report_blocks.ACTION_EVIDENCE)
    async def evidence(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await buttons.evidence(body)

    @app.action(report_blocks.ACTION_TIMELINE)
    async def timeline(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await buttons.timeline(body)

    @app.action(report_blocks.ACTION_ASK)
    async def ask_why(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await buttons.ask_why(body)

    @app.view(MODAL_ASK)
    async def asked(ack: AsyncAck, body: dict[str, Any]) -> None:
        await _closed(ack, await buttons.asked(body))

    @app.action(re.compile(f"^{modals.ACTION_PAGE}"))
    async def page(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await buttons.page(body)

    @app.action(report_blocks.ACTION_JIRA)
    async def jira(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await buttons.jira(body)

    @app.view(MODAL_TICKET)
    async def ticket_chosen(ack: AsyncAck, body: dict[str, Any]) -> None:
        await _closed(ack, await buttons.ticket_chosen(body))

    _register_work(app, buttons)


def _register_work(app: AsyncApp, buttons: Buttons) -> None:
    @app.action(report_blocks.ACTION_WIDER)
    async def wider(ack: AsyncAck, body: dict[str, Any]) -> None:
        await buttons.wider(body)
        await ack()

    @app.action(plan_blocks.ACTION_STOP)
    async def stop(ack: AsyncAck, body: dict[str, Any]) -> None:
        await buttons.stop(body)
        await ack()

    @app.action(re.compile(f"^({report_blocks.ACTION_RIGHT}|{report_blocks.ACTION_WRONG})$"))
    async def feedback(ack: AsyncAck, body: dict[str, Any]) -> None:
        right = body["actions"][0]["action_id"] == report_blocks.ACTION_RIGHT
        verdict: Literal["right", "wrong"] = "right" if right else "wrong"
        await buttons.feedback(body, verdict)
        await ack()

    @app.action(re.compile(".*"))
    async def link(ack: AsyncAck) -> None:
        await ack()  # a button that opens an address tells the app too


async def _closed(ack: AsyncAck, mistakes: Mapping[str, str]) -> None:
    if mistakes:
        await ack(response_action="errors", errors=dict(mistakes))
    else:
        await ack()
