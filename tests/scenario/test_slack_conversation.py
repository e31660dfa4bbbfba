"""Conversations with the real Bolt app in a local workspace: asking, answers, follow-ups, commands."""

import logging

from slack_stage import ADA, INCIDENTS, play


def reactions(server, channel, ts):
    """Name the bot's reactions to a message."""
    return [each["name"] for each in server.workspace.message(server.workspace.find(channel), ts).get("reactions", [])]


def test_a_mention_is_seen_investigated_and_answered_in_its_thread():
    """👀 at once, one plan edited in place, the answer in the thread, then ✅ in place of 👀."""

    async def scenario(stage):
        asked = await stage.say(ADA, "<@U0ROOTCAUSE> what's behind the 502s since Tuesday in payments?")
        ts = asked["ts"]
        await stage.until(lambda: "white_check_mark" in reactions(stage.server, INCIDENTS, ts))
        await stage.settled()
        (ask,) = stage.desk.asks
        assert ("investigate", "since Tuesday", ("payments",), ts) == (
            ask.kind,
            ask.window,
            ask.namespaces,
            ask.place.thread_ts,
        )
        assert "Europe/Berlin" == ask.asker.tz
        own = stage.texts(thread_ts=ts)
        assert 2 == len(own)
        assert "Cause found" in own[1]["text"]
        assert ["white_check_mark"] == reactions(stage.server, INCIDENTS, ts)
        assert "Done" in str(own[0]["blocks"])
        assert [] == [each for each in stage.server.calls if each.answer and not each.answer.get("ok", True)]

    play(scenario)


def test_the_command_opens_a_thread_and_says_where():
    """A command has no message, so the bot posts one; only the asker sees the reply."""

    async def scenario(stage):
        delivery = await stage.server.slash(ADA, INCIDENTS, "/rootcause", "5d why do we see 503s?")
        assert "On it" in delivery.answer["text"]
        await stage.until(lambda: len(stage.texts()) >= 3)
        await stage.settled()
        root, _, answer = stage.texts()
        assert "why do we see 503s?" in root["text"]
        assert "*5d*" in root["text"]
        assert root["ts"] == answer["thread_ts"]
        assert ["white_check_mark"] == reactions(stage.server, INCIDENTS, root["ts"])

    play(scenario)


def test_simple_words_are_answered_at_once():
    """Help, status, last, cancel, and what is not understood."""

    async def scenario(stage):
        told = {}
        for words in ("help", "status", "last", "cancel", "5x", "hi"):
            delivery = await stage.server.slash(ADA, INCIDENTS, "/rootcause", words)
            told[words] = delivery.answer["text"]
        assert "since 09:00" in told["help"]
        assert "Nothing runs here" in told["status"]
        assert "Nothing runs" in told["cancel"]
        assert "“5x”" in told["5x"]
        assert "for example" in told["hi"] or "like this" in told["hi"]
        assert [] == stage.desk.asks
        assert [] == stage.texts()

    play(scenario)


def test_a_window_is_said_back_in_the_askers_time_zone():
    """What words of time mean is said as instants; a mere length is counted from the evidence's end, not known yet."""

    async def scenario(stage):
        for words in ("last weekend", "5d"):
            await stage.server.slash(ADA, INCIDENTS, "/rootcause", words)
        told = [each["text"] for each in stage.texts()]
        assert any("*last weekend* (Sat " in text and " 00:00 – Mon " in text for text in told)
        assert any("*5d* (" in text and "–" not in text for text in told)

    play(scenario)


def test_the_programs_own_logs_are_heard_beside_bolts():
    """Bolt keeps to errors, because it quotes what people wrote; that is not to silence what operators read."""
    ours = logging.getLogger("rootcause")
    ours.setLevel(logging.INFO)

    async def scenario(stage):
        await stage.server.slash(ADA, INCIDENTS, "/rootcause", "help")

    play(scenario)
    assert logging.INFO == ours.level
    ours.setLevel(logging.NOTSET)


def test_a_follow_up_needs_no_mention_in_the_bots_own_thread():
    """A question in the thread is answered from the case; talk between people is left alone."""

    async def scenario(stage):
        asked = await stage.say(ADA, "<@U0ROOTCAUSE> 5d")
        await stage.until(lambda: stage.desk.cases)
        await stage.settled()
        await stage.say(ADA, "I rolled it back", thread_ts=asked["ts"])
        await stage.say(ADA, "<@U0GRACE> can you check?", thread_ts=asked["ts"])
        await stage.say(ADA, "was the day-2 restart related?", thread_ts=asked["ts"])
        await stage.until(lambda: any("No, unrelated" in each["text"] for each in stage.texts()))
        await stage.settled()
        assert ["investigate", "follow_up"] == [each.kind for each in stage.desk.asks]

    play(scenario)


def test_steering_starts_a_new_run_with_the_old_window():
    """``no, look at the … namespace`` keeps window and question."""

    async def scenario(stage):
        asked = await stage.say(ADA, "<@U0ROOTCAUSE> why do we see 503s? last 3 days")
        await stage.until(lambda: stage.desk.works)
        await stage.settled()
        await stage.say(ADA, "no, look at the payments namespace", thread_ts=asked["ts"])
        await stage.until(lambda: len(stage.desk.asks) == 2)
        await stage.settled()
        first, second = stage.desk.asks
        assert ("investigate", first.window, first.question, ("payments",)) == (
            second.kind,
            second.window,
            second.question,
            second.namespaces,
        )

    play(scenario)


def test_a_direct_message_is_answered():
    """No mention is needed there."""

    async def scenario(stage):
        direct = stage.server.workspace.direct(ADA).id
        await stage.say(ADA, "what broke since yesterday?", channel=direct)
        await stage.until(lambda: any("Cause found" in each["text"] for each in stage.texts(direct)))
        await stage.settled()

    play(scenario)


def test_four_deliveries_are_one_ask():
    """The same event, however often, is stored once and answered once."""

    async def scenario(stage):
        event = {
            "type": "app_mention",
            "user": ADA,
            "text": "<@U0ROOTCAUSE> 5d",
            "ts": stage.server.workspace.next_ts(),
            "channel": INCIDENTS,
            "event_ts": stage.server.workspace.next_ts(),
        }
        await stage.server.acts.emit(event, copies=4)
        await stage.until(lambda: stage.desk.submissions >= 4)
        assert 1 == len(stage.desk.asks)

    play(scenario, answering=False)


def test_nothing_a_person_types_comes_back_alive():
    """What is quoted back pings nobody, although Slack escaped it on the way in."""

    async def scenario(stage):
        for text in ("1..&lt;!channel&gt;", "5d &lt;!here&gt; why &lt;@U0GRACE&gt; &lt;https://evil.example|x&gt;?"):
            await stage.server.slash(ADA, INCIDENTS, "/rootcause", text)
            await stage.say(ADA, f"<@U0ROOTCAUSE> {text}")
        await stage.until(lambda: len(stage.desk.works) == 2)
        await stage.settled()
        said = [each["text"] + str(each.get("blocks")) for each in stage.texts()]
        said += [each["text"] for each in stage.server.ephemerals(INCIDENTS, ADA)]
        for each in said:
            assert "<!" not in each
            assert "<@" not in each
            assert "evil.example" not in each

    play(scenario)
