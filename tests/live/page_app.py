"""A scripted app for the page's tests: answers like an investigation does, with everything the page must show."""

import asyncio
import struct
import zlib

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

HOSTILE = '<img src=x onerror="document.title=\'owned\'"> <script>document.title="owned"</script> javascript:alert(1)'
LINES = [f"2026-11-18T06:0{each}:12Z frontdoor upstream prematurely closed connection {HOSTILE}" for each in range(3)]


def mrkdwn(text):
    """Make a section."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(action_id, text, **more):
    """Make a button."""
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}, **more}


def escaped(text):
    """Escape as an app must."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def picture(width=640, height=180):
    """Draw a small PNG: a striped strip."""

    def chunk(kind, body):
        return struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body))

    row = b"\0" + b"".join(b"\x0b\x6b\x5f" if column // 32 % 2 else b"\xe3\xf1\xed" for column in range(width))
    head = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b"")
    )


def plan(done):
    """Make the status message at a stage: how many of its three sources are read."""
    names = ("Kubernetes", "Prometheus", "Chat")
    tasks = [
        {"type": "task_card", "task_id": name, "title": name, "status": "complete" if at < done else "in_progress"}
        for at, name in enumerate(names)
    ]
    return [{"type": "plan", "title": f"Reading {done} of 3 sources", "tasks": tasks}]


def answer():
    """Make the answer."""
    table = [[{"type": "raw_text", "text": each} for each in row] for row in (("lag", "hits"), ("34 s", "20 of 20"))]
    evidence = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "\n".join(LINES)}]}
    return [
        {"type": "header", "text": {"type": "plain_text", "text": "CronJob segment-refresh · high confidence"}},
        mrkdwn(
            "Every 6 h the *segment-refresh* job takes CPU; the HPA scales `statements` up and down; slow requests are cut off."
        ),
        {
            "type": "section",
            "fields": [{"type": "mrkdwn", "text": "*Symptom*\n502s"}, {"type": "mrkdwn", "text": "*Lag*\n34 s"}],
        },
        mrkdwn(
            f"&gt; {escaped(HOSTILE)}\n1. job starts\n2. <https://example.org/a?b=1|runbook> and <javascript:alert(1)|not a link>"
        ),
        {"type": "divider"},
        {
            "type": "actions",
            "block_id": "answer",
            "elements": [
                button("evidence", "Evidence", style="primary", value="0"),
                button("stop", "Stop", style="danger", confirm=confirm()),
            ],
        },
        {"type": "table", "rows": table},
        {
            "type": "container",
            "title": {"type": "plain_text", "text": "Evidence lines"},
            "is_collapsible": True,
            "default_collapsed": True,
            "child_blocks": [{"type": "rich_text", "elements": [evidence]}],
        },
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "5 sources · 2.1 s · no model"}]},
        {"type": "context_actions", "elements": [feedback()]},
    ]


def confirm():
    """Ask before stopping."""
    plain = {"title": "Stop?", "text": "What was read is kept.", "confirm": "Stop it", "deny": "Go on"}
    return {name: {"type": "plain_text", "text": text} for name, text in plain.items()}


def feedback():
    """Make the two thumbs."""

    def one(text, value):
        return {"text": {"type": "plain_text", "text": text}, "value": value, "accessibility_label": text}

    buttons = {"positive_button": one("Right", "right"), "negative_button": one("Wrong", "wrong")}
    return {"type": "feedback_buttons", "action_id": "feedback", **buttons}


