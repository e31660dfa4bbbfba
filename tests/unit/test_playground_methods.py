"""The playground's API methods refuse what Slack refuses, with Slack's words."""

import asyncio

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.seed import VISITOR, small_workspace
from bot.playground.server import PlaygroundServer
from bot.playground.workspace import DEFAULT_APP, AppProfile, Channel

INCIDENTS = "C0INCIDENTS"
MANIFEST = {
    "features": {
        "bot_user": {"display_name": "sherlock"},
        "slash_commands": [{"command": "/why"}],
        "shortcuts": [{"type": "global", "callback_id": "new", "name": "New"}],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write"], "bot_optional": ["files:write"]}},
    "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
}


def talk(conversation, **options):
    """Run a conversation of a client with a server."""

    async def run():
        async with PlaygroundServer(small_workspace(app=options.pop("app", None)), **options) as server:
            client = AsyncWebClient(token=server.bot_token, base_url=server.base_url)
            await conversation(server, client)

    asyncio.run(run())


async def refusal(call):
    """Give the error code a call is refused with."""
    with pytest.raises(SlackApiError) as refused:
        await call
    return refused.value.response["error"]


def section(text):
    """Make a section block."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def test_posting_where_one_may_not_is_refused():
    """Unknown and foreign private channels do not exist; public ones must be joined; archived ones are closed."""

    async def conversation(server, client):
        server.workspace.add_channel(Channel(id="C0SECRET", name="secret", kind="group", members=[VISITOR]))
        refused = {
            channel: await refusal(client.chat_postMessage(channel=channel, text="hi"))
            for channel in ("C0NOWHERE", "C0SECRET", "C0GENERAL", "C0ARCHIVE")
        }
        assert {
            "C0NOWHERE": "channel_not_found",
            "C0SECRET": "channel_not_found",
            "C0GENERAL": "not_in_channel",
            "C0ARCHIVE": "is_archived",
        } == refused

    talk(conversation)


def test_a_wrong_token_is_refused():
    """No token, a wrong one and one of the other kind are told apart."""

    async def conversation(server, _client):
        def with_token(token):
            return AsyncWebClient(token=token, base_url=server.base_url)

        assert "invalid_auth" == await refusal(with_token("xoxb-other").auth_test())
        assert "not_authed" == await refusal(with_token(None).auth_test())
        assert "not_allowed_token_type" == await refusal(with_token(server.app_token).auth_test())
        wrong = with_token(server.bot_token).apps_connections_open(app_token=server.bot_token)
        assert "not_allowed_token_type" == await refusal(wrong)

    talk(conversation)


def test_a_missing_scope_is_named():
    """The answer says which scope is needed and which there are; every answer lists them in a header."""

    async def conversation(_server, client):
        with pytest.raises(SlackApiError) as refused:
            await client.users_info(user=VISITOR)
        answer = refused.value.response
        assert ("missing_scope", "users:read", "chat:write,files:write") == (
            answer["error"],
            answer["needed"],
            answer["provided"],
        )
        assert "chat:write,files:write" == (await client.auth_test()).headers["X-OAuth-Scopes"]

    talk(conversation, app=AppProfile.from_manifest(MANIFEST))


def test_a_manifest_says_what_the_app_may_do():
    """Scopes, events, commands, shortcuts and the bot's name come from the manifest."""
    app = AppProfile.from_manifest(MANIFEST)
    assert ("sherlock", frozenset({"chat:write", "files:write"}), frozenset({"app_mention"})) == (
        app.name,
        app.scopes,
        app.events,
    )
    assert (("/why",), (("global", "new", "New"),)) == (app.commands, app.shortcuts)


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ([section("x" * 3001)], "invalid_blocks"),
        ([section("")], "invalid_blocks"),
        ([section("x")] * 51, "invalid_blocks"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "invalid_blocks"),
        ([{"type": "context", "elements": []}], "invalid_blocks"),
        ([{"type": "alert", "text": "x"}], "invalid_blocks"),
        ([{"type": "nonsense"}], "invalid_blocks"),
        ([{**section("x"), "block_id": "same"}] * 2, "invalid_blocks"),
        ([{"type": "image", "image_url": "http://127.0.0.1/x.png"}], "invalid_blocks"),
        ([section("x" * 2900)] * 5, "msg_blocks_too_long"),
        ("no json", "invalid_blocks_format"),
    ],
)
def test_blocks_beyond_the_limits_are_refused(blocks, error):
    """Too long, too many, of a kind that messages do not hold, or empty: each is refused as Slack does."""

    async def conversation(_server, client):
        assert error == await refusal(client.chat_postMessage(channel=INCIDENTS, text="x", blocks=blocks))

    talk(conversation)


def test_the_refusal_of_blocks_points_at_the_spot():
    """The reasons come with JSON pointers."""

    async def conversation(_server, client):
        with pytest.raises(SlackApiError) as refused:
            await client.chat_postMessage(channel=INCIDENTS, text="x", blocks=[section("ok"), section("x" * 3001)])
        reasons = refused.value.response["response_metadata"]["messages"]
        assert ["[ERROR] must be between 1 and 3000 characters [json-pointer:/blocks/1/text/text]"] == reasons

    talk(conversation)


def test_long_texts_are_cut_or_refused():
    """A post is cut at 40,000 characters with a warning; an update beyond 4,000 is refused."""

    async def conversation(_server, client):
        posted = await client.chat_postMessage(channel=INCIDENTS, text="x" * 40_001)
        assert ("message_truncated", 40_000) == (posted["warning"], len(posted["message"]["text"]))
        assert "msg_too_long" == await refusal(client.chat_update(channel=INCIDENTS, ts=posted["ts"], text="x" * 4_001))

    talk(conversation)


def test_an_update_keeps_what_it_does_not_name():
    """Blocks and metadata stay unless given anew; only the bot's own messages can be changed."""

    async def conversation(server, client):
        metadata = {"event_type": "answer", "event_payload": {"key": "k1"}}
        posted = await client.chat_postMessage(channel=INCIDENTS, text="a", blocks=[section("b")], metadata=metadata)
        await client.chat_update(channel=INCIDENTS, ts=posted["ts"], text="c")
        [message] = server.messages("incidents")
        assert ("c", "b", metadata) == (message["text"], message["blocks"][0]["text"]["text"], message["metadata"])
        other = server.post_as(VISITOR, "incidents", "mine")
        update = client.chat_update(channel=INCIDENTS, ts=other["ts"], text="d")
        assert "cant_update_message" == await refusal(update)
        assert "message_not_found" == await refusal(client.chat_update(channel=INCIDENTS, ts="1.000000", text="d"))
        assert "no_text" == await refusal(client.api_call("chat.postMessage", json={"channel": INCIDENTS, "text": " "}))

    talk(conversation)


def test_metadata_is_given_back_only_when_asked_for():
    """History and replies leave metadata out unless ``include_all_metadata`` is set."""

    async def conversation(_server, client):
        metadata = {"event_type": "answer", "event_payload": {"key": "k1"}}
        root = await client.chat_postMessage(channel=INCIDENTS, text="a", metadata=metadata)
        plain = await client.conversations_history(channel=INCIDENTS)
        full = await client.conversations_replies(channel=INCIDENTS, ts=root["ts"], include_all_metadata=True)
        assert [None, metadata] == [plain["messages"][0].get("metadata"), full["messages"][0].get("metadata")]

    talk(conversation)


def test_history_pages_newest_first_without_replies():
    """Pages never overlap, even when messages arrive in between; replies are listed oldest first, root first."""

    async def conversation(server, client):
        posted = [server.post_as(VISITOR, "incidents", f"m{each}")["ts"] for each in range(5)]
        replies = [server.post_as(VISITOR, "incidents", f"r{each}", posted[0])["ts"] for each in range(3)]
        first = await client.conversations_history(channel=INCIDENTS, limit=2)
        server.post_as(VISITOR, "incidents", "late")
        cursor = first["response_metadata"]["next_cursor"]
        second = await client.conversations_history(channel=INCIDENTS, limit=999, cursor=cursor)
        read = [each["ts"] for each in [*first["messages"], *second["messages"]]]
        assert list(reversed(posted)) == read
        thread = await client.conversations_replies(channel=INCIDENTS, ts=posted[0])
        assert [posted[0], *replies] == [each["ts"] for each in thread["messages"]]
        assert 3 == thread["messages"][0]["reply_count"]
        window = await client.conversations_history(channel=INCIDENTS, oldest=posted[1], latest=posted[3])
        assert [posted[2]] == [each["ts"] for each in window["messages"]]
        window = await client.conversations_history(
            channel=INCIDENTS, oldest=posted[1], latest=posted[3], inclusive=True
        )
        assert [posted[3], posted[2], posted[1]] == [each["ts"] for each in window["messages"]]
        assert "invalid_cursor" == await refusal(client.conversations_history(channel=INCIDENTS, cursor="x"))
        assert "invalid_limit" == await refusal(client.conversations_history(channel=INCIDENTS, limit=1000))

    talk(conversation)


def test_a_sixth_message_at_once_is_too_fast():
    """A channel takes a burst and then one message a second; the answer is 429 with Retry-After."""

    async def conversation(_server, client):
        for _ in range(5):
            await client.chat_postMessage(channel=INCIDENTS, text="x")
        with pytest.raises(SlackApiError) as refused:
            await client.chat_postMessage(channel=INCIDENTS, text="x")
        answer = refused.value.response
        assert ("ratelimited", 429, "1") == (answer["error"], answer.status_code, answer.headers["Retry-After"])

    talk(conversation)