def evidence_view(page):
    """Make the modal at a page."""
    rows = [button("turn", "Next", value=str(page + 1))] if page < 2 else []
    back = [button("turn_back", "Back", value=str(page - 1))] if page else []
    lines = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": LINES[page]}]}
    return {
        "type": "modal",
        "callback_id": "evidence",
        "title": {"type": "plain_text", "text": f"Evidence {page + 1} of 3"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [
            {"type": "rich_text", "elements": [lines]},
            {"type": "actions", "block_id": "turning", "elements": [*back, *rows]},
        ],
    }


def ask_view():
    """Make the modal with inputs."""

    def box(name, text, element):
        return {"type": "input", "block_id": name, "label": {"type": "plain_text", "text": text}, "element": element}

    return {
        "type": "modal",
        "callback_id": "ask",
        "title": {"type": "plain_text", "text": "New investigation"},
        "submit": {"type": "plain_text", "text": "Start"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
            box("where", "Channel", {"type": "conversations_select", "action_id": "channel"}),
            box("when", "Window", {"type": "plain_text_input", "action_id": "window", "initial_value": "5d"}),
        ],
    }


def scripted(urls, pause_s=0.15):
    """Make the app; it is run by ``serve``."""
    client = AsyncWebClient(token=urls.bot_token, base_url=urls.base_url)
    app = AsyncApp(client=client, token=urls.bot_token)
    app.event("message")(_reply)
    app.event("app_mention")(_nothing)
    app.event("reaction_added")(_nothing)
    app.event("member_joined_channel")(_nothing)
    app.event("app_home_opened")(_home)
    app.action("evidence")(_open_evidence)
    app.action("turn")(_turn)
    app.action("turn_back")(_turn)
    app.action("stop")(_acked)
    app.action("feedback")(_thanks)
    app.shortcut("new_investigation")(_open_ask)
    app.shortcut("investigate_message")(_acked)
    app.view("ask")(_asked)

    @app.command("/rootcause")
    async def command(ack, command, client, respond):
        await ack()
        if command["text"] == "help":
            await respond("Try `/rootcause 5d`.")
            return
        root = await client.chat_postMessage(channel=command["channel_id"], text=f"Investigating {command['text']}")
        status = await client.chat_postMessage(
            channel=command["channel_id"], thread_ts=root["ts"], text="Reading", blocks=plan(0)
        )
        for done in range(1, 4):
            await asyncio.sleep(pause_s)
            await client.chat_update(channel=status["channel"], ts=status["ts"], text="Reading", blocks=plan(done))
        await client.chat_postMessage(
            channel=command["channel_id"], thread_ts=root["ts"], text="segment-refresh", blocks=answer()
        )
        await client.files_upload_v2(
            file=picture(),
            filename="timeline.png",
            alt_txt="502s above, the job below",
            thread_ts=root["ts"],
            title="Timeline",
            channel=command["channel_id"],
        )
        await client.reactions_add(channel=command["channel_id"], timestamp=root["ts"], name="white_check_mark")

    return app


async def serve(urls):
    """Run the scripted app until it is cancelled."""
    handler = AsyncSocketModeHandler(scripted(urls), urls.app_token)
    try:
        await handler.start_async()
    finally:
        await handler.close_async()


async def _nothing():
    pass


async def _acked(ack):
    await ack()


async def _reply(event, client):
    if event.get("thread_ts") and "restart" in event.get("text", ""):
        text = "*No.* The restart was an OOM kill of `mail-relay`, 20 h away from the nearest 502."
        await client.chat_postMessage(channel=event["channel"], thread_ts=event["thread_ts"], text=text)


async def _home(event, client):
    if event["tab"] == "home":
        await client.views_publish(
            user_id=event["user"], view={"type": "home", "blocks": [mrkdwn("*Recent* nothing yet")]}
        )


async def _open_evidence(ack, body, client):
    await ack()
    await client.views_open(trigger_id=body["trigger_id"], view=evidence_view(0))


async def _turn(ack, body, client):
    await ack()
    await client.views_update(view_id=body["view"]["id"], view=evidence_view(int(body["actions"][0]["value"])))


async def _thanks(ack, respond):
    await ack()
    await respond("Thank you.")


async def _open_ask(ack, body, client):
    await ack()
    await client.views_open(trigger_id=body["trigger_id"], view=ask_view())


async def _asked(ack, view, client, body):
    values = view["state"]["values"]
    if values["when"]["window"]["value"] == "soon":
        await ack(response_action="errors", errors={"when": "Give a window like 5d."})
        return
    await ack()
    await client.chat_postMessage(
        channel=values["where"]["channel"]["selected_conversation"], text="Started from a form"
    )