def test_reactions_are_counted_once():
    """A second equal reaction and the removal of none are refused."""

    async def conversation(server, client):
        mark = {"channel": INCIDENTS, "name": "eyes", "timestamp": server.post_as(VISITOR, "incidents", "x")["ts"]}
        await client.reactions_add(**mark)
        assert "already_reacted" == await refusal(client.reactions_add(**mark))
        await client.reactions_remove(**mark)
        assert "no_reaction" == await refusal(client.reactions_remove(**mark))
        assert "message_not_found" == await refusal(client.reactions_add(**{**mark, "timestamp": "1.0"}))

    talk(conversation)


def test_a_file_shows_once_it_is_complete():
    """The three steps of an upload put one message with the file into the thread."""

    async def conversation(server, client):
        root = server.post_as(VISITOR, "incidents", "x")["ts"]
        upload = {"filename": "timeline.png", "title": "Timeline", "alt_txt": "a line", "thread_ts": root}
        await client.files_upload_v2(file=b"\x89PNG", channel=INCIDENTS, initial_comment="look", **upload)
        [_, message] = server.messages("incidents", root)
        [file] = message["files"]
        assert ("look", "timeline.png", "Timeline", "image/png", 4, "a line") == (
            message["text"],
            *(file[each] for each in ("name", "title", "mimetype", "size", "alt_txt")),
        )
        assert "file_not_found" == await refusal(client.files_completeUploadExternal(files=[{"id": "F1"}]))

    talk(conversation)


def test_ephemeral_messages_are_in_no_history():
    """They are shown to one member only and cannot be fetched."""

    async def conversation(server, client):
        await client.chat_postEphemeral(channel=INCIDENTS, user=VISITOR, text="psst")
        assert ["psst"] == [each["text"] for each in server.ephemerals("incidents", VISITOR)]
        assert [] == (await client.conversations_history(channel=INCIDENTS))["messages"]
        outside = client.chat_postEphemeral(channel=INCIDENTS, user="U0GUEST", text="psst")
        assert "user_not_in_channel" == await refusal(outside)

    talk(conversation)


def test_people_and_channels_tell_what_they_are():
    """Guests, strangers, shared and private channels can be told from the rest."""

    async def conversation(_server, client):
        guest = (await client.users_info(user="U0GUEST"))["user"]
        stranger = (await client.users_info(user="U0STRANGER"))["user"]
        assert (True, True, False) == (guest["is_restricted"], guest["is_ultra_restricted"], "is_stranger" in guest)
        assert (True, "T0PARTNER") == (stranger["is_stranger"], stranger["team_id"])
        shared = (await client.conversations_info(channel="C0SHARED"))["channel"]
        private = (await client.conversations_info(channel="C0PRIVATE"))["channel"]
        assert (True, False) == (shared["is_ext_shared"], shared["is_private"])
        assert (False, True) == (private["is_ext_shared"], private["is_private"])
        groups = await client.usergroups_users_list(usergroup="S0ONCALL")
        assert [VISITOR] == groups["users"]
        listed = await client.conversations_list(types="public_channel,private_channel", limit=2)
        assert 2 == len(listed["channels"])
        assert listed["response_metadata"]["next_cursor"]

    talk(conversation)


def test_views_keep_their_limits():
    """A title of 25 characters and a modal with inputs but no submit are refused; a home is published as it is."""

    async def conversation(server, client):
        plain = {"type": "plain_text", "text": "x" * 25}
        box = {"type": "input", "label": {"type": "plain_text", "text": "l"}, "element": {"type": "plain_text_input"}}
        trigger = server.surfaces.triggers.give("t1", VISITOR, server.workspace.clock())
        with pytest.raises(SlackApiError) as refused:
            await client.views_open(trigger_id=trigger, view={"type": "modal", "title": plain, "blocks": [box]})
        assert [
            "[ERROR] must be between 1 and 24 characters [json-pointer:/view/title/text]",
            "[ERROR] missing required field: submit [json-pointer:/view]",
        ] == refused.value.response["response_metadata"]["messages"]
        await client.views_publish(user_id=VISITOR, view={"type": "home", "blocks": [section("hello")]})
        assert "hello" == server.workspace.homes[VISITOR]["blocks"][0]["text"]["text"]

    talk(conversation)


def test_the_default_app_hears_and_may_everything_here():
    """The default profile has every scope that a method of this server asks for."""
    assert {"chat:write", "files:write", "usergroups:read", "channels:join", "im:write"} <= DEFAULT_APP.scopes
